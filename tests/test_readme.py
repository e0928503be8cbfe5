"""The README: its commands run, and its map, its flags, its snippets, its solutions and its figures are those of the file."""
import ast
import code
import contextlib
import io
import math
import re
import subprocess
import sys

import pytest
from conftest import ROOT, SCRIPT, load

README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCE = SCRIPT.read_text(encoding="utf-8")
SOLUTIONS = README[README.index("<summary>Solutions</summary>"):README.index("## At the prompt")]


def blocks(kind, text=README):
    return re.findall(rf"```{kind}\n(.*?)```", text, flags=re.DOTALL)


def run(path, *flags):
    return subprocess.run([sys.executable, str(path), *flags], capture_output=True, text=True, encoding="utf-8", timeout=120)


def flags_of_the_parser():
    return set(re.findall(r"--[a-z]+", run(SCRIPT, "--help").stdout)) - {"--help"}


def test_the_readme_has_two_commands_one_that_runs_the_script_and_one_that_runs_the_tests():
    script, tests = [block.strip() for block in blocks("sh")]
    assert script == f"python {SCRIPT.name}"
    assert tests == "python -m pip install pytest && python -m pytest"
    assert "pytest" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_command_the_readme_shows_in_a_line_is_accepted():
    """The knobs are kept as shown, except that no more than two steps are made and one name is spoken."""
    shown = set(re.findall(r"`(?:time )?python (?:-i )?microgpt\.py( --[^`]*)?`", README))
    shown = {words for words in shown if "--data" not in words and "--help" not in words}
    assert len(shown) >= 4
    for words in shown:
        flags = words.split() + ["--samples", "1"]
        if "--steps" in flags:
            flags[flags.index("--steps") + 1] = "2"
        else:
            flags += ["--steps", "2"]
        process = run(SCRIPT, *flags)
        assert (process.returncode, process.stderr) == (0, ""), words


def test_the_flags_named_in_the_readme_are_the_real_ones_all_of_them():
    named = set(re.findall(r"--[a-z]+", "\n".join(re.findall(r"`[^`\n]*`", README)))) - {"--help"}
    assert named == flags_of_the_parser()


def the_map():
    return re.findall(r"^\| (\d+)\. (.+?) \| (\d+)-(\d+) \| (\d+) \| (.+?) \| (.+?) \|$", README, flags=re.MULTILINE)


def test_the_map_of_the_lecture_is_the_real_one():
    lines = SOURCE.split("\n")[:-1]
    markers = [(i, *re.fullmatch(r"# %% (\d+)\. (.+?) -+", line).groups()) for i, line in enumerate(lines, start=1) if line.startswith("# %%")]
    ends = [at - 1 for at, _, _ in markers[1:]] + [len(lines)]
    assert [(number, title, int(first), int(last)) for number, title, first, last, *_ in the_map()] == [
        (number, title, at, end) for (at, number, title), end in zip(markers, ends)]
    assert all(question.endswith("?") for *_, question in the_map())


def test_the_minutes_of_the_map_add_up_to_what_the_readme_says():
    minutes = [int(row[4]) for row in the_map()]
    words = " ".join(README.split())
    assert f"{sum(minutes[:10])} for sections 1 to 10" in words
    assert f"{sum(minutes[10:])} for the encore" in words


def test_every_question_of_the_map_has_an_answer():
    answers = README[README.index("<summary>Answers</summary>"):README.index("**For the teacher.**")]
    assert re.findall(r"^(\d+)\. ", answers, flags=re.MULTILINE) == [str(number) for number in range(1, 13)]


def test_the_first_lines_and_the_counts_in_the_readme_are_those_of_a_run(capsys):
    lecture = load("--samples", 0, "--steps", 0)
    printed = capsys.readouterr().out.split("\n")
    shown = README[README.index("num docs: "):].split("\n")
    assert printed[:3] == shown[:3]
    assert f"{len(lecture.docs):,} given names" in README
    assert f"ln 27 = {math.log(lecture.vocab):.2f}" in README


@pytest.mark.long
def test_the_losses_and_names_in_the_readme_are_those_of_the_default_run():
    """Repeated with the explicit engine, whose losses are the same to the digits that are printed."""
    printed = run(SCRIPT, "--fast").stdout.split("\n")
    start = README.index("num docs: ")
    shown = README[start:README.index("```", start)].split("\n")
    for line in shown:
        if re.match(r"step|from step|before|sample|in the|embeddings", line):
            assert line in printed


def test_what_the_readme_shows_at_the_prompt_is_what_the_prompt_answers():
    lecture = load("--samples", 0, "--fast")
    console = code.InteractiveConsole(vars(lecture))
    for block in blocks("pycon"):
        typed, expected, output = [], [], io.StringIO()
        for line in block.split("\n"):
            if line.startswith((">>> ", "... ")) or line == "...":
                typed.append(line[4:])
            elif line:
                expected.append(line)
        for repeated in (1, 2):  # a snippet survives being typed a second time
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                for line in typed:
                    console.push(line)
                console.push("")
            assert output.getvalue().split("\n")[:-1] == expected
    with pytest.raises(ValueError):
        lecture.encode("zoë")


def solutions():
    """{number of the exercise: its edits, each a list of lines that begin with a space, - or +}"""
    parts = re.split(r"^(\d+)\. ", SOLUTIONS, flags=re.MULTILINE)
    return {int(number): [block.rstrip("\n").split("\n") for block in blocks("diff", text)]
            for number, text in zip(parts[1::2], parts[2::2])}


def without_comment(line):
    return re.sub(r" {2,}# .*$", "", line)


def edited(edits, path):
    """Write the lecture with these edits to path; each must fit at exactly one place, right-hand comments aside."""
    lines = SOURCE.split("\n")
    for edit in edits:
        old = [line[1:] for line in edit if line[0] in " -"]
        new = [line[1:] for line in edit if line[0] in " +"]
        at, = [i for i in range(len(lines)) if [without_comment(line) for line in lines[i:i + len(old)]] == old]
        lines[at:at + len(old)] = new
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def figure(pattern, text):
    found = re.search(pattern, text)
    assert found, pattern
    return found[1]


def test_the_two_wrong_derivatives_of_exercise_5_end_the_run_with_the_verdict_it_states(tmp_path):
    verdicts = []
    for edit in solutions()[5]:
        process = run(edited([edit], tmp_path / "wrong.py"), "--steps", "0", "--data", str(ROOT / "names.txt"))
        assert process.returncode == 1
        verdicts.append(figure(r"gradients by (\S+)", process.stderr))
    assert verdicts == ["1e-01", "7e-02"]
    assert "`gradients by 1e-01`" in README and "`7e-02`" in README


def test_the_operator_of_exercise_6_has_the_gradient_it_states(tmp_path):
    path = edited(solutions()[6], tmp_path / "tanh.py")
    asked = "v = Value(0.5); v.tanh().backward(); print(round(v.grad, 6), round((math.tanh(0.5 + 1e-6) - math.tanh(0.5 - 1e-6)) / 2e-6, 6))"
    flags = ["--steps", "0", "--samples", "0", "--data", str(ROOT / "names.txt")]
    process = subprocess.run([sys.executable, "-i", str(path), *flags], input=asked + "\n", capture_output=True, text=True,
                             encoding="utf-8", timeout=60)
    assert "0.786448 0.786448" in process.stdout


@pytest.mark.parametrize("number, params", [(7, 4192), (8, 4192), (9, 4192), (10, 3760), (11, 4192), (12, 4192)])
def test_with_the_solution_of_an_exercise_both_engines_still_agree(number, params, tmp_path):
    path = edited(solutions()[number], tmp_path / "solution.py")
    process = run(path, "--steps", "8", "--samples", "0", "--data", str(ROOT / "names.txt"))
    assert (process.returncode, process.stderr) == (0, "")
    assert float(figure(rf"all {params} parameters: (\S+)", process.stdout)) < 1e-12
    assert float(figure(r"largest loss difference over 8 steps: (\S+)", process.stdout)) < 1e-12


@pytest.mark.long
@pytest.mark.parametrize("number, mean", [(7, "2.64"), (8, "2.49"), (9, "2.48"), (10, "2.50"), (11, "2.4755"), (12, "3.2958")])
def test_the_mean_loss_that_an_exercise_states_is_that_of_its_solution(number, mean, tmp_path):
    path = edited(solutions()[number], tmp_path / "solution.py")
    printed = run(path, "--fast", "--samples", "0", "--data", str(ROOT / "names.txt")).stdout
    last = figure(r"from step  901 \| mean loss (\S+)", printed)
    assert f"{float(last):.{len(mean) - 2}f}" == mean
    assert mean in re.search(rf"^{number}\. (.*?)(?=^\d+\. |^<details>)", README[README.index("## Exercises"):], flags=re.M | re.S)[1]


def test_the_bigram_table_of_exercise_13_has_the_mean_loss_it_states():
    lecture, output = load("--steps", 0, "--samples", 0), io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(blocks("python", SOLUTIONS)[0], vars(lecture))
    assert f"It is {float(output.getvalue()):.2f}, " in README


def test_the_formula_of_exercise_3_is_what_a_run_prints():
    assert "num params: 26816\n" in run(SCRIPT, "--width", "32", "--layers", "2", "--steps", "0", "--samples", "0").stdout
    assert 2 * 27 * 32 + 16 * 32 + 2 * 12 * 32 ** 2 == 26816
    assert "26,816" in README


def test_the_number_of_mutants_in_the_readme_is_the_real_one():
    tree = ast.parse((ROOT / "tests" / "mutants.py").read_text(encoding="utf-8"))
    mutants, = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "MUTANTS"]
    places = {(mutant.elts[1].value) for mutant in mutants.elts}
    assert f"{len(mutants.elts)} mutants" in README
    assert len(places) <= len(mutants.elts)

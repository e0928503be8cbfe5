"""The README: its commands run, and its map, its flags and its figures are those of the file."""
import ast
import code
import contextlib
import io
import math
import re
import subprocess
import sys

from conftest import ROOT, SCRIPT, load

README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCE = SCRIPT.read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", README, flags=re.DOTALL)


def flags_of_the_parser():
    shown = subprocess.run([sys.executable, str(SCRIPT), "--help"], capture_output=True, text=True, encoding="utf-8", timeout=60).stdout
    return set(re.findall(r"--[a-z]+", shown)) - {"--help"}


def test_the_readme_has_two_commands_one_that_runs_the_script_and_one_that_runs_the_tests():
    run, tests = [block.strip() for block in blocks("sh")]
    assert run == f"python {SCRIPT.name}"
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
        process = subprocess.run([sys.executable, str(SCRIPT), *flags], capture_output=True, text=True, encoding="utf-8", timeout=60)
        assert (process.returncode, process.stderr) == (0, ""), words


def test_the_flags_named_in_the_readme_are_the_real_ones_all_of_them():
    named = set(re.findall(r"--[a-z]+", "\n".join(re.findall(r"`[^`\n]*`", README)))) - {"--help"}
    assert named == flags_of_the_parser()


def test_the_map_of_the_lecture_is_the_real_one():
    rows = re.findall(r"^\| (\d+)\. (.+?) \| (\d+)-(\d+) \| (.+?) \| (.+?) \|$", README, flags=re.MULTILINE)
    lines = SOURCE.split("\n")[:-1]
    markers = [(i, *re.fullmatch(r"# %% (\d+)\. (.+?) -+", line).groups()) for i, line in enumerate(lines, start=1) if line.startswith("# %%")]
    ends = [at - 1 for at, _, _ in markers[1:]] + [len(lines)]
    assert [(number, title, int(first), int(last)) for number, title, first, last, _, _ in rows] == [
        (number, title, at, end) for (at, number, title), end in zip(markers, ends)]
    assert all(question.endswith("?") for *_, question in rows)


def test_the_counts_and_the_first_losses_in_the_readme_are_those_of_a_run(capsys):
    lecture = load("--samples", 0, "--steps", 0)
    shown = README[README.index("num docs: "):].split("\n")
    assert capsys.readouterr().out.split("\n")[:3] == shown[:3]
    assert shown[3] == f"step    1 / 1000 | loss {lecture.surprise(lecture.encode(lecture.docs[0])).data:.4f}"
    assert f"{len(lecture.docs):,} given names" in README
    assert f"ln 27 = {math.log(lecture.vocab):.2f}" in README


def test_what_the_readme_shows_at_the_prompt_is_what_the_prompt_answers():
    lecture = load("--steps", 50, "--samples", 0, "--fast")
    console = code.InteractiveConsole(vars(lecture))
    for block in blocks("pycon"):
        typed, expected, output = [], [], io.StringIO()
        for line in block.split("\n"):
            if line.startswith((">>> ", "... ")) or line == "...":
                typed.append(line[4:])
            elif line:
                expected.append(line)
        with contextlib.redirect_stdout(output):
            for line in typed:
                console.push(line)
            console.push("")
        assert output.getvalue().split("\n")[:-1] == expected


def test_the_number_of_mutants_in_the_readme_is_the_real_one():
    tree = ast.parse((ROOT / "tests" / "mutants.py").read_text(encoding="utf-8"))
    mutants, = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "MUTANTS"]
    assert f"in {len(mutants.elts)} places" in README

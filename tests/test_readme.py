"""The README: its commands run; its map, flags, words, answers, solutions and figures are the file's."""
import ast
import code
import contextlib
import io
import json
import math
import re
import subprocess
import sys
import unicodedata

import pytest
from conftest import ROOT, SCRIPT, SOURCE, load, model_of, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
WORDS = " ".join(README.split())
PLANETS = "ερμής αφροδίτη γη άρης δίας κρόνος ουρανός ποσειδώνας".split()


def part(title, text=README):
    """What stands below the heading with this title."""
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


def fold(summary):
    return re.search(rf"<summary>{summary}</summary>(.*?)</details>", README, re.S)[1]


def blocks(kind, text=README):
    return re.findall(rf"```{kind}\n(.*?)```", text, re.S)


def numbered(text):
    """{number: the item of a numbered list}"""
    parts = re.split(r"^(\d+)\. ", text, flags=re.M)
    return {int(number): item for number, item in zip(parts[1::2], parts[2::2])}


def figure(pattern, text):
    found = re.findall(pattern, text)
    assert found, pattern
    return found[-1]


def heard(*flags, **options):
    """The module of a run in this process, and its output."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        return load(*flags, **options), output.getvalue()


def said(printed):
    """The names that a run says."""
    return re.findall(r"^sample +\d+: (.*)$", printed, re.M)


def silent(*flags, until=None, source=SOURCE):
    """The module and the output of a run that says no names; until: the section before which it ends."""
    if until:
        source = source.partition(f"# %% {until}. ")[0]
    return heard("--samples", 0, *flags, source=source)


@pytest.fixture(scope="module")
def untrained():
    """The lecture after `python -i microgpt.py --steps 0 --samples 0`."""
    return load("--steps", 0, "--samples", 0)


@pytest.fixture(scope="module")
def trained():
    """The lecture after `python -i microgpt.py --fast`."""
    return load("--fast")


def the_docs(name):
    """A script in docs/, as a module."""
    path = ROOT / "docs" / name
    lines = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    module = {"__name__": "docs", "__file__": str(path)}
    exec(lines, module)
    return module


# ---- The first screen, the commands, the flags ----

def test_the_first_screen_has_command_output_picture_tests_and_contents():
    screen = "\n".join(README.split("\n")[:60])
    script, tests = [block.strip() for block in blocks("sh", screen)]
    assert script == f"python {SCRIPT.name}"
    assert tests == "python -m pip install pytest && python -m pytest"
    assert "1000 losses differ" in screen and "](docs/view.png)" in screen and "\n**Contents:** " in screen
    assert "pytest" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_contents_in_one_line_lead_to_every_heading():
    contents = next(line for line in README.split("\n") if line.startswith("**Contents:**"))
    headings = [title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", README, re.M)]
    assert re.findall(r"\]\(#(.+?)\)", contents) == headings
    assert set(re.findall(r"\]\(#(.+?)\)", README)) == set(headings)


def test_every_file_that_the_readme_links_or_names_is_there():
    named = re.findall(r"\]\(([^#)]+)\)|(?:src|srcset)=\"(.+?)\"|`((?:docs|tests)/[^` ]+)`", README)
    assert len(named) > 4
    for path in filter(None, [path for paths in named for path in paths]):
        assert (ROOT / path).exists(), path


def test_no_figure_of_the_readme_is_still_missing():
    assert re.findall(r"\{\{.*?\}\}", README) == []


def test_every_command_and_every_list_of_flags_in_the_readme_is_accepted():
    shown = re.findall(r"`(?:[/\w]+time -v )?python (?:-i )?microgpt\.py((?: --[a-z]+(?: [\d.]+)?)*)`",
                       README)
    assert len(shown) >= 10
    shown += re.findall(r"`((?:--fast|--[a-z]+ [\d.]+)(?: --[a-z]+(?: [\d.]+)?)*)`", README)
    for words in shown:
        if "--help" not in words:
            silent(*words.split(), until=2)


def test_the_flags_named_in_the_readme_are_the_real_ones_all_of_them():
    real = set(re.findall(r"--[a-z]+", run("--help").stdout)) - {"--help"}
    named = re.findall(r"--[a-z]+", " ".join(re.findall(r"`[^`\n]*`", README)))
    named = set(named) - {"--help"}
    assert named == real
    assert all(f"`{flag}`" in part("What to expect") for flag in real)


@pytest.fixture(scope="module")
def short():
    """The lecture after one step, and what it printed."""
    return silent("--steps", 1)


def test_the_first_lines_of_the_output_and_the_counts_are_those_of_a_run(short):
    lecture, printed = short
    shown = README[README.index("num docs: "):].split("\n")
    assert printed.split("\n")[:3] == shown[:3]
    step, = re.findall(r"^step .*?1 / 1000 \| (loss .*#)$", README, re.M)
    assert step in printed
    assert f"{len(lecture.docs):,} given names" in README
    assert f"log 27 = {math.log(lecture.vocab):.2f}" in README and lecture.vocab == 27
    assert f"that training changes, here {len(lecture.untrained):,}" in README


@pytest.mark.long
def test_every_line_of_the_output_shown_is_one_of_the_default_run():
    printed = [line.rstrip() for line in run(timeout=600).stdout.split("\n")]
    start = README.index("num docs: ")
    shown = README[start:README.index("```", start)].rstrip("\n").split("\n")
    assert [line.split(":")[0] for line in (shown[-1], printed[-2])] == ["milliseconds per name"] * 2
    for line in shown[:-1]:
        if line.startswith(("the engines agree", "1000 losses differ")):   # rounding, which differs between Pythons
            assert re.sub(r"\S+e-\d+", "", line) in [re.sub(r"\S+e-\d+", "", each) for each in printed]
        elif line != "...":
            assert line in printed


def test_the_longest_line_fits_the_columns_named_for_the_projector(short):
    assert max(map(len, SOURCE.split("\n"))) <= 100
    _, printed = short
    assert max(map(len, printed.split("\n"))) <= 80
    assert "Project 100 columns for the code and 80 for the output" in WORDS


# ---- The map, its questions, the hours, the words ----

def the_map():
    row = r"^\| (\d+)\. (.+?) \| (\d+)-(\d+) \| (\d+) \| (.+?) \| (.+?) \|$"
    return re.findall(row, README, re.M)


def sections():
    """[(number, title, its first line, its last line)]"""
    lines = SOURCE.split("\n")[:-1]
    found = [(i, re.fullmatch(r"# %% (\d+)\. (.+?) -+", line)) for i, line in enumerate(lines, start=1)]
    starts = [(i, marker) for i, marker in found if marker]
    ends = [i - 1 for i, _ in starts[1:]] + [len(lines)]
    return [(int(marker[1]), marker[2], at, end) for (at, marker), end in zip(starts, ends)]


def test_the_map_of_the_lecture_is_the_real_one():
    rows = [(int(number), title, int(at), int(end)) for number, title, at, end, *_ in the_map()]
    assert rows == sections()


def test_every_question_of_the_map_is_one_and_has_its_answer():
    assert all(question.endswith("?") for *_, question in the_map())
    assert list(numbered(fold("Answers"))) == [number for number, *_ in sections()]


def test_the_minutes_of_the_map_add_up_to_the_lessons_of_the_plan():
    minutes = [0] + [int(row[4]) for row in the_map()]
    plan = part("For the teacher")
    assert len(plan.strip().split("\n")) <= 10
    spans = [sum(minutes[1:5]), sum(minutes[5:8]), sum(minutes[8:11]), sum(minutes[11:])]
    words = ("sections 1 to 4 ({} minutes), 5 to 7 ({}), 8 to 10 ({}, then exercises 1 and 7), "
             "and the encore ({},")
    assert words.format(*spans) in " ".join(plan.split())
    hour = sum(minutes[number] for number in (2, 4, 5, 6, 10))
    assert f"sections 2, 4, 5, 6 and 10 ({hour} minutes)" in " ".join(plan.split())


def test_the_minutes_of_reading_aloud_are_those_of_its_words_and_its_lines():
    """At 130 words a minute, and six seconds for a line of code."""
    lines, minutes = SOURCE.split("\n"), {}
    for number, _, at, end in sections():
        talk = sum(len(line.partition("# ")[2].split()) for line in lines[at:end])
        coded = sum(bool(line.split("#")[0].strip()) for line in lines[at:end])
        minutes[number] = talk / 130 + coded / 10
    assert abs(sum(minutes[number] for number in range(1, 11)) - 80) < 5
    assert abs(minutes[11] + minutes[12] - 30) < 3
    assert "sections 1 to 10 take about 80 minutes and the encore about 30" in WORDS


def test_the_words_are_twenty_of_one_sentence_in_the_order_of_the_lecture():
    words = re.findall(r"^- \*\*(.+?)\*\*: (.+?)(?=^- |^\n|\Z)", part("Words"), re.M | re.S)
    assert len(words) == 20 and WORDS.count("Twenty words of the field") == 1
    for _, meaning in words:
        assert meaning.rstrip().endswith(".") and len(re.findall(r"[.?!](?=\s|$)", meaning)) == 1
    lines = SOURCE.split("\n")
    talk = {number: " ".join(line.strip(" #") for line in lines[at:end] if re.match(" *# ", line))
            for number, _, at, end in sections()}
    order = [next(number for number in talk if re.search(rf"\b{re.escape(word)}", talk[number], re.I)) for word, _ in words]
    assert order == sorted(order)


# ---- The answers of the map ----

def gradients(lecture):
    """{matrix: rows} of the untrained model for the first name"""
    return lecture.matrices(lecture.autograd(lecture.untrained, lecture.example)[1])


def test_answer_7_absent_letters_later_positions_and_closed_patterns_get_0(untrained):
    grads, tokens = gradients(untrained), untrained.example
    empty = {name: [i for i, row in enumerate(rows) if not any(row)] for name, rows in grads.items()}
    assert empty["token"] == [i for i in range(27) if i not in tokens[:-1]]
    assert empty["position"] == list(range(len(tokens) - 1, 16))
    closed = empty["up", 0]
    assert [j for j in range(64) if not any(row[j] for row in grads["down", 0])] == closed
    zeros = sum(grad == 0 for rows in grads.values() for row in rows for grad in row)
    assert zeros == 16 * (len(empty["token"]) + len(empty["position"]) + 2 * len(closed))


def test_answer_8_the_first_step_is_the_rate_against_the_gradient(untrained):
    _, flat = untrained.autograd(untrained.untrained, untrained.example)
    nothing = [0.0] * len(flat)
    moved, _, _ = untrained.adam(untrained.untrained, flat, nothing, nothing, 0.01, 1)
    for old, new, grad in zip(untrained.untrained, moved, flat):
        if abs(grad) > 1e-5:
            assert new - old == pytest.approx(-math.copysign(0.01, grad), rel=0.002)
        elif grad == 0:
            assert new == old


# ---- At the prompt ----

def answers(lecture, block):
    """What an interactive console prints if the lines of this block are typed, and what the block shows."""
    typed = [line[4:] for line in block.split("\n") if line[:4] in (">>> ", "... ", "...")]
    shown = [line for line in block.split("\n") if line and line[:3] not in (">>>", "...")]
    console, output = code.InteractiveConsole(vars(lecture)), io.StringIO()
    with contextlib.redirect_stdout(output):
        for line in [*typed, ""]:
            console.push(line)
    return output.getvalue().split("\n")[:-1], shown


@pytest.mark.parametrize("number", [0, 2])
def test_what_the_prompt_shows_of_gradients_is_what_it_answers(number, untrained):
    for _ in range(2):  # a snippet survives being typed a second time
        printed, shown = answers(untrained, blocks("pycon")[number])
        assert printed == shown


@pytest.mark.long
def test_what_the_prompt_shows_after_a_training_is_what_it_answers(trained):
    for block in blocks("pycon") * 2:
        printed, shown = answers(trained, block)
        assert printed == shown


# ---- The exercises and their solutions ----

def solutions():
    """{number of the exercise: its edits, each a list of lines that begin with a space, - or +}"""
    return {number: [block.rstrip("\n").split("\n") for block in blocks("diff", text)]
            for number, text in numbered(fold("Solutions")).items()}


def exercise(number):
    return " ".join(numbered(part("Exercises").partition("<details>")[0])[number].split())


def without_comment(line):
    return re.sub(r" {2,}# .*$", "", line)


def edited(edits):
    """The lecture with these edits; each must fit at exactly one place, right-hand comments aside."""
    lines = SOURCE.split("\n")
    for edit in edits:
        old = [line[1:] for line in edit if line[0] in " -"]
        new = [line[1:] for line in edit if line[0] in " +"]
        bare = [without_comment(line) for line in lines]
        at, = [i for i in range(len(lines)) if bare[i:i + len(old)] == old]
        lines[at:at + len(old)] = new
    return "\n".join(lines)


LITTLE = ["--steps", 2, "--width", 8, "--block", 6]  # for what does not depend on the size


def solved(number):
    edits = solutions()[number]
    return edited(solutions()[5][1:] + edits if number == 14 else edits)


@pytest.mark.parametrize("place", [0, 1])
def test_a_wrong_derivative_of_exercise_5_ends_the_run_and_section_7_sees_the_first(place, capsys):
    with pytest.raises(SystemExit) as verdict:
        load("--steps", 0, "--samples", 0, source=edited([solutions()[5][place]]))
    assert verdict.value.code == "the two engines disagree" and verdict.value.code in README
    words = figure(r"one parameter: (.+)", capsys.readouterr().out)
    assert (words in exercise(5)) == (place == 0)


def test_the_new_operator_of_exercise_6_has_the_gradient_it_states():
    lecture, _ = silent("--steps", 0, source=solved(6))
    typed = figure(r"`(v = Value.+?)`", " ".join(fold("Solutions").split()))
    printed, _ = answers(lecture, ">>> " + typed)
    slope = eval(figure(r"with `(.+?)`", exercise(6)), vars(lecture))
    assert f"{float(printed[0]):.6f}" == f"{slope:.6f}" == figure(r"Both are (\S+),", exercise(6))


@pytest.mark.parametrize("number", [7, 8, 9, 10, 11, 12, 14])
def test_with_the_solution_of_an_exercise_the_engines_agree_as_it_says(number):
    _, printed = silent(*LITTLE, source=solved(number))
    assert (float(figure(r"gradients differ by at most (\S+) of", printed)) < 1e-12) == (number != 14)
    assert (float(figure(r"2 losses differ by at most (\S+)", printed)) < 1e-12) == (number != 14)
    if number == 12:
        losses = re.findall(r"^step .*loss (\S+)", printed, re.M)
        assert set(losses) == {figure(r"The loss is (\S+)", exercise(12))}


def test_the_tied_head_of_exercise_10_has_as_many_parameters_as_it_states():
    lecture, _ = silent(source=solved(10), until=5)
    assert f"has {len(lecture.untrained)} parameters" in exercise(10)


def last_perplexity(printed):
    return figure(r"perplexity +(\S+)", printed)


@pytest.mark.long
@pytest.mark.parametrize("number", [8, 9, 10, 14])
def test_the_perplexity_that_an_exercise_states_is_that_of_its_solution(number):
    _, printed = silent("--fast", source=solved(number))
    assert f"erplexity is {last_perplexity(printed)}" in exercise(number).replace("falls to", "is")


@pytest.mark.long
def test_plain_gradient_descent_in_exercise_7_has_the_perplexities_it_states(capsys):
    stated = re.findall(r"(?:perplexity|it) is ([\d.]+)[ ,]", exercise(7))
    runs = [silent("--fast", *rate, source=solved(7)) for rate in ([], ["--rate", 0.1])]
    assert stated == [last_perplexity(printed) for _, printed in runs]
    with pytest.raises(SystemExit):
        silent("--fast", "--rate", 1, source=solved(7))
    assert "--rate 1.0 may be too high" in capsys.readouterr().err


@pytest.mark.long
def test_gradient_descent_with_a_rate_of_1_ends_in_the_step_that_is_stated(tmp_path):
    (tmp_path / "solved.py").write_text(solved(7), encoding="utf-8")
    process = run("--fast", "--rate", 1, "--data", ROOT / "names.txt", script=tmp_path / "solved.py")
    steps = re.findall(r"^step +(\d+) ", process.stdout, re.M)
    assert int(steps[-1]) + 1 == int(figure(r"in step (\d+),", exercise(7)))
    assert process.returncode == 2


@pytest.mark.long
def test_exercise_11_attention_lowers_the_loss_as_little_as_it_states(trained):
    without, _ = silent("--fast", source=solved(11))
    means = [f"{sum(lecture.losses[-100:]) / 100:.4f}" for lecture in (without, trained)]
    assert "{} without attention and {} with it".format(*means) in exercise(11)


def test_exercise_2_an_untrained_model_says_as_many_long_names_as_stated():
    _, printed = heard("--steps", 0, "--samples", 5)
    assert f"{sum(len(name) == 16 for name in said(printed))} of the 5 names" in exercise(2)


def test_exercise_3_its_formula_gives_what_a_run_prints():
    _, printed = silent("--width", 32, "--layers", 2, until=5)
    assert "num params: 26816\n" in printed and "26816" in exercise(3)
    assert 2 * 27 * 32 + 16 * 32 + 2 * 12 * 32 ** 2 == 26816


def test_exercise_4_its_shares_its_floor_and_its_perplexity_follow_from_the_lengths():
    shares = [1 / (len(name) + 1) for name in PLANETS]
    best = [share / sum(shares) for share in shares]
    squares = [p * p / sum(p * p for p in best) for p in best]
    floor = sum(share * math.log(1 / p) for share, p in zip(shares, best)) / 8
    text = " ".join(numbered(fold("Solutions"))[4].split())
    at = PLANETS.index("γη")
    assert f"{best[at]:.0%}".replace("%", " %") + " to γη" in text
    assert f"{squares[at]:.0%}".replace("%", " %") + f", or {20 * squares[at]:.0f} of 20" in text
    assert f"which is {floor:.3f}, and exp of it is the perplexity {math.exp(floor):.2f}" in text


@pytest.mark.long
def test_exercise_4_the_model_says_planets_only_and_one_of_them_as_often_as_stated(tmp_path):
    listed = figure(r"into a file: (.+?), one per line", exercise(4)).split(", ")
    assert listed == PLANETS
    (tmp_path / "planets.txt").write_text("\n".join(listed), encoding="utf-8")
    printed = run("--data", tmp_path / "planets.txt", "--fast").stdout
    names = said(printed)
    assert set(names) <= set(PLANETS)
    assert f"γη {names.count('γη')} times out of {len(names)}" in exercise(4)
    assert f"perplexity is {last_perplexity(printed)}" in exercise(4)


def test_exercise_13_the_bigram_table_has_the_mean_loss_it_states(untrained):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(blocks("python", fold("Solutions"))[0], vars(untrained))
    assert f"It is {float(output.getvalue()):.2f}, " in exercise(13)


@pytest.mark.long
def test_exercise_13_the_model_is_ahead_of_the_table_from_the_step_it_states(trained):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(blocks("python", fold("Solutions"))[0], vars(trained))
    rows = [line.split() for line in output.getvalue().split("\n")[1:-1]]
    ahead = [int(step) for step, table, model in rows if float(model) < float(table)]
    assert ahead == list(range(int(figure(r"ahead after (\d+) steps", exercise(13))), 1000, 100))


@pytest.mark.long
def test_exercise_14_a_model_that_looked_ahead_says_empty_names():
    _, printed = heard("--fast", "--samples", 5, source=solved(14))
    assert said(printed) == [""] * 5


# ---- What each part buys ----

PARTS = the_docs("parts.py")
FIGURES = json.loads((ROOT / "docs" / "parts.json").read_text(encoding="utf-8"))


def test_the_tables_of_what_each_part_buys_are_those_of_docs_parts_json():
    first, second, third = PARTS["table"](FIGURES).split("\n\n")
    assert first in part("What each part buys")
    assert second in fold("Every tenth") and third in fold("Every tenth")


@pytest.mark.parametrize("variant", PARTS["VARIANTS"])
def test_without_a_part_both_engines_are_still_one_model(variant):
    edits, flags = PARTS["VARIANTS"][variant]
    _, printed = silent(*LITTLE, *flags, source=PARTS["edited"](edits))
    assert float(figure(r"2 losses differ by at most (\S+)", printed)) < 1e-12


def test_the_losses_of_nothing_and_of_counts_are_those_of_docs_parts_json(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["parts.py"])
    counts = PARTS["counted"](42)
    for steps, figures in FIGURES.items():
        for variant in counts:
            assert PARTS["tenths"](counts[variant][:int(steps)]) == figures[variant]["tenths"]


def test_the_losses_that_section_10_names_are_those_of_docs_parts_json():
    named = re.findall(r"^#   (\d\.\d+) +(.+)$", SOURCE, re.M)
    variants = {"a bigram table": "bigram counts", "a model without attention and": "no attention, no position",
                "a model without attention": "no attention", "a model without positions": "no position",
                "our model": "the whole"}
    assert len(named) == len(variants)
    for (loss, words), (start, variant) in zip(named, variants.items()):
        assert words.startswith(start) and float(loss) == FIGURES["1000"][variant]["tenths"][-1]
    spoken = " ".join(SOURCE.replace("\n#", "").split())
    pattern = r"With 5,000 steps, the mean loss of the last 500 names is (\S+) with attention and (\S+) without\."
    with_it, without = re.search(pattern, spoken).groups()
    assert [float(with_it), float(without)] == [FIGURES["5000"][v]["tenths"][-1] for v in ("the whole", "no attention")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_of_the_parts_holds_no_date_and_all_labels(theme):
    picture = (ROOT / "docs" / f"parts-{theme}.svg").read_text(encoding="utf-8")
    assert "dc:date" not in picture and f"docs/parts-{theme}.svg" in README
    for figures in FIGURES.values():
        for variant, figure in figures.items():
            assert f"<!-- {figure['tenths'][-1]:.3f}  {variant.replace('plain ', '')} -->" in picture


@pytest.mark.long
@pytest.mark.parametrize("variant", PARTS["VARIANTS"])
def test_the_thousand_steps_of_a_variant_are_those_of_docs_parts_json(variant):
    losses = PARTS["trained"](variant, 1000, 42)
    assert PARTS["tenths"](losses) == FIGURES["1000"][variant]["tenths"]


# ---- They will ask ----

def questions():
    """{question: answer}, as plain words."""
    folds = re.findall(r"<summary>(.*?)</summary>(.*?)</details>", part("They will ask"), re.S)
    return {re.sub(r"</?code>", "`", question): " ".join(answer.split()) for question, answer in folds}


def answer(start):
    found, = [answer for question, answer in questions().items() if start in question]
    return found


def test_they_will_ask_at_least_fifteen_questions_with_short_answers():
    assert len(questions()) >= 15
    for question, answer in questions().items():
        assert question.endswith("?") and 2 <= len(re.findall(r"[.?](?= |$)", answer)) <= 7, question


def test_a_recursion_that_goes_on_at_once_gives_6_where_backward_gives_4(untrained):

    def at_once(node):
        for child, local_grad in node.edges:
            child.grad += local_grad * node.grad
            at_once(child)

    grads = []
    for way in (lambda result: at_once(result), lambda result: result.backward()):
        a = untrained.Value(1.0)
        h = a + a
        result = h + h
        result.grad = 1.0
        way(result)
        grads.append(a.grad)
    assert grads == [6.0, 4.0]
    assert "6 instead of 4" in answer("call itself")


def test_a_second_backward_doubles_the_gradients_of_the_leaves(untrained):
    params = [untrained.Value(number) for number in untrained.untrained]
    loss = untrained.loss_of(untrained.matrices(params), untrained.example)
    loss.backward()
    once = [param.grad for param in params]
    loss.backward()
    assert [param.grad for param in params] == pytest.approx([2 * grad for grad in once])


def test_gradients_come_back_through_the_cache_to_earlier_tokens(untrained):
    cache, model = [([], []) for _ in range(untrained.layers)], model_of(untrained)
    for t, token in enumerate(untrained.example[:3]):
        logits = untrained.gpt(model, token, t, cache)
    sum(logit * logit for logit in logits).backward()
    assert all(any(number.grad for number in row) for kept in cache[0] for row in kept[:2])


def test_the_second_norm_at_the_start_changes_almost_nothing(untrained):
    model = model_of(untrained)
    x = untrained.add(model["token"][0], model["position"][0])
    once = untrained.rmsnorm(x)
    for a, b, c in zip(x, once, untrained.rmsnorm(once)):
        assert abs(c.data / b.data - 1) < 0.001 < abs(b.data / a.data - 1)


def test_the_first_losses_of_other_seeds_and_of_a_wide_model_are_as_stated():
    runs = [silent(*flags, until=7) for flags in
            [("--seed", 42), ("--seed", 1), ("--seed", 2), ("--seed", 3), ("--width", 64)]]
    losses = [float(figure(r"untrained model for .*: (\S+)", printed)) for _, printed in runs]
    default, one, two, three, wide = [f"{loss:.2f}" for loss in losses]
    assert f"is {default} with the default seed, and {one}, {two} and {three} with" in answer("first loss")
    assert f"the first loss is {wide}:" in answer("wide model")


def test_the_letters_and_the_name_that_section_10_tells_of_are_those_of_the_data(untrained):
    spoken = " ".join(SOURCE.replace("\n#", "").split())
    said = re.search(r"Before training, as --steps 0 would show, the closest to a were (.), (.), (.) and (.)\.", spoken).groups()
    rows = dict(zip(untrained.letters, untrained.matrices(untrained.untrained)["token"]))
    squares = {letter: sum((a - b) ** 2 for a, b in zip(row, rows["a"])) for letter, row in rows.items()}
    assert said == tuple(sorted(squares, key=squares.get)[1:5])
    assert "One of them, elina, appears elsewhere in our file" in spoken
    assert "elina" in untrained.docs[1000:]


@pytest.mark.long
def test_the_perplexities_and_the_vowels_of_other_seeds_are_as_stated():
    ends, vowels = [], {}
    for seed in 42, 1, 2, 3:
        _, printed = silent("--fast", "--seed", seed)
        ends.append(last_perplexity(printed))
        found = re.findall(r"^closest to (.): (.*)$", printed, re.M)
        vowels[seed] = {letter: set(others.split()) for letter, others in found}
    assert "is {} at the end, and {}, {} and {} with".format(*ends) in answer("loss normal")
    for seed in 42, 1, 3:
        assert vowels[seed] == {letter: set("aeiou") - {letter} for letter in "aie"}
    assert all("f" in others for others in vowels[2].values())


@pytest.mark.long
def test_a_smaller_rate_helps_a_wide_model_as_stated():
    wide = ["--fast", "--width", 64, "--steps", 60]
    ends = [last_perplexity(silent(*wide, *rate)[1]) for rate in ([], ["--rate", 0.002])]
    words = "ends at a perplexity of {}, and the same with `--rate 0.002` at {}."
    assert words.format(*ends) in answer("wide")


def test_a_temperature_of_0_is_refused(capsys):
    with pytest.raises(SystemExit):
        load("--temperature", 0)
    assert "0.01" in capsys.readouterr().err


@pytest.mark.long
def test_what_is_said_at_other_temperatures_is_as_stated():
    runs = [heard("--fast", "--temperature", temperature) for temperature in (0.01, 0.1, 2)]
    cold, cool, hot = [said(printed) for _, printed in runs]
    assert f"says `anan` {cold.count('anan')} times" in answer("temperature be 0")
    assert f"says `anan` {cool.count('anan')} times out of {len(cool)}" in exercise(1)
    assert figure(r"At 2 it says things like `(.+?)`", exercise(1)) in hot
    assert f"{sum(len(name) == 16 for name in hot)} of {len(hot)} names are cut" in answer("empty")


@pytest.mark.long
def test_the_copies_among_a_thousand_names_are_as_many_as_stated(trained):
    typed = re.findall(r"`(.+?)`", answer("copy"))
    printed, _ = answers(trained, "\n".join(">>> " + line for line in typed))
    seen, unseen = ast.literal_eval(printed[-1])
    assert f"{seen} different ones were, and {unseen} others are in the file" in answer("copy")
    assert 1.5 < (seen / 1000) / (unseen / (len(trained.docs) - 1000)) < 2.5


def test_an_e_with_two_dots_has_no_token_and_two_forms_in_unicode(tmp_path, untrained):
    with pytest.raises(ValueError):
        untrained.encode("zoë")
    forms = [unicodedata.normalize(form, "zoë") for form in ("NFC", "NFD")]
    (tmp_path / "zoe.txt").write_text("\n".join(forms), encoding="utf-8")
    both, _ = silent("--data", tmp_path / "zoe.txt", until=3)
    assert sorted(len(both.encode(form)) for form in forms) == [5, 6]


def test_a_loss_keeps_as_many_values_alive_as_stated(untrained):
    typed = figure(r"`(model = .+?)`", answer("memory"))
    printed, _ = answers(untrained, ">>> " + typed)
    assert f"these are {printed[-1]} Values" in answer("memory")


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems are asked otherwise")
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy keeps numbers in less memory")
def test_a_hundred_losses_take_more_than_half_a_gigabyte():
    program = ("import resource, sys\nsys.argv = ['microgpt.py', '--steps', '0', '--samples', '0']\n"
               f"exec(open({str(SCRIPT)!r}, encoding='utf-8').read())\n"
               "model = matrices([Value(number) for number in untrained])\n"
               "kept = [loss_of(model, encode(name)) for name in docs[:100]]\n"
               "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n")
    command = [sys.executable, "-c", program]
    process = subprocess.run(command, cwd=str(ROOT), stdout=subprocess.PIPE, check=True)
    assert int(process.stdout.split()[-1]) > 500_000
    assert "A hundred such losses take more than half a gigabyte" in answer("memory")


# ---- The rest ----

@pytest.mark.long
def test_the_rounding_of_long_trainings_is_as_small_and_as_large_as_stated():
    runs = [run("--samples", 0, "--steps", 2000, *flags, timeout=1200) for flags in
            ([], ["--width", 1, "--heads", 1])]
    gaps = [float(figure(r"losses differ by at most (\S+)", process.stdout)) for process in runs]
    assert gaps[0] < 1e-9 and 0.5 < gaps[1] < 2


@pytest.mark.long
def test_patience_buys_as_little_as_exercise_2_states():
    ends, means = [], []
    for flags in [], ["--width", 32], ["--width", 32, "--rate", 0.005]:
        lecture, printed = silent("--fast", "--steps", 8000, *flags)
        ends.append(last_perplexity(printed))
        means.append(f"{sum(lecture.losses[-800:]) / 800:.3f}")
    assert f"11.8, and {ends[0]}." in exercise(2) and f"it is {ends[1]}:" in exercise(2)
    text = " ".join(numbered(fold("Solutions"))[2].split())
    words = "{} for width 16, {} for width 32. With half the rate, `--rate 0.005`, width 32 comes to {}."
    assert words.format(*means) in text


def test_the_number_of_mutants_in_the_readme_is_the_real_one():
    tree = ast.parse((ROOT / "tests" / "mutants.py").read_text(encoding="utf-8"))
    mutants, = [node.value for node in tree.body
                if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "MUTANTS"]
    count = sum(len(group.elts[1].elts) for group in mutants.elts)
    assert f"against {count} mutants" in WORDS

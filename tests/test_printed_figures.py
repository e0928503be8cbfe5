"""Every word and figure that a run prints, by the outside judge, by arithmetic, by a clock of our own."""
import contextlib
import io
import math
import random
import re
import time

import pytest
import reference
from conftest import FIGURES, FORGED, SMALL, SOURCE, load, watch

STEPS = 3
SLOPE, ROUNDING = r"-?\b\d\.\d{9}\b", r"(?<=(?: to|ost) )\de[+-]\d\d\b"
CLOCK = [100, 100.010, 200, 200.020, 300, 300.060, 400, 400.002, 500, 500.003, 600, 600.007]
TINY = "bc\nb\naab\nabba\nb\nca\n"  # it makes up b, aab and bc, and has been trained on b and aab


def judged(names, width, heads, block, layers, steps):
    """The blocks of lines of a run of these names, and the slope that it measures, by the outside judge."""
    shape = layers, heads, block
    random.seed(42)
    random.shuffle(names)
    letters = sorted(set("".join(names)))
    boundary = len(letters)
    documents = [[boundary, *map(letters.index, name), boundary] for name in names]

    def matrix(rows, columns):
        return [[random.gauss(0, 0.08) for _ in range(columns)] for _ in range(rows)]

    sizes = {"token": (boundary + 1, width), "position": (block, width), "lm_head": (boundary + 1, width)}
    for layer in range(layers):
        sizes.update({(role, layer): (width, width) for role in ("query", "key", "value", "output")})
        sizes.update({("up", layer): (4 * width, width), ("down", layer): (width, 4 * width)})
    weights = {name: matrix(*size) for name, size in sizes.items()}
    count = sum(len(row) for rows in weights.values() for row in rows)
    slope = reference.central_differences(weights, documents[0], *shape)[boundary * width]
    tokens = " ".join(map(str, documents[0]))
    head = [
        f"num docs: {len(names)}",
        f"vocab size: {boundary + 1}",
        f"tokens: {names[0]} -> {tokens}",
        "gradients of a * b + a at a = 2, b = 3: 4.0 for a, 2.0 for b",
        f"num params: {count}",
        f"loss of a model that knows nothing: {math.log(boundary + 1):.4f}",
        f"loss of the untrained model for {names[0]}: {reference.loss(weights, documents[0], *shape):.4f}",
        "gradient of one parameter: SLOPE by backward(), SLOPE measured",
    ]

    def spoken(numbers):
        return "".join(letters[token] for token in reference.speak(numbers, boundary, 0.5, random, *shape))

    untrained = {name: [list(row) for row in rows] for name, rows in weights.items()}
    losses = reference.train(weights, documents, steps, *shape)
    training = []
    for i, loss in enumerate(losses, start=1):
        size = math.exp(math.fsum(losses[:i]) / i)
        shown = f"{size:.1f}" if size >= 10 else f"{size:.2f}"
        bar = ("#" * min(30, round(size))).ljust(30)
        training.append(f"step    {i} /    {steps} | loss {loss:.4f} | perplexity {shown} {bar}")
    made_up = [spoken(weights) for _ in range(12)]
    speech = [f"sample {i:2d}: {name}" for i, name in enumerate(made_up, start=1)]
    known = [f"  {name}" for name in sorted(set(names[:steps])) if name in made_up]
    speech += ["seen in training:", *(known or ["  none"])]
    speech.append(" ".join(["before training:", *(spoken(untrained) for _ in range(3))]))
    frequent = sorted(letters, key=lambda letter: -sum(name.count(letter) for name in names))
    places = dict(zip(letters, weights["token"]))
    for letter in frequent[:3]:
        others = [other for other in letters if other != letter]
        others.sort(key=lambda other: sum((a - b) ** 2 for a, b in zip(places[letter], places[other])))
        speech.append(" ".join([f"closest to {letter}:", *others[:4]]))
    agreement = ["the engines agree: gradients differ by at most ROUNDING of the largest one",
                 "training with the explicit engine:"]
    end = [f"{steps} losses differ by at most ROUNDING",
           "milliseconds per name: autograd 30.00, explicit 4.00, 7.5 times as fast"]
    return {"slope": slope, "head": head, "training": training, "speech": speech,
            "agreement": agreement, "end": end}


@pytest.mark.parametrize("data, width, heads, block, layers", [
    ("names.txt", 4, 2, 5, 1), ("tiny.txt", 4, 4, 3, 2)], ids=["250 names", "6 names, 2 layers"])
@pytest.mark.parametrize("flags, steps, order", [
    ([], STEPS, ["head", "training", "speech", "agreement", "training", "end"]),
    (["--fast"], STEPS, ["head", "agreement", "training", "speech"]),
    ([], 0, ["head", "speech", "agreement"]),
], ids=["default", "fast", "no steps"])
def test_a_whole_run_prints_what_the_judge_works_out(
        data, width, heads, block, layers, flags, steps, order, monkeypatch, tmp_path):
    """Line by line. Rounding is the engines' own, but small, and both slopes are close to the judge's."""
    (tmp_path / "tiny.txt").write_text(TINY)
    data = (FIGURES if data == "names.txt" else tmp_path) / data
    blocks = judged(data.read_text().split(), width, heads, block, layers, steps)
    monkeypatch.setattr(time, "perf_counter", iter(CLOCK).__next__)
    shape = ["--width", width, "--heads", heads, "--block", block, "--layers", layers]
    _, screen = watch(*shape, "--data", data, "--steps", steps, "--samples", 12, *flags)
    text = screen.getvalue()
    assert all(float(figure) < 1e-12 for figure in re.findall(ROUNDING, text))
    slopes = [float(figure) for figure in re.findall(SLOPE, text)]
    assert slopes == pytest.approx([blocks["slope"]] * 2, abs=2e-9)
    lines = re.sub(SLOPE, "SLOPE", re.sub(ROUNDING, "ROUNDING", text)).split("\n")
    assert lines == [line for block in order for line in blocks[block]] + [""]
    steps_seen = [seen for seen in screen.seen if seen.split("\n")[-2].startswith("step ")]
    assert len(set(steps_seen)) == steps * order.count("training")  # each can be read at once


@pytest.fixture(scope="module")
def lecture():
    return load(*SMALL, "--steps", 0, "--samples", 0)


def progress(lecture, losses):
    """The lines that a training prints whose engine finds these losses."""
    supply = iter(losses)
    with contextlib.redirect_stdout(io.StringIO()) as screen:
        lecture.train(lambda numbers, tokens: (next(supply), [0.0] * len(numbers)), len(losses))
    return screen.getvalue().splitlines()


@pytest.mark.parametrize("size, shown, marks", [
    (1, "1.00", 1), (2.4, "2.40", 2), (9.876, "9.88", 10), (29.4, "29.4", 29), (30.6, "30.6", 30),
    (99.94, "99.9", 30), (123.4, "123.", 30), (1234, "1.23e+03", 30)])
def test_perplexity_has_three_digits_and_a_bar_of_at_most_30_marks(size, shown, marks, lecture):
    line, = progress(lecture, [math.log(size)])
    assert line.split("perplexity ")[1] == f"{shown} {'#' * marks:30}"


def test_perplexity_is_that_of_the_last_hundred_losses(lecture):
    """30 of log 90 go before 101 of log 5. The root of 90 * 5 is 21.2, and 90 ^ 0.3 * 5 ^ 0.7 is 11.9."""
    lines = progress(lecture, 30 * [math.log(90)] + 101 * [math.log(5)])
    told = {at: lines[at - 1].split("perplexity ")[1].split()[0] for at in (30, 60, 100, 101, 129, 130, 131)}
    assert told == {30: "90.0", 60: "21.2", 100: "11.9", 101: "11.6", 129: "5.15", 130: "5.00", 131: "5.00"}


def test_the_time_of_a_step_is_that_of_the_engine_and_adam_alone(lecture, monkeypatch):
    now = [0.0]

    def taking(seconds, result):
        return lambda *_, **__: now.append(now[-1] + seconds) or result

    monkeypatch.setattr(time, "perf_counter", lambda: now[-1])
    monkeypatch.setattr(lecture, "encode", taking(1000, [0, 0]))
    monkeypatch.setattr(lecture, "adam", taking(0.25, ([], [], [])))
    monkeypatch.setattr(lecture, "print", taking(100, None), raising=False)
    assert lecture.train(taking(0.5, (1.0, [])), 4) == ([], [1.0] * 4, 0.75)


def test_the_gradient_that_is_measured_does_not_come_from_backward():
    """Where the gradients are 1 too much, only one of the two says so. The run may end there."""
    wrong = SOURCE.replace("[param.grad for", "[param.grad + 1 for")
    with contextlib.redirect_stdout(io.StringIO()) as screen, contextlib.suppress(SystemExit):
        load(*SMALL, "--steps", 0, "--samples", 0, source=wrong)
    by_backward, measured = map(float, re.findall(SLOPE, screen.getvalue()))
    assert measured == pytest.approx(by_backward - 1, abs=2e-9)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("step", [1, 2, 6])
def test_the_losses_differ_by_the_largest_difference_of_any_step(sign, step):
    def forge(call, loss, gradients):
        return loss if call <= 2 else loss + sign * (3e-5 if call - 2 == step else -1e-5)
    _, screen = watch(*SMALL, "--steps", 6, "--samples", 0, source=FORGED, forge=forge)
    assert "\n6 losses differ by at most 3e-05\n" in screen.getvalue()

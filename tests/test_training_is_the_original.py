"""Training: the original's figures, an outside training, and Adam and its rates worked out by hand."""
import gc
import itertools
import random
import sys
import time
import types

import pytest
import reference
from conftest import ROOT, SMALL, CtrlC, before, load, matrices, original, repeated, watch


@pytest.fixture
def three(tmp_path):
    """The path of a file of three names, and their tokens in the order in which seed 42 shuffles them."""
    path, names = tmp_path / "three.txt", ["ada", "bo", "eve"]
    path.write_text("\n".join(names))
    random.Random(42).shuffle(names)
    return path, [[6, *("abdeov".index(letter) for letter in name), 6] for name in names]


@pytest.mark.parametrize("shape", [["--layers", 2, "--block", 3], ["--block", 8]], ids=["cut", "whole"])
@pytest.mark.parametrize("engine", [[], ["--fast"]], ids=["autograd", "explicit"])
def test_either_engine_learns_what_a_training_on_measured_slopes_learns(three, engine, shape):
    """Three names in five steps: they come in turn, and the first two come again."""
    path, documents = three
    lecture = load("--steps", 5, "--samples", 0, "--data", path, "--width", 2, "--heads", 1, *shape, *engine)
    weights = matrices(lecture, lecture.untrained)
    losses = reference.train(weights, documents, 5, lecture.layers, lecture.heads, lecture.block)
    assert lecture.losses == pytest.approx(losses, rel=0, abs=1e-5)
    numbers = [number for matrix in weights.values() for row in matrix for number in row]
    assert lecture.trained == pytest.approx(numbers, rel=0, abs=1e-4)
    assert lecture.trained != pytest.approx(lecture.untrained, rel=0, abs=1e-2)


@pytest.mark.parametrize("flags, rates", [
    (["--steps", 4], [0.01, 0.0075, 0.005, 0.0025]),
    (["--steps", 3], [0.06 / 6, 0.05 / 6, 0.04 / 6, 0.03 / 6, 0.02 / 6, 0.01 / 6]),
    (["--steps", 8], [0.01, 0.00875]),
    (["--steps", 0], [0.01, 0.005]),
    (["--steps", 2, "--rate", 0.5], [0.5, 0.25]),
    (["--steps", 2, "--rate", 0], [0.0, 0.0]),
], ids=["all steps", "more steps", "fewer steps", "no steps before", "a high rate", "a rate of 0"])
def test_each_loss_is_found_before_its_step_and_rates_fall_to_0_over_all_steps(flags, rates):
    """A gradient of 1 in every step has moments of 1, so in each step every number falls by just the rate."""
    lecture = load(*flags, "--samples", 0, "--fast", *SMALL)
    seen = []

    def engine(numbers, tokens):
        seen.append(numbers)
        return float(len(seen)), [1.0] * len(numbers)

    for _ in range(2):  # the second training does not know of the first
        seen.clear()
        numbers, losses, _ = lecture.train(engine, len(rates))
        assert losses == list(range(1, len(rates) + 1))
        for step, found in enumerate(seen + [numbers]):
            fallen = [x - sum(rates[:step]) for x in lecture.untrained]
            assert found == pytest.approx(fallen, rel=0, abs=3e-8)


# Adam by hand, for a number that starts at 1, in three steps with the gradients 0.5, -0.25 and 1 and the
# rates 0.01, 0.02 and 0.05. With the shares 0.85 and 0.99 the moments and, after "/", what has been seen are:
#   step 1: 0.15 * 0.5 = 0.075                / 0.15;      0.01 * 0.25 = 0.0025                / 0.01
#   step 2: 0.85 * 0.075 - 0.0375 = 0.02625   / 0.2775;    0.99 * 0.0025 + 0.000625 = 0.0031   / 0.0199
#   step 3: 0.85 * 0.02625 + 0.15 = 0.1723125 / 0.385875;  0.99 * 0.0031 + 0.01 = 0.013069     / 0.029701
ADAM = [
    (0.5, 0.01, 0.075, 0.0025, 0.01 * 1),
    (-0.25, 0.02, 0.02625, 0.0031, 0.02 * (0.02625 / 0.2775) / (0.0031 / 0.0199) ** 0.5),
    (1.0, 0.05, 0.1723125, 0.013069, 0.05 * (0.1723125 / 0.385875) / (0.013069 / 0.029701) ** 0.5),
]


def test_adam_moves_each_number_as_worked_out_by_hand(default):
    numbers, first, second = [1.0, 0.7, 1.0], [0.0] * 3, [0.0] * 3
    expected = 1.0
    for n, (gradient, rate, mean, square, move) in enumerate(ADAM, start=1):
        gradients = [gradient, 0.0, -gradient]
        numbers, first, second = default.adam(numbers, gradients, first, second, rate, n)
        expected -= move
        assert numbers == pytest.approx([expected, 0.7, 2 - expected], rel=0, abs=1e-8)
        assert first == pytest.approx([mean, 0.0, -mean], rel=1e-12)
        assert second == pytest.approx([square, 0.0, square], rel=1e-12)


def test_a_gradient_of_1e_8_moves_a_number_by_half_the_rate(default):
    """The size of the gradient is 1e-8, and so is the number that is added to it, outside the root."""
    numbers, _, _ = default.adam([0.0], [1e-8], [0.0], [0.0], 0.01, 1)
    assert numbers == pytest.approx([-0.005], rel=1e-6)


@pytest.mark.parametrize("flags, shape, count", [
    ([], (1, 16, 16), 4192),
    (["--layers", 3, "--width", 8, "--heads", 2, "--block", 6], (3, 8, 6), 2784),
    (["--width", 1, "--heads", 1, "--block", 1], (1, 1, 1), 67),
], ids=["default", "deep", "least"])
def test_the_numbers_begin_as_draws_of_gauss_matrix_by_matrix(flags, shape, count):
    lecture = load("--steps", 0, "--samples", 0, *flags)
    layers, width, block = shape
    expected = [("token", 27, width), ("position", block, width), ("lm_head", 27, width)]
    for layer in range(layers):
        expected += [((role, layer), width, width) for role in ("query", "key", "value", "output")]
        expected += [(("up", layer), 4 * width, width), (("down", layer), width, 4 * width)]
    cut = lecture.matrices(lecture.untrained)
    assert [(name, len(rows), len(rows[0])) for name, rows in cut.items()] == expected
    chance = random.Random(42)
    chance.shuffle((ROOT / "names.txt").read_text().split())
    assert lecture.untrained == [chance.gauss(0, 0.08) for _ in range(count)]
    assert [number for row in itertools.chain(*cut.values()) for number in row] == lecture.untrained


@pytest.mark.parametrize("name, rests", [("cpython", True), ("pypy", False)])
def test_the_garbage_collector_rests_only_where_references_are_counted(monkeypatch, name, rests):
    monkeypatch.setattr(sys, "implementation", types.SimpleNamespace(name=name))
    source = before(9, """
whole, collects = autograd, []
def autograd(numbers, tokens):
    collects.append(gc.isenabled())
    return whole(numbers, tokens)
""")
    lecture = load("--steps", 2, "--samples", 0, *SMALL, source=source)
    assert lecture.collects == [not rests] * 4  # two steps, and two names of the comparison
    assert gc.isenabled()


@pytest.mark.parametrize("name, flags", [
    pytest.param("default", [], marks=pytest.mark.slow),
    ("default", ["--fast"]), ("deep", []), ("deep", ["--fast"]),
], ids=["default by autograd", "default by explicit", "deep by autograd", "deep by explicit"])
def test_the_losses_and_the_names_are_those_of_the_original(name, flags):
    figures, _ = original(name)
    lecture, screen = repeated(name, *flags)
    assert len(lecture.untrained) == figures["parameters"]
    assert lecture.losses == pytest.approx(figures["losses"], rel=0, abs=1e-9)
    if not flags:
        assert lecture.explicit_losses == pytest.approx(figures["losses"], rel=0, abs=1e-9)
    spoken = [line.split(": ", 1)[1] for line in screen.getvalue().splitlines() if line.startswith("sample ")]
    assert spoken == figures["names"]


def test_an_interrupted_training_had_the_rates_of_the_whole_and_so_has_the_encore(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", CtrlC(step=11))
    figures, flags = original("default")
    lecture, _ = watch(*flags)
    assert lecture.losses == pytest.approx(figures["losses"][:10], rel=0, abs=1e-9)
    assert lecture.explicit_losses == pytest.approx(figures["losses"][:10], rel=0, abs=1e-9)

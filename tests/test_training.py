"""Training as a whole: the original's figures, and Adam against arithmetic done by hand."""
import json

import pytest
from conftest import FIGURES, load


def original(name):
    return json.loads((FIGURES / f"{name}.json").read_text(encoding="utf-8"))


def flags_of(figures):
    return [word for knob, value in figures["settings"].items() for word in (f"--{knob}", value)] + ["--data", FIGURES / "names.txt"]


def spoken(capsys):
    return [line.split(": ", 1)[1] for line in capsys.readouterr().out.splitlines() if line.startswith("sample ")]


# Adam by hand, for one number that starts at 1, three steps of three, gradients 0.5, -0.25, 1. With beta1 = 0.85 and
# beta2 = 0.99 the bias-corrected moments are:
#   step 1: m = 0.15 * 0.5 = 0.075, / 0.15 = 0.5;               v = 0.01 * 0.25 = 0.0025, / 0.01 = 0.25, root 0.5
#   step 2: m = 0.85 * 0.075 - 0.0375 = 0.02625, / 0.2775;      v = 0.99 * 0.0025 + 0.000625 = 0.0031, / 0.0199
#   step 3: m = 0.85 * 0.02625 + 0.15 = 0.1723125, / 0.385875;  v = 0.99 * 0.0031 + 0.01 = 0.013069, / 0.029701
# and the learning rates 0.01, 0.01 * 2/3, 0.01 * 1/3.
GRADIENTS = [0.5, -0.25, 1.0]
BY_HAND = [
    1 - 0.01 * 0.5 / 0.5,
    1 - 0.01 - 0.02 / 3 * (0.02625 / 0.2775) / (0.0031 / 0.0199) ** 0.5,
    1 - 0.01 - 0.02 / 3 * (0.02625 / 0.2775) / (0.0031 / 0.0199) ** 0.5
    - 0.01 / 3 * (0.1723125 / 0.385875) / (0.013069 / 0.029701) ** 0.5,
]


def test_the_example_worked_by_hand_is_itself_what_the_figures_say():
    assert BY_HAND == pytest.approx([0.99, 0.9884021, 0.9861583], abs=5e-7)


def test_adam_follows_the_example_worked_by_hand_in_both_engines():
    lecture = load("--steps", 3, "--samples", 0)
    lecture.params[:] = [lecture.Value(1.0)]
    lecture.moment1[:], lecture.moment2[:] = [0.0], [0.0]
    numbers, m, v = [1.0], [0.0], [0.0]
    for step, (gradient, expected) in enumerate(zip(GRADIENTS, BY_HAND)):
        lecture.params[0].grad = gradient
        lecture.adam(step)
        numbers, m, v = lecture.explicit_adam(step, numbers, m, v, [gradient])
        assert lecture.params[0].data == pytest.approx(expected, rel=0, abs=1e-9)
        assert numbers[0] == pytest.approx(expected, rel=0, abs=1e-9)
        assert lecture.params[0].grad == 0.0


def test_epsilon_stands_outside_the_root_and_bounds_the_step_of_a_tiny_gradient():
    """By hand: a gradient of 1e-8 has bias-corrected moments 1e-8 and 1e-16, so the step is 0.01 * 1e-8 / (1e-8 + 1e-8)."""
    lecture = load("--steps", 1, "--samples", 0)
    lecture.params[:] = [lecture.Value(0.0)]
    lecture.moment1[:], lecture.moment2[:] = [0.0], [0.0]
    lecture.params[0].grad = 1e-8
    lecture.adam(0)
    assert lecture.params[0].data == pytest.approx(-0.005, rel=1e-6)
    assert lecture.explicit_adam(0, [0.0], [0.0], [0.0], [1e-8])[0] == pytest.approx([-0.005], rel=1e-6)


def test_a_gradient_of_zero_moves_nothing():
    lecture = load("--steps", 1, "--samples", 0)
    assert lecture.explicit_adam(0, [0.7], [0.0], [0.0], [0.0])[0] == [0.7]


def test_the_encore_of_a_full_run_repeats_its_losses(default):
    lecture = load("--steps", 12, "--samples", 0)
    assert len(lecture.losses) == 12
    assert lecture.fast_losses == pytest.approx(lecture.losses, rel=0, abs=1e-12)
    assert lecture.losses[0] == pytest.approx(default.surprise(default.encode(default.docs[0])).data, abs=1e-12)


def test_with_fast_the_model_that_speaks_is_the_one_the_explicit_engine_trained():
    slow, fast = load("--steps", 8, "--samples", 0), load("--steps", 8, "--samples", 0, "--fast")
    assert [p.data for p in fast.params] == pytest.approx([p.data for p in slow.params], rel=0, abs=1e-12)
    assert [p.data for p in fast.params] != fast.start
    assert fast.losses == []


def test_names_come_round_again_when_there_are_more_steps_than_names(tmp_path):
    data = tmp_path / "two.txt"
    data.write_text("ada\nbo\n")
    lecture = load("--steps", 3, "--samples", 0, "--data", data)
    assert lecture.encode(lecture.docs[0]) != lecture.encode(lecture.docs[1])
    assert lecture.losses[2] < lecture.losses[0]
    assert lecture.losses[2] != pytest.approx(lecture.losses[1], abs=1e-3)


@pytest.mark.parametrize("engine", ["autograd", "explicit"])
@pytest.mark.parametrize("name", ["default", "deep"])
def test_the_losses_and_names_of_the_original_are_reproduced(name, engine, capsys):
    figures = original(name)
    lecture = load(*flags_of(figures), *(["--fast"] if engine == "explicit" else []))
    losses = lecture.losses if engine == "autograd" else lecture.fast_losses
    assert len(lecture.params) == figures["parameters"]
    assert losses == pytest.approx(figures["losses"], rel=0, abs=1e-9)
    assert spoken(capsys) == figures["names"]


@pytest.mark.slow
def test_training_lowers_the_loss_below_that_of_a_model_that_knows_only_how_often_letters_occur():
    """The judge is the entropy of single tokens in names.txt, 2.89 nats, which no model without context can beat."""
    import collections
    import math
    lecture = load("--steps", 600, "--samples", 0, "--fast")
    counts = collections.Counter(token for name in lecture.docs for token in lecture.encode(name)[1:])
    total = sum(counts.values())
    entropy = -sum(n / total * math.log(n / total) for n in counts.values())
    assert sum(lecture.fast_losses[:10]) / 10 > entropy
    assert sum(lecture.fast_losses[-200:]) / 200 < entropy - 0.15

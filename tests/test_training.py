"""Training as a whole: the original's figures, an outside training, and Adam against arithmetic done by hand."""
import collections
import math
import random

import pytest
import reference
from conftest import load, original, repeated, rows


@pytest.fixture
def three(tmp_path):
    """The path of a file of three names, and the names in the order in which seed 42 shuffles them."""
    names = ["ada", "bo", "eve"]
    (tmp_path / "three.txt").write_text("\n".join(names))
    random.seed(42)
    random.shuffle(names)
    return tmp_path / "three.txt", names


# Adam by hand, for one number that starts at 1, three steps of three, gradients 0.5, -0.25, 1. With beta1 = 0.85 and
# beta2 = 0.99 the bias-corrected moments are:
#   step 1: m = 0.15 * 0.5 = 0.075, / 0.15 = 0.5;               v = 0.01 * 0.25 = 0.0025, / 0.01 = 0.25, root 0.5
#   step 2: m = 0.85 * 0.075 - 0.0375 = 0.02625, / 0.2775;      v = 0.99 * 0.0025 + 0.000625 = 0.0031, / 0.0199
#   step 3: m = 0.85 * 0.02625 + 0.15 = 0.1723125, / 0.385875;  v = 0.99 * 0.0031 + 0.01 = 0.013069, / 0.029701
# and the learning rates 0.01, 0.01 * 2/3, 0.01 * 1/3.
GRADIENTS = [0.5, -0.25, 1.0]
MOMENTS = [(0.075, 0.0025), (0.02625, 0.0031), (0.1723125, 0.013069)]
BY_HAND = [
    1 - 0.01 * 0.5 / 0.5,
    1 - 0.01 - 0.02 / 3 * (0.02625 / 0.2775) / (0.0031 / 0.0199) ** 0.5,
    1 - 0.01 - 0.02 / 3 * (0.02625 / 0.2775) / (0.0031 / 0.0199) ** 0.5
    - 0.01 / 3 * (0.1723125 / 0.385875) / (0.013069 / 0.029701) ** 0.5,
]


def test_the_example_worked_by_hand_is_itself_what_the_figures_say():
    assert BY_HAND == pytest.approx([0.99, 0.9884021, 0.9861583], abs=5e-7)


def test_adam_follows_the_example_worked_by_hand_for_each_number_on_its_own_and_renews_the_moments():
    lecture = load("--steps", 3, "--samples", 0, "--fast")
    numbers, moments = [1.0, 0.7, 1.0], [[0.0] * 3, [0.0] * 3]
    for step, (gradient, expected) in enumerate(zip(GRADIENTS, BY_HAND)):
        numbers = lecture.adam(step, numbers, [gradient, 0.0, -gradient], moments)
        assert numbers == pytest.approx([expected, 0.7, 2 - expected], rel=0, abs=1e-9)
        m, v = MOMENTS[step]
        assert moments == [pytest.approx([m, 0.0, -m], rel=1e-12), pytest.approx([v, 0.0, v], rel=1e-12)]


def test_epsilon_stands_outside_the_root_and_bounds_the_step_of_a_tiny_gradient():
    """By hand: a gradient of 1e-8 has bias-corrected moments 1e-8 and 1e-16, so the step is 0.01 * 1e-8 / (1e-8 + 1e-8)."""
    lecture = load("--steps", 1, "--samples", 0, "--fast")
    assert lecture.adam(0, [0.0], [1e-8], [[0.0], [0.0]]) == pytest.approx([-0.005], rel=1e-6)


def test_a_gradient_of_zero_moves_nothing_and_the_numbers_given_stay_as_they_are():
    lecture = load("--steps", 1, "--samples", 0, "--fast")
    numbers, gradient = [0.7, 0.1], [0.0, 5.0]
    assert lecture.adam(0, numbers, gradient, [[0.0, 0.0], [0.0, 0.0]])[0] == 0.7
    assert (numbers, gradient) == ([0.7, 0.1], [0.0, 5.0])


def test_training_shows_an_engine_the_names_in_turn_and_the_first_again_after_the_last(three):
    path, names = three
    lecture = load("--steps", 8, "--samples", 0, "--data", path, "--width", 2, "--heads", 1, "--fast")
    seen = []

    def engine(numbers, tokens):
        seen.append(tokens)
        return 7.0 + len(seen), [0.0] * len(numbers)

    numbers, losses, _ = lecture.train(engine, 8, quiet=True)
    letter = {letter: i for i, letter in enumerate("abdeov")}
    first, second, third = ([6, *(letter[each] for each in name), 6] for name in names)
    assert seen == [first, second, third, first, second, third, first, second]
    assert losses == [8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
    assert numbers == lecture.start


def test_training_begins_at_the_start_and_hands_each_step_the_numbers_that_adam_made_of_the_last():
    """A gradient of 1 in every step has moments of 1 once corrected, so every number falls by just the rate."""
    lecture = load("--steps", 4, "--samples", 0, "--fast", "--width", 2, "--heads", 1)
    seen = []

    def engine(numbers, tokens):
        seen.append(numbers)
        return 0.0, [1.0] * len(numbers)

    for _ in range(2):  # the second training does not know of the first
        seen.clear()
        numbers, _, _ = lecture.train(engine, 4, quiet=True)
        for found, fallen in zip(seen + [numbers], [0.0, 0.01, 0.0175, 0.0225, 0.025]):
            assert found == pytest.approx([x - fallen for x in lecture.start], rel=0, abs=1e-8)


@pytest.mark.parametrize("flags", [["--layers", 2, "--block", 3], ["--layers", 1, "--block", 8]], ids=["two, cut names", "one"])
def test_both_engines_train_as_an_outside_training_on_central_differences_does(three, flags):
    path, names = three
    lecture = load("--steps", 5, "--samples", 0, "--data", path, "--width", 2, "--heads", 1, *flags)
    weights = rows(lecture, lecture.start)
    documents = [[6, *("abdeov".index(letter) for letter in name), 6] for name in names]
    losses = reference.train(weights, documents, 5, lecture.layers, lecture.heads, lecture.block)
    assert lecture.losses == pytest.approx(losses, rel=0, abs=1e-5)
    assert lecture.explicit_losses == pytest.approx(losses, rel=0, abs=1e-5)
    numbers = [number for matrix in weights.values() for row in matrix for number in row]
    assert lecture.trained == pytest.approx(numbers, rel=0, abs=1e-4)
    assert [p.data for p in lecture.params] == pytest.approx(numbers, rel=0, abs=1e-4)
    assert numbers != pytest.approx(lecture.start, rel=0, abs=1e-2)


def test_the_encore_of_a_full_run_repeats_its_losses_which_begin_with_that_of_the_outside_judge():
    lecture, _ = repeated("default")
    assert len(lecture.losses) == 60
    assert lecture.explicit_losses == pytest.approx(lecture.losses, rel=0, abs=1e-12)
    first = [26, *(ord(letter) - ord("a") for letter in lecture.docs[0]), 26]
    assert lecture.losses[0] == pytest.approx(reference.loss(rows(lecture, lecture.start), first, 1, 4, 16), abs=1e-12)


def test_with_fast_the_model_that_speaks_is_the_one_the_explicit_engine_trained():
    (slow, _), (fast, _) = repeated("deep"), repeated("deep", "--fast")
    assert [p.data for p in fast.params] == pytest.approx([p.data for p in slow.params], rel=0, abs=1e-9)
    assert [p.data for p in fast.params] != fast.start
    assert fast.losses == []
    assert fast.explicit_losses == pytest.approx(slow.losses, rel=0, abs=1e-12)


@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "explicit"])
@pytest.mark.parametrize("name", ["default", "deep"])
def test_the_losses_and_names_of_the_original_are_reproduced(name, flags):
    figures, _ = original(name)
    lecture, screen = repeated(name, *flags)
    losses = lecture.explicit_losses if flags else lecture.losses
    assert len(lecture.params) == figures["parameters"]
    assert losses == pytest.approx(figures["losses"], rel=0, abs=1e-9)
    spoken = [line.split(": ", 1)[1] for line in screen.getvalue().splitlines() if line.startswith("sample ")]
    assert spoken == figures["names"]


@pytest.mark.slow
def test_training_lowers_the_loss_below_that_of_a_model_that_knows_only_how_often_letters_occur():
    """The judge is the entropy of single tokens in names.txt, 2.89 nats, which no model without context can beat."""
    lecture = load("--steps", 500, "--samples", 0, "--fast")
    counts = collections.Counter(letter for name in lecture.docs for letter in name + "\n")
    total = sum(counts.values())
    entropy = -sum(n / total * math.log(n / total) for n in counts.values())
    assert sum(lecture.explicit_losses[:10]) / 10 > entropy
    assert sum(lecture.explicit_losses[-200:]) / 200 < entropy - 0.15

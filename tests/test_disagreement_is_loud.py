"""Section 12: the lecture compares its two engines itself. What it lets pass, what not, and how loudly.

Here both engines are the test's own. They find a loss and three gradients for the first name, then for the
longest.
"""
import math

import pytest
from conftest import SCRIPT, SMALL, before, load, run, watch

LOSS, FIRST, LONGEST = 2.0, [3.0, -4.0, 0.0], [-40.0, 0.5, 20.0]
CLOSE, APART = 0.9e-9, 1.1e-9


def compared(results, explicit_results, *flags):
    """What is printed when the engines find these results, (loss, gradients) for one name after the other."""
    slow, fast = iter(results), iter(explicit_results)
    source = before(12, "autograd, explicit = slow, fast")
    _, screen = watch(*SMALL, "--steps", 0, "--samples", 0, *flags, source=source,
                      slow=lambda numbers, tokens: next(slow), fast=lambda numbers, tokens: next(fast))
    told, heading = screen.getvalue().splitlines()[-2:]
    assert heading == "training with the explicit engine:"
    return told


def bent(name, place, by):
    """Results of which one, the loss or the gradient of this index, is off by this share of the largest."""
    results = [[LOSS, list(FIRST)], [LOSS, list(LONGEST)]]
    gradients = results[name][1]
    if place == "loss":
        results[name][0] += by * LOSS
    else:
        gradients[place] += by * max(map(abs, gradients))
    return results


PLACES = [(name, place) for name in (0, 1) for place in ("loss", 0, 1, 2)]
HONEST = [(LOSS, FIRST), (LOSS, LONGEST)]


@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
@pytest.mark.parametrize("by", [APART, -APART, math.nan, math.inf, -0.5])
@pytest.mark.parametrize("name, place", PLACES)
def test_a_difference_above_1e_9_of_the_largest_ends_the_run(name, place, by, flags):
    with pytest.raises(SystemExit) as ended:
        compared(HONEST, bent(name, place, by), *flags)
    assert ended.value.code == "the two engines disagree"


@pytest.mark.parametrize("by", [CLOSE, -CLOSE])
@pytest.mark.parametrize("name, place", PLACES)
def test_a_difference_below_1e_9_of_the_largest_passes_and_is_told(name, place, by):
    told = "0e+00" if place == "loss" else "9e-10"
    line = compared(HONEST, bent(name, place, by))
    assert line == f"the engines agree: gradients differ by at most {told} of the largest one"


def test_the_difference_that_is_told_is_the_largest_of_all():
    explicit = bent(0, 1, -2e-10)
    explicit[0][1][2] += 4 * 7e-10
    explicit[1][1][0] += 40 * 3e-10
    assert " most 7e-10 of " in compared(HONEST, explicit)


def test_losses_that_are_no_number_are_no_agreement():
    nothing = [(math.nan, FIRST), (LOSS, LONGEST)]
    with pytest.raises(SystemExit):
        compared(nothing, nothing)


def test_gradients_that_are_all_zero_agree_and_others_are_measured_against_1():
    nothing, almost, more = ([(LOSS, [0.0, 0.0]), (LOSS, [0.0, number])] for number in (-0.0, CLOSE, APART))
    assert " most 0e+00 of " in compared(nothing, nothing)
    assert " most 9e-10 of " in compared(nothing, almost)
    with pytest.raises(SystemExit):
        compared(nothing, more)


def test_both_engines_get_the_untrained_numbers_the_first_name_and_the_longest():
    calls = {"slow": [], "fast": []}

    def engine(name):
        return lambda numbers, tokens: calls[name].append((numbers, tokens)) or (LOSS, [1.0])

    source = before(12, "autograd, explicit = slow, fast")
    flags = [*SMALL, "--steps", 1, "--samples", 0]
    lecture = load(*flags, source=source, slow=engine("slow"), fast=engine("fast"))
    longest = max(map(len, lecture.docs))
    names = lecture.docs[0], [name for name in lecture.docs if len(name) == longest][0]
    tokens = [[26, *(ord(letter) - ord("a") for letter in name), 26] for name in names]
    assert lecture.trained != lecture.untrained
    assert calls["slow"] == calls["fast"][:2] == [(lecture.untrained, each) for each in tokens]


@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_a_wrong_derivative_ends_a_run_as_a_command_with_status_1(flags, tmp_path):
    wrong = before(4, "Value.relu = lambda self: Value(max(self.data, 0.0), [(self, 1.0)])")
    (tmp_path / SCRIPT.name).write_text(wrong, encoding="utf-8")
    process = run(*SMALL, "--steps", 1, *flags, script=tmp_path / SCRIPT.name)
    assert (process.returncode, process.stderr) == (1, "the two engines disagree\n")
    assert "the engines agree" not in process.stdout and "times as fast" not in process.stdout

"""The lecture's own comparison of its two engines: what it lets pass, what it does not, and how loudly."""
import math

import pytest
from conftest import FORGED, ROOT, SCRIPT, SMALL, SOURCE, before, load, run, watch


def forged(forge, *flags):
    return watch("--steps", 1, "--samples", 0, *SMALL, *flags, source=FORGED, forge=forge)


def bend(place, share):
    """A forgery: one number of the gradient is off by this share of the largest."""
    def forge(loss, gradient):
        gradient[place] += share * max(map(abs, gradient))
        return loss
    return forge


def scale(factor):
    """A forgery: the loss is off by this factor."""
    return lambda loss, gradient: loss * factor


TOO_MUCH = {
    "first number above": bend(0, 1e-8),
    "first number below": bend(0, -1e-8),
    "last number above": bend(-1, 1e-8),
    "loss above": scale(1 + 1e-8),
    "loss below": scale(1 - 1e-8),
    "first number nan": bend(0, math.nan),
    "last number nan": bend(-1, math.nan),
    "a number infinite": bend(7, math.inf),
    "loss nan": scale(math.nan),
}
LITTLE = {
    "first number above": bend(0, 1e-10),
    "last number below": bend(-1, -1e-10),
    "loss above": scale(1 + 1e-10),
    "loss below": scale(1 - 1e-10),
}


@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
@pytest.mark.parametrize("where", [1, 2], ids=["first name", "longest name"])
@pytest.mark.parametrize("forgery", TOO_MUCH)
def test_a_disagreement_ten_times_above_the_tolerance_ends_the_run_with_one_sentence(forgery, where, flags):
    with pytest.raises(SystemExit) as ended:
        forged(lambda call, loss, gradient: TOO_MUCH[forgery](loss, gradient) if call == where else loss, *flags)
    assert "DISAGREE" in ended.value.code and "\n" not in ended.value.code


@pytest.mark.parametrize("forgery", LITTLE)
def test_a_disagreement_ten_times_below_the_tolerance_does_not(forgery):
    _, screen = forged(lambda call, loss, gradient: LITTLE[forgery](loss, gradient))
    assert "largest gradient difference" in screen.getvalue().splitlines()[-2]


def test_the_sentence_names_both_losses_and_the_largest_gap():
    def forge(call, loss, gradient):
        bend(3, -0.5)(loss, gradient)
        return 1.25
    with pytest.raises(SystemExit) as ended:
        forged(forge)
    honest = load("--steps", 0, "--samples", 0, *SMALL)
    loss = honest.autograd(honest.start, honest.encode(honest.docs[0]))[0]
    assert f"losses {loss} and 1.25" in ended.value.code
    assert "5e-01" in ended.value.code


def test_the_names_that_are_compared_are_the_first_and_the_longest_at_the_start():
    lecture, _ = forged(lambda call, loss, gradient: loss)
    names = SMALL[-1].read_text(encoding="utf-8").split()
    (numbers, first), (again, longest) = lecture.calls[:2]
    assert lecture.decode(first) == lecture.docs[0] in names
    assert len(lecture.decode(longest)) == max(map(len, names)) > len(lecture.docs[0])
    assert numbers == again == lecture.start


def test_gradients_that_are_all_zero_are_no_error():
    both = "honest_autograd, honest_explicit = autograd, explicit\n"
    for engine in ("autograd", "explicit"):
        both += f"def {engine}(numbers, tokens): return honest_{engine}(numbers, tokens)[0], [0.0] * len(numbers)\n"
    _, screen = watch("--steps", 1, "--samples", 0, *SMALL, source=before(12, both))
    assert screen.getvalue().splitlines()[-2].endswith(" 0.0e+00")


def test_a_gradient_that_is_missing_is_loud_too():
    def forge(call, loss, gradient):
        gradient.pop()
        return loss
    with pytest.raises(ValueError):
        forged(forge)


def test_a_wrong_rule_is_found_by_a_run_as_a_command_which_ends_with_status_1_and_no_table(tmp_path):
    rule = "1.0 if self.data > 0 else 0.0"
    assert SOURCE.count(rule) == 1
    (tmp_path / SCRIPT.name).write_text(SOURCE.replace(rule, "1.0"), encoding="utf-8")
    (tmp_path / "names.txt").write_bytes((ROOT / "names.txt").read_bytes())
    for flags in (["--steps", "1"], ["--fast", "--steps", "1"]):
        process = run(*flags, script=tmp_path / SCRIPT.name)
        assert process.returncode == 1
        assert "DISAGREE" in process.stderr and "Traceback" not in process.stderr
        assert "µs/sample" not in process.stdout

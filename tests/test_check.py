"""The lecture's own comparison of its two engines: what it lets pass, what it does not, and how loudly."""
import pytest
from conftest import ROOT, SCRIPT, SMALL, SOURCE, before, load, run, watch
from test_output import FORGED

LARGEST = "largest = max(map(abs, gradient)); "


def forged(forgery, *flags):
    return watch("--steps", 1, "--samples", 0, *SMALL, *flags, source=before(12, FORGED.format(forgery)))


@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
@pytest.mark.parametrize("call", [1, 2], ids=["first name", "longest name"])
@pytest.mark.parametrize("forgery", [
    "gradient[0] += 1e-8 * largest",
    "gradient[0] -= 1e-8 * largest",
    "gradient[-1] += 1e-8 * largest",
    "loss *= 1 + 1e-8",
    "loss *= 1 - 1e-8",
    "gradient[0] = math.nan",
    "gradient[-1] = math.nan",
    "gradient[7] = math.inf",
    "loss = math.nan",
])
def test_a_disagreement_ten_times_above_the_tolerance_ends_the_run_with_one_sentence(forgery, call, flags):
    with pytest.raises(SystemExit) as ended:
        forged(f"{LARGEST}\n    if len(calls) == {call}: {forgery}", *flags)
    assert "DISAGREE" in ended.value.code and "\n" not in ended.value.code


@pytest.mark.parametrize("forgery", [
    "gradient[0] += 1e-10 * largest",
    "gradient[-1] -= 1e-10 * largest",
    "loss *= 1 + 1e-10",
    "loss *= 1 - 1e-10",
])
def test_a_disagreement_ten_times_below_the_tolerance_does_not(forgery):
    _, screen = forged(LARGEST + forgery)
    assert "largest gradient difference" in screen.getvalue().splitlines()[-2]


def test_the_sentence_names_both_losses_and_the_largest_gap():
    with pytest.raises(SystemExit) as ended:
        forged(f"{LARGEST}loss = 1.25; gradient[3] -= 0.5 * largest; gradient[4] += 0.25 * largest")
    honest = load("--steps", 0, "--samples", 0, *SMALL)
    loss = honest.autograd(honest.start, honest.encode(honest.docs[0]))[0]
    assert f"losses {loss} and 1.25" in ended.value.code
    assert "5e-01" in ended.value.code


def test_the_names_that_are_compared_are_the_first_and_the_longest_at_the_start():
    lecture, _ = forged("starts.append(numbers) if 'starts' in globals() else globals().update(starts=[numbers])")
    names = SMALL[-1].read_text(encoding="utf-8").split()
    compared = [lecture.decode(tokens) for tokens in lecture.calls[:2]]
    assert compared[0] == lecture.docs[0] in names
    assert len(compared[1]) == max(map(len, names)) > len(compared[0])
    assert lecture.starts[0] == lecture.starts[1] == lecture.start


def test_gradients_that_are_all_zero_are_no_error():
    both = "honest_autograd, honest_explicit = autograd, explicit\n"
    for engine in ("autograd", "explicit"):
        both += f"def {engine}(numbers, tokens): return honest_{engine}(numbers, tokens)[0], [0.0] * len(numbers)\n"
    _, screen = watch("--steps", 1, "--samples", 0, *SMALL, source=before(12, both))
    assert screen.getvalue().splitlines()[-2].endswith(" 0.0e+00")


def test_a_gradient_that_is_missing_is_loud_too():
    with pytest.raises(ValueError):
        forged("gradient = gradient[:-1]")


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

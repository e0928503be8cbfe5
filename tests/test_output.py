"""What a run prints is true: every figure against an outside one, or against arithmetic, under a clock of the test's own."""
import math
import random
import re
import time

import pytest
import reference
from conftest import FORGED, SMALL, before, load, original, repeated, rows, watch

FIGURE = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")
ORIGINAL = original("default")[0]


class Clock:
    """In the place of perf_counter: the i-th pair of readings lies durations[i] apart, and pairs lie 100 s apart."""
    def __init__(self, durations):
        self.durations, self.now, self.readings = durations, 5000.0, 0

    def __call__(self):
        pair, second = divmod(self.readings, 2)
        self.now += self.durations[pair] if second else 100.0
        self.readings += 1
        return self.now


def figures(line):
    return [float(figure) for figure in FIGURE.findall(line)]


def line_with(text, words):
    line, = [line for line in text.splitlines() if words in line]
    return line


def steps_of(text):
    return [line for line in text.splitlines() if line.startswith("step ")]


def updates_of(text, at):
    """The states of the at-th line that was updated in place."""
    lines = [line for line in text.split("\n") if line.startswith("step ")]
    return lines[at].split("\r")


# ---- the lines of the sections, before any step


def test_the_counts_are_those_of_the_file_and_the_model():
    _, screen = watch("--steps", 0, "--samples", 0, *SMALL)
    names = SMALL[-1].read_text(encoding="utf-8").split()
    letters = len(set("".join(names)))
    assert screen.getvalue().splitlines()[:2] == [f"num docs: {len(names)}", f"vocab size: {letters + 1}"]
    assert figures(line_with(screen.getvalue(), "num params")) == [2 * (letters + 1) * 4 + 5 * 4 + 12 * 4 * 4]


def test_the_first_name_of_the_shuffle_is_shown_as_its_tokens():
    _, screen = watch("--steps", 0, "--samples", 0, *SMALL)
    names = SMALL[-1].read_text(encoding="utf-8").split()
    random.seed(42)
    random.shuffle(names)
    told, tokens = line_with(screen.getvalue(), "tokens").split(": ")[1].split(" -> ")
    assert told == names[0]
    assert [int(token) for token in tokens.split()] == [26, *(ord(letter) - ord("a") for letter in names[0]), 26]


def test_the_slopes_of_a_times_b_plus_a_are_b_plus_1_and_a():
    _, screen = watch("--steps", 0, "--samples", 0, *SMALL)
    line = line_with(screen.getvalue(), "a * b + a")
    assert "a = 2, b = 3" in line
    assert figures(line.split(":")[1]) == [3 * 1 + 1, 2 * 1]
    assert re.search(r"4\.0 in a, 2\.0 in b", line)


@pytest.mark.parametrize("seed", [42, 7])
def test_the_cost_of_knowing_nothing_is_ln_vocab_and_the_cost_of_the_first_name_that_of_the_outside_judge(seed, tmp_path):
    data = tmp_path / "names.txt"
    data.write_text("ada\nbo\nabba\n")  # a, b, d, o and the boundary
    lecture, screen = watch("--steps", 0, "--samples", 0, "--width", 4, "--heads", 2, "--seed", seed, "--data", data)
    line = line_with(screen.getvalue(), "to know nothing")
    names = ["ada", "bo", "abba"]
    random.seed(seed)
    random.shuffle(names)
    tokens = [4, *("abdo".index(letter) for letter in names[0]), 4]
    cost = reference.loss(rows(lecture, lecture.start), tokens, 1, 2, 16)
    assert figures(line)[0] == 5
    assert f"{math.log(5):.4f}" in line.split(";")[0]
    assert names[0] in line.split(";")[1].split()
    assert figures(line)[-1] == float(f"{cost:.4f}")


def test_the_slope_of_one_parameter_is_that_of_the_outside_judge_both_by_backward_and_by_trying_it_out():
    lecture, screen = watch("--steps", 0, "--samples", 0, "--layers", 2, *SMALL)
    by_backward, by_trial = figures(line_with(screen.getvalue(), "trying").split(":", 1)[1])
    names = SMALL[-1].read_text(encoding="utf-8").split()
    random.seed(42)
    random.shuffle(names)
    tokens = [26, *(ord(letter) - ord("a") for letter in names[0]), 26]
    slopes = reference.central_differences(rows(lecture, lecture.start), tokens, 2, 2, 5)
    judge = slopes[26 * 4]  # the token embedding comes first, 26 letters of width 4 before the boundary token
    assert abs(judge) > 1e-4
    assert by_backward == pytest.approx(judge, rel=0, abs=2e-9)
    assert by_trial == pytest.approx(judge, rel=0, abs=2e-9)


def test_the_slope_by_trying_it_out_does_not_come_from_backward(capsys):
    wrong = before(7, """
honest = Value.backward
def forged(self):
    honest(self)
    model['token'][BOS][0].grad += 1
Value.backward = forged
""")
    plain = figures(line_with(watch("--steps", 0, "--samples", 0, *SMALL)[1].getvalue(), "trying").split(":", 1)[1])
    stopped = before(8, "raise LookupError", source=wrong)
    capsys.readouterr()
    with pytest.raises(LookupError):
        load("--steps", 0, "--samples", 0, *SMALL, source=stopped)
    by_backward, by_trial = figures(line_with(capsys.readouterr().out, "trying").split(":", 1)[1])
    assert by_backward == pytest.approx(plain[0] + 1, abs=2e-9)
    assert by_trial == pytest.approx(plain[1], abs=2e-9)


def test_after_the_trial_the_parameters_are_as_they_were_and_free_of_blame():
    """The sections up to the seventh, as in a notebook."""
    stopped = before(8, "found = [p.data for p in params] == start, {p.grad for p in params}\nraise LookupError(found)")
    with pytest.raises(LookupError) as ended:
        load("--steps", 0, "--samples", 0, *SMALL, source=stopped)
    assert ended.value.args[0] == (True, {0.0})


# ---- the steps


@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_in_a_file_every_step_has_a_line_of_its_own_with_the_loss_of_the_original(flags):
    _, screen = repeated("default", *flags)
    assert steps_of(screen.getvalue()) == [
        f"step {i:4d} /   60 | loss {loss:.4f}" for i, loss in enumerate(ORIGINAL["losses"], start=1)]
    assert "\r" not in screen.getvalue()
    assert screen.seen[0].endswith("loss 3.3553\n") and len(screen.seen) >= 60  # and it can be read at once


def test_on_a_terminal_each_engine_updates_one_line_whose_every_figure_is_true(monkeypatch):
    figures_of_deep, flags = original("deep")
    losses = figures_of_deep["losses"]
    slow, fast = [0.010 * (i + 1) for i in range(30)], [0.0004 * (i % 7 + 1) for i in range(30)]
    monkeypatch.setattr(time, "perf_counter", Clock(slow + fast))
    _, screen = watch(*flags, terminal=True)
    for at, (name, durations) in enumerate([("autograd", slow), ("explicit", fast)]):
        updates = updates_of(screen.getvalue(), at)
        assert len(updates) == 30
        for done, update in enumerate(updates, start=1):
            each = math.fsum(durations[:done]) / done
            mean = math.fsum(losses[:done]) / done
            step, goal, loss, told_mean, milliseconds, left = figures(update)
            assert (step, goal) == (done, 30)
            assert loss == float(f"{losses[done - 1]:.4f}")
            assert told_mean == pytest.approx(mean, abs=0.00501)
            assert milliseconds == pytest.approx(each * 1000, abs=0.0501)
            assert left == pytest.approx(each * (30 - done), abs=0.501)
            assert f" {name} " in update and "ms" in update and "s left" in update
            assert len(update) < 80
        assert len({len(update) for update in updates}) == 1  # each covers the one before


def test_the_mean_in_the_line_is_that_of_the_last_hundred_losses():
    lecture, screen = watch("--steps", 130, "--samples", 0, "--fast", *SMALL, terminal=True)
    updates = updates_of(screen.getvalue(), 0)
    for done in (100, 101, 115, 130):
        recent = [figures(update)[2] for update in updates[max(0, done - 100):done]]
        assert figures(updates[done - 1])[3] == pytest.approx(math.fsum(recent) / len(recent), abs=0.0051)


def test_the_line_that_is_updated_in_place_is_flushed_at_each_step_and_ends_with_the_last():
    _, screen = watch("--steps", 4, "--samples", 0, *SMALL, terminal=True)
    flushed = [text for text in screen.seen if text.split("\n")[-1] or text.endswith("\n")]
    seen = [text for text in dict.fromkeys(flushed) if re.search(r"left[\r\n]$", text)]
    assert [text[-1] for text in seen] == list("\r\r\r\n\r\r\r\n")
    assert len(steps_of(screen.getvalue().replace("\r", "\n"))) == 8


def test_in_a_file_the_encore_repeats_the_steps_in_silence():
    _, screen = watch("--steps", 3, "--samples", 0, *SMALL)
    assert [line[:12] for line in steps_of(screen.getvalue())] == ["step    1 / ", "step    2 / ", "step    3 / "]


# ---- the picture


@pytest.fixture(scope="module")
def lecture():
    return load("--steps", 0, "--samples", 0, *SMALL)


def drawn(lecture, losses, capsys):
    """[(first step, mean loss, perplexity, length of the bar)] as the lecture draws them."""
    capsys.readouterr()
    lecture.draw(losses)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert len({line.index("|", line.index("between")) for line in lines}) <= 1  # one right edge
    assert all(line.startswith("from step ") and "mean loss" in line for line in lines)
    return [(*figures(line.replace("#", " "))[:3], line.count("#")) for line in lines]


def test_a_picture_has_a_bar_for_each_tenth_with_its_mean_its_perplexity_and_a_length_that_is_its_share_of_all(lecture, capsys):
    losses = [math.log(27)] * 2 + [math.log(27 / 2)] * 2 + [math.log(1), math.log(27 / 2)] + [0.0] * 14
    found = drawn(lecture, losses, capsys)
    assert [at for at, *_ in found] == [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]
    assert [(mean, size) for _, mean, size, _ in found[:4]] == [(3.2958, 27.0), (2.6027, 13.5), (1.3013, 3.7), (0.0, 1.0)]
    whole = found[0][3]
    assert 20 <= whole <= 40
    assert [bar for *_, bar in found[:4]] == [whole, round(whole / 2), round(whole * math.sqrt(13.5) / 27), round(whole / 27)]


def test_a_bar_does_not_pass_the_right_edge(lecture, capsys):
    whole, beyond, far = drawn(lecture, [math.log(27), math.log(80), math.log(99)], capsys)
    assert whole[3] == beyond[3] == far[3]
    assert (beyond[2], far[2]) == (80.0, 99.0)


@pytest.mark.parametrize("count, starts", [
    (1, [1]), (9, [1, 2, 3, 4, 5, 6, 7, 8, 9]), (10, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), (11, [1, 3, 5, 7, 9, 11]),
    (25, [1, 4, 7, 10, 13, 16, 19, 22, 25]), (0, [])])
def test_a_picture_has_at_most_ten_lines_which_together_show_every_step_once(lecture, capsys, count, starts):
    losses = [random.Random(i).uniform(1, 3) for i in range(count)]
    found = drawn(lecture, losses, capsys)
    assert [at for at, *_ in found] == starts
    for at, end, mean in zip(starts, starts[1:] + [count + 1], [mean for _, mean, *_ in found]):
        assert mean == pytest.approx(sum(losses[at - 1:end - 1]) / (end - at), abs=0.000051)


@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_the_picture_of_a_run_is_that_of_the_losses_of_the_original(flags):
    _, screen = repeated("default", *flags)
    lines = [line for line in screen.getvalue().splitlines() if line.startswith("from step")]
    assert len(lines) == 10
    for i, line in enumerate(lines):
        mean = math.fsum(ORIGINAL["losses"][6 * i:6 * i + 6]) / 6
        at, told, size = figures(line.replace("#", " "))[:3]
        assert (at, told, size) == (6 * i + 1, float(f"{mean:.4f}"), float(f"{math.exp(mean):.1f}"))
        assert figures(line)[-1] == 27  # of so many tokens


def test_the_picture_measures_by_the_vocabulary_of_the_data(tmp_path, capsys):
    (tmp_path / "two.txt").write_text("ab\n")
    lecture = load("--steps", 0, "--samples", 0, "--width", 2, "--heads", 1, "--data", tmp_path / "two.txt")
    nothing, beyond, certain = drawn(lecture, [math.log(3), math.log(30), 0.0], capsys)
    assert nothing[3] == beyond[3]
    assert certain[3] == round(nothing[3] / 3)
    lecture.draw([0.0])
    assert figures(capsys.readouterr().out)[-1] == 3


def test_names_that_stand_twice_in_the_data_count_twice(tmp_path):
    (tmp_path / "names.txt").write_text("ada\nbo\nada\n")
    _, screen = watch("--steps", 0, "--samples", 0, "--width", 2, "--heads", 1, "--data", tmp_path / "names.txt")
    assert screen.getvalue().startswith("num docs: 3\nvocab size: 5\n")


# ---- the table and the differences


@pytest.mark.parametrize("terminal", [False, True], ids=["file", "terminal"])
def test_the_table_shows_the_mean_time_of_a_step_in_each_engine_and_how_many_times_faster_the_second_is(monkeypatch, terminal):
    monkeypatch.setattr(time, "perf_counter", Clock([0.010, 0.020, 0.060, 0.002, 0.003, 0.007]))
    lecture, screen = watch("--steps", 3, "--samples", 0, *SMALL, terminal=terminal)
    lines = screen.getvalue().splitlines()
    at, = [i for i, line in enumerate(lines) if line.startswith("engine")]
    assert lines[at - 1] == ""
    assert lines[at] == "engine                 µs/sample   speedup"
    assert lines[at + 1] == "scalar autograd          30000.0      1.0x"
    assert lines[at + 2] == "explicit backprop         4000.0      7.5x"
    assert lecture.pace == pytest.approx(30_000) and lecture.explicit_pace == pytest.approx(4000)


def test_the_time_of_a_step_is_that_of_the_engine_and_of_adam_and_of_nothing_else(monkeypatch):
    lecture = load("--steps", 4, "--samples", 0, "--fast", *SMALL)
    now = [0.0]

    def taking(seconds, result):
        def took(*_):
            now[0] += seconds
            return result
        return took

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    lecture.encode, lecture.show = taking(1000, [26, 0, 26]), taking(100, None)
    lecture.adam = taking(0.25, lecture.start)
    _, losses, pace = lecture.train(taking(0.5, (1.0, lecture.start)), 4)
    assert (losses, pace) == ([1.0] * 4, 750_000)


def test_with_fast_the_table_has_the_time_of_the_one_engine_and_no_speedup(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", Clock([0.002, 0.003, 0.007]))
    _, screen = watch("--steps", 3, "--samples", 0, "--fast", *SMALL)
    assert line_with(screen.getvalue(), "explicit backprop").split() == ["explicit", "backprop", "4000.0"]
    assert "scalar autograd" not in screen.getvalue()
    assert "loss difference" not in screen.getvalue()


def test_without_a_step_there_is_no_table_and_no_picture_but_the_comparison_of_the_gradients():
    for flags in ([], ["--fast"]):
        _, screen = watch("--steps", 0, "--samples", 1, *SMALL, *flags)
        text = screen.getvalue()
        assert "engine" not in text.splitlines()[-2] and "µs/sample" not in text and "from step" not in text
        assert "loss difference" not in text
        assert text.count("sample  1: ") == text.count("before training: ") == 1
        assert text.splitlines()[-1].startswith("largest gradient difference")


def test_the_order_of_a_run_is_counts_steps_picture_names_table_differences():
    for flags in ([], ["--fast"]):
        _, screen = watch("--steps", 2, "--samples", 1, *SMALL, *flags)
        places = [screen.getvalue().index(words) for words in (
            "num docs", "vocab size", "tokens", "a * b + a", "num params", "to know nothing", "trying", "step    1 /",
            "step    2 /", "from step    1", "from step    2", "before training", "sample  1", "in the training data",
            "nearest to", "engine  ", "explicit backprop", "largest gradient difference")]
        assert places == sorted(places)


def honestly(call, loss, gradient):
    return loss


def differences(forge, steps=3):
    """The module, and the lines of the two differences, of a run whose explicit engine is forged."""
    lecture, screen = watch("--steps", steps, "--samples", 0, *SMALL, source=FORGED, forge=forge)
    return lecture, *(line_with(screen.getvalue(), f"largest {of} difference") for of in ("gradient", "loss"))


@pytest.mark.parametrize("where", [1, 2], ids=["first name", "longest name"])
@pytest.mark.parametrize("place", [0, 104, -1], ids=["first number", "in between", "last number"])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_gradient_difference_is_the_largest_over_both_names_and_all_numbers(where, place, sign):
    """5e-10 in one place, relative to the largest gradient, and less everywhere else."""
    def forge(call, loss, gradient):
        largest = max(map(abs, gradient))
        gradient[50] -= 2e-10 * largest
        if call == where:
            gradient[place] += sign * 5e-10 * largest
        return loss
    _, line, _ = differences(forge)
    assert line.endswith(" 5.0e-10")


def test_the_gradient_difference_is_of_all_parameters_and_of_another_order_than_0():
    lecture, line, _ = differences(honestly)
    assert figures(line)[-1] < 1e-12
    assert figures(line)[0] == len(lecture.params) == 2 * 27 * 4 + 5 * 4 + 12 * 16


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("step", [1, 2, 6])
def test_the_largest_loss_difference_is_the_largest_over_all_steps_whatever_its_sign(sign, step):
    def forge(call, loss, gradient):
        return loss if call <= 2 else loss + sign * 3e-5 if call - 2 == step else loss + 1e-5
    _, _, line = differences(forge, 6)
    assert figures(line)[0] == 6 and line.endswith(" 3.0e-05")


def test_the_loss_difference_of_an_honest_run_is_rounding_alone():
    assert figures(differences(honestly, 10)[2])[-1] < 1e-12

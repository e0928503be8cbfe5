"""Ctrl-C, played by a clock that raises it, and mistakes: what a run catches and what it lets through."""
import re
import sys
import time

import pytest
from conftest import ROOT, SCRIPT, SMALL, Screen, before, load, run, watch

class Interrupting:
    """In the place of perf_counter, which is read twice a step: the readings of these numbers raise an exception."""
    def __init__(self, *numbers, kind=KeyboardInterrupt):
        self.numbers, self.kind, self.readings = numbers, kind, 0

    def __call__(self):
        self.readings += 1
        if self.readings in self.numbers:
            raise self.kind("at this reading")
        return float(self.readings)


def interrupted(*flags, **options):
    """Like watch, but an interrupt that the lecture lets through is a failure and not the end of the suite."""
    try:
        return watch(*flags, **options)
    except KeyboardInterrupt:
        pytest.fail("the lecture let the interrupt through")


def steps_of(text):
    return [line for line in text.replace("\r", "\n").split("\n") if line.startswith("step ")]


@pytest.mark.parametrize("terminal", [False, True], ids=["file", "terminal"])
@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_an_interrupt_during_training_ends_it_and_the_model_speaks_with_what_it_has_learned(monkeypatch, flags, terminal):
    monkeypatch.setattr(time, "perf_counter", Interrupting(9))
    lecture, screen = interrupted("--steps", 50, "--samples", 2, *SMALL, *flags, terminal=terminal)
    text = screen.getvalue()
    assert text.count("stopped early\n") == text.count("stopped early") == 1
    assert re.search(r"(left\r|loss \d\.\d{4}\n)\nstopped early\n", text)  # on a line of its own
    losses = lecture.explicit_losses if flags else lecture.losses
    assert len(losses) == 4
    assert (lecture.explicit_pace if flags else lecture.pace) == 1e6  # a second for each step that was made
    assert len(steps_of(text)) == (8 if terminal and not flags else 4)
    assert text.count("from step") == 4
    assert text.count("\nsample ") == 2
    assert [p.data for p in lecture.params] != lecture.start
    if not flags:
        assert lecture.explicit_losses == pytest.approx(losses, rel=0, abs=1e-12)
        assert "difference over 4 steps" in text
        assert steps_of(text)[-1].startswith("step    4 /    4 " if terminal else "step    4 /   50 ")


def test_the_learning_rate_of_a_training_that_is_ended_early_was_that_of_the_whole(monkeypatch):
    whole = load("--steps", 50, "--samples", 0, "--fast", *SMALL)
    monkeypatch.setattr(time, "perf_counter", Interrupting(21))
    ended, _ = interrupted("--steps", 50, "--samples", 0, *SMALL)
    assert len(ended.losses) == len(ended.explicit_losses) == 10
    assert ended.losses == pytest.approx(whole.explicit_losses[:10], rel=0, abs=1e-12)
    assert ended.explicit_losses == pytest.approx(whole.explicit_losses[:10], rel=0, abs=1e-12)


def test_an_interrupt_before_the_first_step_is_done_leaves_a_run_without_steps(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", Interrupting(1))
    lecture, screen = interrupted("--steps", 50, "--samples", 2, *SMALL)
    assert (lecture.losses, lecture.explicit_losses) == ([], [])
    assert screen.getvalue().count("stopped early") == 1
    assert screen.getvalue().count("\nsample ") == 2
    assert [p.data for p in lecture.params] == lecture.start
    assert "µs/sample" not in screen.getvalue() and "loss difference" not in screen.getvalue()
    assert screen.getvalue().splitlines()[-1].startswith("largest gradient difference")


def test_an_interrupt_of_the_encore_ends_it_and_the_table_speaks_of_the_steps_it_made(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", Interrupting(2 * 6 + 7))
    lecture, screen = interrupted("--steps", 6, "--samples", 2, *SMALL)
    assert (len(lecture.losses), len(lecture.explicit_losses)) == (6, 3)
    assert screen.getvalue().count("stopped early") == 1
    assert "difference over 3 steps" in screen.getvalue()
    assert screen.getvalue().count("\nsample ") == 2


def test_an_interrupt_before_the_first_step_of_the_encore_leaves_a_run_without_a_table(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", Interrupting(2 * 6 + 1))
    lecture, screen = interrupted("--steps", 6, "--samples", 2, *SMALL)
    assert (len(lecture.losses), len(lecture.explicit_losses)) == (6, 0)
    assert screen.getvalue().count("stopped early") == 1
    assert screen.getvalue().splitlines()[-1].startswith("largest gradient difference")
    assert "µs/sample" not in screen.getvalue()


def test_a_run_that_nobody_interrupts_says_nothing_of_it():
    for flags in ([], ["--fast"]):
        assert "stopped early" not in watch("--steps", 2, "--samples", 0, *SMALL, *flags)[1].getvalue()


@pytest.mark.parametrize("kind", [ZeroDivisionError, ValueError, OSError, MemoryError])
@pytest.mark.parametrize("reading", [1, 4, 15], ids=["at once", "in training", "in the encore"])
def test_an_exception_that_is_not_an_interrupt_passes_through(monkeypatch, kind, reading):
    monkeypatch.setattr(time, "perf_counter", Interrupting(reading, kind=kind))
    with pytest.raises(kind, match="at this reading"):
        load("--steps", 6, "--samples", 2, *SMALL)


@pytest.mark.parametrize("section", [2, 6, 9, 10, 12])
def test_the_mistake_of_a_students_edit_shows_its_traceback_and_fails(section, tmp_path):
    (tmp_path / SCRIPT.name).write_text(before(section, "1 / 0"), encoding="utf-8")
    (tmp_path / "names.txt").write_bytes((ROOT / "names.txt").read_bytes())
    process = run("--steps", 1, "--samples", 1, "--width", 4, script=tmp_path / SCRIPT.name)
    assert process.returncode == 1
    assert "Traceback (most recent call last)" in process.stderr
    assert process.stderr.rstrip().endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize("section", [9, 12])
def test_a_mistake_within_the_training_is_not_taken_for_an_interrupt(section):
    broken = before(section, "def adam(*_): return no_such_name")
    with pytest.raises(NameError, match="no_such_name"):
        load("--steps", 2, "--samples", 1, *SMALL, source=broken)


def test_the_hook_for_exceptions_and_the_flags_of_another_program_are_left_alone():
    hook, argv = sys.excepthook, list(sys.argv)
    load("--steps", 0, "--samples", 0, *SMALL)
    assert sys.excepthook is hook and sys.argv == argv


def test_a_stream_that_cannot_say_how_it_treats_errors_will_do():
    assert not hasattr(Screen, "reconfigure")
    assert "num docs" in watch("--steps", 0, "--samples", 0, *SMALL)[1].getvalue()

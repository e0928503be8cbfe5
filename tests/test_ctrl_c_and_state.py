"""Ctrl-C at any time: what a run goes on with, what is in memory at its end, and what passes through."""
import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import SCRIPT, SMALL, before, load, run, watch

STEPS = 3
FLAGS = [*SMALL, "--steps", STEPS, "--samples", 2]
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")


class Clock:
    """In the place of perf_counter, which is read twice a step. It is a second later at each reading, and the
    readings of these numbers raise an exception."""
    def __init__(self, *numbers, kind=KeyboardInterrupt):
        self.numbers = numbers
        self.kind = kind
        self.readings = 0

    def __call__(self):
        self.readings += 1
        if self.readings in self.numbers:
            raise self.kind("at this reading")
        return float(self.readings)


@pytest.fixture(scope="module")
def after():
    """The numbers after so many steps of an engine that nobody interrupts."""
    whole = load(*FLAGS)
    return {(engine, steps): whole.train(getattr(whole, engine), steps)[0]
            for engine in ("autograd", "explicit") for steps in range(STEPS + 1)}


@pytest.fixture
def stopped(monkeypatch):
    """The module of a run of these flags that is interrupted at these readings, and what it said."""
    def stopping(flags, *readings, **options):
        monkeypatch.setattr(time, "perf_counter", Clock(*readings))
        try:
            lecture, screen = watch(*flags, **options)
        except KeyboardInterrupt:
            pytest.fail("the lecture let the interrupt through")
        text = screen.getvalue()
        assert text.count("stopped early") == text.count("\nstopped early\n") == len(readings)
        assert text.count("\nsample ") == 2
        return lecture, text
    return stopping


def holds(lecture, numbers):
    """Whether these numbers are what the run has left in memory."""
    return lecture.trained == numbers


@pytest.mark.parametrize("reading", range(1, 4 * STEPS + 1))
def test_ctrl_c_at_any_time_of_both_trainings_leaves_what_was_learned(reading, stopped, after):
    """The second training makes as many steps as the first has made."""
    lecture, text = stopped(FLAGS, reading)
    steps = (reading - 1) // 2
    first, second = (steps, steps) if steps < STEPS else (STEPS, steps - STEPS)
    assert (len(lecture.losses), len(lecture.explicit_losses)) == (first, second)
    assert holds(lecture, after["autograd", first])
    assert text.count("\nstep ") == first + second
    of_as_many = text.count(f" / {first:4d} |")  # the goal of the second training
    assert of_as_many == second + first * (first == STEPS)
    assert text.count(f"\n{second} losses differ by at most ") == bool(second)
    times = "milliseconds per name: autograd 1000.00, explicit 1000.00, 1.0 times as fast"
    assert (text.splitlines()[-1] == times) == ("milliseconds" in text) == bool(second)


@pytest.mark.parametrize("reading", range(1, 2 * STEPS + 1))
def test_ctrl_c_at_any_time_of_the_fast_training_leaves_what_was_learned(reading, stopped, after):
    lecture, text = stopped([*FLAGS, "--fast"], reading)
    steps = (reading - 1) // 2
    assert len(lecture.losses) == text.count("\nstep ") == steps
    assert lecture.seconds == bool(steps)  # the clock moves by a second a step
    assert holds(lecture, after["explicit", steps])


@pytest.mark.parametrize("flags, readings, engine, steps", [
    ([], [], "autograd", STEPS),
    ([], [6, 9], "autograd", 2),
    (["--fast"], [], "explicit", STEPS),
    (["--steps", 0], [], "autograd", 0),
    (["--steps", 0, "--fast"], [], "explicit", 0),
], ids=["default", "both trainings stopped", "fast", "no steps", "no steps, fast"])
def test_any_run_leaves_the_trained_numbers_in_memory(flags, readings, engine, steps, stopped, after):
    lecture, _ = stopped([*FLAGS, *flags], *readings)
    assert holds(lecture, after[engine, steps])


class Stopping(io.StringIO):
    """Standard output that raises Ctrl-C once it has taken the line of this step for the first time."""
    def __init__(self, step):
        super().__init__()
        self.begin = f"step {step:4d} /"

    def write(self, text):
        super().write(text)
        if self.begin and text.startswith(self.begin):
            self.begin = None
            raise KeyboardInterrupt


@pytest.mark.parametrize("step", range(1, STEPS + 1))
@pytest.mark.parametrize("flags, engine", [([], "autograd"), (["--fast"], "explicit")], ids=["default", "fast"])
def test_ctrl_c_while_a_line_is_printed_leaves_the_step_of_that_line(flags, engine, step, after):
    with contextlib.redirect_stdout(Stopping(step)) as screen:
        lecture = load(*FLAGS, *flags)
    assert screen.getvalue().count("\nstopped early\n") == 1
    assert len(lecture.losses) == step
    assert holds(lecture, after[engine, step])


@pytest.mark.parametrize("engine", ["autograd", "explicit"])
def test_ctrl_c_before_any_line_of_the_loop_leaves_numbers_and_losses_of_the_same_step(engine, after):
    lecture = load(*FLAGS)
    end = 1 + SCRIPT.read_text(encoding="utf-8").split("\n").index("    except KeyboardInterrupt:")

    def interrupted(place):
        """What train returns if this line after the first step is not reached, and how many lines were missing to it."""
        left = [place]

        def by_line(frame, event, argument):
            if event == "line" and frame.f_lineno < end and len(frame.f_locals.get("losses", [])) >= 1:
                left[0] -= 1
                if not left[0]:
                    raise KeyboardInterrupt
            return by_line

        sys.settrace(lambda frame, event, argument: by_line if frame.f_code is lecture.train.__code__ else None)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return lecture.train(getattr(lecture, engine), STEPS), left[0]
        finally:
            sys.settrace(None)

    place, left = 0, 0
    while not left > 0:                                  # until there are fewer lines than that
        place += 1
        (numbers, losses, _), left = interrupted(place)
        assert numbers == after[engine, len(losses)]
    assert place > 2 * 7                                 # two steps, each with more lines than this


def test_on_a_terminal_the_line_that_was_updated_in_place_is_ended(stopped):
    assert "\r\nstopped early\nsample" in stopped(FLAGS, 4, terminal=True)[1]


def test_on_a_terminal_a_second_training_of_fewer_steps_ends_its_last_line_too(stopped):
    assert "\n1 losses differ by" in stopped(FLAGS, 4, terminal=True)[1]


@pytest.mark.parametrize("kind", [TypeError, OSError, MemoryError, SystemExit])
@pytest.mark.parametrize("reading", [1, 4, 2 * STEPS + 3])
def test_an_exception_that_is_not_ctrl_c_passes_through(reading, kind, monkeypatch):
    monkeypatch.setattr(time, "perf_counter", Clock(reading, kind=kind))
    with pytest.raises(kind, match="at this reading"):
        load(*FLAGS)


def test_a_mistake_of_a_students_edit_shows_its_traceback(tmp_path):
    script = tmp_path / "edited.py"
    script.write_text(before(9, "def adam(*_): return no_such_name"), encoding="utf-8")
    process = run(*FLAGS, script=script)
    assert process.returncode == 1
    assert "Traceback (most recent call last)" in process.stderr
    assert process.stderr.rstrip().splitlines()[-1].startswith("NameError: ")


def interrupted(*flags, at):
    """Status and lines of a process that gets Ctrl-C at a line that starts with at[0], then with at[1]."""
    command = [sys.executable, str(SCRIPT), "--width", "4", "--steps", "100000", *map(str, flags)]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    lines = []
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        for line in process.stdout:
            lines.append(line.decode().rstrip("\n"))
            if at and lines[-1].startswith(at[0]):
                process.send_signal(signal.SIGINT)
                at = at[1:]
    watchdog.cancel()
    return process.returncode, lines


@posix
@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_a_real_ctrl_c_in_training_lets_the_model_speak(flags):
    status, lines = interrupted("--samples", 20, *flags, at=["step    4"])
    assert status == 0
    assert lines.count("stopped early") == 1
    assert len([line for line in lines if line.startswith("sample ")]) == 20
    steps = len([line for line in lines if line.startswith("step ")])
    assert steps < 10_000
    repeated = (steps + 1) // 2  # of the first training, the line of the last step may be missing
    assert flags or lines[-2].startswith(f"{repeated} losses differ ")


@posix
def test_a_second_ctrl_c_outside_of_training_ends_the_program():
    status, lines = interrupted("--samples", 100_000, at=["step    4", "stopped early"])
    assert status not in (0, -signal.SIGKILL)
    assert lines[-1] == "KeyboardInterrupt"
    assert not [line for line in lines if line.startswith("seen in training")]

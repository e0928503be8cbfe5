"""Ctrl-C, and other ways in which a run ends early."""
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT, SCRIPT, SMALL, Screen, before, load, run, watch

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals, pipes and terminals")


class Interrupting:
    """In the place of perf_counter, which is read twice a step: the readings of these numbers raise an exception."""
    def __init__(self, *numbers, kind=KeyboardInterrupt):
        self.numbers, self.kind, self.readings = numbers, kind, 0

    def __call__(self):
        self.readings += 1
        if self.readings in self.numbers:
            raise self.kind("at this reading")
        return float(self.readings)


def steps_of(text):
    return [line for line in text.replace("\r", "\n").split("\n") if line.startswith("step ")]


@pytest.mark.parametrize("terminal", [False, True], ids=["file", "terminal"])
@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_an_interrupt_during_training_ends_it_and_the_model_speaks_with_what_it_has_learned(monkeypatch, flags, terminal):
    monkeypatch.setattr(time, "perf_counter", Interrupting(9))
    lecture, screen = watch("--steps", 50, "--samples", 2, *SMALL, *flags, terminal=terminal)
    text = screen.getvalue()
    assert text.count("stopped early\n") == text.count("stopped early") == 1
    assert re.search(r"(left\r|loss \d\.\d{4}\n)\nstopped early\n", text)  # on a line of its own
    losses = lecture.explicit_losses if flags else lecture.losses
    assert len(losses) == 4
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
    ended = load("--steps", 50, "--samples", 0, *SMALL)
    assert len(ended.losses) == len(ended.explicit_losses) == 10
    assert ended.losses == pytest.approx(whole.explicit_losses[:10], rel=0, abs=1e-12)
    assert ended.explicit_losses == pytest.approx(whole.explicit_losses[:10], rel=0, abs=1e-12)


def test_an_interrupt_before_the_first_step_is_done_leaves_a_run_without_steps(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", Interrupting(1))
    lecture, screen = watch("--steps", 50, "--samples", 2, *SMALL)
    assert (lecture.losses, lecture.explicit_losses) == ([], [])
    assert screen.getvalue().count("stopped early") == 1
    assert screen.getvalue().count("\nsample ") == 2
    assert [p.data for p in lecture.params] == lecture.start
    assert "µs/sample" not in screen.getvalue() and "loss difference" not in screen.getvalue()
    assert screen.getvalue().splitlines()[-1].startswith("largest gradient difference")


def test_an_interrupt_of_the_encore_ends_it_and_the_table_speaks_of_the_steps_it_made(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", Interrupting(2 * 6 + 7))
    lecture, screen = watch("--steps", 6, "--samples", 2, *SMALL)
    assert (len(lecture.losses), len(lecture.explicit_losses)) == (6, 3)
    assert screen.getvalue().count("stopped early") == 1
    assert "difference over 3 steps" in screen.getvalue()
    assert screen.getvalue().count("\nsample ") == 2


def test_an_interrupt_before_the_first_step_of_the_encore_leaves_a_run_without_a_table(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", Interrupting(2 * 6 + 1))
    lecture, screen = watch("--steps", 6, "--samples", 2, *SMALL)
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


# ---- with real signals, pipes and terminals


def interrupted(*flags, after, again=None):
    """Run with standard output in a pipe, send Ctrl-C when a line starts with `after`, once more at `again`."""
    process = subprocess.Popen([sys.executable, str(SCRIPT), *map(str, flags)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, encoding="utf-8", env={**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"})
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if after and line.startswith(after):
            process.send_signal(signal.SIGINT)
            after, again = again, None
    errors = process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    status = process.wait(60)
    watchdog.cancel()
    return status, lines, errors


@posix
@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_ctrl_c_during_training_ends_the_training_and_the_model_speaks(flags):
    status, lines, errors = interrupted("--steps", 100_000, "--samples", 20, *flags, "--width", 4, after="step    4")
    assert (status, errors) == (0, "")
    steps = [line for line in lines if line.startswith("step ")]
    assert 4 <= len(steps) < 10_000
    assert lines.count("stopped early") == 1
    assert len([line for line in lines if line.startswith("sample ")]) == 20
    assert lines[-1].startswith("largest")
    if not flags:
        assert f"difference over {len(steps)} steps" in lines[-1]


@posix
def test_a_second_ctrl_c_ends_the_program():
    status, lines, _ = interrupted("--steps", 100_000, "--samples", 100_000, "--width", 4, after="step    4", again="before training")
    assert status not in (0, -signal.SIGKILL)
    assert lines[-1].startswith("before training")


@posix
@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy does not keep interrupts ignored")
def test_a_run_that_was_started_with_interrupts_ignored_goes_on_to_its_end():
    command = f'trap "" INT; exec "{sys.executable}" "{SCRIPT}" --steps 30 --samples 1 --width 4'
    process = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("step    2 "):
            process.send_signal(signal.SIGINT)
    assert process.stderr.read() == ""
    process.stdout.close()
    process.stderr.close()
    assert process.wait(60) == 0
    watchdog.cancel()
    assert len([line for line in lines if line.startswith("step ")]) == 30
    assert "stopped early\n" not in lines


@posix
@pytest.mark.slow
def test_a_suite_that_was_started_with_interrupts_ignored_can_interrupt_its_runs_all_the_same():
    one = f"{__file__}::test_ctrl_c_during_training_ends_the_training_and_the_model_speaks"
    command = f'trap "" INT; exec "{sys.executable}" -m pytest -q -p no:cacheprovider "{one}"'
    process = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert process.returncode == 0, process.stdout
    assert "2 passed" in process.stdout


@posix
@pytest.mark.parametrize("steps", [5, 3000])
def test_a_reader_that_closes_the_pipe_ends_the_run_without_a_word(steps):
    writer = subprocess.Popen([sys.executable, str(SCRIPT), "--steps", str(steps), "--width", "4"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    assert writer.stdout.readline().startswith("num docs")
    writer.stdout.close()
    assert writer.stderr.read() == ""
    writer.stderr.close()
    writer.wait(60)


@posix
def test_the_pipes_of_another_program_that_runs_the_lecture_are_left_alone():
    """As in a notebook: only a command ends without a word when nobody reads."""
    code = (f"import signal, sys; sys.argv = ['kernel.py', '-f', 'x']; signal.signal(signal.SIGPIPE, signal.SIG_IGN)\n"
            f"source = open({str(SCRIPT)!r}, encoding='utf-8').read().replace('1000, 0', '0, 0')\n"
            f"exec(compile(source, 'cell', 'exec'), {{'__name__': '__main__'}})\n"
            f"print(signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN)")
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, encoding="utf-8", timeout=60)
    assert process.stdout.splitlines()[-1] == "True", process.stderr


@posix
def test_closed_standard_output_is_no_error():
    command = f'"{sys.executable}" "{SCRIPT}" --steps 1 --samples 1 --width 4 >&-'
    process = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device here")
def test_a_full_disk_is_a_loud_error():
    with open("/dev/full", "w") as full:
        process = subprocess.run([sys.executable, str(SCRIPT), "--steps", "1", "--width", "4"], stdout=full, stderr=subprocess.PIPE,
                                 text=True, timeout=60)
    assert process.returncode != 0
    assert "No space left" in process.stderr


@posix
def test_on_a_real_terminal_one_line_an_engine_is_updated_in_place_and_all_fits_80_columns():
    try:
        main, other = os.openpty()
    except OSError:
        pytest.skip("there is no pseudo-terminal here")
    process = subprocess.Popen([sys.executable, str(SCRIPT), "--steps", "120", "--width", "4", "--samples", "2"],
                               stdout=other, stderr=other, env={**os.environ, "PYTHONUTF8": "1"})
    os.close(other)
    screen = b""
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:
            break
        if not chunk:
            break
        screen += chunk
    os.close(main)
    assert process.wait(60) == 0
    text = screen.decode("utf-8").replace("\r\n", "\n")
    progress = [line for line in text.split("\n") if line.startswith("step ")]
    assert [len(line.split("\r")) for line in progress] == [120, 120]
    assert all(len(part) <= 80 for line in text.split("\n") for part in line.split("\r")[1:] or [line] if "trying" not in part and "nothing" not in part)


def test_a_stream_that_cannot_say_how_it_treats_errors_will_do():
    assert not hasattr(Screen, "reconfigure")
    assert "num docs" in watch("--steps", 0, "--samples", 0, *SMALL)[1].getvalue()

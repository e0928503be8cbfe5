"""The lecture as a process: Ctrl-C for real, closed pipes, a full disk, a terminal."""
import os
import signal
import subprocess
import sys
import threading

import pytest
from conftest import ROOT, SCRIPT

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals, pipes and terminals")


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
    assert max(len(part) for part in text.replace("\r", "\n").split("\n")) <= 80
    assert max(len(part) for line in progress for part in line.split("\r")) <= 79

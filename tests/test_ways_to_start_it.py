"""The lecture as a process: where it finds its names, what its output may be, and who may start it."""
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import SCRIPT, SMALL, run, watch

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such pipes, links and terminals")
SHORT = ["--steps", 3, "--samples", 3, "--width", 4]
PROGRAM = f"program = open({str(SCRIPT)!r}, encoding='utf-8').read()\n"


@pytest.fixture
def home(tmp_path):
    """A folder with the lecture and two names of its own. In a folder beside it is a link to this lecture."""
    folder = tmp_path / "100%"
    folder.mkdir()
    shutil.copy(SCRIPT, folder)
    (folder / "names.txt").write_text("ada\nbo\n")
    (tmp_path / "elsewhere").mkdir()
    if os.name == "posix":
        (tmp_path / "elsewhere" / "link.py").symlink_to(folder / "microgpt.py")
    return folder


def well(process):
    """The output of a process that ended well and without a complaint."""
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout


@pytest.mark.parametrize("where, words", [
    (".", ["microgpt.py"]),
    (".", ["-m", "microgpt"]),
    ("../elsewhere", ["../100%/microgpt.py"]),
    pytest.param("../elsewhere", ["link.py"], marks=posix),
], ids=["in its folder", "-m", "elsewhere", "through a link"])
def test_it_finds_the_names_beside_the_real_file_and_leaves_no_file_behind(where, words, home):
    before = sorted(home.parent.rglob("*"))
    process = run(*words[1:], *SHORT, script=words[0], cwd=home / where, env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert well(process).startswith("num docs: 2\n")
    assert sorted(home.parent.rglob("*")) == before


def test_names_in_the_folder_one_stands_in_go_before_those_beside_it(home):
    elsewhere = home.parent / "elsewhere"
    (elsewhere / "names.txt").write_text("these\nare\nother\nnames\n")
    assert well(run(*SHORT, script=home / "microgpt.py", cwd=elsewhere)).startswith("num docs: 4\n")


def test_an_empty_file_in_the_folder_one_stands_in_is_not_passed_over(home):
    (home.parent / "elsewhere" / "names.txt").write_text("")
    process = run(*SHORT, script=home / "microgpt.py", cwd=home.parent / "elsewhere")
    assert process.returncode == 2 and "'names.txt' must hold at least one name" in process.stderr


def test_a_path_is_looked_for_beside_the_script_as_a_whole(home):
    """Not by the name of its file alone: there are names.txt and pets/dogs.txt beside it, and nothing else."""
    (home / "pets").mkdir()
    (home / "pets" / "dogs.txt").write_text("rex\nfido\nbello\n")
    script, elsewhere = home / "microgpt.py", home.parent / "elsewhere"
    assert well(run(*SHORT, "--data", "pets/dogs.txt", script=script, cwd=elsewhere)).startswith("num docs: 3\n")
    process = run(*SHORT, "--data", "pets/names.txt", script=script, cwd=elsewhere)
    assert process.returncode == 2 and "--data 'pets/names.txt' cannot be read" in process.stderr


@pytest.mark.skipif(not os.path.exists("/dev/stdin"), reason="there is no such file here")
def test_names_may_come_from_a_pipe():
    process = run(*SHORT, "--data", "/dev/stdin", input="zoë\nbo\nzoë\n")
    assert well(process).startswith("num docs: 3\nvocab size: 5\n")


@pytest.mark.parametrize("options, env", [
    (["-OO"], {}), (["-I", "-S"], {}), ([], {"PYTHONHASHSEED": "1"}), ([], {"PYTHONHASHSEED": "2"})],
    ids=["without assertions", "with the standard library alone", "hash seed 1", "hash seed 2"])
def test_the_way_python_is_started_changes_nothing(options, env):
    flags = [*SMALL, "--steps", 5, "--samples", 30]
    texts = well(run(*flags, python=options, env=env)), watch(*flags)[1].getvalue()
    as_command, in_this_process = (re.sub(r"milliseconds .*", "", text) for text in texts)
    assert as_command == in_this_process


@pytest.mark.parametrize("removal", ["", "del signal.SIGPIPE\n"], ids=["with SIGPIPE", "without SIGPIPE"])
def test_a_letter_that_the_output_cannot_show_is_a_question_mark(removal, tmp_path):
    (tmp_path / "names.txt").write_text("zoë\nАнна\n小明\n", encoding="utf-8")
    start = f"import signal, sys\n{removal if os.name == 'posix' else ''}{PROGRAM}exec(program)\n"
    (tmp_path / "start.py").write_text(start, encoding="utf-8")
    flags = [*SHORT, "--fast", "--temperature", 3]
    shown, plain = (well(run(*flags, script="start.py", cwd=tmp_path, env={
        "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding})) for encoding in ("utf-8", "ascii"))
    assert "小" in shown and "ë" in shown
    assert plain == shown.encode("ascii", "replace").decode()


@posix
def test_a_closed_standard_output_is_no_error():
    command = f'"{sys.executable}" "{SCRIPT}" --steps 2 --samples 1 --width 4 >&-'
    process = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, timeout=60)
    assert (process.returncode, process.stderr) == (0, b"")


@posix
@pytest.mark.parametrize("steps", [5, 3000])
def test_a_reader_that_closes_the_pipe_ends_the_run_without_a_word(steps):
    command = [sys.executable, str(SCRIPT), "--steps", str(steps), "--width", "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout.readline().startswith(b"num docs")
        writer.stdout.close()
        assert writer.stderr.read() == b""
    assert writer.returncode in [-signal.SIGPIPE] + ([0] if steps == 5 else [])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device here")
@pytest.mark.parametrize("steps", [0, 1])
def test_a_full_disk_is_loud(steps):
    with open("/dev/full", "w") as full:
        process = run("--steps", steps, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert process.returncode
    assert "No space left" in process.stderr


def test_in_a_notebook_the_flags_of_the_kernel_are_not_its_own(tmp_path):
    """There sys.argv belongs to the kernel, and there is no __file__."""
    (tmp_path / "names.txt").write_text("ada\nbo\n")
    kernel = "import sys\nsys.modules['ipykernel'] = sys\nsys.argv = ['/no/launcher.py', '-f', 'x.json']\n"
    cell = "exec(program.replace('1000, 0,', '2, 0,'), {'__name__': '__main__'})\n"
    text = well(run(kernel + PROGRAM + cell, script="-c", cwd=tmp_path))
    assert text.startswith("num docs: 2\n") and text.count("\nstep ") == 4
    (tmp_path / "names.txt").unlink()
    process = run(kernel + PROGRAM + cell, script="-c", cwd=tmp_path)
    assert process.returncode == 2 and process.stderr.count("\n") == 1


def test_after_python_i_the_model_and_both_engines_are_at_hand():
    asked = ["Value(3.0) * 2", "a.grad, b.grad", "len(gpt(matrices([Value(each) for each in trained]), BOS, 0, [([], [])]))",
             "[len(engine(trained, encode('ada'))[1]) for engine in (autograd, explicit)]",
             "len(losses), len(explicit_losses), seconds > 0, len(generate(trained)) <= block, len(trained)"]
    flags = ["--steps", 2, "--samples", 1]
    process = run(*flags, python=["-i"], input="\n".join(asked) + "\n", env={"PYTHON_BASIC_REPL": "1"})
    answers = process.stdout.replace(">>>> ", "").split("\n")  # PyPy prompts on standard output
    assert [line for line in answers if line.strip()][-5:] == [
        "Value(data=6.0, grad=0.0)", "(4.0, 2.0)", "27", "[4192, 4192]", "(2, 2, True, True, 4192)"]


@posix
def test_on_a_terminal_only_each_hundredth_step_and_the_last_stay():
    """All other steps are updated in place. No line is wider than 80 columns. Both trainings."""
    try:
        main, other = os.openpty()
    except OSError:
        pytest.skip("there is no pseudo-terminal here")
    command = [sys.executable, str(SCRIPT), "--steps", "230", "--width", "2", "--heads", "1"]
    process = subprocess.Popen(command, stdout=other, stderr=other)
    os.close(other)
    chunks = []
    try:
        while not chunks or chunks[-1]:
            chunks.append(os.read(main, 65536))
    except OSError:  # as Linux says that nobody writes any more
        pass
    os.close(main)
    assert process.wait(60) == 0
    screen = b"".join(chunks).decode().replace("\r\n", "\n")
    steps = [line.split("\r") for line in screen.split("\n") if line.startswith("step ")]
    assert [len(updates) for updates in steps] == [100, 100, 30] * 2
    assert [int(updates[-1][5:9]) for updates in steps] == [100, 200, 230] * 2
    assert len({len(update) for updates in steps for update in updates}) == 1  # each covers the one before
    assert max(len(line) for line in screen.replace("\r", "\n").split("\n")) <= 80

"""microgpt.py as a command: its output, its flags, what it refuses, and how it ends."""
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import ROOT, SCRIPT, run

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and pipes")
SMALL = ["--width", 4, "--heads", 2]


def refused(process):
    """The one sentence on standard error of a run that was refused with status 2."""
    assert process.returncode == 2
    assert "Traceback" not in process.stderr
    assert process.stderr.startswith("microgpt: ")
    assert process.stderr.endswith("\n") and process.stderr.count("\n") == 1
    assert not process.stdout
    return process.stderr


def test_output_to_a_file_has_the_counts_a_line_per_step_and_a_line_per_name():
    process = run("--steps", 12, "--samples", 3)
    assert (process.returncode, process.stderr) == (0, "")
    lines = process.stdout.splitlines()
    assert lines[:3] == [f"num docs: {len((ROOT / 'names.txt').read_text().split())}", "vocab size: 27", "num params: 4192"]
    for i, line in enumerate(lines[3:15], start=1):
        assert re.fullmatch(rf"step {i:4d} /   12 \| loss \d+\.\d{{4}}", line)
    assert len([line for line in lines if line.startswith("step ")]) == 12
    names = [line for line in lines if line.startswith("sample ")]
    assert len(names) == 3
    for i, line in enumerate(names, start=1):
        assert re.fullmatch(rf"sample {i:2d}: [a-z]{{0,16}}", line)
    assert "\r" not in process.stdout


def test_a_run_ends_with_the_table_of_the_two_engines_and_the_two_differences():
    lines = run("--steps", 5, "--samples", 0).stdout.splitlines()
    assert lines[-5] == "engine                 µs/sample   speedup"
    assert re.fullmatch(r"scalar autograd +\d+\.\d +1\.0x", lines[-4]) and len(lines[-4]) == 42
    assert re.fullmatch(r"explicit backprop +\d+\.\d +\d+\.\dx", lines[-3]) and len(lines[-3]) == 42
    gradient = re.fullmatch(r"largest gradient difference, first step, all 4192 parameters: (\S+)", lines[-2])
    loss = re.fullmatch(r"largest loss difference over 5 steps: (\S+)", lines[-1])
    assert 0 <= float(gradient[1]) < 1e-12
    assert 0 <= float(loss[1]) < 1e-12


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    def told(*flags):
        return [line for line in run("--steps", 5, *SMALL, *flags).stdout.splitlines() if line.startswith(("step", "sample"))]
    assert told() == told() != told("--seed", 1)


def test_fast_speaks_the_same_names_and_prints_the_same_losses_as_the_autograd_run():
    def told(*flags):
        return [line for line in run("--steps", 30, *flags).stdout.splitlines() if line.startswith(("step", "sample"))]
    slow = told()
    assert len(slow) == 50
    assert told("--fast") == slow


def test_help_shows_every_flag_with_its_meaning_and_default():
    process = run("--help", env={**os.environ, "COLUMNS": "200"})
    assert process.returncode == 0
    for flag, default in [("steps", 1000), ("layers", 1), ("width", 16), ("heads", 4), ("block", 16), ("seed", 42),
                          ("temperature", 0.5), ("samples", 20), ("data", "names.txt")]:
        assert re.search(rf"--{flag} {flag.upper()}\s+\S.* \(default: {re.escape(str(default))}\)\n", process.stdout)
    assert re.search(r"--fast +\S", process.stdout)


@pytest.mark.parametrize("flags, about", [
    (["--steps", "-1"], "--steps"),
    (["--steps", "ten"], "--steps"),
    (["--steps", "1.5"], "--steps"),
    (["--layers", "0"], "--layers"),
    (["--width", "0"], "--width"),
    (["--width", "-16"], "--width"),
    (["--heads", "0"], "--heads"),
    (["--heads", "3"], "--heads"),
    (["--width", "4", "--heads", "8"], "--heads"),
    (["--block", "0"], "--block"),
    (["--samples", "-1"], "--samples"),
    (["--temperature", "0"], "--temperature"),
    (["--temperature", "-1"], "--temperature"),
    (["--temperature", "nan"], "--temperature"),
    (["--temperature", "inf"], "--temperature"),
    (["--temperature", "warm"], "--temperature"),
    (["--seed", "x"], "--seed"),
    (["--nonsense"], "--nonsense"),
    (["names.txt"], "names.txt"),
    (["--data", "missing.txt"], "missing.txt"),
    (["--data", "."], "."),
    (["--data", ""], ""),
    (["--data", "two\nlines"], "two\\nlines"),
], ids=" ".join)
def test_a_choice_that_cannot_work_is_refused_in_one_sentence(flags, about):
    assert about in refused(run(*flags))


@pytest.mark.parametrize("content, about", [
    (b"", "no name"),
    (b"\n \r\n\t\n", "no name"),
    (b"\xef\xbb\xbf", "no name"),
    (b"ada\n\xff\xfe\n", "cannot read"),
    ("zoë\n".encode("latin-1"), "cannot read"),
    ("ada\n".encode("utf-16"), "cannot read"),
], ids=["empty", "blank lines", "only a byte-order mark", "bytes", "Latin-1", "UTF-16"])
def test_a_file_that_is_not_a_list_of_names_is_refused_in_one_sentence(content, about, tmp_path):
    data = tmp_path / "data.txt"
    data.write_bytes(content)
    sentence = refused(run("--data", data))
    assert "data.txt" in sentence and about in sentence


@posix
def test_a_file_that_may_not_be_read_is_refused_in_one_sentence(tmp_path):
    data = tmp_path / "data.txt"
    data.write_text("ada\n")
    data.chmod(0)
    if os.access(data, os.R_OK):
        pytest.skip("this user may read everything")
    assert "data.txt" in refused(run("--data", data))


def test_it_runs_from_any_directory_on_its_own_names_and_writes_no_file(tmp_path):
    elsewhere, home = tmp_path / "elsewhere", tmp_path / "home"
    elsewhere.mkdir()
    home.mkdir()
    (elsewhere / "names.txt").write_text("not these\n")
    shutil.copy(SCRIPT, home / "microgpt.py")
    (home / "names.txt").write_text("ada\nbo\n")
    process = subprocess.run([sys.executable, str(home / "microgpt.py"), "--steps", "2", "--samples", "1"], cwd=elsewhere,
                             capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert process.returncode == 0
    assert process.stdout.startswith("num docs: 2\n")
    assert sorted(os.listdir(elsewhere)) == ["names.txt"]
    assert sorted(os.listdir(home)) == ["microgpt.py", "names.txt"]


def test_data_names_a_file_in_the_working_directory_even_if_it_is_called_names_txt(tmp_path):
    (tmp_path / "names.txt").write_text("ada\n")
    assert run("--data", "names.txt", "--steps", 0, cwd=tmp_path).stdout.startswith("num docs: 1\n")


def test_a_copy_under_another_name_and_a_link_take_their_flags_too(tmp_path):
    shutil.copy(SCRIPT, tmp_path / "mine.py")
    shutil.copy(ROOT / "names.txt", tmp_path / "names.txt")
    for path in [tmp_path / "mine.py"] + ([tmp_path / "link.py"] if os.name == "posix" else []):
        if path.name == "link.py":
            path.symlink_to(SCRIPT)
        process = subprocess.run([sys.executable, str(path), "--steps", "0", "--samples", "2", "--width", "8"],
                                 capture_output=True, text=True, encoding="utf-8", timeout=60)
        assert process.returncode == 0
        assert "num params: 1328\n" in process.stdout


@pytest.mark.parametrize("flags, params", [
    (["--width", 1, "--heads", 1, "--block", 1], 2 * 27 + 1 + 12),
    (["--layers", 2, "--width", 6, "--heads", 6, "--block", 40], 2 * 27 * 6 + 40 * 6 + 2 * 12 * 36),
])
def test_layers_width_heads_and_block_are_real_settings(flags, params):
    process = run("--steps", 2, "--samples", 2, *flags)
    assert (process.returncode, process.stderr) == (0, "")
    assert f"num params: {params}\n" in process.stdout


@pytest.mark.parametrize("flags", [["--steps", 0], ["--samples", 0, "--steps", 1], ["--steps", 0, "--fast"], ["--steps", 1, "--fast"]],
                         ids=lambda flags: " ".join(map(str, flags)))
def test_no_steps_or_no_samples_are_a_run_like_any_other(flags):
    process = run(*SMALL, *flags)
    assert (process.returncode, process.stderr) == (0, "")
    names = [line for line in process.stdout.splitlines() if line.startswith("sample ")]
    assert len(names) == (0 if "--samples" in flags else 20)


def test_an_ascii_locale_does_not_stop_a_model_of_other_letters(tmp_path):
    data = tmp_path / "names.txt"
    data.write_text("zoë\nАнна\n小明\n", encoding="utf-8")
    ascii_only = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    process = run("--data", data, "--steps", 2, "--samples", 5, "--temperature", 3, *SMALL, env=ascii_only)
    assert (process.returncode, process.stderr) == (0, "")
    assert "?" in process.stdout and process.stdout.isascii()
    assert "no-such-ä" in run("--data", "no-such-ä").stderr
    assert refused(run("--data", "no-such-ä", env=ascii_only))


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
def test_closed_standard_output_is_no_error():
    command = f'"{sys.executable}" "{SCRIPT}" --steps 1 --samples 1 --width 4 >&-'
    process = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stderr) == (0, "")


def interrupted(*flags, after, again=None):
    """Run with standard output in a pipe, send Ctrl-C when a line starts with `after`, once more at `again`."""
    process = subprocess.Popen([sys.executable, str(SCRIPT), *map(str, flags)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, encoding="utf-8", env={**os.environ, "PYTHONUTF8": "1"})
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith(after):
            process.send_signal(signal.SIGINT)
            after = again or "never"
            again = None
    errors = process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    return process.wait(60), lines, errors


@posix
@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_ctrl_c_during_training_ends_the_training_and_the_model_speaks(flags):
    status, lines, errors = interrupted("--steps", 100_000, *flags, after="step    4")
    assert (status, errors) == (0, "")
    steps = [line for line in lines if line.startswith("step ")]
    assert 4 <= len(steps) < 10_000
    assert len([line for line in lines if line.startswith("sample ")]) == 20
    assert lines[-1].startswith("largest")


@posix
def test_the_encore_after_ctrl_c_repeats_the_steps_that_were_made():
    status, lines, errors = interrupted("--steps", 100_000, after="step    4")
    steps = [line for line in lines if line.startswith("step ")]
    assert lines[-1].startswith(f"largest loss difference over {len(steps)} steps: ")


@posix
def test_a_second_ctrl_c_ends_the_program_quietly():
    status, lines, errors = interrupted("--steps", 100_000, "--samples", 100_000, after="step    4", again="sample  3")
    assert errors == ""
    assert status != 0
    assert len([line for line in lines if line.startswith("sample ")]) < 99_000


@posix
def test_on_a_terminal_one_line_is_updated_in_place_and_fits_80_columns():
    try:
        main, other = os.openpty()
    except OSError:
        pytest.skip("there is no pseudo-terminal here")
    process = subprocess.Popen([sys.executable, str(SCRIPT), "--steps", "150", "--width", "4", "--samples", "2"],
                               stdout=other, stderr=other)
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
    progress = next(line for line in text.split("\n") if line.startswith("step "))
    updates = [update for update in progress.split("\r") if update]
    assert len(updates) == 150
    for i, update in enumerate(updates, start=1):
        assert re.fullmatch(rf"step {i:4d} /  150 \| loss \d\.\d{{4}} \| mean \d\.\d{{4}} \| +\d+\.\d ms/name \| +\d+ s left *", update)
        assert len(update) < 80
    assert text.count("\nmean") + text.count("\nfrom step") == 10
    assert all(len(line) <= 80 for line in text.split("\n") if "\r" not in line)


@pytest.mark.parametrize("rule, broken", [
    ("dk += dots(q[part], transpose(ds))", "dk += dots(q[part], ds)"),
    ("for g in row], kept", "for g in row][:-1] + [math.nan], kept"),
], ids=["a rule", "not a number"])
def test_a_disagreement_of_the_engines_is_reported_loudly_and_ends_the_run_with_status_1(rule, broken, tmp_path):
    source = SCRIPT.read_text(encoding="utf-8")
    assert source.count(rule) == 1
    (tmp_path / "microgpt.py").write_text(source.replace(rule, broken), encoding="utf-8")
    shutil.copy(ROOT / "names.txt", tmp_path / "names.txt")
    for flags in (["--steps", "1"], ["--fast", "--steps", "1"]):
        process = subprocess.run([sys.executable, str(tmp_path / "microgpt.py"), *flags], capture_output=True, text=True,
                                 encoding="utf-8", timeout=60)
        assert process.returncode == 1
        assert "DISAGREE" in process.stderr and "Traceback" not in process.stderr


def test_the_arguments_of_another_program_are_not_taken_for_its_own(tmp_path):
    """As in a notebook, where sys.argv belongs to the kernel and there is no __file__."""
    code = f"import sys; sys.argv = ['ipykernel_launcher.py', '-f', 'kernel.json']\nsource = open({str(SCRIPT)!r}, encoding='utf-8').read()"
    code += "\nexec(compile(source.replace('1000, 0', '2, 0'), 'cell', 'exec'), {'__name__': '__main__'})"
    shutil.copy(ROOT / "names.txt", tmp_path / "names.txt")
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, encoding="utf-8",
                             timeout=60, env={**os.environ, "PYTHONUTF8": "1"})
    assert (process.returncode, process.stderr) == (0, "")
    assert "step    2 /    2" in process.stdout


def test_after_python_i_the_model_its_numbers_and_its_attention_are_at_hand():
    asked = "\n".join([
        "Value(3.0) * 2",
        "a = Value(2.0); b = a * a; b.backward(); a.grad",
        "len(gpt(BOS, 0, [[]], [[]]))",
        "kept = explicit([p.data for p in params], encode('ada'))[2]; len(kept[0][0]), len(kept[0][0][0])",
    ])
    process = subprocess.run([sys.executable, "-i", str(SCRIPT), "--steps", "2", "--samples", "1"], input=asked + "\n",
                             capture_output=True, text=True, encoding="utf-8", timeout=60,
                             env={**os.environ, "PYTHONUTF8": "1", "PYTHON_BASIC_REPL": "1"})
    answers = [line.removeprefix(">>>> ") for line in process.stdout.splitlines()]  # PyPy prompts on standard output
    assert [line for line in answers if line.strip()][-4:] == ["Value(data=6.0, grad=0.0)", "4.0", "27", "(4, 4)"]

"""microgpt.py as a command: its flags, what it refuses and how, where it finds its names, and other ways to start it."""
import errno
import glob
import os
import random
import re
import shutil
import subprocess
import sys

import pytest
from conftest import FIGURES, ROOT, SCRIPT, SMALL, SOURCE, load, repeated, run, watch

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such file modes")
KNOBS = {"steps": 1000, "layers": 1, "width": 16, "heads": 4, "block": 16, "seed": 42, "temperature": 0.5, "samples": 20}
LEAST = {"steps": 0, "layers": 1, "width": 1, "heads": 1, "block": 1, "temperature": 0.01, "samples": 0}


def told(text):
    return [line for line in text.splitlines() if line.startswith(("step", "sample"))]


def refusal(capsys, *flags):
    """The one sentence on standard error with which a run was refused with status 2."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        load(*flags)
    out, sentence = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert sentence.startswith("microgpt: ")
    assert sentence.endswith("\n") and sentence.count("\n") == 1
    return sentence


def test_a_run_as_a_command_says_the_same_as_a_run_in_this_process():
    process = run("--steps", 5, "--samples", 3, *SMALL)
    assert (process.returncode, process.stderr) == (0, "")
    _, screen = watch("--steps", 5, "--samples", 3, *SMALL)
    assert process.stdout.split("\nengine")[0] == screen.getvalue().split("\nengine")[0]
    assert process.stdout.count("\n") == screen.getvalue().count("\n")
    assert len(told(process.stdout)) == 8


def test_the_default_run_uses_the_names_beside_it_and_the_knobs_of_the_table(default):
    assert {knob: getattr(default, knob) for knob in KNOBS} == {**KNOBS, "steps": 0, "samples": 0}
    assert sorted(default.docs) == (ROOT / "names.txt").read_text(encoding="utf-8").split()
    assert len(default.params) == 4192


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    once, again, other = (told(watch("--steps", 5, *SMALL, "--seed", seed)[1].getvalue()) for seed in (42, 42, 1))
    assert once == again != other
    assert once[0] != other[0] and once[-1] != other[-1]


def test_fast_speaks_the_same_names_and_prints_the_same_losses_as_the_autograd_run():
    slow, fast = (repeated("default", *flags)[1].getvalue() for flags in ([], ["--fast"]))
    assert len(told(slow)) == 80
    assert told(fast) == told(slow)


def test_help_shows_every_flag_with_its_meaning_and_default():
    for options in ([], ["-OO"]):
        process = run("--help", python=options, env={"COLUMNS": "1000", "NO_COLOR": "1"})
        assert process.returncode == 0
        for flag, default in [*KNOBS.items(), ("data", ROOT / "names.txt")]:
            assert re.search(rf"--{flag} {flag.upper()}\s+\S.* \(default: {re.escape(str(default))}\)\n", process.stdout)
        assert re.search(r"--fast +\S", process.stdout)
        assert process.stdout.startswith("microgpt: how a GPT") or options


@pytest.mark.parametrize("knob", LEAST)
def test_a_choice_below_its_bound_is_refused_with_its_flag_its_value_and_its_bound(knob, capsys):
    least = LEAST[knob]
    for value in [least - 1, -16] + ([0, 0.0099, "nan"] if knob == "temperature" else []):
        sentence = refusal(capsys, f"--{knob}", value)
        assert f"--{knob} " in sentence
        assert not [other for other in LEAST if other != knob and f"--{other}" in sentence]
        shown = float(value) if knob == "temperature" else value
        assert sorted(re.findall(r"-?[\d.]*\d|nan", sentence)) == sorted(map(str, [shown, least]))
        assert f"least {least}," in sentence


@pytest.mark.parametrize("knob", LEAST)
def test_a_choice_at_its_bound_is_taken(knob):
    lecture, screen = watch("--width", 4, "--heads", 1, "--block", 3, "--steps", 1, "--samples", 1, f"--{knob}", LEAST[knob])
    assert getattr(lecture, knob) == LEAST[knob]
    assert "largest gradient difference" in screen.getvalue()


@pytest.mark.parametrize("width, heads", [(16, 3), (4, 8), (6, 4)])
def test_heads_that_do_not_divide_the_width_are_refused_with_both_numbers(width, heads, capsys):
    sentence = refusal(capsys, "--width", width, "--heads", heads)
    assert "--heads must divide --width" in sentence
    assert re.findall(r"\d+", sentence) == [str(heads), str(width)]


@pytest.mark.parametrize("flags, about", [
    (["--steps", "ten"], "--steps: invalid int value: 'ten'"),
    (["--steps", "1.5"], "--steps: invalid int value: '1.5'"),
    (["--temperature", "warm"], "--temperature: invalid float value: 'warm'"),
    (["--seed", "x"], "--seed: invalid int value: 'x'"),
    (["--nonsense"], "--nonsense"),
    (["names.txt"], "names.txt"),
    (["--data", "missing.txt"], "cannot read --data 'missing.txt': "),
    (["--data", "."], "cannot read --data '.': "),
    (["--data", ""], "cannot read --data '': "),
    (["--data", "a\0b"], "cannot read --data 'a\\x00b': "),
    (["--data", "two\nlines"], "cannot read --data 'two\\nlines': "),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_choice_that_cannot_be_read_is_refused_in_one_sentence(flags, about, capsys):
    assert about in refusal(capsys, *flags)


def test_a_refused_file_is_refused_with_the_reason_and_with_what_would_do(tmp_path, capsys):
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "bytes.txt").write_bytes(b"ada\xff")
    reasons = {"missing.txt": os.strerror(errno.ENOENT), "bytes.txt": "0xff", "empty.txt": "no name"}
    for name, reason in reasons.items():
        sentence = refusal(capsys, "--data", tmp_path / name)
        assert reason in sentence and "UTF-8" in sentence and "one name a line" in sentence


def test_a_refusal_of_a_command_has_status_2_and_stands_on_standard_error_alone():
    process = run("--steps", "-1")
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith("microgpt: ") and process.stderr.count("\n") == 1


@pytest.mark.parametrize("content, about", [
    (b"", "no name in --data"),
    (b"\n \r\n\t\n", "no name in --data"),
    (b"\xef\xbb\xbf", "no name in --data"),
    (b"ada\n\xff\xfe\n", "cannot read --data"),
    ("zoë\n".encode("latin-1"), "cannot read --data"),
    ("ada\n".encode("utf-16"), "cannot read --data"),
], ids=["empty", "blank lines", "only a byte-order mark", "bytes", "Latin-1", "UTF-16"])
def test_a_file_that_is_not_a_list_of_names_is_refused_in_one_sentence(content, about, tmp_path, capsys):
    data = tmp_path / "data.txt"
    data.write_bytes(content)
    assert f"{about} {str(data)!r}" in refusal(capsys, "--data", data)


def test_trouble_with_a_file_that_is_nobodys_choice_is_not_taken_for_a_refusal(monkeypatch):
    def trouble(*_):
        raise MemoryError("too large")
    monkeypatch.setattr("pathlib.Path.read_text", trouble)
    with pytest.raises(MemoryError):
        load("--steps", 0)


@posix
def test_a_file_that_may_not_be_read_is_refused_in_one_sentence(tmp_path, capsys):
    data = tmp_path / "data.txt"
    data.write_text("ada\n")
    data.chmod(0)
    if os.access(data, os.R_OK):
        pytest.skip("this user may read everything")
    assert "data.txt" in refusal(capsys, "--data", data)


def test_it_runs_from_any_directory_on_its_own_names_and_writes_no_file(tmp_path):
    elsewhere, home = tmp_path / "elsewhere", tmp_path / "home"
    elsewhere.mkdir()
    home.mkdir()
    (elsewhere / "names.txt").write_text("not\nthese\nnames\n")
    shutil.copy(SCRIPT, home / "mine.py")
    (home / "names.txt").write_text("ada\nbo\n")
    process = run("--steps", 2, "--samples", 1, "--width", 8, script=home / "mine.py", cwd=elsewhere)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith("num docs: 2\n")
    assert f"num params: {2 * 5 * 8 + 16 * 8 + 12 * 64}\n" in process.stdout
    assert sorted(os.listdir(elsewhere)) == ["names.txt"]
    assert sorted(os.listdir(home)) == ["mine.py", "names.txt"]


def test_through_a_link_it_finds_the_names_beside_the_real_file(tmp_path):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    shutil.copy(SCRIPT, home / "microgpt.py")
    (home / "names.txt").write_text("ada\nbo\n")
    (elsewhere / "names.txt").write_text("not\nthese\nnames\n")
    try:
        (elsewhere / "link.py").symlink_to(home / "microgpt.py")
    except OSError:
        pytest.skip("this user may not make symbolic links here")
    process = run("--steps", 0, "--samples", 0, "--width", 8, script=elsewhere / "link.py", cwd=elsewhere)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith("num docs: 2\n")
    assert f"num params: {2 * 5 * 8 + 16 * 8 + 12 * 64}\n" in process.stdout


def test_data_names_a_file_in_the_working_directory_even_if_it_is_called_names_txt(tmp_path):
    (tmp_path / "names.txt").write_text("ada\n")
    assert run("--data", "names.txt", "--steps", 0, cwd=tmp_path).stdout.startswith("num docs: 1\n")


@pytest.mark.parametrize("flags, params", [
    (["--width", 1, "--heads", 1, "--block", 1], 2 * 27 + 1 + 12),
    (["--layers", 2, "--width", 6, "--heads", 6, "--block", 40], 2 * 27 * 6 + 40 * 6 + 2 * 12 * 36),
])
def test_layers_width_heads_and_block_are_real_settings(flags, params):
    lecture, screen = watch("--steps", 2, "--samples", 2, *flags)
    assert f"num params: {params}\n" in screen.getvalue()
    assert len(lecture.params) == len(lecture.start) == params


@pytest.mark.parametrize("flags", [["--steps", 0], ["--samples", 0, "--steps", 1], ["--steps", 0, "--fast"], ["--steps", 1, "--fast"]],
                         ids=lambda flags: " ".join(map(str, flags)))
def test_no_steps_or_no_samples_are_a_run_like_any_other(flags):
    _, screen = watch(*SMALL, *flags)
    assert screen.getvalue().count("\nsample ") == (0 if "--samples" in flags else 20)
    assert screen.getvalue().count("\nstep ") == flags[flags.index("--steps") + 1]


def test_an_ascii_locale_does_not_stop_a_model_of_other_letters(tmp_path):
    data = tmp_path / "names.txt"
    data.write_text("zoë\nАнна\n小明\n", encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    process = run("--data", data, "--steps", 2, "--samples", 5, "--temperature", 3, "--width", 4, env=ascii_only)
    assert (process.returncode, process.stderr) == (0, "")
    assert "?" in process.stdout and process.stdout.isascii()
    assert run("--data", "no-such-ä", env=ascii_only).returncode == 2


def test_help_in_an_ascii_locale_shows_what_can_be_shown_of_a_path_of_other_letters(tmp_path):
    home = tmp_path / "Müller"
    home.mkdir()
    shutil.copy(SCRIPT, home / "microgpt.py")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    process = run("--help", script=home / "microgpt.py", env=ascii_only)
    assert (process.returncode, process.stderr) == (0, "")
    assert "M?" in process.stdout and process.stdout.isascii()


def test_it_runs_without_docstrings_and_assertions():
    process = run("--steps", 3, "--samples", 2, *SMALL, python=["-OO"])
    assert (process.returncode, process.stderr) == (0, "")
    assert told(process.stdout) == told(watch("--steps", 3, "--samples", 2, *SMALL)[1].getvalue())


# ---- the table of knobs, edited as a student would


def table():
    """The lines of the source before the rows of the table, its rows, and the lines after them."""
    lines = SOURCE.split("\n")
    first = lines.index("knobs = [") + 1
    last = lines.index("]", first)
    return lines[:first], lines[first:last], lines[last:]


def test_reordering_the_rows_of_the_table_swaps_nothing():
    head, knobs, tail = table()
    flags = [*SMALL, "--steps", 3, "--samples", 2, "--layers", 2, "--seed", 5, "--temperature", 0.9]
    expected = watch(*flags)[0]
    assert len(knobs) == 9
    for seed in range(3):
        shuffled = list(knobs)
        random.Random(seed).shuffle(shuffled)
        assert shuffled != knobs
        lecture, screen = watch(*flags, source="\n".join(head + shuffled + tail))
        for knob in KNOBS:
            assert getattr(lecture, knob) == getattr(expected, knob)
        assert lecture.losses == expected.losses
        assert screen.getvalue().count("\nsample ") == 2


def test_a_default_edited_in_the_table_takes_effect_and_a_flag_goes_before_it(tmp_path):
    (tmp_path / "two.txt").write_text("ada\nbo\n")
    edited = {"steps": 3, "layers": 2, "width": 6, "heads": 3, "block": 7, "seed": 9, "temperature": 0.75, "samples": 4}
    head, knobs, tail = table()
    for knob, value in edited.items():
        at, = [i for i, row in enumerate(knobs) if row.startswith(f'    ("{knob}", {KNOBS[knob]}, ')]
        knobs[at] = knobs[at].replace(f"{KNOBS[knob]},", f"{value},", 1)
    at, = [i for i, row in enumerate(knobs) if row.startswith('    ("data", ')]
    knobs[at] = f'    ("data", {str(tmp_path / "two.txt")!r}, None, "mine"),'
    source = "\n".join(head + knobs + tail)
    lecture, screen = watch(source=source)
    assert {knob: getattr(lecture, knob) for knob in edited} == edited
    assert sorted(lecture.docs) == ["ada", "bo"]
    assert len(lecture.losses) == 3
    assert screen.getvalue().count("\nsample ") == 4
    assert len(lecture.params) == 2 * 5 * 6 + 7 * 6 + 2 * 12 * 36
    lecture, _ = watch("--steps", 1, "--data", FIGURES / "names.txt", source=source)
    assert (lecture.steps, len(lecture.docs), lecture.width) == (1, 250, 6)


def test_every_knob_edited_alone_changes_what_the_lecture_does():
    """Each knob of the table reaches the place that it names: none is read and then forgotten."""
    def said(*flags):
        lecture, screen = watch("--steps", 4, "--samples", 6, *SMALL, *flags)
        return lecture.losses, [line for line in screen.getvalue().splitlines() if line.startswith("sample")]
    plain = said()
    changes = {"--steps": 5, "--layers": 2, "--width": 6, "--heads": 1, "--block": 4, "--seed": 1, "--temperature": 3,
               "--samples": 7}
    for flag, value in changes.items():
        assert said(flag, value) != plain, flag


# ---- other interpreters and other ways to start it


def test_a_python_that_is_too_old_is_refused_in_one_sentence():
    code = f"import runpy, sys; sys.argv = ['microgpt.py']; sys.version_info = (3, 9, 18); runpy.run_path({str(SCRIPT)!r})"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stdout) == (1, "")
    assert "3.10" in process.stderr and process.stderr.count("\n") == 1 and "Traceback" not in process.stderr


def test_the_oldest_python_that_will_do_is_not_refused():
    code = f"import runpy, sys; sys.argv = ['microgpt.py', '--help']; sys.version_info = (3, 10, 0); runpy.run_path({str(SCRIPT)!r})"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert process.returncode == 0, process.stderr


def test_a_real_python_that_is_too_old_refuses_it_in_the_same_sentence():
    places = [*os.environ.get("PATH", "").split(os.pathsep), *glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin"))]
    asked = 0
    for python in {path for place in places for path in glob.glob(os.path.join(place, "python3.[89]"))}:
        version = subprocess.run([python, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True)
        if version.stdout.strip() not in ("(3, 8)", "(3, 9)"):
            continue  # a name without a Python behind it
        process = subprocess.run([python, str(SCRIPT)], capture_output=True, text=True, timeout=60)
        assert (process.returncode, process.stdout) == (1, "")
        assert process.stderr == "microgpt needs Python 3.10 or newer\n"
        asked += 1
    if not asked:
        pytest.skip("there is no Python 3.8 or 3.9 on this machine")


def test_the_arguments_of_another_program_are_not_taken_for_its_own(tmp_path):
    """As in a notebook, where sys.argv belongs to the kernel and there is no __file__."""
    code = f"import sys; sys.argv = ['ipykernel_launcher.py', '-f', 'kernel.json']\nsource = open({str(SCRIPT)!r}, encoding='utf-8').read()"
    code += "\nexec(compile(source.replace('1000, 0', '2, 0'), 'cell', 'exec'), {'__name__': '__main__'})"
    (tmp_path / "names.txt").write_text("ada\nbo\n")
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, encoding="utf-8",
                             timeout=60, env={**os.environ, "PYTHONUTF8": "1"})
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith("num docs: 2\n")
    assert "step    2 /    2" in process.stdout


def test_after_python_i_the_model_its_numbers_and_both_engines_are_at_hand():
    asked = "\n".join([
        "Value(3.0) * 2",
        "a = Value(2.0); b = a * a; b.backward(); a.grad",
        "len(gpt(BOS, 0, [([], [])]))",
        "loss, gradient = explicit(start, encode('ada')); len(gradient) == len(params)",
        "len(losses), len(explicit_losses), pace > explicit_pace > 0, len(trained), 0 <= max(gaps) < 1e-9",
    ])
    process = run("--steps", 2, "--samples", 1, python=["-i"], input=asked + "\n", env={"PYTHON_BASIC_REPL": "1"})
    answers = [line.removeprefix(">>>> ") for line in process.stdout.splitlines()]  # PyPy prompts on standard output
    assert [line for line in answers if line.strip()][-5:] == [
        "Value(data=6.0, grad=0.0)", "4.0", "27", "True", "(2, 2, True, 4192, True)"]

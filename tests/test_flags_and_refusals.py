"""Section 1: the choices, what each of them does, and what is refused in one sentence."""
import os
import re
import shutil

import pytest
from conftest import FIGURES, ROOT, SCRIPT, SMALL, SOURCE, load, run, watch

DEFAULTS = {"data": "names.txt", "seed": 42, "width": 16, "block": 16, "layers": 1, "heads": 4,
            "rate": 0.01, "steps": 1000, "samples": 20, "temperature": 0.5}
LEAST = {"seed": 0, "width": 1, "block": 1, "layers": 1, "heads": 1, "rate": 0, "steps": 0, "samples": 0,
         "temperature": 0.01}
REAL = ["rate", "temperature"]


@pytest.fixture
def refused(capsys):
    """The one sentence on standard error with which these flags are refused, before anything is printed."""
    def refusing(*flags):
        with pytest.raises(SystemExit) as ended:
            load("--steps", 0, "--samples", 0, *flags)
        out, sentence = capsys.readouterr()
        assert (ended.value.code, out) == (2, "")
        assert sentence.count("\n") == 1 and sentence.endswith("\n")
        return sentence.split("error: ")[1]
    return refusing


def said(*flags, **options):
    """What a run says, without the milliseconds of this machine."""
    return re.sub(r"milliseconds .*", "", watch(*flags, **options)[1].getvalue())


def test_help_names_every_flag_with_its_default_in_any_folder(tmp_path):
    home = tmp_path / "100%"
    home.mkdir()
    shutil.copy(SCRIPT, home / "50%s.py")
    process = run("--help", script=home / "50%s.py", env={"COLUMNS": "1000", "NO_COLOR": "1"})
    assert (process.returncode, process.stderr) == (0, "")
    text = " ".join(process.stdout.split()).split("help message and exit ")[1]
    told = re.findall(r"--(\w+) (?:[A-Z]+ )?[a-z][^()]* \(section \d+\) \[([^]]*)\]", text)
    assert dict(told) == {flag: str(value) for flag, value in DEFAULTS.items()}
    assert re.findall(r"--(\w+) [^()]*\(section (\d+)\)", text) == [
        ("data", "2"), ("fast", "11"), ("seed", "2"), ("width", "4"), ("block", "4"), ("layers", "5"), ("heads", "5"), ("rate", "8"),
        ("steps", "9"), ("samples", "10"), ("temperature", "10")]
    assert dict(re.findall(r"--(\w+) (?:[A-Z]+ )?([a-z][^()]*) \(section", text)) == {
        "data": "the names", "fast": "use only the fast engine", "seed": "the seed of the random numbers",
        "width": "how many numbers represent a token", "block": "how many tokens the model can look at",
        "layers": "how many layers, each with attention and an MLP", "heads": "how many attention heads in each layer",
        "rate": "the learning rate at the start", "steps": "how many steps to train, one name per step",
        "samples": "how many names to make up after training",
        "temperature": "low for likely names, high for unusual ones"}


def test_the_defaults_of_the_help_are_those_of_a_run(default):
    assert vars(default.args) == {**DEFAULTS, "steps": 0, "samples": 0, "fast": False}
    assert len(default.untrained) == 2 * 27 * 16 + 16 * 16 + 12 * 16 * 16


def test_a_default_edited_in_the_file_works_like_the_flag():
    edited = {"data": str(FIGURES / "names.txt"), "seed": 5, "width": 6, "block": 4, "layers": 2, "heads": 3,
              "rate": 0.02, "steps": 3, "samples": 4, "temperature": 0.9}
    source, flags = SOURCE, []
    for name, value in edited.items():
        place = '(?<="--data", default=)' if name == "data" else f'(?<=\\("{name}", )'
        source, count = re.subn(place + "[^,]+", repr(value), source)
        assert count == 1
        flags += [f"--{name}", value]
    assert said(source=source) == said(*flags)
    assert said("--samples", 5, source=source) == said(*flags, "--samples", 5)


@pytest.mark.parametrize("flag, value", [
    ("seed", 1), ("width", 8), ("block", 3), ("layers", 2), ("heads", 1), ("rate", 0.02), ("steps", 4),
    ("samples", 7), ("temperature", 3), ("data", ROOT / "names.txt"), ("fast", None)])
def test_each_flag_alone_changes_what_the_lecture_does(flag, value):
    plain = [*SMALL, "--steps", 3, "--samples", 6]
    assert said(*plain) != said(*plain, f"--{flag}", *([] if value is None else [value]))


@pytest.mark.parametrize("flag", LEAST)
def test_the_least_value_runs(flag):
    lecture, screen = watch(*SMALL, "--heads", 1, "--steps", 2, "--samples", 1, f"--{flag}", LEAST[flag])
    width, block = (1 if name == flag else size for name, size in [("width", 4), ("block", 5)])
    assert len(lecture.untrained) == 2 * 27 * width + block * width + 12 * width ** 2
    assert screen.getvalue().count("\nstep ") == (0 if flag == "steps" else 4)
    assert screen.getvalue().count("\nsample ") == (0 if flag == "samples" else 1)
    assert (lecture.trained == lecture.untrained) == (flag in ("steps", "rate"))


@pytest.mark.parametrize("flag", REAL)
def test_a_number_just_below_1e9_runs(flag):
    assert "\nsample  1: " in said(*SMALL, "--steps", 0, "--samples", 1, f"--{flag}=999999999.9")


@pytest.mark.parametrize("flag, value", [
    *[(flag, least - 1) for flag, least in LEAST.items()],
    *[(flag, value) for flag in REAL for value in ("nan", "inf", "-inf", 1e9)],
    ("rate", "-1e-9"), ("temperature", 0.0), ("temperature", 0.009999), ("heads", -4), ("steps", -10**30)])
def test_a_number_out_of_bounds_is_refused_with_flag_bounds_and_value(flag, value, refused):
    told = float(value) if flag in REAL else value
    expected = f"--{flag} must be at least {LEAST[flag]} and below 1e9, not {told}\n"
    assert refused(f"--{flag}={value}") == expected


@pytest.mark.parametrize("width, heads", [(16, 3), (4, 8), (6, 4)])
def test_heads_that_do_not_divide_the_width_are_refused_with_both(width, heads, refused):
    expected = f"--heads must divide --width, but {heads} does not divide {width}\n"
    assert refused("--width", width, "--heads", heads) == expected


@pytest.mark.parametrize("flags, word", [
    (["--steps", "ten"], "'ten'"), (["--width", "1.5"], "'1.5'"), (["--seed", ""], "''"), (["--rate"], "one"),
    (["--temperature", "hot\n"], "'hot\\n'"), (["--fast=yes"], "'yes'"), (["names.txt"], "names.txt"),
], ids=ascii)
def test_what_cannot_be_understood_is_refused_by_name(flags, word, refused):
    sentence = refused(*flags)
    assert word in sentence and flags[0].split("=")[0] in sentence


NONE, NO_TEXT = "must hold at least one name, but holds none", "cannot be read: 'utf-8' codec can't decode byte 0x"


@pytest.mark.parametrize("content, reason", [
    (b"", NONE), (b"\n \r\n\t\n", NONE), (b"\xef\xbb\xbf", NONE), (b"ada\n\xff\xfe\n", NO_TEXT),
    ("zoë\n".encode("latin-1"), NO_TEXT), ("ada\n".encode("utf-16"), NO_TEXT), ("zoë".encode()[:-1], NO_TEXT),
], ids=["empty", "blank", "only a byte-order mark", "no text", "Latin-1", "UTF-16", "cut short"])
def test_a_file_that_holds_no_names_is_refused_by_name(content, reason, tmp_path, refused):
    data = tmp_path / "data 100%.txt"
    data.write_bytes(content)
    assert refused("--data", data).startswith(f"--data {str(data)!r} {reason}")


@pytest.mark.parametrize("name", [
    "missing.txt", ".", "", "a\0b", "two\nlines", "x" * 5000, "no/such/folder", "%s",
], ids=lambda name: ascii(name)[:20])
def test_data_that_cannot_be_read_are_refused_by_name_and_reason(name, refused):
    told, reason = refused("--data", name).split(" cannot be read: ")
    assert told == f"--data {name!r}"
    assert re.search(r"\w", reason)


@pytest.mark.skipif(os.name != "posix", reason="Windows may not have such links")
def test_a_file_that_the_system_cannot_open_is_refused_by_name(tmp_path, refused):
    data = tmp_path / "data.txt"
    data.symlink_to(data)
    assert refused("--data", data).startswith(f"--data {str(data)!r} cannot be read: ")


def test_a_lack_of_memory_is_not_taken_for_a_refusal(monkeypatch):
    def trouble(*_):
        raise MemoryError("too large")
    monkeypatch.setattr("pathlib.Path.read_text", trouble)
    with pytest.raises(MemoryError):
        load("--steps", 0)


@pytest.mark.parametrize("rate", ["1.0", "100000000.0"])
@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_a_rate_that_is_too_high_ends_in_one_sentence_that_names_it(rate, flags, capsys):
    with pytest.raises(SystemExit) as ended:
        load(*SMALL, "--steps", 300, "--rate", rate, *flags)
    out, sentence = capsys.readouterr()
    assert ended.value.code == 2
    expected = rf"[^\n]* error: --rate {re.escape(rate)} may be too high, the training diverged: \S[^\n]*\n"
    assert re.fullmatch(expected, sentence)
    assert "\nstep    1 /" in out and "sample" not in out


def test_a_loss_too_large_for_a_perplexity_ends_in_the_same_sentence(capsys):
    lecture = load(*SMALL, "--steps", 0, "--samples", 0)
    with pytest.raises(SystemExit) as ended:
        lecture.train(lambda numbers, tokens: (800.0, [0.0] * len(numbers)), 1)
    assert ended.value.code == 2
    assert "error: --rate 0.01 may be too high, the training diverged: " in capsys.readouterr().err


def test_a_probability_that_is_too_small_for_its_slope_ends_in_the_same_sentence(tmp_path, capsys):
    """In the sixth step a token has a probability of some 1e-320, and 1 / p is beyond the largest float."""
    (tmp_path / "names.txt").write_text("ada\nbo\nabba\n")
    with pytest.raises(SystemExit) as ended:
        load("--data", tmp_path / "names.txt", "--steps", 6, "--block", 6, "--width", 6, "--heads", 3, "--rate", 1.43359375)
    assert ended.value.code == 2
    assert "error: --rate 1.43359375 may be too high, the training diverged: " in capsys.readouterr().err

"""Section 2: the names of the file, and their tokens."""
import random
import re

import pytest
from conftest import FIGURES, ROOT, load

TINY = ["--steps", 0, "--samples", 0, "--width", 1, "--heads", 1, "--data"]


@pytest.fixture
def read(tmp_path):
    """Run the lecture on a file of these bytes or this text."""
    def reading(content, *flags):
        data = tmp_path / "data.txt"
        data.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(*TINY, data, *flags)
    return reading


def test_names_txt_keeps_its_rules():
    """a to z, 2 to 15 letters, one a line, sorted, none twice, at least 5000, a newline at the end."""
    text = (ROOT / "names.txt").read_bytes().decode("ascii")
    names = text.split("\n")[:-1]
    assert re.fullmatch(r"([a-z]{2,15}\n)+", text)
    assert names == sorted(set(names))
    assert len(names) >= 5000


def test_the_default_data_are_names_txt_and_its_27_tokens(default):
    """Letters are numbered by the alphabet. BOS comes after them, and stands before and after each name."""
    assert sorted(default.docs) == (ROOT / "names.txt").read_text("ascii").split()
    assert "".join(default.letters) == "abcdefghijklmnopqrstuvwxyz"
    assert (default.BOS, default.vocab) == (26, 27)
    assert default.encode("anna") == [26, 0, 13, 13, 0, 26]
    assert default.encode("") == [26, 26]


@pytest.mark.parametrize("names", [
    ["zoë", "françois", "åse"],
    ["Анна", "Иван", "София"],
    ["小明", "美玲"],
    ["فاطمة", "دانا"],
    ["𝔞𝔟", "👩‍🚀"],
    ["mary ann", "o'neil", "a-b", "x, y#1"],
    ["a"],
], ids=["accents", "Cyrillic", "Chinese", "Arabic", "beyond the basic plane", "no letters", "one letter"])
def test_names_may_have_any_letters_each_of_which_is_one_token(names, read):
    lecture = read("\n".join(names))
    alphabet = sorted(set("".join(names)))
    assert sorted(lecture.docs) == sorted(names)
    assert (lecture.letters, lecture.BOS, lecture.vocab) == (alphabet, len(alphabet), len(alphabet) + 1)
    for name in names:
        first, *tokens, last = lecture.encode(name)
        assert first == last == len(alphabet)
        assert "".join(alphabet[token] for token in tokens) == name


@pytest.mark.parametrize("content", [
    b"ada\r\nbo\r\n",
    b"ada\rbo",
    b"\xef\xbb\xbfada\nbo",
    b"\n\n\tada  \n \t\nbo\n\r\n",
    "ada\u00a0\n\u3000bo\u2028\n\u00a0\n".encode(),
], ids=["Windows", "old Mac", "byte-order mark", "blank lines and spaces", "other kinds of space"])
def test_how_the_lines_of_a_file_begin_and_end_does_not_reach_the_names(content, read):
    lecture = read(content)
    assert sorted(lecture.docs) == ["ada", "bo"]
    assert lecture.letters == ["a", "b", "d", "o"]


@pytest.mark.parametrize("inside", "\u2028\u2029\x0b\x0c\x1c\x1d\x1e\x85\u3000\u00a0\ufeff\0 \t", ids=ascii)
def test_nothing_within_a_line_parts_a_name(inside, read):
    lecture = read(f"a{inside}b\nbo\n")
    assert sorted(lecture.docs) == sorted([f"a{inside}b", "bo"])
    assert inside in lecture.letters


def test_two_unicode_forms_of_a_name_are_two_names_of_different_length(read):
    lecture = read("zo\u00eb\nzoe\u0308\n")
    assert len(lecture.docs) == 2
    assert [len(lecture.encode(name)) for name in ("zo\u00eb", "zoe\u0308")] == [5, 6]


@pytest.mark.parametrize("letter", ["ë", "A", " "])
def test_a_letter_that_the_data_have_not_is_refused(letter, default):
    with pytest.raises(ValueError):
        default.encode(f"a{letter}")


def test_a_name_that_stands_twice_in_the_data_is_kept_twice(read):
    assert sorted(read("ada\nbo\nada\n").docs) == ["ada", "ada", "bo"]


@pytest.mark.parametrize("seed", [42, 7, 0, 1, 999_999_999])
def test_the_seed_shuffles_the_names(seed):
    names = (FIGURES / "names.txt").read_text("ascii").split()
    random.Random(seed).shuffle(names)
    assert load(*TINY, FIGURES / "names.txt", "--seed", seed).docs == names

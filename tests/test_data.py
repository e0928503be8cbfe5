"""The tokenizer and the data."""
import random
import string

import pytest
from conftest import FIGURES, ROOT, load

NAMES = (ROOT / "names.txt").read_text(encoding="ascii").split("\n")


def test_names_txt_holds_at_least_5000_names_one_per_line_with_a_final_newline():
    assert NAMES[-1] == ""
    assert len(NAMES) - 1 >= 5000


def test_names_txt_is_sorted_and_without_duplicates():
    assert NAMES[:-1] == sorted(set(NAMES[:-1]))


def test_names_txt_uses_lower_case_a_to_z_only_and_all_of_it():
    assert set("".join(NAMES)) == set(string.ascii_lowercase)


def test_every_name_in_names_txt_has_2_to_15_letters():
    assert all(2 <= len(name) <= 15 for name in NAMES[:-1])


def test_every_name_in_names_txt_survives_encoding_and_decoding(default):
    for name in NAMES[:-1]:
        tokens = default.encode(name)
        assert tokens[0] == tokens[-1] == default.BOS
        assert tokens[1:-1] == [ord(letter) - ord("a") for letter in name]
        assert default.decode(tokens) == name


def test_the_boundary_token_comes_after_the_letters(default):
    assert (default.BOS, default.vocab) == (26, 27)
    assert default.encode("ada") == [26, 0, 3, 0, 26]


@pytest.mark.parametrize("names", [
    ["zoë", "françois", "åse", "jürgen"],
    ["Анна", "Иван", "София"],
    ["小明", "美玲"],
    ["فاطمة", "دانا"],
    ["𝔞𝔟", "👩‍🚀"],
    ["mary ann", "o'neil", "a-b"],
], ids=["accented", "cyrillic", "chinese", "arabic", "beyond the basic plane", "space, apostrophe, hyphen"])
def test_names_in_any_letters_survive_reading_encoding_and_decoding(names, tmp_path):
    data = tmp_path / "names.txt"
    data.write_text("\n".join(names), encoding="utf-8")
    lecture = load("--steps", 1, "--samples", 1, "--data", data)
    assert sorted(lecture.docs) == sorted(names)
    assert lecture.letters == sorted(set("".join(names)))
    for name in names:
        assert lecture.decode(lecture.encode(name)) == name


@pytest.mark.parametrize("content", [
    b"ada\r\nbo\r\n",
    b"\xef\xbb\xbfada\nbo",
    b"\n\n  ada  \n\t\nbo\n\n",
    b"ada\rbo",
], ids=["Windows line ends", "byte-order mark", "blank lines and spaces", "old Mac line ends"])
def test_the_way_a_file_is_written_does_not_reach_the_names(content, tmp_path):
    data = tmp_path / "names.txt"
    data.write_bytes(content)
    lecture = load("--steps", 1, "--samples", 1, "--data", data)
    assert sorted(lecture.docs) == ["ada", "bo"]
    assert lecture.letters == ["a", "b", "d", "o"]


@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", " ", "\u3000", "\t"],
                         ids=lambda letter: f"U+{ord(letter):04X}")
def test_nothing_but_the_end_of_a_line_parts_two_names(inside, tmp_path):
    data = tmp_path / "names.txt"
    data.write_bytes(f"a{inside}b\nbo\n".encode())
    lecture = load("--steps", 1, "--samples", 1, "--width", 2, "--heads", 1, "--data", data)
    assert sorted(lecture.docs) == sorted([f"a{inside}b", "bo"])
    assert lecture.decode(lecture.encode(f"a{inside}b")) == f"a{inside}b"


def test_a_letter_that_the_data_have_not_is_refused(default):
    with pytest.raises(ValueError):
        default.encode("zoë")


def test_decoding_leaves_out_the_boundary_token_wherever_it_stands(default):
    assert default.decode([26, 0, 13, 13, 0, 26]) == default.decode([0, 13, 13, 0]) == "anna"
    assert default.decode([26, 26]) == default.decode([]) == ""
    assert default.encode("") == [26, 26]


def test_repeated_names_are_kept_and_a_single_name_is_enough(tmp_path):
    data = tmp_path / "names.txt"
    data.write_text("ada\nada\nada\n")
    assert load("--steps", 2, "--samples", 1, "--data", data).docs == ["ada"] * 3
    data.write_text("a")
    assert load("--steps", 2, "--samples", 1, "--data", data).vocab == 2


def test_the_names_are_shuffled_once_by_the_seed():
    lecture = load("--steps", 0, "--samples", 0, "--seed", 7, "--data", FIGURES / "names.txt")
    expected = (FIGURES / "names.txt").read_text().split()
    random.seed(7)
    random.shuffle(expected)
    assert lecture.docs == expected

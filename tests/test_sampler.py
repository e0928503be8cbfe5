"""Speaking: the draw of a token, the end of a name, its length, and what is said about it."""
import math
import random

import pytest
import reference
from conftest import SMALL, load, rows, watch


class Chance:
    """In the place of random: says these tokens in turn, and keeps what it was asked."""
    def __init__(self, *tokens):
        self.tokens, self.asked = list(tokens), []

    def choices(self, population, weights):
        self.asked.append((list(population), list(weights)))
        return [self.tokens.pop(0)]


@pytest.fixture(scope="module")
def lecture():
    return load("--steps", 0, "--samples", 0, *SMALL)


def odds(lecture, logits, temperature):
    """The weights by which a token is drawn if the model says these logits."""
    lecture.temperature, lecture.gpt, honest = temperature, lambda *_: [lecture.Value(x) for x in logits], lecture.gpt
    chance = Chance(lecture.BOS)
    try:
        lecture.speak(chance)
    finally:
        lecture.gpt = honest
    (population, weights), = chance.asked
    assert population == list(range(lecture.vocab))
    return weights


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 2.0])
def test_a_token_is_drawn_by_softmax_of_logits_over_temperature(lecture, temperature):
    logits = [1.0, 0.0, -0.5]
    powers = [math.exp(x / temperature) for x in logits]
    assert odds(lecture, logits, temperature) == pytest.approx([power / sum(powers) for power in powers], rel=1e-12)


def test_the_smallest_temperature_picks_the_likeliest_token_and_the_largest_all_alike(lecture):
    assert odds(lecture, [-0.1, 0.3, 0.2], 0.01)[1] == pytest.approx(1.0, abs=1e-4)
    assert odds(lecture, [-0.1, 0.3, 0.2], 1e308) == pytest.approx([1 / 3] * 3)
    assert odds(lecture, [-0.1, 0.3, 0.2], math.inf) == pytest.approx([1 / 3] * 3)


def test_a_name_is_what_an_outside_model_says_by_the_same_chance(lecture):
    draw = random.Random(3)
    numbers = [draw.gauss(0, 0.3) for _ in lecture.params]
    lecture.set_params(numbers)
    for temperature in (0.5, 3.0):
        lecture.temperature, lengths = temperature, set()
        for seed in range(40):
            tokens = reference.speak(rows(lecture, numbers), 26, temperature, random.Random(seed), 1, 2, 5)
            assert lecture.speak(random.Random(seed)) == "".join(chr(97 + token) for token in tokens)
            lengths.add(len(tokens))
        assert len(lengths) > 2
    lecture.set_params(lecture.start)


def watched_gpt(lecture):
    """What gpt is asked: (token, position, length of what it remembers), while the lecture speaks."""
    asked, honest = [], lecture.gpt

    def gpt(token, position, cache):
        asked.append((token, position, len(cache[0][0])))
        return honest(token, position, cache)
    lecture.gpt = gpt
    return asked


def test_the_boundary_token_begins_a_name_and_ends_it():
    lecture = load("--steps", 0, "--samples", 0, *SMALL)
    asked = watched_gpt(lecture)
    assert lecture.speak(Chance(0, 3, 0, 26, 3, 3)) == "ada"
    assert asked == [(26, 0, 0), (0, 1, 1), (3, 2, 2), (0, 3, 3)]


def test_a_name_may_be_empty():
    lecture = load("--steps", 0, "--samples", 0, *SMALL)
    chance = Chance(26, 0)
    assert lecture.speak(chance) == ""
    assert len(chance.asked) == 1


def test_a_name_that_never_ends_is_cut_at_the_block():
    lecture = load("--steps", 0, "--samples", 0, *SMALL)
    assert lecture.block == 5
    assert lecture.speak(Chance(*[0] * 9)) == "aaaaa"
    assert lecture.speak(Chance(0, 0, 0, 0, 26)) == "aaaa"


def test_no_name_exceeds_the_block_and_each_is_spoken_on_its_line(capsys):
    load("--steps", 0, "--samples", 200, "--block", 3, "--width", 4, "--heads", 2, "--temperature", 5)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("sample")]
    names = [line.split(": ", 1)[1] for line in lines]
    assert [line[:11] for line in lines[:10]] == [f"sample {i:2d}: " for i in range(1, 11)]
    assert len(names) == 200
    assert {len(name) for name in names} == {0, 1, 2, 3}


def performance(lecture, capsys, *spoken):
    """What the lecture says of these names, the first three of them spoken before training."""
    names = iter(spoken)
    lecture.speak, lecture.samples = lambda chance: next(names), len(spoken) - 3
    capsys.readouterr()
    lecture.perform(lecture.start)
    lines = capsys.readouterr().out.splitlines()
    assert next(names, "no more") == "no more"
    assert lines[0] == "before training: " + ", ".join(spoken[:3])
    assert lines[1:len(spoken) - 2] == [f"sample {i:2d}: {name}" for i, name in enumerate(spoken[3:], start=1)]
    return lines[len(spoken) - 2].removeprefix("in the training data: ")


@pytest.mark.parametrize("names, known", [
    (["ada", "bo", "bo"], "ada, bo, bo"),
    (["bad", "ada", "ad"], "ada"),
    (["bad", "b", "adada"], "none"),
    (["", "", ""], "none"),
    (["", "bo", ""], "bo"),
], ids=["all", "some", "none", "empty", "empty and known"])
def test_names_that_stand_in_the_training_data_are_told_apart_from_new_ones(names, known, capsys, tmp_path):
    data = tmp_path / "names.txt"
    data.write_text("ada\nbo\n")
    lecture = load("--steps", 0, "--samples", 0, "--data", data, "--width", 4, "--heads", 2)
    assert performance(lecture, capsys, "x", "bo", "y", *names) == known


@pytest.mark.parametrize("samples", [0, 1, 2, 3, 5])
def test_before_training_the_untrained_model_speaks_at_most_three_names_and_disturbs_no_later_one(samples):
    shape = ["--steps", 6, "--samples", samples, "--temperature", 2, *SMALL]
    lecture, screen = watch(*shape)
    untrained = rows(lecture, lecture.start)
    expected = [reference.speak(untrained, 26, 2.0, random.Random(i), 1, 2, 5) for i in range(min(samples, 3))]
    line, = [line for line in screen.getvalue().splitlines() if line.startswith("before training: ")]
    assert line == "before training: " + ", ".join("".join(chr(97 + token) for token in name) for name in expected)

    # The chance that speaks after training: seeded, then spent on the shuffle and on the parameters alone.
    chance = random.Random(42)
    names = [line.strip() for line in open(SMALL[-1], encoding="utf-8")]
    chance.shuffle(names)
    assert [chance.gauss(0, 0.08) for _ in lecture.start] == lecture.start
    trained = rows(lecture)
    after = [reference.speak(trained, 26, 2.0, chance, 1, 2, 5) for _ in range(samples)]
    spoken = [line.split(": ", 1)[1] for line in screen.getvalue().splitlines() if line.startswith("sample ")]
    assert spoken == ["".join(chr(97 + token) for token in name) for name in after]
    assert trained != untrained


@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_the_neighbours_of_the_three_commonest_letters_are_those_of_least_distance_in_the_trained_embedding(flags):
    lecture, screen = watch("--steps", 6, "--samples", 0, *SMALL, *flags)
    text = SMALL[-1].read_text(encoding="utf-8")
    alphabet = sorted(set(text) - {"\n"})
    counts = {letter: text.count(letter) for letter in alphabet}
    common = sorted(alphabet, key=counts.get, reverse=True)[:3]
    assert len({counts[letter] for letter in common}) == 3
    embedding = rows(lecture)["token"]
    told = dict(line.split("nearest to that of ")[1].split(": ") for line in screen.getvalue().splitlines() if "nearest to" in line)
    assert list(told) == common
    for letter in common:
        def distance(other):
            return sum((a - b) ** 2 for a, b in zip(embedding[alphabet.index(letter)], embedding[alphabet.index(other)]))
        others = sorted(set(alphabet) - {letter}, key=distance)
        assert told[letter].split() == others[:4]


def test_a_text_of_few_letters_has_fewer_neighbours(tmp_path):
    data = tmp_path / "names.txt"
    for text, lines in [("a", ["a:"]), ("aab", ["a: b", "b: a"]), ("aaabbc", None)]:
        data.write_text(text)
        _, screen = watch("--steps", 1, "--samples", 1, "--width", 2, "--heads", 1, "--data", data)
        told = [line.split("nearest to that of ")[1].strip() for line in screen.getvalue().splitlines() if "nearest to" in line]
        assert len(told) == len(set(text))
        assert lines is None or told == lines


def test_the_commonest_letters_are_those_that_occur_most_often_not_in_most_names(tmp_path):
    (tmp_path / "names.txt").write_text("aaaaaa\nbbc\ncb\nb\nd\n")  # a 6 times, b 4 times, c twice, d once
    _, screen = watch("--steps", 1, "--samples", 0, "--width", 2, "--heads", 1, "--data", tmp_path / "names.txt")
    told = [line.split("nearest to that of ")[1] for line in screen.getvalue().splitlines() if "nearest to" in line]
    assert [line[0] for line in told] == ["a", "b", "c"]
    assert all(sorted(line[3:].split()) == sorted(set("abcd") - {line[0]}) for line in told)

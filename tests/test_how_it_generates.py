"""How names are made up, and what is said of them and of the letters."""
import collections
import math
import random
import time

import pytest
import reference
from conftest import SMALL, CtrlC, load, matrices, watch


class Chance:
    """In the place of random: says these tokens in turn, and keeps what it was asked."""
    def __init__(self, *tokens):
        self.tokens, self.asked = list(tokens), []

    def choices(self, population, weights):
        self.asked.append((list(population), list(weights)))
        return [self.tokens.pop(0)]


@pytest.fixture(scope="module")
def lecture():
    """An untrained model of 27 tokens and a block of 5."""
    return load("--steps", 0, "--samples", 0, *SMALL)


def lines_with(screen, words):
    return [line for line in screen.getvalue().splitlines() if line.startswith(words)]


def spoken(screen):
    return [line.split(": ", 1)[1] for line in lines_with(screen, "sample")]


@pytest.mark.parametrize("temperature", [0.01, 0.5, 1.0, 2.0, 1e8])
def test_a_token_is_drawn_by_softmax_of_logits_over_temperature(lecture, monkeypatch, temperature):
    logits = [0.0, 1.0, -0.5]
    monkeypatch.setattr(lecture.args, "temperature", temperature)
    monkeypatch.setattr(lecture, "gpt", lambda *_: [lecture.Value(logit) for logit in logits])
    chance = Chance(26)
    monkeypatch.setattr(lecture, "random", chance)
    lecture.generate(lecture.untrained)
    powers = [math.exp(logit / temperature) for logit in logits]
    (population, weights), = chance.asked
    assert population == list(range(27))
    assert weights == pytest.approx([power / sum(powers) for power in powers], rel=1e-9, abs=0)


@pytest.mark.parametrize("drawn, name", [
    ([0, 3, 0, 26], "ada"),
    ([26], ""),
    ([0, 25, 0, 25, 26], "azaz"),
    ([0, 25, 0, 25, 0], "azaza"),
], ids=["a name", "an empty name", "BOS in the last place", "cut at the block"])
def test_a_name_begins_with_bos_and_ends_with_bos_or_the_block(lecture, monkeypatch, drawn, name):
    asked, gpt = [], lecture.gpt

    def watched(model, token, position, cache):
        asked.append((token, position, len(cache[0][0])))
        return gpt(model, token, position, cache)

    monkeypatch.setattr(lecture, "gpt", watched)
    chance = Chance(*drawn, 1, 2)
    monkeypatch.setattr(lecture, "random", chance)
    assert lecture.generate(lecture.untrained) == name
    assert chance.tokens == [1, 2]
    assert asked == [(token, i, i) for i, token in enumerate([26, *drawn[:-1]])]


@pytest.mark.parametrize("samples", [0, 2, 12])
def test_names_are_those_of_the_judge_also_before_training(samples):
    """All by the chance that made the numbers: first those of the trained model, then three of the untrained."""
    flags = ["--steps", 6, "--samples", samples, "--temperature", 2, "--layers", 2, "--rate", 0.1, *SMALL]
    lecture, screen = watch(*flags)
    chance = random.Random(42)
    chance.shuffle(SMALL[-1].read_text().split())
    untrained = matrices(lecture, [chance.gauss(0, 0.08) for _ in lecture.untrained])
    trained = matrices(lecture, lecture.trained)

    def speak(weights, chance):
        tokens = reference.speak(weights, 26, 2.0, chance, 2, 2, 5)
        return "".join(chr(ord("a") + token) for token in tokens)

    names = [speak(trained, chance) for _ in range(samples)]
    babble = [speak(untrained, chance) for _ in range(3)]
    assert lines_with(screen, "sample") == [f"sample {i:2d}: {name}" for i, name in enumerate(names, start=1)]
    assert lines_with(screen, "before training:") == [" ".join(["before training:", *babble])]
    if samples == 12:
        assert {0, 5} < set(map(len, names))


@pytest.mark.parametrize("steps, flags, stop, trained_on", [
    (0, [], None, 0),
    (4, [], None, 4),
    (4, ["--fast"], None, 4),
    (30, [], None, 12),
    (12, [], 5, 4),
    (12, ["--fast"], 5, 4),
], ids=["none", "some", "some, fast", "all, several times", "interrupted", "interrupted, fast"])
def test_seen_in_training_are_the_names_it_was_really_trained_on(
        steps, flags, stop, trained_on, tmp_path, monkeypatch):
    """All names of one or two of the letters a, b and c, so that most of what is spoken is a name."""
    names = ["a", "b", "c", "aa", "ab", "ac", "ba", "bb", "bc", "ca", "cb", "cc"]
    (tmp_path / "names.txt").write_text("\n".join(names))
    random.Random(42).shuffle(names)
    if stop:
        monkeypatch.setattr(time, "perf_counter", CtrlC(stop))
    shape = ["--width", 4, "--heads", 2, "--block", 3, "--data", tmp_path / "names.txt"]
    _, screen = watch("--steps", steps, "--samples", 40, "--temperature", 1, *shape, *flags)
    seen = sorted(set(spoken(screen)) & set(names[:trained_on]))
    report = screen.getvalue().split("\nseen in training:\n")[1].split("before training")[0].splitlines()
    assert report == ["  " + name for name in seen or ["none"]]
    assert len(seen) >= min(2, trained_on)
    assert trained_on == 12 or set(spoken(screen)) & set(names[trained_on:])      # names that it was not trained on


@pytest.mark.parametrize("flags", [[], ["--fast"]], ids=["autograd", "fast"])
def test_the_closest_letters_have_the_least_distance_in_the_trained_embedding(flags):
    lecture, screen = watch("--steps", 20, "--samples", 0, "--rate", 0.1, *SMALL, *flags)
    alphabet = "abcdefghijklmnopqrstuvwxyz"

    def report(numbers):
        rows = dict(zip(alphabet, matrices(lecture, numbers)["token"]))

        def distance(one, other):
            return sum((a - b) ** 2 for a, b in zip(rows[one], rows[other]))

        counts = collections.Counter(SMALL[-1].read_text().replace("\n", ""))
        for letter, _ in counts.most_common(3):
            others = sorted(set(alphabet) - {letter}, key=lambda other: distance(letter, other))
            yield f"closest to {letter}: " + " ".join(others[:4])

    assert lines_with(screen, "closest") == list(report(lecture.trained))
    assert not set(report(lecture.trained)) & set(report(lecture.untrained))


@pytest.mark.parametrize("text, commonest", [
    ("a", "a"),
    ("aab", "ab"),
    ("aaaaaa\nbbc\ncb\nb\nd", "abc"),  # a occurs most often, and b is in most names
    ("ab\nc\nc\nc\na", "cab"),  # a name that comes three times counts three times
])
def test_the_commonest_letters_are_those_that_occur_most_often_however_few(text, commonest, tmp_path):
    (tmp_path / "names.txt").write_text(text)
    shape = ["--width", 2, "--heads", 1, "--data", tmp_path / "names.txt"]
    _, screen = watch("--steps", 1, "--samples", 1, *shape)
    reports = [line.split(":") for line in lines_with(screen, "closest")]
    assert [label for label, _ in reports] == [f"closest to {letter}" for letter in commonest]
    for letter, (_, others) in zip(commonest, reports):
        assert set(others.split()) == set(text) - {letter, "\n"}

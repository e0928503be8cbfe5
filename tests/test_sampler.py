"""Speaking: the draw of a token, the end of a name, its length, and what is said about it."""
import math
import random

import pytest
from conftest import load


def draws(lecture, logits, temperature, count=20_000):
    lecture.temperature = temperature
    random.seed(11)
    logits = [lecture.Value(x) for x in logits]
    counts = [0] * len(logits)
    for _ in range(count):
        counts[lecture.pick(logits)] += 1
    return [n / count for n in counts]


@pytest.fixture
def three():
    """A lecture whose vocabulary has three tokens: a, b and BOS."""
    lecture = load("--steps", 0, "--samples", 0, "--width", 2, "--heads", 1)
    lecture.vocab = 3
    return lecture


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_over_20_000_draws_the_frequencies_follow_softmax_of_logits_over_temperature(three, temperature):
    logits = [1.0, 0.0, -0.5]
    powers = [math.exp(x / temperature) for x in logits]
    expected = [power / sum(powers) for power in powers]
    for found, p in zip(draws(three, logits, temperature), expected):
        assert abs(found - p) < 4 * math.sqrt(p * (1 - p) / 20_000)


def test_a_lower_temperature_sharpens(three):
    cold, warm, hot = (draws(three, [1.0, 0.0, -0.5], t)[0] for t in (0.1, 0.5, 5.0))
    assert cold > 0.99 > warm > 0.7 > hot > 1 / 3


@pytest.mark.parametrize("temperature", [5e-324, 1e-300])
def test_the_smallest_temperatures_always_pick_the_likeliest_token(three, temperature):
    assert draws(three, [-0.1, 0.3, 0.2], temperature, 200) == [0, 1, 0]


def test_the_largest_temperature_picks_all_alike(three):
    assert all(abs(share - 1 / 3) < 0.02 for share in draws(three, [1.0, 0.0, -0.5], 1e308))


def always(lecture, *tokens):
    """Make the model certain: its output at each position is the next of these tokens."""
    def gpt(token, position, keys, values):
        assert token == ([lecture.BOS] + list(tokens))[position]
        return [lecture.Value(1000.0 if i == tokens[position] else 0.0) for i in range(lecture.vocab)]
    lecture.gpt = gpt


def test_the_boundary_token_begins_a_name_and_ends_it(capsys):
    lecture = load("--steps", 0, "--samples", 1)
    capsys.readouterr()
    a, d = lecture.encode("ad")[1:3]
    always(lecture, a, d, a, lecture.BOS, d, d)
    lecture.speak()
    assert capsys.readouterr().out.splitlines()[0] == "sample  1: ada"


def test_a_name_that_never_ends_is_cut_at_the_block(capsys):
    lecture = load("--steps", 0, "--samples", 1, "--block", 5)
    capsys.readouterr()
    always(lecture, *[lecture.encode("a")[1]] * 5)
    lecture.speak()
    assert capsys.readouterr().out.splitlines()[0] == "sample  1: aaaaa"


def test_no_name_exceeds_the_block_and_each_is_spoken_on_its_line(capsys):
    load("--steps", 0, "--samples", 200, "--block", 3, "--width", 4, "--heads", 2, "--temperature", 5)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("sample")]
    names = [line.split(": ", 1)[1] for line in lines]
    assert [line[:11] for line in lines[:10]] == [f"sample {i:2d}: " for i in range(1, 11)]
    assert len(names) == 200
    assert {len(name) for name in names} == {0, 1, 2, 3}


def test_names_that_stand_in_the_training_data_are_told_from_new_ones_in_a_line_of_their_own(capsys, tmp_path):
    data = tmp_path / "names.txt"
    data.write_text("ada\nbo\n")
    lecture = load("--steps", 0, "--samples", 1, "--data", data)
    for said, line in [("ada", "in the training data: ada"), ("bad", "in the training data: none")]:
        capsys.readouterr()
        always(lecture, *lecture.encode(said)[1:])
        lecture.speak()
        first, second = capsys.readouterr().out.splitlines()
        assert first == f"sample  1: {said}"
        assert second.startswith(line)

"""Attention looks back and at itself, never ahead, and it looks where a key answers the query."""
import math

import pytest
from conftest import SMALL, drawn, load, model_of

ENGINES = pytest.mark.parametrize("engine", ["autograd", "explicit"])


@pytest.fixture
def logits(monkeypatch):
    """logits(lecture, engine, name, numbers): the logits that the engine finds for each token of a name."""
    def watch(lecture, engine, name, numbers):
        seen = []

        def watched(softmax):
            def softmax_of(scores):
                if len(scores) == lecture.vocab:
                    seen.append([getattr(score, "data", score) for score in scores])
                return softmax(scores)
            return softmax_of

        with monkeypatch.context() as patch:
            patch.setattr(lecture, "softmax", watched(lecture.softmax))
            patch.setattr(lecture, "softmax_forward", watched(lecture.softmax_forward))
            getattr(lecture, engine)(numbers, lecture.encode(name))
        return seen
    return watch


@ENGINES
@pytest.mark.parametrize("one, other, first", [
    ("marta", "marco", 4),
    ("ana", "una", 1),
    ("otto", "otter", 4),
])
def test_a_letter_moves_logits_from_its_own_place_on_and_none_before(deep, logits, engine, one, other, first):
    """Counted with BOS as 0, first is where the names begin to differ. All before stay bit for bit."""
    before = logits(deep, engine, one, drawn(deep))
    after = logits(deep, engine, other, drawn(deep))
    assert len(before) == min(6, len(one) + 1)
    assert before[:first] == after[:first]
    for place, changed in zip(before[first:], after[first:]):
        assert all(a != b for a, b in zip(place, changed))


@ENGINES
def test_only_the_embedding_of_its_position_tells_attention_which_letter_came_first(logits, engine):
    lecture = load("--steps", 0, "--samples", 0, *SMALL)
    numbers = drawn(lecture)
    one, other = (logits(lecture, engine, name, numbers)[3] for name in ("abe", "bae"))
    assert max(abs(a - b) for a, b in zip(one, other)) > 0.001
    begin = 27 * 4  # the positions come after 27 tokens, 4 numbers each
    numbers[begin:begin + 5 * 4] = [0.1] * (5 * 4)
    one, other = (logits(lecture, engine, name, numbers)[3] for name in ("abe", "bae"))
    assert one == pytest.approx(other, rel=1e-12)


def test_the_cache_grows_by_one_key_and_one_value_a_token_and_layer(deep):
    cache, model = [([], []) for _ in range(3)], model_of(deep)
    for position, token in enumerate([26, 4, 21, 0]):
        deep.gpt(model, token, position, cache)
        assert [len(rows) for pair in cache for rows in pair] == [position + 1] * 6
    assert {len(row) for pair in cache for rows in pair for row in rows} == {8}


def test_attention_hears_the_value_of_the_token_whose_key_answers_its_query():
    """The second token's query points along the first token's key, and its own key is 0.

    By hand, the two tokens are [r, 0] and [0, r] with r = √2, of root mean square 1 but for the 1e-5. There is no MLP,
    and the logits are the stream.
    """
    lecture = load("--steps", 0, "--samples", 0, "--width", 2, "--heads", 1)
    by_hand = {
        "token": [[1.0, 0.0], [0.0, 1.0]],
        "position": [[0.0, 0.0]] * 2,
        ("query", 0): [[0.0, 5.0], [0.0, 0.0]],
        ("key", 0): [[1.0, 0.0], [0.0, 0.0]],
        ("value", 0): [[3.0, 0.0], [0.0, 5.0]],
        ("output", 0): [[0.0, 1.0], [2.0, 0.0]],
        ("up", 0): [[0.0, 0.0]] * 8,
        ("down", 0): [[0.0] * 8] * 2,
        "lm_head": [[1.0, 0.0], [0.0, 1.0]],
    }
    model = {name: [[lecture.Value(x) for x in row] for row in rows] for name, rows in by_hand.items()}
    cache, r = [([], [])], math.sqrt(2)
    first = lecture.gpt(model, 0, 0, cache)
    second = lecture.gpt(model, 1, 1, cache)
    assert [x.data for x in first] == pytest.approx([r, 6 * r], rel=1e-4)  # only itself: it hears [3 r, 0]
    own = 1 / (1 + math.exp(5 * r * r / r))
    assert [x.data for x in second] == pytest.approx([5 * r * own, r + 6 * r * (1 - own)], rel=1e-3)

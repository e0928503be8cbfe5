"""The primitives of the field, on their own: RMSNorm, softmax, cross-entropy, attention, causality, the KV cache."""
import math
import random

import pytest
from conftest import load


def values(lecture, numbers):
    return [lecture.Value(x) for x in numbers]


def logits_of(lecture, tokens):
    """[len(tokens)][vocab], as plain numbers, one token at a time through the KV cache."""
    keys, vals = [[] for _ in range(lecture.layers)], [[] for _ in range(lecture.layers)]
    return [[l.data for l in lecture.gpt(token, t, keys, vals)] for t, token in enumerate(tokens)]


EXTREMES = {
    "equal": [0.0, 0.0, 0.0],
    "large": [1000.0, 999.0, -1000.0],
    "huge": [1e300, -1e300, 0.0],
    "tiny": [1e-300, 2e-300, -1e-300],
    "one": [5.0],
}


@pytest.mark.parametrize("scores", EXTREMES.values(), ids=EXTREMES)
def test_softmax_neither_overflows_nor_loses_probability(default, scores):
    for found in ([p.data for p in default.softmax(values(default, scores))], default.probabilities(scores)):
        assert all(0.0 <= p <= 1.0 for p in found)
        assert math.fsum(found) == pytest.approx(1.0, abs=1e-15)
        assert found[scores.index(max(scores))] == max(found)


def test_softmax_of_small_scores_is_what_its_definition_gives(default):
    scores = [0.3, -1.2, 2.0]
    total = math.exp(0.3) + math.exp(-1.2) + math.exp(2.0)
    expected = [math.exp(0.3) / total, math.exp(-1.2) / total, math.exp(2.0) / total]
    assert [p.data for p in default.softmax(values(default, scores))] == pytest.approx(expected, rel=1e-14)
    assert default.probabilities(scores) == pytest.approx(expected, rel=1e-14)
    assert default.probabilities([s * 3 for s in scores], 3.0) == pytest.approx(expected, rel=1e-14)


def test_the_gradient_of_softmax_is_its_jacobian(default):
    scores = values(default, [0.3, -1.2, 2.0])
    p = default.softmax(scores)
    p[0].backward()
    share = [x.data for x in p]
    assert scores[0].grad == pytest.approx(share[0] * (1 - share[0]), rel=1e-12)
    assert scores[1].grad == pytest.approx(-share[0] * share[1], rel=1e-12)
    assert scores[2].grad == pytest.approx(-share[0] * share[2], rel=1e-12)


@pytest.mark.parametrize("size", [1e-150, 1e-3, 1.0, 1e3, 1e150])
def test_rmsnorm_divides_by_the_root_mean_square_plus_its_small_constant(default, size):
    x = [3.0 * size, -4.0 * size]
    found = [y.data for y in default.rmsnorm(values(default, x))]
    assert found == pytest.approx([a / math.sqrt(12.5 * size**2 + 1e-5) for a in x], rel=1e-12)
    rows, scales = default.normalize([x + [0.0] * (default.width - 2)])
    by_hand = math.sqrt(25 * size**2 / default.width + 1e-5)
    assert rows[0][:2] == pytest.approx([a / by_hand for a in x], rel=1e-12)
    assert scales == pytest.approx([1 / by_hand], rel=1e-12)
    assert all(map(math.isfinite, found))


def test_rmsnorm_of_zeros_is_zeros(default):
    assert [y.data for y in default.rmsnorm(values(default, [0.0] * 4))] == [0.0] * 4


def test_the_loss_of_a_model_that_is_certain_and_wrong_is_finite_and_so_are_its_gradients(default):
    logits = values(default, [2000.0, 0.0, -500.0])
    loss = default.cross_entropy(logits, 2)
    loss.backward()
    assert loss.data == 2500.0
    assert [l.grad for l in logits] == [1.0, 0.0, -1.0]
    assert default.cross_entropy(values(default, [2000.0, 0.0]), 0).data == 0.0


def test_cross_entropy_of_equal_logits_is_the_log_of_their_number(default):
    assert default.cross_entropy(values(default, [0.7] * 27), 3).data == pytest.approx(math.log(27), rel=1e-14)


@pytest.mark.parametrize("size", [1e-100, 30.0, 1e3])
def test_loss_and_gradient_stay_finite_in_both_engines_when_all_weights_are_extreme(size):
    lecture = load("--steps", 0, "--samples", 0, "--width", 8, "--heads", 2)
    draw = random.Random(1)
    for p in lecture.params:
        p.data, p.grad = draw.gauss(0, size), 0.0
    tokens = lecture.encode("maria")
    loss = lecture.surprise(tokens)
    loss.backward()
    found, gradient, kept = lecture.explicit([p.data for p in lecture.params], tokens)
    assert math.isfinite(loss.data) and found == pytest.approx(loss.data, rel=1e-9)
    assert all(math.isfinite(p.grad) for p in lecture.params) and all(map(math.isfinite, gradient))
    for head in kept[0][0]:
        for t, row in enumerate(head):
            assert math.fsum(row) == pytest.approx(1.0, abs=1e-14)
            assert all(share == 0.0 for share in row[t + 1:])


def test_attention_looks_at_the_position_whose_key_answers_the_query_and_hears_its_value():
    """Width 2, one head, weights set by hand: at position 1 the query finds the key of position 0."""
    lecture = load("--steps", 0, "--samples", 0, "--width", 2, "--heads", 1)
    for p in lecture.params:
        p.data = 0.0
    a, b = lecture.encode("ab")[1:3]

    def put(name, rows):
        for row, numbers in zip(lecture.model[name], rows):
            for p, number in zip(row, numbers):
                p.data = number

    lecture.model["token"][a][0].data, lecture.model["token"][b][1].data = 1.0, 1.0
    put(("query", 0), [[0.0, 50.0], [0.0, 0.0]])
    put(("key", 0), [[1.0, 0.0], [0.0, 0.0]])
    put(("value", 0), [[3.0, 0.0], [0.0, 5.0]])
    put(("output", 0), [[1.0, 0.0], [0.0, 1.0]])
    put("lm_head", [[1.0, 0.0], [0.0, 1.0]])
    logits = logits_of(lecture, [a, b])[1]
    unit = 2**0.5 * (1 + 1e-5) ** -0.5  # by hand, up to the 1e-5s: rmsnorm([0, 1]) = [0, sqrt 2]
    assert logits[0] == pytest.approx(3 * unit, rel=1e-4)  # it hears value 3 of position 0, and nothing of its own 5
    assert logits[1] == pytest.approx(unit, rel=1e-4)  # its own letter is still on the residual stream
    _, _, kept = lecture.explicit([p.data for p in lecture.params], [a, b, a])
    assert kept[0][0][0][1] == pytest.approx([1.0, 0.0], abs=1e-6)
    assert kept[0][0][0][0] == [1.0, 0.0]


@pytest.mark.parametrize("heads, width", [(1, 4), (2, 8), (4, 16)])
def test_scores_are_divided_by_the_root_of_the_head_width(heads, width):
    lecture = load("--steps", 0, "--samples", 0, "--width", width, "--heads", heads)
    d = width // heads
    tokens = lecture.encode("ana")
    _, _, kept = lecture.explicit(lecture.start, tokens)
    attention, _, n = kept[0][:3]
    query = [sum(w.data * x for w, x in zip(row, n[1])) for row in lecture.model["query", 0]]
    key = [[sum(w.data * x for w, x in zip(row, n[s])) for row in lecture.model["key", 0]] for s in (0, 1)]
    for h in range(heads):
        scores = [sum(query[i] * key[s][i] for i in range(h * d, h * d + d)) / math.sqrt(d) for s in (0, 1)]
        ratio = math.exp(scores[0] - scores[1])
        assert attention[h][1][:2] == pytest.approx([ratio / (1 + ratio), 1 / (1 + ratio)], rel=1e-12)


def test_changing_a_later_letter_leaves_every_earlier_logit_bit_for_bit_as_it_was(deep):
    one, other = deep.encode("marta")[:-1], deep.encode("marco")[:-1]
    assert one[:4] == other[:4] and one[4] != other[4]
    first, second = logits_of(deep, one), logits_of(deep, other)
    assert first[:4] == second[:4]
    assert first[4] != second[4]


def test_changing_a_later_letter_leaves_earlier_rows_of_the_explicit_engine_as_they_were(deep):
    one, other = deep.encode("marta"), deep.encode("marco")
    for before, after in zip(deep.explicit(deep.start, one)[2], deep.explicit(deep.start, other)[2]):
        h_before, h_after = before[-1], after[-1]
        assert h_before[:4] == h_after[:4]
        assert h_before[4] != h_after[4]


def test_an_earlier_letter_does_change_later_logits(default):
    first, second = logits_of(default, default.encode("ana")[:-1]), logits_of(default, default.encode("una")[:-1])
    assert first[0] == second[0]
    assert all(a != b for a, b in zip(first[1:], second[1:]))


def test_the_cache_grows_by_one_key_and_one_value_of_the_full_width_per_token_and_layer(deep):
    keys, vals = [[] for _ in range(3)], [[] for _ in range(3)]
    for t, token in enumerate(deep.encode("eva")[:-1]):
        assert len(deep.gpt(token, t, keys, vals)) == deep.vocab
        assert [len(k) for k in keys] == [len(v) for v in vals] == [t + 1] * 3
        assert all(len(row) == 8 for cache in keys + vals for row in cache)


@pytest.mark.parametrize("flags, count", [
    ([], 2 * 27 * 16 + 16 * 16 + 12 * 16 * 16),
    (["--layers", 3, "--width", 8, "--heads", 2, "--block", 6], 2 * 27 * 8 + 6 * 8 + 3 * 12 * 8 * 8),
    (["--width", 1, "--heads", 1, "--block", 1], 2 * 27 + 1 + 12),
])
def test_the_number_of_parameters_follows_from_the_knobs(flags, count):
    lecture = load("--steps", 0, "--samples", 0, *flags)
    assert len(lecture.params) == len(lecture.start) == count


def test_the_initial_weights_have_mean_0_and_standard_deviation_0_08(default):
    mean = sum(default.start) / 4192
    spread = math.sqrt(sum((x - mean) ** 2 for x in default.start) / 4192)
    assert abs(mean) < 4 * 0.08 / math.sqrt(4192)
    assert spread == pytest.approx(0.08, rel=0.05)

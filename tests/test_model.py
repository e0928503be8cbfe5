"""The primitives of the field, on their own: RMSNorm, softmax, cross-entropy, attention, causality, the KV cache."""
import math
import random

import pytest
from conftest import load


def values(lecture, numbers):
    return [lecture.Value(x) for x in numbers]


def logits_of(lecture, tokens):
    """[len(tokens)][vocab], as plain numbers, one token at a time through the KV cache."""
    cache = [([], []) for _ in range(lecture.layers)]
    return [[l.data for l in lecture.gpt(token, t, cache)] for t, token in enumerate(tokens)]


def attention_shares(lecture, tokens, layer=0):
    """[heads][T][T], as the explicit engine works them out at the start."""
    kept = []
    forward = lecture.attention_forward

    def watched(q, k, v):
        y, shares = forward(q, k, v)
        kept.append(shares)
        return y, shares
    lecture.attention_forward = watched
    try:
        lecture.explicit([p.data for p in lecture.params], tokens)
    finally:
        lecture.attention_forward = forward
    return kept[layer]


EXTREMES = {
    "equal": [0.0, 0.0, 0.0],
    "large": [1000.0, 999.0, -1000.0],
    "huge": [1e300, -1e300, 0.0],
    "tiny": [1e-300, 2e-300, -1e-300],
    "one": [5.0],
}


@pytest.mark.parametrize("scores", EXTREMES.values(), ids=EXTREMES)
def test_softmax_neither_overflows_nor_loses_probability(default, scores):
    for found in ([p.data for p in default.softmax(values(default, scores))], default.softmax_forward(scores)):
        assert all(0.0 <= p <= 1.0 for p in found)
        assert math.fsum(found) == pytest.approx(1.0, abs=1e-15)
        assert found[scores.index(max(scores))] == max(found)


def test_softmax_of_small_scores_is_what_its_definition_gives(default):
    scores = [0.3, -1.2, 2.0]
    total = math.exp(0.3) + math.exp(-1.2) + math.exp(2.0)
    expected = [math.exp(0.3) / total, math.exp(-1.2) / total, math.exp(2.0) / total]
    assert [p.data for p in default.softmax(values(default, scores))] == pytest.approx(expected, rel=1e-14)
    assert default.softmax_forward(scores) == pytest.approx(expected, rel=1e-14)


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
    wide = x + [0.0] * (default.width - 2)
    by_hand = math.sqrt(25 * size**2 / 16 + 1e-5)
    assert default.rmsnorm_forward(wide) == pytest.approx([a / by_hand for a in wide], rel=1e-12)
    assert all(map(math.isfinite, found))


def test_rmsnorm_of_zeros_is_zeros(default):
    assert [y.data for y in default.rmsnorm(values(default, [0.0] * 4))] == [0.0] * 4


def test_a_model_that_is_certain_and_right_pays_nothing(default):
    assert default.cross_entropy(values(default, [700.0, 0.0]), 0).data == 0.0
    assert default.cross_entropy_forward([[700.0, 0.0]], [0]) == 0.0


def test_a_model_that_is_almost_certain_and_wrong_pays_what_it_was_certain_by(default):
    logits = values(default, [600.0, 0.0, -50.0])
    loss = default.cross_entropy(logits, 2)
    loss.backward()
    assert loss.data == pytest.approx(650.0, rel=1e-12)
    assert [l.grad for l in logits] == pytest.approx([1.0, 0.0, -1.0], rel=1e-12)


def test_a_probability_that_rounds_to_0_is_refused_loudly_by_both_engines(default):
    with pytest.raises(ValueError):
        default.cross_entropy(values(default, [2000.0, 0.0]), 1)
    with pytest.raises(ValueError):
        default.cross_entropy_forward([[2000.0, 0.0]], [1])


def test_cross_entropy_of_equal_logits_is_the_log_of_their_number(default):
    assert default.cross_entropy(values(default, [0.7] * 27), 3).data == pytest.approx(math.log(27), rel=1e-14)


def test_the_gradient_of_cross_entropy_is_the_probability_less_one_at_the_target(default):
    logits = values(default, [math.log(2), math.log(3), math.log(5)])
    default.cross_entropy(logits, 1).backward()
    assert [l.grad for l in logits] == pytest.approx([0.2, 0.3 - 1, 0.5], rel=1e-12)


@pytest.mark.parametrize("size", [1e-100, 1.0])
def test_loss_and_gradient_stay_finite_in_both_engines_when_all_weights_are_tiny_or_large(size):
    lecture = load("--steps", 0, "--samples", 0, "--width", 8, "--heads", 2)
    draw = random.Random(1)
    numbers, tokens = [draw.gauss(0, size) for _ in lecture.params], lecture.encode("maria")
    loss, gradient = lecture.autograd(numbers, tokens)
    explicit_loss, explicit_gradient = lecture.explicit(numbers, tokens)
    assert math.isfinite(loss) and explicit_loss == pytest.approx(loss, rel=1e-9)
    assert all(map(math.isfinite, gradient)) and all(map(math.isfinite, explicit_gradient))
    for head in attention_shares(lecture, tokens):
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
    head, = attention_shares(lecture, [a, b, a])
    assert head[1] == pytest.approx([1.0, 0.0], abs=1e-6)
    assert head[0] == [1.0, 0.0]


@pytest.mark.parametrize("heads, width", [(1, 4), (2, 8), (4, 16)])
def test_scores_are_divided_by_the_root_of_the_head_width(heads, width):
    """Queries of ones against keys of ones and of twos: the scores differ by d / sqrt d = sqrt d."""
    lecture = load("--steps", 0, "--samples", 0, "--width", width, "--heads", heads)
    ones, twos = [1.0] * width, [2.0] * width
    _, shares = lecture.attention_forward([ones, ones], [ones, twos], [ones, ones])
    ratio = math.exp(math.sqrt(width // heads))
    assert len(shares) == heads
    for head in shares:
        assert head[1] == pytest.approx([1 / (1 + ratio), ratio / (1 + ratio)], rel=1e-12)


def test_changing_a_later_letter_leaves_every_earlier_logit_bit_for_bit_as_it_was(deep):
    one, other = deep.encode("marta")[:-1], deep.encode("marco")[:-1]
    assert one[:4] == other[:4] and one[4] != other[4]
    first, second = logits_of(deep, one), logits_of(deep, other)
    assert first[:4] == second[:4]
    assert first[4] != second[4]


def test_changing_a_later_letter_leaves_earlier_shares_of_the_explicit_engine_as_they_were(deep):
    for layer in range(3):
        one, other = (attention_shares(deep, deep.encode(name), layer) for name in ("marta", "marco"))
        for head, changed in zip(one, other):
            assert head[:4] == changed[:4]
            assert head[4] != changed[4]


def test_an_earlier_letter_does_change_later_logits(default):
    first, second = logits_of(default, default.encode("ana")[:-1]), logits_of(default, default.encode("una")[:-1])
    assert first[0] == second[0]
    assert all(a != b for a, b in zip(first[1:], second[1:]))


def test_the_cache_grows_by_one_key_and_one_value_of_the_full_width_per_token_and_layer(deep):
    cache = [([], []) for _ in range(3)]
    for t, token in enumerate(deep.encode("eva")[:-1]):
        assert len(deep.gpt(token, t, cache)) == deep.vocab
        assert [len(keys) for keys, _ in cache] == [len(values) for _, values in cache] == [t + 1] * 3
        assert all(len(row) == 8 for pair in cache for rows in pair for row in rows)


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


def test_the_model_holds_one_matrix_a_role_and_layer_in_a_fixed_order_and_shape(deep):
    expected = [("token", 27, 8), ("position", 6, 8), ("lm_head", 27, 8)]
    for layer in range(3):
        expected += [((role, layer), 8, 8) for role in ("query", "key", "value", "output")]
        expected += [(("up", layer), 32, 8), (("down", layer), 8, 32)]
    assert [(name, len(rows), len(rows[0])) for name, rows in deep.model.items()] == expected
    assert deep.params == [p for rows in deep.model.values() for row in rows for p in row]


def test_set_params_gives_every_parameter_its_number_and_no_blame(deep):
    numbers = [i / 1000 for i in range(2784)]
    for p in deep.params:
        p.grad = 7.0
    deep.set_params(numbers)
    assert [p.data for p in deep.params] == numbers
    assert {p.grad for p in deep.params} == {0.0}
    deep.set_params(deep.start)

"""The tools of explicit backprop: each forward by its definition, each back by central differences.

Where the first engine has the same tool, softmax and rmsnorm, both are held against the same figures.
"""
import math
import random

import pytest
from conftest import SMALL, load


def table(height, width, seed, size=2.0):
    draw = random.Random(seed)
    return [[draw.uniform(-size, size) for _ in range(width)] for _ in range(height)]


def weighted(y, dy):
    return math.fsum(a * b for row, drow in zip(y, dy) for a, b in zip(row, drow))


def slopes(forward, x, dy, h=1e-6):
    """The slopes of the sum of forward(x) * dy with respect to every number in x, by central differences."""
    result = [[0.0] * len(row) for row in x]
    for i, row in enumerate(x):
        for j, number in enumerate(row):
            row[j] = number + h
            above = weighted(forward(x), dy)
            row[j] = number - h
            below = weighted(forward(x), dy)
            row[j] = number
            result[i][j] = (above - below) / (2 * h)
    return [pytest.approx(row, rel=1e-6, abs=1e-7) for row in result]


def test_sumprod_adds_up_products_also_where_the_library_lacks_it(monkeypatch):
    monkeypatch.delattr(math, "sumprod", raising=False)
    lecture = load("--steps", 0, "--samples", 0, *SMALL)
    assert lecture.sumprod([1.0, -2.0, 3.0], (4.0, 5.0, -6.0)) == -24.0


def test_dots_and_back(default):
    assert default.dots([[1.0, 2.0], [3.0, -4.0]], [[1.0, 0.0], [0.0, 1.0], [10.0, 100.0]]) == [
        [1.0, 2.0, 210.0],
        [3.0, -4.0, -370.0],
    ]
    a, b, dy = table(3, 4, 1), table(5, 4, 2), table(3, 5, 3)
    da, db = default.dots_back(dy, a, b)
    assert da == slopes(lambda a: default.dots(a, b), a, dy)
    assert db == slopes(lambda b: default.dots(a, b), b, dy)


def test_relu_forward_and_back(default):
    y = default.relu_forward([1.5, -2.0, 0.0, -0.0, 1e-300, math.nan])
    assert y[:5] == [1.5, 0.0, 0.0, 0.0, 1e-300]
    assert math.isnan(y[5])
    assert default.relu_back([5.0, 6.0, 7.0, 8.0, -9.0], y[:5]) == [5.0, 0.0, 0.0, 0.0, -9.0]


@pytest.mark.parametrize("size", [2.0, 0.003], ids=["common", "so small that the 1e-5 counts"])
def test_rmsnorm_back(default, size):
    (x,), (dy,) = table(1, 5, 4, size), table(1, 5, 5)
    dx = default.rmsnorm_back(dy, x, default.rmsnorm_forward(x))
    assert [dx] == slopes(lambda rows: [default.rmsnorm_forward(rows[0])], [x], [dy], h=size * 1e-5)


@pytest.mark.parametrize("size", [0.0, 1e-200, 1e-150, 1e-3, 1.0, 1e3, 1e150])
def test_rmsnorm_forward_in_both_engines_for_vectors_of_any_size(default, size):
    x = [3.0 * size, -4.0 * size]
    scale = math.sqrt(12.5 * size ** 2 + 1e-5)
    by_hand = pytest.approx([number / scale for number in x], rel=1e-14, abs=0)
    assert default.rmsnorm_forward(x) == by_hand
    assert [y.data for y in default.rmsnorm([default.Value(number) for number in x])] == by_hand


E, LOG3 = math.e, math.log(3)


@pytest.mark.parametrize("scores, probs", [
    ([0.0, LOG3, LOG3], [1 / 7, 3 / 7, 3 / 7]),
    ([5.0], [1.0]),
    ([0.3, 0.3, 0.3, 0.3], [0.25] * 4),
    ([-1000.0, 999.0, 1000.0], [0.0, 1 / (1 + E), E / (1 + E)]),
    ([-1000.0 - LOG3, -3000.0, -1000.0], [0.25, 0.0, 0.75]),
    ([-5000.0, 8000.0, 8000.0 + LOG3], [0.0, 0.25, 0.75]),
    ([-1e300, 0.0, 1e300], [0.0, 0.0, 1.0]),
    ([1e-300, 2e-300], [0.5, 0.5]),
])
def test_softmax_and_its_slopes_in_both_engines_for_scores_of_any_size(default, scores, probs):
    """By hand: the last probability p has the slope p (1 - p) in its own score, and -p p_i in any other."""
    by_hand = pytest.approx(probs, rel=1e-12)
    last = pytest.approx([probs[-1] * ((i == len(probs) - 1) - p) for i, p in enumerate(probs)], abs=1e-12)
    y = default.softmax_forward(scores)
    assert y == by_hand
    assert default.softmax_back([0.0] * (len(y) - 1) + [1.0], y) == last
    values = [default.Value(score) for score in scores]
    found = default.softmax(values)
    assert [p.data for p in found] == by_hand
    found[-1].backward()
    assert [value.grad for value in values] == last


def test_softmax_back_adds_up_the_slopes_of_all_probabilities(default):
    (x,), (dy,) = table(1, 5, 6), table(1, 5, 7)
    dx = default.softmax_back(dy, default.softmax_forward(x))
    assert [dx] == slopes(lambda rows: [default.softmax_forward(rows[0])], [x], [dy])


@pytest.mark.parametrize("heads", [1, 2, 3, 6])
def test_attention_forward_and_back(heads):
    """The weights of later tokens are exactly 0. Scores are divided by the root of the head's width."""
    lecture = load("--steps", 0, "--samples", 0, "--width", 6, "--heads", heads)
    size = 6 // heads
    q, k, v, dheard = (table(4, 6, seed) for seed in (9, 10, 11, 12))
    heard, weights = lecture.attention_forward(q, k, v)
    for head in range(heads):
        mine = range(head * size, (head + 1) * size)
        for t in range(4):
            scores = [sum(q[t][i] * k[j][i] for i in mine) / math.sqrt(size) for j in range(t + 1)]
            by_hand = [math.exp(score) / sum(map(math.exp, scores)) for score in scores]
            assert weights[head][t] == pytest.approx(by_hand + [0.0] * (3 - t), rel=1e-12, abs=0)
            told = [sum(by_hand[j] * v[j][i] for j in range(t + 1)) for i in mine]
            assert heard[t][mine.start:mine.stop] == pytest.approx(told, rel=1e-12)
    dq, dk, dv = lecture.attention_back(dheard, q, k, v, weights)
    assert dq == slopes(lambda q: lecture.attention_forward(q, k, v)[0], q, dheard)
    assert dk == slopes(lambda k: lecture.attention_forward(q, k, v)[0], k, dheard)
    assert dv == slopes(lambda v: lecture.attention_forward(q, k, v)[0], v, dheard)


def test_the_future_is_hidden_however_large_the_scores_are(default):
    """Token 0 has the score -7200 with itself and 7200 with token 1, which it can't hear."""
    heard, weights = default.attention_forward(
        [[60.0] * 16] * 2, [[-60.0] * 16, [60.0] * 16], [[1.0] * 16, [9.0] * 16])
    assert heard[0] == [1.0] * 16
    assert [head[0] for head in weights] == [[1.0, 0.0]] * 4


def test_heads_are_slices_side_by_side(deep):
    """Width 8, 2 heads."""
    rows = [list(range(8)), list(range(10, 18))]
    parts = [[[0, 1, 2, 3], [10, 11, 12, 13]], [[4, 5, 6, 7], [14, 15, 16, 17]]]
    assert deep.split(rows) == parts
    assert deep.join(parts) == rows


def test_cross_entropy_is_the_mean_surprise_and_gives_its_slopes(default):
    logits, targets = table(3, 5, 13), [4, 0, 0]
    loss, dlogits = default.cross_entropy(logits, targets)
    surprises = [math.log(sum(map(math.exp, row))) - row[target] for row, target in zip(logits, targets)]
    assert loss == pytest.approx(sum(surprises) / 3, rel=1e-12)
    assert dlogits == slopes(lambda rows: [[default.cross_entropy(rows, targets)[0]]], logits, [[1.0]])

"""The blocks of the explicit engine: each forward against its definition, each back against central differences of it."""
import math
import random

import pytest
from conftest import load


@pytest.fixture(scope="module")
def lecture():
    """Width 4 in 2 heads: the blocks take the width and the heads from the knobs."""
    return load("--steps", 0, "--samples", 0, "--width", 4, "--heads", 2)


def table(height, width, seed):
    draw = random.Random(seed)
    return [[draw.uniform(-2, 2) for _ in range(width)] for _ in range(height)]


def laid(rule, *xs):
    """A rule for vectors, on each row of xs."""
    return [rule(*vectors) for vectors in zip(*xs)]


def near(expected, rel=1e-12):
    return [pytest.approx(row, rel=rel, abs=rel) for row in expected]


def total(y, dy):
    return math.fsum(a * b for row in zip(y, dy) for a, b in zip(*row))


def slopes(forward, x, dy, h=1e-6):
    """d sum(forward(x) * dy) / d x, by central differences."""
    result = [[0.0] * len(row) for row in x]
    for i, row in enumerate(x):
        for j, number in enumerate(row):
            row[j] = number + h
            above = total(forward(x), dy)
            row[j] = number - h
            below = total(forward(x), dy)
            row[j] = number
            result[i][j] = (above - below) / (2 * h)
    return near(result, 1e-7)


def test_sumprod_transpose_and_matmul_do_arithmetic_that_can_be_done_by_hand(lecture):
    assert lecture.sumprod([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]) == 32.0
    assert list(map(list, lecture.transpose([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))) == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert lecture.matmul([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[1.0, 0.0], [10.0, 100.0]]) == [
        [21.0, 200.0], [43.0, 400.0], [65.0, 600.0]]
    assert lecture.add([1.0, 2.0], [10.0, 20.0]) == [11.0, 22.0]


def test_without_sumprod_in_the_standard_library_the_sum_of_products_is_the_same(monkeypatch):
    monkeypatch.delattr(math, "sumprod", raising=False)
    lecture = load("--steps", 0, "--samples", 0, "--width", 4, "--heads", 2)
    assert lecture.sumprod([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]) == 32.0


def test_linear_holds_each_row_of_x_against_each_row_of_w(lecture):
    assert lecture.linear_forward([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 1.0], [10.0, 100.0]]) == [
        [1.0, 2.0, 210.0], [3.0, 4.0, 430.0]]
    x, w, dy = table(3, 4, 1), table(5, 4, 2), table(3, 5, 3)
    dx, dw = lecture.linear_back(dy, x, w)
    assert dx == slopes(lambda x: lecture.linear_forward(x, w), x, dy)
    assert dw == slopes(lambda w: lecture.linear_forward(x, w), w, dy)


def test_relu_keeps_what_is_above_zero_and_passes_blame_there_alone(lecture):
    y = lecture.relu_forward([1.5, -2.0, 0.0, 1e-300])
    assert y == [1.5, 0.0, 0.0, 1e-300]
    assert lecture.relu_back([5.0, 6.0, 7.0, 8.0], y) == [5.0, 0.0, 0.0, 8.0]


def test_rmsnorm_scales_each_row_to_a_mean_square_of_one(lecture):
    x, dy = table(3, 4, 4), table(3, 4, 5)
    y = laid(lecture.rmsnorm_forward, x)
    assert y == near([[xi / math.sqrt(sum(xj * xj for xj in row) / 4 + 1e-5) for xi in row] for row in x])
    assert laid(lecture.rmsnorm_back, dy, x, y) == slopes(lambda x: laid(lecture.rmsnorm_forward, x), x, dy)


def test_the_small_constant_in_rmsnorm_is_in_its_slope_too(lecture):
    x, dy, h = [0.001, -0.002, 0.003, 0.001], [1.0, 2.0, -1.0, 0.5], 1e-8
    found = lecture.rmsnorm_back(dy, x, lecture.rmsnorm_forward(x))
    judge = []
    for i in range(4):
        above = lecture.rmsnorm_forward([xj + h * (i == j) for j, xj in enumerate(x)])
        below = lecture.rmsnorm_forward([xj - h * (i == j) for j, xj in enumerate(x)])
        judge.append((total([above], [dy]) - total([below], [dy])) / (2 * h))
    assert found == pytest.approx(judge, rel=1e-6)


def test_softmax_makes_shares_of_exponentials_in_each_row(lecture):
    x, dy = table(3, 5, 6), table(3, 5, 7)
    y = laid(lecture.softmax_forward, x)
    assert y == near([[math.exp(xi) / sum(map(math.exp, row)) for xi in row] for row in x])
    assert laid(lecture.softmax_back, dy, y) == slopes(lambda x: laid(lecture.softmax_forward, x), x, dy)
    assert lecture.softmax_forward([0.0, -math.inf]) == [1.0, 0.0]


def test_cross_entropy_is_the_mean_surprise_and_its_slope_is_that_in_the_logits(lecture):
    assert lecture.cross_entropy_forward([[5.0, 5.0], [0.0, math.log(3)]], [0, 0]) == pytest.approx(1.5 * math.log(2), rel=1e-14)
    logits, targets = table(3, 5, 8), [4, 0, 2]

    def loss(logits):
        return [[lecture.cross_entropy_forward(logits, targets)]]
    assert lecture.cross_entropy_back(logits, targets) == slopes(loss, logits, [[1.0]])


def test_split_deals_the_width_out_to_the_heads_and_join_puts_it_together(lecture):
    x = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]
    assert lecture.split(x) == [[[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [7.0, 8.0]]]
    assert lecture.join(lecture.split(x)) == x


def test_attention_hears_the_present_and_the_past_in_each_head_by_how_well_the_keys_match(lecture):
    q, k, v = table(3, 4, 9), table(3, 4, 10), table(3, 4, 11)
    y, shares = lecture.attention_forward(q, k, v)
    assert len(shares) == 2
    for h in range(2):
        for t in range(3):
            powers = [math.exp(sum(q[t][i] * k[s][i] for i in (2 * h, 2 * h + 1)) / math.sqrt(2)) for s in range(t + 1)]
            by_hand = [power / sum(powers) for power in powers] + [0.0] * (2 - t)
            assert shares[h][t] == pytest.approx(by_hand, rel=1e-12)
            assert shares[h][t][t + 1:] == [0.0] * (2 - t)
            for i in (2 * h, 2 * h + 1):
                assert y[t][i] == pytest.approx(sum(by_hand[s] * v[s][i] for s in range(3)), rel=1e-12)


def test_attention_blames_queries_keys_and_values(lecture):
    q, k, v, dy = (table(3, 4, seed) for seed in (9, 10, 11, 12))
    _, shares = lecture.attention_forward(q, k, v)
    dq, dk, dv = lecture.attention_back(dy, q, k, v, shares)
    assert dq == slopes(lambda q: lecture.attention_forward(q, k, v)[0], q, dy)
    assert dk == slopes(lambda k: lecture.attention_forward(q, k, v)[0], k, dy)
    assert dv == slopes(lambda v: lecture.attention_forward(q, k, v)[0], v, dy)

"""Value: every operator against central differences or arithmetic by hand, and the way back."""
import gc
import math
import sys

import pytest
from conftest import model_of


def method(name, plain):
    """The method of this name of a Value, and the plain function of a plain number."""
    return lambda x: getattr(x, name)() if hasattr(x, name) else plain(x)


FUNCTIONS = {
    "exp": method("exp", math.exp),
    "log": method("log", math.log),
    "relu": method("relu", lambda x: x if x > 0 else 0.0),
    "shared": lambda x: x * (x + x * x * x),  # paths of lengths 1, 2 and 4 from the result to x
}
EXPRESSIONS = [
    "a + b", "a - b", "b - a", "a * b", "a / b", "b / a",
    "a + 1.7", "-2 + a", "a - 1.7", "-2 - a", "a * -3", "1.7 * a", "a / -4", "1.7 / a", "-a",
    "a ** 1", "a ** 2", "a ** 3", "a ** -1", "a ** -2", "(a * a) ** 0.5", "(a * a) ** -1.25",
    "exp(a)", "log(a * a)", "relu(a)", "relu(-a * b)",
    "a + a", "a / a * b", "2 + a * 3", "sum([a, 5, b, a])", "shared(a)", "shared(a * b)",
]
POINTS = [(1.5, 2.5), (-3.0, 0.7), (2.0, -1.25), (-0.5, -4.0), (-2.0, 3.0), (-3, 2), (2, -3)]


def worked_out(expression, **names):
    return eval(expression, dict(FUNCTIONS, **names))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_operator_has_the_value_of_plain_numbers_and_the_measured_slopes(default, expression):
    h = 1e-6
    for a, b in POINTS:
        node_a, node_b = default.Value(a), default.Value(b)
        result = worked_out(expression, a=node_a, b=node_b)
        result.backward()
        assert result.data == pytest.approx(worked_out(expression, a=a, b=b), rel=1e-14)
        by_a = worked_out(expression, a=a + h, b=b) - worked_out(expression, a=a - h, b=b)
        by_b = worked_out(expression, a=a, b=b + h) - worked_out(expression, a=a, b=b - h)
        assert node_a.grad == pytest.approx(by_a / (2 * h), rel=1e-7, abs=1e-7)
        assert node_b.grad == pytest.approx(by_b / (2 * h), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_not_a_number_stays_so_through_every_operator(default, expression):
    assert math.isnan(worked_out(expression, a=default.Value(math.nan), b=default.Value(2.0)).data)


@pytest.mark.parametrize("expression, number, value, slope", [
    ("relu(x)", 0.0, 0.0, 0.0),
    ("relu(x)", -0.0, 0.0, 0.0),
    ("relu(x)", 1e-300, 1e-300, 1.0),
    ("relu(x)", -1e-300, 0.0, 0.0),
    ("exp(x)", 709.0, math.exp(709), math.exp(709)),
    ("exp(x)", -10000.0, 0.0, 0.0),
    ("log(x)", 2.0 ** -999, math.log(2.0 ** -999), 2.0 ** 999),
    ("x ** 1", 0.0, 0.0, 1.0),
])
def test_numbers_at_a_limit_have_the_value_and_slope_found_by_hand(default, expression, number, value, slope):
    x = default.Value(number)
    y = worked_out(expression, x=x)
    y.backward()
    assert (y.data, x.grad) == (value, slope)


@pytest.mark.parametrize("expression, error", [
    ("1 / zero", ValueError),
    ("minus / zero", ValueError),
    ("zero ** 0", ValueError),  # for the slope, 0 times 1 / 0
    ("log(zero)", ValueError),
    ("log(minus)", ValueError),
    ("exp(zero + 710)", OverflowError),
    ("minus ** 0.5", ValueError),  # and not a complex number
    ("minus ** minus", TypeError),
    ("dot([zero], [minus, minus])", AssertionError),
    ("dot([zero, zero], [minus])", AssertionError),
])
def test_what_has_no_value_is_an_error(default, expression, error):
    with pytest.raises(error):
        worked_out(expression, zero=default.Value(0.0), minus=default.Value(-2.0), dot=default.dot)


def test_a_result_holds_pairs_of_child_and_local_gradient(default):
    a, b = default.Value(2.0), default.Value(-4.0)
    assert list((a + b).edges) == [(a, 1.0), (b, 1.0)]
    assert list((a * b).edges) == [(a, -4.0), (b, 2.0)]
    assert list((b ** -1).edges) == [(b, -0.0625)]
    assert list(a.edges) == []


def test_a_dot_product_is_one_value_with_an_edge_to_every_factor(default):
    a, b, zero, c = map(default.Value, (2.0, -5.0, 0.0, 7.0))
    result = default.dot([a, zero, b], [b, c, b])
    assert result.data == 2 * -5 + 0 * 7 + -5 * -5
    assert list(result.edges) == [(a, -5.0), (zero, 7.0), (b, -5.0), (b, 2.0), (c, 0.0), (b, -5.0)]
    (result * 3).backward()
    assert [x.grad for x in (a, b, zero, c)] == [-15.0, 3 * (2 - 5 - 5), 21.0, 0.0]


def test_a_value_shows_every_digit_of_its_number_and_gradient(default):
    a = default.Value(0.1 + 0.2)
    assert repr(a) == "Value(data=0.30000000000000004, grad=0.0)"
    (a * (0.1 + 0.7)).backward()
    assert repr(a) == "Value(data=0.30000000000000004, grad=0.7999999999999999)"


def test_a_value_passes_its_gradient_on_once_all_its_uses_have_paid_in(default):
    a = default.Value(2.0)
    h = a + a
    (h + h).backward()
    assert (h.grad, a.grad) == (2.0, 4.0)


def test_gradients_of_leaves_add_up_over_calls_and_those_of_results_do_not(default):
    a = default.Value(3.0)
    middle = a * 2
    result = middle * 5
    for call in (1, 2, 3):
        result.backward()
        assert (result.grad, middle.grad, a.grad) == (1.0, 5.0, 10.0 * call)
    middle.backward()
    assert (middle.grad, a.grad) == (1.0, 32.0)


def test_a_leaf_grows_as_fast_as_itself(default):
    leaf = default.Value(4.0)
    assert leaf.grad == 0.0
    leaf.backward()
    leaf.backward()
    assert leaf.grad == 1.0


def test_backward_follows_the_edges_as_they_stand(default):
    a = default.Value(2.0)
    forged = default.Value(100.0, [(a, 7.0), (a, -0.5)])
    (forged * 3).backward()
    assert a.grad == 19.5


def test_a_value_holds_nothing_but_its_four_slots(default):
    with pytest.raises(AttributeError):
        default.Value(1.0).gard = 0.0


class Watched(list):
    """Edges that may be looked through three times."""
    looks = 0

    def __iter__(self):
        self.looks += 1
        assert self.looks <= 3
        return super().__iter__()


def test_backward_takes_the_time_of_the_edges_and_not_of_the_paths(default):
    """Fibonacci's numbers: 60 additions, and 10 ** 12 paths from the last back to the first two."""
    a, b = default.Value(0.0), default.Value(1.0)
    before, last = a, b
    for _ in range(59):
        before, last = last, before + last
        last.edges = Watched(last.edges)
    last.backward()
    assert (last.data, a.grad, b.grad) == (1548008755920.0, 956722026041.0, 1548008755920.0)


def test_a_loss_makes_just_the_values_that_its_formulas_need(deep):
    """By hand, with a Value for each plain number that is an operand: a norm of N numbers makes N + 6, a softmax 5 N + 2."""
    W, L, H, V = deep.width, deep.layers, deep.heads, deep.vocab
    for name, T in [("a", 2), ("otto", 5)]:
        expected = T + 3  # their sum, and its division
        for so_far in range(1, T + 1):
            attention = 5 * W + H * (3 * so_far + 5 * so_far + 2)
            layer = 2 * (W + 6) + attention + W + 4 * W + 4 * W + W + W
            expected += W + (W + 6) + L * layer + V + (5 * V + 2) + 3
        model = model_of(deep)
        made = next(deep.counter)
        deep.loss_of(model, deep.encode(name))
        assert next(deep.counter) - made - 1 == expected


def living(lecture):
    """How many Values are in memory."""
    return sum(type(each) is lecture.Value for each in gc.get_objects())


@pytest.mark.slow
def test_a_chain_of_100_000_values_is_walked_and_freed_without_recursion(default):
    a = x = default.Value(1.0)
    for i in range(100_000):
        x = x + 1.0 if i % 2 else x * 1.0
    x.backward()
    assert (x.data, a.grad) == (50_001.0, 1.0)
    kept = living(default)
    del x
    gc.collect()
    assert kept - living(default) > 100_000


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="only CPython counts references")
def test_a_graph_is_freed_without_the_garbage_collector(default):
    gc.disable()
    try:
        a = default.Value(2.0)
        middle = a * a
        result = (middle + a) * middle.exp()
        result.backward()
        kept = living(default)
        del middle, result
        assert kept - living(default) == 4  # a * a, its sum with a, its exp, and the result
    finally:
        gc.enable()

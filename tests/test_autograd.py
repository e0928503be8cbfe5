"""Value: every operator against central differences or arithmetic done by hand."""
import gc
import math
import random
import sys
import types

import pytest
from conftest import SMALL, before, load, watch

OPERATORS = {
    "a + b": (lambda a, b: a + b, None),
    "a - b": (lambda a, b: a - b, None),
    "a * b": (lambda a, b: a * b, None),
    "a / b": (lambda a, b: a / b, None),
    "a + 1.7": (lambda a, b: a + 1.7, None),
    "1.7 + a": (lambda a, b: 1.7 + a, None),
    "a - 1.7": (lambda a, b: a - 1.7, None),
    "1.7 - a": (lambda a, b: 1.7 - a, None),
    "a * 1.7": (lambda a, b: a * 1.7, None),
    "1.7 * a": (lambda a, b: 1.7 * a, None),
    "a / 1.7": (lambda a, b: a / 1.7, None),
    "1.7 / a": (lambda a, b: 1.7 / a, None),
    "2 + a * 3": (lambda a, b: 2 + a * 3, None),
    "-a": (lambda a, b: -a, None),
    "a ** 3": (lambda a, b: a**3, None),
    "a ** 2.5": (lambda a, b: a**2.5, None),
    "a ** -0.5": (lambda a, b: a**-0.5, None),
    "a ** 1": (lambda a, b: a**1, None),
    "a ** 0": (lambda a, b: a**0, None),
    "a ** 0.5": (lambda a, b: a**0.5, None),
    "exp a": (lambda a, b: a.exp(), lambda a, b: math.exp(a)),
    "log a": (lambda a, b: a.log(), lambda a, b: math.log(a)),
    "relu a": (lambda a, b: a.relu(), lambda a, b: max(a, 0.0)),
    "relu -a": (lambda a, b: (-a).relu(), lambda a, b: max(-a, 0.0)),
    "a * a": (lambda a, b: a * a, None),
    "a + a": (lambda a, b: a + a, None),
    "a / a * b": (lambda a, b: a / a * b, None),
    "a used along paths of lengths 1, 2 and 4": (lambda a, b: a * ((a * b + a) * b * a) + b, None),
}


def at_random_points(count=20):
    draw = random.Random(5)
    return [(draw.uniform(0.2, 3.0), draw.uniform(0.2, 3.0)) for _ in range(count)]


@pytest.mark.parametrize("name", OPERATORS)
def test_the_value_and_the_gradient_of_an_operator_agree_with_plain_arithmetic_and_central_differences(default, name):
    of_values, of_floats = OPERATORS[name]
    of_floats = of_floats or of_values
    h = 1e-6
    for a, b in at_random_points():
        node_a, node_b = default.Value(a), default.Value(b)
        result = of_values(node_a, node_b)
        result.backward()
        assert result.data == pytest.approx(of_floats(a, b), rel=1e-14, abs=1e-14)
        slope_a = (of_floats(a + h, b) - of_floats(a - h, b)) / (2 * h)
        slope_b = (of_floats(a, b + h) - of_floats(a, b - h)) / (2 * h)
        assert node_a.grad == pytest.approx(slope_a, rel=1e-7, abs=1e-7)
        assert node_b.grad == pytest.approx(slope_b, rel=1e-7, abs=1e-7)


def test_relu_passes_blame_above_zero_only_and_its_slope_at_zero_is_zero(default):
    for data, value, slope in [(2.0, 2.0, 1.0), (-2.0, 0.0, 0.0), (0.0, 0.0, 0.0), (1e-300, 1e-300, 1.0)]:
        x = default.Value(data)
        y = x.relu()
        y.backward()
        assert (y.data, x.grad) == (value, slope)


@pytest.mark.parametrize("length", [1, 2, 3, 8])
def test_dot_agrees_with_plain_arithmetic_and_central_differences_in_every_factor(default, length):
    draw, h = random.Random(length), 1e-6

    def plain(numbers):
        return math.fsum(numbers[i] * numbers[length + i] for i in range(length))

    for _ in range(10):
        numbers = [draw.uniform(-3.0, 3.0) for _ in range(2 * length)]
        nodes = [default.Value(x) for x in numbers]
        result = default.dot(nodes[:length], nodes[length:])
        result.backward()
        assert result.data == pytest.approx(plain(numbers), rel=1e-13, abs=1e-13)
        for i, node in enumerate(nodes):
            above = plain(numbers[:i] + [numbers[i] + h] + numbers[i + 1:])
            below = plain(numbers[:i] + [numbers[i] - h] + numbers[i + 1:])
            assert node.grad == pytest.approx((above - below) / (2 * h), rel=1e-7, abs=1e-7)


def test_dot_of_a_list_with_itself_moves_each_number_twice(default):
    a = [default.Value(x) for x in (1.0, -2.0, 3.0)]
    result = default.dot(a, a)
    result.backward()
    assert result.data == 14.0
    assert [x.grad for x in a] == [2.0, -4.0, 6.0]


def test_dot_is_one_node_and_passes_on_the_blame_it_receives(default):
    a, b = [default.Value(x) for x in (1.0, 2.0)], [default.Value(x) for x in (5.0, 7.0)]
    made = next(default.births)
    result = default.dot(a, b)
    assert result.birth == made + 1
    (result * 3).backward()
    assert ([x.grad for x in a], [x.grad for x in b]) == ([15.0, 21.0], [3.0, 6.0])


def test_zero_to_the_power_of_zero_is_one_and_does_not_move(default):
    for zero in (0.0, 0):
        x = default.Value(zero)
        y = x**0
        y.backward()
        assert (y.data, x.grad) == (1.0, 0.0)


def test_zero_to_the_power_of_one_moves_as_it_does(default):
    x = default.Value(0.0)
    y = x**1
    y.backward()
    assert (y.data, x.grad) == (0.0, 1.0)


def test_a_division_by_zero_and_the_log_of_zero_are_errors(default):
    with pytest.raises(ZeroDivisionError):
        default.Value(1.0) / default.Value(0.0)
    with pytest.raises(ValueError):
        default.Value(0.0).log()


def test_sum_begins_with_a_plain_zero(default):
    a, b = default.Value(2.0), default.Value(5.0)
    total = sum([a, b, a])
    total.backward()
    assert (total.data, a.grad, b.grad) == (9.0, 2.0, 1.0)


def test_a_shared_subexpression_collects_blame_along_every_path(default):
    a = default.Value(3.0)
    b = a * a
    c = b * b + b + a
    c.backward()
    assert c.data == 81 + 9 + 3
    assert b.grad == 2 * 9 + 1
    assert a.grad == (2 * 9 + 1) * 6 + 1


def test_a_node_is_visited_once_and_only_after_all_that_was_made_from_it(default):
    a = default.Value(2.0)
    b = a + 1
    d = (b * b) * b + b
    d.backward()
    assert a.grad == 3 * 3**2 + 1


def test_edges_are_pairs_of_child_and_local_gradient(default):
    a, b = default.Value(2.0), default.Value(5.0)
    assert list((a * b).edges) == [(a, 5.0), (b, 2.0)]
    assert list((a + b).edges) == [(a, 1.0), (b, 1.0)]
    assert list((a**3).edges) == [(a, 12.0)]
    assert list(default.dot([a], [b]).edges) == [(a, 5.0), (b, 2.0)]
    assert list(default.Value(1.0).edges) == []


def test_the_backward_pass_is_the_chain_rule_over_the_edges_as_they_stand(default):
    a = default.Value(2.0)
    forged = default.Value(100.0, ((a, 7.0),))
    forged.backward()
    assert a.grad == 7.0


def test_a_constant_receives_its_slope_and_changes_nothing_else(default):
    a, five = default.Value(3.0), default.Value(5.0)
    (a * five).backward()
    assert (a.grad, five.grad) == (5.0, 3.0)
    lonely = default.Value(4.0)
    lonely.backward()
    assert lonely.grad == 1.0


def test_leaves_add_up_over_backward_passes_and_results_in_between_start_afresh(default):
    a = default.Value(3.0)
    middle = a * 2
    (middle * 5).backward()
    (middle * 7).backward()
    assert middle.grad == 7.0
    assert a.grad == 10.0 + 14.0


def test_integers_work_like_the_floats_they_stand_for(default):
    a = default.Value(2)
    b = 1 / (a + 2) - a**2
    b.backward()
    assert b.data == pytest.approx(0.25 - 4)
    assert a.grad == pytest.approx(-1 / 16 - 4)


def test_a_value_shows_its_number_and_its_gradient(default):
    a = default.Value(2.0)
    (a * a).backward()
    assert repr(a) == "Value(data=2.0, grad=4.0)"


def test_a_later_pass_from_a_result_in_the_middle_begins_with_that_result(default):
    a = default.Value(3.0)
    middle = a * 2
    (middle * 5).backward()
    middle.backward()
    assert middle.grad == 1.0
    assert a.grad == 10.0 + 2.0


def test_a_result_of_two_paths_of_unlike_length_passes_on_its_blame_once_it_is_complete(default):
    """y = x + x * x * x, and z = x * y: the short path from z reaches x before the long one."""
    a = default.Value(2.0)
    x = a * 1
    y = x + x * x * x
    (x * y).backward()
    assert x.grad == 2 * 2 + 4 * 8
    assert a.grad == 2 * 2 + 4 * 8


def test_a_power_takes_a_plain_number_and_refuses_a_value(default):
    with pytest.raises(TypeError):
        default.Value(2.0) ** default.Value(3.0)


@pytest.mark.slow
def test_a_chain_of_100_000_operations_backpropagates_and_is_freed_without_recursion(default):
    a = default.Value(1.0)
    x = a
    for i in range(100_000):
        x = x + 1.0 if i % 2 else x * 1.0
    x.backward()
    assert x.data == 50_001.0
    assert a.grad == 1.0
    del x


@pytest.mark.slow
def test_a_model_of_4_layers_at_width_64_backpropagates(tmp_path):
    (tmp_path / "one.txt").write_text("ab\n")
    wide = load("--steps", 0, "--samples", 0, "--layers", 4, "--width", 64, "--data", tmp_path / "one.txt")
    loss, gradient = wide.autograd(wide.start, wide.encode("ab"))
    assert len(gradient) == 2 * 3 * 64 + 16 * 64 + 4 * 12 * 64 * 64
    assert 0 < loss < 10
    assert sum(slope != 0 for slope in gradient) > len(gradient) / 2


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="only CPython counts references")
def test_a_graph_is_freed_without_the_garbage_collector_as_soon_as_nobody_holds_it(default):
    gc.collect()
    gc.disable()
    try:
        a = default.Value(2.0)
        b = a * a
        ((b + a) * b.exp()).backward()
        held = len(gc.get_objects())
        for _ in range(200):
            b = a * a
            ((b + a) * b.exp()).backward()
        assert len(gc.get_objects()) < held + 100
    finally:
        gc.enable()


@pytest.mark.parametrize("name, enabled", [("cpython", False), ("pypy", True)])
def test_the_garbage_collector_rests_only_where_references_are_counted(monkeypatch, name, enabled):
    monkeypatch.setattr(sys, "implementation", types.SimpleNamespace(name=name))
    _, screen = watch("--steps", 0, "--samples", 0, *SMALL, source=before(4, "print('collecting:', gc.isenabled())"))
    assert f"collecting: {enabled}\n" in screen.getvalue()

"""Value: every operator against central differences or arithmetic done by hand."""
import math
import random

import pytest

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


def test_dot_is_the_sum_of_products_and_each_factor_is_moved_by_its_partner(default):
    a, b = [default.Value(x) for x in (1.0, -2.0, 3.0)], [default.Value(x) for x in (0.5, 4.0, -1.0)]
    result = default.Value.dot(a, b)
    result.backward()
    assert result.data == 0.5 - 8.0 - 3.0
    assert [x.grad for x in a] == [0.5, 4.0, -1.0]
    assert [x.grad for x in b] == [1.0, -2.0, 3.0]


def test_dot_of_a_list_with_itself_moves_each_number_twice(default):
    a = [default.Value(x) for x in (1.0, -2.0, 3.0)]
    default.Value.dot(a, a).backward()
    assert [x.grad for x in a] == [2.0, -4.0, 6.0]


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
    assert (a * b).edges == ((a, 5.0), (b, 2.0))
    assert (a + b).edges == ((a, 1.0), (b, 1.0))
    assert (a**3).edges == ((a, 12.0),)
    assert default.Value(1.0).edges == ()


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
def test_a_model_of_4_layers_at_width_64_backpropagates():
    from conftest import load
    wide = load("--steps", 0, "--samples", 0, "--layers", 4, "--width", 64)
    assert len(wide.first_gradient) == 2 * 27 * 64 + 16 * 64 + 4 * 12 * 64 * 64
    assert any(wide.first_gradient)

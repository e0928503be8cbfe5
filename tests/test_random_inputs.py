"""Inputs that nobody thought of: random expressions, random files, random flags."""
import contextlib
import io
import math
import operator

import pytest
from conftest import load, watch

pytestmark = pytest.mark.long
hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")
often = hypothesis.settings(max_examples=400, deadline=None, database=None,
                            suppress_health_check=list(hypothesis.HealthCheck))

# An expression is a number, a variable, or an operation: (name, expression, ...).
BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
UNARY = {"exp": math.exp, "log": math.log, "relu": lambda x: max(x, 0.0), "neg": operator.neg}
numbers = st.floats(-4, 4).map(lambda number: round(number, 3))
expressions = st.recursive(
    numbers | st.sampled_from("abc"),
    lambda smaller: st.tuples(st.sampled_from(list(BINARY)), smaller, smaller)
    | st.tuples(st.sampled_from(list(UNARY)), smaller)
    | st.tuples(st.just("**"), smaller, st.sampled_from([-2, -1, -0.5, 0, 0.5, 1, 2, 3])),
    max_leaves=12)


def evaluate(expression, variables):
    """On floats or on Values. What is near the edge of an operation's domain, or huge, is rejected."""
    if not isinstance(expression, tuple):
        return variables.get(expression, expression)
    name, *operands = expression
    operands = [evaluate(operand, variables) for operand in operands]
    plain = [getattr(operand, "data", operand) for operand in operands]
    edge = {"/": abs(plain[-1]), "log": plain[0], "**": plain[0], "relu": abs(plain[0])}.get(name, 1.0)
    if edge < 0.05 or max(map(abs, plain)) > 50:
        hypothesis.reject()
    if name == "**":
        return operands[0] ** operands[1]
    if name in BINARY:
        return BINARY[name](*operands)
    method = getattr(operands[0], name, None)
    return method() if method else UNARY[name](*operands)


@often
@hypothesis.given(expressions, st.tuples(numbers, numbers, numbers))
def test_the_gradients_of_any_expression_are_its_slopes(lecture, expression, point):
    variables = {name: lecture.Value(number) for name, number in zip("abc", point)}
    result = evaluate(expression, variables)
    hypothesis.assume(isinstance(result, lecture.Value) and abs(result.data) < 1e4)
    result.backward()
    plain = dict(zip("abc", point))
    assert result.data == pytest.approx(evaluate(expression, plain), rel=1e-12, abs=1e-12)
    for name in "abc":
        def slope(h):
            above, below = (evaluate(expression, {**plain, name: plain[name] + step}) for step in (h, -h))
            return (above - below) / (2 * h)
        coarse, fine = slope(2e-5), slope(1e-5)
        hypothesis.assume(abs(coarse - fine) < 1e-5 * (1 + abs(fine)))
        assert variables[name].grad == pytest.approx(fine, rel=1e-4, abs=1e-4)


@pytest.fixture(scope="module")
def lecture():
    return load("--steps", 0, "--samples", 0, "--width", 1, "--heads", 1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("random") / "data.txt"


def run_ends_well(*flags):
    """In a run to its end, or in one sentence and status 2. Nothing else."""
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            _, screen = watch("--steps", 2, "--samples", 2, "--width", 2, "--heads", 1, *flags)
        except SystemExit as ended:
            assert ended.code == 2
            assert errors.getvalue().count("\n") == 1 and ": error: " in errors.getvalue()
            return
    assert errors.getvalue() == ""
    assert "\nthe engines agree: " in screen.getvalue()


texts = st.text(max_size=40) | st.text("ab\n\r \t\ufeff\u2028é", max_size=40)


@often
@hypothesis.given(st.binary(max_size=40) | texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_file_is_read_or_refused_in_one_sentence(data, content):
    data.write_bytes(content)
    run_ends_well("--data", data)


sizes = st.integers(1, 9)
rates = st.floats(0.01, 2) | st.floats(0.01, 1e9)
flags = {"seed": st.integers(), "width": sizes, "block": sizes, "layers": st.integers(1, 3), "rate": rates,
         "heads": st.sampled_from([1, 1, 2, 3]), "steps": sizes, "samples": sizes, "temperature": rates}
words = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6)
words = words.filter(lambda word: sum(map(str.isdigit, word)) < 3)  # no model that fills the memory
oddities = words | st.sampled_from([
    "-1", "0", "1e9", "nan", "inf", "-inf", "1e300", "5e-324", "99999999999", "²", "٣", "1_0"])


@often
@hypothesis.given(st.fixed_dictionaries({}, optional=flags), st.booleans(),
                  st.just([]) | st.tuples(st.sampled_from(list(flags)), oddities).map(lambda odd: [odd]))
def test_any_flags_make_a_run_or_are_refused_in_one_sentence(data, chosen, fast, odd):
    data.write_text("ada\nbo\nabba\n")
    spelt = [f"--{name}={value}" for name, value in [*chosen.items(), *odd]]
    run_ends_well("--data", data, *spelt, *(["--fast"] if fast else []))

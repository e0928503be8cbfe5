"""All parameters, both engines: against central differences of an outside judge, and against each other."""
import concurrent.futures
import random

import pytest
import reference
from conftest import load, rows

MODELS = {
    "default": ([], 4192, ["anna", "wolfgangamadeusannamaria"]),
    "deep": (["--layers", 3, "--width", 8, "--heads", 2, "--block", 6], 2784, ["otto", "annamaria"]),
}
CASES = [(model, name) for model, (_, _, names) in MODELS.items() for name in names]


def sharp(lecture):
    """Numbers for the parameters at which attention is decided and no gradient is tiny."""
    draw = random.Random(3)
    return [draw.gauss(0, 0.3) for _ in lecture.params]


def worst(found, expected):
    """The largest relative error; numbers below a thousandth of the largest are held against that thousandth."""
    floor = max(map(abs, expected)) / 1000
    return max(abs(a - b) / max(abs(a), abs(b), floor) for a, b in zip(found, expected))


@pytest.mark.parametrize("name", ["a", "eva", "maximilian", "anna" * 6])
def test_the_loss_in_both_engines_is_that_of_the_outside_judge(default, deep, name):
    for lecture in (default, deep):
        shape = lecture.layers, lecture.heads, lecture.block
        tokens = lecture.encode(name)
        assert tokens == [26, *(ord(letter) - ord("a") for letter in name), 26]
        expected = reference.loss(rows(lecture, lecture.start), tokens, *shape)
        assert lecture.autograd(lecture.start, tokens)[0] == pytest.approx(expected, rel=0, abs=1e-13)
        assert lecture.explicit(lecture.start, tokens)[0] == pytest.approx(expected, rel=0, abs=1e-13)


@pytest.fixture(scope="module")
def by_differences(request):
    """{(model, name): (lecture, numbers, tokens, the slopes to come)} of the tests selected, in processes of their own."""
    checks = [item for item in request.session.items if item.originalname.startswith("test_every_parameter_has_the_gradient")]
    with concurrent.futures.ProcessPoolExecutor() as pool:
        result = {}
        for item in reversed(checks):
            model, name = item.callspec.params["model"], item.callspec.params["name"]
            lecture = load("--steps", 0, "--samples", 0, *MODELS[model][0])
            numbers, tokens = sharp(lecture), lecture.encode(name)
            shape = lecture.layers, lecture.heads, lecture.block
            slopes = pool.submit(reference.central_differences, rows(lecture, numbers), tokens, *shape)
            result[model, name] = lecture, numbers, tokens, slopes
        yield result


@pytest.mark.slow
@pytest.mark.parametrize("model, name", [pytest.param(*case, marks=pytest.mark.long if len(case[1]) > 16 else ()) for case in CASES])
def test_every_parameter_has_the_gradient_that_central_differences_give_in_both_engines(by_differences, model, name):
    lecture, numbers, tokens, slopes = by_differences[model, name]
    shape = lecture.layers, lecture.heads, lecture.block
    slopes = slopes.result()
    loss, gradient = lecture.autograd(numbers, tokens)
    explicit_loss, explicit_gradient = lecture.explicit(numbers, tokens)
    assert len(slopes) == len(gradient) == len(explicit_gradient) == MODELS[model][1]
    assert loss == pytest.approx(reference.loss(rows(lecture, numbers), tokens, *shape), abs=1e-13)
    assert explicit_loss == pytest.approx(loss, abs=1e-13)
    assert worst(gradient, slopes) <= 1e-6
    assert worst(explicit_gradient, slopes) <= 1e-6


def test_the_names_of_that_check_reach_every_kind_of_parameter_and_few_gradients_are_exactly_0():
    zeros = compared = 0
    for flags, count, names in MODELS.values():
        lecture = load("--steps", 0, "--samples", 0, *flags)
        numbers = sharp(lecture)
        assert len(names) > 1
        assert max(map(len, names)) > lecture.block
        assert all(len(set(name)) < len(name) for name in names)
        gradients = [lecture.explicit(numbers, lecture.encode(name))[1] for name in names]
        for role, matrix in rows(lecture, [any(slopes) for slopes in zip(*gradients)]).items():
            assert sum(map(sum, matrix)) >= len(matrix) * len(matrix[0]) * (0.2 if role == "token" else 0.9)
        zeros += sum(slopes.count(0.0) for slopes in gradients)
        compared += count * len(names)
    assert (zeros, compared) == (1648, 13952)


# One shape with each knob at its least, and some where one knob could be taken for another.
SHAPES = [
    [],
    ["--layers", 3, "--width", 8, "--heads", 2, "--block", 6],
    ["--width", 8, "--heads", 1],
    ["--width", 6, "--heads", 6],
    ["--width", 4, "--heads", 2, "--block", 1],
    ["--width", 1, "--heads", 1, "--layers", 2],
]


@pytest.fixture(scope="module", params=SHAPES, ids=lambda flags: " ".join(map(str, flags)) or "default")
def shaped(request):
    return load("--steps", 0, "--samples", 0, *request.param)


@pytest.mark.parametrize("name", ["a", "eva", "maximilian", "anna" * 6], ids=["one letter", "eva", "maximilian", "24 letters"])
def test_the_two_engines_agree_on_loss_and_gradient_for_every_shape_and_length(shaped, name):
    numbers, tokens = sharp(shaped), shaped.encode(name)
    loss, gradient = shaped.autograd(numbers, tokens)
    explicit_loss, explicit_gradient = shaped.explicit(numbers, tokens)
    assert explicit_loss == pytest.approx(loss, rel=1e-13)
    assert len(gradient) == len(explicit_gradient) == len(shaped.params)
    assert worst(explicit_gradient, gradient) <= 1e-12
    assert any(gradient)


def test_a_small_model_of_two_layers_has_the_gradients_of_central_differences_in_both_engines():
    lecture = load("--steps", 0, "--samples", 0, "--layers", 2, "--width", 4, "--heads", 2, "--block", 3)
    numbers, shape = sharp(lecture), (2, 2, 3)
    for name in ("an", "anna"):
        tokens = lecture.encode(name)
        slopes = reference.central_differences(rows(lecture, numbers), tokens, *shape)
        assert worst(lecture.autograd(numbers, tokens)[1], slopes) <= 1e-6
        assert worst(lecture.explicit(numbers, tokens)[1], slopes) <= 1e-6


def test_an_engine_neither_remembers_the_last_name_nor_changes_the_numbers_it_is_given(deep):
    numbers = sharp(deep)
    for engine in (deep.autograd, deep.explicit):
        given = list(numbers)
        once = engine(given, deep.encode("anna"))
        engine(deep.start, deep.encode("maria"))
        assert engine(given, deep.encode("anna")) == once
        assert given == numbers


def test_only_the_first_block_tokens_of_a_long_name_are_trained_on(deep):
    """At block 6, the seventh letter is neither read nor guessed; the sixth is guessed."""
    for engine in (deep.autograd, deep.explicit):
        def losses(name):
            return engine(deep.start, deep.encode(name))[0]
        assert losses("matilda") == losses("matildozzz")
        assert losses("matilda") != losses("matilna")
        assert losses("matild") == losses("matilda")  # six letters fill the block: its end is not guessed
        assert losses("matil") != losses("matild")


def test_without_training_the_start_is_kept_and_the_parameters_hold_it(default):
    assert [p.data for p in default.params] == default.start == default.trained

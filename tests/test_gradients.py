"""All parameters, both engines: against central differences of an outside judge, and against each other."""
import random

import pytest
import reference
from conftest import load


def sharp(lecture):
    """Weights at which attention is decided and no gradient is tiny, put into the model. Returns numbers, {name: rows}."""
    draw = random.Random(3)
    for p in lecture.params:
        p.data, p.grad = draw.gauss(0, 0.3), 0.0
    rows_of = {name: [[p.data for p in row] for row in rows] for name, rows in lecture.model.items()}
    return [p.data for p in lecture.params], rows_of


def by_autograd(lecture, tokens):
    for p in lecture.params:
        p.grad = 0.0
    loss = lecture.surprise(tokens)
    loss.backward()
    return loss.data, [p.grad for p in lecture.params]


def worst(found, expected):
    """The largest relative error; numbers below a thousandth of the largest are held against that thousandth."""
    floor = max(map(abs, expected)) / 1000
    return max(abs(a - b) / max(abs(a), abs(b), floor) for a, b in zip(found, expected))


@pytest.mark.parametrize("name", ["a", "eva", "maximilian", "anna" * 6])
def test_the_loss_in_both_engines_is_that_of_the_outside_judge(default, deep, name):
    for lecture in (default, deep):
        shape = lecture.layers, lecture.heads, lecture.block
        rows_of = {name: [[p.data for p in row] for row in rows] for name, rows in lecture.model.items()}
        tokens = lecture.encode(name)
        assert tokens == [26, *(ord(letter) - ord("a") for letter in name), 26]
        expected = reference.loss(rows_of, tokens, *shape)
        assert lecture.surprise(tokens).data == pytest.approx(expected, rel=0, abs=1e-13)
        assert lecture.explicit([p.data for p in lecture.params], tokens)[0] == pytest.approx(expected, rel=0, abs=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("name, flags, count", [
    ("eva", [], 4192),
    ("ida", ["--layers", 3, "--width", 8, "--heads", 2, "--block", 6], 2784),
])
def test_every_parameter_has_the_gradient_that_central_differences_give_in_both_engines(name, flags, count):
    lecture = load("--steps", 0, "--samples", 0, *flags)
    numbers, rows_of = sharp(lecture)
    tokens = lecture.encode(name)
    shape = lecture.layers, lecture.heads, lecture.block
    slopes = reference.central_differences(rows_of, tokens, *shape)
    loss, gradient = by_autograd(lecture, tokens)
    explicit_loss, explicit_gradient, _ = lecture.explicit(numbers, tokens)
    assert len(slopes) == len(gradient) == len(explicit_gradient) == count
    assert loss == pytest.approx(reference.loss(rows_of, tokens, *shape), abs=1e-13)
    assert explicit_loss == pytest.approx(loss, abs=1e-13)
    assert worst(gradient, slopes) <= 1e-6
    assert worst(explicit_gradient, slopes) <= 1e-6


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
    numbers, _ = sharp(shaped)
    tokens = shaped.encode(name)
    loss, gradient = by_autograd(shaped, tokens)
    explicit_loss, explicit_gradient, _ = shaped.explicit(numbers, tokens)
    assert explicit_loss == pytest.approx(loss, rel=1e-13)
    assert worst(explicit_gradient, gradient) <= 1e-12
    assert any(gradient)


def test_only_the_first_block_tokens_of_a_long_name_are_trained_on(deep):
    """At block 6, the seventh letter is neither read nor guessed; the sixth is guessed."""
    def losses(name):
        return deep.surprise(deep.encode(name)).data, deep.explicit(deep.start, deep.encode(name))[0]
    assert losses("matilda") == losses("matildozzz")
    assert all(a != b for a, b in zip(losses("matilda"), losses("matilna")))


def test_the_gradients_kept_for_the_proof_belong_to_the_first_name_at_the_initial_weights(default):
    gradient = default.explicit(default.start, default.encode(default.docs[0]))[1]
    assert worst(default.first_gradient, gradient) <= 1e-12

"""All parameters, both engines: against central differences of an outside judge, and against each other."""
import pytest
import reference
from conftest import drawn, load, matrices

DEEP = ["--layers", 3, "--width", 8, "--heads", 2, "--block", 6]
TINY = ["--layers", 2, "--width", 4, "--heads", 2, "--block", 3]


def untrained_model(flags):
    return load("--steps", 0, "--samples", 0, *flags)


def tokens_of(name):
    return [26, *(ord(letter) - ord("a") for letter in name), 26]


def judge(lecture, numbers, name, question=reference.loss):
    """What the judge finds for this name: its loss, or another question."""
    return question(matrices(lecture, numbers), tokens_of(name), lecture.layers, lecture.heads, lecture.block)


def worst(found, expected):
    """The largest relative error. Numbers below a thousandth of the largest count as that thousandth."""
    floor = max(map(abs, expected)) / 1000
    return max(abs(a - b) / max(abs(a), abs(b), floor) for a, b in zip(found, expected))


@pytest.mark.parametrize("flags, name, count", [
    pytest.param(TINY, "an", 612, id="tiny"),
    pytest.param(TINY, "anna", 612, id="tiny, longer than its block"),
    pytest.param([], "anna", 4192, id="default", marks=pytest.mark.slow),
    pytest.param(DEEP, "annamaria", 2784, id="deep, longer than its block", marks=pytest.mark.long),
    pytest.param([], "wolfgangamadeusannamaria", 4192, id="default, 24 letters", marks=pytest.mark.long),
])
def test_every_gradient_in_both_engines_is_the_slope_that_can_be_measured(flags, name, count):
    lecture = untrained_model(flags)
    numbers = drawn(lecture)
    slopes = judge(lecture, numbers, name, reference.central_differences)
    assert all(any(map(any, matrix)) for matrix in matrices(lecture, slopes).values())
    for engine in (lecture.autograd, lecture.explicit):
        _, gradients = engine(numbers, tokens_of(name))
        assert len(gradients) == len(slopes) == count
        assert worst(gradients, slopes) <= 1e-6


# One shape with each knob at its least, and some where one knob could be taken for another.
SHAPES = [
    pytest.param([], marks=pytest.mark.long),
    DEEP,
    ["--width", 8, "--heads", 1],
    ["--width", 6, "--heads", 6, "--layers", 4, "--block", 8],
    ["--width", 4, "--heads", 2, "--block", 1],
    ["--width", 1, "--heads", 1, "--layers", 2],
    ["--width", 9, "--heads", 3, "--block", 4],
    ["--width", 4, "--heads", 2, "--block", 30],
]


@pytest.fixture(scope="module", params=SHAPES, ids=lambda flags: " ".join(map(str, flags)) or "default")
def shaped(request):
    return untrained_model(request.param)


@pytest.mark.parametrize("name", ["a", "ee", "eva", "maximilian", "anna" * 6])
def test_in_any_shape_both_engines_have_the_judges_loss_and_the_same_gradients(shaped, name):
    assert shaped.encode(name) == tokens_of(name)
    for numbers in (shaped.untrained, drawn(shaped, 1e-100), drawn(shaped), drawn(shaped, 0.5)):
        loss, gradients = shaped.autograd(numbers, tokens_of(name))
        explicit_loss, explicit_gradients = shaped.explicit(numbers, tokens_of(name))
        assert [loss, explicit_loss] == pytest.approx([judge(shaped, numbers, name)] * 2, rel=1e-13)
        assert len(gradients) == len(explicit_gradients) == len(shaped.untrained)
        assert worst(explicit_gradients, gradients) <= 1e-11


@pytest.mark.parametrize("engine", ["autograd", "explicit"])
def test_an_engine_forgets_the_last_name_and_leaves_the_numbers_as_they_are(deep, engine):
    engine = getattr(deep, engine)
    numbers = drawn(deep)
    given = list(numbers)
    once = engine(given, tokens_of("anna"))
    engine(deep.untrained, tokens_of("maria"))
    assert engine(given, tokens_of("anna")) == once
    assert given == numbers


@pytest.mark.parametrize("engine", ["autograd", "explicit"])
def test_only_the_first_block_tokens_of_a_name_are_trained_on(deep, engine):
    """At block 6, the sixth letter is guessed, and the seventh is neither read nor guessed."""
    def outcome(name):
        return getattr(deep, engine)(deep.untrained, tokens_of(name))
    assert outcome("matilda") == outcome("matildozzz")
    assert outcome("matild") == outcome("matilda")  # six letters fill the block: their end is not guessed
    assert outcome("matila") != outcome("matild")
    assert outcome("matil") != outcome("matild")

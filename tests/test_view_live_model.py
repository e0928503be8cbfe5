"""The live model of the page is the one of microgpt.py: every gradient, every loss, and every step can be asked for again."""
import math
import random

import pytest

from conftest import load, model_of
from page import opened, settle, train, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lecture():
    """The untrained lecture, which trains as long as the page does."""
    lecture = load("--steps", 0, "--samples", 0)
    lecture.args.steps = 1000
    return lecture


@pytest.fixture
def page(chromium):
    with opened(chromium, "", 1280, 900) as page:
        yield page


def worst(found, expected):
    assert len(found) == len(expected)
    return max(abs(a - b) for a, b in zip(found, expected))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_loss_and_every_gradient_of_three_names_are_those_of_the_explicit_engine(page, lecture, place):
    name = lecture.docs[place]
    expected = lecture.explicit(lecture.untrained, lecture.encode(name))
    loss, gradients, untrained = page.evaluate("""name => {
        const {gpt, untrained, tokensOf} = microgpt.live.run.value, gradients = new Float64Array(gpt.count);
        const loss = gpt.explicit(untrained, tokensOf(name), gradients);
        return [loss, [...gradients], [...untrained]];
    }""", name)
    assert untrained == lecture.untrained
    assert abs(loss - expected[0]) <= 1e-9
    assert worst(gradients, expected[1]) <= 1e-9


@pytest.mark.parametrize("engine", ["explicit", "autograd"])
@pytest.mark.parametrize("flags, name", [
    (["--layers", 3, "--width", 8, "--heads", 2, "--block", 6], "ida"),
    (["--layers", 2, "--width", 32, "--heads", 4], "maria"),
    (["--layers", 2, "--width", 12, "--heads", 3, "--block", 4], "maximilian"),
])
def test_so_they_are_in_both_engines_for_other_knobs_and_for_a_name_that_is_cut(page, flags, name, engine):
    other = load("--steps", 0, "--samples", 0, *flags)
    draw = random.Random(3)
    numbers = [draw.gauss(0, 0.3) for _ in other.untrained]
    expected = other.explicit(numbers, other.encode(name))
    knobs = {key: getattr(other, key) for key in ("layers", "width", "heads", "block")}
    loss, gradients = page.evaluate("""([knobs, numbers, name, engine]) => {
        const {model, live} = microgpt, {letters} = live.run.value, gpt = new model.GPT(knobs, letters.length + 1);
        const tokens = model.encoder(letters, knobs.block)(name), gradients = new Float64Array(gpt.count);
        if (engine === "autograd") {
            const found = model.autograd(gpt, Float64Array.from(numbers), tokens);
            return [found.loss, found.gradients];
        }
        return [gpt.explicit(Float64Array.from(numbers), tokens, gradients), [...gradients]];
    }""", [knobs, numbers, name, engine])
    assert abs(loss - expected[0]) <= 1e-9
    assert worst(gradients, expected[1]) <= 1e-9


def test_1000_losses_and_the_numbers_of_any_step_are_those_of_the_explicit_engine(page, lecture):
    numbers, losses, *_ = lecture.train(lecture.explicit, 60)
    train(page)
    assert worst(page.evaluate("microgpt.live.losses.slice(0, 60)"), losses) <= 1e-9
    assert worst(page.evaluate("microgpt.live.losses"), page.evaluate("microgpt.live.recorded.losses")) <= 1e-9
    assert worst(*page.evaluate("[[...microgpt.live.state.value.numbers], [...microgpt.live.recorded.trained]]")) <= 1e-9
    for step in (60, 999, 1, 437, 60):
        page.evaluate("step => microgpt.live.goTo(step)", step)
        until(page, f"microgpt.live.state.value.step === {step}")
        if step == 60: assert worst(page.evaluate("[...microgpt.live.state.value.numbers]"), numbers) <= 1e-9


def test_on_arrival_the_lecture_s_own_trained_model_is_there_and_every_step_of_it(page, lecture):
    assert page.evaluate("microgpt.live.state.value.step") == 1000
    numbers = lecture.train(lecture.explicit, 7)[0]
    page.evaluate("microgpt.live.goTo(7)")
    until(page, "microgpt.live.state.value.step === 7")
    assert worst(page.evaluate("[...microgpt.live.state.value.numbers]"), numbers) <= 1e-9


def test_a_parameter_is_traced_through_the_training_as_adam_moves_it(page, lecture):
    index = lecture.BOS * lecture.width
    first, second, numbers = [0.0] * len(lecture.untrained), [0.0] * len(lecture.untrained), lecture.untrained
    expected = []
    for step in range(5):
        _, gradients = lecture.explicit(numbers, lecture.encode(lecture.docs[step]))
        numbers, first, second = lecture.adam(numbers, gradients, first, second, 0.01 * (1 - step / 1000), step + 1)
        expected.append([gradients[index], first[index], second[index], numbers[index]])
    page.evaluate("index => { microgpt.live.trace(index, found => { window.traced = found; }); }", index)
    until(page, "window.traced")
    found = page.evaluate("window.traced")
    assert len(found) == 1000
    for row, true in zip(found, expected): assert row == pytest.approx(true, abs=1e-12)


def test_a_training_can_be_watched_for_some_eight_seconds_or_run_at_full_speed(page):
    page.evaluate("microgpt.live.toggle()")
    page.wait_for_timeout(2000)
    step = page.evaluate("microgpt.live.progress.value.step")
    assert 100 < step < 400                                            # 1,000 in 8 s are 250 in 2 s
    page.keyboard.press("h")
    until(page, "!microgpt.live.progress.value.running", 30)
    assert page.evaluate("microgpt.live.progress.value.step") == 1000


def test_training_can_be_paused_resumed_and_begun_again(page):
    button = page.locator("[data-picture=loss] button.train")
    button.click()
    until(page, "microgpt.live.progress.value.step > 2")
    assert button.text_content() == "Pause"
    button.click()
    until(page, "!microgpt.live.progress.value.running")
    step = page.evaluate("microgpt.live.progress.value.step")
    page.wait_for_timeout(200)
    assert page.evaluate("microgpt.live.progress.value.step") == step < 1000
    assert button.text_content() == "Go on"
    page.evaluate("microgpt.live.fast.value = true")
    button.click()
    until(page, "microgpt.live.progress.value.step === 1000 && !microgpt.live.progress.value.running", 30)
    assert button.text_content() == "Train again"
    first = page.evaluate("microgpt.live.losses")
    train(page)
    assert page.evaluate("microgpt.live.losses") == first


def test_nothing_that_was_learned_is_lost_without_a_word(page):
    """Another number of steps, another shape, or another text begins a run beside the last one, and says so before."""
    train(page, 100)
    learned = page.evaluate("microgpt.live.losses")
    page.select_option("[data-picture=runs] select[name=width]", "8")
    assert page.evaluate("microgpt.live.losses") == learned
    assert "Train again" in page.locator("[data-picture=runs] [role=status]").text_content()
    train(page, 100)
    assert page.evaluate("microgpt.live.before.value.losses") == learned
    page.click("text=Keep this run to compare with")
    kept = page.evaluate("microgpt.live.before.value.losses")
    train(page, 100)
    assert page.evaluate("microgpt.live.before.value.losses") == kept


def test_the_page_answers_all_the_while_at_a_sixth_of_the_speed(chromium):
    """Hardly a task of 50 ms or more on the page's own thread while it trains, as on a phone six times slower.

    Other work on the machine makes tasks longer, and never shorter: the best of three trainings counts.
    """
    def long_tasks():
        with opened(chromium, "", 390, 844) as page:
            settle(page, 1500)
            session = page.context.new_cdp_session(page)
            session.send("Emulation.setCPUThrottlingRate", {"rate": 6})
            page.wait_for_timeout(2500)                                # what came with the arrival is over
            page.evaluate("""() => { window.long = [];
                new PerformanceObserver(list => { for (const each of list.getEntries()) window.long.push(Math.round(each.duration)); })
                  .observe({entryTypes: ["longtask"]});
                const {live} = microgpt; live.plan.value = {...live.plan.value, steps: 300}; live.toggle(); }""")
            page.wait_for_timeout(4000)
            session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
            assert page.evaluate("microgpt.live.progress.value.step") > 20
            return page.evaluate("window.long")
    tries = []
    while len(tries) < 3:
        tries.append(long_tasks())
        if len(tries[-1]) <= 6 and max(tries[-1], default=0) < 150: return
    pytest.fail(str(tries))


def test_the_odds_under_a_temperature_are_those_of_the_lecture(page, lecture):
    model = model_of(lecture)
    tokens = lecture.encode("anna")
    for temperature in (0.1, 0.5, 1, 2):
        cache = [([], []) for _ in range(lecture.layers)]
        expected = []
        for t, token in enumerate(tokens[:-1]):
            logits = lecture.gpt(model, token, t, cache)
            expected += [p.data for p in lecture.softmax([logit / temperature for logit in logits])]
        found = page.evaluate("""temperature => {
            const {gpt, untrained, tokensOf} = microgpt.live.run.value;
            return [...microgpt.model.softmax(gpt.forward(untrained, tokensOf("anna").slice(0, -1)).logits, gpt.vocab, temperature)];
        }""", temperature)
        assert worst(found, expected) <= 1e-9


def test_a_drawn_letter_has_the_odds_of_the_model(page):
    counts, odds, coldest = page.evaluate("""() => {
        const {live, model} = microgpt, {gpt} = live.run.value, {numbers} = live.state.value;
        const dice = model.dice(1), counts = Array(gpt.vocab).fill(0);
        for (let i = 0; i < 4000; i++) counts[gpt.generate(numbers, 1, dice)[0] ?? gpt.BOS]++;
        const coldest = [1, 2, 3].map(seed => gpt.generate(numbers, 0.01, model.dice(seed)).join());
        return [counts, [...gpt.next(numbers, [gpt.BOS], 1)], coldest];
    }""")
    for count, share in zip(counts, odds):
        assert abs(count - 4000 * share) <= 4.5 * math.sqrt(4000 * share * (1 - share)) + 1
    assert len(set(coldest)) == 1


def test_the_tables_of_counts_are_those_of_plain_counting(page, lecture):
    pairs = [list(zip(lecture.encode(name), lecture.encode(name)[1:])) for name in lecture.docs]

    def mean_surprise(share):
        return sum(sum(-math.log(share(pair)) for pair in name) / len(name) for name in pairs) / len(pairs)

    both, one, firsts, total = {}, {}, {}, 0
    for first, second in (pair for name in pairs for pair in name):
        both[first, second] = both.get((first, second), 0) + 1
        one[second] = one.get(second, 0) + 1
        firsts[first] = firsts.get(first, 0) + 1
        total += 1
    found = page.evaluate("[microgpt.live.run.value.bigram, microgpt.live.run.value.unigram]")
    assert found[0] == pytest.approx(mean_surprise(lambda pair: both[pair] / firsts[pair[0]]), abs=1e-9)
    assert found[1] == pytest.approx(mean_surprise(lambda pair: one[pair[1]] / total), abs=1e-9)
    again = page.evaluate("""() => { const {docs, tokensOf, gpt} = microgpt.live.run.value;
        return microgpt.model.bigram(docs, tokensOf, gpt.block, gpt.vocab); }""")
    assert again == pytest.approx(found[0], abs=1e-12)


def test_the_map_shows_the_two_directions_of_largest_spread(page):
    rows, found, places = page.evaluate("""() => {
        const {live, model} = microgpt, {gpt, letters} = live.run.value, n = gpt.width;
        const rows = letters.map((_, token) => live.state.value.numbers.subarray(token * n, token * n + n));
        const axes = model.principal(rows, n);
        return [rows.map(row => [...row]), {shares: axes.shares}, model.project(rows, axes)];
    }""")
    n = len(rows[0])
    mean = [sum(column) / len(rows) for column in zip(*rows)]
    centred = [[x - m for x, m in zip(row, mean)] for row in rows]
    spread = [[sum(row[i] * row[j] for row in centred) / len(rows) for j in range(n)] for i in range(n)]
    total = sum(spread[i][i] for i in range(n))
    for axis in range(2):                                                # power iteration, then take that part away
        vector = [1.0 + i / n for i in range(n)]
        for _ in range(5000):
            vector = [sum(a * b for a, b in zip(row, vector)) for row in spread]
            size = math.sqrt(sum(x * x for x in vector))
            vector = [x / size for x in vector]
        assert found["shares"][axis] == pytest.approx(size / total, abs=1e-9)
        along = [sum(a * b for a, b in zip(row, vector)) for row in centred]
        shown = [place[axis] for place in places]
        assert min(worst(shown, along), worst(shown, [-x for x in along])) <= 1e-6
        spread = [[spread[i][j] - size * vector[i] * vector[j] for j in range(n)] for i in range(n)]


EXPRESSIONS = {  # what is typed, and the data and gradients of its leaves, by hand
    "a * b + a": (8, {"a": 4, "b": 2}),
    "h = a + a; h + h": (8, {"a": 4}),
    "h = 2 * a; g = 3 * h; g + h": (16, {"a": 8}),
    "(a - b) ** 2": (1, {"a": -2, "b": 2}),
    "-a / b": (-2 / 3, {"a": -1 / 3, "b": 2 / 9}),
    "(a * b).exp().log()": (6, {"a": 3, "b": 2}),
    "relu(a - b) + relu(b - a)": (1, {"a": -1, "b": 1}),
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_typed_expression_has_the_gradients_that_are_worked_out_by_hand(page, expression):
    data, gradients = EXPRESSIONS[expression]
    found = page.evaluate("""expression => {
        const {root, nodes} = microgpt.model.evaluate(expression, {a: 2, b: 3});
        root.backward();
        return [root.data, Object.fromEntries(nodes.filter(n => "ab".includes(n.label)).map(n => [n.label, n.value.grad]))];
    }""", expression)
    assert found[0] == pytest.approx(data) and found[1] == pytest.approx(gradients)


@pytest.mark.parametrize("expression", ["", "a +", "(a", "a b", "a ** b", "1 / 0", "a.sin()", "=", "log(-1)", "a;;", "exp(1000)"])
def test_an_expression_that_cannot_be_read_gets_a_sentence(page, expression):
    problem = page.evaluate("expression => microgpt.model.evaluate(expression, {a: 2, b: 3}).problem", expression)
    assert problem and problem.endswith(".")

"""The live model and the pictures of docs/index.html, in a real Chromium: against microgpt.py's explicit engine, by
mouse and by keys, with the lecture's names and with other texts."""
import math
import random
import time
import xml.etree.ElementTree

import pytest
from conftest import load
from page import SIZES, opened

pytestmark = pytest.mark.slow
KINDS = ["graph", "matrices", "path", "loss", "attention", "odds", "map"]


@pytest.fixture(scope="module")
def lecture():
    """The untrained lecture, which trains as long as the page does."""
    lecture = load("--steps", 0, "--samples", 0)
    lecture.args.steps = 1000
    return lecture


@pytest.fixture
def page(chromium):  # noqa: F811
    with opened(chromium, "", 1280, 900) as page:
        yield page


def until(page, expression, seconds=20):
    """Wait for it. (The page's policy forbids what Playwright's own waiting uses.)"""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"still not: {expression}"
        page.wait_for_timeout(20)


def settle(page):
    """Wait until all pictures are drawn: they take a few frames."""
    page.wait_for_timeout(400)


def train(page, steps=1000, press=True):
    if steps != 1000: page.select_option("[data-picture=loss] select >> nth=0", str(steps))
    if press: page.keyboard.press("g")
    until(page, "Pictures.live.training.done", 60)
    settle(page)


def drawing(page, kind):
    return page.locator(f"[data-picture={kind}] svg.drawing").first


def readout(page, kind):
    return page.locator(f"[data-picture={kind}] .readout").first.text_content()


def name_of(page, kind):
    return drawing(page, kind).get_attribute("aria-label")


def learn(page, text):
    page.fill("[data-picture=own-data] textarea", text)
    page.click("[data-picture=own-data] button.learn")
    return page.locator("[data-picture=own-data] [role=status]").text_content()


def drop(page, text, event="drop"):
    page.evaluate("""([text, event]) => {
        const data = new DataTransfer(), bubbles = true, cancelable = true;
        data.setData("text/plain", text);
        const [target, made] = event === "paste" ? ["textarea", new ClipboardEvent("paste", {clipboardData: data, bubbles, cancelable})]
                                                 : ["p", new DragEvent("drop", {dataTransfer: data, bubbles, cancelable})];
        document.querySelector(`[data-picture=own-data] ${target}`).dispatchEvent(made);
    }""", [text, event])
    return page.locator("[data-picture=own-data] [role=status]").text_content()


def type_name(page, kind, name):
    page.fill(f"[data-picture={kind}] input[type=text]", name)
    settle(page)


def set_slider(page, label, value, kind):
    slider = page.locator(f"[data-picture={kind}] input[type=range][aria-label='{label}']")
    slider.evaluate("(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', {bubbles: true})) }", value)
    settle(page)


def worst(found, expected):
    assert len(found) == len(expected)
    return max(abs(a - b) for a, b in zip(found, expected))


# -- the model ---------------------------------------------------------------------------------------------------------

def test_loss_and_every_gradient_of_the_first_name_are_those_of_the_explicit_engine(page, lecture):
    expected = lecture.explicit(lecture.untrained, lecture.encode(lecture.docs[0]))
    loss, gradients, shapes, untrained = page.evaluate("""() => {
        const {gpt, untrained, docs, tokensOf} = Pictures.live, gradients = new Float64Array(gpt.count);
        const loss = gpt.explicit(untrained, tokensOf(docs[0]), gradients);
        return [loss, [...gradients], gpt.shapes, [...untrained]];
    }""")
    assert untrained == lecture.untrained
    assert [[rows, columns] for _, rows, columns in shapes] == [[len(m), len(m[0])] for m in lecture.model.values()]
    assert abs(loss - expected[0]) <= 1e-9
    assert worst(gradients, expected[1]) <= 1e-9


@pytest.mark.parametrize("flags, name", [
    (["--layers", 3, "--width", 8, "--heads", 2, "--block", 6], "ida"),
    (["--layers", 2, "--width", 12, "--heads", 3, "--block", 4], "maximilian"),
])
def test_so_they_are_for_other_knobs_and_for_a_name_that_is_cut(page, flags, name):
    other = load("--steps", 0, "--samples", 0, *flags)
    draw = random.Random(3)
    numbers = [draw.gauss(0, 0.3) for _ in other.untrained]
    expected = other.explicit(numbers, other.encode(name))
    knobs = {key: getattr(other, key) for key in ("layers", "width", "heads", "block")}
    loss, gradients = page.evaluate("""([knobs, numbers, name]) => {
        const {letters} = Pictures.live, gpt = new Model.GPT(knobs, letters.length + 1), gradients = new Float64Array(gpt.count);
        const loss = gpt.explicit(Float64Array.from(numbers), Model.encoder(letters, knobs.block)(name), gradients);
        return [loss, [...gradients]];
    }""", [knobs, numbers, name])
    assert abs(loss - expected[0]) <= 1e-9
    assert worst(gradients, expected[1]) <= 1e-9


def test_200_losses_and_the_numbers_after_them_are_those_of_the_explicit_engine(page, lecture):
    numbers, losses, *_ = lecture.train(lecture.explicit, 200)
    found, after = page.evaluate("""() => {
        const {gpt, tokensOf, docs, untrained, data} = Pictures.live, plan = {rate: data.knobs.rate, steps: 1000};
        const training = new Model.Training(gpt, tokensOf, docs, untrained, plan);
        while (training.step < 200) training.advance();
        return [training.losses, [...training.numbers]];
    }""")
    assert worst(found, losses) <= 1e-9
    assert worst(after, numbers) <= 1e-9
    train(page)
    assert worst(page.evaluate("Pictures.live.training.losses.slice(0, 200)"), losses) <= 1e-9
    assert worst(page.evaluate("Pictures.live.training.losses"), page.evaluate("Pictures.live.data.losses")) <= 1e-9


def test_1000_steps_take_less_than_3_seconds_and_the_page_answers_all_the_while(page):
    took, gap = page.evaluate("""async () => {
        let gap = 0, last = performance.now(), on = true;
        const tick = () => { const now = performance.now(); gap = Math.max(gap, now - last); last = now; if (on) setTimeout(tick); };
        tick();
        const began = performance.now();
        document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "g", bubbles: true}));
        while (!Pictures.live.training.done) await new Promise(resolve => setTimeout(resolve, 5));
        on = false;
        return [performance.now() - began, gap];
    }""")
    assert page.evaluate("Pictures.live.training.step") == 1000
    assert took < 3000
    assert gap < 500  # a machine that is shared may well pause


def test_training_can_be_paused_resumed_and_begun_again(page):
    button = page.locator("[data-picture=loss] button.train")
    page.select_option("[data-picture=loss] select >> nth=1", "slow")
    button.click()
    until(page, "Pictures.live.training.step > 2")
    assert button.text_content() == "Pause"
    button.click()
    step = page.evaluate("Pictures.live.training.step")
    page.wait_for_timeout(200)
    assert page.evaluate("Pictures.live.training.step") == step < 1000
    assert button.text_content() == "Go on"
    page.select_option("[data-picture=loss] select >> nth=1", "")
    train(page)
    assert button.text_content() == "Train again"
    first = page.evaluate("Pictures.live.training.losses")
    page.click("[data-picture=loss] button:text-is('Start over')")
    assert page.evaluate("Pictures.live.training.step") == 0
    train(page)
    assert page.evaluate("Pictures.live.training.losses") == first


def test_every_picture_goes_back_to_any_moment(page):
    settle(page)
    drawn = lambda kind: drawing(page, kind).inner_html().partition('<rect class="cursor"')[0]
    untrained = {kind: drawn(kind) for kind in ("matrices", "attention", "odds", "map")}
    train(page, 10000)
    steps = [0, 10, 30, 100, 300, 1000, 3000, 10000]
    assert page.evaluate("Pictures.live.training.moments().map(([step]) => step)") == steps
    said = page.locator("[data-picture=loss] .said td").all_text_contents()
    assert len(said) == len(steps) and len(set(said)) == len(steps)
    slider = page.locator("[data-picture=loss] input[type=range]")
    for at, step in list(enumerate(steps))[::-1]:
        set_slider(page, "moment of the training", at, "loss")
        when = f"after {step:,} steps" if step else "untrained"
        assert slider.get_attribute("aria-valuetext") == when
        for kind in ("matrices", "attention", "odds", "map"):
            assert when in name_of(page, kind)
        drawing(page, "matrices").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        shown = readout(page, "matrices").split("=")[1].split(",")[0].replace("−", "-")
        assert float(shown) == pytest.approx(page.evaluate("at => Pictures.live.training.moments()[at][1][0]", at), abs=6e-5)
        drawing(page, "matrices").evaluate("drawing => drawing.blur()")
    settle(page)
    for kind, was in untrained.items():
        assert drawn(kind) == was
    page.keyboard.press("f")
    assert slider.get_attribute("aria-valuetext") == "after 10 steps"
    page.keyboard.press("e")
    assert slider.get_attribute("aria-valuetext") == "untrained"


# -- speech ------------------------------------------------------------------------------------------------------------

def test_the_odds_under_a_temperature_are_those_of_the_lecture(page, lecture):
    lecture.set_params(lecture.untrained)
    name = "anna"
    tokens = lecture.encode(name)
    for temperature in (0.1, 0.5, 1, 2):
        cache = [([], []) for _ in range(lecture.layers)]
        expected = []
        for t, token in enumerate(tokens[:-1]):
            logits = lecture.gpt(token, t, cache)
            expected += [p.data for p in lecture.softmax([logit / temperature for logit in logits])]
        found = page.evaluate("""([name, temperature]) => {
            const {gpt, untrained, tokensOf} = Pictures.live;
            return [...Model.softmax(gpt.forward(untrained, tokensOf(name).slice(0, -1)).logits, gpt.vocab, temperature)];
        }""", [name, temperature])
        assert worst(found, expected) <= 1e-9


def test_the_temperature_slider_moves_the_bars_and_the_names(page):
    train(page)
    type_name(page, "odds", "anna")
    shown = []
    for temperature in (0.1, 0.5, 2):
        set_slider(page, "temperature", temperature, "odds")
        assert f"temperature {temperature:.2f}" in name_of(page, "odds")
        drawing(page, "odds").focus()
        page.keyboard.press("ArrowDown")
        shown.append(readout(page, "odds"))
        drawing(page, "odds").evaluate("drawing => drawing.blur()")
        names = page.locator("[data-picture=loss] .said td").last.text_content()
        shown.append(names)
    assert len(set(shown)) == 6


def test_a_drawn_letter_has_the_odds_of_the_model(page):
    train(page)
    counts, odds = page.evaluate("""() => {
        const {gpt, training} = Pictures.live, dice = Model.dice(1), counts = Array(gpt.vocab).fill(0);
        for (let i = 0; i < 4000; i++) counts[gpt.generate(training.numbers, 1, dice)[0] ?? gpt.BOS]++;
        return [counts, [...Model.softmax(gpt.forward(training.numbers, [gpt.BOS]).logits, gpt.vocab)]];
    }""")
    for count, share in zip(counts, odds):
        assert abs(count - 4000 * share) <= 4.5 * math.sqrt(4000 * share * (1 - share)) + 1
    coldest = page.evaluate("""() => {
        const {gpt, training} = Pictures.live;
        return [1, 2, 3].map(seed => gpt.generate(training.numbers, 0.01, Model.dice(seed)).join());
    }""")
    assert len(set(coldest)) == 1


def test_the_button_speaks_and_a_spoken_name_is_read(page):
    train(page)
    page.click("[data-picture=odds] button:text-is('Speak')")
    names = page.locator("[data-picture=odds] .speech button").all_text_contents()
    assert len(names) >= 4 and all(name.isalpha() for name in names)
    page.locator("[data-picture=odds] .speech button").first.click()
    settle(page)
    assert f"the name {names[0]}," in name_of(page, "odds")
    assert page.locator("[data-picture=path] input[type=text]").input_value() == names[0]


# -- own data ----------------------------------------------------------------------------------------------------------

def test_it_learns_another_alphabet(page):
    names = ["анна", "мария", "ольга", "иван", "пётр", "лев"]
    assert "6 items" in learn(page, "\n".join(names))
    train(page, press=False)
    assert page.evaluate("Pictures.live.letters") == sorted(set("".join(names)))
    losses = page.evaluate("Pictures.live.training.losses")
    assert sum(losses[-100:]) / 100 < 0.5 * losses[0]
    assert "анна" in page.locator("[data-picture=loss] .said td").last.text_content()
    spread = page.evaluate("[...Pictures.live.untrained]")
    assert abs(sum(spread) / len(spread)) < 0.01
    assert math.sqrt(sum(x * x for x in spread) / len(spread)) == pytest.approx(0.08, abs=0.004)
    type_name(page, "odds", "анна")
    assert "анна" in name_of(page, "odds") and "анна" in name_of(page, "attention")
    page.click("text=Back to the lecture's names")
    assert page.evaluate("Pictures.live.letters.join('')") == "abcdefghijklmnopqrstuvwxyz"
    train(page)
    assert worst(page.evaluate("Pictures.live.training.losses"), page.evaluate("Pictures.live.data.losses")) <= 1e-9


def test_text_is_read_as_the_lecture_reads_it(page):
    text = "\ufeffanna\r\n  otto \u00a0\r\t\n\x1cida\x1f\n\u2003\n\u200bbo\u3000\n😀a😀\n\x85x y\x85\n\n"
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    docs = [line.strip() for line in lines if line.strip()]
    found = page.evaluate("text => Model.read(text, 1)", text)
    assert sorted(found["docs"]) == sorted(docs)
    assert found["letters"] == sorted(set("".join(docs)))


@pytest.mark.parametrize("text", ["", "\n \n\t\n", "\ufeff"])
def test_an_empty_text_gets_a_sentence_and_changes_nothing(page, text):
    before = page.evaluate("Pictures.live.docs.length")
    assert "nothing to learn from" in learn(page, text)
    assert page.evaluate("Pictures.live.docs.length") == before


@pytest.mark.parametrize("text, items, letters", [
    ("anna", 1, 2), ("a", 1, 1), ("ab" * 5000, 1, 2), ("😀🎉\n🎉😀", 2, 2),
    ("\n".join(chr(0x4e00 + i) + chr(0x4e01 + i) for i in range(3000)), 3000, 3001),
])
def test_small_long_and_wide_texts_are_learned_without_a_freeze(page, text, items, letters):
    drop(page, text, "paste" if len(text) > 5000 else "drop")
    assert page.evaluate("[Pictures.live.docs.length, Pictures.live.letters.length]") == [items, letters]
    gap = page.evaluate("""async () => {
        let gap = 0, last = performance.now();
        while (!Pictures.live.training.done && Pictures.live.training.step < 300) {
            await new Promise(resolve => setTimeout(resolve));
            gap = Math.max(gap, performance.now() - last);
            last = performance.now();
        }
        return gap;
    }""")
    assert gap < 1000
    settle(page)
    for kind in KINDS: assert page.locator(f"[data-picture={kind}] svg").first.is_visible(), kind
    losses = page.evaluate("Pictures.live.training.losses")
    assert all(map(math.isfinite, losses))
    if letters < 10: assert losses[-1] < losses[0]


@pytest.mark.parametrize("text, words", [
    ("x" * 1_000_001, "takes at most 1,000,000"),
    ("\n".join(map(chr, range(0x4e00, 0x4e00 + 5001))), "takes at most 5,000"),
])
def test_too_large_a_text_gets_a_sentence(page, text, words):
    assert words in drop(page, text)
    assert page.evaluate("Pictures.live.own") is False


def test_a_text_is_shown_as_text(page):
    evil = "<img src=x onerror='document.title=1'>"
    learn(page, f"{evil}\n<b>bold</b>\n&amp;")
    train(page, 1000, press=False)
    type_name(page, "odds", "<b>")
    page.click("[data-picture=odds] button:text-is('Speak')")
    settle(page)
    assert page.locator("[data-picture] img").count() == 0
    assert page.locator("[data-picture]:not([data-picture=path]) b").count() == 0
    assert page.title() != "1"
    assert "<b>" in name_of(page, "odds")


def test_a_dropped_file_is_learned_and_one_that_is_no_text_gets_a_sentence(page):
    page.set_input_files("[data-picture=own-data] input[type=file]",
                         {"name": "n.txt", "mimeType": "text/plain", "buffer": "zoë\nnoë\n".encode()})
    until(page, "Pictures.live.own")
    assert page.evaluate("Pictures.live.letters") == ["n", "o", "z", "ë"]
    page.evaluate("""() => {
        const drop = new DataTransfer();
        drop.items.add(new File([new Uint8Array([255, 254, 0, 200])], "x.bin"));
        document.querySelector("[data-picture=own-data]").dispatchEvent(new DragEvent("drop", {dataTransfer: drop, bubbles: true}));
    }""")
    status = page.locator("[data-picture=own-data] [role=status]")
    page.wait_for_timeout(200)
    assert "UTF-8" in status.text_content()
    drop(page, "one\ntwo")
    assert page.evaluate("Pictures.live.docs.slice().sort().join()") == "one,two"


# -- the pictures ------------------------------------------------------------------------------------------------------

def test_every_picture_has_a_name_and_tells_values_to_pointer_and_keys(page):
    train(page)
    page.click("[data-picture=path] button.stage >> nth=4")
    settle(page)
    for kind in KINDS:
        picture = drawing(page, kind)
        assert picture.get_attribute("role") == "img" and len(picture.get_attribute("aria-label")) > 20
        rest = readout(page, kind)
        picture.focus()
        page.keyboard.press("ArrowRight" if kind == "graph" else "ArrowDown")
        page.keyboard.press("ArrowRight")
        if kind != "graph": assert readout(page, kind) != rest, kind
        picture.evaluate("drawing => drawing.blur()")
        picture.scroll_into_view_if_needed()
        box = picture.bounding_box()
        told = set()
        for x in range(1, 20, 3):
            for y in (0.2, 0.35, 0.5):
                page.mouse.move(box["x"] + box["width"] * x / 20, box["y"] + box["height"] * y)
                told.add(readout(page, kind))
        assert len(told) > 2, kind


def test_a_tap_tells_a_value_that_stays(chromium):  # noqa: F811
    with opened(chromium, "", 390, 844, has_touch=True) as page:
        settle(page)
        for kind in ("matrices", "loss", "attention", "odds"):
            rest = readout(page, kind)
            picture = drawing(page, kind)
            picture.scroll_into_view_if_needed()
            picture.tap(position={"x": 60, "y": 80})
            page.wait_for_timeout(100)
            assert readout(page, kind) != rest, kind


def test_the_graph_is_walked_backward_as_backward_does(page):
    nodes = page.evaluate("Pictures.live.data.graph.nodes || Pictures.live.data.graph")
    seen = []
    for _ in range(4):
        seen.append(page.evaluate("Pictures.live.graph.state()"))
        page.keyboard.press("b")
    assert seen[0] == [0] * len(nodes)
    assert seen[1] == [0] * (len(nodes) - 1) + [1]
    assert seen[-1] == [node["grad"] for node in nodes] == [4, 2, 1, 1]
    assert all(a != b for a, b in zip(seen, seen[1:]))
    drawing(page, "graph").focus()
    for key, state in (("ArrowLeft", seen[1]), ("ArrowLeft", seen[2]), ("ArrowRight", seen[1]), ("ArrowRight", seen[0])):
        page.keyboard.press(key)
        assert page.evaluate("Pictures.live.graph.state()") == state


def test_one_position_is_singled_out_by_click_and_by_keys(page):
    type_name(page, "attention", "maria")
    picture = drawing(page, "attention")
    picture.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    settle(page)
    assert page.evaluate("Pictures.live.single") is not None
    assert page.locator("[data-picture=attention] svg .dimmed").count() == 4
    page.keyboard.press("Escape")
    settle(page)
    assert page.locator("[data-picture=attention] svg .dimmed").count() == 0
    weights = page.evaluate("""() => {
        const {gpt, training, tokensOf} = Pictures.live, tokens = tokensOf("maria").slice(0, -1), T = tokens.length;
        const {weights} = gpt.forward(training.numbers, tokens).layers[0];
        return Array.from({length: 4 * T}, (_, row) => [row % T, [...weights.slice(row * T, row * T + T)]]);
    }""")
    for t, row in weights:
        assert sum(row) == pytest.approx(1, abs=1e-12) and all(w == 0 for w in row[t + 1:]) and all(w > 0 for w in row[:t + 1])


def test_a_name_with_foreign_letters_or_too_many_is_read_as_far_as_it_can_be(page):
    type_name(page, "path", "Anna")
    assert "the name anna," in name_of(page, "odds")
    type_name(page, "path", "anña")
    assert "no letter ñ" in page.locator("[data-picture=path] .remark").text_content()
    assert "the name ana," in name_of(page, "odds")
    type_name(page, "path", "anna" * 50)
    assert "cut" in page.locator("[data-picture=path] .remark").text_content()
    type_name(page, "path", "")
    assert page.locator("[data-picture=path] .stage").first.text_content().startswith("tokens[T]= [1]")


def test_keys_typed_into_a_field_do_not_train(page):
    page.click("[data-picture=path] input[type=text]")
    page.keyboard.type("ggefb")
    assert page.evaluate("Pictures.live.training.step") == 0 and not page.evaluate("Pictures.live.training.running")


def test_enter_and_escape_give_the_keys_back_to_the_page(page):
    for key in ("Enter", "Escape"):
        page.click("[data-picture=path] input[type=text]")
        page.keyboard.press(key)
        page.keyboard.press("w")
    assert page.evaluate("Pictures.live.temperature") == pytest.approx(0.7)
    assert page.locator("[data-picture=path] input[type=text]").input_value() == page.evaluate("Pictures.live.docs[0]")
    page.keyboard.press("q")
    assert page.evaluate("Pictures.live.temperature") == pytest.approx(0.6)
    page.keyboard.press("v")
    assert "at 0.60" in page.locator("[data-picture=odds] .speech").text_content()


@pytest.mark.parametrize("names, vowels", [
    ("anna\nida", "a i"), ("άννα\nείδος", "α ε ο ά ί"), ("майя\nпётр", "а я ё"), ("psst\nhm", "")])
def test_vowels_are_marked_where_there_are_some(page, names, vowels):
    learn(page, names)
    train(page, press=False)
    said = page.locator("[data-picture=map] .more").text_content()
    assert sorted(said.removesuffix(".").partition(": ")[2].split()) == sorted(vowels.split())
    assert page.locator("[data-picture=map] .dot.vowel").count() == len(vowels.split())


def test_the_table_of_pairs_is_the_same_in_the_page_as_in_the_build(page):
    assert page.evaluate("""() => {
        const {docs, tokensOf, gpt, data} = Pictures.live;
        return Math.abs(Model.bigram(docs, tokensOf, gpt.block, gpt.vocab) - data.bigram);
    }""") <= 1e-9


def test_the_map_shows_the_two_directions_of_largest_spread(page):
    train(page)
    rows, found = page.evaluate("""() => {
        const {gpt, training, letters} = Pictures.live, n = gpt.width;
        const rows = letters.map((_, token) => training.numbers.subarray(token * n, token * n + n));
        return [rows.map(row => [...row]), Model.principal(rows, n)];
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
        places = [place[axis] for place in found["places"]]
        assert min(worst(places, along), worst(places, [-x for x in along])) <= 1e-6
        spread = [[spread[i][j] - size * vector[i] * vector[j] for j in range(n)] for i in range(n)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_can_be_saved(page, kind):
    train(page, 100)
    if kind == "path": page.click("[data-picture=path] button.stage >> nth=4")
    settle(page)
    with page.expect_download() as download:
        page.locator(f"[data-picture={kind}] .save").first.click()
    path = download.value.path()
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag.endswith("svg") and len(root) > 4
    assert "var(" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("trained", [False, True])
def test_labels_do_not_overlap_and_nothing_is_cut(chromium, size, trained):  # noqa: F811
    width, height, points = SIZES[size]
    with opened(chromium, f"#size={points}&bar=0", width, height) as page:
        settle(page)
        if trained: train(page)
        for name in ("anna", "maximiliananana"):
            type_name(page, "path", name)
            page.click("[data-picture=path] button.stage >> nth=4")
            settle(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            hidden = page.evaluate("""() => [...document.querySelectorAll("svg.drawing *")]
                .filter(part => getComputedStyle(part).display === "none").map(part => part.outerHTML)""")
            assert not hidden
            clashes = page.evaluate("""() => {
                const found = [];
                for (const drawing of document.querySelectorAll("svg.drawing")) {
                    const kind = drawing.closest("[data-picture]").dataset.picture, view = drawing.viewBox.baseVal;
                    const texts = [...drawing.querySelectorAll("text")].map(text => [text.textContent, text.getBBox()]);
                    texts.forEach(([a, p], i) => {
                        if (p.x < -1 || p.x + p.width > view.width + 1) found.push(`${kind}: ${a} is cut`);
                        texts.slice(i + 1).forEach(([b, q]) => {
                            const x = Math.min(p.x + p.width, q.x + q.width) - Math.max(p.x, q.x);
                            const y = Math.min(p.y + p.height, q.y + q.height) - Math.max(p.y, q.y);
                            const small = Math.min(p.height, q.height);  // a line's box is taller than its letters
                            if (x > 0.15 * small && y > 0.45 * small) found.push(`${kind}: ${a} on ${b}`);
                        });
                    });
                }
                return found;
            }""")
            assert not clashes


def test_reduced_motion_draws_the_end_and_not_the_way(chromium):  # noqa: F811
    with opened(chromium, "", 1280, 900, reduced_motion="reduce") as page:
        settle(page)
        page.evaluate("""() => { window.changes = 0; new MutationObserver(() => window.changes++)
            .observe(document.querySelector("[data-picture=loss] svg.drawing"), {childList: true}); }""")
        train(page)
        assert page.evaluate("changes") <= 3
        assert "1,000 steps of 1,000" in name_of(page, "loss")

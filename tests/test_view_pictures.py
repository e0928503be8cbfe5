"""The pictures: they tell their values to pointer, touch and keys, their scales stay, and they are one with the lines."""
import re
import xml.etree.ElementTree

import pytest

from page import LINES, SIZES, opened, settle, train, until

pytestmark = pytest.mark.slow
KINDS = ["lab", "pairs", "graph", "matrices", "layer", "attention", "surprise", "tangent", "adam", "loss", "parts", "odds",
         "map", "staircase", "race"]
TOLD = [kind for kind in KINDS if kind not in ("graph", "tangent", "race")]      # these tell a value at a cell, a bar, a step


@pytest.fixture
def page(chromium):
    with opened(chromium, "", 1280, 900) as page:
        yield page


def drawing(page, kind):
    return page.locator(f"[data-picture={kind}] svg.drawing").first


def show(page, kind):
    page.locator(f"[data-picture={kind}]").scroll_into_view_if_needed()
    settle(page, 700 if kind == "adam" else 300)
    return drawing(page, kind)


def readout(page, kind):
    return page.locator(f"[data-picture={kind}] .readout").first.text_content()


def name_of(page, kind):
    return drawing(page, kind).get_attribute("aria-label")


def drawn(page, kind):
    return drawing(page, kind).inner_html().partition('<rect class="cursor"')[0]


def type_name(page, name):
    page.fill("[data-picture=lab] input[type=text]", name)
    settle(page, 200)


def go_to(page, step):
    page.evaluate("step => microgpt.live.goTo(step)", step)
    until(page, f"microgpt.live.state.value.step === {step}")
    settle(page, 300)


def test_every_section_with_an_idea_has_a_picture(page):
    places = page.evaluate("""Object.fromEntries([...document.querySelectorAll('[data-picture]')].map(
        p => [p.dataset.picture, p.closest('.section')?.dataset.section ?? 'first screen']))""")
    assert {"first screen", *map(str, range(2, 13))} == set(places.values())
    assert set(KINDS) < set(places)
    for kind in KINDS:
        show(page, kind)
        assert drawing(page, kind).bounding_box()["height"] > 60, kind


def test_every_picture_has_a_name_and_tells_values_to_pointer_and_keys(page):
    for kind in KINDS:
        picture = show(page, kind)
        if kind == "adam": until(page, "/gradients/.test(document.querySelector('[data-picture=adam] svg').ariaLabel) && "
                                       "/1,000 steps/.test(document.querySelector('[data-picture=adam] svg').ariaLabel)")
        assert picture.get_attribute("role") == "img" and len(picture.get_attribute("aria-label")) > 20
        if kind not in TOLD: continue
        rest = readout(page, kind)
        picture.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowLeft" if kind == "adam" else "ArrowRight")   # adam begins at the last step
        assert readout(page, kind) != rest, kind
        picture.evaluate("drawing => drawing.blur()")
        box = picture.bounding_box()
        told = set()
        for x in range(1, 20, 3):
            for y in (0.2, 0.35, 0.5, 0.65):
                page.mouse.move(box["x"] + box["width"] * x / 20, box["y"] + box["height"] * y)
                told.add(readout(page, kind))
        assert len(told) > (1 if kind == "surprise" else 2), kind       # its dots are small


def test_a_tap_tells_a_value_that_stays(chromium):
    with opened(chromium, "", 390, 844, has_touch=True) as page:
        for kind in ("matrices", "attention", "odds", "surprise"):
            picture = show(page, kind)
            rest = readout(page, kind)
            if kind == "surprise":
                dot = page.locator("[data-picture=surprise] circle.dot").first.bounding_box()
                page.touchscreen.tap(dot["x"] + 3, dot["y"] + 3)
            else: picture.tap(position={"x": 34 if kind == "attention" else 60, "y": 60})
            page.wait_for_timeout(150)
            assert readout(page, kind) != rest, kind


# ---- Scales ----

def bars(page):
    """The heights of the lab's bars, in pixels."""
    return page.evaluate("""[...document.querySelectorAll('[data-picture=lab] .odds-bar')].map(bar => bar.getBBox().height)""")


def test_temperature_can_be_seen_because_a_full_bar_is_always_100_percent(page):
    type_name(page, "mari")
    show(page, "lab")
    highest = {}
    for temperature in (0.1, 0.5, 2):
        page.evaluate("heat => { microgpt.live.temperature.value = heat; }", temperature)
        settle(page, 200)
        p = page.evaluate("""(() => { const {live, model} = microgpt, {made, T} = live.typed.value, {vocab} = live.run.value.gpt;
            return [...model.softmax(made.logits.subarray((T - 1) * vocab, T * vocab), vocab, live.temperature.value)]; })()""")
        full = page.evaluate("""(() => { const [low, , high] = [...document.querySelectorAll('[data-picture=lab] svg path')]
            .filter(p => /axis|grid/.test(p.getAttribute('class'))).map(p => p.getBBox().y); return low - high; })()""")
        assert bars(page) == pytest.approx([full * each for each in p], abs=0.6)
        highest[temperature] = max(bars(page))
    assert highest[0.1] > 1.3 * highest[0.5] > 1.3 * highest[2]


def test_scales_and_axes_stay_while_time_moves(page):
    """The legend of a heat map, the axes of the loss, of the surprise, and of the map of the letters."""
    legends = {}
    for step in (0, 30, 1000):
        go_to(page, step)
        for kind in ("matrices", "loss", "surprise", "map"):
            show(page, kind)
            axis = page.evaluate("""kind => [...document.querySelectorAll(`[data-picture=${kind}] svg :is(path.grid, path.axis)`)]
                .map(p => p.getAttribute('d')).concat([...document.querySelectorAll(`[data-picture=${kind}] svg text.muted.small`)]
                .map(t => t.textContent).filter(t => /^[−0-9.]+$/.test(t)))""", kind)
            assert axis
            legends.setdefault(kind, axis)
            assert axis == legends[kind], (kind, step)


def test_the_map_never_mirrors_between_two_moments(page):
    """From one moment to the next the letters keep their side: most of the way they move with their embeddings."""
    show(page, "map")
    places = []
    for step in (300, 400, 500, 700, 1000):
        go_to(page, step)
        places.append(page.evaluate("[...document.querySelectorAll('[data-picture=map] circle')].map(c => [+c.getAttribute('cx'), +c.getAttribute('cy')])"))
    width = drawing(page, "map").bounding_box()["width"]
    for before, after in zip(places, places[1:]):
        moved = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in zip(before, after)]
        assert sum(moved) / len(moved) < 0.12 * width


def test_every_moment_can_be_shown_also_by_a_click_on_the_curve(page):
    show(page, "loss")
    box = drawing(page, "loss").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    until(page, "microgpt.live.state.value.step < 900")
    step = page.evaluate("microgpt.live.state.value.step")
    assert 100 < step < 600
    assert f"after {step} steps" in page.locator("[data-picture=loss] .moment output").text_content()
    for kind in ("matrices", "attention", "odds", "map", "layer"):
        show(page, kind)
        assert f"after {step} steps" in name_of(page, kind), kind
    untrained = {}
    go_to(page, 0)
    for kind in ("matrices", "attention", "map"):
        show(page, kind)
        untrained[kind] = drawn(page, kind)
    go_to(page, 500)
    go_to(page, 0)
    for kind, was in untrained.items():
        show(page, kind)
        assert drawn(page, kind) == was
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.press("f")
    until(page, "microgpt.live.state.value.step === 10")
    page.keyboard.press("e")
    until(page, "microgpt.live.state.value.step === 0")


# ---- Lines and pictures are one ----

def line_of(start, within):
    begin = next(i for i, line in enumerate(LINES) if line.startswith(f"def {within}("))
    return next(i + 1 for i in range(begin, len(LINES)) if LINES[i].strip().startswith(start))


@pytest.mark.parametrize("start, function, part", [("query = ", "gpt", "query"), ("hidden = [", "gpt", "hidden"), ("heard += ", "gpt", "heard")])
def test_a_line_lights_its_part_of_a_picture_and_the_other_way_round(page, start, function, part):
    line = line_of(start, function)
    show(page, "layer")
    page.locator(f"#L{line}").hover()
    assert page.locator(f"[data-picture=layer] [data-part={part}].tied").count() == 1
    assert page.locator("[data-picture=layer] .tied").count() == 1
    page.locator("h2").first.hover()
    show(page, "layer")
    strip = page.locator(f"[data-picture=layer] [data-part={part}]").bounding_box()
    page.mouse.move(strip["x"] + 5, strip["y"] + strip["height"] / 2)
    assert page.locator(f"#L{line}.tied").count() == 1


def test_green_numbers_beside_the_lines_follow_the_name_the_token_and_the_moment(page):
    def live(start, function):
        return page.locator(f"#L{line_of(start, function)} .live").text_content()

    def true(expression):
        return page.evaluate(f"""(() => {{ const {{typed, looked, run}} = microgpt.live, {{made}} = typed.value, t = looked.value,
            w = run.value.gpt.width, layer = made.layers[0]; return [0, 1, 2].map(i => {expression}); }})()""")

    def near(shown, expected):
        numbers = [float(number.replace("−", "-")) for number in re.findall(r"−?\d+\.\d+", shown)]
        assert numbers == pytest.approx(expected, abs=0.0051)

    seen = set()
    for name, place, step in (("mari", None, 1000), ("otto", None, 1000), ("otto", 1, 1000), ("otto", 1, 20)):
        type_name(page, name)
        page.evaluate("place => { microgpt.live.place.value = place; }", place)
        go_to(page, step)
        near(live("query = ", "gpt"), true("layer.q[t * w + i]"))
        near(live("hidden = [", "gpt"), true("layer.hidden[t * 4 * w + i]"))
        seen.add(live("query = ", "gpt"))
        assert f"token {page.evaluate('microgpt.live.looked.value')}" in page.locator("#live-where").text_content()
    assert len(seen) == 4


# ---- One by one ----

def test_the_model_speaks_letter_by_letter_with_the_odds_beside_it(page):
    show(page, "lab")
    page.fill("[data-picture=lab] input[type=text]", "")
    page.click(".speak")
    seen = set()
    for _ in range(150):
        page.wait_for_timeout(100)
        seen.add(page.evaluate("microgpt.live.name.value"))
        if page.locator("[data-picture=lab] .speech :not(.hint)").count(): break
    lengths = sorted(map(len, seen))
    if "(silence)" not in page.locator("[data-picture=lab] .speech").text_content():
        assert len(lengths) >= 3 and all(b - a <= 2 for a, b in zip(lengths, lengths[1:]))
    assert page.locator(".speak").text_content() == "Speak"


def test_it_goes_on_from_the_name_that_is_typed_which_stays_in_the_field(chromium):
    with opened(chromium, "", 1280, 900, reduced_motion="reduce") as page:
        show(page, "lab")
        said = []
        for typed in ("ale", None):
            if typed: page.fill("[data-picture=lab] input[type=text]", typed)
            page.click(".speak")
            until(page, "document.querySelector('.speak').textContent === 'Speak'")
            said.append(page.locator("[data-picture=lab] .speech .name").first.text_content())
            assert page.evaluate("microgpt.live.name.value") == "ale"      # what was typed stays
        assert said[0].startswith("ale") and said[1].startswith("ale") and len(said[0]) > 3


def test_a_bar_goes_on_with_its_letter_and_a_spoken_name_is_read(chromium):
    with opened(chromium, "", 1280, 900, reduced_motion="reduce") as page:
        show(page, "lab")
        drawing(page, "lab").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert page.evaluate("microgpt.live.name.value") == "alea"
        for _ in range(3):
            page.click(".speak")
            until(page, "document.querySelector('.speak').textContent === 'Speak'")
        names = page.locator("[data-picture=lab] .speech button")
        said = names.last.text_content()
        page.fill("[data-picture=lab] input[type=text]", "zz")
        names.last.click()
        assert page.evaluate("microgpt.live.name.value") == said


def test_the_graph_is_walked_backward_as_backward_does(page):
    show(page, "graph")
    state = "microgpt.pictures.graph.state()"
    seen = []
    for _ in range(4):
        seen.append(page.evaluate(state))
        page.keyboard.press("b")
    assert seen[0] == [0, 0, 0, 0] and seen[1] == [0, 0, 0, 1]
    assert seen[-1] == [4, 2, 1, 1]
    assert all(a != b for a, b in zip(seen, seen[1:]))
    page.keyboard.press("b")
    drawing(page, "graph").focus()
    page.evaluate("[...document.querySelectorAll('[data-picture=graph] button')].find(b => b.textContent === 'From the start').click()")
    for key, expected in (("ArrowLeft", seen[1]), ("ArrowLeft", seen[2]), ("ArrowRight", seen[1]), ("ArrowRight", seen[0])):
        page.keyboard.press(key)
        assert page.evaluate(state) == expected


@pytest.mark.parametrize("expression", ["h = 2 * a; g = 3 * h; g + h", "y = x + x; z = y + y; z + z * x",
                                        "exp(a) / (exp(a) + exp(b))", "(a - b) ** 2"])
def test_in_the_graph_no_edge_goes_behind_a_box_and_no_number_under_one(page, expression):
    show(page, "graph")
    page.fill("[data-picture=graph] input[type=text]", expression)
    settle(page)
    hidden = page.evaluate("""() => {
        const svg = document.querySelector('[data-picture=graph] svg.drawing');
        const boxes = [...svg.querySelectorAll('rect.node')].map(rect => rect.getBBox());
        const within = ({x, y}, edge) => boxes.some(b => x > b.x + edge && x < b.x + b.width - edge && y > b.y + edge && y < b.y + b.height - edge);
        const ways = [...svg.querySelectorAll('path.edge')].filter(path => {
            const length = path.getTotalLength();
            return Array.from({length: 40}, (_, i) => path.getPointAtLength(length * i / 39)).some(point => within(point, 1.5));
        });
        const words = [...svg.querySelectorAll('text.halo')].filter(text => {
            const {x, y, width, height} = text.getBBox();
            return [x, x + width].some(x => within({x, y: y + height / 2}, 1));
        });
        const long = [...svg.querySelectorAll('text:not(.halo)')].filter(text => {
            const {x, width} = text.getBBox();
            return !boxes.some(b => x >= b.x && x + width <= b.x + b.width);
        });
        return [ways.length, words.length, long.map(text => text.textContent)];
    }""")
    assert hidden == [0, 0, []]


def test_what_an_operator_makes_on_its_own_has_a_name(page):
    show(page, "graph")
    page.fill("[data-picture=graph] input[type=text]", "(a - b) / exp(a + 1)")
    settle(page)
    label = name_of(page, "graph")
    assert "; -b has data " in label and "; exp(a + 1) ** -1 has data " in label


def test_any_expression_has_its_graph_and_its_leaves_can_be_changed(page):
    show(page, "graph")
    page.select_option("[data-picture=graph] select", "h = a + a; h + h")
    settle(page)
    assert name_of(page, "graph").startswith("Graph of h + h: a has data 2")
    page.click("[data-picture=graph] button:text-is('All the way')")
    settle(page)
    assert page.evaluate("microgpt.pictures.graph.state()") == [4, 2, 1]
    leaf = page.locator("[data-picture=graph] rect.leaf").bounding_box()
    page.mouse.move(leaf["x"] + 10, leaf["y"] + 10)
    page.mouse.down()
    page.mouse.move(leaf["x"] + 80, leaf["y"] + 10, steps=4)
    page.mouse.up()
    settle(page)
    data = float(re.search(r"a has data (\S+) ", name_of(page, "graph"))[1])
    assert data > 3 and f"h has data {2 * data:g}" in name_of(page, "graph").replace(".0 ", " ")
    drawing(page, "graph").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("+")                                           # and by keys
    settle(page)
    assert float(re.search(r"a has data (\S+) ", name_of(page, "graph"))[1]) == pytest.approx(data + 0.1)
    page.fill("[data-picture=graph] input[type=text]", "a * * b")
    assert "cannot stand here" in page.locator("[data-picture=graph] .remark").text_content()


def test_one_token_is_singled_out_in_all_pictures_by_click_and_by_keys(page):
    type_name(page, "maria")
    picture = show(page, "attention")
    picture.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    settle(page)
    place = page.evaluate("microgpt.live.place.value")
    assert place is not None and page.locator("[data-picture=attention] svg .dimmed").count() == 4
    show(page, "layer")
    assert f"token {place} of maria" in name_of(page, "layer")
    show(page, "attention").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    settle(page)
    assert page.locator("[data-picture=attention] svg .dimmed").count() == 0
    weights = page.evaluate("""() => {
        const {made, T} = microgpt.live.typed.value, {weights} = made.layers[0];
        return Array.from({length: 4 * T}, (_, row) => [row % T, [...weights.slice(row * T, row * T + T)]]);
    }""")
    for t, row in weights:
        assert sum(row) == pytest.approx(1, abs=1e-12) and all(w == 0 for w in row[t + 1:]) and all(w > 0 for w in row[:t + 1])


def test_what_a_head_does_on_the_name_is_what_its_weights_say(page):
    type_name(page, "valentina")
    show(page, "attention")
    said = page.locator("[data-picture=attention] .habits li").all_text_contents()
    means = page.evaluate("""() => { const {made, T} = microgpt.live.typed.value, {weights} = made.layers[0];
        return [0, 1, 2, 3].map(head => { const of = pick => { let sum = 0; for (let t = 2; t < T; t++) sum += weights[(head * T + t) * T + pick(t)]; return sum / (T - 2); };
            return {BOS: of(() => 0), "the token before": of(t => t - 1), "the token itself": of(t => t)}; }); }""")
    assert len(said) == 4
    for head, (words, each) in enumerate(zip(said, means)):
        most = max(each, key=each.get)
        assert words.startswith(f"head {head}: ") and f"{most} " in words and f"{round(100 * each[most])} %" in words
        chance = sum(1 / (t + 1) for t in range(2, 9 + 1)) / 8
        assert f"by chance {round(100 * chance)} %" in words
        kind = "mostly" if each[most] > 0.5 else "more than others" if each[most] > 1.5 * chance else "spread out"
        assert f"head {head}: {kind}: " in words


def test_the_tangent_has_the_slope_that_can_be_measured(page):
    show(page, "tangent")
    words = page.locator("[data-picture=tangent] .readout").text_content()
    gradient = float(re.search(r"its gradient (\S+)\.", words)[1].replace("−", "-"))
    measured = page.evaluate("""() => { const {live} = microgpt, {gpt} = live.run.value, {tokens} = live.typed.value;
        const [token, number] = document.querySelectorAll("[data-picture=tangent] select");
        const index = token.value * gpt.width + +number.value, at = by => { const numbers = live.state.value.numbers.slice(); numbers[index] += by; return gpt.lossOf(numbers, tokens); };
        return (at(1e-5) - at(-1e-5)) / 2e-5; }""")
    assert gradient == pytest.approx(measured, abs=6e-5)
    drawing(page, "tangent").focus()
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert page.locator("[data-picture=tangent] .readout").text_content() != words


def test_the_staircase_goes_back_one_step_at_a_time_with_true_gradients(page):
    show(page, "staircase")
    assert page.locator("[data-picture=staircase] .gradients").count() == 11
    page.click("[data-picture=staircase] button:text-is('From the start')")
    settle(page, 150)
    counts = []
    for _ in range(4):
        counts.append(page.locator("[data-picture=staircase] .gradients").count())
        page.click("text=Back one step")
        settle(page, 150)
    assert counts == [0, 1, 2, 3]
    page.click("[data-picture=staircase] button:text-is('All the way')")
    settle(page)
    assert page.locator("[data-picture=staircase] .gradients").count() == 11
    found = page.evaluate("""() => { const {live, model} = microgpt, {gpt} = live.run.value, {tokens} = live.typed.value;
        const walked = gpt.walk(live.state.value.numbers, tokens, new Float64Array(gpt.count));
        const params = [...live.state.value.numbers], taken = model.autograd(gpt, params, tokens);
        return [walked.loss, taken.loss, [...walked.dsums.slice(0, 3)], gpt.matrices(Float64Array.from(taken.gradients)).position.slice(0, 3).join()]; }""")
    assert found[0] == pytest.approx(found[1], abs=1e-12)
    assert found[2] == pytest.approx([float(x) for x in found[3].split(",")], abs=1e-12)


def test_the_two_engines_race_on_the_same_names(page):
    show(page, "race")
    page.click("[data-picture=race] button:text-is('Race')")
    until(page, "/finished [1-9]/.test(document.querySelector('[data-picture=race] svg').ariaLabel)")
    until(page, "!document.querySelector('[data-picture=race] button').disabled", 30)
    autograd, explicit = map(int, re.findall(r"\d+", name_of(page, "race")))
    assert explicit > autograd > 0


def test_two_runs_are_compared(page):
    page.select_option("[data-picture=runs] select[name=rate]", "0.1")
    page.select_option("[data-picture=runs] select[name=layers]", "2")
    assert "settings have changed" in page.locator("[data-picture=runs] [role=status]").text_content()
    train(page, 100)
    rows = page.locator("[data-picture=runs] tbody tr").evaluate_all("all => all.map(r => [...r.children].map(c => c.textContent))")
    table = {row[0]: row[1:] for row in rows}
    assert table["layers"] == ["2", "1"] and table["rate"] == ["0.1", "0.01"]
    assert table["has learned"] == ["100 steps of 100", "1,000 steps of 1,000"]
    assert page.locator("[data-picture=runs] tr.changed").count() == 2
    show(page, "loss")
    assert page.locator("[data-picture=loss] path.other").count() == 1


def test_enter_speaks_on_from_the_typed_name_and_the_field_follows_the_bars(page):
    field = page.locator("[data-picture=lab] input[type=text]").first
    speak = page.locator("[data-picture=lab] .speak")
    field.fill("ma")
    page.evaluate("microgpt.live.name.value = 'man'")                      # as a click on a bar does
    assert field.input_value() == "man"
    field.press("Enter")
    assert speak.text_content() == "Stop"
    until(page, "document.querySelector('[data-picture=lab] .speak').textContent === 'Speak'", 60)
    assert page.locator("[data-picture=lab] .speech .name").first.text_content().startswith("man")


def test_to_point_at_a_part_singles_it_out_and_a_click_keeps_it(page):
    show(page, "parts")
    lines = "[data-picture=parts] svg path"
    names = page.locator("[data-picture=parts] svg text:not(.muted)")
    page.locator("h2").first.hover()
    assert page.locator(f"{lines}.dimmed").count() == 0
    show(page, "parts")
    names.nth(2).hover()
    everything = names.count()
    assert page.locator(f"{lines}.dimmed").count() == everything - 1 and page.locator(f"{lines}.chosen").count() == 1
    page.mouse.move(1, 1)
    until(page, "!document.querySelector('[data-picture=parts] svg path.dimmed')")
    names.nth(2).click()
    page.mouse.move(1, 1)
    page.wait_for_timeout(200)
    assert page.locator(f"{lines}.dimmed").count() == everything - 1
    names.nth(2).click()


def test_what_each_part_buys_is_docs_parts_json(page):
    data = page.evaluate("microgpt.live.recorded.parts")
    show(page, "parts")
    for steps, figures in data.items():
        page.select_option("[data-picture=parts] select", steps)
        settle(page, 200)
        words = page.locator("[data-picture=parts] svg text").all_text_contents()
        for variant, figure in figures.items():
            assert f"{figure['tenths'][-1]:.3f} {variant}" in words


def test_adam_s_picture_traces_the_chosen_number(page):
    show(page, "adam")
    until(page, "/1,000 steps/.test(document.querySelector('[data-picture=adam] svg').ariaLabel)")
    drawing(page, "adam").focus()
    for _ in range(2): page.keyboard.press("ArrowLeft")
    words = readout(page, "adam")
    step = int(re.search(r"Step ([\d,]+):", words)[1].replace(",", ""))
    page.evaluate("""step => { const [token, choice] = [...document.querySelectorAll('[data-picture=adam] select')].map(s => +s.value);
        microgpt.live.trace(token * microgpt.live.run.value.gpt.width + choice, found => { window.traced = found[step - 1]; }); }""", step)
    until(page, "window.traced")
    gradient, _, _, number = page.evaluate("window.traced")
    assert float(re.search(r"gradient (\S+),", words)[1].replace("−", "-")) == pytest.approx(gradient, abs=6e-5)
    assert float(re.search(r"to (\S+);", words)[1].replace("−", "-")) == pytest.approx(number, abs=6e-5)


def test_a_name_with_foreign_letters_or_too_many_is_read_as_far_as_it_can_be(page):
    type_name(page, "Anna")
    assert page.evaluate("microgpt.live.typed.value.name") == "anna"
    type_name(page, "anña")
    assert "no letter ñ" in page.locator("[data-picture=lab] .remark").text_content()
    assert page.evaluate("microgpt.live.typed.value.name") == "ana"
    type_name(page, "anna" * 50)
    assert "cut" in page.locator("[data-picture=lab] .remark").text_content()
    type_name(page, "")
    assert page.evaluate("microgpt.live.typed.value.T") == 1
    for kind in ("lab", "pairs", "layer", "attention", "surprise", "odds", "staircase"): show(page, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_can_be_saved(page, kind):
    show(page, kind)
    with page.expect_download() as download:
        page.locator(f"[data-picture={kind}] .save").first.click()
    path = download.value.path()
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag.endswith("svg") and len(list(root.iter())) > 4
    assert "var(" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES)
def test_labels_do_not_overlap_and_nothing_is_cut(chromium, size):
    width, height, points = SIZES[size]
    with opened(chromium, "", width, height, chosen=f"size={points}") as page:
        for name, step in (("anna", 1000), ("maximiliananana", 0)):
            type_name(page, name)
            go_to(page, step)
            for kind in KINDS: show(page, kind)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
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


def test_reduced_motion_draws_the_end_and_not_the_way(chromium):
    with opened(chromium, "", 1280, 900, reduced_motion="reduce") as page:
        show(page, "lab")
        page.evaluate("""() => { window.changes = 0; new MutationObserver(() => window.changes++)
            .observe(document.querySelectorAll("[data-picture=lab] svg.drawing")[1], {childList: true}); }""")
        train(page)
        assert page.evaluate("changes") <= 4
        assert "1,000 steps of 1,000" in page.locator("[data-picture=lab] svg").nth(1).get_attribute("aria-label")


def test_a_click_opens_that_head_also_in_the_row_that_is_chosen_already(page):
    heads = show(page, "attention")
    box = heads.bounding_box()
    opened_ = page.locator("[data-picture=attention] svg.drawing").nth(1)
    seen = []
    for head in range(4):
        for x in range(0, int(box["width"]), 6):                       # find it in its last row
            page.mouse.move(box["x"] + x, box["y"] + box["height"] * 0.72)
            if readout(page, "attention").startswith(f"head {head}: at "): break
        page.mouse.click(box["x"] + x, box["y"] + box["height"] * 0.72)
        settle(page, 200)
        seen.append(opened_.get_attribute("aria-label").split(" opened")[0])
    assert seen == ["head 0", "head 1", "head 2", "head 3"]


def test_the_opened_head_stays_while_the_moment_moves(page):
    show(page, "attention")
    opened_ = page.locator("[data-picture=attention] svg.drawing").nth(1)
    seen = set()
    for step in (0, 10, 30, 100, 300, 1000):
        page.evaluate("step => microgpt.live.goTo(step)", step)
        until(page, f"microgpt.live.state.value.step === {step}")
        settle(page, 200)
        seen.add(opened_.get_attribute("aria-label").split(" opened")[0])
    assert len(seen) == 1


def test_speak_goes_on_with_what_was_typed_again_and_again(page):
    page.evaluate("() => { microgpt.live.name.value = 'mar'; }")
    for _ in range(2):
        page.click("[data-picture=lab] button.speak")
        until(page, "document.querySelector('[data-picture=lab] button.speak').textContent === 'Speak'", 40)
        assert page.evaluate("microgpt.live.name.value") == "mar"
    said = page.locator("[data-picture=lab] .speech .name").all_text_contents()
    assert len(said) == 2 and all(name.startswith("mar") for name in said)


def test_code_is_indented_by_its_spaces_however_deep(chromium):
    with opened(chromium, "", 1280, 900) as page:
        lefts = page.evaluate("""[...document.querySelectorAll('.row .code')].map(code => {
            const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT), range = document.createRange();
            for (let text; (text = walker.nextNode());) { const at = text.data.search(/\\S/);
                if (at >= 0) { range.setStart(text, at); range.setEnd(text, at + 1);
                    return [code.textContent.search(/\\S/), range.getBoundingClientRect().left - code.getBoundingClientRect().left]; } }
        }).filter(Boolean)""")
    wide = {round(left / spaces, 1) for spaces, left in lefts if spaces}
    assert max(spaces for spaces, _ in lefts) >= 20 and max(wide) - min(wide) <= 0.11


@pytest.mark.parametrize("kind", ["next", "loss-small", "loss", "adam"])
def test_a_finger_that_scrolls_over_a_picture_changes_nothing(chromium, kind):
    picture = {"next": "lab", "loss-small": "lab"}.get(kind, kind)
    with opened(chromium, "", 390, 844, has_touch=True, is_mobile=True) as page:
        show(page, picture)
        drawing_ = page.locator(f"[data-picture={picture}] svg.drawing").nth(1 if kind == "loss-small" else 0)
        drawing_.scroll_into_view_if_needed()
        settle(page)
        box = drawing_.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.6
        before = page.evaluate("[microgpt.live.name.value, microgpt.live.state.value.step, scrollY]")
        touch = page.context.new_cdp_session(page)
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for by in range(10, 210, 10):
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - by}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        settle(page)
        after = page.evaluate("[microgpt.live.name.value, microgpt.live.state.value.step, scrollY]")
        assert after[:2] == before[:2] and after[2] > before[2] + 100
        page.evaluate("y => scrollTo(0, y)", before[2])
        settle(page)
        page.touchscreen.tap(x, y)                                     # but a tap does what a click does
        settle(page)
        assert page.evaluate("[microgpt.live.name.value, microgpt.live.state.value.step]") != before[:2]

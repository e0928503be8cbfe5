"""The keys, and the lecture as slides: a presenter's remote always steps, and nothing acts out of sight."""
import pytest

from page import SIZES, opened, settings, settle, until

pytestmark = pytest.mark.slow


def test_question_mark_lists_every_key(chromium):
    with opened(chromium) as page:
        page.keyboard.press("?")
        listed = page.evaluate("[...document.querySelectorAll('#keys kbd')].map(k => k.textContent)")
        assert set("?sctnkpr+0d.,alghefbvwq") <= set(listed) and {"Home", "PageDown", "Esc"} <= set(listed)
        assert page.evaluate("[...document.querySelectorAll('#keys dd')].every(d => d.textContent.length > 3)")
        page.keyboard.press("Escape")
        assert not page.locator("#help").is_visible()


def test_keys_leave_typing_alone(chromium):
    with opened(chromium) as page:
        before = settings(page)
        for selector in "[data-picture=lab] input[type=text]", "[data-picture=own-data] textarea":
            page.locator(selector).focus()
            page.keyboard.type("cndg l?")
            assert settings(page) == before and not page.locator("#help").is_visible()
            assert not page.evaluate("microgpt.live.progress.value.running")
            page.keyboard.press("Escape")


def test_single_letter_keys_can_be_switched_off(chromium):
    with opened(chromium, chosen="bar=1") as page:
        page.click("[name=keys]")
        page.locator("h1").click()
        before = settings(page)
        for key in "cndgklpr+.v": page.keyboard.press(key)
        assert settings(page) == before and not page.evaluate("microgpt.live.progress.value.running")
        assert page.evaluate("scrollY") == 0
        page.keyboard.press("?")                                       # the list of keys is still there
        assert page.locator("#help").is_visible()


@pytest.mark.parametrize("key, pictures", [("g", ["surprise", "tangent"]), ("b", ["graph"]), ("v", ["lab"]), ("w", ["lab", "odds"]), ("e", ["surprise", "tangent"])])
def test_a_key_never_acts_out_of_sight(chromium, key, pictures):
    """It brings its picture onto the screen first."""
    with opened(chromium, "#at=6", 1280, 720) as page:
        page.wait_for_timeout(300)
        page.keyboard.press(key)
        page.wait_for_timeout(200)
        seen = page.evaluate("""names => names.some(name => { const box = document.querySelector(`[data-picture=${name}]`).getBoundingClientRect();
            return box.bottom > 80 && box.top < innerHeight - 80; })""", pictures)
        assert seen


def at(page):
    return page.evaluate("document.querySelector('.lit').dataset.at + ' ' + document.getElementById('spoken').textContent")


REMOTE = [("PageDown", 1), ("PageUp", -1), ("ArrowRight", 1), ("ArrowDown", 1), ("ArrowLeft", -1), ("ArrowUp", -1), (" ", 1)]


@pytest.mark.parametrize("focus", ["svg.drawing", "input[type=range]", "button", "select", "input[type=text]", "summary"])
def test_in_lecture_mode_a_presenter_s_remote_always_steps(chromium, focus):
    """Whatever has the focus: a picture, a slider, a button, a field."""
    place = {"svg.drawing": "9.runs", "select": "9.runs", "input[type=text]": "0.lab", "summary": "7.question"}.get(focus, "0.lab")
    if focus == "svg.drawing": place = "0.lab"
    with opened(chromium, f"#at={place}", 1920, 1080, chosen="lecture=1") as page:
        page.wait_for_timeout(900)
        for key, by in REMOTE:
            page.evaluate("place => microgpt.places.goTo(place, false)", place)
            page.wait_for_timeout(60)
            before = at(page)
            page.locator(f".lit {focus} >> visible=true").first.evaluate("element => element.focus()")
            values = page.evaluate("[microgpt.live.temperature.value, microgpt.live.state.value.step, microgpt.live.name.value]")
            page.keyboard.press(key)
            page.wait_for_timeout(40)
            after = at(page)
            assert after != before or (by < 0 and place == "0.lab"), key
            assert values == page.evaluate("[microgpt.live.temperature.value, microgpt.live.state.value.step, microgpt.live.name.value]")


def test_in_lecture_mode_a_picture_takes_keys_after_enter_and_gives_them_back_with_escape(chromium):
    with opened(chromium, "#at=0.lab", 1920, 1080, chosen="lecture=1") as page:
        page.wait_for_timeout(900)
        slider = page.locator("[data-picture=lab] input[aria-label=temperature]")
        slider.focus()
        page.keyboard.press("Enter")
        before = at(page)
        page.keyboard.press("ArrowRight")
        assert at(page) == before and page.evaluate("microgpt.live.temperature.value") == pytest.approx(0.55)
        page.keyboard.press("Escape")
        assert settings(page)["lecture"] == "1"                         # one thing at a time
        page.keyboard.press("ArrowRight")
        assert at(page) != before and page.evaluate("microgpt.live.temperature.value") == pytest.approx(0.55)
        page.keyboard.press("Escape")
        assert settings(page)["lecture"] == "0"


def test_escape_leaves_one_thing_at_a_time(chromium):
    with opened(chromium, "#at=3.1", chosen="lecture=1") as page:
        page.wait_for_timeout(400)
        page.locator(".lit .word").first.hover()
        assert page.locator("#says").is_visible()
        page.keyboard.press("Escape")
        assert not page.locator("#says").is_visible() and settings(page)["lecture"] == "1"
        page.keyboard.press("?")
        page.keyboard.press("Escape")
        assert not page.locator("#help").is_visible() and settings(page)["lecture"] == "1"
        page.mouse.move(1, 1)                                          # away from the word
        page.keyboard.press("Escape")
        assert settings(page)["lecture"] == "0"


WHERE = """() => {
  const lit = document.querySelector('.lit'), parts = [...document.querySelectorAll('.part')];
  const boxes = (parts.length ? parts : [lit]).map(e => e.getBoundingClientRect()).filter(b => b.height);
  const visible = (all) => [...lit.querySelectorAll(all), lit].filter(e => e.matches(all) && e.getClientRects().length && e.getBoundingClientRect().top < innerHeight);
  return {at: lit.dataset.at, pieces: visible('.paragraph, .row, .derivation, .drawn, .controls, summary, li').length,
    pictures: visible('[data-picture]').map(e => e.dataset.picture), thought: lit.classList.contains('thought'), spoken: document.getElementById('spoken').textContent,
    top: Math.min(...boxes.map(b => b.top)), bottom: Math.max(...boxes.map(b => b.bottom)),
    left: Math.min(...boxes.map(b => b.left)), right: Math.max(...boxes.map(b => b.right))};
}"""


@pytest.mark.parametrize("size", SIZES)
def test_lecture_mode_from_the_first_thought_to_the_last_by_keys_alone(chromium, size):
    width, height, points = SIZES[size]
    with opened(chromium, "", width, height, chosen=f"size={points}") as page:
        page.keyboard.press("l")
        page.keyboard.press("Home")
        page.wait_for_timeout(1200)
        stops = page.evaluate("[...document.querySelectorAll('[data-at]')].map(t => t.dataset.at)")
        seen, before, pictures = [], None, set()
        for _ in range(500):
            for _ in range(20):                                         # a slow machine may need a while
                where = page.evaluate(WHERE)
                if before != (where["at"], where["spoken"]): break
                page.wait_for_timeout(50)
            else: break                                                 # the end
            before = where["at"], where["spoken"]
            for _ in range(30):                                         # a picture is drawn, and fitted, a little later
                if where["bottom"] <= height + 1: break
                page.wait_for_timeout(50)
                where = page.evaluate(WHERE)
            if where["thought"]:
                assert where["top"] >= 0 and where["bottom"] <= height + 1, where
                assert where["left"] >= -1 and where["right"] <= width + 1, where
            assert where["pieces"], where                               # no slide is blank
            pictures |= set(where["pictures"])
            if where["at"] not in seen: seen.append(where["at"])
            page.keyboard.press("PageDown")
            page.wait_for_timeout(30)                                   # its picture is drawn a frame later
        assert seen == stops
        assert len(pictures) == 17                                      # each picture is on a slide
        assert seen[-1] == "12.question"
        for _ in range(3): page.keyboard.press("PageUp")
        assert page.evaluate(WHERE)["at"] != seen[-1]
        before = page.evaluate(WHERE)
        page.click(".stepper [data-do=back]")                           # and, for a hand, two buttons
        assert page.evaluate(WHERE) != before
        page.click(".stepper [data-do=next]")
        assert page.evaluate(WHERE) == before
        page.keyboard.press("End")
        assert page.evaluate(WHERE)["at"] == seen[-1]
        page.keyboard.press("Escape")
        assert settings(page)["lecture"] == "0" and not page.locator(".lit").count()


def test_a_lecture_is_slides(chromium):
    """One thought on the screen, no bar, no other thought; its picture beside its sentence, where there is room."""
    with opened(chromium, "#at=3.4", 1920, 1080, chosen="lecture=1&bar=1") as page:
        page.keyboard.press("Escape")
        page.keyboard.press("l")
        page.wait_for_timeout(900)
        shown = page.evaluate("[...document.querySelectorAll('[data-at]')].filter(e => e.getClientRects().length).map(e => e.dataset.at)")
        assert len(shown) == 1
        assert not page.locator("#bar").is_visible() and not page.locator("footer").is_visible()
        page.evaluate("microgpt.places.goTo(document.querySelector('[data-picture=pairs]').closest('.stop').dataset.at, false)")
        page.wait_for_timeout(500)
        words, picture = [page.locator(f".lit {part}").first.bounding_box() for part in (".words", "[data-picture=pairs]")]
        assert picture["x"] >= words["x"] + words["width"] - 1 and abs(picture["y"] - words["y"]) < 60


def shown(page, kind):
    """This picture, on its slide."""
    at = page.evaluate("kind => document.querySelector(`[data-picture=${kind}]`).closest('.stop').dataset.at", kind)
    page.evaluate("at => { location.hash = `#at=${at}`; }", at)
    picture = page.locator(f"[data-picture={kind}]")
    for _ in range(6):
        page.wait_for_timeout(200)
        if picture.is_visible(): break
        page.keyboard.press("PageDown")
    return picture


@pytest.mark.parametrize("kind, part, line", [("layer", "query", "query = linear("), ("attention", "weights", "weights = softmax(")])
def test_on_a_slide_what_is_pointed_at_shows_its_line_below(chromium, kind, part, line):
    with opened(chromium, "", 1280, 720, chosen="lecture=1") as page:
        picture = shown(page, kind)
        page.wait_for_timeout(400)
        code = page.locator(".lit .code-below")
        assert code.locator(".row >> visible=true").count() == 0
        box = picture.locator("svg.drawing").first.bounding_box()
        assert box["width"] > 500 and code.bounding_box()["y"] + code.bounding_box()["height"] <= 680
        spot = picture.locator(f"[data-part={part}]").first.bounding_box()
        page.mouse.move(spot["x"] + 5, spot["y"] + spot["height"] / 2)
        seen = code.locator(".row >> visible=true")
        assert seen.count() and seen.first.locator(".code").text_content().strip().startswith(line)
        page.keyboard.press("Home")
        page.wait_for_timeout(200)
        assert page.locator(".code-below").count() == 0
    with opened(chromium, "", 800, 720, chosen="lecture=1") as page:       # too narrow for both
        assert shown(page, kind).is_visible() and page.locator(".code-below").count() == 0


@pytest.mark.parametrize("kind", ["map", "attention", "layer", "surprise", "adam", "staircase"])
def test_keys_act_on_the_slide_that_shows_the_model(chromium, kind):
    with opened(chromium, "", 1280, 720, chosen="lecture=1") as page:
        shown(page, kind)
        before = at(page)
        for key, step in [("e", 300), ("e", 100), ("f", 300)]:
            page.keyboard.press(key)
            for _ in range(40):
                page.wait_for_timeout(50)
                if page.evaluate("microgpt.live.state.value.step") == step: break
            assert page.evaluate("microgpt.live.state.value.step") == step
        assert at(page) == before


def test_a_key_goes_to_the_screen_of_the_nearest_picture_and_back_returns(chromium):
    with opened(chromium, "#at=3.2", 1280, 720, chosen="lecture=1") as page:
        page.wait_for_timeout(300)
        page.keyboard.press("b")
        page.wait_for_timeout(300)
        assert page.locator("[data-picture=graph]").is_visible()
        page.go_back()
        page.wait_for_timeout(300)
        assert at(page).startswith("3.2 ") and page.evaluate("document.documentElement.dataset.lecture") == "1"


def test_the_next_section_of_the_last_slide_is_none(chromium):
    with opened(chromium, "", 1280, 720, chosen="lecture=1") as page:
        page.keyboard.press("End")
        page.wait_for_timeout(200)
        before = at(page)
        page.keyboard.press(".")
        page.wait_for_timeout(200)
        assert at(page) == before


def test_an_answer_is_shut_again_when_its_question_comes_up(chromium):
    with opened(chromium, "#at=7.question", 1280, 720, chosen="lecture=1") as page:
        page.wait_for_timeout(300)
        for key, answered in [("PageDown", True), ("PageUp", False), ("PageUp", False), ("PageDown", False)]:
            page.keyboard.press(key)
            page.wait_for_timeout(150)
            if at(page).startswith("7.question"):
                assert page.evaluate("document.querySelector('.lit details').open") == answered


def test_what_is_opened_on_a_slide_stays_on_it(chromium):
    """A row of the layer, opened for all tokens, and attention to a long name."""
    def type_sizes(picture):
        return picture.evaluate("e => [parseFloat(getComputedStyle(e).fontSize), e.getBoundingClientRect().bottom]")

    with opened(chromium, "", 1280, 720, chosen="lecture=1") as page:
        layer = shown(page, "layer")
        before = type_sizes(layer)
        layer.locator("svg.drawing").first.click(position={"x": 300, "y": 100})
        page.wait_for_timeout(800)
        assert layer.locator("svg.drawing").count() == 2
        after = type_sizes(layer)
        assert after[0] <= before[0] and after[1] <= 680
        attention = shown(page, "attention")
        attention.locator("input").first.fill("alexandriaabcd")
        page.wait_for_timeout(800)
        assert type_sizes(attention)[1] <= 680


def test_the_line_of_the_moment_stays_when_settings_or_the_lecture_open(chromium):
    with opened(chromium, "", 1280, 720) as page:
        for key in ("s", "l"):
            page.keyboard.press(key)
            page.wait_for_timeout(500)
            assert page.locator("[data-picture=lab] path.now-line").count() == 1, key


def test_a_link_opens_a_thought_in_lecture_mode(chromium):
    with opened(chromium, "#at=3.4", chosen="lecture=1") as page:
        page.wait_for_timeout(300)
        assert page.evaluate(WHERE)["at"] == "3.4"
        assert page.locator(".lit").get_attribute("aria-current") == "true"


def test_the_keyboard_alone_reaches_everything(chromium):
    with opened(chromium, chosen="bar=1") as page:
        until(page, "document.querySelectorAll('[data-picture=loss] .said tr').length === 6")     # its rows come one by one
        settle(page)
        wanted = page.evaluate("""(() => {
            const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
              .filter(e => e.getClientRects().length && !e.disabled && getComputedStyle(e).visibility !== 'hidden' && e.tabIndex >= 0);
            all.forEach((e, i) => e.dataset.reach = i);
            return all.map(e => [e.dataset.reach, e.outerHTML.slice(0, 90)]);
        })()""")
        reached = set()
        for _ in range(len(wanted) + 40):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.dataset.reach"))
        assert not [html for reach, html in wanted if reach not in reached]

"""The page on every screen and on paper: nothing is cut or scrolls sideways, no serious finding, at most 14 pages."""
import pathlib
import re
import shutil
import subprocess

import pytest

from page import LINES, comments, missing, opened, settle

pytestmark = pytest.mark.slow
SCREENS = {"small": (320, 640, 16), "phone": (390, 844, 16), "turned": (844, 390, 16), "projector": (1280, 720, 28),
           "screen": (1920, 1080, 18), "zoomed": (640, 360, 18)}     # zoomed: 1280 x 720 at 200 %


@pytest.mark.parametrize("size", SCREENS)
@pytest.mark.parametrize("extra", ["", "talk=paragraphs", "numbers=0", "pictures=0", "code=0", "lecture=1", "bar=1"])
def test_it_never_scrolls_sideways(chromium, size, extra):
    width, height, points = SCREENS[size]
    with opened(chromium, "#at=5.6", width, height, chosen=f"size={points}&{extra}") as page:
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        hidden = page.evaluate("""width => [...document.querySelectorAll('.code, .talk, .notes, .paragraph, h2, .question, svg.drawing, .controls')]
            .filter(e => e.getClientRects().length && (e.getBoundingClientRect().right > width + 1 || (e.scrollWidth > e.clientWidth + 1 && !e.closest("svg"))))
            .map(e => e.textContent.slice(0, 40))""", width)
        assert not hidden


def test_the_largest_type_on_a_phone(chromium):
    with opened(chromium, "", 390, 844, chosen="size=40") as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_wrapped_code_has_a_hanging_indent(chromium):
    with opened(chromium, "", 390, 844, chosen="talk=none&numbers=0") as page:
        line = next(i for i, text in enumerate(LINES, start=1) if text.startswith('print(f"gradients of a * b + a'))
        first, second = page.evaluate("""line => { const range = document.createRange();
            range.selectNodeContents(document.querySelector(`#L${line} .code`));
            const boxes = [...range.getClientRects()]; const top = boxes[0].top;
            return [boxes[0].left, Math.min(...boxes.filter(b => b.top > top + 5).map(b => b.left))]; }""", line)
        assert second > first + 5


def test_the_first_screen_holds_the_laboratory(chromium):
    """At 1280 x 720: what it is, a name to type, the odds, speaking, training, and the curve of the loss."""
    with opened(chromium, "", 1280, 720) as page:
        settle(page)
        for part in ("h1", ".lead", "[data-picture=lab] input[type=text]", ".speak", "[data-picture=lab] .train",
                     "[data-picture=lab] svg >> nth=0", "[data-picture=lab] svg >> nth=1"):
            box = page.locator(part).first.bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= 720, part


@pytest.mark.parametrize("mode", ["lecture=0", "lecture=1"])
def test_reduced_motion_is_respected(chromium, mode):
    with opened(chromium, "", chosen=mode, reduced_motion="reduce") as page:
        moving = page.evaluate("""[...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e);
            return s.animationName !== 'none' || parseFloat(s.transitionDuration) > 0.01 || s.scrollBehavior === 'smooth'; })
            .map(e => e.tagName + '.' + e.getAttribute('class'))""")
        assert not moving


VIEWS = [("screen", "theme=light", ""), ("screen", "theme=dark", ""), ("projector", "theme=light&lecture=1", "#at=5.6"),
         ("projector", "theme=dark&lecture=1", "#at=0.lab"), ("phone", "theme=light", ""), ("turned", "theme=dark&bar=1", ""),
         ("phone", "theme=dark&lecture=1", "#at=9.runs"), ("screen", "theme=light&bar=1", "open"), ("screen", "theme=light", "help")]


@pytest.mark.parametrize("size, chosen, what", VIEWS)
def test_axe_core_finds_nothing_serious(chromium, size, chosen, what):
    """Four sizes, light and dark, in lecture mode, with every fold and panel open."""
    try:
        import axe_playwright_python
    except ImportError:
        missing("axe-playwright-python is not installed")
    axe = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
    width, height, points = SCREENS[size]
    with opened(chromium, what if what.startswith("#") else "", width, height, chosen=f"size={points}&{chosen}") as page:
        if what == "help": page.keyboard.press("?")
        if what == "open":
            page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
            page.locator("[data-picture=layer] svg").first.focus()
            page.keyboard.press("ArrowDown")
            page.keyboard.press("Enter")
        settle(page, 900)                                               # every picture is drawn
        page.evaluate(axe + "; 0")
        found = page.evaluate("axe.run().then(result => result.violations.filter(v => ['serious', 'critical'].includes(v.impact))"
                              ".map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 160), v.nodes[0].failureSummary]))")
        assert not found


# ---- Print ----

@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("chosen", ["", "theme=dark&size=40&talk=none&code=0&lecture=1"])
def test_in_print_it_is_a_handout(chromium, tmp_path, paper, chosen):
    """Code and talk, whatever is set on the screen: at most 14 pages, every line whole, no heading at a page's foot."""
    said, code = comments()
    with opened(chromium, chosen=chosen) as page:
        page.emulate_media(media="print")
        assert page.evaluate("[...document.querySelectorAll('.code, .talk, .paragraph')].every(e => e.getClientRects().length)")
        assert not page.evaluate("[...document.querySelectorAll('.numbers, #bar, [data-picture]')].some(e => e.getClientRects().length)")
        colours = page.evaluate("[...new Set([...document.querySelectorAll('main *')].map(e => getComputedStyle(e).color))]")
        assert colours == ["rgb(0, 0, 0)"]
        page.pdf(path=tmp_path / "page.pdf", format=paper)
    if not shutil.which("pdftotext"): missing("pdftotext (poppler-utils) is not installed")
    text = subprocess.run(["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True).stdout
    pages = text.rstrip("\f").split("\f")
    assert len(pages) <= 14
    titles = [words[3:].rstrip("- ") for words in said.values() if words.startswith("%% ")]
    for sheet in pages:
        lines = [line.strip() for line in sheet.split("\n") if line.strip()]
        assert lines[-1].isdigit()                                      # the page's number
        assert lines[-2] not in titles
    packed = re.sub(r"\s", "", text)
    for line, whole in code.items():
        if len(whole) < 60 and line not in said:
            assert f"{line}{re.sub(r'[ ]', '', whole)}" in packed, whole

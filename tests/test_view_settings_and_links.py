"""The settings are the reader's and are remembered; a link carries content, lands in sight, and goes into the history."""
import pytest

from page import LINES, PAGE, SIZES, opened, settings, until

pytestmark = pytest.mark.slow

SETTINGS = [  # the key, its control, the setting, its values from press to press
    ("c", "[name=code]", "code", ["0", "1"]),
    ("t", "[name=talk-column]", "talk", ["none", "all"]),
    ("n", "[name=numbers]", "numbers", ["0", "1"]),
    ("p", "[name=pictures]", "pictures", ["0", "1"]),
    ("r", "[name=lines]", "lines", ["0", "1"]),
    ("k", "[name=talk]", "talk", ["paragraphs", "none", "all"]),
    ("d", "[name=theme]", "theme", ["light", "dark", "system"]),
    ("+", None, "size", ["19", "20"]),
    ("-", None, "size", ["17", "16"]),
    ("s", None, "bar", ["1", "0"]),
    ("l", "[name=lecture]", "lecture", ["1"]),
]


@pytest.mark.parametrize("key, control, setting, values", SETTINGS)
def test_every_setting_by_key_and_by_click(chromium, key, control, setting, values):
    with opened(chromium) as page:
        for value in values:
            page.keyboard.press(key)
            assert settings(page)[setting] == value
            assert setting not in page.url
    if control is None: return
    with opened(chromium, chosen="bar=1") as page:
        for value in values:
            if page.locator(f"#bar {control}").evaluate("e => e.tagName") == "SELECT": page.select_option(f"#bar {control}", value)
            else: page.click(f"#bar {control}")
            assert settings(page)[setting] == value


def test_settings_do_what_they_say(chromium):
    row = f"#L{next(i for i, line in enumerate(LINES, start=1) if 'keys.append(' in line)}"

    def seen(page, part):
        return page.locator(f"{row} {part}").is_visible()

    with opened(chromium, chosen="bar=1") as page:
        for key, what in ("c", ".code"), ("t", ".talk"), ("n", ".numbers"), ("r", ".no"):
            page.keyboard.press(key)
            assert not seen(page, what)
            page.keyboard.press(key)
            assert seen(page, what)
        page.keyboard.press("k")
        assert not seen(page, ".talk") and page.locator(".paragraph").first.is_visible()
        page.keyboard.press("k")
        assert not page.locator(".paragraph").first.is_visible() and seen(page, ".code")
        page.fill("[name=size]", "31")
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "31px"
        page.keyboard.press("d")
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.keyboard.press("d")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    with opened(chromium, color_scheme="dark") as page:
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.emulate_media(color_scheme="light")
        until(page, "document.documentElement.dataset.theme === 'light'")


def test_a_visit_is_remembered_and_odd_memories_are_harmless(chromium):
    with opened(chromium) as page:
        page.keyboard.press("n")
        page.keyboard.press("+")
        page.reload()
        assert settings(page)["numbers"] == "0" and settings(page)["size"] == "19"
    with opened(chromium, chosen="size=99&talk=shout&nonsense=1&theme=") as page:
        assert settings(page)["size"] == "18" and settings(page)["talk"] == "all"


def test_it_works_where_nothing_can_be_remembered(chromium):
    with opened(chromium) as page:
        page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }});")
        page.reload()
        page.keyboard.press("n")
        assert settings(page)["numbers"] == "0"


def test_a_link_leaves_the_type_size_and_theme_of_its_reader_alone(chromium):
    with opened(chromium, "#size=33&theme=dark&columns=3&at=5", chosen="size=15&theme=light") as page:
        assert settings(page)["size"] == "15" and settings(page)["theme"] == "light"
        until(page, "document.querySelector('#section-5 h2').getBoundingClientRect().top < 40")


def in_sight(page, selector):
    """Is its top below what is fixed at the top of the screen, and above the foot?"""
    return page.evaluate("""selector => {
        const element = document.querySelector(selector), box = element.getBoundingClientRect();
        const title = element.closest('.section')?.querySelector('h2');
        const covered = title && !title.contains(element) && !element.matches('.section') ? title.getBoundingClientRect().bottom : 0;
        return box.top >= Math.max(covered, 0) - 1 && box.top < innerHeight - 20;
    }""", selector)


CODE = [i for i, line in enumerate(LINES, start=1) if line and not line.startswith("#")]     # rows of the page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("bar", ["0", "1"])
def test_links_to_lines_sections_and_thoughts_land_in_sight(chromium, size, bar):
    width, height, points = SIZES[size]
    for fragment, selector in ((f"#L{CODE[120]}", f"#L{CODE[120]}"), ("#section-7", "#section-7"), ("#at=10", "#section-10"), ("#at=9.loss", None),
                               ("#at=5.4", "[data-at='5.4']"), ("#at=9.runs", "[data-at='9.runs']"), (f"#at=L{CODE[-60]}", f"#L{CODE[-60]}")):
        with opened(chromium, fragment, width, height, chosen=f"size={points}&bar={bar}") as page:
            page.wait_for_timeout(250)
            if selector: assert in_sight(page, selector), fragment


def test_links_in_the_page_go_into_the_history(chromium):
    with opened(chromium, "", 1280, 720) as page:
        page.click(".title nav a >> nth=4")
        page.wait_for_timeout(100)
        assert page.url.endswith("#at=5") and in_sight(page, "#section-5")
        page.keyboard.press(".")
        assert page.url.endswith("#at=6")
        page.go_back()
        page.wait_for_timeout(400)
        assert page.url.endswith("#at=5") and in_sight(page, "#section-5")


def test_a_link_carries_the_name_and_the_moment(chromium):
    with opened(chromium, "#at=10&name=otto&step=40") as page:
        until(page, "microgpt.live.state.value.step === 40")
        assert page.evaluate("microgpt.live.name.value") == "otto"
        page.keyboard.press(",")
        assert set(page.url.split("#")[1].split("&")) == {"at=9", "name=otto", "step=40"}
        link = page.url
        other = page.context.new_page()
        other.goto(link)
        until(other, "microgpt.live.state.value.step === 40")
        assert other.evaluate("microgpt.live.name.value") == "otto"


def test_sections_by_keys_and_by_choice(chromium):
    for lecture in "0", "1":
        with opened(chromium, chosen=f"lecture={lecture}") as page:
            page.wait_for_timeout(300)
            for number in range(1, 13):
                page.keyboard.press(".")
                until(page, f"/^#at={number}([.&]|$)/.test(location.hash)")
                assert page.locator(f"#section-{number} h2").is_visible()
            page.keyboard.press(",")
            assert page.locator("#section-11 h2").is_visible()
    with opened(chromium, chosen="bar=1") as page:
        page.select_option("#section-choice", "4")
        assert in_sight(page, "#section-4")


def test_it_is_opened_from_disk_and_asks_for_nothing(chromium):
    with opened(chromium) as page:
        assert page.url == PAGE.as_uri()
        until(page, "microgpt.live.marks.value.get(100)")              # the worker has answered

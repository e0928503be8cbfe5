"""The built page: it shows microgpt.py line for line, its numbers are a run's, and it can be used everywhere."""
import ast
import io
import pathlib
import re
import shutil
import subprocess
import sys
import tokenize

import pytest

from conftest import SCRIPT
from page import PAGE, ROOT, SIZES, builder, missing, opened, until

pytestmark = pytest.mark.slow

SOURCE = SCRIPT.read_text("utf-8")
LINES = SOURCE.split("\n")


def line_of(start, within=""):
    """The number of the first line of the lecture that begins so; of the first after a line that begins so."""
    after = line_of(within) if within else 0
    return next(number for number, text in enumerate(LINES, start=1) if number > after and text.strip().startswith(start))


def comments():
    """{line: comment}, and {line: the code before it}."""
    found, code = {}, dict(enumerate(LINES, start=1))
    for token in tokenize.generate_tokens(io.StringIO(SOURCE).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            found[line] = token.string[1:].strip()
            code[line] = LINES[line - 1][:column].rstrip()
    return found, {line: text for line, text in code.items() if text.strip()}


def bare(text):
    """Without the marks of `code` and *stress*, which the page shows as type, and with single spaces."""
    return " ".join(re.sub(r"[`*]", "", text).split())


# ---- Without a browser ----

def test_the_page_is_made_from_these_sources():
    """Fails when any source was changed after the build: then run docs/build.py again."""
    assert f'<meta name="sources" content="{builder().fingerprint()}">' in PAGE.read_text("utf-8")


def test_every_source_counts(tmp_path):
    """A change of any source changes the mark: the lecture, the names, each part of the page, a question, an answer."""
    for name in "microgpt.py", "names.txt", "README.md":
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    module = builder()
    module.ROOT, module.DOCS, module.SCRIPT = tmp_path, tmp_path / "docs", tmp_path / "microgpt.py"
    marks = {module.fingerprint()}
    sources = [tmp_path / "microgpt.py", tmp_path / "names.txt", *(module.DOCS / part for part in module.PARTS)]
    for number, path in enumerate([*sources, module.DOCS / "build.py"], start=2):
        path.write_text(path.read_text("utf-8") + "\n", "utf-8")
        marks.add(module.fingerprint())
        assert len(marks) == number, path
    readme = tmp_path / "README.md"
    question = module.questions()[1][0]
    readme.write_text(readme.read_text("utf-8").replace(question, question + "!"), "utf-8")
    assert module.fingerprint() not in marks


def test_it_is_one_small_file_that_names_no_machine():
    page = PAGE.read_bytes()
    assert len(page) <= 900_000
    assert str(ROOT).encode() not in page
    assert not re.search(rb"""(src|href)=["'](?!#|data:)""", page)
    assert not re.search(rb"@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon", page)


@pytest.mark.long
def test_the_same_sources_give_the_same_page(tmp_path):
    """A second build, in another process and perhaps under another version of Python, byte for byte."""
    try:
        import pygments  # noqa: F401
    except ImportError:
        missing("Pygments is not installed")
    code = "import build, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(build.build(), 'utf-8', newline='\\n')"
    again = tmp_path / "index.html"
    subprocess.run([sys.executable, "-c", code, str(again)], cwd=ROOT / "docs", check=True, timeout=600)
    assert again.read_bytes() == PAGE.read_bytes()


# ---- What it shows ----

def test_the_code_column_is_the_code_and_the_talk_its_comments(chromium):
    said, code = comments()
    with opened(chromium) as page:
        shown = page.evaluate("[...document.querySelectorAll('.row')].map(r => [Number(r.id.slice(1)),"
                              " Number(r.querySelector('.no').textContent), r.querySelector('.code').textContent])")
        talk = page.evaluate("[...document.querySelectorAll('main [data-talk]')].map(t => [Number(t.dataset.talk), t.textContent])")
        headings = page.evaluate("[...document.querySelectorAll('.section h2')].map(h => h.textContent)")
    assert [(line, line, text) for line, text in code.items()] == [tuple(row) for row in shown]
    heard = {}
    for line, words in talk:
        heard[line] = bare(heard.get(line, "") + " " + words)
    titles = [re.match(r"%% (.*?) -+$", words) for words in said.values()]
    assert headings == [title[1] for title in titles if title]
    assert heard == {line: bare(words) for line, words in said.items() if words and not words.startswith("%% ")}


def blocks():
    """The comments that stand on lines of their own, as [[line, ...], ...]: a block ends at an empty comment, where
    indented lines begin or end, at a line of code, and at a blank line."""
    found, before = [], None
    for line, text in enumerate(LINES, start=1):
        text = text.strip()
        kind = None if not text.startswith("#") or text == "#" or text.startswith("# %%") else text.startswith("#   ")
        if kind is not None:
            if kind != before: found.append([])
            found[-1].append(line)
        before = kind
    return found


def test_paragraphs_are_those_of_the_comments(chromium):
    with opened(chromium) as page:
        shown = page.evaluate("""[...document.querySelectorAll('.paragraph')].map(p =>
            [...new Set([...p.querySelectorAll('[data-talk]')].map(t => Number(t.dataset.talk)))])""")
    assert shown == blocks()


@pytest.mark.parametrize("size", SIZES)
def test_drawings_and_derivations_keep_their_lines(chromium, size):
    """A drawing is shown letter for letter. A line of a derivation begins on a line of its own, except where it goes on
    with the line above and there is not room for both; then a formula has what is said of it beside it or below it."""
    width, height, points = SIZES[size]
    indented = [block for block in blocks() if LINES[block[0] - 1].strip().startswith("#   ")]
    with opened(chromium, f"#size={points}", width, height) as page:
        drawn = page.evaluate("[...document.querySelectorAll('pre')].map(p => p.innerText.split('\\n'))")
        places = page.evaluate("""Object.fromEntries([...document.querySelectorAll('.derivation [data-talk]')].reverse().map(t =>
            [t.dataset.talk, [t.getClientRects()[0].top,
             t.matches('.pair > .formula') ? t.nextElementSibling.firstElementChild.getClientRects()[0].left - t.getClientRects()[0].left : 0]]))""")
    drawings = [block for block in indented if any("--" in LINES[line - 1] for line in block)]
    assert len(drawings) == len(drawn) >= 2
    for block, lines in zip(drawings, drawn):
        words = [LINES[line - 1].strip()[1:].rstrip() for line in block]
        least = min(len(line) - len(line.lstrip()) for line in words)
        assert [line.rstrip() for line in lines] == [line[least:] for line in words]
    derivations = [block for block in indented if block not in drawings]
    assert len(derivations) >= 4
    for block in derivations:
        tops = [places[str(line)][0] for line in block]
        assert tops == sorted(tops)
        begin = [line for line in block if re.match(r"#\s+(\S+ = |[A-Z])", LINES[line - 1])]
        for line in block[1:] if size == "screen" else begin[1:]:
            assert places[str(line)][0] > places[str(line - 1)][0] + 10, LINES[line - 1]
        told = [line for line in block if re.match(r"#\s+\S+ = .*\S   +\S", LINES[line - 1])]
        beside = [places[str(line)][1] for line in told]                # where the words on each formula begin
        assert len(set(map(round, beside))) <= 1
        if told: assert beside[0] > 0 if size == "phone" else beside[0] > 150


def test_a_number_has_the_colour_of_its_kind(chromium, default):
    """A gradient, a loss, a time, or none of these: by the names of the lecture, and by what the names hold."""
    with opened(chromium) as page:
        notes = page.evaluate("""[...document.querySelectorAll('.note')].map(n => [Number(n.closest('.row').id.slice(1)),
            n.querySelector('.name')?.textContent ?? '', n.querySelector(':scope > :is(.tensor, .gradient, .loss, .time, .plain)')])
            .filter(n => n[2]).map(([line, name, part]) => [line, name, part.className, part.textContent])""")
    kinds = {}
    for line, name, kind, text in notes:
        kinds.setdefault(name, set()).add(kind)
        if kind != "plain" and re.fullmatch(r"d([a-z]|[a-z]\d|w[a-z]|n_[a-z]|[a-z]{4,})", name): assert kind == "gradient", name
        assert (text == "–") <= (kind == "time")
    for name in ("self.grad", "child.grad", "param.grad", "local_grad", "gradients", "explicit_gradients", "measured", "dy", "dx",
                 "dx1", "dn1", "dn", "dn_v", "dn_k", "dn_q", "dwq", "dwk", "dwv", "dwo", "dwu", "dwd", "dhidden", "dmatch",
                 "dlogits", "dscore", "dheard", "dq", "dk", "dv", "da", "backs", 'dw["lm_head"]', 'dw["position"][t]'):
        assert kinds[name] - {"plain"} == {"gradient"}, name           # plain: still an empty list
    for name in "loss", "losses", "surprises", "above", "below", "explicit_loss", "explicit_losses":
        assert kinds[name] - {"plain"} == {"loss"}, name
    for name in "began", "seconds", "explicit_seconds":
        assert kinds[name] == {"time"}, name
    for name in ("self.data", "child", "x", "y", "w", "n", "q", "k", "v", "a", "numbers", "params", "untrained", "trained", "first",
                 "second", "rate", "weights", "scores", "hidden", "logits", "probs", "perplexity", "param.data", "largest"):
        assert kinds[name] - {"plain"} == {"tensor"}, name

    def returned(function):
        start = line_of(f"def {function}(")
        line = next(line for line in range(start, start + 60) if re.match(r"\s+return |.*: return ", LINES[line - 1]))
        return [kind for at, name, kind, text in notes if at == line and name in ("→", "")]
    for function in "linear_back", "relu_back", "rmsnorm_back", "softmax_back", "attention_back":
        assert set(returned(function)) == {"gradient"}, function
    assert returned("loss_of") == ["loss"]
    assert returned("autograd") == returned("explicit") == ["loss", "gradient"]
    assert [kind for at, _, kind, _ in notes if at == line_of("return numbers, losses, ")] == ["tensor", "loss", "time"]
    names = set(re.findall(r"\w+", SOURCE))                            # the table names nothing that is gone
    assert not [name for name in builder().KIND_OF if name.split(".")[-1] not in names]
    assert all(callable(getattr(default, name)) for name in builder().RETURNS)


def test_a_gradient_is_that_of_a_loss_that_was_taken_back(chromium):
    """The first forward pass of the lecture has no backward pass; the gradients shown are those of the first that has."""
    with opened(chromium) as page:
        bare_values = page.evaluate("""[...document.querySelectorAll('.note')].filter(n => n.querySelector('.grad'))
            .map(n => Number(n.closest('.row').id.slice(1)))""")
    for start, within in (("return [xi + yi", "def add("), ("return [dot(x, row)", "def linear("), ("exps = ", "def softmax("),
                          ("scale = ", "def rmsnorm("), ("query = ", "def attention("), ("weights = softmax", ""),
                          ("hidden = ", "def gpt("), ("return linear(x, ", "def gpt("), ("probs = ", "def loss_of("),
                          ("surprises.append", ""), ("return sum(surprises)", ""), ("loss = loss_of", ""), ("params = ", "")):
        assert line_of(start, within) in bare_values, start
    assert line_of("probs = ", "def generate(") not in bare_values     # nobody asks for the gradients of speech


FORMS = {"": 1, ".2f": 1, ".0f": 1, "8.1f": 8, "#4.3g": 4, ">10": 10, "<10.2f": 10, "*>10.3f": 10, "+.1f": 1, "010.2f": 10, "10": 10}


@pytest.mark.parametrize("form, width", FORMS.items())
def test_a_time_is_a_dash_however_it_is_written(form, width):
    clock = builder().Clock(12.345)
    for time in clock, 1e3 * clock, clock / clock, 0.0 + clock, clock - 1, clock / 7, -clock, abs(clock), round(clock, 2), sum([clock]):
        assert format(time, form) == "–".rjust(width)
        assert f"{time}" == f"{time!r}" == str(time) == builder().number(time) == "–"


def near(shown, true):
    """These numbers, as far as the page shows them."""
    figures = [float(figure) for figure in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", shown)]
    assert figures == pytest.approx(list(true), rel=0.06, abs=6e-4)


def test_ten_lines_show_what_a_run_gives(chromium, default):
    """Shapes, values, gradients, printed lines, against the lecture itself, loaded without its training."""
    made = {}

    def keep(name):
        inner = getattr(default, name)

        def outer(*arguments):
            made.setdefault(name, []).append((arguments, inner(*arguments)))
            return made[name][-1][1]
        return inner, outer
    inner = {}
    for name in "linear", "softmax", "rmsnorm", "gpt":
        inner[name], outer = keep(name)
        setattr(default, name, outer)
    default.set_params(default.untrained)
    try:
        loss = default.loss_of(default.encode(default.docs[0]))
    finally:
        for name, function in inner.items(): setattr(default, name, function)
    loss.backward()
    query, logits, weights = made["linear"][0][1], made["gpt"][0][1], made["softmax"][0][1]

    with opened(chromium) as page:
        def note(line, name):
            text = page.evaluate("""([line, name]) => { for (const note of document.querySelectorAll(`#L${line} .note`)) {
                if ((note.querySelector('.name')?.textContent ?? '') !== name) continue;
                const part = kind => note.querySelector(kind)?.textContent ?? '';
                return [part(':scope > .shape'), part(':scope > :is(.tensor, .gradient, .loss, .plain)'), part('.grad .gradient')]; } }""",
                                 [line, name])
            assert text, (line, name)
            return text

        def matches(start, name, shape, values, grads=()):
            shown = note(line_of(start), name)
            assert shown[0] == shape
            near(shown[1], values)
            near(shown[2], grads)

        matches("params = ", "params", "[4192]", default.untrained[:3], [default.params[i].grad for i in range(3)])     # 1
        matches("loss = loss_of(", "loss", "", [loss.data], [1.0])                                                      # 2
        matches("query = linear(", "query", "[16]", [v.data for v in query[:3]], [v.grad for v in query[:3]])           # 3
        matches('return linear(x, model["lm_head"', "→", "[27]", [v.data for v in logits[:3]], [v.grad for v in logits[:3]])    # 4
        matches("weights = softmax", "weights", "[1]", [v.data for v in weights], [v.grad for v in weights])            # 5
        param = default.model["token"][default.BOS][0]
        matches('param = model["token"][BOS][0]', "param", "", [param.data], [param.grad])                              # 6
        matches("head_width = ", "head_width", "", [4])                                                                 # 7
        matches("rate = args.rate", "rate", "", [0.01])                                                                 # 8
        matches("a, b = Value", "a", "", [2], [4])                                                                      # 9
        matches("first = [beta1", "first", "[4192]", [0.15 * param.grad for param in default.params[:3]])               # 10
        tokens = note(line_of("return [BOS] + "), "→")
        assert tokens[0] == f"[{len(default.encode(default.docs[0]))}]"
        near(tokens[1], default.encode(default.docs[0])[:3])
        assert default.docs[0] in note(line_of("random.shuffle(docs)"), "docs")[1]
        printed = page.text_content(f"#L{line_of('print(f' + chr(34) + 'num params')} samp")
        assert printed.strip() == f"num params: {len(default.params)}"


def test_losses_and_names_are_a_run_s(chromium, default):
    """The data for the pictures: the untrained numbers, the order of names, shapes, the losses of the explicit engine."""
    with opened(chromium) as page:
        data = page.evaluate("JSON.parse(document.getElementById('data').textContent)")
    assert data["untrained"] == default.untrained and data["docs"].split("\n") == default.docs
    assert data["letters"] == default.letters and len(data["losses"]) == data["knobs"]["steps"] == 1000
    assert sum(rows * columns for _, rows, columns in data["shapes"]) == len(default.untrained)
    steps, default.args.steps = default.args.steps, 1000
    try:
        losses = default.train(default.explicit, 30)[1]
    finally:
        default.args.steps = steps
    assert data["losses"][:30] == pytest.approx(losses, rel=1e-9)
    assert [node["grad"] for node in data["graph"]] == [4.0, 2.0, 1.0, 1.0]
    assert [node["label"] for node in data["graph"]] == ["a", "b", "a * b", "a * b + a"]
    assert 2 < data["bigram"] < 3.3


# ---- Settings ----

def settings(page):
    return page.evaluate("View.settings()")


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
    ("2", "[name=columns][value='2']", "columns", ["2"]),
    ("3", "[name=columns][value='3']", "columns", ["3"]),
    ("l", "[name=lecture]", "lecture", ["1", "0"]),
    ("s", "[data-do=bar]", "bar", ["0", "1"]),
]


@pytest.mark.parametrize("key, control, setting, values", SETTINGS)
def test_every_setting_by_key_and_by_click(chromium, key, control, setting, values):
    with opened(chromium) as page:
        for value in values:
            page.keyboard.press(key)
            assert settings(page)[setting] == value
            assert f"{setting}={value}" in page.url.split("#")[1].split("&")
    if control is None: return
    with opened(chromium) as page:
        for value in values:
            if setting == "bar" and value == "1": page.click("#show-bar")
            elif page.locator(f"#bar {control}").evaluate("e => e.tagName") == "SELECT": page.select_option(f"#bar {control}", value)
            else: page.click(f"#bar {control}")
            assert settings(page)[setting] == value
            assert f"{setting}={value}" in page.url.split("#")[1].split("&")


def test_settings_do_what_they_say(chromium):
    row = f"#L{line_of('keys.append(')}"

    def seen(page, what):
        return page.locator(f"{row} {what}").first.is_visible()
    with opened(chromium) as page:
        assert all(seen(page, what) for what in (".no", ".code", ".talk", ".numbers"))
        for key, what in ("c", ".code"), ("t", ".talk"), ("n", ".numbers"), ("r", ".no"):
            page.keyboard.press(key)
            assert not seen(page, what)
            page.keyboard.press(key)
        page.keyboard.press("k")
        assert not seen(page, ".talk") and page.locator(".paragraph").first.is_visible()
        page.keyboard.press("k")
        assert not page.locator(".paragraph").first.is_visible() and seen(page, ".code")
        page.keyboard.press("2")
        assert page.evaluate("getComputedStyle(document.querySelector('main')).columnCount") == "2"
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


def test_the_fragment_reproduces_the_view_and_a_visit_is_remembered(chromium):
    wanted = dict(code="1", talk="paragraphs", numbers="0", pictures="0", lines="0", size="23", theme="dark",
                  columns="2", bar="0", lecture="0", at="5")
    fragment = "&".join(f"{key}={value}" for key, value in wanted.items())
    with opened(chromium, "#" + fragment) as page:
        assert settings(page) == wanted
        assert page.url.split("#")[1] == fragment
        link = page.url
        page.evaluate("location.hash = 'size=33&numbers=1'")
        until(page, "View.settings().size === '33'")
        assert settings(page)["numbers"] == "1" and settings(page)["talk"] == "all"
        other = page.context.new_page()
        other.goto(link)
        assert settings(other) == wanted
        third = page.context.new_page()                                 # no fragment: as it was last
        third.goto(PAGE.as_uri())
        assert {**settings(third), "at": ""} == {**wanted, "at": ""}
        third.goto("about:blank")
        third.goto(PAGE.as_uri() + "#section-7")                        # a plain link to a section
        until(third, "View.settings().at === '7'")
    with opened(chromium, "#size=99&talk=shout&nonsense=1&theme=") as page:
        assert settings(page)["size"] == "18" and settings(page)["talk"] == "all"


def test_it_works_where_nothing_can_be_remembered(chromium):
    with opened(chromium) as page:
        page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }});")
        page.reload()
        page.keyboard.press("n")
        assert settings(page)["numbers"] == "0"


def test_question_mark_lists_every_key(chromium):
    with opened(chromium) as page:
        page.keyboard.press("?")
        listed = page.evaluate("[...document.querySelectorAll('#keys kbd')].map(k => k.textContent)")
        assert set("?sctnkpr+0d123.,al") <= set(listed) and "Home" in listed
        assert page.evaluate("[...document.querySelectorAll('#keys dd')].every(d => d.textContent.length > 3)")
        page.keyboard.press("Escape")
        assert not page.locator("#help").is_visible()


def test_keys_leave_typing_alone(chromium):
    with opened(chromium) as page:
        field = page.locator("[data-picture] input[type=text], [data-picture] textarea").first
        field.focus()
        before = settings(page)
        page.keyboard.type("cnd")
        assert {**settings(page), "at": ""} == {**before, "at": ""}


# ---- Lecture mode ----

WHERE = """() => {
  const lit = document.querySelector('.lit'), parts = [...document.querySelectorAll('.part')];
  const boxes = (parts.length ? parts : [lit]).map(e => e.getBoundingClientRect());
  return {at: lit.dataset.at, thought: lit.classList.contains('thought'), spoken: document.getElementById('spoken').textContent,
    top: Math.min(...boxes.map(b => b.top)), bottom: Math.max(...boxes.map(b => b.bottom)),
    left: Math.min(...boxes.map(b => b.left)), right: Math.max(...boxes.map(b => b.right)), lines: parts.length};
}"""


@pytest.mark.parametrize("size", SIZES)
def test_lecture_mode_from_the_first_thought_to_the_last_by_keys_alone(chromium, size):
    width, height, type_size = SIZES[size]
    with opened(chromium, f"#size={type_size}&bar=1" if size != "phone" else "", width, height) as page:
        page.keyboard.press("l")
        page.keyboard.press("Home")
        thoughts = page.evaluate("[...document.querySelectorAll('.thought')].map(t => t.dataset.at)")
        seen, before = [], None
        for _ in range(400):
            where = page.evaluate(WHERE)
            if before == (where["at"], where["spoken"]): break          # the end
            before = where["at"], where["spoken"]
            if where["thought"]:
                assert where["top"] >= 0 and where["bottom"] <= height + 1, where
                assert where["left"] >= -1 and where["right"] <= width + 1, where
            if where["at"] not in seen: seen.append(where["at"])
            page.keyboard.press("ArrowDown")
        assert [at for at in seen if at in thoughts] == thoughts
        assert seen[-1] == "12.question"
        if size == "screen": assert not page.locator(".parted").count()
        for _ in range(3): page.keyboard.press("ArrowLeft")
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


def test_sections_by_keys_and_by_choice(chromium):
    with opened(chromium) as page:
        for lecture in "0", "1":
            if lecture == "1": page.keyboard.press("l")
            for _ in range(13): page.keyboard.press(",")
            for number in range(1, 13):
                page.keyboard.press(".")
                assert settings(page)["at"].split(".")[0] == str(number)
                assert page.locator(f"#section-{number} h2").is_visible()
            page.keyboard.press(",")
            assert settings(page)["at"].split(".")[0] == "11"
        page.select_option("#section-choice", "4")
        assert page.evaluate(WHERE)["at"] == "4.1"


def test_a_link_opens_a_thought_in_lecture_mode(chromium):
    with opened(chromium, "#lecture=1&at=3.4") as page:
        assert page.evaluate(WHERE)["at"] == "3.4"
        assert page.locator(".lit").get_attribute("aria-current") == "true"
        lit, dim = [page.evaluate(f"getComputedStyle(document.querySelector('[data-at=\"{at}\"] .code')).color") for at in ("3.4", "3.3")]
        assert lit != dim


@pytest.mark.parametrize("way", ["hover", "focus", "tap"])
def test_a_word_of_the_field_says_what_the_readme_says(chromium, way):
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Words")[2].partition("\n## ")[0]
    listed = re.findall(r"^- \*\*(.+?)\*\*: (.+(?:\n  .+)*)", readme, re.M)
    meanings = {word: f"{word}: {' '.join(says.split())}" for word, says in listed}
    with opened(chromium, width=390, height=844, has_touch=True) as page:
        found = page.locator(".word[tabindex]").evaluate_all("all => all.map(each => each.textContent)")
        first = {}
        for place, text in enumerate(found):
            first.setdefault(next(word for word in meanings if text.lower().startswith(word.lower())), place)
        assert sorted(first) == sorted(meanings)
        for word, place in first.items():
            target = page.locator(".word[tabindex]").nth(place)
            getattr(target, way)()
            assert page.locator("#says").inner_text() == meanings[word]
            page.keyboard.press("Escape")
            assert not page.locator("#says").is_visible()
            target.blur()


def test_questions_and_answers_are_the_readme_s(chromium):
    asked = builder().questions()
    assert sorted(asked) == list(range(1, 13))
    with opened(chromium) as page:
        page.keyboard.press("l")
        for number, (question, answer) in asked.items():
            page.keyboard.press(".")
            here = page.locator(f"#section-{number} .question")
            assert bare(here.locator("p").first.text_content()) == bare("Question " + question)
            if not answer:
                assert not here.locator("details").count()
                continue
            words = here.locator("details p")
            assert bare(words.text_content()) == bare(answer)
            assert not words.is_visible()
            page.keyboard.press("a")
            assert words.is_visible()
            page.keyboard.press("a")
            assert not words.is_visible()


# ---- Everywhere ----

@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("extra", ["", "&talk=paragraphs", "&numbers=0", "&columns=2", "&columns=3&pictures=0", "&code=0", "&lecture=1&at=5.5"])
def test_it_never_scrolls_sideways(chromium, size, extra):
    width, height, type_size = SIZES[size]
    with opened(chromium, f"#size={type_size}{extra}", width, height) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        hidden = page.evaluate("""width => [...document.querySelectorAll('.code, .talk, .notes, .paragraph, h2, .question')]
            .filter(e => e.getClientRects().length && (e.getBoundingClientRect().right > width + 1 || e.scrollWidth > e.clientWidth + 1))
            .map(e => e.textContent.slice(0, 40))""", width)
        assert not hidden


def test_the_largest_type_on_a_phone(chromium):
    with opened(chromium, "#size=40", 390, 844) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_wrapped_code_has_a_hanging_indent(chromium):
    with opened(chromium, "#talk=none&numbers=0", 390, 844) as page:
        line = line_of("print(f\"gradients of a * b + a")
        first, second = page.evaluate("""line => { const range = document.createRange();
            range.selectNodeContents(document.querySelector(`#L${line} .code`));
            const boxes = [...range.getClientRects()]; const top = boxes[0].top;
            return [boxes[0].left, Math.min(...boxes.filter(b => b.top > top + 5).map(b => b.left))]; }""", line)
        assert second > first + 5


def test_reduced_motion_is_respected(chromium):
    with opened(chromium, "#lecture=1", reduced_motion="reduce") as page:
        moving = page.evaluate("""[...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e);
            return s.animationName !== 'none' || parseFloat(s.transitionDuration) > 0.01 || s.scrollBehavior === 'smooth'; })
            .map(e => e.tagName + '.' + e.getAttribute('class'))""")
        assert not moving


def test_the_keyboard_alone_reaches_everything(chromium):
    with opened(chromium, "#bar=1") as page:
        wanted = page.evaluate("""(() => {
            const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
              .filter(e => e.getClientRects().length && !e.disabled && getComputedStyle(e).visibility !== 'hidden' && e.tabIndex >= 0);
            all.forEach((e, i) => e.dataset.reach = i);
            return all.filter(e => !(e.type === 'radio' && !e.checked)).map(e => [e.dataset.reach, e.outerHTML.slice(0, 90)]);
        })()""")
        reached = set()
        for _ in range(len(wanted) + 40):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.dataset.reach"))
        assert not [html for reach, html in wanted if reach not in reached]


@pytest.mark.parametrize("fragment", ["#theme=light", "#theme=dark", "#theme=light&lecture=1&at=5.5", "#theme=dark&lecture=1&at=5.5",
                                      "#size=28", "phone", "help"])
def test_axe_core_finds_nothing_serious(chromium, fragment):
    try:
        import axe_playwright_python
    except ImportError:
        missing("axe-playwright-python is not installed")
    axe = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
    width, height = (390, 844) if fragment == "phone" else (1280, 720)
    with opened(chromium, fragment if fragment.startswith("#") else "", width, height) as page:
        if fragment == "help": page.keyboard.press("?")
        page.wait_for_timeout(800)                                      # every picture is drawn, no colour is on its way
        page.evaluate(axe + "; 0")
        found = page.evaluate("axe.run().then(result => result.violations.filter(v => ['serious', 'critical'].includes(v.impact))"
                              ".map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 120), v.nodes[0].failureSummary]))")
        assert not found


# ---- Print ----

@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("fragment", ["", "#theme=dark&size=40&talk=none&code=0&columns=3&lecture=1&at=4.2"])
def test_in_print_it_is_a_handout(chromium, tmp_path, paper, fragment):
    """Code and talk, whatever is set on the screen: at most 14 pages, every line whole, no heading at a page's foot."""
    said, code = comments()
    with opened(chromium, fragment) as page:
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

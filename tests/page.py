"""What the tests of the built page share: the page in a real Chromium, offline, watched for requests and errors."""
import contextlib
import importlib.util
import io
import os
import pathlib
import shutil
import time
import tokenize

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "index.html"
SOURCE = (ROOT / "microgpt.py").read_text("utf-8")
LINES = SOURCE.split("\n")
SIZES = {"screen": (1920, 1080, 18), "projector": (1280, 720, 28), "phone": (390, 844, 16)}


def comments():
    """{line: comment}, and {line: the code before it}."""
    found, code = {}, dict(enumerate(LINES, start=1))
    for token in tokenize.generate_tokens(io.StringIO(SOURCE).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            found[line] = token.string[1:].strip()
            code[line] = LINES[line - 1][:column].rstrip()
    return found, {line: text for line, text in code.items() if text.strip()}


def builder():
    """docs/build.py as a module."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "docs" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def missing(what):
    """Skip, or fail where the tests of the page are required."""
    if os.environ.get("VIEW_REQUIRED"): pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def chromium():
    """One Chromium for all tests of the page: the system's own, nothing is downloaded."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if not path: missing("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def until(page, expression, seconds=20):
    """Wait until this expression is true in the page. (Playwright's own way needs eval, which the page forbids.)"""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        if time.monotonic() > end: pytest.fail(f"never true: {expression}")
        page.wait_for_timeout(20)


def settle(page, milliseconds=500):
    """Wait until all pictures are drawn: they take a few frames."""
    page.wait_for_timeout(milliseconds)


def settings(page):
    return page.evaluate("microgpt.settings.value")


def train(page, steps=1000, press=True):
    """Train anew, at full speed, to the end."""
    page.evaluate("steps => { microgpt.live.fast.value = true; const {plan} = microgpt.live; plan.value = {...plan.value, steps}; }", steps)
    if press: page.evaluate("microgpt.live.toggle()")
    until(page, "!microgpt.live.progress.value.running && microgpt.live.progress.value.step > 0 && !microgpt.live.run.value.recorded", 90)
    settle(page)


@contextlib.contextmanager
def opened(chromium, fragment="", width=1920, height=1080, chosen="", **options):
    """The page in a fresh, offline context; chosen: settings, such as "size=28&lecture=1". Afterwards: no request but the page itself, no error on the console."""
    context = chromium.new_context(viewport={"width": width, "height": height}, offline=True, **options)
    if chosen:                                          # settings of the reader, as if from an earlier visit
        context.add_init_script(f"try {{ localStorage.getItem('microgpt view') ?? localStorage.setItem('microgpt view', '{chosen}') }} catch {{}}")
    page = context.new_page()
    page.set_default_timeout(20_000)
    requests, errors = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(PAGE.as_uri() + fragment)
    try:
        yield page
        asked = [url for url in requests if url.split("#")[0] != PAGE.as_uri() and not url.startswith(("blob:", "data:"))]
        assert not asked and not errors, (asked, errors)
    finally:
        context.close()

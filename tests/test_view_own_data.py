"""Own data: any text in any alphabet is learned or refused with a sentence, wherever it is dropped."""
import math

import pytest

from page import opened, settle, train, until

pytestmark = pytest.mark.slow
KINDS = ["pairs", "matrices", "layer", "attention", "surprise", "tangent", "loss", "odds", "map", "staircase"]


@pytest.fixture
def page(chromium):
    with opened(chromium, "", 1280, 900) as page:
        page.evaluate("microgpt.live.fast.value = true")
        yield page


def run(page, what):
    return page.evaluate(f"microgpt.live.run.value.{what}")


def learn(page, text):
    page.fill("[data-picture=own-data] textarea", text)
    page.click("[data-picture=own-data] button.learn")
    return page.locator("[data-picture=own-data] [role=status]").text_content()


def drop(page, text, event="drop", target="[data-picture=own-data]"):
    page.evaluate("""([text, event, target]) => {
        const data = new DataTransfer(), bubbles = true, cancelable = true;
        data.setData("text/plain", text);
        const made = event === "paste" ? new ClipboardEvent("paste", {clipboardData: data, bubbles, cancelable})
                                       : new DragEvent("drop", {dataTransfer: data, bubbles, cancelable});
        document.querySelector(event === "paste" ? `${target} textarea` : target).dispatchEvent(made);
    }""", [text, event, target])
    return page.locator("[data-picture=own-data] [role=status]").text_content()


def test_it_learns_another_alphabet(page):
    names = ["анна", "мария", "ольга", "иван", "пётр", "лев"]
    assert "6 items" in learn(page, "\n".join(names))
    until(page, "!microgpt.live.progress.value.running && microgpt.live.progress.value.step === 1000", 60)
    settle(page)
    assert run(page, "letters") == sorted(set("".join(names)))
    losses = page.evaluate("microgpt.live.losses")
    assert sum(losses[-100:]) / 100 < 0.5 * losses[0]
    until(page, "microgpt.live.marks.value.get(1000)")
    assert "анна" in page.locator("[data-picture=loss] .said td").last.text_content()
    spread = page.evaluate("[...microgpt.live.run.value.untrained]")
    assert abs(sum(spread) / len(spread)) < 0.01
    assert math.sqrt(sum(x * x for x in spread) / len(spread)) == pytest.approx(0.08, abs=0.004)
    page.fill("[data-picture=lab] input[type=text]", "анна")
    settle(page)
    for kind in "odds", "attention":
        page.locator(f"[data-picture={kind}]").scroll_into_view_if_needed()
        settle(page)
        assert "анна" in page.locator(f"[data-picture={kind}] svg").first.get_attribute("aria-label")
    page.click("text=Back to the lecture's names")
    assert "".join(run(page, "letters")) == "abcdefghijklmnopqrstuvwxyz"
    assert page.evaluate("[microgpt.live.state.value.step, microgpt.live.run.value.recorded]") == [1000, True]
    train(page)
    assert max(map(abs, (a - b for a, b in zip(*page.evaluate("[microgpt.live.losses, microgpt.live.recorded.losses]"))))) <= 1e-9


def test_text_is_read_as_the_lecture_reads_it(page):
    text = "\ufeffanna\r\n  otto \u00a0\r\t\n\x1cida\x1f\n\u2003\n\u200bbo\u3000\n😀a😀\n\x85x y\x85\n\n"
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    docs = [line.strip() for line in lines if line.strip()]
    found = page.evaluate("text => microgpt.model.read(text, 1)", text)
    assert sorted(found["docs"]) == sorted(docs)
    assert found["letters"] == sorted(set("".join(docs)))


@pytest.mark.parametrize("text", ["", "\n \n\t\n", "\ufeff"])
def test_an_empty_text_gets_a_sentence_and_changes_nothing(page, text):
    before = run(page, "docs.length")
    assert "nothing to learn from" in learn(page, text)
    assert run(page, "docs.length") == before


@pytest.mark.parametrize("text, items, letters", [
    ("anna", 1, 2), ("a", 1, 1), ("ab" * 5000, 1, 2), ("😀🎉\n🎉😀", 2, 2),
    ("\n".join(chr(0x4e00 + i) + chr(0x4e01 + i) for i in range(3000)), 3000, 3001),
])
def test_small_long_and_wide_texts_are_learned_without_a_freeze(page, text, items, letters):
    drop(page, text, "paste" if len(text) > 5000 else "drop")
    assert [run(page, "docs.length"), run(page, "letters.length")] == [items, letters]
    gap = page.evaluate("""async () => {
        let gap = 0, last = performance.now();
        const begin = last;
        while (microgpt.live.progress.value.step < 300 && last - begin < 20000) {
            await new Promise(resolve => setTimeout(resolve));
            gap = Math.max(gap, performance.now() - last);
            last = performance.now();
        }
        return gap;
    }""")
    assert gap < 1000
    page.evaluate("microgpt.live.progress.value.running && microgpt.live.toggle()")
    for kind in KINDS:
        page.locator(f"[data-picture={kind}]").scroll_into_view_if_needed()
        settle(page, 150)
        assert page.locator(f"[data-picture={kind}] svg").first.is_visible(), kind
    losses = page.evaluate("microgpt.live.losses")
    assert losses and all(map(math.isfinite, losses))
    if letters < 10: assert losses[-1] < losses[0]


@pytest.mark.parametrize("text, words", [
    ("x" * 1_000_001, "takes at most 1,000,000"),
    ("\n".join(map(chr, range(0x4e00, 0x4e00 + 5001))), "takes at most 5,000"),
])
def test_too_large_a_text_gets_a_sentence(page, text, words):
    assert words in drop(page, text)
    assert run(page, "own") is None


def test_a_text_is_shown_as_text(page):
    evil = "<img src=x onerror='document.title=1'>"
    learn(page, f"{evil}\n<b>bold</b>\n&amp;")
    until(page, "!microgpt.live.progress.value.running", 60)
    page.fill("[data-picture=lab] input[type=text]", "<b>")
    settle(page)
    assert page.locator("[data-picture] :is(img, b)").count() == 0
    assert page.title() != "1"
    assert "<b>" in page.locator("[data-picture=lab] svg").first.get_attribute("aria-label")


@pytest.mark.parametrize("place", ["[data-picture=own-data]", "h1", "#section-5 .paragraph", "[data-picture=lab]"])
def test_a_file_dropped_anywhere_is_learned_and_never_opened(page, place):
    taken = page.evaluate("""place => {
        const drop = new DataTransfer();
        drop.items.add(new File(["zoë\\nnoë\\n"], "names.txt", {type: "text/plain"}));
        const target = document.querySelector(place);
        return ["dragover", "drop"].map(kind => !target.dispatchEvent(new DragEvent(kind, {dataTransfer: drop, bubbles: true, cancelable: true})));
    }""", place)
    assert taken == [True, True]                                       # the browser's own way is prevented
    until(page, "microgpt.live.run.value.own")
    assert run(page, "letters") == ["n", "o", "z", "ë"]


def test_a_file_that_is_no_text_gets_a_sentence(page):
    page.set_input_files("[data-picture=own-data] input[type=file]",
                         {"name": "x.bin", "mimeType": "application/octet-stream", "buffer": bytes([255, 254, 0, 200])})
    status = page.locator("[data-picture=own-data] [role=status]")
    until(page, "document.querySelector('[data-picture=own-data] [role=status]').textContent")
    assert "UTF-8" in status.text_content() and run(page, "own") is None
    drop(page, "one\ntwo")
    assert sorted(run(page, "docs")) == ["one", "two"]


@pytest.mark.parametrize("names, vowels", [
    ("anna\nida", "a i"), ("άννα\nείδος", "α ε ο ά ί"), ("майя\nпётр", "а я ё"), ("psst\nhm", "")])
def test_vowels_are_marked_where_there_are_some(page, names, vowels):
    learn(page, names)
    until(page, "!microgpt.live.progress.value.running", 60)
    page.locator("[data-picture=map]").scroll_into_view_if_needed()
    settle(page)
    said = page.locator("[data-picture=map] .more").text_content()
    assert sorted(said.removesuffix(".").partition(": ")[2].split()) == sorted(vowels.split())
    assert page.locator("[data-picture=map] .dot.vowel").count() == len(vowels.split())


def test_a_training_that_diverges_ends_with_a_sentence_and_another_can_begin(page):
    page.evaluate("() => { microgpt.live.plan.value = {...microgpt.live.plan.value, rate: 0.5}; }")
    learn(page, "anna\notto\nida")
    until(page, "!microgpt.live.progress.value.running && microgpt.live.progress.value.diverged")
    step, losses = page.evaluate("[microgpt.live.progress.value.step, microgpt.live.losses]")
    assert step == len(losses) < 1000 and all(map(math.isfinite, losses))
    for kind in "loss", "runs", "own-data":
        assert f"diverged after step {step}" in page.locator(f"[data-picture={kind}]").text_content()
    page.evaluate("() => { microgpt.live.plan.value = {...microgpt.live.plan.value, rate: 0.01}; microgpt.live.toggle(); }")
    until(page, "!microgpt.live.progress.value.running && microgpt.live.progress.value.step === 1000", 60)
    assert not page.evaluate("microgpt.live.progress.value.diverged")


def test_the_slide_of_own_data_tells_how_far_it_has_learned(page):
    learn(page, "anna\notto\nida")
    until(page, "!microgpt.live.progress.value.running && microgpt.live.progress.value.step === 1000", 60)
    settle(page)
    told = page.locator("[data-picture=own-data]").text_content()
    assert "It has learned for 1,000 steps of 1,000; the mean loss is " in told and "It makes up: " in told

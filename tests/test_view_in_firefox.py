"""The page in Firefox, the system's own, driven by puppeteer: it draws, computes, trains and steps as in Chromium."""
import json
import shutil
import subprocess

import pytest

from page import PAGE, ROOT, missing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found():
    """What tests/firefox.mjs has seen there."""
    firefox, node = (shutil.which("firefox-esr") or shutil.which("firefox")), shutil.which("node")
    if not firefox or not node or not (ROOT / "docs" / "node_modules" / "puppeteer-core").exists():
        missing("no Firefox, no Node, or no puppeteer on this machine")
    command = [node, str(ROOT / "tests" / "firefox.mjs"), firefox, PAGE.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_it_opens_without_an_error_or_a_request_of_its_own(found):
    assert found["errors"] == []
    assert not [url for url in found["requests"] if not url.startswith(("about:", "blob:", "data:", PAGE.as_uri()))]


def test_every_picture_is_drawn_and_no_screen_is_too_narrow(found):
    assert found["pictures"] == found["drawn"] >= 17
    assert all(seen <= int(width) for width, seen in found["widths"].items())


def test_loss_and_every_gradient_are_those_of_the_explicit_engine(found, default):
    loss, gradients = default.explicit(default.untrained, default.encode(default.docs[0]))
    assert found["engine"][0] == pytest.approx(loss, rel=1e-12)
    assert max(abs(a - b) for a, b in zip(found["engine"][1], gradients)) < 1e-12 and len(gradients) == 4192


def test_a_hundred_steps_in_the_worker_have_the_losses_of_the_lecture(found, default, monkeypatch):
    monkeypatch.setattr(default.args, "steps", 100)
    _, losses, _ = default.train(default.explicit, 100)
    assert found["losses"] == pytest.approx(losses, abs=1e-9)


def test_a_name_can_be_typed(found):
    assert found["typed"] == "alea"


def test_a_link_to_a_line_brings_it_into_sight_and_slides_step_to_and_fro(found):
    assert 0 < found["line"] < 700
    first, *rest = found["slides"]
    assert len({first, *rest[:3]}) == 4 and rest[3] == rest[1]
    assert found["lecture"] == "0"

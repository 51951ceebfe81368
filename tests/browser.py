"""Fixtures of the tests in a real browser: a running lab with a new workbook, and a page that met no error."""

import os
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tools import browser

PATIENCE = 120_000  # milliseconds: another worker trains models on the same processor


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    """The folder of the running lab's notebooks."""
    return tmp_path_factory.mktemp("lab") / "workbook"


@pytest.fixture(scope="module")
def address(workbook):
    """A running lab with a new workbook; where it is open, up to the name of a notebook."""
    if not browser.CHROMIUM:
        # A machine that is set up for testing has a browser; elsewhere it may be missing.
        reason = "there is no Chromium: install it, for example with apt-get install chromium fonts-dejavu-core"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
    with browser.open_lab(workbook) as address:
        yield address


@pytest.fixture
def page(tmp_path):
    """A page of a new browser. At the end it must not have met an error, nor asked another machine for anything."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=browser.FLAGS)
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        errors, asked = [], set()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
        page.on("websocket", lambda socket: asked.add(urlsplit(socket.url).hostname))
        yield page
        page.screenshot(path=tmp_path / "page.png")
        chromium.close()
    assert errors == []
    assert asked - {None} == {"127.0.0.1"}  # pictures within the page have no host

"""The course in a real browser, as a learner meets it: `python -m course_utils.lab`, JupyterLab, Chromium."""

import ast
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import expect, sync_playwright

from course_utils import places

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
LESSONS = sorted(places.notebooks().glob("[0-9][0-9]_*.ipynb"))
PATIENCE = 120_000  # milliseconds: another worker trains models on the same processor
READY = """async () => {
    const panel = jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    while (panel.sessionContext.session?.kernel?.connectionStatus !== 'connected')
        await new Promise(done => setTimeout(done, 100));
    await jupyterapp.restored;
}"""

TYPESET = """() => !document.querySelector('mjx-merror')
    && [...document.querySelectorAll('.jp-RenderedMarkdown')].every(text => !text.innerText.includes('$'))"""


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    return tmp_path_factory.mktemp("workbook")


@pytest.fixture(scope="module")
def address(workbook):
    """A running lab with a new workbook; where it is open, up to the name of a notebook."""
    if not CHROMIUM:
        # A machine that is set up for testing has a browser; elsewhere it may be missing.
        reason = "there is no Chromium: install it, for example with apt-get install chromium fonts-dejavu-core"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
    (workbook / ".jupyter").mkdir()
    (workbook / ".jupyter" / "jupyter_lab_config.json").write_text('{"LabApp": {"expose_app_in_browser": true}}')
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    lab = subprocess.Popen(
        [sys.executable, "-m", "course_utils.lab", "--no-browser", "--port", str(port)],
        env={**os.environ, "COURSE_WORKBOOK": str(workbook), "JUPYTER_TOKEN": "secret"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for line in lab.stdout:
            if line.startswith("The course is open at"):
                break
        yield f"http://127.0.0.1:{port}/lab/tree/{{}}?reset&token=secret"
    finally:
        lab.send_signal(signal.SIGINT)
        lab.wait(30)


@pytest.fixture
def page(tmp_path):
    """A page of a new browser. At the end it must not have met an error, nor asked another machine for anything."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        errors, asked = [], set()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
        page.on("websocket", lambda socket: asked.add(urlsplit(socket.url).hostname))
        yield page
        page.screenshot(path=tmp_path / "page.png")
        browser.close()
    assert errors == []
    assert asked - {None} == {"127.0.0.1"}  # pictures within the page have no host


def open_lesson(page, address, path):
    """Open the learner's copy of a lesson, with a kernel that is ready; returns its cells."""
    page.goto(address.format(path.name))
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")
    page.evaluate(READY)
    return page.locator(".jp-Notebook:visible .jp-Cell")


def figures(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_first_exercise_is_solved_and_counted_on_the_board(page, address):
    lesson = nbformat.read(LESSONS[0], as_version=4)
    stub, check = (i for i, cell in enumerate(lesson.cells) if cell.metadata.get("exercise") == "0.1")
    board = next(i for i, cell in enumerate(lesson.cells) if re.search(r"^board\(", cell.source, re.MULTILINE))
    name = ast.parse(lesson.cells[stub].source).body[-1].name
    cells = open_lesson(page, address, LESSONS[0])

    expect(page.locator(".jp-OutputArea img")).to_have_count(0)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    expect(page.locator(".jp-OutputArea img")).to_have_count(figures(lesson))
    expect(cells.nth(check)).to_contain_text("… 0.1 not written yet")
    expect(cells.nth(board)).to_contain_text(re.compile(r"\b0 of \d+ points"))

    cells.nth(stub).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f"{name} = lambda x_hat, x: 0.5 * (x_hat - x).square().sum((1, 2, 3))")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    expect(cells.nth(check)).to_contain_text("✓ 0.1 3 of 3 points")
    cells.nth(board).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(cells.nth(board)).to_contain_text(re.compile(r"\b3 of \d+ points"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_shows_its_figures_and_formulas(path, page, address, workbook):
    shutil.copy(path, workbook)  # with its outputs, which a learner's copy does not have
    cells = open_lesson(page, address, path)
    pictures = page.locator(".jp-OutputArea img")
    expect(pictures).to_have_count(figures(nbformat.read(path, as_version=4)))
    assert all(pictures.evaluate_all("all => all.map(one => one.complete && one.naturalWidth > 0)"))
    expect(cells.first.locator("h1")).to_contain_text(path.name[:2])
    page.wait_for_function(TYPESET)

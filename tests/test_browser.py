"""The course in a real browser, as a learner meets it: `python -m course_utils.lab`, JupyterLab, Chromium."""

import ast
import re
import shutil

import nbformat
import pytest
from playwright.sync_api import expect

from course_utils import places
from tools.browser import open_notebook

LESSONS = sorted(places.notebooks().glob("[0-9][0-9]_*.ipynb"))

TYPESET = """() => !document.querySelector('mjx-merror')
    && [...document.querySelectorAll('.jp-RenderedMarkdown')].every(text => !text.innerText.includes('$'))"""


def figures(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_first_exercise_is_solved_and_counted_on_the_board(page, address):
    lesson = nbformat.read(LESSONS[0], as_version=4)
    stub, check = (i for i, cell in enumerate(lesson.cells) if cell.metadata.get("exercise") == "0.1")
    board = next(i for i, cell in enumerate(lesson.cells) if re.search(r"^board\(", cell.source, re.MULTILINE))
    name = ast.parse(lesson.cells[stub].source).body[-1].name
    cells = open_notebook(page, address, LESSONS[0].name)

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
    cells = open_notebook(page, address, path.name)
    pictures = page.locator(".jp-OutputArea img")
    expect(pictures).to_have_count(figures(nbformat.read(path, as_version=4)))
    assert all(pictures.evaluate_all("all => all.map(one => one.complete && one.naturalWidth > 0)"))
    expect(cells.first.locator("h1")).to_contain_text(path.name[:2])
    page.wait_for_function(TYPESET)

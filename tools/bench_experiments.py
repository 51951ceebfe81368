"""How long a picture takes to follow the pointer, measured in Chromium: rows for `make bench`."""

import statistics
import tempfile
from pathlib import Path

import nbformat
from browser import CHROMIUM, FLAGS, open_lab, open_notebook, run_cells
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page, sync_playwright

MOVES = 200
SETUP = """
import torch
from course_utils import data
from course_utils.models.autoencoder import DenseAutoencoder, dense_encoder
from course_utils.models.convolutional import transposed_decoder
from course_utils.widgets import code_map

torch.manual_seed(0)
images = data.digits()
dense = DenseAutoencoder(2)
convolutional = torch.nn.Module()
convolutional.encoder, convolutional.decoder = dense_encoder(2), transposed_decoder(2)
"""
# A move is answered by the first picture that is not older: questions and pictures carry their number.
WATCH = """view => {
    const moves = view.moves = [];
    view.querySelector('.pad').addEventListener('pointermove', event => moves.push(
        {asked: Number(view.dataset.asked), at: event.timeStamp}));
    new MutationObserver(() => moves.filter(move => !move.took && move.asked <= Number(view.dataset.shown))
        .forEach(move => move.took = performance.now() - move.at)).observe(view, {attributeFilter: ['data-shown']});
}"""
DECODERS = {"dense": (20, 50), "convolutional": (33, 80)}  # milliseconds: at most for the median, for 95 of 100
# The same lab, without what the course adds to Jupyter's connection.
STOCK = ("-c", "from course_utils import connection, lab; del connection.PromptConnection.connect; lab.main()")
LABS = {"stock": STOCK, "as shipped": ("-m", "course_utils.lab")}


def experiments() -> list[tuple[str, float, None, float | None]]:
    """Name, value, no lower limit and upper limit of each row; stock rows have no limit."""
    rows = []
    for lab, start in LABS.items():
        with tempfile.TemporaryDirectory() as folder, open_lab(Path(folder) / "workbook", start) as address:
            for decoder, took in drags(address, Path(folder) / "workbook").items():
                limits = DECODERS[decoder] if lab == "as shipped" else (None, None)
                name = f"pointer to picture, {decoder}, {lab}, ms"
                rows.append((f"{name}: median", statistics.median(took), None, limits[0]))
                rows.append((f"{name}: 95 of 100", statistics.quantiles(took, n=20)[-1], None, limits[1]))
    return rows


def drags(address: str, workbook: Path) -> dict[str, list[float]]:
    """Milliseconds from each move of a drag to its picture, for each decoder."""
    maps = [f"code_map({name}, images.x_test, images.y_test)" for name in DECODERS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [new_code_cell(source) for source in (SETUP, *maps)]
    nbformat.write(new_notebook(cells=cells, metadata=kernel), workbook / "bench.ipynb")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        open_notebook(page, address, "bench.ipynb")
        run_cells(page, range(len(cells)))
        took = {name: drag(page, i) for i, name in enumerate(DECODERS)}
        chromium.close()
    return took


def drag(page: Page, index: int) -> list[float]:
    """Drag over one map in a zigzag, a move about every 30 ms, and wait until the last one is answered."""
    view = page.locator(".course-experiment").nth(index)
    view.locator("xpath=self::*[@data-shown]").wait_for()
    view.scroll_into_view_if_needed()
    box = view.locator(".pad").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    view.evaluate(WATCH)
    for i in range(MOVES):
        x, y = abs(i % 40 - 20) / 20, i / MOVES
        page.mouse.move(box["x"] + 5 + x * (box["width"] - 10), box["y"] + 5 + y * (box["height"] - 10))
        page.wait_for_timeout(30)
    page.mouse.up()
    page.wait_for_timeout(1000)
    took = view.evaluate("view => view.moves.map(move => move.took)")
    if None in took:
        raise RuntimeError(f"{took.count(None)} of {len(took)} moves were never answered")
    return took

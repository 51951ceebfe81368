"""A lab with a workbook of its own, and Chromium to meet it with: for the tests in a browser and for `make bench`."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page

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
READY = """async () => {
    const panel = jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    while (panel.sessionContext.session?.kernel?.connectionStatus !== 'connected')
        await new Promise(done => setTimeout(done, 100));
    await jupyterapp.restored;
}"""
RUN_CELL = """async (index) => {
    jupyterapp.shell.currentWidget.content.activeCellIndex = index;
    await jupyterapp.commands.execute('notebook:run-cell');
}"""


@contextmanager
def open_lab(workbook: Path, start: tuple[str, str] = ("-m", "course_utils.lab")) -> Iterator[str]:
    """A running lab with a new workbook; gives where it is open, up to the name of a notebook."""
    (workbook / ".jupyter").mkdir(parents=True)
    (workbook / ".jupyter" / "jupyter_lab_config.json").write_text('{"LabApp": {"expose_app_in_browser": true}}')
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    lab = subprocess.Popen(
        [sys.executable, *start, "--no-browser", "--port", str(port)],
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


def open_notebook(page: Page, address: str, name: str) -> Locator:
    """Open a notebook of the workbook, with a kernel that is ready; returns its cells."""
    page.goto(address.format(name))
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")
    page.evaluate(READY)
    return page.locator(".jp-Notebook:visible .jp-Cell")


def run_cells(page: Page, indices: list[int]) -> None:
    """Run these cells of the open notebook, one after the other, and wait for each."""
    for index in indices:
        page.evaluate(RUN_CELL, index)

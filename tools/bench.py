"""Measure what the course promises about speed and memory, as one table and as bench.json: `make bench`.

Compared loops take turns, and a ratio is the median over the turns: another load on the machine meets both alike.
"""

import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import nbformat
import torch
from bench_experiments import experiments
from bench_gan import bench_gan
from bench_grading import bench_grading
from bench_vae import bench_vae
from nbformat.v4 import new_code_cell
from run_lessons import lessons, run
from torch import nn
from torch.utils.data import DataLoader
from usual_loader import usual_loader

from course_utils import data, losses, places, train
from course_utils.models.vae import DenseVAE

BATCHES, TURNS = (128, 256, 512), 7  # most lessons train with batches of 128
LONGER = {"08": 90, "10": 90, "13": 180, "14": 90, "16": 90, "17": 90}  # seconds to run all; the others get 60
IMPORTS = (
    "from course_utils import data, losses, metrics, plots, train, lesson, exercises; import course_utils.models.vae"
)


def loss(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    x_logits, mu, logvar = model(x)
    return losses.bernoulli_nll(x_logits, x) + losses.gaussian_kl(mu, logvar)


def usual_loop(model: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer) -> None:
    """One epoch of the loop that most tutorials show."""
    for x, _ in loader:
        optimizer.zero_grad()
        value = loss(model, x).mean()
        value.backward()
        value.item()
        optimizer.step()


def matrix_products(model: nn.Module, n: int, batch_size: int) -> None:
    """The matrix products of one epoch, forward and backward, and nothing else."""
    weights = [layer.weight.detach() for layer in model.modules() if isinstance(layer, nn.Linear)]
    for size in [batch_size] * (n // batch_size) + [n % batch_size]:
        for k, weight in enumerate(weights):
            before, after = torch.ones(size, weight.shape[1]), torch.ones(size, weight.shape[0])
            before @ weight.T
            after.T @ before
            if k > 0:  # nobody asks for the gradient of the images
                after @ weight


def seconds(function, *arguments, **named) -> float:
    start = time.perf_counter()
    function(*arguments, **named)
    return time.perf_counter() - start


def loops(batch_size: int) -> list[dict]:
    images = data.digits()
    x, loader = images.x_train, usual_loader(images.x_train, images.y_train, batch_size)
    ours, theirs = DenseVAE(), DenseVAE()
    optimizer = torch.optim.Adam(theirs.parameters(), lr=1e-3)
    turns = []
    for _ in range(TURNS + 1):
        fit = seconds(train.fit, ours, x, loss, epochs=1, batch_size=batch_size)
        usual = seconds(usual_loop, theirs, loader, optimizer)
        turns.append((fit, usual, seconds(matrix_products, ours, len(x), batch_size)))
    turns = turns[1:]  # the first one warms up
    ratio = statistics.median(usual / fit for fit, usual, _ in turns)
    overhead = statistics.median(fit / products for fit, _, products in turns)
    rate = len(x) / statistics.median(fit for fit, _, _ in turns)
    return [
        row(f"dense VAE in batches of {batch_size}, images a second", rate),
        row("the same, times the usual per-image loop", ratio, at_least=3),
        row("our loop / its matrix products alone", overhead, at_most=1.6),
    ]


def lesson(path) -> list[dict]:
    """Time and peak memory of a lesson's kernel."""
    notebook = nbformat.read(path, as_version=4)
    peak = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    notebook.cells.append(new_code_cell(peak))
    taken = seconds(run, notebook)
    unit = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kilobytes here
    memory = int(notebook.cells[-1].outputs[0].text) / unit
    return [
        row(f"{path.stem}: run all, s", taken, at_most=LONGER.get(path.stem[:2], 60)),
        row(f"{path.stem}: peak memory, GB", memory, at_most=1.5),
    ]


def imports() -> list[dict]:
    """What a lesson imports, in a fresh process; torch and matplotlib alone beside it."""
    taken = {}
    for name, statement in {"course": IMPORTS, "torch": "import torch, matplotlib.pyplot"}.items():
        runs = [seconds(subprocess.run, [sys.executable, "-c", statement], check=True) for _ in range(5)]
        taken[name] = statistics.median(runs)
    return [
        row("import of what a lesson uses, s", taken["course"]),
        row("the same / torch and matplotlib alone", taken["course"] / taken["torch"]),
    ]


def lab() -> list[dict]:
    return [row("from `make lab` to a page that answers, s", statistics.median(opened() for _ in range(3)), at_most=8)]


def opened() -> float:
    """Seconds until the first page of a lab with a new workbook answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with tempfile.TemporaryDirectory() as workbook:
        env = {**os.environ, "COURSE_WORKBOOK": workbook, "JUPYTER_TOKEN": "secret"}
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "course_utils.lab", "--no-browser", "--port", str(port)],
            env=env,
            stdout=subprocess.DEVNULL,
        )
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/lab?token=secret").read()
                    return time.perf_counter() - start
                except OSError:
                    time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def row(what: str, value: float, at_least: float | None = None, at_most: float | None = None) -> dict:
    limit = f"≥ {at_least:g}" if at_least else f"≤ {at_most:g}" if at_most else ""
    holds = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    print(f"{what:<48} {value:>9,.4g}   {limit:<6} {'' if holds else 'does not hold'}".rstrip(), flush=True)
    return {"what": what, "value": value, "limit": limit, "holds": holds}


def machine() -> str:
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), model)
    return (
        f"{platform.system()}, {model}, {os.cpu_count()} cores, {torch.get_num_threads()} torch threads, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )


if __name__ == "__main__":
    print(machine())
    rows = [one for batch_size in BATCHES for one in loops(batch_size)] + imports() + lab()
    rows += [row(*one) for one in [*experiments(), *bench_vae(), *bench_gan(), *bench_grading()]]
    for path in lessons([]):
        rows += lesson(path)
    (places.ROOT / "bench.json").write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1))
    sys.exit(not all(one["holds"] for one in rows))

"""What every notebook opens with: one seed, one style, and claims that are measured against their bands."""

import json
import math
import os
from importlib import metadata

import torch
from torch import Tensor

from course_utils import plots

_state = {"lesson": "", "dataset": "digits", "seed": 0}


def start(lesson: str, dataset: str = "digits", seed: int = 0) -> None:
    """Open a lesson: seed torch, set the figures' style, use a GPU if there is one.

    COURSE_SEED replaces the seed and COURSE_THREADS the number of threads: `make claims` sets them.
    Claims are made for the data set `digits`; on another one `measured` says so.
    """
    seed = int(os.environ.get("COURSE_SEED", seed))
    _state.update(lesson=lesson, dataset=dataset, seed=seed)
    if threads := os.environ.get("COURSE_THREADS"):
        torch.set_num_threads(int(threads))
    if torch.cuda.is_available():
        torch.set_default_device("cuda")
    elif torch.backends.mps.is_available():
        torch.set_default_device("mps")
    torch.manual_seed(seed)
    plots.use_style()


def check_environment() -> None:
    """Print one line: the installed packages are those that the course pins, or which ones differ."""
    pins = [requirement.split("==") for requirement in metadata.requires("course-utils") if ";" not in requirement]
    differ = [f"{name} {version} (found {found})" for name, version in pins if (found := _installed(name)) != version]
    if differ:
        print("These packages differ from what the course was made with: " + ", ".join(differ))
    else:
        print(f"Ready: all {len(pins)} packages are the ones that the course was made with.")


def _installed(name: str) -> str:
    try:
        return metadata.version(name).split("+")[0]
    except metadata.PackageNotFoundError:
        return "none"


def seed() -> int:
    """The lesson's seed, for what takes one of its own: data, training."""
    return _state["seed"]


def measured(claim: str, value: float | Tensor, at_least: float | None = None, at_most: float | None = None) -> None:
    """Print a claim, the number measured here, the band it must lie in, and whether it holds.

    COURSE_CLAIMS names a file that gathers every claim as a line of JSON.
    """
    value = torch.as_tensor(value).item()
    if at_least is None and at_most is None:
        raise ValueError("a claim needs a band: at_least, at_most or both")
    holds = math.isfinite(value) and (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    if _state["dataset"] != "digits":
        verdict = "not claimed here"
    else:
        verdict = "holds" if holds else "does not hold: run the lesson from the top, and compare what you changed"
    print(f"{claim}: {value:.3g}   (expected {_band(at_least, at_most)})   {verdict}")
    if path := os.environ.get("COURSE_CLAIMS"):
        entry = {"lesson": _state["lesson"], "seed": _state["seed"], "threads": torch.get_num_threads(), "claim": claim}
        entry |= {"value": value, "at_least": at_least, "at_most": at_most, "holds": holds}
        with open(path, "a") as file:
            file.write(json.dumps(entry) + "\n")


def _band(at_least: float | None, at_most: float | None) -> str:
    if at_most is None:
        return f"≥ {at_least:g}"
    if at_least is None:
        return f"≤ {at_most:g}"
    return f"{at_least:g} to {at_most:g}"

"""Small tables and trained weights that ship with the course, each beside the script that made it."""

import csv
import pickle
from pathlib import Path

import torch
from torch import Tensor

from course_utils import places
from course_utils.errors import CourseError, choose


def table(name: str) -> list[dict[str, str | float]]:
    """The rows of data/NAME.csv by their column names; numbers come as floats.

    Raises CourseError for an unknown name.
    """
    folder = places.ROOT / "data"
    known = [path.stem for path in sorted(folder.glob("*.csv"))]
    with open(folder / f"{choose(name, known, 'table')}.csv", newline="") as file:
        return [{column: _number(text) for column, text in row.items()} for row in csv.DictReader(file)]


def write(script: str, rows: list[dict[str, object]]) -> None:
    """Make a table of these rows beside the script that made them, given its `__file__`: NAME.csv beside NAME.py."""
    with open(Path(script).with_suffix(".csv"), "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def weights(name: str) -> dict[str, Tensor]:
    """A trained model that ships with the course, by its name: its state, in single precision.

    Raises CourseError for an unknown name, and for a file that is damaged.
    """
    folder = places.ROOT / "data"
    known = [path.stem for path in sorted(folder.glob("*.pt"))]
    path = folder / f"{choose(name, known, 'set of weights')}.pt"
    try:
        state = torch.load(path, map_location=torch.get_default_device(), weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError) as error:
        raise CourseError(
            f"{path} is damaged: fetch it again, or make it with `python data/{name}.py`, which says how long it takes."
        ) from error
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}

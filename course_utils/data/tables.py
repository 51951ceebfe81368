"""Small tables that ship with the course, each beside the script that made it."""

import csv

from course_utils import places
from course_utils.errors import choose


def table(name: str) -> list[dict[str, str | float]]:
    """The rows of data/NAME.csv by their column names; numbers come as floats.

    Raises CourseError for an unknown name.
    """
    folder = places.ROOT / "data"
    known = [path.stem for path in sorted(folder.glob("*.csv"))]
    with open(folder / f"{choose(name, known, 'table')}.csv", newline="") as file:
        return [{column: _number(text) for column, text in row.items()} for row in csv.DictReader(file)]


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text

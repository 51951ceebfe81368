"""A class as a folder: what lies where in it, what counts, and who is in it.

class.toml              what counts: due dates, late days, exercises     students.csv   who is in the class
bundle/ bundle.zip      what students get                                private/       tasks and questions of your own
source/ release/        the lessons with nbgrader's metadata             submitted/     what was handed in
marks/                  what the scorer found, one file a submission     gradebook.db   nbgrader's database
autograded/             what the desk shows     feedback/ export/ report/   what the steps of these names make
"""

import csv
import hashlib
import json
import os
import re
import secrets
import tomllib
from datetime import date, datetime, time
from pathlib import Path

from course_utils import places
from course_utils.errors import CourseError, choose

SETTINGS = """\
# What this class counts. Times are those of this machine's clock.

practice = 0        # points that the exercises of a lesson count for, by the share of them that pass
free_late_days = 0  # days in the whole term that cost nothing
late_penalty = 0.0  # the share of a lesson's points that each further day costs, such as 0.1

[due]
# "03" = 2027-03-01T23:59:00
"""
KNOWN = {"practice": 0, "free_late_days": 0, "late_penalty": 0.0, "due": {}}
COLUMNS = ("id", "first_name", "last_name", "email")


def opened(folder: Path) -> Path:
    """The folder, if it holds a class; otherwise CourseError."""
    if not (folder / "class.toml").exists():
        raise CourseError(f"{folder} holds no class: `grade --class {folder} release 01` begins one there.")
    return folder


def begin(folder: Path) -> None:
    """Make the folder of a class, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "class.toml": SETTINGS,
        "students.csv": ",".join(COLUMNS) + "\n",
        "seed.txt": secrets.token_hex(16) + "\n",  # nobody can work out beforehand what a check will ask
    }.items():
        if not (folder / name).exists():
            write(folder / name, text.encode())


def settings(folder: Path) -> dict:
    """What class.toml says, with the usual values for what it leaves out; "due" by lesson as local datetimes."""
    try:
        given = tomllib.loads((folder / "class.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"{folder / 'class.toml'} cannot be read ({error}): mend that line.") from error
    for key in given:
        choose(key, KNOWN, "setting in class.toml")
    found = {**KNOWN, **given}
    for key in ("practice", "free_late_days", "late_penalty"):
        if isinstance(found[key], bool) or not isinstance(found[key], (int, float)) or found[key] < 0:
            raise CourseError(f"class.toml: {key} is a number, 0 or more, not {found[key]!r}.")
    found["due"] = {_lesson_number(key): _due(key, value) for key, value in found["due"].items()}
    return found


def _lesson_number(key: str) -> str:
    number = re.match(r"\d+", key)
    if not number:
        raise CourseError(f'class.toml: {key!r} under [due] is no lesson: write its number, such as "03".')
    return number[0].zfill(2)


def _due(key: str, value: object) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone()
    if isinstance(value, date):
        return datetime.combine(value, time(23, 59, 59)).astimezone()
    raise CourseError(f"class.toml: the due date of {key} is written without quotes, such as 2027-03-01T23:59:00.")


def students(folder: Path) -> dict[str, dict[str, str]]:
    """The rows of students.csv by id; empty where nobody is listed."""
    try:
        with open(folder / "students.csv", newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            rows = list(table)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, csv.Error) as error:
        raise CourseError(f"students.csv cannot be read ({error}): save it as CSV in UTF-8.") from error
    if "id" not in (table.fieldnames or ["id"]):
        raise CourseError(f"students.csv begins with the line {','.join(COLUMNS)}, with commas between.")
    found = {}
    for number, row in enumerate(rows, 2):
        row = {column: (row.get(column) or "").strip() for column in COLUMNS}
        if not re.fullmatch(r"[\w-][\w.@+-]*", row["id"]):
            raise CourseError(
                f"students.csv, line {number}: {row['id']!r} cannot be an id: use letters, digits, . _ @ -."
            )
        if row["id"] in found:
            raise CourseError(f"students.csv, line {number}: {row['id']} is there twice.")
        found[row["id"]] = row
    return found


def released(folder: Path) -> list[str]:
    """Full names of the lessons that were released to this class."""
    return sorted(path.parent.name for path in (folder / "release").glob("*/*.ipynb") if path.stem == path.parent.name)


def released_lessons(folder: Path, asked: list[str]) -> list[str]:
    """The full names of the lessons asked for, or of all that were released."""
    return [named(lesson, released(folder), "released lesson") for lesson in asked] or released(folder)


def course_lessons() -> list[str]:
    return sorted(path.stem for path in places.notebooks().glob("[0-9][0-9]_*.ipynb"))


def named(asked: str, known: list[str], what: str) -> str:
    """The full name of a lesson from "03_holes", "03" or "3"."""
    asked = asked.strip().removesuffix(".ipynb")
    if asked.isdecimal():
        return next((name for name in known if int(name[:2]) == int(asked)), None) or choose(asked, known, what)
    return choose(asked, known, what)


def release_of(folder: Path, lesson: str) -> Path:
    return folder / "release" / lesson / f"{lesson}.ipynb"


def submissions(folder: Path, lesson: str) -> dict[str, Path]:
    """The notebooks handed in for a lesson, by student."""
    found = sorted((folder / "submitted").glob(f"*/{lesson}/{lesson}.ipynb"))
    return {path.parts[-3]: path for path in found}


def handed_in_at(path: Path) -> datetime | None:
    """When the notebook was handed in, as `collect` noted it."""
    try:
        return datetime.fromisoformat((path.parent / "timestamp.txt").read_text().strip())
    except (OSError, ValueError):
        return None


def marks_of(folder: Path, lesson: str) -> dict[str, dict]:
    """What the scorer has found so far in the submissions that are there, by student."""
    found = {who: read_json(folder / "marks" / lesson / f"{who}.json") for who in submissions(folder, lesson)}
    return {student: record for student, record in found.items() if record}


def read_json(path: Path) -> dict | None:
    """The record in a file; None where there is none or it is damaged, and it will be made anew."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def digest(*contents: bytes) -> str:
    total = hashlib.sha256()
    for content in contents:
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()


def write(path: Path, content: bytes) -> None:
    """Write all or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        raise CourseError(f"{path} could not be written ({error.strerror}): make room or check the folder.") from error

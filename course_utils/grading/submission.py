"""What is taken from a submission: its answer cells, and code cells that the student added. The rest is the release's.

Nothing here runs or parses a student's code: `inside.look` does, behind walls.
"""

import ast
import json
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.grading import inside

LARGEST = 30 << 20  # bytes of a notebook; the lessons are held under 1.5 MB
MOST_LETTERS = 1_000_000  # in its cells, outputs aside; the lessons have up to 40,000


class NotMarked(CourseError):
    """A submission that cannot be read; the message says why."""


@dataclass(frozen=True)
class Lesson:
    """A lesson as it was released: what runs before an answer, and the stub and the name of every answer."""

    name: str
    setup: list[str]
    stubs: dict[str, str]
    names: dict[str, str]
    checks: dict[str, str]
    cells: dict[str, str]  # source of every code cell by its id
    questions: dict[str, str]  # what stood in the cells of questions that a person marks


@dataclass(frozen=True)
class Cell:
    """Code taken from a submission; `exercise` is None for a cell that the student added."""

    exercise: str | None
    source: str


def lesson(path: Path) -> Lesson:
    """Read a released lesson."""
    setup, stubs, names, checks, cells, questions = [], {}, {}, {}, {}, {}
    for cell in cells_of(path):
        source = source_of(cell)
        exercise, tags = cell["metadata"].get("exercise"), cell["metadata"].get("tags", [])
        if "question" in tags:
            questions[exercise] = source
        if cell["cell_type"] != "code":
            continue
        cells[cell["id"]] = source
        if {"exercise", "task"} & set(tags):
            stubs[exercise] = source
            (names[exercise],) = (
                s.name for s in ast.parse(source).body if isinstance(s, ast.FunctionDef | ast.ClassDef)
            )
        elif "check" in tags:
            checks[exercise] = source
        elif {"parameters", "setup"} & set(tags) or ("name" not in tags and inside.look(source)["definitions"]):
            setup.append(source)
    return Lesson(path.stem, setup, stubs, names, checks, cells, questions)


def read(path: Path, lesson: Lesson) -> tuple[list[Cell], list[str]]:
    """The cells taken from a submission in their order, and remarks for the instructor.

    The parts of an answer that was split, copied or written twice are joined where the last of them stands; copies of
    the untouched stub are left out. Raises NotMarked.
    """
    taken, remarks, checks = [], [], {}
    for cell in cells_of(path):
        source, metadata = source_of(cell), cell["metadata"]
        exercise, tags = metadata.get("exercise"), metadata.get("tags", [])
        if cell["cell_type"] != "code" or not source.strip():
            continue
        if exercise is not None and "check" in tags:
            checks[str(exercise)] = source
        elif exercise is not None and str(exercise) in lesson.stubs:
            if source.strip() != lesson.stubs[exercise].strip():
                taken.append(Cell(exercise, source))
        elif source not in lesson.cells.values() and cell.get("id") not in lesson.cells:
            taken.append(Cell(None, source))
    if not checks and not any(cell.exercise for cell in taken):
        raise NotMarked(f"it holds no cell of lesson {lesson.name}: was another notebook handed in?")
    for exercise, source in lesson.checks.items():
        if exercise not in checks:
            remarks.append(f"the check of {exercise} was deleted")
        elif checks[exercise].strip() != source.strip():
            remarks.append(f"the check of {exercise} was edited")
    return _joined(taken), remarks


def written(path: Path, lesson: Lesson) -> dict[str, str]:
    """What was written in answer to each question; empty where the cell is untouched or gone. Raises NotMarked."""
    found: dict[str, list[str]] = {id: [] for id in lesson.questions}
    for cell in cells_of(path):
        id, source = cell["metadata"].get("exercise"), source_of(cell).strip()
        if "question" in cell["metadata"].get("tags", []) and id in found and source != lesson.questions[id].strip():
            found[id].append(source)
    return {id: "\n\n".join(sources) for id, sources in found.items()}


def _joined(cells: list[Cell]) -> list[Cell]:
    parts: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.exercise:
            parts.setdefault(cell.exercise, []).append(cell)
    last = {exercise: same[-1] for exercise, same in parts.items()}
    return [
        cell if not cell.exercise else Cell(cell.exercise, "\n\n".join(part.source for part in parts[cell.exercise]))
        for cell in cells
        if not cell.exercise or cell is last[cell.exercise]
    ]


def cells_of(path: Path) -> list[dict]:
    """The cells of a notebook, every one with a type, a source and metadata; raises NotMarked."""
    try:
        if path.stat().st_size > LARGEST:
            raise NotMarked(f"it is larger than {LARGEST >> 20} MB")
        notebook = json.loads(path.read_bytes())
    except OSError as error:
        raise NotMarked(f"it cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise NotMarked("it is no notebook: the file is damaged") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not cells:
        raise NotMarked("it is no notebook with cells")
    for number, cell in enumerate(cells, 1):
        try:
            metadata = cell.setdefault("metadata", {})
            tags, exercise, kind = metadata.get("tags", []), metadata.get("exercise"), cell["cell_type"]
            sound = isinstance(kind, str) and isinstance(exercise, str | None) and isinstance(tags, list)
            sound = sound and all(isinstance(tag, str) for tag in tags) and isinstance(cell.get("id", ""), str)
            source_of(cell).encode()
        except (AttributeError, KeyError, TypeError, UnicodeError):
            sound = False
        if not sound:
            raise NotMarked(f"its cell {number} is damaged")
    if sum(len(source_of(cell)) for cell in cells) > MOST_LETTERS:
        raise NotMarked(f"its cells hold more than {MOST_LETTERS:,} letters")
    return cells


def source_of(cell: dict) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])

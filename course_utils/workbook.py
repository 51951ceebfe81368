"""The learner's own copies of the lessons: made once, never overwritten without the old one being kept.

    workbook/01_autoencoders.ipynb            the learner's copy
    workbook/.origin/01_autoencoders.ipynb    the lesson as it was when the copy was made
    workbook/kept/                            old copies, set aside by `refresh` and `reset`

An answer is a code cell tagged `exercise` or `task`, or a text cell tagged `question`, known by its metadata "exercise"
("1.2", "T1", "Q3").
Progress is a store of its own: what was passed stays passed through `refresh` and `reset`.
"""

import argparse
import json
import os
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path

from course_utils import places
from course_utils.errors import CourseError, choose

RELOAD = "Is it open in JupyterLab? Then choose File › Reload Notebook from Disk."


def update() -> list[str]:
    """Copy the lessons that have no copy yet; return lines on what is new and what has changed since it was copied.

    Writes nothing over a file that is there.
    """
    new, lines = [], []
    for name in _lessons():
        copy, origin = _copy(name), _origin(name)
        try:
            if not copy.exists():
                # The origin first: a copy without one could never be told from a lesson that has changed.
                _write(origin, _handed_out(name))
                _write(copy, _handed_out(name))
                new.append(name)
            elif _sources(_read(_lesson(name))) != _sources(_pristine(name)):
                lines.append(
                    f"Lesson {name[:2]} has changed since you took your copy: "
                    f"`{command('refresh', name[:2])}` gives you the new one and keeps yours."
                )
        except _Unreadable as error:
            lines.append(str(error))
    if new:
        lines.insert(0, f"New in your workbook: {', '.join(new)}.")
    return lines


def refresh(lesson: str | int) -> list[str]:
    """Put the newest version of a lesson in place of the learner's copy, which is kept; carry the answers over.

    Returns lines on what was kept and what was carried over. Cells that the learner added stay in the kept copy alone.
    """
    name = _name(lesson)
    if not _copy(name).exists():
        return _begin(name)
    fresh, pristine = _fresh(name), _pristine(name)
    stubs, targets = _answers(pristine), _answers(fresh)
    carried, homeless, asked_anew = [], [], []
    for exercise, cells in _answers(_read_copy(name)).items():
        stub = _joined(stubs.get(exercise, []))
        answer = _joined([cell for cell in cells if _source(cell).strip() != stub.strip()])
        if not answer.strip():
            continue
        if exercise not in targets:
            homeless.append(exercise)
            continue
        target = targets[exercise][0]
        if _source(target).strip() != stub.strip():
            asked_anew.append(exercise)
        _fill(target, answer)
        carried.append(exercise)

    kept = _keep(name)
    _write(_copy(name), _dump(fresh))
    _write(_origin(name), _handed_out(name))  # last: stopped before this, the next refresh puts all in order
    lines = [
        f"Lesson {name[:2]} is in its newest version now.",
        f"Your old copy, with the cells that you added, is {_shown(kept)}.",
        f"Answers carried over: {', '.join(carried) or 'none'}.",
    ]
    if homeless:
        lines.append(f"No longer in the lesson, so only in your old copy: {', '.join(homeless)}.")
    for exercise in asked_anew:
        lines.append(
            f"Exercise {exercise} itself has changed: your answer stands in its place, "
            f"and `{command('reset', name[:2], exercise)}` shows the new one."
        )
    return [*lines, RELOAD]


def reset(lesson: str | int, exercise: str | None = None) -> list[str]:
    """Put one exercise, or the whole lesson, back as it was handed out; the learner's copy is kept.

    Returns lines on what was kept. One exercise comes from the version that was copied, a whole lesson is the newest.
    """
    name = _name(lesson)
    if not _copy(name).exists():
        return _begin(name)
    if exercise is None:
        handed_out = _handed_out(name)  # read first: an unreadable lesson must not cost a good copy
        kept = _keep(name)
        _write(_copy(name), handed_out)
        _write(_origin(name), handed_out)
        return [f"Lesson {name[:2]} is as handed out again. Your old copy is {_shown(kept)}.", RELOAD]

    stubs = _answers(_pristine(name))
    exercise = choose(exercise, stubs, f"exercise in lesson {name[:2]}")
    copy = _read_copy(name)
    cells = _answers(copy).get(exercise)
    if not cells:
        raise CourseError(
            f"Your copy of lesson {name[:2]} no longer has the cell of exercise {exercise}: "
            f"`{command('refresh', name[:2])}` brings it back and carries your other answers over."
        )
    stub = stubs[exercise][0]
    cells[0].update({key: stub[key] for key in ("source", "outputs", "execution_count") if key in stub})
    # A cell that was split or copied takes its id along. What is left of the old answer would hide the stub.
    copy["cells"] = [cell for cell in copy["cells"] if not any(cell is other for other in cells[1:])]
    kept = _keep(name)
    _write(_copy(name), _dump(copy))
    return [f"Exercise {exercise} is as handed out again. Your answer is in {_shown(kept)}.", RELOAD]


def copy_of(lesson: str | int) -> Path:
    """The learner's copy of a lesson; CourseError where there is none yet."""
    name = _name(lesson)
    if not _copy(name).exists():
        raise CourseError(f"Lesson {name[:2]} is not in your workbook yet: `make lab` puts it there.")
    return _copy(name)


def command(action: str, lesson: str, exercise: str | None = None) -> str:
    """What to type for an action: `make` where there is one, Python's own way on Windows."""
    if os.name == "nt":
        return " ".join(["python -m course_utils.workbook", action, lesson, *([exercise] if exercise else [])])
    return f"make {action} LESSON={lesson}" + (f" EXERCISE={exercise}" if exercise else "")


# Where things lie


def _lessons() -> list[str]:
    return sorted(path.stem for path in places.notebooks().glob("[0-9][0-9]_*.ipynb"))


def _name(lesson: str | int) -> str:
    """The lesson's full name, from "01_autoencoders", "01", "1" or 1."""
    known, asked = _lessons(), str(lesson).strip().removesuffix(".ipynb")
    if not known:
        raise CourseError(f"There are no lessons in {places.notebooks()}: fetch the course again.")
    by_number = {int(name[:2]): name for name in known}
    if asked.isdecimal() and int(asked) in by_number:
        return by_number[int(asked)]
    return choose(asked, known, "lesson")


def _lesson(name: str) -> Path:
    return places.notebooks() / f"{name}.ipynb"


def _copy(name: str) -> Path:
    return places.workbook() / f"{name}.ipynb"


def _origin(name: str) -> Path:
    return places.workbook() / ".origin" / f"{name}.ipynb"


def _shown(path: Path) -> str:
    return path.relative_to(places.workbook().parent).as_posix()


# Notebooks as plain JSON


class _Unreadable(CourseError):
    pass


def _read(path: Path) -> dict:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["cell_type"], _source(cell), cell["metadata"].get("tags", [])
        return notebook
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _Unreadable(f"{path} cannot be read as a notebook: put back the file as the course has it.") from error


def _fresh(name: str) -> dict:
    """The lesson without its outputs: a figure that is there already would answer what the reader is to predict."""
    notebook = _read(_lesson(name))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return notebook


def _handed_out(name: str) -> bytes:
    return _dump(_fresh(name))


def _read_copy(name: str) -> dict:
    try:
        return _read(_copy(name))
    except _Unreadable as error:
        raise CourseError(
            f"Your copy {_shown(_copy(name))} cannot be read as a notebook: "
            f"`{command('reset', name[:2])}` keeps the file as it is and gives you the lesson anew."
        ) from error


def _pristine(name: str) -> dict:
    """The lesson as it was when the copy was made; the lesson as it is now if that is not known any more."""
    try:
        return _read(_origin(name))
    except _Unreadable:
        return _read(_lesson(name))


def _source(cell: dict) -> str:
    return "".join(cell["source"])


def _sources(notebook: dict) -> list[tuple[str, str]]:
    return [(cell["cell_type"], _source(cell)) for cell in notebook["cells"]]


def _answers(notebook: dict) -> dict[str, list[dict]]:
    """The answer cells by exercise; several to one where the learner has split or copied a cell."""
    found: dict[str, list[dict]] = {}
    for cell in notebook["cells"]:
        exercise, tags = cell["metadata"].get("exercise"), cell["metadata"].get("tags", [])
        is_code, is_written = cell["cell_type"] == "code" and {"exercise", "task"} & set(tags), "question" in tags
        if exercise and (is_code or is_written):
            found.setdefault(str(exercise), []).append(cell)
    return found


def _joined(cells: list[dict]) -> str:
    return "\n\n".join(map(_source, cells))


def _fill(cell: dict, source: str) -> None:
    cell.update(source=source.splitlines(keepends=True))
    if cell["cell_type"] == "code":
        cell.update(outputs=[], execution_count=None)


# Files


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}): nothing was changed.") from error


def _dump(notebook: dict) -> bytes:
    return (json.dumps(notebook, indent=1) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    """Write all or nothing: the old file stays whole until the new one is on the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise CourseError(
            f"{path} could not be written ({error.strerror}), and what was there is as it was: "
            f"make room or check the folder, then try again."
        ) from error


def _keep(name: str) -> Path:
    """Copy the learner's file, readable or not, to a name in kept/ that nothing has yet."""
    stem, n = f"{name}.{date.today().isoformat()}", 1
    kept = places.workbook() / "kept" / f"{stem}.ipynb"
    while kept.exists():
        n += 1
        kept = kept.with_name(f"{stem}-{n}.ipynb")
    _write(kept, _bytes(_copy(name)))
    return kept


def _begin(name: str) -> list[str]:
    """The lesson was not in the workbook: now it is."""
    _write(_origin(name), _handed_out(name))
    _write(_copy(name), _handed_out(name))
    return [f"New in your workbook: {name}."]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.workbook",
        description="Your own copies of the lessons. Nothing of yours is ever lost: old copies go to workbook/kept/. "
        "What you have passed stays passed. Save the notebook first if it is open in JupyterLab.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="update | refresh | reset")
    actions.add_parser("update", help="copy the lessons that you do not have yet, and name those that have changed")
    lesson = {"metavar": "LESSON", "help": "01, or 01_autoencoders"}
    action = actions.add_parser("refresh", help="take the newest version of a lesson, with your answers carried over")
    action.add_argument("lesson", **lesson)
    action = actions.add_parser("reset", help="put a lesson, or one exercise of it, back as it was handed out")
    action.add_argument("lesson", **lesson)
    action.add_argument("exercise", nargs="?", metavar="EXERCISE", help="1.2, or T1: leave it out for the whole lesson")
    given = parser.parse_args(arguments)
    try:
        if given.action == "update":
            lines = update() or ["Every lesson is in your workbook, in its newest version."]
        elif given.action == "refresh":
            lines = refresh(given.lesson)
        else:
            lines = reset(given.lesson, given.exercise)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    print(*lines, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

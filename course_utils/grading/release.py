"""A release: lessons with nbgrader's metadata, and the bundle that students get, which holds nothing of `grading`."""

import json
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path

from course_utils import places
from course_utils.errors import CourseError
from course_utils.exercises import EXERCISES
from course_utils.exercises import TASKS as LOOKS
from course_utils.grading import classroom
from course_utils.grading.questions import Addition, additions

NAME_CELL = '# Fill these in before you hand in.\nNAME = ""\nSTUDENT = ""  # the id that your course knows you by'
WRITE_HERE = "*Write your answer here, in place of this line.*"
FILES = ("Makefile", "environment.yml", "LICENSE", "CITATION.cff")
LEFT_OUT = shutil.ignore_patterns("grading", "__pycache__", "downloads", "*.pyc", ".*")
README = """# Your course

You need Python 3.11 or 3.12 and make. `make lab` makes the environment and your workbook, and opens JupyterLab on it.

Without make (on Windows, say): `conda env create -f environment.yml`, `conda activate course`,
`python -m course_utils.lab`.

Fill in the cell with NAME and STUDENT at the head of each lesson. When you are done, `make hand-in LESSON=01` (or
`python -m course_utils.hand_in 01`) looks the lesson over, packs it, and gives you a receipt. Hand in the file that it
names.
"""


def release(folder: Path, asked: list[str]) -> list[str]:
    """Release lessons to the class; return lines on what was made."""
    if not asked:
        raise CourseError("Say which lessons: `grade release 01 02`.")
    lessons = [classroom.named(lesson, classroom.course_lessons(), "lesson") for lesson in asked]
    new = not (folder / "class.toml").exists()
    classroom.begin(folder)
    extra, practice = additions(folder / "private"), classroom.settings(folder)["practice"]
    lines = [f"A class begins in {folder}: list its students in students.csv, its dates in class.toml."] if new else []
    for lesson in lessons:
        own = [one for one in extra if one.lesson == lesson[:2]]
        notebook = json.loads((places.notebooks() / f"{lesson}.ipynb").read_text(encoding="utf-8"))
        _write(folder / "source" / lesson / f"{lesson}.ipynb", for_students(notebook, own, practice))
        _register(folder, lesson)
        counted = [points(cell) for cell in notebook["cells"] if points(cell)]
        lines.append(f"{lesson}: {sum(counted):g} points in {len(counted)} graded cells.")
    _bundle(folder)
    packed = ", ".join(name[:2] for name in classroom.released(folder))
    return [*lines, f"For your students: {folder / 'bundle.zip'}, with lessons {packed} and without `grading`."]


def points(cell: dict) -> float:
    metadata = cell["metadata"].get("nbgrader", {})
    return metadata.get("points", 0) if metadata.get("grade") else 0


def grade_id(kind: str, exercise: str) -> str:
    """What nbgrader calls a cell: its ids hold no dots."""
    return f"{kind}-{exercise.replace('.', '-')}"


def for_students(notebook: dict, extra: list[Addition], practice: float) -> dict:
    """The lesson without outputs, with the cells that the release adds, and with nbgrader's metadata."""
    cells = notebook["cells"]
    head = next(place for place, cell in enumerate(cells) if cell["cell_type"] == "code")
    cells.insert(head, _code("name", NAME_CELL, "name"))
    for one in extra:
        place = _after_the_task(cells)
        cells[place:place] = _cells(one)
    exercises = [c["metadata"]["exercise"] for c in cells if "exercise" in c["metadata"].get("tags", [])]
    by_id = {one.id: one.points for one in extra}
    for cell in cells:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
        id, tags = cell["metadata"].get("exercise"), set(cell["metadata"].get("tags", []))
        if tags & {"exercise", "task"}:
            cell["metadata"]["nbgrader"] = _nbgrader(grade_id("answer", id), solution=True)
        elif "question" in tags:
            cell["metadata"]["nbgrader"] = _nbgrader(grade_id("answer", id), solution=True, points=by_id[id])
        elif "check" in tags:
            worth = practice / len(exercises) if id in EXERCISES else by_id.get(id) or LOOKS[id].points
            cell["metadata"]["nbgrader"] = _nbgrader(grade_id("check", id), locked=True, points=worth)
    return notebook


def _nbgrader(grade_id: str, solution=False, locked=False, points: float = 0) -> dict:
    graded = {"grade": True, "points": float(points)} if points else {"grade": False}
    return {"schema_version": 3, "grade_id": grade_id, "solution": solution, "locked": locked, "task": False, **graded}


def _after_the_task(cells: list[dict]) -> int:
    """After the last check or question, and the folded hints that follow it."""
    place = max(
        (i for i, c in enumerate(cells) if {"check", "question"} & set(c["metadata"].get("tags", []))), default=0
    )
    while place + 1 < len(cells) and "".join(cells[place + 1]["source"]).lstrip().startswith("<details"):
        place += 1
    return place + 1


def _cells(one: Addition) -> list[dict]:
    text = {"cell_type": "markdown", "id": f"text-{one.id.lower()}", "metadata": {}, "source": ""}
    kind = "marked by a person" if one.task is None else "for marks"
    lines = one.text.splitlines()
    text["source"] = "\n".join([lines[0], f"`{one.points:g} points · {kind}`", *lines[1:]])
    if one.task is None:
        metadata = {"exercise": one.id, "tags": ["question"]}
        return [
            text,
            {"cell_type": "markdown", "id": f"answer-{one.id.lower()}", "metadata": metadata, "source": WRITE_HERE},
        ]
    shown = f'print("○  {one.id}  marks come from the instructor")'
    stub = _code(f"answer-{one.id.lower()}", one.stub, "task", one.id)
    return [text, stub, _code(f"check-{one.id.lower()}", shown, "check", one.id)]


def _code(id: str, source: str, tag: str, exercise: str | None = None) -> dict:
    metadata = {"tags": [tag], **({"exercise": exercise} if exercise else {})}
    return {
        "cell_type": "code",
        "id": id,
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def nbgrader_config(folder: Path):
    """Where nbgrader finds its folders and its database."""
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(folder.resolve())
    config.CourseDirectory.db_url = f"sqlite:///{(folder / 'gradebook.db').resolve()}"
    return config


def _register(folder: Path, lesson: str) -> None:
    """Let nbgrader make release/ from source/ and note the graded cells in its database.

    Its own ClearSolutions stays out: the stubs are ours, and it would replace their docstrings.
    """
    from nbgrader import preprocessors
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory

    # To begin a database nbgrader calls alembic by its name, which is found beside Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    config = nbgrader_config(folder)
    config.GenerateAssignment.preprocessors = [
        preprocessors.LockCells,
        preprocessors.CheckCellMetadata,
        preprocessors.ComputeChecksums,
        preprocessors.SaveCells,
        preprocessors.CheckCellMetadata,
    ]
    directory = CourseDirectory(config=config)
    directory.assignment_id = lesson
    maker = GenerateAssignment(coursedir=directory, config=config, force=True)
    # nbgrader takes the old release away before it makes the new one, and leaves nothing where that fails.
    released, kept = folder / "release" / lesson, folder / ".kept"
    shutil.rmtree(kept, ignore_errors=True)
    if released.exists():
        shutil.copytree(released, kept)
    try:
        maker.start()
    except BaseException as error:
        if kept.exists():
            shutil.rmtree(released, ignore_errors=True)
            shutil.copytree(kept, released)
        if not isinstance(error, (NbGraderException, SystemExit)):
            raise
        raise CourseError(
            f"{lesson} stays as it was released: nbgrader lets no graded cell come or go once submissions are marked. "
            f"Begin a new class folder, or take back what you changed in private/ or in class.toml."
            if kept.exists()
            else f"nbgrader could not release {lesson} (see above)."
        ) from error
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def _bundle(folder: Path) -> None:
    """What students get: the released lessons, the package without `grading`, data, and two commands."""
    bundle = folder / "bundle"
    fresh = folder / ".bundle"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(places.ROOT / "course_utils", fresh / "course_utils", ignore=LEFT_OUT)
    shutil.copytree(places.ROOT / "data", fresh / "data", ignore=LEFT_OUT)
    for name in FILES:
        shutil.copy(places.ROOT / name, fresh / name)
    pyproject = (places.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    pyproject = re.sub(r"\n\[project\.scripts\]\n.*?(?=\n\[)", "", pyproject, flags=re.DOTALL)  # `grade` is not there
    (fresh / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    (fresh / "README.md").write_text(README, encoding="utf-8")
    (fresh / "notebooks").mkdir()
    for lesson in classroom.released(folder):
        shutil.copy(classroom.release_of(folder, lesson), fresh / "notebooks" / f"{lesson}.ipynb")
    for path in fresh.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)  # answers run as another user, and read it
    shutil.rmtree(bundle, ignore_errors=True)
    fresh.rename(bundle)
    with zipfile.ZipFile(folder / ".bundle.zip", "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path in sorted(bundle.rglob("*")):
            archive.write(path, Path("course") / path.relative_to(bundle))
    (folder / ".bundle.zip").replace(folder / "bundle.zip")


def _write(path: Path, notebook: dict) -> None:
    classroom.write(path, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode())

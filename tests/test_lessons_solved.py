"""Every lesson with its stubs replaced by the references: each check gives full points, and progress remembers it."""

import ast

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils import places
from course_utils.exercises import EXERCISES, TASKS, progress

LESSONS = sorted(places.notebooks().glob("[0-9][0-9]_*.ipynb"))
RUN = {"parameters", "setup", "exercise", "check", "task"}
DECLARED = {
    "exercise": "from course_utils.exercises import EXERCISES as declared",
    "task": "from course_utils.grading.tasks import TASKS as declared",
}


def solve(notebook):
    """Keep only the cells that a solved run needs, and put the reference in the place of each stub."""
    notebook.cells = [cell for cell in notebook.cells if RUN & set(cell.metadata.get("tags", []))]
    for cell in notebook.cells:
        for tag in DECLARED.keys() & set(cell.metadata.tags):
            (stub,) = (node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef | ast.ClassDef))
            cell.source = f'{DECLARED[tag]}\n{stub.name} = declared["{cell.metadata.exercise}"].reference'


def printed(notebook):
    """The lines of all checks; a cell's stream may arrive in pieces that end anywhere."""
    lines = []
    for cell in notebook.cells:
        if "check" in cell.metadata.tags:
            stdout = "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
            lines += stdout.splitlines()
    return lines


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_solved_lesson_has_every_tick(path, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    notebook = nbformat.read(path, as_version=4)
    solve(notebook)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()

    number = int(path.stem[:2])
    exercises = {id: e.points for id, e in EXERCISES.items() if id.split(".")[0] == str(number)}
    ticks = [f"✓  {id}  {points} of {points} points" for id, points in exercises.items()]
    ticks += [f"○  {id}  complete" for id in TASKS if id == f"T{number}"]
    assert [line.partition(":")[0] for line in printed(notebook)] == ticks
    assert progress.results() == {id: (points, points) for id, points in exercises.items()}

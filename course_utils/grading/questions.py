"""Questions that a person marks, and an instructor's own tasks: one Markdown file each, and a check beside a task.

    lesson: 03
    points: 4

    ### Question Q3 · Which holes matter
    The text that students read. A task has the stub of its answer in a Python block.

    ## Rubric
    ## Sample for 4 points

A task takes its points from `TASK`, an Exercise in the Python file of the same name.
"""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.exercises.engine import Exercise

OURS = Path(__file__).parent / "questions"
SECTION = re.compile(r"^## (Rubric|Sample for ([\d.]+) points?)\s*$", re.MULTILINE)
HEADING = re.compile(r"^### (?:Question|Task) ([A-Z]\w*) · (.+)$", re.MULTILINE)
STUB = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Addition:
    """What a release adds to a lesson: a question with a rubric and samples, or a task with a stub and a check."""

    id: str
    title: str
    lesson: str
    points: float
    text: str
    rubric: str
    samples: list[tuple[float, str]]
    stub: str | None = None
    task: Exercise | None = None


def additions(private: Path | None = None) -> list[Addition]:
    """Our questions, and an instructor's questions and tasks."""
    folders = [OURS, *([private] if private else [])]
    found = [read(path) for folder in folders for path in sorted(folder.glob("*.md"))]
    ids = [one.id for one in found]
    for id in ids:
        if ids.count(id) > 1:
            raise CourseError(f"Two questions or tasks are called {id}: give one of them another id.")
    return found


def read(path: Path) -> Addition:
    """Read one file; CourseError says what it lacks."""
    text = path.read_text(encoding="utf-8")
    head, _, body = text.partition("\n\n")
    given = dict(re.findall(r"^(\w+): *(.+?) *$", head, re.MULTILINE))
    heading = HEADING.search(body)
    if not heading or not given.get("lesson", "").isdecimal():
        raise CourseError(f"{path.name}: begin with `lesson: 03`, an empty line, and `### Question Q3 · Title`.")
    question, *rest = SECTION.split(body)
    sections = list(zip(rest[0::3], rest[1::3], [part.strip() for part in rest[2::3]], strict=True))
    rubric = next((content for name, _, content in sections if name == "Rubric"), "")
    samples = [(float(points), content) for _, points, content in sections if points]
    task, stub = _task(path.with_suffix(".py")), STUB.search(question)
    if task and (not stub or task.id != heading[1]):
        raise CourseError(f"{path.name}: a task has its stub in a Python block, and the id of its TASK, {task.id}.")
    if not task and (not rubric or len(samples) < 3 or not re.fullmatch(r"\d+(\.\d+)?", given.get("points", ""))):
        raise CourseError(f"{path.name}: a question has `points: 4`, `## Rubric` and three `## Sample for N points`.")
    points = task.points if task else float(given["points"])
    if any(worth > points for worth, _ in samples):
        raise CourseError(f"{path.name}: a sample is worth more than the {points:g} points of the question.")
    return Addition(
        heading[1],
        heading[2].strip(),
        given["lesson"].zfill(2),
        points,
        (STUB.sub("", question) if task else question).strip(),
        rubric,
        samples,
        stub[1].strip() if task else None,
        task,
    )


def _task(path: Path) -> Exercise | None:
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"private_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CourseError(f"{path.name} cannot be imported ({type(error).__name__}: {error}).") from error
    if not isinstance(getattr(module, "TASK", None), Exercise):
        raise CourseError(f"{path.name}: name the task's Exercise TASK, as in course_utils/grading/tasks.")
    return module.TASK

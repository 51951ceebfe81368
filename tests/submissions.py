"""Submissions made for tests: references, known right and wrong answers as the cells of a student's notebook."""

import ast
import copy
import inspect
import json
import textwrap
from pathlib import Path

from course_utils import places
from course_utils.exercises import EXERCISES
from course_utils.grading import submission
from course_utils.grading.tasks import TASKS
from tests import answers

ALL = {**EXERCISES, **TASKS}
LESSONS = sorted(places.notebooks().glob("[0-9][0-9]_*.ipynb"))


def notebook(path: Path, solutions: dict[str, str] | None = None, added: tuple[str, ...] = ()) -> dict:
    """The lesson with the solutions in its answer cells, and added cells at its end."""
    made = json.loads(path.read_text())
    for cell in made["cells"]:
        cell["outputs"] = [] if cell["cell_type"] == "code" else None
        exercise, tags = cell["metadata"].get("exercise"), cell["metadata"].get("tags", [])
        if exercise in (solutions or {}) and {"exercise", "task"} & set(tags):
            cell["source"] = solutions[exercise]
    for number, source in enumerate(added):
        made["cells"].append({"cell_type": "code", "id": f"added-{number}", "metadata": {}, "source": source})
    return made


def saved(made: dict | str, folder: Path, name: str = "notebook.ipynb") -> Path:
    path = folder / name
    path.write_text(made if isinstance(made, str) else json.dumps(made))
    return path


def reference(id: str, name: str) -> str:
    """A cell that gives a right answer: the reference itself where students may import it, else its source."""
    function = ALL[id].reference
    if id in EXERCISES:
        return f"from {function.__module__} import {function.__qualname__.split('.')[0]} as {name}"
    # With all that its file defines, in a scope of its own: helpers of other answers may have the same names.
    tree = ast.parse(inspect.getsource(inspect.getmodule(function)))
    body = "\n".join(map(ast.unparse, needed(tree.body, {function.__name__})))
    lines = [f"def made_{name}():", textwrap.indent(body, "    "), f"    return {function.__name__}"]
    return "\n".join([*lines, f"{name} = made_{name}()"])


def references(lesson: submission.Lesson) -> dict[str, str]:
    return {id: reference(id, name) for id, name in lesson.names.items()}


def known(lesson: submission.Lesson) -> tuple[dict[str, list], dict[str, list[str]]]:
    """(mistake, function, cell) of each wrong answer in tests/answers by exercise, and the cell of each right one."""
    module = getattr(answers, f"lesson{lesson.name[:2]}")
    source = inspect.getsource(module)
    tree = ast.parse(source)
    declared = [node for node in tree.body if getattr(node, "decorator_list", None) and _declarations(node)]
    helpers = [node for node in tree.body if node not in declared and "tests.answers" not in ast.unparse(node)]
    helpers = [node for node in helpers if not _declares(node)]
    whole = source.replace("from tests.answers import right, wrong", RECORDER)

    def cell(kind, id, n, answer):
        node = _node(declared, answer)
        name = lesson.names[id]
        # A file as a whole goes into a function: what it imports and defines must not replace another answer.
        made = (
            f"def _made():\n{textwrap.indent(whole, '    ')}\n    return kept[{kind!r}, {id!r}][{n}]\n{name} = _made()"
        )
        return _cell(helpers, node, name) if node else made

    wrong = {
        id: [
            (mistake, answer, cell("wrong", id, n, answer))
            for n, (mistake, answer) in enumerate(answers.MISCONCEPTIONS[id])
        ]
        for id in lesson.names
    }
    right = {id: [cell("right", id, n, answer) for n, answer in enumerate(answers.VARIANTS[id])] for id in lesson.names}
    return wrong, right


# What a file of answers declares with, where one of them is made by a call and has no source of its own.
RECORDER = """from collections import defaultdict
kept = defaultdict(list)
def wrong(id, mistake):
    return right(id, "wrong")
def right(id, kind="right"):
    return lambda answer: kept[kind, id].append(answer) or answer"""


def _node(declared: list, answer):
    """The decorated function or class that is the answer; None where a call made it."""
    codes = [part.__code__ for part in [inspect.unwrap(answer), *vars(answer).values()] if hasattr(part, "__code__")]
    line = codes[0].co_firstlineno if codes else 0
    return next((node for node in declared if node.decorator_list[0].lineno <= line <= node.end_lineno), None)


def _declares(node) -> bool:
    """Whether a statement declares answers by calls."""
    return any(
        isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in ("wrong", "right")
        for part in ast.walk(node)
    )


def _cell(helpers: list, node, name: str) -> str:
    node = copy.copy(node)
    node.decorator_list = [d for d in node.decorator_list if d not in _declarations(node)]
    node.name = name
    return "\n".join([*map(ast.unparse, needed(helpers, _names(node))), ast.unparse(node)])


def needed(nodes: list, names: set[str]) -> list:
    """Imports and definitions of a file that something with these names in it needs."""
    kept, names = [], set(names)
    for node in reversed(nodes):
        if not isinstance(node, (ast.Import, ast.ImportFrom)) and _given(node) & names:
            names |= _names(node)
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            used = {alias.asname or alias.name.split(".")[0] for alias in node.names} & names
        else:
            used = _given(node) & names
        kept += [node] if used else []
    return kept


def _given(node) -> set[str]:
    """Names that a statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def _names(node) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _declarations(node) -> list:
    return [d for d in node.decorator_list if isinstance(d, ast.Call) and ast.unparse(d.func) in ("wrong", "right")]

"""House rules of the lessons. Each rule comes with a way of spoiling a good lesson, and must notice it."""

import ast
import re
from itertools import pairwise

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils import places
from course_utils.exercises import EXERCISES, TASKS
from tests import house

LESSONS = sorted(places.notebooks().glob("[0-9][0-9]_*.ipynb"))
TAGS = {"parameters", "setup", "exercise", "check", "task", "experiment", "nbval-ignore-output"}
# A line of `measured`, and one of a check or of the board, whose ids look like numbers with a decimal point.
MEASURED = re.compile(r"^.+: \S+   \(expected .+\)   (holds|does not hold.*)$", re.MULTILINE)
MARKED = re.compile(r"^[✓✗…○◐]  .*$", re.MULTILINE)
FLOAT = re.compile(r"\d\.\d|\de[+-]?\d|\b(nan|inf)\b")

RULES = []


def rule(spoil):
    """Declare a rule: `found(notebook)` gives the problems; `spoil(cells)` spoils the cells of `good()`."""

    def declare(found):
        RULES.append(pytest.param(found, spoil, id=found.__name__))
        return found

    return declare


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def pictures(cell):
    return [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]


def number(notebook):
    """The lesson's number, from its title."""
    return int(re.match(r"# (\d\d) · \S", notebook.cells[0].source)[1])


def declared(notebook):
    """Exercises and tasks that are declared for this lesson."""
    n = str(number(notebook))
    return {id: which for id, which in {**EXERCISES, **TASKS}.items() if id.split(".")[0].lstrip("T") == n}


@rule(lambda cells: cells[2].update(execution_count=9))
def is_run_from_top_to_bottom(notebook):
    if [cell.execution_count for cell in code(notebook)] != list(range(1, len(code(notebook)) + 1)):
        yield "run it from the top: tools/run_lessons.py"


@rule(lambda cells: cells[2].outputs.append(new_output("stream", name="stderr", text="50%")))
def keeps_neither_errors_nor_warnings(notebook):
    for i, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"cell {i} keeps {output.get('ename', 'stderr')}"


@rule(lambda cells: cells[3].outputs[0].metadata["image/png"].update(alt=""))
def has_alt_text_on_every_figure(notebook):
    for i, cell in enumerate(notebook.cells):
        for output in pictures(cell):
            if len(output.metadata.get("image/png", {}).get("alt", "").split()) < 3:
                yield f"the figure of cell {i} has no alt text"
        if cell.cell_type == "markdown" and re.search(r"!\[\s*\]|<img(?![^>]*alt=)", cell.source):
            yield f"a picture in cell {i} has no alt text"


@rule(lambda cells: cells[4].update(source="**Figure 0.2.** Look at the strokes."))
def has_a_caption_after_every_figure(notebook):
    """In the first piece of text after the figure, counted from 1."""
    n = 0
    for i, cell in enumerate(notebook.cells):
        for _ in pictures(cell):
            n += 1
            text = next((after for after in notebook.cells[i + 1 :] if after.cell_type == "markdown"), None)
            caption = f"**Figure {number(notebook)}.{n}.**"
            if text is None or not text.source.startswith(caption):
                yield f"after the figure of cell {i} comes no text that begins with {caption}"


@rule(lambda cells: cells[3].update(source="\n".join(["x = 1"] * 31)))
def has_short_cells(notebook):
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and cell.source.count("\n") >= 30:
            yield f"cell {i} has {cell.source.count(chr(10)) + 1} lines: 30 at most"


@rule(lambda cells: cells[0].update(source=cells[0].source + " and more" * 75))
def opens_with_a_figure(notebook):
    """At most 150 words before the first figure, and 10 lines in its cell."""
    first = next((i for i, cell in enumerate(notebook.cells) if pictures(cell)), -1)
    words = sum(len(cell.source.split()) for cell in notebook.cells[:first] if cell.cell_type == "markdown")
    lines = len([line for line in notebook.cells[first].source.splitlines() if line.strip()])
    if words > 150 or lines > 10:
        yield f"{words} words before the first figure (150 at most), {lines} lines in its cell (10 at most)"


@rule(lambda cells: cells[3].outputs.append(new_output("stream", text="loss 0.25\n")))
def prints_floats_by_measured_alone(notebook):
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" or "nbval-ignore-output" in tags(cell):
            continue
        texts = [
            o.get("text", "") or o.get("data", {}).get("text/plain", "")
            for o in cell.outputs
            if o not in pictures(cell)
        ]
        for text in texts:
            if found := FLOAT.search(MARKED.sub("", MEASURED.sub("", text))):
                yield f"cell {i} prints {found[0]!r}: use measured"


@rule(lambda cells: cells[3].outputs.append(new_output("stream", text="x: 3   (expected ≥ 4)   does not hold: run\n")))
def has_claims_that_hold(notebook):
    for i, cell in enumerate(code(notebook)):
        if "does not hold" in str(cell.outputs):
            yield f"code cell {i} has a claim that does not hold"


@rule(lambda cells: cells[3].metadata.update(tags=["experiment", "nbval-ignore-output"]))
def has_few_cells_that_are_not_compared(notebook):
    ignored = [cell for cell in code(notebook) if "nbval-ignore-output" in tags(cell) or "NBVAL" in cell.source.upper()]
    if 8 * len(ignored) > len(code(notebook)):
        yield f"{len(ignored)} of {len(code(notebook))} code cells are not compared: one in eight at most"


@rule(lambda cells: cells[3].metadata.update(tags=["experiment", "nbval-ignore-output"]))
def keeps_no_view_of_an_experiment(notebook):
    """Without its kernel it is an error message; a figure beside it stays."""
    for i, cell in enumerate(notebook.cells):
        if "experiment" in tags(cell) and (cell.outputs or "nbval-ignore-output" not in tags(cell)):
            yield f"cell {i}, an experiment, should keep no output and be tagged nbval-ignore-output"


@rule(lambda cells: cells[1].metadata.update(tags=["parameter"]))
def has_known_tags(notebook):
    for i, cell in enumerate(notebook.cells):
        if unknown := tags(cell) - TAGS:
            yield f"cell {i} has the unknown tag {unknown}"
    for tag in ("parameters", "setup"):
        if sum(tag in tags(cell) for cell in notebook.cells) != 1:
            yield f"one cell is tagged {tag}"


@rule(lambda cells: cells[5].update(source=cells[5].source.replace("3 points", "4 points")))
def announces_exercises_as_they_are_declared(notebook):
    for id, which in declared(notebook).items():
        kind, paid = ("Task", "for marks") if id in TASKS else ("Exercise", "checked")
        header = rf"^### {kind} {id} · {re.escape(which.title)}\n`\d+ min · .+ · {which.points} points? · {paid}`$"
        _, before = answer_cell(notebook, id)
        if not re.search(header, before, re.MULTILINE):
            yield f"the text before {id} should have title, points and kind as declared: {header}"


@rule(lambda cells: cells.pop(6))
def has_an_answer_cell_for_what_is_declared_and_no_other(notebook):
    ids = [cell.metadata.get("exercise") for cell in code(notebook) if {"exercise", "task"} & tags(cell)]
    if sorted(map(str, ids)) != sorted(declared(notebook)):
        yield f"answer cells are there for {ids}, declared are {list(declared(notebook))}"
    for id in declared(notebook):
        cell, _ = answer_cell(notebook, id)
        if cell and tags(cell) != {"task" if id in TASKS else "exercise"}:
            yield f"the answer cell of {id} has the tags {tags(cell)}"


@rule(lambda cells: cells[6].update(source="def squared_error(x_hat, x):\n    return 0"))
def hands_out_stubs(notebook):
    for id in declared(notebook):
        cell, _ = answer_cell(notebook, id)
        tree = ast.parse(cell.source if cell else "")
        defined = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        if len(defined) != 1 or not ast.get_docstring(defined[0]) or "raise NotImplementedError" not in cell.source:
            yield f"the stub of {id} should be one definition with a docstring that raises NotImplementedError"


@rule(lambda cells: cells[7].update(source='check("0.1", loss)'))
def checks_each_answer_in_the_next_cell(notebook):
    cells = code(notebook)
    for cell, after in zip(cells, [*cells[1:], new_code_cell()], strict=True):
        if {"exercise", "task"} & tags(cell):
            id, defined = cell.metadata.get("exercise"), re.search(r"^(?:def|class) (\w+)", cell.source, re.MULTILINE)
            call = f'{"check" if "exercise" in tags(cell) else "look_over"}("{id}", {defined and defined[1]})'
            if (after.source, after.metadata.get("exercise"), tags(after)) != (call, id, {"check"}):
                yield f"after {id} comes a cell tagged check, with {id} in its metadata: {call}"


@rule(lambda cells: cells[8].update(source=cells[8].source.replace("Hint 2", "Hint")))
def has_two_hints_after_each_check(notebook):
    for i, cell in enumerate(notebook.cells):
        if "check" in tags(cell) and cell.metadata.get("exercise") in EXERCISES:
            after = notebook.cells[i + 1].source if i + 1 < len(notebook.cells) else ""
            if re.findall(r"<summary>(Hint \d) · ", after) != ["Hint 1", "Hint 2"] or not after.startswith("<details>"):
                yield f"after the check of {cell.metadata.exercise} come two folded hints"


@rule(lambda cells: cells[4].update(source=cells[4].source + " [here](gone.md)"))
def has_links_that_resolve(notebook):
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    yield from house.broken_links(text, places.notebooks())


@rule(lambda cells: cells[3].update(source="log_var = x"))
def uses_one_name_per_quantity(notebook):
    for cell in code(notebook):
        yield from house.wrong_names(cell.source)


@rule(lambda cells: cells[2].update(source="from course_utils.grading.tasks import TASKS"))
def leaves_grading_alone(notebook):
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and "grading" in cell.source:
            yield f"cell {i} names grading, which a bundle for students leaves out"


@rule(lambda cells: cells[3].outputs[0].data.update({"image/png": "A" * 1_500_000}))
def is_smaller_than_1500_kb(notebook):
    size = len(nbformat.writes(notebook))
    if size > 1_500_000:
        yield f"{size} bytes"


def answer_cell(notebook, id):
    """The first answer cell of an exercise, and the text before it."""
    for before, cell in pairwise(notebook.cells):
        if {"exercise", "task"} & tags(cell) and cell.metadata.get("exercise") == id:
            return cell, before.source
    return None, ""


def good():
    """A small lesson that breaks no rule."""
    alt = "24 handwritten digits in two rows"
    picture = new_output("display_data", {"image/png": "A", "text/plain": alt}, metadata={"image/png": {"alt": alt}})
    measured = new_output("stream", text="pixels: 784   (expected ≥ 0.5)   holds\n")
    unwritten = new_output("stream", text="…  0.1  not written yet\n")
    exercise = EXERCISES["0.1"]
    header = f"### Exercise 0.1 · {exercise.title}\n`10 min · 1 line · {exercise.points} points · checked`"
    stub = 'def squared_error(x_hat, x):\n    """One number per image."""\n    raise NotImplementedError  # one line'
    hints = "".join(f"<details><summary>Hint {n} · the line</summary>\n\nSum.\n</details>\n" for n in (1, 2))
    cells = [
        new_markdown_cell("# 00 · Start here\n\nWhich of these did a person write? [Look](#A-claim)"),
        new_code_cell('dataset = "digits"', metadata={"tags": ["parameters"]}),
        new_code_cell('start("00", dataset)', metadata={"tags": ["setup"]}),
        new_code_cell("plots.show(figure, alt=alt)", outputs=[picture, measured]),
        new_markdown_cell("**Figure 0.1.** Look at the strokes.\n\n## A claim"),
        new_markdown_cell(header),
        new_code_cell(stub, metadata={"tags": ["exercise"], "exercise": "0.1"}),
        new_code_cell(
            'check("0.1", squared_error)', metadata={"tags": ["check"], "exercise": "0.1"}, outputs=[unwritten]
        ),
        new_markdown_cell(hints),
    ]
    notebook = new_notebook(cells=cells)
    for count, cell in enumerate(code(notebook), 1):
        cell.execution_count = count
    return notebook


@pytest.mark.parametrize(("found", "spoil"), RULES)
def test_every_lesson(found, spoil):
    spoiled = good()
    spoil(spoiled.cells)
    assert not list(found(good())) and list(found(spoiled)), "the rule does not tell a good lesson from a spoiled one"
    problems = [f"{path.name}: {line}" for path in LESSONS for line in found(nbformat.read(path, as_version=4))]
    assert not problems, "\n".join(problems)


def test_every_exercise_has_its_lesson():
    numbers = {str(int(path.name[:2])) for path in LESSONS}
    assert {id.split(".")[0].lstrip("T") for id in [*EXERCISES, *TASKS]} == numbers

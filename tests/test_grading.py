"""Marks from outside the student's process: honest answers get what they deserve, in every lesson."""

import json
import os

import pytest

from course_utils.exercises import judge
from course_utils.exercises.answer import in_process
from course_utils.grading import marking, sandbox, submission
from tests import submissions
from tests.submissions import ALL, LESSONS, notebook, references, saved

WHY_NOT = sandbox.why_not()
if WHY_NOT and "CI" not in os.environ:
    pytest.skip(f"answers cannot be walled in: {WHY_NOT}", allow_module_level=True)


# Every lesson is marked with right answers and with none. All known wrong and right ones are tried on some lessons:
# tests/test_exercises.py tries them in every lesson, through the same checks and the same Answer.
THOROUGH = [path for path in LESSONS if path.stem[:2] in os.environ.get("COURSE_GRADED", "03").split()]


@pytest.fixture(scope="module", params=LESSONS, ids=lambda path: path.stem)
def lesson(request):
    """(path, the lesson, a function that marks a notebook)"""
    which = submission.lesson(request.param)
    with sandbox.sandbox(which.setup) as begin:
        yield request.param, which, begin


def marked(lesson, made, folder, seed="0"):
    _, which, begin = lesson
    return marking.mark(saved(made, folder), which, begin, seed)


def points(result):
    return {id: mark["points"] for id, mark in result["marks"].items()}


def test_references_get_full_marks_and_stubs_none(lesson, tmp_path):
    path, which, _ = lesson
    full = marked(lesson, notebook(path, references(which)), tmp_path)
    assert points(full) == {id: ALL[id].points for id in which.stubs}, full
    assert full["remarks"] == [] and full["why"] is None
    assert marked(lesson, notebook(path, references(which)), tmp_path) == full  # marking again gives the same
    untouched = marked(lesson, notebook(path), tmp_path)
    assert points(untouched) == dict.fromkeys(which.stubs, 0)
    assert {mark["mistake"] for mark in untouched["marks"].values()} == {"not-written"}


@pytest.mark.parametrize("lesson", THOROUGH, indirect=True, ids=lambda path: path.stem)
def test_each_misconception_is_named_as_in_the_notebook(lesson, tmp_path):
    """The n-th wrong answer to every exercise at once: the same points and mistake as in the notebook's own process."""
    path, which, _ = lesson
    wrong, _ = submissions.known(which)
    seen = 0
    for n in range(max(map(len, wrong.values()))):
        those = {id: entries[n] for id, entries in wrong.items() if n < len(entries)}
        made = notebook(path, references(which) | {id: cell for id, (_, _, cell) in those.items()})
        result = marked(lesson, made, tmp_path, str(n))
        for id, mark in result["marks"].items():
            if id not in those:
                assert mark["points"] == ALL[id].points, f"{id} lost marks to another's mistake: {mark}"
                continue
            _, function, _ = those[id]
            assert mark["mistake"] and mark["points"] < mark["of"] and mark["event"] is None, mark
            seed = f"{n} {id}"
            there = judge(
                ALL[id], in_process(function, marking.number(f"answer {seed}")), marking.number(f"inputs {seed}")
            )
            assert (mark["points"], mark["parts"], mark["mistake"]) == (there.points, there.parts, there.mistake)
            seen += 1
    assert seen == sum(len(entries) for entries in wrong.values()) >= 4 * len(which.stubs)


@pytest.mark.parametrize("lesson", THOROUGH, indirect=True, ids=lambda path: path.stem)
def test_each_variant_gets_full_marks(lesson, tmp_path):
    """Other types, numpy, scikit-learn, torch.distributions: right is right."""
    path, which, _ = lesson
    _, right = submissions.known(which)
    for n in range(max(map(len, right.values()))):
        those = {id: entries[n] for id, entries in right.items() if n < len(entries)}
        result = marked(lesson, notebook(path, references(which) | those), tmp_path, str(n))
        assert points(result) == {id: ALL[id].points for id in which.stubs}, result


PRINTS = """import logging
import warnings

import numpy as np
from torch import distributions


def walk(z_a, z_b, steps):
    print("walking", z_a.shape)
    warnings.warn("a warning")
    logging.warning("a log line")
    t = np.linspace(0, 1, steps)[:, None]
    return (z_a.numpy() + t * (z_b - z_a).numpy()).astype(np.float64)


walk(torch.zeros(3), torch.ones(3), 4)
print(z_of_a_cell_that_is_not_run)
%timeit walk(torch.zeros(3), torch.ones(3), 4)
"""


@pytest.fixture(scope="module")
def holes():
    path = next(path for path in LESSONS if path.name.startswith("03"))
    which = submission.lesson(path)
    with sandbox.sandbox(which.setup) as begin:
        yield path, which, begin


def test_honest_answers_may_print_warn_log_and_fail_elsewhere(holes, tmp_path):
    result = marked(holes, notebook(holes[0], {"3.1": PRINTS}), tmp_path)
    assert result["marks"]["3.1"]["points"] == 2, result


def test_helpers_in_added_cells_count_and_other_added_cells_do_not(holes, tmp_path):
    answer = "def walk(z_a, z_b, steps):\n    return helper(z_a, z_b, torch.linspace(0, 1, steps))"
    helper = "import torch as t\nSMALL = 1e-8\n\ndef helper(a, b, s):\n    return a + s[:, None] * (b - a)"
    assert marked(holes, notebook(holes[0], {"3.1": answer}, (helper,)), tmp_path)["marks"]["3.1"]["points"] == 2
    mixed = helper + "\nprint(1)"
    assert marked(holes, notebook(holes[0], {"3.1": answer}, (mixed,)), tmp_path)["marks"]["3.1"]["points"] == 0


def test_what_a_student_changes_in_the_lesson_itself_is_not_taken(holes, tmp_path):
    path, which, _ = holes
    made = notebook(path, {"3.1": PRINTS})
    for cell in made["cells"]:
        if cell["cell_type"] == "code" and cell["id"] in which.cells and "exercise" not in cell["metadata"]:
            cell["source"] = "def forged():\n    return 1"
    cells, _ = submission.read(saved(made, tmp_path), which)
    assert [cell.exercise for cell in cells] == ["3.1"]


def test_split_and_copied_cells_are_joined(holes, tmp_path):
    made = notebook(holes[0])
    place, stub = next(
        (i, cell)
        for i, cell in enumerate(made["cells"])
        if "walk" in submission.source_of(cell) and cell["cell_type"] == "code"
    )
    first = stub | {"id": "a", "source": "def walk(z_a, z_b, steps):\n    t = torch.linspace(0, 1, steps)"}
    second = stub | {"id": "b", "source": "    return z_a + t[:, None] * (z_b - z_a)"}
    # Split in two, the first copied before it, and an untouched copy of the stub after it.
    made["cells"][place : place + 1] = [first, second, stub]
    assert marked(holes, made, tmp_path)["marks"]["3.1"]["points"] == 2


@pytest.mark.parametrize(
    "text, why",
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[" * 100_000, "damaged"),
        ("[]", "no notebook"),
        ('{"cells": 3}', "no notebook"),
        ('{"cells": [3]}', "cell 1 is damaged"),
        ('{"cells": [{"cell_type": "code", "source": 3}]}', "cell 1 is damaged"),
        ('{"cells": [{"cell_type": "code", "source": "\\ud800"}]}', "cell 1 is damaged"),
        ('{"cells": [{"cell_type": "code", "source": "x", "metadata": {"tags": [[]]}}]}', "cell 1 is damaged"),
        ('{"cells": [{"cell_type": "code", "source": "x = 1"}]}', "another notebook"),
        (json.dumps({"cells": [{"cell_type": "markdown", "source": "x" * 1_000_001}]}), "more than 1,000,000 letters"),
    ],
)
def test_what_cannot_be_read_is_not_marked_and_says_why(holes, tmp_path, text, why):
    result = marking.mark(saved(text, tmp_path), holes[1], holes[2], "0")
    assert why in result["why"] and result["marks"] == {}


def test_one_seed_one_mark_and_another_seed_other_inputs(holes, tmp_path):
    """The words of a wrong value quote it: they stay the same under a seed, and differ between students."""
    made = notebook(holes[0], {"3.1": "def walk(z_a, z_b, steps):\n    return 0.7 * z_a + torch.zeros(steps, 1)"})
    lines = [marked(holes, made, tmp_path, seed)["marks"]["3.1"]["line"] for seed in ("ada", "ada", "bob")]
    assert lines[0] == lines[1] != lines[2]

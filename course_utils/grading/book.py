"""From the scorer's marks to nbgrader's database, and to the notebook that the desk shows and feedback is made of.

The notebook is the release with the student's answers in it. Nothing else of a submission comes to the desk, where it
would run with the instructor's rights: no outputs, no HTML.
"""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.exercises import EXERCISES
from course_utils.grading import classroom, formulas, submission
from course_utils.grading.questions import Addition, additions
from course_utils.grading.release import grade_id

EMPTY = "No response."
ADDED = "## Cells that the student added"


@contextmanager
def opened(folder: Path) -> Iterator:
    """nbgrader's gradebook of the class."""
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import OperationalError

    warnings.filterwarnings("ignore", message="Object of type .* not in session")  # nbgrader's own, and harmless
    file = (folder / "gradebook.db").resolve()
    try:
        with Gradebook(f"sqlite:///{file}") as gradebook:
            yield gradebook
    except OperationalError as error:
        raise CourseError(
            f"{file}: {error.orig}. Wait until the desk and other commands have saved, then try again."
        ) from error


def enter(folder: Path, lesson: str) -> list[str]:
    """Enter the marks of a lesson, without touching what a person has marked; return lines on what needs a person."""
    from nbgrader.api import Grade, SubmittedAssignment

    roster = classroom.students(folder)
    extra = {one.id: one for one in additions(folder / "private") if one.lesson == lesson[:2]}
    release, marks = classroom.release_of(folder, lesson), classroom.marks_of(folder, lesson)
    taught, handed_in = submission.lesson(release), classroom.submissions(folder, lesson)
    released = json.loads(release.read_bytes())
    lines, waiting = [], 0
    with opened(folder) as book:
        for student, row in roster.items():
            book.update_or_create_student(student, **{key: row[key] or None for key in row if key != "id"})
        cells = {cell.name: cell for cell in book.find_notebook(lesson, lesson).grade_cells}
        for student, record in marks.items():
            path = handed_in.get(student)
            if record["why"] or not path:
                continue
            if student not in roster:
                book.update_or_create_student(student)
            there = (
                book.db.query(SubmittedAssignment)
                .filter(SubmittedAssignment.student_id == student, SubmittedAssignment.assignment.has(name=lesson))
                .one_or_none()
            ) or book.add_submission(lesson, student)
            notebook = there.notebooks[0]
            grades = {grade.cell.name: grade for grade in notebook.grades}
            comments = {comment.cell.name: comment for comment in notebook.comments}
            for name in cells.keys() - grades.keys():
                grades[name] = Grade(cell_id=cells[name].id, notebook=notebook)
            for id, mark in record["marks"].items():
                name, answer = grade_id("check", id), comments[grade_id("answer", id)]
                answer.auto_comment = _words(mark)
                if name in cells:
                    grades[name].auto_score = worth(mark, cells[name].max_score, id in EXERCISES)
                    grades[name].needs_manual_grade = False
            for id, text in record["written"].items():
                grade, answer = grades[grade_id("answer", id)], comments[grade_id("answer", id)]
                grade.auto_score = None if text else 0.0
                answer.auto_comment = None if text else EMPTY
                judged = grade.manual_score is not None
                changed = judged and record.get("judged", {}).get(id, text) != text
                grade.needs_manual_grade = bool(text) and (not judged or changed)
                waiting += grade.needs_manual_grade
                if changed:
                    lines.append(f"! {student}: {id} was marked by a person and has changed since: look at it again.")
            at = classroom.handed_in_at(path)
            there.timestamp = at.astimezone().replace(tzinfo=None) if at else None
            shown = graded_notebook(released, submission.cells_of(path), record, taught, extra)
            target = folder / "autograded" / student / lesson / f"{lesson}.ipynb"
            classroom.write(target, json.dumps(shown, ensure_ascii=False).encode())
        book.db.commit()
    for student, record in marks.items():
        if record.get("entered") != record["written"]:
            _save(folder, lesson, student, {**record, "entered": record["written"]})
    count_late(folder)
    if waiting:
        lines.append(f"{lesson}: {waiting} written answers wait for you at the desk (`grade desk`).")
    return lines


def worth(mark: dict, points: float, is_practice: bool) -> float:
    """Points in the gradebook: a task's own part by part, or those of an exercise when it is passed."""
    share = mark["points"] / mark["of"]
    return points * (share == 1 if is_practice else share)


def _words(mark: dict) -> str:
    """The line of the check, as text for a page: what it quotes of an answer is shown as it is."""
    parts = ", ".join(f"{name} {got}" for name, got in mark["parts"].items())
    return formulas.literal(mark["line"]) + (f" ({formulas.literal(parts)})" if len(mark["parts"]) > 1 else "")


def remember_judged(folder: Path, lesson: str) -> None:
    """Keep beside the marks which words a person has marked, so that a change of them is noticed.

    Those are the words that were entered: newer ones, marked in a round that was stopped, nobody has seen yet.
    """
    with opened(folder) as book:
        for student, record in classroom.marks_of(folder, lesson).items():
            judged = dict(record.get("judged", {}))
            for id, text in record.get("entered", record["written"]).items():
                try:
                    grade = book.find_grade(grade_id("answer", id), lesson, lesson, student)
                except Exception:
                    continue
                if grade.manual_score is not None and not grade.needs_manual_grade:
                    judged[id] = text
            if judged != record.get("judged", {}):
                _save(folder, lesson, student, {**record, "judged": judged})


def _save(folder: Path, lesson: str, student: str, record: dict) -> None:
    file = folder / "marks" / lesson / f"{student}.json"
    classroom.write(file, json.dumps(record, indent=1, ensure_ascii=False).encode())


# Late days


def count_late(folder: Path) -> None:
    """Count the days that each student was late, over all lessons in their order, and what they cost as marks stand."""
    from nbgrader.api import SubmittedNotebook

    settings, by_student = classroom.settings(folder), {}
    with opened(folder) as book:
        for notebook in book.db.query(SubmittedNotebook).all():
            by_student.setdefault(notebook.assignment.student_id, []).append(notebook)
        for student, theirs in by_student.items():
            free = settings["free_late_days"]
            for notebook in sorted(theirs, key=lambda one: one.name):
                days = days_late(folder, notebook.name, student, settings)
                paid = max(0, days - free)
                free = max(0, free - days)
                cost = settings["late_penalty"] * paid * notebook.max_score
                notebook.late_submission_penalty = min(cost, notebook.score) if cost else None
        book.db.commit()


def days_late(folder: Path, lesson: str, student: str, settings: dict) -> int:
    """Days begun since the date on which a lesson was due."""
    due = settings["due"].get(lesson[:2])
    at = classroom.handed_in_at(folder / "submitted" / student / lesson / f"{lesson}.ipynb")
    return -(-max(at - due, timedelta()) // timedelta(days=1)) if due and at else 0


# The notebook of the desk


def graded_notebook(
    released: dict, handed_in: list[dict], record: dict, taught: submission.Lesson, extra: dict[str, Addition]
) -> dict:
    """The release with a student's answers, the checks' lines below them, and rubrics above written ones."""
    answers: dict[str, list[str]] = {}
    added = []
    for cell in handed_in:
        id, source = cell["metadata"].get("exercise"), submission.source_of(cell)
        if cell["cell_type"] != "code" or not source.strip():
            continue
        if id in taught.stubs and "check" not in cell["metadata"].get("tags", []):
            if source.strip() != taught.stubs[id].strip():
                answers.setdefault(id, []).append(source)
        elif id is None and cell.get("id") not in taught.cells and source not in taught.cells.values():
            added.append(source)
    cells = []
    for cell in json.loads(json.dumps(released["cells"])):
        cell["source"] = submission.source_of(cell)
        id, tags = cell["metadata"].get("exercise"), cell["metadata"].get("tags", [])
        if {"exercise", "task"} & set(tags):
            cell["source"] = "\n\n".join(answers.get(id, [cell["source"]]))
        elif "question" in tags:
            cells.append(_rubric(extra[id])) if id in extra else None
            cell["source"] = formulas.as_text(record["written"].get(id) or cell["source"])
        elif "check" in tags and id in record["marks"]:
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": record["marks"][id]["line"]}]
            cell["execution_count"] = 1
        elif cell["cell_type"] == "markdown":
            cell["source"] = formulas.to_mathml(cell["source"])
        cells.append(cell)
    if added:
        cells.append({"cell_type": "markdown", "id": "added", "metadata": {}, "source": ADDED})
        cells += [
            {
                "cell_type": "code",
                "id": f"added-{n}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for n, source in enumerate(added)
        ]
    return {**released, "cells": cells}


def _rubric(one: Addition) -> dict:
    """What the desk shows above an answer, and feedback leaves out."""
    samples = [f"**A sample for {points:g} points.** {text}" for points, text in one.samples]
    source = "\n\n".join([f"**Rubric of {one.id}, for you alone**", one.rubric, "<details><summary>Samples</summary>"])
    source += "\n\n" + "\n\n".join(samples) + "\n\n</details>"
    metadata = {"tags": ["rubric"]}
    return {"cell_type": "markdown", "id": f"rubric-{one.id.lower()}", "metadata": metadata, "source": source}

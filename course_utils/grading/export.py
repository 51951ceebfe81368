"""Marks as tables: one for yourself, one in the form that Moodle imports, one for Canvas."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from course_utils.grading import book, classroom
from course_utils.grading.release import grade_id

MARKED, WAITS, OUTDATED = "marked", "waits for the desk", "handed in anew since it was marked"


@dataclass(frozen=True)
class Line:
    """What a student has in a lesson. `score` is None where nothing was marked; `status` says why."""

    student: str
    lesson: str
    status: str
    score: float | None
    of: float
    penalty: float
    days_late: int
    parts: dict[str, float]


def lines(folder: Path, lessons: list[str]) -> list[Line]:
    """The marks as they stand in the gradebook, in which a person may have changed some."""
    from nbgrader.api import MissingEntry

    roster, settings, found = classroom.students(folder), classroom.settings(folder), []
    with book.opened(folder) as gradebook:
        for lesson in lessons:
            marks, handed_in = classroom.marks_of(folder, lesson), classroom.submissions(folder, lesson)
            of = gradebook.find_assignment(lesson).max_score
            for student in sorted({*roster, *handed_in}):
                record, late = marks.get(student), book.days_late(folder, lesson, student, settings)
                try:
                    entry = gradebook.find_submission_notebook(lesson, lesson, student)
                except MissingEntry:
                    entry = None
                if not record or record["why"] or not entry:
                    status = "not handed in" if student not in handed_in else "not marked yet"
                    status = f"not marked: {record['why']}" if record and record["why"] else status
                    found.append(Line(student, lesson, status, None, of, 0, late, {}))
                    continue
                waiting = any(grade.needs_manual_grade for grade in entry.grades)
                names = {
                    grade_id(kind, id): id
                    for id in [*record["marks"], *record["written"]]
                    for kind in ("check", "answer")
                }
                parts = {names[g.cell.name]: g.score for g in entry.grades if g.cell.name in names}
                penalty = entry.late_submission_penalty or 0.0
                path = handed_in.get(student)
                changed = path and classroom.digest(path.read_bytes()) != record["submission"]
                status = OUTDATED if changed else WAITS if waiting else MARKED
                found.append(Line(student, lesson, status, entry.score - penalty, of, penalty, late, parts))
    return found


def export(folder: Path, lessons: list[str]) -> list[str]:
    """Write export/marks.csv, moodle.csv and canvas.csv; return lines on them."""
    found, roster = lines(folder, lessons), classroom.students(folder)
    ids = sorted({id for line in found for id in line.parts}, key=_order)
    people = sorted({line.student for line in found})
    names = {student: roster.get(student, dict.fromkeys(classroom.COLUMNS, "")) for student in people}
    by_key = {(line.student, line.lesson): line for line in found}

    head = ["student", "first_name", "last_name", "lesson", "status", "score", "of", "penalty", "days_late", *ids]
    rows = [
        [line.student, names[line.student]["first_name"], names[line.student]["last_name"], line.lesson, line.status]
        + [_number(line.score), _number(line.of), _number(line.penalty), line.days_late]
        + [_number(line.parts.get(id)) for id in ids]
        for line in found
    ]
    _save(folder / "export" / "marks.csv", [head, *rows])

    def scores(student):  # what is not marked to its end is left empty, so that no one reads it as a final mark
        theirs = [by_key[student, lesson] for lesson in lessons]
        return [_number(line.score) if line.status == MARKED else "" for line in theirs]

    head = ["Username", "First name", "Last name", "Email address", *lessons]
    rows = [[s, names[s]["first_name"], names[s]["last_name"], names[s]["email"], *scores(s)] for s in people]
    _save(folder / "export" / "moodle.csv", [head, *rows])
    of = [_number(by_key[people[0], lesson].of) for lesson in lessons] if people else []
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *lessons]
    rows = [[f"{names[s]['last_name']}, {names[s]['first_name']}", "", s, s, "", *scores(s)] for s in people]
    _save(folder / "export" / "canvas.csv", [head, ["    Points Possible", "", "", "", "", *of], *rows])
    waiting, outdated = (sum(line.status == status for line in found) for status in (WAITS, OUTDATED))
    made = [f"{len(found)} lines in {folder / 'export' / 'marks.csv'}; moodle.csv and canvas.csv beside it."]
    if waiting:
        made.append(f"! {waiting} wait for the desk (`grade desk`): left empty in moodle.csv and canvas.csv.")
    if outdated:
        made.append(
            f"! {outdated} were handed in anew since they were marked (`grade mark`): "
            "left empty in moodle.csv and canvas.csv."
        )
    return made + [
        f"! {line.student}, {line.lesson[:2]}: {line.status}; its score is left empty."
        for line in found
        if line.score is None
    ]


def _order(id: str) -> tuple:
    number = "".join(filter(str.isdigit, id.split(".")[0]))
    return (int(number or 0), not id[0].isdigit(), id)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _save(path: Path, rows: list[list]) -> None:
    """A cell that begins like a formula would be run by a spreadsheet: it is written with an apostrophe before it."""
    file = io.StringIO(newline="")
    safe = [[f"'{cell}" if str(cell).startswith(("=", "+", "@", "-")) else cell for cell in row] for row in rows]
    csv.writer(file).writerows(safe)
    classroom.write(path, file.getvalue().encode("utf-8"))

"""A class from release to report: nothing of anybody's work is lost, forged, or read as a 0 that it is not."""

import ast
import csv
import inspect
import io
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unicodedata
import urllib.request
import zipfile
from contextlib import closing, nullcontext
from datetime import datetime, timedelta

import pytest

if "CI" not in os.environ:
    pytest.importorskip("nbgrader", reason="grading needs the extra `instructor`: make grading")

from course_utils import places
from course_utils.errors import CourseError
from course_utils.exercises import judge
from course_utils.exercises.answer import in_process
from course_utils.exercises.engine import Exercise
from course_utils.grading import (
    book,
    classroom,
    cli,
    collect,
    export,
    feedback,
    formulas,
    marking,
    questions,
    release,
    report,
    rounds,
    sandbox,
    submission,
)
from course_utils.grading.tasks import TASKS
from tests import submissions

LESSON = "03_holes"
ROSTER = "id,first_name,last_name,email\nada,Ada,Abel,ada@example.org\nbea,Bea,Berg,\ncem,Cem,Costa,\ndora,Dora,Diaz,\n"
WHY_NOT = sandbox.why_not()
needs_walls = pytest.mark.skipif(
    bool(WHY_NOT) and "CI" not in os.environ, reason=f"answers cannot be walled in: {WHY_NOT}"
)
ANSWER = "The error is *small* only where codes are. <script>alert(1)</script><img src=x onerror=alert(2)> $z < 1$"
PRIVATE = """lesson: 03

### Task P3 · Twice
Return twice the codes `z`.

```python
def twice(z):
    raise NotImplementedError
```
"""
PRIVATE_CHECK = """
from course_utils.exercises.engine import Exercise, same


def check(answer, judge):
    z = judge.normal(3, 2)
    with judge.part("value"):
        same(answer(z), 2 * z, "twice")


TASK = Exercise("P3", "Twice", {"value": 2}, lambda z: 2 * z, check)
"""


def notebook(folder, solutions=None, written="", student="", added=()):
    made = submissions.notebook(classroom.release_of(folder, LESSON), solutions, added)
    for cell in made["cells"]:
        if "question" in cell["metadata"].get("tags", []) and written:
            cell["source"] = written
        if "name" in cell["metadata"].get("tags", []) and student:
            cell["source"] = f'NAME = "x"\nSTUDENT = "{student}"'
    return made


@pytest.fixture(scope="module")
def spring(tmp_path_factory):
    """A class to which lesson 03 was released, with a private task; two answers were handed in and one damaged file."""
    folder = tmp_path_factory.mktemp("classes") / "spring"
    (folder / "private").mkdir(parents=True)
    (folder / "private" / "p3.md").write_text(PRIVATE)
    (folder / "private" / "p3.py").write_text(PRIVATE_CHECK)
    release.release(folder, ["3"])
    (folder / "students.csv").write_text(ROSTER)
    taught = submission.lesson(classroom.release_of(folder, LESSON))
    right = {id: submissions.reference(id, name) for id, name in taught.names.items() if id != "P3"}
    right["P3"] = "def twice(z):\n    return z + z"
    downloads = folder / "downloads"
    downloads.mkdir()
    (downloads / "ada").mkdir()
    (downloads / "ada" / f"{LESSON} (1).ipynb").write_text(json.dumps(notebook(folder, right, ANSWER)))
    with zipfile.ZipFile(downloads / "moodle.zip", "w") as archive:
        half = dict(list(right.items())[:2])
        archive.writestr("Bea Berg_17_assignsubmission_file_/Lesson 3.ipynb", json.dumps(notebook(folder, half)))
        archive.writestr("Cem Costa_18_assignsubmission_file_/03_holes.ipynb", "{damaged")
    collect.collect(folder, downloads)
    return folder


@pytest.fixture(scope="module")
def one_sandbox(spring):
    """The sandbox that all rounds of these tests share: its start takes longer than all that is marked here."""
    setup = submission.lesson(classroom.release_of(spring, LESSON)).setup
    with pytest.MonkeyPatch.context() as patch, sandbox.sandbox(setup, spring / "bundle") as begin:
        patch.setattr(rounds.sandbox, "sandbox", lambda *_: nullcontext(begin))
        yield


@pytest.fixture(scope="module")
def marked(spring, one_sandbox):
    rounds.mark_lesson(spring, LESSON, show=lambda line: None)
    book.enter(spring, LESSON)
    return spring


@pytest.fixture
def copied(marked, tmp_path):
    """The marked class in a folder of its own, to be changed."""
    return shutil.copytree(marked, tmp_path / "class")


def scores(folder):
    return {line.student: line for line in export.lines(folder, [LESSON])}


# Release


def test_the_bundle_holds_no_answer_of_a_task_and_nothing_of_grading(spring):
    with zipfile.ZipFile(spring / "bundle.zip") as archive:
        texts = {name: archive.read(name).decode(errors="replace") for name in archive.namelist()}
    assert "course/notebooks/03_holes.ipynb" in texts and "course/course_utils/lesson.py" in texts
    assert not [name for name in texts if "grading" in name or "private" in name]
    everything = "\n".join(texts.values())
    assert "[project.scripts]" not in everything
    for task in TASKS.values():
        body = ast.parse(inspect.getsource(task.reference)).body[0].body[1:]
        lines = [line for line in "\n".join(map(ast.unparse, body)).splitlines() if len(line) > 30]
        assert not [line for line in lines if line in everything and "raise" not in line] or len(lines) < 2
        assert f"def {task.check.__name__}(answer: Answer, judge: Judge)" not in everything
    question = next(one for one in questions.additions() if one.id == "Q3")
    assert question.text.splitlines()[0] in everything and question.rubric.splitlines()[0] not in everything


def test_released_cells_are_nbgraders(spring):
    cells = json.loads(classroom.release_of(spring, LESSON).read_text())["cells"]
    ours = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in cells if "nbgrader" in cell["metadata"]}
    points = {name: release.points(cell) for name, cell in ours.items() if release.points(cell)}
    assert points == {"check-T3": 5, "answer-Q3": 4, "check-P3": 2}
    assert all(cell["metadata"]["nbgrader"]["checksum"] for cell in ours.values())
    assert {"answer-3-1", "check-3-1", "answer-T3"} <= set(ours)
    assert "outputs" not in ours["answer-Q3"] and all(not cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("one", questions.additions(), ids=lambda one: one.id)
def test_questions_have_a_rubric_that_adds_up_and_samples_that_differ(one):
    worth = [float(points) for points in re.findall(r"^- ([\d.]+) points?:", one.rubric, re.MULTILINE)]
    assert sum(worth) == one.points
    assert len({points for points, _ in one.samples}) >= 3
    assert max(one.samples)[0] == one.points and min(one.samples)[0] == 0


def test_each_part_has_a_question():
    lessons = {one.lesson for one in questions.additions()}
    assert lessons & {"01", "02", "03"} and lessons & {"04", "05", "06", "07", "08", "09", "10", "11"}


# Collect


def test_what_was_handed_in_is_matched_and_what_was_not_is_listed(spring, tmp_path):
    folder = shutil.copytree(spring, tmp_path / "class")
    assert set(classroom.submissions(folder, LESSON)) == {"ada", "bea", "cem"}
    more = tmp_path / "more"
    (more / "who").mkdir(parents=True)
    good = json.dumps(notebook(folder))
    (more / "who" / "03_holes.ipynb").write_text(good)
    (more / "dora").mkdir()
    (more / "dora" / "03_holes-Copy1.ipynb").write_text(good)
    (more / "dora" / "03_holes.ipynb").write_text(good)
    (more / "dora" / "essay.pdf").write_text("x")
    (more / "ada.zip").write_bytes(b"PK damaged")
    os.symlink("/etc/passwd", more / "dora" / "link.ipynb")
    with zipfile.ZipFile(more / "bea.zip", "w") as archive:
        archive.writestr("../../gradebook.db", "forged")
        archive.writestr("/etc/03_holes.ipynb", "forged")
        archive.writestr("..\\..\\03_holes.ipynb", "forged")
        archive.writestr("deep/../../submitted/ada/03_holes/03_holes.ipynb", "forged")
        archive.writestr("untitled.ipynb", json.dumps(notebook(folder, {"3.1": "x = 1"}, student="bea")))
    with zipfile.ZipFile(more / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ada/03_holes.ipynb", b"0" * (submission.LARGEST + 1))
    before = (folder / "gradebook.db").read_bytes(), classroom.submissions(folder, LESSON)["ada"].read_bytes()
    lines = "\n".join(collect.collect(folder, more))
    assert "not matched to a student: who/03_holes.ipynb" in lines and (folder / "unmatched").exists()
    assert lines.count("climbs out") == 4 and lines.count("too large") == 1
    assert "no notebook: dora/essay.pdf" in lines and "could not be opened: ada.zip" in lines and "a link" in lines
    assert "dora handed in 03 twice" in lines
    assert before == ((folder / "gradebook.db").read_bytes(), classroom.submissions(folder, LESSON)["ada"].read_bytes())
    assert "x = 1" in classroom.submissions(folder, LESSON)["bea"].read_text()  # matched by what is in it
    assert "0 of them new or changed" in collect.collect(folder, more)[0]


@pytest.mark.parametrize(
    "place, student",
    [
        ("ada/03_holes.ipynb", "ada"),
        ("ADA_03_holes_20270301-120000/03_holes.ipynb", "ada"),
        ("ada@example.org/03_holes.ipynb", "ada"),
        ("Abel, Ada/03_holes.ipynb", "ada"),
        ("Ada Abel_99_assignsubmission_file_/03_holes.ipynb", "ada"),
        ("03_holes ada.ipynb", "ada"),
        ("ada bea/03_holes.ipynb", None),
        ("adam/03_holes.ipynb", None),
    ],
)
def test_students_are_known_by_id_address_and_name(spring, place, student):
    found = collect.Found(collect.PurePosixPath(place), b"{}", datetime.now().astimezone())
    assert collect._student(found, classroom.students(spring), [LESSON]) == student


def test_numbers_in_names_are_no_ids_and_a_mac_spells_as_others_do():
    people = [("01", "Ada", "Abel"), ("03", "José", "Núñez"), ("17", "Bea", "Berg"), ("1", "Cem", "Costa")]
    roster = {id: dict(zip(classroom.COLUMNS, (id, first, last, ""), strict=True)) for id, first, last in people}
    claims = json.dumps({"cells": [{"cell_type": "code", "source": 'STUDENT = "01"'}]}).encode()
    for place, student in {
        "03_holes (1).ipynb": "01",
        "Lesson 3.ipynb": "01",
        "B. Berg_17_assignsubmission_file_/03_holes.ipynb": "01",
        unicodedata.normalize("NFD", "José Núñez/03_holes.ipynb"): "03",
        "17/03_holes.ipynb": "17",
        "17_03_holes.ipynb": "17",
    }.items():
        found = collect.Found(collect.PurePosixPath(place), claims, datetime.now().astimezone())
        assert collect._student(found, roster, [LESSON]) == student, place


def test_no_archive_stops_collecting_or_fills_the_disk(spring, tmp_path):
    folder, more = shutil.copytree(spring, tmp_path / "class"), tmp_path / "more"
    more.mkdir()
    good, stored = json.dumps(notebook(folder, {"3.1": "x = 2"})), io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        for n in range(9):
            archive.writestr(f"{n}.ipynb", b"0" * (10 << 20))
    with zipfile.ZipFile(more / "dora.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(".", "no name")
        archive.writestr(zipfile.ZipInfo("03_holes.ipynb", (2020, 2, 2, 2, 2, 2)), good)
        archive.writestr("swells.zip", stored.getvalue())
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr(zipfile.ZipInfo("03_holes.ipynb", (2021, 1, 1, 1, 1, 0)), good)
    with zipfile.ZipFile(more / "moodle.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("深" * 100 + "/03_holes.ipynb"), "{}")
        archive.writestr(
            zipfile.ZipInfo("Ada Abel_1_assignsubmission_file_/x.zip", (2099, 1, 1, 0, 0, 0)), inner.getvalue()
        )
    lines = "\n".join(collect.collect(folder, more))
    assert (
        "dora.zip holds '.'" in lines
        and "unpacks to more than" in lines
        and "not matched to a student: moodle" in lines
    )
    assert sum(path.stat().st_size for path in (folder / "unmatched").iterdir()) < 40 << 20
    dora, ada = (classroom.submissions(folder, LESSON)[who] for who in ("dora", "ada"))
    assert classroom.handed_in_at(dora).year == 2020 and classroom.handed_in_at(ada).year == 2099  # as Moodle notes it


def test_a_list_of_students_with_other_separators_is_refused(tmp_path):
    (tmp_path / "students.csv").write_text(ROSTER.replace(",", ";"))
    with pytest.raises(CourseError, match="with commas between"):
        classroom.students(tmp_path)


def test_a_class_without_a_list_says_that_a_name_is_anybodys(spring, tmp_path):
    folder = shutil.copytree(spring, tmp_path / "class")
    (folder / "students.csv").write_text(ROSTER.splitlines()[0] + "\n")
    assert [line for line in collect.collect(folder, spring / "downloads") if "lists nobody" in line]
    assert not [line for line in collect.collect(spring, spring / "downloads") if "lists nobody" in line]


# Marks


@needs_walls
def test_marks_reach_the_gradebook_and_what_cannot_be_read_is_no_zero(marked):
    found = scores(marked)
    assert (found["ada"].score, found["ada"].of, found["ada"].status) == (7, 11, "waits for the desk")
    assert found["ada"].parts == {"T3": 5, "P3": 2, "Q3": 0, }  # fmt: skip
    assert (found["bea"].score, found["bea"].status) == (0, "marked")
    assert found["cem"].score is None and "not marked: it is no notebook" in found["cem"].status
    assert found["dora"].score is None and found["dora"].status == "not handed in"
    export.export(marked, [LESSON])
    rows = list(csv.DictReader((marked / "export" / "moodle.csv").read_text().splitlines()))
    assert {row["Username"]: row[LESSON] for row in rows} == {"ada": "", "bea": "0", "cem": "", "dora": ""}
    canvas = list(csv.reader((marked / "export" / "canvas.csv").read_text().splitlines()))
    assert canvas[1][0].strip() == "Points Possible" and canvas[1][-1] == "11"
    assert all(record["seed"].endswith(f"{LESSON} {who}") for who, record in classroom.marks_of(marked, LESSON).items())


def test_a_table_holds_no_formula_that_a_spreadsheet_would_run(tmp_path):
    export._save(tmp_path / "x.csv", [["=1+1", "@a", "+1", "-1", "Ada, = 2", 3]])
    assert (tmp_path / "x.csv").read_text().strip() == "'=1+1,'@a,'+1,'-1,\"Ada, = 2\",3"


@needs_walls
def test_marking_again_changes_nothing_until_something_changed(copied, monkeypatch):
    before = classroom.marks_of(copied, LESSON)
    lines = rounds.mark_lesson(copied, LESSON, show=lambda line: pytest.fail(line))
    assert "0 marked, 3 unchanged" in lines[0] and classroom.marks_of(copied, LESSON) == before

    # Another submission, and another check: what changes is said, with the reason.
    path = classroom.submissions(copied, LESSON)["ada"]
    path.write_text(path.read_text().replace("return z + z", "return z + 1"))
    lines = rounds.mark_lesson(copied, LESSON, show=lambda line: None)
    assert "1 marked, 2 unchanged" in lines[0] and "ada: P3 2 → 0 (the submission has changed)" in lines
    (copied / "private" / "p3.py").write_text(PRIVATE_CHECK.replace('2 * z, "twice"', 'z + 1, "more"'))
    lines = rounds.mark_lesson(copied, LESSON, show=lambda line: None)
    assert "ada: P3 0 → 2 (a check has changed)" in lines and "2 were marked again and kept their points." in lines


@needs_walls
def test_marks_by_hand_survive_and_a_changed_answer_is_noticed(copied):
    with book.opened(copied) as gradebook:
        grade = gradebook.find_grade("answer-Q3", LESSON, LESSON, "ada")
        assert (
            grade.needs_manual_grade and not gradebook.find_grade("answer-Q3", LESSON, LESSON, "bea").needs_manual_grade
        )
        grade.manual_score, grade.needs_manual_grade = 3.5, False
        gradebook.db.commit()
    assert scores(copied)["ada"].score == 10.5 and scores(copied)["ada"].status == "marked"
    book.remember_judged(copied, LESSON)
    path = classroom.submissions(copied, LESSON)["ada"]
    path.write_text(path.read_text().replace("return z + z", "return 2.0 * z"))
    assert "handed in anew" in scores(copied)["ada"].status  # 10.5 are the marks of another notebook
    assert "1 were handed in anew" in " ".join(export.export(copied, [LESSON]))
    assert "10.5" not in (copied / "export" / "moodle.csv").read_text()
    rounds.mark_lesson(copied, LESSON, show=lambda line: None)
    assert not [line for line in book.enter(copied, LESSON) if "changed since" in line]
    assert scores(copied)["ada"].score == 10.5
    path.write_text(path.read_text().replace("*small*", "*tiny*"))
    rounds.mark_lesson(copied, LESSON, show=lambda line: None)
    assert [line for line in book.enter(copied, LESSON) if "ada: Q3 was marked by a person and has changed" in line]
    assert scores(copied)["ada"].score == 10.5 and scores(copied)["ada"].status == "waits for the desk"


@needs_walls
def test_an_answer_that_changed_in_a_stopped_round_is_noticed(copied):
    with book.opened(copied) as gradebook:
        grade = gradebook.find_grade("answer-Q3", LESSON, LESSON, "ada")
        grade.manual_score, grade.needs_manual_grade = 3.5, False
        gradebook.db.commit()
    book.remember_judged(copied, LESSON)
    path = classroom.submissions(copied, LESSON)["ada"]
    path.write_text(path.read_text().replace("*small*", "*tiny*"))
    rounds.mark_lesson(copied, LESSON, show=lambda line: None)  # and stopped before the marks were entered
    book.remember_judged(copied, LESSON)
    assert [line for line in book.enter(copied, LESSON) if "ada: Q3 was marked by a person and has changed" in line]


@needs_walls
def test_a_submission_that_was_taken_away_has_no_marks(copied):
    shutil.rmtree(copied / "submitted" / "ada")
    assert scores(copied)["ada"].status == "not handed in" and scores(copied)["ada"].score is None


@needs_walls
def test_an_interrupted_round_goes_on_where_it_was(copied):
    shutil.rmtree(copied / "marks")

    def stop(line):
        raise KeyboardInterrupt

    with pytest.raises(CourseError, match="Stopped after 1 of 3"):
        rounds.mark_lesson(copied, LESSON, show=stop)
    done = len(classroom.marks_of(copied, LESSON))
    assert done >= 1
    for file in list((copied / "marks" / LESSON).glob("*.json"))[1:]:
        file.unlink()  # what the other process had under way may have ended in time
    shown = []
    rounds.mark_lesson(copied, LESSON, show=shown.append)
    assert len(shown) == 2 and len(classroom.marks_of(copied, LESSON)) == 3


@needs_walls
def test_late_days(copied):
    handed_in = classroom.handed_in_at(classroom.submissions(copied, LESSON)["ada"])
    due = (handed_in - timedelta(days=2, hours=1)).replace(tzinfo=None).isoformat(timespec="seconds")
    for free, penalty in ((0, 3.3), (1, 2.2), (3, 0)):
        text = f'free_late_days = {free}\nlate_penalty = 0.1\n[due]\n"03" = {due}\n'
        (copied / "class.toml").write_text(text)
        book.enter(copied, LESSON)
        line = scores(copied)["ada"]
        assert (line.days_late, line.penalty, line.score) == (3, pytest.approx(penalty), pytest.approx(7 - penalty))


@needs_walls
def test_late_days_cost_by_the_marks_that_the_desk_leaves(copied, capsys):
    handed_in = classroom.handed_in_at(classroom.submissions(copied, LESSON)["bea"])
    due = (handed_in - timedelta(hours=1)).replace(tzinfo=None).isoformat(timespec="seconds")
    (copied / "class.toml").write_text(f'late_penalty = 0.2\n[due]\n"03" = {due}\n')
    book.enter(copied, LESSON)
    for points, left in ((4, 1.8), (1, 0)):  # a day costs 2.2, and never more than was earned
        with book.opened(copied) as gradebook:
            gradebook.find_grade("answer-Q3", LESSON, LESSON, "bea").manual_score = points
            gradebook.db.commit()
        assert cli.main(["--class", str(copied), "export"]) == 0
        assert scores(copied)["bea"].score == pytest.approx(left)


def test_settings_that_cannot_be_meant_are_refused(tmp_path):
    classroom.begin(tmp_path)
    assert classroom.settings(tmp_path) == classroom.KNOWN
    for text, words in {
        "practise = 3": "did you mean 'practice'",
        "late_penalty = -1": "0 or more",
        "[due]\n03 = 'soon'": "without quotes",
        "practice = ": "cannot be read",
    }.items():
        (tmp_path / "class.toml").write_text(text)
        with pytest.raises(CourseError, match=words):
            classroom.settings(tmp_path)


def test_a_check_that_never_ends_is_ended_part_by_part(monkeypatch):
    def endless(answer, judge):
        for name in ("a", "b"):
            with judge.part(name):
                until = time.monotonic() + 60
                while time.monotonic() < until:
                    pass

    monkeypatch.setattr(marking, "JUDGE_SECONDS", 0.2)
    monkeypatch.setitem(sandbox.LIMITS, "seconds", 0)
    which = Exercise("9.9", "", {"a": 1, "b": 1}, None, endless)
    began = time.monotonic()

    nobody = object.__new__(sandbox.Conversation)
    nobody.event = None
    mark = marking._asked(which, "ready", [], [], nobody, "0")
    assert (mark.points, mark.event, mark.mistake) == (0, "time", "time") and time.monotonic() - began < 10


@pytest.mark.parametrize(
    "earned, of, points, practice, worth",
    [(3, 5, 5, False, 3), (3, 3, 0.5, True, 0.5), (2, 3, 0.5, True, 0), (2, 3, 3, True, 0), (3, 4, 2, False, 1.5)],
)
def test_tasks_earn_part_by_part_and_exercises_count_when_they_pass(earned, of, points, practice, worth):
    assert book.worth({"points": earned, "of": of}, points, practice) == worth


@needs_walls
def test_a_release_that_nbgrader_refuses_leaves_the_old_one(copied):
    (copied / "class.toml").write_text("practice = 2\n")
    before = classroom.release_of(copied, LESSON).read_bytes()
    with pytest.raises(CourseError, match="stays as it was"):
        release.release(copied, ["03"])
    assert classroom.release_of(copied, LESSON).read_bytes() == before
    (copied / "class.toml").write_text("practice = 0\n")
    assert "03" in release.release(copied, ["03"])[-1]


def test_what_was_handed_in_before_is_kept(spring, tmp_path):
    folder = shutil.copytree(spring, tmp_path / "class")
    first = classroom.submissions(folder, LESSON)["ada"].read_bytes()
    for minutes, text in ((9, "newer"), (5, "older")):
        (tmp_path / "ada").mkdir(exist_ok=True)
        file = tmp_path / "ada" / f"{LESSON}.ipynb"
        file.write_text(json.dumps(notebook(folder, {"3.1": f"{text} = 1"})))
        at = time.time() + 60 * minutes
        os.utime(file, (at, at))
        collect.collect(folder, _alone(tmp_path))
    assert "newer = 1" in classroom.submissions(folder, LESSON)["ada"].read_text()
    kept = {path.read_bytes() for path in (folder / "earlier" / "ada").iterdir()}
    assert len(kept) == 2 and first in kept and (tmp_path / "ada" / f"{LESSON}.ipynb").read_bytes() in kept
    both = tmp_path / "both" / "dora"
    both.mkdir(parents=True)
    for name in ("a", "b"):
        (both / f"{LESSON}{name}.ipynb").write_text(json.dumps(notebook(folder, {"3.1": f"{name} = 1"})))
    for _ in range(2):
        collect.collect(folder, tmp_path / "both")
    assert len(list((folder / "earlier" / "dora").iterdir())) == 1


def _alone(tmp_path):
    """The folder "ada" within a folder that holds nothing else."""
    shutil.rmtree(tmp_path / "download", ignore_errors=True)
    shutil.copytree(tmp_path / "ada", tmp_path / "download" / "ada")
    return tmp_path / "download"


@needs_walls
def test_a_release_that_is_stopped_leaves_the_old_one(copied, monkeypatch):
    from nbgrader.converters import GenerateAssignment

    def stopped(self):
        shutil.rmtree(copied / "release" / LESSON)
        raise KeyboardInterrupt

    before = classroom.release_of(copied, LESSON).read_bytes()
    monkeypatch.setattr(GenerateAssignment, "start", stopped)
    with pytest.raises(KeyboardInterrupt):
        release.release(copied, ["03"])
    assert classroom.release_of(copied, LESSON).read_bytes() == before


# Feedback, report, desk


@needs_walls
def test_feedback_is_read_offline_and_holds_no_rubric_and_no_script(marked):
    feedback.feedback(marked, [LESSON])
    page = (marked / "feedback" / "ada" / f"{LESSON}.html").read_text()
    assert "<math" in page and not re.search(r"\$[^$<>]+\$", re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL))
    assert not re.search(r"<script|<link|<img[^>]+src=.?https?:|url\(.?https?:|@import", page)
    assert "Rubric" not in page and "Sample" not in page and "onerror=alert(2)>" not in page
    assert "✓" in page and not (marked / "feedback" / "cem").exists()
    shown = (marked / "autograded" / "ada" / LESSON / f"{LESSON}.ipynb").read_text()
    assert "Rubric of Q3" in shown and "<script" not in shown and "<img src=x" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x][a]\n\n[a]: javascript:alert(1)",
        "[x](&#106;avascript:alert(1))",
        "![y](https://example.org/y.png)",
        "a\n\n<svg/onload=alert(1)>",
        "$x \\text{<img src=x onerror=alert(1)>}$",
        "$\\href{javascript:alert(1)}{x}$",
        "```html\n<script>\n```",
        "    <b>",
        "$\\text{<iframe srcdoc='<script>alert(1)</script>'>}$",
        "$\\text{<b <script>alert(1)</script>}$",
        "$\\text{&lt;b &lt;script>alert(1)&lt;/script>}$",
    ],
)
def test_what_a_student_writes_is_text_on_the_desk(text):
    """Whoever marks is logged in at the desk: a link that is followed there could change marks."""
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    page = markdown2html_mistune(formulas.as_text(text))
    assert not re.search(r"<(?!/?(p|br|ul|ol|li|m\w+)\b)|<[^>]*(href|src|on\w+)=", page), page
    assert markdown2html_mistune(formulas.as_text("one $z^2$\n*two*")).count("<math") == 1
    assert formulas.as_text("$z$ " * formulas.LONGEST) == ("&#36;z&#36; " * formulas.LONGEST).strip()  # no search


@pytest.mark.parametrize("path", submissions.LESSONS, ids=lambda path: path.stem)
def test_every_formula_becomes_mathml(path):
    for cell in json.loads(path.read_text())["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            left = formulas.to_mathml(source)
            without_code = re.sub(r"```.*?```|`[^`]*`", "", left, flags=re.DOTALL)
            assert not re.search(r"\$[^$\s][^$\n]*\$|\$\$|\\begin\{", without_code), source


@needs_walls
def test_the_report_names_mistakes_and_similar_answers(copied):
    renamed = classroom.submissions(copied, LESSON)["ada"].read_text().replace("distances", "gaps")
    target = copied / "submitted" / "dora" / LESSON / f"{LESSON}.ipynb"
    classroom.write(target, renamed.encode())
    file = copied / "marks" / LESSON / "bea.json"
    record = json.loads(file.read_text())
    record["remarks"] = ["<img src=x> [a](javascript:b)"]
    record["marks"]["3.1"] |= {"mistake": "stopped", "line": "✗  3.1  <img src=y>"}
    file.write_text(json.dumps(record))
    text = "\n".join(report.report(copied, [LESSON]))
    assert r"\<img src=x> \[a](" in text and r"\<img src=y>" in text
    rounds.mark_lesson(copied, LESSON, show=lambda line: None)
    text = "\n".join(report.report(copied, [LESSON]))
    assert "- ada and dora: " in text and "bea and" not in text
    assert "| T3 |" in text and "cem: not marked" in text


def test_the_desk_is_for_this_machine_and_its_token_alone(spring, tmp_path):
    folder = shutil.copytree(spring, tmp_path / "class")
    command = [sys.executable, "-m", "course_utils.grading.cli", "--class", str(folder), "desk", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"JUPYTER_TOKEN": "secret"})
    try:
        line = next(line for line in process.stdout if "The desk is open at" in line)
        address = re.search(r"http://127\.0\.0\.1:\d+/formgrader/gradebook", line)[0]
        with urllib.request.urlopen(f"{address}?token=secret") as page:
            assert "formgrader" in page.read().decode()
            assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        with urllib.request.urlopen(address) as page:
            assert "/login" in page.url
    finally:
        process.send_signal(signal.SIGINT)
        assert "The desk is closed." in process.communicate(timeout=30)[0]


# The command


def test_the_command_says_what_it_does_and_what_it_lacks(tmp_path, capsys, monkeypatch):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert all(step in shown for step in ("release", "collect", "mark", "desk", "feedback", "export", "report"))
    assert cli.main(["--class", str(tmp_path), "mark"]) == 1
    assert "holds no class" in capsys.readouterr().err
    classroom.begin(tmp_path)
    monkeypatch.setattr(sandbox, "why_not", lambda: "bubblewrap is not installed")
    assert cli.main(["--class", str(tmp_path), "mark"]) == 1
    assert "students' code runs as you do" in capsys.readouterr().err
    assert cli.main(["--class", "/dev/null/class", "release", "03"]) == 1
    assert "/dev/null" in capsys.readouterr().err
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: None)
    assert cli.main(["--class", str(tmp_path), "mark"]) == 1
    assert "[instructor]" in capsys.readouterr().err


def test_a_gradebook_that_is_being_written_is_one_line(spring, capsys):
    with closing(sqlite3.connect(spring / "gradebook.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert cli.main(["--class", str(spring), "export"]) == 1
    shown = capsys.readouterr().err
    assert "database is locked" in shown and "try again" in shown and len(shown.splitlines()) == 1


def test_every_command_of_the_guide_is_one(monkeypatch):
    guide = (places.ROOT / "docs" / "instructors.md").read_text()
    commands = re.findall(r"^grade .*$|(?<=`)grade [^`]+(?=`)", guide, re.MULTILINE)
    steps = []
    monkeypatch.setattr(cli, "_step", lambda given: steps.append(given.step))
    for command in commands:
        assert cli.main(shlex.split(command)[1:]) == 0
    assert set(steps) == {"release", "collect", "mark", "desk", "feedback", "export", "report"}
    assert len(guide.splitlines()) <= 200


def test_the_private_task_and_question_of_the_guide_can_be_read(tmp_path):
    guide = (places.ROOT / "docs" / "instructors.md").read_text()
    (tmp_path / "p3.md").write_text(re.search(r"^````\n(.*?)^````$", guide, re.DOTALL | re.MULTILINE)[1])
    check = re.search(r"`p3.py`:\n\n```python\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)[1]
    (tmp_path / "p3.py").write_text(check)
    (tmp_path / "q4.md").write_text(re.search(r"`.*q4.md`:\n\n```\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)[1])
    found = {one.id: one for one in questions.additions(tmp_path)}
    assert found["P3"].points == 2 and found["Q4"].points == 3 and len(found["Q4"].samples) == 3
    assert judge(found["P3"].task, in_process(lambda z: z + z)).points == 2
    assert judge(found["P3"].task, in_process(lambda z: z * z)).mistake == "squared"

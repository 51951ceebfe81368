"""The command `grade`: a class from release to marks, one step at a time."""

import argparse
import importlib.util
import sys
from pathlib import Path

from course_utils.errors import CourseError

NEEDED = ("nbgrader", "copydetect", "latex2mathml")
ABOUT = """\
Grade a class, from release to marks. Everything of a class lies in one folder:
the one you are in, or --class FOLDER. docs/instructors.md has a term in commands."""
STEPS = """\
A lesson in commands:
  grade --class spring release 01 03      spring/bundle.zip is for your students
  grade --class spring collect down.zip   what was handed in: a folder, zips, a Moodle download
  grade --class spring mark               code, behind walls; only what is new or has changed
  grade --class spring desk               written answers, in your browser
  grade --class spring feedback           spring/feedback: a page for each student
  grade --class spring export             spring/export: CSV, for Moodle, for Canvas
  grade --class spring report             marks by exercise, common mistakes, similar answers"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="grade", description=ABOUT, epilog=STEPS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--class", dest="folder", type=Path, default=Path(), metavar="FOLDER", help="the class's folder"
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP", title="steps")
    lessons = {"metavar": "LESSON", "help": "01, or 01_autoencoders; all that were released, if left out"}
    step = steps.add_parser("release", help="lessons for your students, without any task's answer")
    step.add_argument("lessons", nargs="+", metavar="LESSON", help="01, or 01_autoencoders")
    step = steps.add_parser("collect", help="sort what was handed in; says what could not be matched")
    step.add_argument(
        "source", type=Path, metavar="FOLDER-or-ZIP", help="one folder or zip per student, or Moodle's zip"
    )
    step = steps.add_parser("mark", help="mark what is new or has changed, in a sandbox")
    step.add_argument("lessons", nargs="*", **lessons)
    step.add_argument("--again", action="store_true", help="mark everything anew, and say what changes")
    step.add_argument("--unprotected", action="store_true", help="run students' code without a sandbox, as yourself")
    step = steps.add_parser("desk", help="mark written answers in the browser (nbgrader's formgrader)")
    step.add_argument("--port", metavar="N", help="where to listen on 127.0.0.1")
    step.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    for name, words in {
        "feedback": "a page for each student, readable offline",
        "export": "marks as CSV, and in the forms of Moodle and Canvas",
        "report": "marks by exercise, common mistakes, similar answers",
    }.items():
        steps.add_parser(name, help=words).add_argument("lessons", nargs="*", **lessons)
    given = parser.parse_args(arguments)
    try:
        missing = [name for name in NEEDED if not importlib.util.find_spec(name)]
        if missing:
            raise CourseError(f"Grading needs {', '.join(missing)}: `make grading`, or pip install -e '.[instructor]'.")
        for line in _step(given) or []:
            print(line)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or given.folder}: {error.strerror or error}. Check the folder.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; what is done is kept.", file=sys.stderr)
        return 130
    return 0


def _step(given: argparse.Namespace) -> list[str] | None:
    from course_utils.grading import book, classroom, collect, desk, export, feedback, release, report

    folder = given.folder
    if given.step == "release":
        return release.release(folder, given.lessons)
    classroom.opened(folder)
    if given.step == "collect":
        return collect.collect(folder, given.source)
    if given.step == "desk":
        return desk.desk(folder, given.port, not given.no_browser)
    lessons = classroom.released_lessons(folder, given.lessons)
    if given.step == "mark":
        return _mark(folder, lessons, given.again, given.unprotected)
    for lesson in lessons:
        book.remember_judged(folder, lesson)
    book.count_late(folder)  # the desk has moved what a late day can cost
    return {"feedback": feedback.feedback, "export": export.export, "report": report.report}[given.step](
        folder, lessons
    )


def _mark(folder: Path, lessons: list[str], again: bool, unprotected: bool) -> list[str]:
    from course_utils.grading import book, classroom, rounds, sandbox

    walls = sandbox.why_not()
    if walls and not unprotected:
        raise CourseError(
            f"Answers cannot be walled in: {walls}. {sandbox.UNPROTECTED} `grade mark --unprotected` goes on."
        )
    lines = []
    for lesson in lessons:
        if classroom.submissions(folder, lesson):
            book.remember_judged(folder, lesson)
            lines += rounds.mark_lesson(
                folder, lesson, not (unprotected and walls), again, lambda line: print(line, flush=True)
            )
            lines += book.enter(folder, lesson)
    return lines or ["Nothing was handed in yet: `grade collect` comes first."]


if __name__ == "__main__":
    sys.exit(main())

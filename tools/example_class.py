"""Make an example class: 30 students, what they handed in for lesson 03, in the many forms in which it arrives.

    grade --class example release 03
    python tools/example_class.py example            # writes example/students.csv and example/handed-in/
    grade --class example collect example/handed-in

The answers are the references, and the known wrong and right answers from tests/answers, so some of them are alike.
"""

import argparse
import csv
import json
import random
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from course_utils.grading import classroom, submission
from course_utils.grading.questions import additions
from tests import submissions

FIRST = (
    "Ada Bea Cem Dora Emil Fay Gus Hana Ivo Jun Kim Lea Max Nia Oto Pia Quin Rosa Sam Tea Uma Vito Wim Xenia Yuri Zoe"
)
LAST = "Abel Berg Costa Diaz Egede Farr Gold Haas Ito Jansen Kaya Lind Moreau Novak Okafor Patel Quist Rossi Sato Toth"
NAMES = (
    "{lesson}.ipynb",
    "{lesson} (1).ipynb",
    "{lesson}-Copy1.ipynb",
    "Lesson {number}.ipynb",
    "{lesson}_final.ipynb",
)


def students(count: int) -> list[dict[str, str]]:
    """Rows of students.csv."""
    people = []
    for n in range(count):
        first = FIRST.split()[n % 26]
        last = LAST.split()[(n + n // 26) % 20]
        row = (f"s{n + 1:03}", first, last, f"{first}.{last}{n + 1}@example.org".lower())
        people.append(dict(zip(classroom.COLUMNS, row, strict=True)))
    return people


def handed_in(folder: Path, lesson: str, count: int, seed: int = 0) -> dict[str, dict]:
    """A notebook for each student: right, partly wrong or unfinished answers, each drawn anew."""
    release = classroom.release_of(folder, lesson)
    taught = submission.lesson(release)
    wrong, right = submissions.known(taught)
    samples = {one.id: one.samples for one in additions() if one.lesson == lesson[:2]}
    draw, made = random.Random(seed), {}
    for row in students(count):
        solutions = submissions.references(taught)
        for id in solutions:
            luck = draw.random()
            if luck < 0.25:
                solutions[id] = draw.choice(wrong[id])[2]
            elif luck < 0.5:
                solutions[id] = draw.choice(right[id])
            elif luck < 0.6:
                solutions[id] = taught.stubs[id]
        notebook = submissions.notebook(release, solutions)
        for cell in notebook["cells"]:
            if "name" in cell["metadata"].get("tags", []):
                cell["source"] = f'NAME = "{row["first_name"]} {row["last_name"]}"\nSTUDENT = "{row["id"]}"'
            if "question" in cell["metadata"].get("tags", []) and draw.random() < 0.9:
                cell["source"] = draw.choice(samples[cell["metadata"]["exercise"]])[1]
        made[row["id"]] = notebook
    return made


def write_class(folder: Path, lesson: str, count: int) -> None:
    """students.csv, and handed-in/ with a Moodle download, zips and folders; three cannot be read, two are missing."""
    people = students(count)
    with open(folder / "students.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, classroom.COLUMNS)
        table.writeheader()
        table.writerows(people)
    target = folder / "handed-in"
    target.mkdir(exist_ok=True)
    notebooks = handed_in(folder, lesson, count)
    third = max(1, count // 3)
    with zipfile.ZipFile(target / "moodle.zip", "w", zipfile.ZIP_DEFLATED) as moodle:
        for n, row in enumerate(people[:-2]):
            text = json.dumps(notebooks[row["id"]])
            text = {5: text[:5000], 15: "", 25: '{"cells": []}'}.get(n, text)
            name = NAMES[n % len(NAMES)].format(lesson=lesson, number=int(lesson[:2]))
            full = f"{row['first_name']} {row['last_name']}"
            if n < third:
                moodle.writestr(f"{full}_{100 + n}_assignsubmission_file_/{name}", text)
            elif n < 2 * third:
                with zipfile.ZipFile(target / f"{row['id']}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                    archive.writestr(name, text)
            else:
                place = target / f"{row['last_name']}, {row['first_name']}"
                place.mkdir(exist_ok=True)
                (place / name).write_text(text)
    (target / "somebody else").mkdir(exist_ok=True)
    (target / "somebody else" / f"{lesson}.ipynb").write_text(
        json.dumps(submissions.notebook(classroom.release_of(folder, lesson)))
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a class to which the lesson was released")
    parser.add_argument("--lesson", default="03", help="03 if left out")
    parser.add_argument("--students", type=int, default=30)
    given = parser.parse_args()
    lesson = classroom.named(given.lesson, classroom.released(given.folder), "released lesson")
    write_class(given.folder, lesson, given.students)
    print(f"{given.folder / 'students.csv'} and {given.folder / 'handed-in'} are written.")

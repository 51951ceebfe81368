"""The report on a class: marks by exercise, the most common mistakes, who should be looked at, and similar answers."""

import io
import re
import statistics
from collections import Counter
from itertools import combinations
from pathlib import Path

from course_utils.grading import classroom, submission
from course_utils.grading.export import MARKED
from course_utils.grading.export import lines as export_lines

SHORTEST, WINDOW = 20, 6  # signs that two answers share before it counts; signs among which one fingerprint is taken
ALIKE, PAIRS, COMMON = 0.8, 15, 8  # share of shared code from which a pair is shown; pairs and mistakes shown at most
LONG_ENOUGH = 150  # signs of code beyond the release, without which everybody is alike


def report(folder: Path, lessons: list[str]) -> list[str]:
    """Write report/LESSON.md; return its lines."""
    made = []
    for lesson in lessons:
        text = [f"# {lesson}", "", *_marks(folder, lesson), *_mistakes(folder, lesson)]
        text += [*_remarks(folder, lesson), *_similar(folder, lesson)]
        classroom.write(folder / "report" / f"{lesson}.md", ("\n".join(text) + "\n").encode())
        made += [*text, f"This is {folder / 'report' / f'{lesson}.md'}.", ""]
    return made


def _marks(folder: Path, lesson: str) -> list[str]:
    found = export_lines(folder, [lesson])
    scored = [line for line in found if line.score is not None]
    status = Counter(line.status.split(":")[0] for line in found)
    text = [", ".join(f"{words}: {count}" for words, count in status.most_common()).capitalize() + ".", ""]
    if scored:
        scores = [line.score for line in scored]
        mean, middle = statistics.mean(scores), statistics.median(scores)
        open_ = " What waits for the desk counts as 0 here." if status["waits for the desk"] else ""
        text += [f"Points: mean {mean:.1f}, median {middle:.1f}, of {scored[0].of:g}.{open_}", ""]
    records = [record for record in classroom.marks_of(folder, lesson).values() if not record["why"]]
    text += ["| | mean | of | full marks | nothing written |", "|---|---|---|---|---|"]
    for id in records[0]["marks"] if records else []:
        these = [record["marks"][id] for record in records]
        full = sum(mark["points"] == mark["of"] for mark in these) / len(these)
        empty = sum(mark["mistake"] == "not-written" for mark in these)
        mean = statistics.mean(mark["points"] for mark in these)
        text.append(f"| {id} | {mean:.2f} | {these[0]['of']} | {full:.0%} | {empty} |")
    for id in records[0]["written"] if records else []:
        points = [line.parts[id] for line in scored if line.status == MARKED]
        mean = f"{statistics.mean(points):.2f}" if points else ""
        empty = sum(not record["written"][id] for record in records)
        text.append(f"| {id}, by hand | {mean} | | | {empty} |")
    return [*text, ""]


def _mistakes(folder: Path, lesson: str) -> list[str]:
    counts: Counter = Counter()
    words = {}
    for record in classroom.marks_of(folder, lesson).values():
        for id, mark in record["marks"].items():
            if mark["mistake"] and mark["mistake"] != "not-written":
                counts[id, mark["mistake"]] += 1
                words.setdefault((id, mark["mistake"]), _literal(mark["line"].split("  ", 2)[-1]))
    text = [f"- {count} × {id}, {name}: {words[id, name]}" for (id, name), count in counts.most_common(COMMON)]
    return ["## The most common mistakes", "", *(text or ["None."]), ""]


def _remarks(folder: Path, lesson: str) -> list[str]:
    marks = classroom.marks_of(folder, lesson)
    seen = {student: _literal("; ".join(record["remarks"])) for student, record in marks.items()}
    text = [f"- {student}: {words}" for student, words in seen.items() if words]
    text += [f"- {student}: not marked, {record['why']}" for student, record in marks.items() if record["why"]]
    return ["## Submissions to look at", "", *(text or ["None."]), ""]


def _literal(words: str) -> str:
    """Words that may quote a student's code: no tag, link or picture for whoever opens the report."""
    return re.sub(r"[<\[]", r"\\\g<0>", words)


def _similar(folder: Path, lesson: str) -> list[str]:
    pairs = similar(folder, lesson)
    text = [f"- {a} and {b}: {share:.0%} of the longer one" for share, a, b in pairs[:PAIRS]]
    head = f"Share of code, names aside, that is found in both; {ALIKE:.0%} and more are shown. A hint, not a proof:"
    return ["## Similar answers", "", f"{head} short answers are often alike.", "", *(text or ["None."]), ""]


def similar(folder: Path, lesson: str) -> list[tuple[float, str, str]]:
    """Pairs of students whose tasks share much code beyond the release, by copydetect's fingerprints (MOSS)."""
    from copydetect import CodeFingerprint, compare_files

    release = submission.lesson(classroom.release_of(folder, lesson))
    prints = {}
    for student, path in classroom.submissions(folder, lesson).items():
        try:
            cells, _ = submission.read(path, release)
        except submission.NotMarked:
            continue
        code = "\n".join(cell.source for cell in cells)
        if len(code) - sum(len(release.stubs[c.exercise]) for c in cells if c.exercise) > LONG_ENOUGH:
            prints[student] = CodeFingerprint("answers.py", SHORTEST, WINDOW, fp=io.StringIO(code))
    found = []
    for a, b in combinations(prints, 2):
        _, shares, _ = compare_files(prints[a], prints[b])
        share = min(map(float, shares))
        if share >= ALIKE:
            found.append((min(share, 1.0), a, b))
    return sorted(found, reverse=True)

"""From a submission to points: the answers run behind walls, and are judged here by the checks that lessons use."""

import hashlib
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from course_utils.exercises import EXERCISES, judge
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise
from course_utils.grading.sandbox import LIMITS, WORDS, Conversation, Over, clean
from course_utils.grading.submission import Cell, Lesson, NotMarked, read
from course_utils.grading.tasks import TASKS


@dataclass
class Mark:
    """What one answer earned. `event` is set where it was stopped: a key of sandbox.WORDS, or "unjudged"."""

    points: int
    of: int
    parts: dict[str, int]
    mistake: str | None
    line: str
    event: str | None = None


MOST_REMARKS = 20  # on the code of one submission
JUDGE_SECONDS = 5  # for the check itself, beside what the answer takes
KNOWN = {**EXERCISES, **TASKS}


def mark(
    path: Path,
    lesson: Lesson,
    begin: Callable[[dict], Conversation],
    seed: str,
    known: dict[str, Exercise] = KNOWN,
) -> dict:
    """Mark a submission: a mark for every exercise and task, and what the instructor may want to look at.

    The same `seed`, a text, gives the same inputs; it is kept with the marks. `known` holds the checks. A submission
    that cannot be read has "why" and no marks.
    """
    try:
        cells, remarks = read(path, lesson)
    except NotMarked as error:
        return {"why": str(error), "seed": seed, "marks": {}, "remarks": []}
    cells, curious, remarkable = _looked_at(cells, begin)
    marks, banned = {}, set()
    for id in lesson.stubs:
        which = known[id]
        # What another answer does to torch, or to its process, must not cost this one its points.
        suspects = {cell for cell in remarkable if cell.exercise not in (None, id)}
        marks[id] = asdict(_answered(which, lesson, cells, banned, suspects, begin, f"{seed} {id}"))
    stopped = [f"{id}: {mark['line'].split('  ')[-1]}" for id, mark in marks.items() if mark["event"]]
    return {"why": None, "seed": seed, "marks": marks, "remarks": [*remarks, *curious, *stopped]}


def _looked_at(cells: list[Cell], begin: Callable) -> tuple[list[Cell], list[str], set[Cell]]:
    """The cells that will run, remarks on all of them, and the cells that gave rise to one."""
    conversation = begin({"look": True, "cells": [cell.source for cell in cells]})
    try:
        looks = conversation.looked()
    except Over:
        return [cell for cell in cells if cell.exercise], ["its code could not be looked at"], set(cells)
    finally:
        conversation.close()
    seen = list(zip(cells, looks, strict=True))
    remarks = [f"{cell.exercise or 'an added cell'} {words}" for cell, look in seen for words in look["curious"]]
    remarks = list(dict.fromkeys(clean(remark)[:100] for remark in remarks))
    if len(remarks) > MOST_REMARKS:
        remarks[MOST_REMARKS:] = [f"and {len(remarks) - MOST_REMARKS} more like these"]
    kept = [cell for cell, look in seen if cell.exercise or look["definitions"]]
    return kept, remarks, {cell for cell, look in seen if look["curious"]}


def _answered(
    which: Exercise, lesson: Lesson, cells: list[Cell], banned: set[Cell], suspects: set[Cell], begin, seed: str
) -> Mark:
    """The mark of one exercise. Cells of others that hang or end the process are banned from then on."""
    own = [cell for cell in cells if cell.exercise == which.id]
    name = lesson.names[which.id]
    if not own and not any(name in cell.source for cell in cells):
        return _unwritten(which)
    first, hopeless = _judged(
        which, name, [cell for cell in cells if cell not in banned or cell in own], banned, begin, seed
    )
    if hopeless or first.points == first.of or not (first.event or suspects):
        return first
    without = [cell for cell in cells if cell.exercise in (None, which.id)]
    alone, _ = _judged(which, name, without, set(), begin, seed) if len(without) < len(cells) else (first, True)
    return max(first, alone, key=lambda mark: mark.points)


def _judged(which: Exercise, name: str, cells: list[Cell], banned: set[Cell], begin, seed: str) -> tuple[Mark, bool]:
    """The mark, and whether it was this answer's own cell that hung or ended the process before it was asked."""
    while True:
        conversation = begin({"cells": [cell.source for cell in cells], "name": name})
        try:
            state, notes = conversation.prepare()
            break
        except Over as over:
            conversation.close()
            culprit = cells[min(conversation.at, len(cells) - 1)]
            # Where an added cell hangs, all of them go: hundreds would take as many times as long.
            gone = {cell for cell in cells if cell.exercise == culprit.exercise}
            if culprit.exercise == which.id or len(gone) == len(cells):
                return _stopped(which, over.event), True
            banned |= gone
            cells = [cell for cell in cells if cell not in gone]
    try:
        return _asked(which, state, notes, cells, conversation, seed), False
    except Exception as error:  # an output that the check did not foresee
        words = f"what came back could not be judged ({type(error).__name__})"
        return _nothing(which, "unjudged", words, "unjudged"), False
    finally:
        conversation.close()


def _asked(which: Exercise, state: str, notes: list, cells: list[Cell], conversation: Conversation, seed: str) -> Mark:
    if state == "ready":
        answer = Answer(conversation, seed=number(f"answer {seed}"))
        with at_most(LIMITS["seconds"] + JUDGE_SECONDS) as ended:
            result = judge(which, answer, seed=number(f"inputs {seed}"))
        event = conversation.event or (ended[0] if ended else None)
        mark = Mark(result.points, result.of, result.parts, result.mistake, clean(result.line), event)
        if mark.event and mark.points < mark.of:
            mark.mistake = mark.event
        return mark
    own = [note for cell, note in zip(cells, notes, strict=False) if cell.exercise == which.id and note]
    if own:
        return _nothing(which, "stopped", f"its cell could not be run: {own[0]}")
    if state == "not callable":
        return _nothing(which, "not-callable", "its name stands for something that cannot be called")
    return _unwritten(which)


@contextmanager
def at_most(seconds: float) -> Iterator[list[str]]:
    """End a check that is still at work after so many seconds, and again each second, part by part; yields why.

    What an answer returns may be slow to judge. Only the main thread of a process can be interrupted so.
    """
    ended: list[str] = []

    def end(*_):
        ended.append("time")
        raise Over("time")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield ended
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def number(text: str) -> int:
    """A seed from a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])


def _nothing(which: Exercise, mistake: str, words: str, event: str | None = None) -> Mark:
    return Mark(0, which.points, dict.fromkeys(which.parts, 0), mistake, f"✗  {which.id}  {words}", event)


def _stopped(which: Exercise, event: str) -> Mark:
    return _nothing(which, event, WORDS[event], event)


def _unwritten(which: Exercise) -> Mark:
    return Mark(0, which.points, dict.fromkeys(which.parts, 0), "not-written", f"…  {which.id}  not written yet")

"""Marking a lesson of the whole class: two at a time, each result on the disk before the next begins.

What was marked stays as it is until the submission or its check changes, so an interrupted round goes on where it was.
"""

import inspect
import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import torch

from course_utils.errors import CourseError
from course_utils.exercises import answer, engine
from course_utils.grading import classroom, inside, marking, sandbox, submission
from course_utils.grading.questions import additions

MOST = 2  # submissions at a time

_round: dict = {}  # what the processes that mark inherit


def mark_lesson(
    folder: Path, lesson: str, walls: bool = True, again: bool = False, show: Callable[[str], None] = print
) -> list[str]:
    """Mark what is new or has changed; return lines on what was done. With `again`, mark everything anew."""
    handed_in = classroom.submissions(folder, lesson)
    known = {**marking.KNOWN, **{one.id: one.task for one in additions(folder / "private") if one.task}}
    release = submission.lesson(classroom.release_of(folder, lesson))
    missing = [id for id in release.stubs if id not in known]
    if missing:
        raise CourseError(f"{lesson} asks for {', '.join(missing)}, whose check is gone: put it back into private/.")
    fingerprint = checks_of(release, known, classroom.release_of(folder, lesson))
    seed = (folder / "seed.txt").read_text().strip()
    before = classroom.marks_of(folder, lesson)
    todo = {}
    for student, path in handed_in.items():
        content = classroom.digest(path.read_bytes())
        old = before.get(student)
        if again or not old or old["submission"] != content or old["checks"] != fingerprint:
            todo[student] = {"submission": content, "checks": fingerprint, "seed": f"{seed} {lesson} {student}"}
            # What a person has marked, and what the desk showed for it: see book.remember_judged.
            todo[student]["judged"] = (old or {}).get("judged", {})
            todo[student]["entered"] = (old or {}).get("entered", (old or {}).get("written", {}))
    done = _marked(folder, lesson, release, known, {s: (handed_in[s], todo[s]) for s in todo}, walls, show)
    after = classroom.marks_of(folder, lesson)
    lines = [f"{lesson}: {done} marked, {len(handed_in) - len(todo)} unchanged since they were marked."]
    lines += [f"! {student}: not marked, {after[student]['why']}" for student in after if after[student]["why"]]
    changed = {student: changes(before[student], after[student]) for student in todo if student in before}
    lines += [f"{student}: {line}" for student, line in changed.items() if line]
    same = sum(not line for line in changed.values())
    return [*lines, f"{same} were marked again and kept their points."] if same else lines


def checks_of(release: submission.Lesson, known: dict, notebook: Path) -> str:
    """What marks depend on, beside the submission: a digest of the released notebook, the checks, and the engine."""
    ours = [Path(module.__file__) for module in (engine, answer, marking, submission)]
    checks = [Path(inspect.unwrap(known[id].check).__code__.co_filename) for id in release.stubs]
    files = sorted({*ours, *checks})
    return classroom.digest(notebook.read_bytes(), *[file.read_bytes() for file in files])


def changes(old: dict, new: dict) -> str:
    """What another round has changed in a student's points, and why; empty where nothing has."""
    reasons = [
        "the submission has changed" if old["submission"] != new["submission"] else "",
        "a check has changed" if old["checks"] != new["checks"] else "",
    ]
    why = " and ".join(filter(None, reasons)) or "marked again"
    ids = [*new["marks"], *[id for id in old["marks"] if id not in new["marks"]]]
    points = {id: tuple(record["marks"].get(id, {}).get("points") for record in (old, new)) for id in ids}
    moved = [f"{id} {_shown(a)} → {_shown(b)}" for id, (a, b) in points.items() if a != b]
    return f"{', '.join(moved)} ({why})" if moved else ""


def _shown(points: float | None) -> str:
    return "–" if points is None else f"{points:g}"


def _marked(folder: Path, lesson: str, release, known: dict, todo: dict, walls: bool, show: Callable) -> int:
    """Mark in processes that share one sandbox and one torch; the number of those that are on the disk."""
    if not todo:
        return 0
    torch.set_num_threads(1)
    done, start, workers = 0, time.monotonic(), min(MOST, len(todo), os.cpu_count() or 1)
    with sandbox.sandbox(release.setup, folder / "bundle", walls) as begin:
        _round.update(folder=folder, lesson=lesson, release=release, known=known, begin=begin)
        pool = ProcessPoolExecutor(workers, get_context("fork"), initializer=_begin_worker)
        try:
            # Handed over one by one, so that an interruption leaves nothing waiting.
            waiting, running = list(todo.items()), {}
            while waiting or running:
                while waiting and len(running) < workers:
                    student, (path, record) = waiting.pop(0)
                    running[pool.submit(_mark_one, path, record)] = student
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    student, record = running.pop(future), future.result()
                    file = folder / "marks" / lesson / f"{student}.json"
                    classroom.write(file, json.dumps(record, indent=1, ensure_ascii=False).encode())
                    done += 1
                    left = (time.monotonic() - start) / done * (len(todo) - done)
                    show(f"{lesson}  {done} of {len(todo)}  {student}: {_told(record)}  ({left:.0f} s left)")
        except BrokenProcessPool as error:
            raise CourseError(
                f"Marking stopped after {done} of {len(todo)}: `grade mark` goes on from there."
            ) from error
        except KeyboardInterrupt:
            raise CourseError(f"Stopped after {done} of {len(todo)}: `grade mark` goes on from there.") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return done


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that writes the marks decides
    inside.die_with_parent()
    torch.set_num_threads(1)


def _mark_one(path: Path, record: dict) -> dict:
    """Mark one submission. What is found is written by the process that owns the sandbox, so never after its end."""
    result = marking.mark(path, _round["release"], _round["begin"], record["seed"], _round["known"])
    if any(mark["event"] == "died" for mark in result["marks"].values()):
        _round["begin"]({"look": True, "cells": []}).close()  # raises if it was the sandbox that died
    written = {} if result["why"] else submission.written(path, _round["release"])
    return {**record, **result, "written": written, "marked_at": time.strftime("%Y-%m-%dT%H:%M:%S%z")}


def _told(record: dict) -> str:
    if record["why"]:
        return f"not marked, {record['why']}"
    marks = record["marks"].values()
    return f"{sum(mark['points'] for mark in marks)} of {sum(mark['of'] for mark in marks)}"

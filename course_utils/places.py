"""Where things lie on the learner's disk: each place can be set from the environment, so that tests use their own."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def notebooks() -> Path:
    """The lessons as they are handed out (COURSE_NOTEBOOKS)."""
    return Path(os.environ.get("COURSE_NOTEBOOKS") or ROOT / "notebooks")


def workbook() -> Path:
    """The learner's own copies of the lessons (COURSE_WORKBOOK)."""
    return Path(os.environ.get("COURSE_WORKBOOK") or ROOT / "workbook")


def progress_file() -> Path:
    """The store of passed exercises (COURSE_PROGRESS)."""
    return Path(os.environ.get("COURSE_PROGRESS") or workbook() / ".progress" / "progress.sqlite")


def data() -> Path:
    """Small files that ship with the course, and downloads that a reader asked for (COURSE_DATA)."""
    return Path(os.environ.get("COURSE_DATA") or ROOT / "data")

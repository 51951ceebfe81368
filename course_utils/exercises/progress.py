"""What the learner has passed: the best result of every exercise, in one small SQLite file beside the workbook.

Nothing here ever stops a lesson: what cannot be saved or read is said in one line.
"""

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from course_utils import places

WAIT = 10  # seconds for another notebook to finish its write

TABLE = """
CREATE TABLE IF NOT EXISTS results (
    exercise TEXT PRIMARY KEY, points REAL NOT NULL, of REAL NOT NULL, passed_at TEXT, tried_at TEXT NOT NULL
) WITHOUT ROWID"""

# The better share of the points stays. Among equals the newer one does: an exercise's points may be counted anew.
KEEP_BEST = """
INSERT INTO results VALUES (:exercise, :points, :of, CASE WHEN :points >= :of THEN :now END, :now)
ON CONFLICT (exercise) DO UPDATE SET
    points = CASE WHEN excluded.points * of >= points * excluded.of THEN excluded.points ELSE points END,
    of = CASE WHEN excluded.points * of >= points * excluded.of THEN excluded.of ELSE of END,
    passed_at = coalesce(passed_at, excluded.passed_at),
    tried_at = excluded.tried_at
"""


def record(exercise: str, points: float, of: float) -> str | None:
    """Keep the result if it is the best so far; return a line to show when it was not saved or the store was damaged.

    Never raises. The times of the first passing and of the last try (UTC) are kept beside the points.
    """
    path = places.progress_file()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    line = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        line = _set_aside_if_damaged(path)
        with closing(_open(path)) as store:
            store.execute("BEGIN IMMEDIATE")  # takes the turn to write at once, so that two notebooks never deadlock
            store.execute(TABLE)
            store.execute(KEEP_BEST, {"exercise": exercise, "points": points, "of": of, "now": now})
            store.execute("COMMIT")
    except (OSError, sqlite3.Error) as error:
        unsaved = f"This result could not be saved in {path} ({error}): check that the folder can be written to."
        return f"{line} {unsaved}" if line else unsaved
    return line


def results() -> dict[str, tuple[float, float]]:
    """Return (best points, of) for every exercise tried; empty where there is no store yet or it cannot be read."""
    path = places.progress_file()
    try:
        if line := _set_aside_if_damaged(path):
            print(line, file=sys.stderr)
        return _rows(path)
    except (OSError, sqlite3.Error) as error:
        print(f"Your progress in {path} could not be read ({error}).", file=sys.stderr)
        return {}


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=WAIT, isolation_level=None)


def _rows(path: Path) -> dict[str, tuple[float, float]]:
    if not path.exists():
        return {}
    with closing(_open(path)) as store:
        if not store.execute("SELECT 1 FROM sqlite_master WHERE name = 'results'").fetchone():
            return {}  # another notebook is about to write its first result
        rows = store.execute("SELECT exercise, points, of, passed_at, tried_at FROM results")
        return {exercise: (points, of) for exercise, points, of, *_ in rows}


def _is_damaged(path: Path) -> bool:
    try:
        _rows(path)
    except sqlite3.OperationalError as error:  # locked, read-only, full: the file itself may be sound ...
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)  # text that cannot be decoded has no code
        return code == sqlite3.SQLITE_ERROR  # ... but for a store of another shape
    except sqlite3.DatabaseError:
        return True
    return False


def _set_aside_if_damaged(path: Path) -> str | None:
    """Rename a damaged store, and return the line that says so."""
    if not _is_damaged(path):
        return None
    # Two notebooks may find the damage at once: the second must not set aside what the first has begun anew.
    with closing(_open(path.with_name(f".{path.stem}.lock"))) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        if not _is_damaged(path):
            return None
        n = 1
        while (aside := path.with_name(f"{path.stem}.damaged-{n}{path.suffix}")).exists():
            n += 1
        path.rename(aside)
    return f"Your progress file was damaged: it is kept as {aside.name}, and a new one begins."

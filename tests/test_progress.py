"""Progress keeps the best of every exercise, and nothing that happens to its file stops a lesson."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from course_utils.exercises import progress


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    path = tmp_path / "workbook" / "progress.sqlite"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    return path


def damaged(store):
    return sorted(path.name for path in store.parent.glob("*.damaged-*"))


def test_best_result_and_first_passing_are_kept(store):
    assert progress.record("1.2", 3, 3) is None
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("UPDATE results SET passed_at = 'then', tried_at = 'then'")
    assert progress.record("1.2", 1, 3) is None
    assert progress.results() == {"1.2": (3, 3)}
    with closing(sqlite3.connect(store)) as db:
        passed_at, tried_at = db.execute("SELECT passed_at, tried_at FROM results").fetchone()
    assert passed_at == "then" and tried_at != "then"


def test_a_better_result_replaces_a_worse_one():
    progress.record("1.2", 1, 3)
    progress.record("1.2", 2, 3)
    progress.record("T1", 0, 5)
    assert progress.results() == {"1.2": (2, 3), "T1": (0, 5)}


def test_passed_stays_passed_when_points_are_counted_anew():
    progress.record("1.2", 3, 3)
    progress.record("1.2", 4, 5)
    assert progress.results() == {"1.2": (3, 3)}
    progress.record("1.2", 5, 5)
    assert progress.results() == {"1.2": (5, 5)}


def test_reading_creates_nothing(store):
    assert progress.results() == {}
    assert not store.parent.exists()


WRITER = """
import sys
from course_utils.exercises import progress
for n in range(10):
    line = progress.record(f"{sys.argv[1]}.{n}", 1, 1) or progress.record("shared", int(sys.argv[1]), 4)
    assert line is None or "damaged" in line, line
"""


def write_from_four_processes():
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(n)], env=os.environ) for n in range(1, 5)]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]


def test_notebooks_that_write_at_once_lose_nothing():
    write_from_four_processes()
    found = progress.results()
    assert len(found) == 4 * 10 + 1 and found["shared"] == (4, 4)


def test_notebooks_that_find_damage_at_once_set_aside_one_file_and_lose_nothing(store):
    store.parent.mkdir()
    store.write_bytes(b"no database at all, but long enough to be one " * 100)
    write_from_four_processes()
    assert len(progress.results()) == 4 * 10 + 1
    assert damaged(store) == ["progress.damaged-1.sqlite"]


def test_a_store_that_another_notebook_has_begun_anew_meanwhile_is_not_set_aside(store, monkeypatch):
    progress.record("1.1", 1, 1)
    looks = iter([True, False])
    monkeypatch.setattr(progress, "_is_damaged", lambda path: next(looks))
    assert progress.record("1.2", 1, 1) is None
    monkeypatch.undo()
    monkeypatch.setenv("COURSE_PROGRESS", str(store))
    assert progress.results() == {"1.1": (1, 1), "1.2": (1, 1)}


def fill(store):
    """Results with names so long that they take several pages of the file."""
    for n in range(40):
        assert progress.record(f"{n}" + "." * 400, 1, 1) is None
    return store.read_bytes()


def garbage(store):
    store.write_bytes(b"\x00garbage" * 512)


def cut_short(store):
    whole = fill(store)
    store.write_bytes(whole[: len(whole) // 2 + 100])


def cut_in_the_header(store):
    store.write_bytes(fill(store)[:60])


def overwritten_in_the_middle(store):
    whole = fill(store)
    store.write_bytes(whole[:4096] + b"\xff" * 4096 + whole[8192:])


def another_shape(store):
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("CREATE TABLE results (something TEXT)")


@pytest.mark.parametrize("damage", [garbage, cut_short, cut_in_the_header, overwritten_in_the_middle, another_shape])
def test_a_damaged_store_is_set_aside_once_and_a_new_one_begins(store, capsys, damage):
    store.parent.mkdir()
    damage(store)
    harmed = store.read_bytes()
    assert progress.results() == {}
    assert "kept as progress.damaged-1.sqlite" in capsys.readouterr().err
    assert store.with_name("progress.damaged-1.sqlite").read_bytes() == harmed

    assert progress.record("1.1", 1, 1) is None
    garbage(store)
    assert "kept as progress.damaged-2.sqlite" in progress.record("1.2", 1, 1)
    assert progress.results() == {"1.2": (1, 1)}
    assert capsys.readouterr().err == ""


def test_an_empty_file_is_an_empty_store(store):
    store.parent.mkdir()
    store.touch()
    assert progress.results() == {}
    assert progress.record("1.1", 1, 1) is None
    assert damaged(store) == []


def test_a_folder_that_cannot_be_written_gives_a_line(store):
    store.parent.write_text("a file where the folder should be, which stops root as well")
    assert "could not be saved" in progress.record("1.1", 1, 1)
    assert progress.results() == {}


def test_a_store_that_cannot_be_opened_is_left_alone(store, capsys):
    store.mkdir(parents=True)
    assert "could not be saved" in progress.record("1.1", 1, 1)
    assert progress.results() == {}
    assert "could not be read" in capsys.readouterr().err
    assert store.is_dir() and damaged(store) == []


def test_a_full_disk_gives_a_line_and_keeps_what_was_there(store):
    pytest.importorskip("resource", reason="file size limits are POSIX")
    fill(store)
    full = """
import resource
from course_utils.exercises import progress
resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))
assert "could not be saved" in progress.record("1.1", 1, 1)
"""
    assert subprocess.run([sys.executable, "-c", full], env=os.environ).returncode == 0
    assert len(progress.results()) == 40 and damaged(store) == []

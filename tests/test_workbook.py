"""The learner's copies: made once, never overwritten, refreshed and reset with everything of theirs kept."""

import errno
import json
import os
import subprocess
import sys

import pytest

from course_utils import workbook
from course_utils.errors import CourseError
from course_utils.exercises import progress

STUB = 'def code(x):\n    """Return the code of x."""\n    raise NotImplementedError  # one line\n'


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def code(source, exercise=None, tag="exercise"):
    metadata = {"exercise": exercise, "tags": [tag]} if exercise else {}
    source = source.splitlines(keepends=True)
    output = {"output_type": "stream", "name": "stdout", "text": ["as handed out\n"]}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [output], "execution_count": 1}


def save(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def cells(path):
    return json.loads(path.read_text())["cells"]


def without_outputs(path):
    """A reader's copy shows no figure before its cell was run: it would answer what is to be predicted."""
    return [cell | ({"outputs": [], "execution_count": None} if "outputs" in cell else {}) for cell in cells(path)]


def sources(path):
    return ["".join(cell["source"]) for cell in cells(path)]


def write_answer(path, exercise, source):
    changed = cells(path)
    for cell in changed:
        if cell["metadata"].get("exercise") == exercise and "check" not in cell["metadata"]["tags"]:
            cell["source"] = source
    save(path, *changed)


def lesson(title="# Autoencoders", stub=STUB):
    return [text(title), code(stub, "1.1"), code("check_1_1()", "1.1", "check"), code("t = ...", "T1", "task")]


@pytest.fixture(autouse=True)
def lessons(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_NOTEBOOKS", str(tmp_path / "notebooks"))
    monkeypatch.setenv("COURSE_WORKBOOK", str(tmp_path / "workbook"))
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    save(tmp_path / "notebooks" / "00_start_here.ipynb", text("# Start here"))
    save(tmp_path / "notebooks" / "01_autoencoders.ipynb", *lesson())
    return tmp_path / "notebooks"


@pytest.fixture
def handed_out(lessons):
    return lessons / "01_autoencoders.ipynb"


@pytest.fixture
def copy(tmp_path, lessons):
    workbook.update()
    return tmp_path / "workbook" / "01_autoencoders.ipynb"


def kept(copy):
    return sorted((copy.parent / "kept").glob("*"))


def tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_update_copies_every_lesson_once_without_its_outputs(tmp_path, handed_out):
    assert workbook.update() == ["New in your workbook: 00_start_here, 01_autoencoders."]
    copy = tmp_path / "workbook" / "01_autoencoders.ipynb"
    assert cells(copy) == without_outputs(handed_out)
    assert workbook.update() == []


def test_update_overwrites_nothing_and_gives_back_a_deleted_copy(lessons, copy):
    save(lessons / "02_new.ipynb", text("# New"))
    write_answer(copy, "1.1", "mine")
    (copy.parent / "00_start_here.ipynb").unlink()
    before = tree(copy.parent)
    assert workbook.update() == ["New in your workbook: 00_start_here, 02_new."]
    after = tree(copy.parent)
    assert {path: after[path] for path in before} == before


def test_only_a_change_upstream_is_told_and_only_of_sources(handed_out, copy):
    write_answer(copy, "1.1", "mine")
    rerun = lesson()
    rerun[1]["outputs"] = []
    save(handed_out, *rerun)
    assert workbook.update() == []
    save(handed_out, *lesson("# Autoencoders, better told"))
    (line,) = workbook.update()
    assert line.startswith("Lesson 01 has changed since you took your copy: `")
    assert workbook.command("refresh", "01") in line and line.endswith("` gives you the new one and keeps yours.")


def test_refresh_takes_the_new_lesson_carries_answers_over_and_keeps_the_old_copy(handed_out, copy):
    write_answer(copy, "1.1", "def code(x): return mine(x)")
    save(copy, *cells(copy), code("my own cell"))
    old = copy.read_bytes()
    save(handed_out, *lesson("# Autoencoders, better told"), text("## A new section"))

    lines = workbook.refresh("01")
    assert sources(copy)[:2] == ["# Autoencoders, better told", "def code(x): return mine(x)"]
    assert sources(copy)[2:] == ["check_1_1()", "t = ...", "## A new section"]
    assert cells(copy)[1]["outputs"] == [] and cells(copy)[2]["outputs"] == []
    (old_copy,) = kept(copy)
    assert old_copy.read_bytes() == old
    assert old_copy.name in lines[1] and "cells that you added" in lines[1]
    assert lines[2] == "Answers carried over: 1.1." and "Reload Notebook from Disk" in lines[-1]
    assert workbook.update() == []


def test_refresh_does_not_take_an_untouched_stub_for_an_answer(handed_out, copy):
    better = STUB.replace("the code", "the two-dimensional code")
    write_answer(copy, "1.1", STUB.rstrip("\n"))
    save(handed_out, *lesson(stub=better))
    assert "Answers carried over: none." in workbook.refresh(1)
    assert sources(copy)[1] == better


def test_refresh_says_when_the_exercise_changed_or_is_gone(handed_out, copy):
    write_answer(copy, "1.1", "mine")
    write_answer(copy, "T1", "t = 3")
    save(handed_out, *lesson(stub=STUB.replace("(x)", "(x, latent_dim)"))[:3])
    lines = workbook.refresh("01")
    assert any(line.startswith("Exercise 1.1 itself has changed") for line in lines)
    assert any("only in your old copy: T1" in line for line in lines)
    workbook.reset("01", "1.1")
    assert "latent_dim" in sources(copy)[1]


def test_refresh_joins_a_split_answer_and_leaves_a_copied_stub_out(handed_out, copy):
    first, second, stub = code("import numpy as np", "1.1"), code("def code(x): return np.tanh(x)", "1.1"), lesson()[1]
    save(copy, stub, first, second)
    save(handed_out, *lesson("# New"))
    workbook.refresh("01")
    assert sources(copy)[1] == "import numpy as np\n\ndef code(x): return np.tanh(x)"


def test_refresh_without_the_origin_still_carries_answers_over(handed_out, copy):
    write_answer(copy, "1.1", "mine")
    (copy.parent / ".origin" / copy.name).write_text("{ damaged")
    assert workbook.update() == []
    assert "Answers carried over: 1.1." in workbook.refresh("01")


def test_every_kept_copy_stays(copy):
    for answer in ("first", "second", "third"):
        write_answer(copy, "1.1", answer)
        workbook.reset("01")
    assert sorted(sources(path)[1] for path in kept(copy)) == ["first", "second", "third"]


def test_reset_of_one_exercise_leaves_the_others(copy):
    write_answer(copy, "1.1", "mine")
    write_answer(copy, "T1", "t = 3")
    save(copy, *cells(copy), code("the other half", "1.1"))
    line, reload = workbook.reset("1", "1.1")
    (old_copy,) = kept(copy)
    assert sources(copy) == ["# Autoencoders", STUB, "check_1_1()", "t = 3"]
    assert "mine" in sources(old_copy) and "the other half" in sources(old_copy)
    assert old_copy.name in line and "Reload Notebook from Disk" in reload


def test_reset_of_a_lesson_gives_the_newest_one(handed_out, copy):
    write_answer(copy, "1.1", "mine")
    save(handed_out, *lesson("# Autoencoders, better told"))
    workbook.reset("01_autoencoders")
    assert cells(copy) == without_outputs(handed_out)
    assert workbook.update() == []


def test_what_was_passed_stays_passed(handed_out, copy):
    progress.record("1.1", 3, 3)
    save(handed_out, *lesson("# New"))
    workbook.refresh("01")
    workbook.reset("01", "1.1")
    workbook.reset("01")
    assert progress.results() == {"1.1": (3, 3)}


@pytest.mark.parametrize("name", ["01", "1", 1, "01_autoencoders", "01_autoencoders.ipynb"])
def test_a_lesson_may_be_named_in_any_of_these_ways(copy, name):
    write_answer(copy, "1.1", "mine")
    workbook.reset(name)
    assert sources(copy)[1] == STUB


def test_unknown_names_are_answered_with_the_known_ones(copy):
    with pytest.raises(CourseError, match="did you mean '01_autoencoders'"):
        workbook.refresh("autoencoder")
    with pytest.raises(CourseError, match=r"no exercise in lesson 01 '1\.7'.*'1\.1'"):
        workbook.reset("01", "1.7")
    write_answer(copy, "1.1", "mine")
    save(copy, cells(copy)[0])
    with pytest.raises(CourseError, match="no longer has the cell"):
        workbook.reset("01", "1.1")
    assert kept(copy) == []


def test_a_broken_copy_is_left_alone_until_reset_keeps_it(handed_out, copy):
    copy.write_text('{"cells": [ cut off')
    before = tree(copy.parent)
    for action in (lambda: workbook.refresh("01"), lambda: workbook.reset("01", "1.1")):
        with pytest.raises(CourseError, match="cannot be read as a notebook"):
            action()
    assert tree(copy.parent) == before
    workbook.reset("01")
    assert kept(copy)[0].read_text() == '{"cells": [ cut off' and cells(copy) == without_outputs(handed_out)


def test_a_broken_lesson_upstream_harms_no_copy_and_hides_no_other(lessons, copy):
    (lessons / "01_autoencoders.ipynb").write_text("<<<<<<< yours")
    save(lessons / "02_new.ipynb", text("# New"))
    before = copy.read_bytes()
    lines = workbook.update()
    assert lines[0] == "New in your workbook: 02_new." and "cannot be read as a notebook" in lines[1]
    for action in (workbook.refresh, workbook.reset):
        with pytest.raises(CourseError):
            action("01")
    assert copy.read_bytes() == before


@pytest.mark.parametrize("call", ["refresh('01')", "reset('01')", "reset('01', '1.1')"])
def test_a_full_disk_leaves_the_old_copy_whole(handed_out, copy, call):
    pytest.importorskip("resource", reason="file size limits are POSIX")
    write_answer(copy, "1.1", "mine" * 500)
    save(handed_out, *lesson("# New"))
    before = tree(copy.parent)
    program = f"""
import resource
from course_utils import workbook
from course_utils.errors import CourseError
resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
try:
    workbook.{call}
except CourseError as error:
    assert "could not be written" in str(error)
else:
    raise SystemExit("no error")
"""
    assert subprocess.run([sys.executable, "-c", program], env=os.environ).returncode == 0
    assert tree(copy.parent) == before


def test_a_disk_that_fills_up_halfway_leaves_the_old_copy_in_place(handed_out, copy, monkeypatch):
    write_answer(copy, "1.1", "mine")
    save(handed_out, *lesson("# New"))
    before, replaced = copy.read_bytes(), os.replace

    def only_into_kept(source, target):
        if "kept" not in str(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        replaced(source, target)

    monkeypatch.setattr(os, "replace", only_into_kept)
    with pytest.raises(CourseError, match="No space left on device"):
        workbook.refresh("01")
    assert copy.read_bytes() == before and not list(copy.parent.glob(".*.ipynb.*"))


def test_command_line(copy, capsys):
    assert workbook.main(["update"]) == 0
    assert workbook.main(["reset", "01", "1.1"]) == 0
    assert "as handed out again" in capsys.readouterr().out
    assert workbook.main(["refresh", "77"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "There is no lesson '77'" in said.err

"""Hostile submissions: none gains a mark, none harms another, each ends within its limit and is named."""

import os
import socket
import time
from pathlib import Path

import pytest

from course_utils.grading import marking, sandbox, submission
from tests.hostile import HONEST, HOSTILE
from tests.submissions import ALL, LESSONS, notebook, saved

WHY_NOT = sandbox.why_not()
if WHY_NOT and "CI" not in os.environ:
    pytest.skip(f"answers cannot be walled in: {WHY_NOT}", allow_module_level=True)

PATH = next(path for path in LESSONS if path.name.startswith("03"))
SECONDS = 2  # what an answer may take here


@pytest.fixture(scope="module")
def lesson():
    return submission.lesson(PATH)


@pytest.fixture(scope="module")
def begin(lesson):
    with pytest.MonkeyPatch.context() as patch, sandbox.sandbox(lesson.setup) as begin:
        patch.setitem(sandbox.LIMITS, "seconds", SECONDS)
        patch.setattr(sandbox, "CELL_SECONDS", SECONDS)
        patch.setattr(sandbox, "CELLS_SECONDS", 2 * SECONDS)
        yield begin


@pytest.fixture(scope="module")
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_submission_gains_nothing(name, lesson, begin, listener, tmp_path):
    case = HOSTILE[name]
    secret = tmp_path / "gradebook.db"
    secret.write_text("5.0")

    def filled(source):
        return (
            source.replace("{secret}", str(secret))
            .replace("{port}", str(listener.getsockname()[1]))
            .replace("{{", "{")
            .replace("}}", "}")
        )

    made = notebook(PATH, HONEST | {"T3": filled(case["task"])}, tuple(map(filled, case["added"])))
    if case["change"]:
        case["change"](made)
    started = time.monotonic()
    result = marking.mark(saved(made, tmp_path), lesson, begin, name)
    # One hanging answer, asked once more on its own, and as much again where its cell has to be left out elsewhere.
    assert time.monotonic() - started < 4 * SECONDS + 10
    earned = {id: mark["points"] for id, mark in result["marks"].items()}
    assert earned == dict.fromkeys(lesson.stubs, 0) | {id: ALL[id].points for id in HONEST}, result
    assert case["words"] in " · ".join(result["remarks"]), result["remarks"]
    said = [*result["remarks"], *(mark["line"] for mark in result["marks"].values())]
    assert all(line.isprintable() and len(line) <= 300 for line in said) and len(said) < 50, said
    assert secret.read_text() == "5.0" and not secret.with_name("gradebook.db.owned").exists()
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert _ends(lambda: not [p for p in Path("/proc").glob("[0-9]*/cmdline") if b"98765" in _read(p)])

    # Whoever comes next finds nothing of it, and has full marks for the same work.
    alone = "import os\n" + HONEST["3.1"].replace(
        ":\n", ":\n    assert os.listdir('/tmp') == os.listdir('/dev/shm') == []\n"
    )
    honest = HONEST | {"3.1": alone}
    following = marking.mark(saved(notebook(PATH, honest), tmp_path), lesson, begin, "next")
    assert {id: following["marks"][id]["points"] for id in HONEST} == {id: ALL[id].points for id in HONEST}


def _ends(condition):
    """Whether the condition holds within five seconds."""
    until = time.monotonic() + 5
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_there_are_many():
    assert len(HOSTILE) >= 24

"""Handing in: what is missing is said, what is packed is what was written, and the receipt tells them apart."""

import hashlib
import json
import zipfile

import pytest

from course_utils import hand_in, places, workbook
from course_utils.errors import CourseError

NAMES = '# Fill these in before you hand in.\nNAME = "{}"\nSTUDENT = "{}"  # the id that your course knows you by'


def code(source, tag, exercise=None):
    metadata = {"tags": [tag], **({"exercise": exercise} if exercise else {})}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def lesson(name="", task="raise NotImplementedError", written="*Write your answer here, in place of this line.*"):
    question = {"cell_type": "markdown", "metadata": {"tags": ["question"], "exercise": "Q1"}, "source": written}
    check = "from course_utils.exercises import look_over\nlook_over('T1', best_linear_decoder)"
    answer = f"import torch\n\n\ndef best_linear_decoder(z, x):\n    {task}"
    cells = [code(NAMES.format(name, name and "ada"), "name"), code(answer, "task", "T1"), code(check, "check", "T1")]
    return json.dumps({"cells": [*cells, question], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


@pytest.fixture
def copy(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_NOTEBOOKS", str(tmp_path / "notebooks"))
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_autoencoders.ipynb").write_text(lesson())
    workbook.update()
    return places.workbook() / "01_autoencoders.ipynb"


def test_what_is_missing_is_said_and_nothing_is_packed(copy, capsys):
    assert hand_in.main(["1"]) == 1
    shown = capsys.readouterr().out
    for words in (
        "NAME is empty",
        "STUDENT is empty",
        "Q1 has no answer yet",
        "T1, the task for marks, is not complete",
    ):
        assert words in shown
    assert "Nothing was packed" in shown and not (places.workbook() / "handed-in").exists()


def test_what_is_complete_is_packed_with_a_receipt(copy, capsys):
    right = "solution = torch.linalg.lstsq(torch.cat([z, torch.ones(len(z), 1)], 1), x.flatten(1)).solution"
    copy.write_text(lesson("Ada", f"{right}\n    return solution[:-1].T, solution[-1]", "Because."))
    before = copy.read_bytes()
    assert hand_in.main(["01"]) == 0
    shown = capsys.readouterr().out
    (target,) = (places.workbook() / "handed-in").glob("ada_01_autoencoders_*.zip")
    with zipfile.ZipFile(target) as archive:
        receipt = json.loads(archive.read("receipt.json"))
        assert archive.read("01_autoencoders.ipynb") == before == copy.read_bytes()
    assert receipt["sha256"] == hashlib.sha256(before).hexdigest() and receipt["STUDENT"] == "ada"
    assert receipt["sha256"][:16] in shown and receipt["packed_at"] in shown


def test_a_kernel_that_an_editor_has_noted_is_not_needed(copy, capsys):
    made = json.loads(lesson("Ada", "return 1", "Because."))
    made["metadata"] = {"kernelspec": {"name": "conda-env-elsewhere-py", "display_name": "Elsewhere"}}
    copy.write_text(json.dumps(made))
    assert hand_in.main(["01"]) == 1
    assert "the task for marks, is not complete" in capsys.readouterr().out


def test_a_cell_that_stops_is_named_and_can_be_handed_in_anyway(copy, capsys):
    copy.write_text(lesson("Ada", "return 1\n\n\nraise ValueError('a line of mine')", "Because."))
    assert hand_in.main(["01"]) == 1
    assert "a cell stops with ValueError: a line of mine" in capsys.readouterr().out
    assert hand_in.main(["01", "--anyway"]) == 0
    assert "Packed" in capsys.readouterr().out


def test_a_written_answer_survives_a_refresh(copy):
    copy.write_text(lesson("Ada", written="Because."))
    assert "Answers carried over: T1, Q1." in workbook.refresh(1) or "Answers carried over: Q1." in workbook.refresh(1)
    assert "Because." in copy.read_text()
    workbook.reset(1, "Q1")
    assert "Because." not in copy.read_text() and "Write your answer here" in copy.read_text()


def test_a_lesson_that_is_not_there_is_said(copy):
    copy.unlink()
    with pytest.raises(CourseError, match="not in your workbook"):
        hand_in.hand_in(1)

"""What notebooks open with, and the line that a claim prints."""

import json

import pytest
import torch

from course_utils import lesson
from course_utils.errors import CourseError, choose


def line(capsys, *arguments, **band):
    lesson.measured(*arguments, **band)
    return capsys.readouterr().out


def test_a_claim_prints_its_band_and_verdict(capsys):
    lesson.start("01")
    assert line(capsys, "ratio", 41.26, at_least=20) == "ratio: 41.3   (expected ≥ 20)   holds\n"
    assert line(capsys, "angle", torch.tensor(2.0), at_most=5) == "angle: 2   (expected ≤ 5)   holds\n"
    assert line(capsys, "share", 0.5, at_least=0.25, at_most=0.75) == "share: 0.5   (expected 0.25 to 0.75)   holds\n"
    assert "   (expected ≥ 20)   does not hold: " in line(capsys, "ratio", 19.9, at_least=20)
    assert "   does not hold: " in line(capsys, "angle", 6, at_most=5)
    assert "   does not hold: " in line(capsys, "angle", float("nan"), at_most=5)
    with pytest.raises(ValueError):
        lesson.measured("no band", 1)


def test_claims_are_made_for_digits_alone(capsys):
    lesson.start("01", "mnist")
    assert line(capsys, "ratio", 1, at_least=20) == "ratio: 1   (expected ≥ 20)   not claimed here\n"
    lesson.start("01")


def test_seed_and_claims_file_come_from_outside(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_SEED", "3")
    monkeypatch.setenv("COURSE_CLAIMS", str(tmp_path / "claims"))
    lesson.start("01")
    assert lesson.seed() == 3 and torch.initial_seed() == 3
    lesson.measured("ratio", 1, at_least=20)
    lesson.measured("ratio", 21, at_least=20)
    first, second = (json.loads(line) for line in (tmp_path / "claims").read_text().splitlines())
    assert (first["lesson"], first["seed"], first["value"], first["holds"]) == ("01", 3, 1.0, False)
    assert second["holds"]


def test_environment_names_what_differs(capsys, monkeypatch):
    lesson.check_environment()
    assert capsys.readouterr().out.startswith("Ready: ")
    monkeypatch.setattr(lesson.metadata, "requires", lambda name: ["torch==9.9", "gone==1.0", "x==1; extra == 'test'"])
    lesson.check_environment()
    said = capsys.readouterr().out
    assert "torch 9.9 (found 2." in said and "gone 1.0 (found none)" in said and "x 1" not in said


def test_a_wrong_name_suggests_the_nearest():
    assert choose("digits", ["digits", "mnist"], "data set") == "digits"
    with pytest.raises(CourseError, match="no data set 'Digit': did you mean 'digits'"):
        choose("Digit", ["digits", "mnist"], "data set")
    with pytest.raises(CourseError, match="Known are digits, mnist"):
        choose(7, ["digits", "mnist"], "data set")

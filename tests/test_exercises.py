"""Every check rejects the stub and each misconception by name, and accepts the reference and each variant."""

import os

import numpy as np
import pytest
import torch

from course_utils.exercises import EXERCISES, TASKS, engine, look_over
from course_utils.exercises.answer import in_process
from course_utils.grading.tasks import TASKS as MARKED
from tests.answers import MISCONCEPTIONS, VARIANTS

ALL = {**EXERCISES, **MARKED}
SEEDS = range(int(os.environ.get("COURSE_CHECK_SEEDS", 5)))


def judged(id, answer, seed):
    return engine.judge(ALL[id], in_process(answer, seed), seed)


@pytest.mark.parametrize("id", ALL)
def test_check_tells_right_from_wrong(id, record_property):
    assert len(MISCONCEPTIONS[id]) >= 4 and len(VARIANTS[id]) >= 2
    for seed in SEEDS:
        for answer in [ALL[id].reference, *VARIANTS[id]]:
            result = judged(id, answer, seed)
            assert result.points == result.of, result.line
        for mistake, answer in MISCONCEPTIONS[id]:
            result = judged(id, answer, seed)
            assert result.mistake == mistake, f"seed {seed}: {mistake} expected, got {result.mistake}: {result.line}"
            assert result.points < result.of
            assert "\n" not in result.line and "{" not in result.line and result.line.startswith(f"✗  {id}  ")
    score = {"exercises": 1, "misconceptions": len(MISCONCEPTIONS[id]), "variants": len(VARIANTS[id])}
    record_property("score", {**score, "checks": len(SEEDS) * (1 + sum(list(score.values())[1:]))})


def _in_double(value):
    if isinstance(value, (list, tuple)):
        return [_in_double(item) for item in value]
    return value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value


@pytest.mark.parametrize("id", [id for id in ALL if not isinstance(ALL[id].reference, type)])
def test_double_precision_is_right_too(id):
    result = judged(id, lambda *a, **k: _in_double(ALL[id].reference(*a, **k)), 0)
    assert result.points == result.of, result.line


def _stub(*args, **kwargs):
    raise NotImplementedError


@pytest.mark.parametrize("id", ALL)
def test_stub_is_not_written(id):
    assert judged(id, _stub, 0).line == f"…  {id}  not written yet"


@pytest.mark.parametrize("id", ALL)
def test_nonsense_is_one_line_without_points(id):
    for nonsense in (
        lambda *a, **k: None,
        lambda *a, **k: "text",
        lambda *a, **k: [],
        lambda: 0,
        lambda *a, **k: {},
        lambda *a, **k: torch.ones(2, dtype=torch.complex64),
    ):
        result = judged(id, nonsense, 0)
        assert result.points == 0 and "\n" not in result.line


def test_what_no_expectation_knows_is_one_line():
    def compare(answer, judge):
        with judge.part("all"):
            torch.allclose(answer(), torch.ones(2))

    which = engine.Exercise("0.9", "Kinds", {"all": 1}, None, compare)
    result = engine.judge(which, in_process(lambda: torch.ones(2, dtype=torch.complex64)))
    assert result.points == 0 and result.mistake == "unjudged" and "\n" not in result.line


@pytest.mark.parametrize("id", ALL)
def test_check_leaves_the_random_generators_as_they_were(id):
    torch.manual_seed(7), np.random.seed(7)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    judged(id, ALL[id].reference, 0)
    assert torch.equal(before[0], torch.get_rng_state()) and (before[1] == np.random.get_state()[1]).all()


def test_each_task_is_declared_on_both_sides():
    assert set(TASKS) == set(MARKED)
    for id, task in TASKS.items():
        assert (task.title, task.points) == (MARKED[id].title, MARKED[id].points)


@pytest.mark.parametrize("id", TASKS)
def test_task_is_looked_over_without_marks(id, capsys):
    look_over(id, MARKED[id].reference)
    look_over(id, _stub)
    look_over(id, lambda *a, **k: None)
    look_over(id, 3)
    complete, unwritten, nothing, number = capsys.readouterr().out.splitlines()
    assert complete == f"○  {id}  complete: shapes and types are right; marks come from the instructor"
    assert unwritten == f"…  {id}  not written yet"
    assert nothing.startswith(f"✗  {id}") and number.startswith(f"✗  {id}")

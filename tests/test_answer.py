"""What crosses between a check and an answer, and what does not."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.errors import CourseError
from course_utils.exercises import check, engine
from course_utils.exercises.answer import AnswerFailed, NotWritten, decode, encode, in_process


def test_arrays_numbers_and_lists_cross_as_they_are():
    sent = [torch.arange(6.0).view(2, 3).T, np.float32(2.5), (1, [None, "text", True]), torch.tensor(3), np.arange(2)]
    got = decode(encode(sent))
    assert torch.equal(got[0], sent[0]) and got[0].dtype == torch.float32
    assert got[1:3] == [2.5, [1, [None, "text", True]]] and got[3].shape == () and got[4].tolist() == [0, 1]
    half = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
    assert decode(encode(half)).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("thing", [object(), {"a": 1}, np.array([object()]), lambda: 0])
def test_nothing_else_crosses(thing):
    with pytest.raises((AnswerFailed, ValueError), match=r"returned a|Object arrays"):
        in_process(lambda: thing)()


def test_answer_cannot_reach_the_arrays_of_the_judge():
    x = torch.zeros(3)
    in_process(lambda x: x.add_(1))(x)
    assert x.tolist() == [0, 0, 0]


def test_errors_cross_as_one_line_and_stubs_as_such():
    def wrong(x):
        raise ValueError("first line\nsecond line")

    def stub(x):
        raise NotImplementedError

    with pytest.raises(AnswerFailed, match=r"^it stopped with ValueError: first line$"):
        in_process(wrong)(1)
    with pytest.raises(AnswerFailed, match="stopped with TypeError"):
        in_process(lambda: 0)(1)
    with pytest.raises(NotWritten):
        in_process(stub)(1)


def test_draws_are_fresh_each_call_and_repeat_with_the_seed():
    def draw():
        return torch.rand(2).tolist() + np.random.rand(2).tolist()

    first, again, other = in_process(draw, seed=1), in_process(draw, seed=1), in_process(draw, seed=2)
    one, two = first(), first()
    assert one != two and [one, two] == [again(), again()] and other() != one


def test_gradient_or_none():
    answer = in_process(lambda a, b: (a * a).sum() + b.detach().sum())
    slopes = answer.grad(torch.tensor([1.0, 2.0]), torch.ones(2), wrt=(0, 1))
    assert slopes[0].tolist() == [2.0, 4.0] and slopes[1] is None
    assert in_process(lambda a: a.detach()).grad(torch.ones(2)) == [None]


def test_module_is_made_called_and_changed_from_outside():
    made = in_process(lambda n: nn.Sequential(nn.Linear(n, 2), nn.Dropout(0.5))).new(3)
    assert {name: tuple(p.shape) for name, p in made.params().items()} == {"0.weight": (2, 3), "0.bias": (2,)}
    made.set_params([torch.zeros(2, 3), torch.ones(2)])
    made.eval()
    assert made(torch.rand(4, 3)).tolist() == [[1, 1]] * 4
    made.train()
    assert set(made(torch.rand(40, 3)).flatten().tolist()) == {0, 2}


def test_points_come_part_by_part_and_the_first_mistake_is_shown():
    def judged(answer, court):
        with court.part("first"):
            engine.expect(answer() > 0, "not-positive", "give a positive number")
        with court.part("second"):
            engine.expect(answer() != 0, "zero", "not zero")

    which = engine.Exercise("9.1", "Numbers", {"first": 1, "second": 2}, None, judged)
    assert engine.judge(which, in_process(lambda: 1)).line == "✓  9.1  3 of 3 points"
    result = engine.judge(which, in_process(lambda: -1))
    assert (result.points, result.mistake, result.parts) == (2, "not-positive", {"first": 0, "second": 2})
    assert result.line == "✗  9.1  give a positive number  (2 of 3 points)"


def test_check_meets_bad_input_with_one_line(capsys):
    check("0.1", 3)
    assert capsys.readouterr().out == "✗  0.1  hand the check the function itself, not what it returns\n"
    with pytest.raises(CourseError, match=r"no exercise '0\.11': did you mean '0\.1'"):
        check("0.11", print)

"""Exercises and how they are judged: expectations in the order in which learners go wrong, each with its own words.

A check is a function of an `Answer` and a `Judge`. It never sees the learner's object, and never depends on the order
in which random numbers are drawn. Statistical expectations stand at six standard errors or more.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course_utils.errors import choose
from course_utils.exercises import progress
from course_utils.exercises.answer import Answer, AnswerFailed, NotWritten, in_process


class Mistake(Exception):
    """A recognized mistake: its id, and the words that a learner reads."""

    def __init__(self, id: str, words: str):
        super().__init__(words)
        self.id = id


class Judge:
    """What a check draws its inputs from, and where it gives points part by part. Same seed, same inputs."""

    def __init__(self, parts: dict[str, int], seed: int):
        self.parts, self.earned = parts, dict.fromkeys(parts, 0)
        self.mistakes: list[Mistake] = []
        self._generator = torch.Generator(device="cpu").manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._generator, device="cpu")

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self._generator, device="cpu")

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(torch.randint(low, high + 1, (), generator=self._generator, device="cpu"))

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """The points of one part: earned if the block ends without a mistake. Later parts are judged all the same."""
        with self.noting_mistakes():
            yield
            self.earned[name] = self.parts[name]

    @contextmanager
    def noting_mistakes(self) -> Iterator[None]:
        """End the block at the first mistake, and keep it."""
        try:
            yield
        except Mistake as mistake:
            self.mistakes.append(mistake)
        except AnswerFailed as failure:
            self.mistakes.append(Mistake("stopped", str(failure)))
        except NotWritten:
            raise
        except Exception as error:  # what came back is of a kind that no expectation knows, such as complex numbers
            words = f"what came back cannot be judged ({type(error).__name__}): are its shape and its dtype as asked?"
            self.mistakes.append(Mistake("unjudged", words))


def expect(condition: Any, mistake: str, words: str) -> None:
    """Raise the mistake unless the condition holds."""
    if not bool(condition):
        raise Mistake(mistake, words)


@contextmanager
def failing(*known: tuple[str, str, str]) -> Iterator[None]:
    """Turn an answer's failure into a mistake, if its message holds one of the (fragment, mistake, words) given."""
    try:
        yield
    except AnswerFailed as failure:
        for fragment, mistake, words in known:
            expect(fragment not in str(failure), mistake, words)
        raise


def tensor(value: Any) -> Tensor:
    """The value itself if it is a tensor; otherwise the mistake "no-tensor"."""
    expect(value is not None, "nothing", "nothing came back: is there a line that begins with return?")
    expect(isinstance(value, Tensor), "no-tensor", f"a tensor is expected, a {type(value).__name__} came back")
    return value


def tensors(value: Any, *names: str) -> list[Tensor]:
    """The list of tensors that an answer returned, one for each name; otherwise the mistake "wrong-number"."""
    right = isinstance(value, list) and len(value) == len(names) and all(isinstance(item, Tensor) for item in value)
    expect(right, "wrong-number", f"return {len(names)} tensors: {', '.join(names)}")
    return value


def number(value: Any) -> float:
    """A single number, given as a number or as a tensor of one element; otherwise the mistake "no-number"."""
    expect(value is not None, "nothing", "nothing came back: is there a line that begins with return?")
    value = _double(value)
    single = value is not None and value.numel() == 1
    expect(single, "no-number", "one number is expected" + ("" if value is None else f", not shape {_shape(value)}"))
    return value.item()


def same(
    got: Any,
    want: Any,
    words: str,
    wrong: Iterable[tuple[str, Any, str]] = (),
    rtol: float = 1e-4,
    atol: float = 1e-5,
) -> None:
    """Expect `got` to equal `want` in shape and value; `wrong` lists (mistake, its value, its words), tried in order.

    What is not recognized is the mistake "wrong-shape" or "wrong-value"; `words` begins the sentence for a wrong value.
    """
    is_nothing, got, want = got is None, _double(got), _double(want)
    if got is not None and got.shape == want.shape and torch.allclose(got, want, rtol=rtol, atol=atol):
        return
    for mistake, value, its_words in wrong:
        value = _double(value)
        if got is not None and got.shape == value.shape and torch.allclose(got, value, rtol=rtol, atol=atol):
            raise Mistake(mistake, its_words)
    if is_nothing:
        raise Mistake("nothing", "nothing came back: is there a line that begins with return?")
    if got is None:
        raise Mistake("wrong-shape", f"a tensor of shape {_shape(want)} is expected, not a list or a text")
    if got.shape != want.shape:
        raise Mistake("wrong-shape", f"shape {_shape(want)} is expected, got {_shape(got)}")
    if not got.isfinite().all():
        raise Mistake("not-finite", "some of the values are not finite numbers")
    worst = (got - want).abs().flatten().argmax()
    right, mine = want.flatten()[worst].item(), got.flatten()[worst].item()
    raise Mistake("wrong-value", f"{words}: where {right:.4g} is expected you have {mine:.4g}")


def _double(value: Any) -> Tensor | None:
    """A tensor in double precision, or None if `value` is no array of numbers."""
    try:
        value = torch.stack([_double(item) for item in value]) if isinstance(value, list) else torch.as_tensor(value)
        return value.detach().cpu().double()
    except (TypeError, ValueError, RuntimeError, AttributeError):
        return None


def _shape(value: Tensor) -> str:
    return str(tuple(value.shape))


@dataclass(frozen=True)
class Exercise:
    """One exercise, declared once. `parts` gives the points; `reference` is what a right answer does."""

    id: str
    title: str
    parts: dict[str, int]
    reference: Any
    check: Callable[[Answer, Judge], None]

    @property
    def points(self) -> int:
        return sum(self.parts.values())


@dataclass(frozen=True)
class Task:
    """A task for marks, as a lesson knows it: `look` sees that shapes and types are right; marks come elsewhere."""

    id: str
    title: str
    points: int
    look: Callable[[Answer, Judge], None]


@dataclass(frozen=True)
class Result:
    """What a check says: points earned, points by part, the id of the first mistake, the line to show."""

    points: int
    of: int
    parts: dict[str, int]
    mistake: str | None
    line: str


EXERCISES: dict[str, Exercise] = {}
TASKS: dict[str, Task] = {}


def exercise(id: str, title: str, parts: dict[str, int], reference: Any):
    """Declare an exercise; decorates its check."""

    def declare(check_function):
        EXERCISES[id] = Exercise(id, title, parts, reference, check_function)
        return check_function

    return declare


def task(id: str, title: str, points: int):
    """Declare a task; decorates the function that looks it over."""

    def declare(look):
        TASKS[id] = Task(id, title, points, look)
        return look

    return declare


def judge(which: Exercise, answer: Answer, seed: int = 0) -> Result:
    """Run an exercise's check on an answer."""
    court = Judge(which.parts, seed)
    try:
        with court.noting_mistakes():
            which.check(answer, court)
    except NotWritten:
        return Result(0, which.points, court.earned, "not-written", f"…  {which.id}  not written yet")
    points, of = sum(court.earned.values()), which.points
    if points == of:
        return Result(of, of, court.earned, None, f"✓  {which.id}  {of} of {of} points")
    mistake = court.mistakes[0]
    partly = f"  ({points} of {of} points)" if points else ""
    return Result(points, of, court.earned, mistake.id, f"✗  {which.id}  {mistake}{partly}")


def check(id: str, answer: Any) -> None:
    """Judge the learner's answer to an exercise, print one line, and remember what was passed."""
    which = EXERCISES[choose(id, EXERCISES, "exercise")]
    result = judge(which, in_process(answer)) if callable(answer) else _not_callable(which)
    print(result.line)
    if result.mistake != "not-written" and (trouble := progress.record(id, result.points, result.of)):
        print(trouble)


def look_over(id: str, answer: Any) -> None:
    """Look a task over: say in one line whether it is complete. It gives no marks."""
    which = TASKS[choose(id, TASKS, "task")]
    court = Judge({"complete": which.points}, seed=0)
    try:
        with court.part("complete"):
            expect(callable(answer), "not-callable", "hand over the function itself, not what it returns")
            which.look(in_process(answer), court)
    except NotWritten:
        print(f"…  {id}  not written yet")
        return
    if court.mistakes:
        print(f"✗  {id}  {court.mistakes[0]}")
    else:
        print(f"○  {id}  complete: shapes and types are right; marks come from the instructor")


def _not_callable(which: Exercise) -> Result:
    words = "hand the check the function itself, not what it returns"
    return Result(0, which.points, dict.fromkeys(which.parts, 0), "not-callable", f"✗  {which.id}  {words}")

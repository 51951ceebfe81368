"""Reference and check of the task of lesson 17."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, same
from course_utils.exercises.lesson17 import transposed, two_numbers


def endless(sizes: Float[Tensor, " S"], scores: Float[Tensor, "R S"]) -> tuple[float, float]:
    """What a score tends to as sets grow: the value at 1/n = 0 of each run's line over 1/n, mean and standard error.

    Chong & Forsyth (2020), arXiv:1911.07023, section 4.
    """
    ends = _ends(1 / sizes.double(), scores.double())
    return ends.mean().item(), (ends.std() / len(ends) ** 0.5).item()


def _ends(places: Tensor, scores: Tensor) -> Tensor:
    """Where the line of each row crosses place 0, by least squares."""
    columns = torch.stack([torch.ones_like(places), places], 1)
    return torch.linalg.lstsq(columns, scores.T).solution[0]


def _endless(answer: Answer, judge: Judge) -> None:
    cases = {}
    for part, (S, R) in {"exact lines": (3, 5), "least squares": (5, 6), "few runs": (6, 3)}.items():
        # Uneven in 1/n, so that no mean of the sizes will do.
        sizes = 100 * (1.3 + 2.7 * judge.uniform(S)).cumprod(0).round()
        ends, slopes = 1 + 3 * judge.uniform(R).pow(3), 200 + 100 * judge.uniform(R)
        scores = ends[:, None] + slopes[:, None] / sizes
        if part != "exact lines":
            bend = 600 * (100 / sizes).square()  # so that the line of two sizes is another one
            scores = scores + bend / sizes.min() + 0.05 * judge.normal(R, S)
        cases[part] = sizes, scores
    for part, (sizes, scores) in cases.items():
        want = torch.tensor(endless(sizes, scores))
        with judge.part(part):
            with transposed():
                mean, error = two_numbers(answer(sizes, scores))
            wrong = _candidates(sizes.double(), scores.double())
            same(
                mean,
                want[0],
                f"{part}: the mean is off",
                [(id, value, words) for id, value, words in wrong if id[0] != "e"],
                rtol=1e-3,
            )
            known = [(id[1:], value, words) for id, value, words in wrong if id[0] == "e"]
            same(error, want[1], f"{part}: the standard error is off", known, rtol=1e-2)
        if judge.mistakes:
            return


def _candidates(sizes: Tensor, scores: Tensor) -> list[tuple[str, float, str]]:
    """What the usual mistakes make of a table; ids that begin with e are mistakes of the standard error."""
    R, last = len(scores), sizes.argmax()
    lines = _ends(1 / sizes, scores)
    spread = lines.std()
    slope = torch.linalg.lstsq(torch.stack([torch.ones_like(sizes), 1 / sizes], 1), scores.T).solution[1]
    by_ends = (
        scores[:, last]
        - (scores[:, sizes.argmin()] - scores[:, last]) / (1 / sizes.min() - 1 / sizes.max()) / sizes.max()
    )
    found = [
        ("largest-size", scores[:, last].mean(), "this is the score at the largest size: the line goes on to 1/n = 0"),
        ("mean-of-all", scores.mean(), "this is the mean of the scores: all of them are too high"),
        ("over-n", _ends(sizes, scores).mean(), "the line was drawn over n: the bias falls as 1/n"),
        ("over-root", _ends(sizes.rsqrt(), scores).mean(), "the line was drawn over 1/sqrt(n): the bias falls as 1/n"),
        ("over-log", _ends(sizes.log(), scores).mean(), "the line was drawn over log n: the bias falls as 1/n"),
        ("slope", slope.mean(), "this is the slope: the value at 1/n = 0 is asked"),
        ("through-two", by_ends.mean(), "the line was drawn through two of the sizes: least squares takes them all"),
        ("median", lines.median(), "this is the median of the runs: the mean is asked"),
        ("espread", spread, "this is the spread of the runs: the standard error of their mean is smaller by sqrt(R)"),
        ("edivided", spread / R, "the spread was divided by R: by its root"),
        ("ebiased", lines.std(correction=0) / R**0.5, "the spread was taken over R: over R - 1"),
        ("eby-sizes", spread / len(sizes) ** 0.5, "the spread was divided by the root of the number of sizes: of runs"),
        ("evariance", spread.square() / R, "this is the squared standard error"),
        ("eof-scores", scores[:, last].std() / R**0.5, "this is the error at the largest size: each run has a value at 1/n = 0"),
        ("etwice", 2 * spread / R**0.5, "this is two standard errors"),
    ]  # fmt: skip
    return [(id, value.item(), words) for id, value, words in found]


TASK = Exercise(
    "T17",
    "What endless samples would score",
    {"exact lines": 2, "least squares": 2, "few runs": 1},
    endless,
    _endless,
)

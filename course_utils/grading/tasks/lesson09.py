"""Reference and check of the task of lesson 09."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, failing, number, same


def sap(z: Float[Tensor, "N Z"], factors: Float[Tensor, "N K"]) -> float:
    """Separated attribute predictability, 0 to 1: the gap between the two best units of a factor, in R^2, averaged.

    R^2 is that of a line through one unit, the squared correlation; a unit that never changes has 0. Kumar et al.
    (2018), arXiv:1711.00848, section 3.
    """
    first, second = squared_correlations(z, factors).topk(2, dim=0).values
    return (first - second).mean().item()


def squared_correlations(z: Float[Tensor, "N Z"], factors: Float[Tensor, "N K"]) -> Float[Tensor, "Z K"]:
    z, factors = z - z.mean(0), factors - factors.mean(0)
    lengths = z.norm(dim=0)[:, None] * factors.norm(dim=0)
    return torch.where(lengths > 1e-6, z.T @ factors / lengths.clamp(min=1e-6), 0.0).square()


def _sap(answer: Answer, judge: Judge) -> None:
    cases = [_codes(judge, K) for K in (2, 3, 4, 2)]
    with failing(
        (
            "mat1 and mat2",
            "transposed",
            "the numbers of one unit are a column of z: N pictures lie along the first axis",
        )
    ):
        stated = [number(answer(z, factors)) for z, factors in cases]
    found = [_candidates(z.double(), factors.double()) for z, factors in cases]
    with judge.part("score"):
        wrong = [(name, [case[name] for case in found], words) for name, words in _WRONG.items()]
        same(stated, [case["right"] for case in found], "the score is off", wrong, rtol=1e-3, atol=1e-4)
    with judge.part("moved codes"):
        z, factors = cases[0]
        moved = number(answer(4 - 3 * z, 10 * factors + 2))
        expect(
            abs(moved - stated[0]) < 1e-3,
            "not-invariant",
            "a correlation stays when codes are moved, stretched or turned in sign: your score changed",
        )
    with judge.part("silent units"):
        z, factors = cases[1]
        with_silent = torch.cat([z, torch.full((len(z), 2), 1.5)], 1)
        value = number(answer(with_silent, factors))
        expect(
            math.isfinite(value),
            "silent",
            "a unit that never changes has spread 0, and 0 / 0 is no number: it counts as 0",
        )
        expect(
            abs(value - found[1]["right"]) < 1e-3,
            "silent-counts",
            "two units that never change should leave the score as it was",
        )


_WRONG = {
    "not-squared": "correlations were compared as they are: square them, so that a unit may run either way",
    "absolute": "absolute correlations were compared: R² is their square",
    "no-gap": "this is the R² of the best unit: subtract that of the next best",
    "to-the-last": "the gap reaches down to the last unit: it ends at the second",
    "by-unit": "the gap was taken between two factors of a unit: take it between two units of a factor",
    "sum": "the gaps were summed: average them over the factors",
    "covariance": "covariances were compared: divide by both spreads to make them correlations",
    "slope": "squared slopes were compared: R² is the squared correlation",
    "not-centered": "means were not taken off: a correlation is between numbers less their mean",
    "by-the-best": "the gap was divided by the best R²: it stands alone",
    "squared-gap": "the gap of the correlations was squared: square first, then take the gap",
}  # fmt: skip


def _codes(judge: Judge, K: int) -> tuple[Tensor, Tensor]:
    """Codes of 5 units that mix K factors with noise, some running backwards, around other means."""
    N = judge.integer(60, 90)
    factors = judge.normal(N, K) + 2
    mix = judge.normal(K, 5) * (0.3 + judge.uniform(5))
    return factors @ mix + (0.5 + judge.uniform(5)) * judge.normal(N, 5) + judge.normal(5), factors


def _candidates(z: Tensor, factors: Tensor) -> dict[str, float]:
    """The score as it should be, and what the usual mistakes make of it."""

    def gap(values: Tensor, dim: int = 0) -> Tensor:
        ranked = values.sort(dim, descending=True).values
        return ranked.select(dim, 0) - ranked.select(dim, 1)

    centered, of_factors = z - z.mean(0), factors - factors.mean(0)
    covariance = centered.T @ of_factors / len(z)
    r = covariance / (z.std(0, correction=0)[:, None] * factors.std(0, correction=0))
    raw = z.T @ factors / (z.norm(dim=0)[:, None] * factors.norm(dim=0))
    slope = covariance / z.var(0, correction=0)[:, None]
    r2 = r.square()
    values = {
        "right": gap(r2).mean(),
        "not-squared": gap(r).mean(),
        "absolute": gap(r.abs()).mean(),
        "no-gap": r2.amax(0).mean(),
        "to-the-last": (r2.amax(0) - r2.amin(0)).mean(),
        "by-unit": gap(r2, 1).mean(),
        "sum": gap(r2).sum(),
        "covariance": gap(covariance.square()).mean(),
        "slope": gap(slope.square()).mean(),
        "not-centered": gap(raw.square()).mean(),
        "by-the-best": (gap(r2) / r2.amax(0)).mean(),
        "squared-gap": gap(r.abs()).square().mean(),
    }
    return {name: value.item() for name, value in values.items()}


TASK = Exercise("T9", "A gap from correlations", {"score": 3, "moved codes": 1, "silent units": 1}, sap, _sap)

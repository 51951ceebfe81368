"""Reference and check of the task of lesson 14."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, number, same


def modes_without_labels(x: Float[Tensor, "N D"], radius: float) -> tuple[float, float]:
    """How many equally likely modes would have as many close pairs as the samples x, and its jackknife error.

    After the birthday test of Arora & Zhang (2017), arXiv:1706.08224.
    """
    N = len(x)
    each = (torch.cdist(x.double(), x.double()) <= radius).sum(1) - 1
    close = each.sum() / 2
    modes = N * (N - 1) / 2 / close
    without = (N - 1) * (N - 2) / 2 / (close - each)
    error = ((N - 1) / N * (without - without.mean()).square().sum()).sqrt()
    return modes.item(), error.item() if without.isfinite().all() else math.inf


def _samples(judge: Judge, K: int, N: int, D: int) -> Tensor:
    """N samples at K places far apart, each within 0.2 of its place, the places unequally likely."""
    centers = 5 * torch.stack([torch.arange(K) % 4, torch.arange(K) // 4] + [torch.zeros(K)] * (D - 2), 1)
    which = torch.cat([torch.arange(K), (K * judge.uniform(N - K) ** 1.5).long()])
    x = centers[which] + 0.2 * (judge.uniform(N, D) - 0.5)
    return x[torch.argsort(judge.uniform(N))]


def _modes_without_labels(answer: Answer, judge: Judge) -> None:
    radius = 1.0
    sizes = ((5, 30, 2), (9, 45, 3), (7, judge.integer(50, 60), 2))
    cases = [_samples(judge, *size) for size in sizes]
    stated = []
    for x in cases:
        values = answer(x, radius)
        pair = values is not None and len(torch.as_tensor(values).flatten()) == 2
        expect(pair, "wrong-number", "return two numbers: the number of modes, and its error")
        stated.append((number(values[0]), number(values[1])))
    found = [_candidates(x.double(), radius) for x in cases]

    def column(name: str, i: int) -> Tensor:
        return torch.tensor([case[i][name] for case in found], dtype=torch.float64)

    with judge.part("modes"):
        wrong = [(name, column(name, 0), words) for name, words in _WRONG_MODES.items()]
        same([modes for modes, _ in stated], column("right", 0), "the number of modes is off", wrong, rtol=1e-3)
    with judge.part("error"):
        wrong = [(name, column(name, 1), words) for name, words in _WRONG_ERRORS.items()]
        same([error for _, error in stated], column("right", 1), "the error is off", wrong, rtol=1e-3)


_WRONG_MODES = {
    "self-pairs": "every sample was counted as close to itself: a pair has two different samples",
    "ordered-pairs": "close pairs were counted twice and all pairs once, or the other way round",
    "share": "this is the share of close pairs: the number of modes is one over it",
    "pairs": "this is the number of close pairs: compare it with that of all pairs",
    "all-squared": "all pairs are N (N - 1) / 2, a sample makes no pair with itself",
}
_WRONG_ERRORS = {
    "no-root": "this is a variance: take its root",
    "spread": "this is the spread of the leave-one-out numbers: the jackknife multiplies their squares' sum by (N - 1) / N",
    "standard-error": "this is the spread of the leave-one-out numbers divided by the root of N: they hardly differ, so the jackknife enlarges",
    "no-factor": "the factor (N - 1) / N is missing",
    "all-pairs-kept": "without one sample there are (N - 1)(N - 2) / 2 pairs",
    "close-pairs-kept": "without a sample its close pairs are gone as well",
}


def _candidates(x: Tensor, radius: float) -> tuple[dict[str, float], dict[str, float]]:
    """Both numbers as they should be, and what the usual mistakes make of them."""
    N = len(x)
    each = (torch.cdist(x, x) <= radius).sum(1).double() - 1
    close, pairs = each.sum() / 2, N * (N - 1) / 2
    modes = pairs / close

    def jackknife(without: Tensor) -> Tensor:
        return (without - without.mean()).square().sum() * (N - 1) / N

    without = (N - 1) * (N - 2) / 2 / (close - each)
    numbers = {
        "right": modes,
        "self-pairs": N**2 / (2 * close + N),
        "ordered-pairs": modes / 2,
        "share": 1 / modes,
        "pairs": close,
        "all-squared": N**2 / (2 * close),
    }
    errors = {
        "right": jackknife(without).sqrt(),
        "no-root": jackknife(without),
        "spread": without.std(),
        "standard-error": without.std() / N**0.5,
        "no-factor": (jackknife(without) * N / (N - 1)).sqrt(),
        "all-pairs-kept": jackknife(pairs / (close - each)).sqrt(),
        "close-pairs-kept": jackknife((N - 1) * (N - 2) / 2 / (close - each / 2)).sqrt(),
    }
    return {name: float(v) for name, v in numbers.items()}, {name: float(v) for name, v in errors.items()}


TASK = Exercise("T14", "Modes without labels", {"modes": 2, "error": 3}, modes_without_labels, _modes_without_labels)

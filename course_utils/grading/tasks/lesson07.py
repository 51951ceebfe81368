"""Reference and check of the task of lesson 07."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, number, same


def bound_with_error(log_w: Float[Tensor, "S B"], k: int) -> tuple[float, float]:
    """Mean over the pictures of the importance-weighted bound with k draws, and the standard error of that mean.

    The draws of each picture are taken k at a time, in order; what is left over is left out.
    """
    groups = log_w[: len(log_w) // k * k].unflatten(0, (-1, k))
    bounds = (groups.logsumexp(1) - math.log(k)).mean(0)
    return bounds.mean().item(), (bounds.std() / len(bounds) ** 0.5).item()


def _bound_with_error(answer: Answer, judge: Judge) -> None:
    cases = [_log_weights(judge) for _ in range(4)]
    stated = []
    for log_w, k in cases:
        values = answer(log_w, k)
        expect(isinstance(values, list) and len(values) == 2, "wrong-number", "return two numbers: bound, error")
        stated.append([number(value) for value in values])
    found = [_candidates(log_w.double(), k) for log_w, k in cases]

    def column(name: str, i: int) -> Tensor:
        return torch.tensor([case[name][i] for case in found])

    with judge.part("bound"):
        wrong = [(name, column(name, 0), words) for name, words in _WRONG_BOUNDS.items()]
        same([bound for bound, _ in stated], column("right", 0), "the bound is off", wrong, rtol=1e-3, atol=1e-3)
    with judge.part("error"):
        wrong = [(name, column(name, 1), words) for name, words in _WRONG_ERRORS.items()]
        same([error for _, error in stated], column("right", 1), "the error is off", wrong, rtol=1e-3, atol=1e-4)
    with judge.part("far down"):
        log_w, k = cases[0]
        bound, error = (number(value) for value in answer(log_w - 1000, k))
        expect(
            math.isfinite(bound) and math.isfinite(error),
            "underflow",
            "1000 nats further down the weights round to 0 and nothing is left: stay with logarithms, see logsumexp",
        )
        moved = abs(bound - stated[0][0] + 1000) < 0.01 and abs(error - stated[0][1]) < 0.01
        expect(moved, "not-shifted", "log weights lower by 1000 should give a bound lower by 1000, and the same error")


_WRONG_BOUNDS = {
    "elbo": "the logs of the weights were averaged: that is the ELBO, the bound takes the log of their mean",
    "sum": "the weights of a group were summed: their mean is needed, so log k is missing",
    "all-draws": "all draws went into one group: the bound with k draws takes k at a time",
    "no-last-mean": "the bounds of a picture's groups were summed: average them",
    "across-pictures": "a group holds draws of different pictures: the draws of one picture lie along the first axis",
    "strided": "the groups are not k draws in order: the first k are the first group",
    "first-only": "only the first group was used: average over all of them",
    "pooled": "the groups of all pictures were pooled into one mean of weights: take each group's log first",
    "leftover": "the draws that fill no group went in as a group of their own: leave them out",
}
_WRONG_ERRORS = {
    "no-root": "this is the spread over the pictures: the error of their mean is smaller by the root of their number",
    "variance": "this is a variance divided by the number of pictures: take its root",
    "pooled-error": "the groups of a picture were counted as pictures: average them first, then take the spread over pictures",
    "over-draws": "this is the spread over groups: the error asks for the spread over pictures",
    "population": "the spread divides by the number of pictures less one, as torch.std does",
    "by-number": "the spread was divided by the number of pictures: the root of that number is needed",
    "elbo": "this is the error of the ELBO: use the bounds with k draws",
    "all-draws": "this is the error of a bound with all draws at once: take k at a time",
}


def _log_weights(judge: Judge) -> tuple[Tensor, int]:
    """Log weights around -4, whose spread and mean differ from picture to picture, and k that does not divide S."""
    k, groups, B = judge.integer(3, 5), judge.integer(4, 6), judge.integer(5, 8)
    S = k * groups + judge.integer(1, k - 1)
    spread = 0.5 + judge.uniform(B)
    return spread * judge.normal(S, B) + 2 * judge.normal(B) - 4, k


def _candidates(log_w: Tensor, k: int) -> dict[str, tuple[float, float]]:
    """Bound and error as they should be, and what the usual mistakes make of them."""
    B, whole = log_w.shape[1], len(log_w) // k
    used, left = log_w[: whole * k], log_w[whole * k :]
    logs = used.view(whole, k, B).logsumexp(1) - math.log(k)
    strided = used.view(k, whole, B).logsumexp(0) - math.log(k)
    crossed = used.reshape(-1)[: used.numel() // k * k].view(-1, k).logsumexp(1) - math.log(k)
    everything = log_w.logsumexp(0) - math.log(len(log_w))
    with_left = torch.cat([logs, left.logsumexp(0, keepdim=True) - math.log(len(left))])

    def mean_and_error(per_picture: Tensor) -> tuple[float, float]:
        return per_picture.mean().item(), (per_picture.std() / len(per_picture) ** 0.5).item()

    bound, error = mean_and_error(logs.mean(0))
    spread = error * B**0.5
    return {
        "right": (bound, error),
        "elbo": mean_and_error(log_w.mean(0)),
        "sum": (bound + math.log(k), error),
        "all-draws": mean_and_error(everything),
        "no-last-mean": (bound * whole, error * whole),
        "across-pictures": (crossed.mean().item(), 0.0),
        "strided": mean_and_error(strided.mean(0)),
        "first-only": mean_and_error(logs[0]),
        "pooled": mean_and_error(logs.logsumexp(0) - math.log(whole)),
        "leftover": mean_and_error(with_left.mean(0)),
        "no-root": (bound, spread),
        "variance": (bound, error**2),
        "by-number": (bound, spread / B),
        "population": (bound, error * ((B - 1) / B) ** 0.5),
        "pooled-error": (bound, (logs.std() / logs.numel() ** 0.5).item()),
        "over-draws": (bound, (logs.mean(1).std() / whole**0.5).item()),
    }


TASK = Exercise(
    "T7", "A bound with its error", {"bound": 2, "error": 2, "far down": 1}, bound_with_error, _bound_with_error
)

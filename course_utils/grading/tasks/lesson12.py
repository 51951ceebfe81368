"""Reference and check of the task of lesson 12."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, same
from course_utils.exercises.lesson12 import two_numbers


def divergence_bound(logits_real: Float[Tensor, " N"], logits_fake: Float[Tensor, " M"]) -> tuple[float, float]:
    """The lower bound on the Jensen-Shannon divergence that a discriminator's logits prove, and its standard error."""
    of_real, of_fake = functional.softplus(-logits_real), functional.softplus(logits_fake)
    bound = math.log(2) - 0.5 * (of_real.mean() + of_fake.mean())
    error = 0.5 * (of_real.var() / len(of_real) + of_fake.var() / len(of_fake)).sqrt()
    return bound.item(), error.item()


def _divergence_bound(answer: Answer, judge: Judge) -> None:
    # More real logits than fake ones, fewer, and as many.
    sizes = ((judge.integer(9, 12), judge.integer(4, 6)), (judge.integer(4, 6), judge.integer(9, 12)), (7, 7))
    cases = [(1.5 * judge.normal(n) + 0.8, 1.2 * judge.normal(m) - 0.8) for n, m in sizes]
    stated = [two_numbers(answer(*case)) for case in cases]
    found = [_candidates(*(one.double() for one in case)) for case in cases]

    def column(name: str, i: int) -> Tensor:
        return torch.tensor([case[i][name] for case in found])

    with judge.part("bound"):
        wrong = [(name, column(name, 0), words) for name, words in _WRONG_BOUNDS.items()]
        same([bound for bound, _ in stated], column("right", 0), "the bound is off", wrong, rtol=1e-3, atol=1e-4)
    with judge.part("error"):
        wrong = [(name, column(name, 1), words) for name, words in _WRONG_ERRORS.items()]
        same([error for _, error in stated], column("right", 1), "the error is off", wrong, rtol=1e-3, atol=1e-4)
    with judge.part("far out"):
        far = torch.tensor([200.0, -200.0, 100.0])
        bound, error = two_numbers(answer(far, far))
        expect(
            math.isfinite(bound) and math.isfinite(error),
            "overflow",
            "logits of 200 give no finite number: D rounds to 0 or 1, so do not go through D",
        )
        want = divergence_bound(far.double(), far.double())
        same([bound, error], list(want), "for logits of 200 a number is off", rtol=1e-3)


_WRONG_BOUNDS = {
    "loss": "this is the loss: the bound is log 2 less half of it",
    "no-half": "the whole loss was subtracted: the divergence is log 2 less half of it",
    "doubled": "this is twice the bound: solve loss = 2 log 2 - 2 JS for JS",
    "wrong-sign": "the sign is turned round: a smaller loss proves more",
    "pooled": "all logits went into one mean: average the real ones and the fakes apart, then add",
    "swapped": "real and fake are swapped: a good discriminator has high logits for real points",
    "sign-of-fakes": "the term of the fakes is -log(1 - D)",
    "accuracy": "this is made of probabilities: the loss is made of their logarithms",
    "cut": "a bound below 0 was cut off: it says nothing then, but it is what was measured",
}
_WRONG_ERRORS = {
    "no-half": "the error of the loss came back: the bound holds half of it",
    "no-root": "this is a variance: take its root",
    "spread": "this is a spread of points: the error of a mean is smaller by the root of their number",
    "added": "the two errors were added: independent errors add as squares",
    "pooled": "all terms went into one spread: real points and fakes have a mean of their own",
    "population": "the variance divides by the number of points less one, as torch.var does",
    "real-only": "the scatter of the fakes is missing",
    "fake-only": "the scatter of the real points is missing",
    "of-logits": "this is the scatter of the logits: the bound averages their losses",
}


def _candidates(logits_real: Tensor, logits_fake: Tensor) -> tuple[dict[str, float], dict[str, float]]:
    """Bound and error as they should be, and what the usual mistakes make of them."""
    of_real, of_fake = functional.softplus(-logits_real), functional.softplus(logits_fake)
    n, m = len(of_real), len(of_fake)
    loss = (of_real.mean() + of_fake.mean()).item()
    pooled = torch.cat([of_real, of_fake])
    two, right = math.log(2), math.log(2) - 0.5 * loss
    squares = (of_real.var() / n + of_fake.var() / m).item()
    bounds = {
        "right": right,
        "loss": loss,
        "no-half": two - loss,
        "doubled": 2 * right,
        "wrong-sign": -right,
        "pooled": two - pooled.mean().item(),
        "swapped": two - 0.5 * (functional.softplus(logits_real).mean() + functional.softplus(-logits_fake).mean()).item(),
        "sign-of-fakes": two - 0.5 * (of_real.mean() + functional.softplus(-logits_fake).mean()).item(),
        "accuracy": 0.5 * (logits_real.sigmoid().mean() + 1 - logits_fake.sigmoid().mean()).item(),
        "cut": max(right, 0.0),
    }  # fmt: skip
    errors = {
        "right": 0.5 * squares**0.5,
        "no-half": squares**0.5,
        "no-root": 0.25 * squares,
        "spread": 0.5 * (of_real.var() + of_fake.var()).sqrt().item(),
        "added": 0.5 * (of_real.std() / n**0.5 + of_fake.std() / m**0.5).item(),
        "pooled": (pooled.std() / len(pooled) ** 0.5).item(),
        "population": 0.5 * (of_real.var(correction=0) / n + of_fake.var(correction=0) / m).sqrt().item(),
        "real-only": 0.5 * (of_real.std() / n**0.5).item(),
        "fake-only": 0.5 * (of_fake.std() / m**0.5).item(),
        "of-logits": 0.5 * (logits_real.var() / n + logits_fake.var() / m).sqrt().item(),
    }
    return bounds, errors


TASK = Exercise(
    "T12",
    "A divergence read off two rows of logits",
    {"bound": 2, "error": 2, "far out": 1},
    divergence_bound,
    _divergence_bound,
)

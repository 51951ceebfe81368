"""Reference and check of the task of lesson 08."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, number


def information(z: Float[Tensor, "N Z"], mu: Float[Tensor, "N Z"], logvar: Float[Tensor, "N Z"]) -> tuple[float, float]:
    """The two parts of the mean KL, in nats: what codes tell about images, and how far all codes are from the prior.

    z holds a draw of each posterior N(mu, sigma^2). Hoffman & Johnson (2016), ELBO surgery; the mixture of all N
    posteriors stands for q(z), so that the information is at most log N.
    """
    table = _log_normal(z[:, None], mu, logvar).sum(2)
    log_all = table.logsumexp(1) - math.log(len(z))
    log_prior = _log_normal(z, torch.zeros_like(z), torch.zeros_like(z)).sum(1)
    return float((table.diagonal() - log_all).mean()), float((log_all - log_prior).mean())


def _log_normal(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return -0.5 * ((z - mu).square() / logvar.exp() + logvar + math.log(2 * math.pi))


def _information(answer: Answer, judge: Judge) -> None:
    N, Z = judge.integer(30, 40), judge.integer(3, 4)
    near = _codes(judge, N, Z, 0.8, -1.0)
    # In two hundred dimensions, wide and far apart: every density is too small for a float.
    far = _codes(judge, N, 200, 200.0, 6.0)
    stated = []
    for z, mu, logvar in (near, far):
        values = answer(z, mu, logvar)
        expect(
            isinstance(values, list) and len(values) == 2, "wrong-number", "return two numbers: information, mismatch"
        )
        stated.append([number(value) for value in values])
    right, others = _values(*near)
    with judge.part("information"):
        got = stated[0][0]
        for mistake, words in [
            ("whole-kl", "this is the whole KL: its part that tells images apart is asked for first"),
            ("swapped", "this is the mismatch: the information comes first"),
            ("sum-not-mean", "q(z) is the mean of the posteriors, not their sum: where is log N?"),
            ("other-axis", "each draw is held against every posterior: this sums over the draws instead"),
            ("left-out", "a draw's own posterior is part of q(z): leave nothing out"),
            (
                "mean-of-logs",
                "this is the mean of the logarithms: q(z) is the mean of the densities, then the logarithm",
            ),
            (
                "unit-by-unit",
                "the units were mixed one by one: a posterior has one density, the product over its units",
            ),
            ("one-gaussian", "q(z) was replaced by one Gaussian: it is the mixture of all posteriors"),
            ("spread", "logvar was taken for log sigma: it is log sigma^2"),
            ("sign", "the sign is turned: information is not negative here"),
            ("summed", "this is summed over the draws: take the mean"),
            ("bits", "this is in bits: use the natural logarithm"),
        ]:
            expect(not _near(got, others[mistake]) or _near(got, right[0]), mistake, words)
        expect(_near(got, right[0]), "wrong-information", f"{right[0]:.4g} nats are expected here, you have {got:.4g}")
        got = stated[1][0]
        expect(
            math.isfinite(got),
            "underflow",
            "in many dimensions a density rounds to 0, and its logarithm is lost: sum with logsumexp",
        )
        expect(
            _near(got, math.log(N)),
            "underflow",
            f"codes far apart tell the image, log N = {math.log(N):.3f} nats, you have {got:.4g}: rounding lost them",
        )
    with judge.part("mismatch"):
        got = stated[0][1]
        constant = 0.5 * Z * math.log(2 * math.pi)
        for mistake, value, words in [
            ("sign-of-mismatch", -right[1], "the sign of the mismatch is turned: log q(z) - log p(z)"),
            ("constant", right[1] - constant, "one of two normal densities lacks its constant log 2 pi"),
            ("constant", right[1] + constant, "one of two normal densities lacks its constant log 2 pi"),
            ("kl-as-mismatch", others["whole-kl"], "this is the whole KL: subtract the information"),
        ]:
            expect(not _near(got, value) or _near(got, right[1]), mistake, words)
        want = others["whole-kl"] - stated[0][0]  # for the information stated, so that one mistake is not paid twice
        expect(
            _near(got, right[1]) or _near(got, want),
            "wrong-mismatch",
            f"{right[1]:.4g} nats are expected here, you have {got:.4g}",
        )
        want = _values(*far)[0][1]
        expect(_near(stated[1][1], want), "wrong-mismatch", f"for codes far apart {want:.4g} nats are expected")


def _near(got: float, want: float) -> bool:
    return abs(got - want) <= 3e-4 * max(1.0, abs(want))


def _codes(judge: Judge, N: int, Z: int, spread: float, level: float) -> tuple[Tensor, Tensor, Tensor]:
    mu = spread * judge.normal(N, Z) + 0.3
    logvar = level + 0.3 * judge.normal(N, Z)
    return mu + (0.5 * logvar).exp() * judge.normal(N, Z), mu, logvar


def _values(z: Tensor, mu: Tensor, logvar: Tensor) -> tuple[tuple[float, float], dict[str, float]]:
    """The right parts, and what the usual mistakes make of the first."""
    z, mu, logvar = z.double(), mu.double(), logvar.double()
    N = len(z)
    by_unit = _log_normal(z[:, None], mu, logvar)
    table = by_unit.sum(2)
    own = table.diagonal()
    others_only = table.masked_fill(torch.eye(N).bool(), -torch.inf)
    right = information(z, mu, logvar)
    covariance = mu.T.cov(correction=0) + logvar.exp().mean(0).diag()
    fitted = torch.distributions.MultivariateNormal(mu.mean(0), covariance)
    wide = _log_normal(z[:, None], mu, 2 * logvar).sum(2)
    wrong = {
        "whole-kl": sum(right),
        "swapped": right[1],
        "sum-not-mean": (own - table.logsumexp(1)).mean(),
        "other-axis": (own - table.logsumexp(0) + math.log(N)).mean(),
        "left-out": (own - others_only.logsumexp(1) + math.log(N - 1)).mean(),
        "mean-of-logs": (own - table.mean(1)).mean(),
        "unit-by-unit": (own - (by_unit.logsumexp(1) - math.log(N)).sum(1)).mean(),
        "one-gaussian": (own - fitted.log_prob(z)).mean(),
        "spread": (wide.diagonal() - wide.logsumexp(1) + math.log(N)).mean(),
        "sign": -right[0],
        "summed": N * right[0],
        "bits": right[0] / math.log(2),
    }
    return right, {name: float(value) for name, value in wrong.items()}


TASK = Exercise(
    "T8", "How much of the KL is information?", {"information": 3, "mismatch": 2}, information, _information
)

"""Reference and check of the task of lesson 05."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, same
from course_utils.exercises.lesson05 import two


def best_diagonal(covariance: Float[Tensor, "Z Z"]) -> tuple[Float[Tensor, " Z"], float]:
    """logvar of the q with a diagonal covariance nearest to N(0, covariance) in KL(q || posterior), and that KL.

    Its variances are the inverses of the posterior precisions: Bishop (2006), section 10.1.2.
    """
    logvar = -torch.linalg.inv(covariance).diag().log()
    return logvar, 0.5 * float(torch.logdet(covariance) - logvar.sum())


def _best_diagonal(answer: Answer, judge: Judge) -> None:
    cases = [_covariance(judge, Z) for Z in (2, 3, 5)]
    answers = [two(answer(covariance.float())) for covariance in cases]
    with judge.part("spread"):
        for covariance, (logvar, _) in zip(cases, answers, strict=True):
            precisions, variances = torch.linalg.inv(covariance).diag(), covariance.diag()
            wrong = [
                ("marginal", variances.log(), "these are the posterior's own variances, one latent at a time: a q so wide puts draws where the posterior has nothing"),
                ("variance", 1 / precisions, "these are variances: return their logarithms"),
                ("log-sigma", -0.5 * precisions.log(), "this is the log of sigma: logvar is the log of sigma squared"),
                ("precision", precisions.log(), "these are the logs of the precisions: a variance is the inverse of one"),
                ("one-spread", -precisions.mean().log().expand_as(precisions), "all latents got the same spread: each has one of its own"),
                ("eigenvalues", torch.linalg.eigvalsh(covariance).log(), "these are the variances along the axes of the ellipse: q is spread along the axes of the latents"),
            ]  # fmt: skip
            same(logvar, torch.linalg.inv(covariance).diag().log().neg(), "the logvar is not the best", wrong, rtol=1e-2, atol=1e-2)  # fmt: skip
    with judge.part("gap"):
        # Judged for the logvar that the answer itself states, so that one mistake is not paid twice; the gap of the
        # best q is right as well. A mistake must fit all cases.
        stated, known = [], []
        for covariance, (logvar, gap) in zip(cases, answers, strict=True):
            fits = logvar.shape == covariance.diag().shape and logvar.isfinite().all()
            expect(fits, "no-logvar", f"no gap without a logvar of shape ({len(covariance)},)")
            best = best_diagonal(covariance)[1]
            values = _gaps(logvar.double(), covariance)
            stated.append(values["right"] if abs(gap - best) < 1e-2 * (1 + best) else gap)
            known.append(values)
        wrong = [
            (mistake, torch.tensor([values[mistake] for values in known]), words)
            for mistake, words in [
                ("reversed", "this is the KL from the posterior to q: the gap is the one from q to the posterior"),
                ("no-half", "this is twice the gap: where is the half?"),
                ("minus", "the gap is log p(x) minus the bound, and never negative"),
                ("log-determinant", "the log-determinant of the covariance is missing"),
                ("to-the-prior", "this is the KL to the prior: the gap is the KL to the posterior"),
            ]
        ]
        want = torch.tensor([values["right"] for values in known])
        same(torch.tensor(stated), want, "the gap is off", wrong, rtol=1e-2, atol=1e-2)


def _gaps(logvar: Tensor, covariance: Tensor) -> dict[str, float]:
    """KL(q || posterior) for any logvar, and what the usual mistakes make of it."""
    Z, variances, log_volume = len(logvar), logvar.exp(), torch.logdet(covariance)
    right = 0.5 * ((torch.linalg.inv(covariance).diag() * variances).sum() - Z - logvar.sum() + log_volume)
    values = {
        "right": right,
        "reversed": 0.5 * ((covariance.diag() / variances).sum() - Z + logvar.sum() - log_volume),
        "no-half": 2 * right,
        "minus": -right,
        "log-determinant": right - 0.5 * log_volume,
        "to-the-prior": 0.5 * (variances - 1 - logvar).sum(),
    }
    return {mistake: float(value) for mistake, value in values.items()}


def _covariance(judge: Judge, Z: int) -> Tensor:
    """A covariance with strong correlations, and spreads from 0.4 to 1.7."""
    factor = 0.6 * judge.normal(Z, Z + 1).double() + 1.5
    covariance = factor @ factor.T + 0.5 * torch.eye(Z).double()
    scale = torch.linspace(0.4, 1.7, Z).double() / covariance.diag().sqrt()
    return covariance * scale * scale[:, None]


TASK = Exercise("T5", "What a q without correlations misses", {"spread": 3, "gap": 2}, best_diagonal, _best_diagonal)

"""The exercises of lesson 05, and its task as the lesson knows it."""

import math

import torch
from torch import Tensor

from course_utils import bounds, losses
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensor
from course_utils.models import linear_gaussian


@exercise("5.1", "log p(x), exactly", {"value": 3}, linear_gaussian.log_prob)
def _(answer: Answer, judge: Judge) -> None:
    with judge.part("value"):
        # More pixels than latents, as many, and a batch as large as the picture.
        for B, D, Z in ((judge.integer(6, 8), 4, 2), (2, 3, 3), (5, 5, 2), (1, 4, 1)):
            weight, bias = 0.5 + judge.uniform(D, Z), 1 + judge.uniform(D)
            weight = weight * torch.tensor([1.0, -1.0]).repeat(D)[:D, None]
            sigma = 0.5 + 0.3 * float(judge.uniform(1))
            x = bias + judge.normal(B, Z) @ weight.T + sigma * judge.normal(B, D)
            words = (
                "for Z < D the codes alone fill no more than a flat, and no density: add the noise to the covariance"
            )
            shape = (
                f"the covariance is one of pixels, shape {(D, D)}: which way round is the product of weight and weight?"
            )
            with failing(
                ("PositiveDefinite", "no-noise", words),
                ("positive-definite", "no-noise", words),
                ("singular", "no-noise", words),
                ("must match", "wrong-product", shape),
                ("ncompatible", "wrong-product", shape),
                ("shapes cannot be", "wrong-product", shape),
                ("size mismatch", "wrong-product", shape),
                ("is invalid", "wrong-product", shape),
            ):
                got = answer(x, weight, bias, sigma)
            # Rounding lets some flat covariances pass as full ones: the values are then far out of range.
            flat = D > Z and isinstance(got, Tensor) and (got.isnan() | (got.abs() > 1e4)).any()
            expect(not flat, "no-noise", words)
            _judge_log_prob(got, x.double(), weight.double(), bias.double(), sigma)


def _judge_log_prob(got, x: Tensor, weight: Tensor, bias: Tensor, sigma: float) -> None:
    (B, D), I = x.shape, torch.eye(x.shape[1]).double()  # noqa: E741
    codes = weight @ weight.T
    covariance = codes + sigma**2 * I
    want = _log_normal(x, bias, covariance)
    constant = 0.5 * D * math.log(2 * math.pi)
    wrong = [
        ("sigma-not-squared", _log_normal(x, bias, codes + sigma * I), "sigma is a standard deviation: what the noise adds to the covariance is its square"),
        ("unit-noise", _log_normal(x, bias, codes + I), "the noise has standard deviation sigma, not 1"),
        ("noise-only", _log_normal(x, bias, sigma**2 * I), "this is log p(x|z) for z = 0: the codes spread as well, and add weight weight' to the covariance"),
        ("independent", _log_normal(x, bias, covariance.diag().diag()), "the pixels were taken as independent: one code moves all of them together, so the covariance is no diagonal"),
        ("no-bias", _log_normal(x, 0 * bias, covariance), "the mean of x is not zero: which x belongs to z = 0 without noise?"),
        ("no-constant", want + constant, "log 2π is missing, D halves of it: a yardstick needs its constant"),
        ("no-determinant", want + 0.5 * torch.logdet(covariance), "the log-determinant of the covariance is missing"),
        ("minus", -want, "this is -log p(x)"),
        ("density", want.exp(), "this is p(x): return its logarithm"),
        ("per-pixel", want / D, "this was divided by the number of pixels: log p(x) belongs to the whole picture"),
        ("one-number", want.mean() if B > 1 else want + torch.nan, "one number came back: every picture has a log p(x) of its own"),
        ("one-number", want.sum() if B > 1 else want + torch.nan, "one number came back: every picture has a log p(x) of its own"),
    ]  # fmt: skip
    same(got, want, "log p(x) is off", wrong, rtol=1e-3, atol=1e-3)


def _log_normal(x: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    return torch.distributions.MultivariateNormal(mean, covariance).log_prob(x)


NO_LOG_OF_LOGVAR = (
    "logvar may be negative, so it is no spread and has no logarithm: it is log σ² already, and σ² its exponential"
)


def _expect_no_log_of_logvar(got, mistaken: Tensor) -> None:
    """Name the mistake whose value is NaN wherever logvar is negative, which `same` would not recognize."""
    there = isinstance(got, Tensor) and got.shape == mistaken.shape and mistaken.isnan().any()
    found = there and torch.allclose(got.double(), mistaken, rtol=1e-3, atol=1e-3, equal_nan=True)
    expect(not found, "logvar-as-variance", NO_LOG_OF_LOGVAR)


@exercise("5.2", "The log weight of a draw", {"weights": 3}, bounds.weigh)
def _(answer: Answer, judge: Judge) -> None:
    with judge.part("weights"):
        # The last case has axes of one length: a sum over the wrong one keeps the shape.
        for S, B, Z in ((judge.integer(6, 8), 4, 3), (1, 5, 2), (3, 1, 4), (4, 4, 4)):
            mu, logvar = 1 + judge.normal(B, Z), judge.normal(B, Z) - 0.5
            z = mu + (0.5 * logvar).exp() * judge.normal(S, B, Z)
            log_lik = -50 + 5 * judge.normal(S, B)
            shape = "z is (S, B, Z), and so are the log-densities of its numbers: sum over the last axis"
            with failing(
                ("must match", "wrong-axis", shape),
                ("broadcast", "wrong-axis", shape),
                ("satisfy the constraint", "logvar-as-variance", NO_LOG_OF_LOGVAR),
            ):
                got = answer(log_lik, z, mu, logvar)
            _judge_weights(got, *(t.double() for t in (log_lik, z, mu, logvar)))


def _judge_weights(got, log_lik: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> None:
    normal = torch.distributions.Normal
    prior = normal(0.0, 1.0).log_prob(z)
    q = normal(mu, (0.5 * logvar).exp()).log_prob(z)
    constant = 0.5 * math.log(2 * math.pi)
    want = log_lik + (prior - q).sum(2)
    wrong = [
        ("q-added", log_lik + (prior + q).sum(2), "log q(z) was added: dividing by q subtracts its log"),
        ("q-added", log_lik + (prior + q + 2 * constant).sum(2), "log q(z) was added: dividing by q subtracts its log"),
        ("swapped", log_lik + (q - prior).sum(2), "prior and q have changed places: the prior is above the line, q below"),
        ("no-prior", log_lik - q.sum(2), "the prior is missing: a code that the prior hardly ever draws weighs less"),
        ("no-prior", log_lik - (q + constant).sum(2), "the prior is missing: a code that the prior hardly ever draws weighs less"),
        ("no-q", log_lik + prior.sum(2), "q is missing: a code that q draws often must weigh less each time"),
        ("no-q", log_lik + (prior + constant).sum(2), "q is missing: a code that q draws often must weigh less each time"),
        ("likelihood-only", log_lik, "this is log p(x|z) alone: prior and q are missing"),
        ("kl-known", log_lik - losses.gaussian_kl(mu, logvar), "the exact KL was subtracted, the same for all draws: each draw has densities of its own"),
        ("logvar-as-log-sigma", log_lik + (prior - normal(mu, logvar.exp()).log_prob(z)).sum(2), "logvar is the log of sigma squared: sigma is exp(logvar / 2)"),
        ("logvar-as-variance", log_lik + (prior + 0.5 * ((z - mu).square() / logvar + logvar) + constant).sum(2), "the square was divided by logvar: the variance is its exponential"),
        ("no-logvar", log_lik + (prior - q - 0.5 * logvar).sum(2), "q lacks its height: log q(z) has a term -logvar / 2, since a narrow density is high"),
        ("no-half", log_lik + 2 * (prior - q).sum(2), "the logs of prior and q came out double: is there a half before the squares?"),
        ("mean-over-latents", log_lik + (prior - q).mean(2), "the log-densities were averaged over the latents: independent numbers add their logs"),
        ("not-summed", log_lik[..., None] + prior - q, "one number for each latent came back: independent numbers add their logs"),
        ("lonely-constant", want + mu.shape[1] * constant, "the constant with log 2π stands in one of the two densities: both, or none"),
        ("lonely-constant", want - mu.shape[1] * constant, "the constant with log 2π stands in one of the two densities: both, or none"),
        ("not-a-log", want.exp(), "this is the weight: return its logarithm"),
        ("averaged", want.mean(0), "the draws were averaged: every draw keeps its own weight here"),
        ("averaged", want.mean(), "the draws were averaged: every draw keeps its own weight here"),
        ("wrong-axis", log_lik + (prior - q).sum(1) if len({*z.shape}) == 1 else want + torch.nan, "the log-densities were summed over the images: sum over the latents, the last axis"),
        ("wrong-axis", log_lik + (prior - q).sum(0) if len({*z.shape}) == 1 else want + torch.nan, "the log-densities were summed over the draws: sum over the latents, the last axis"),
    ]  # fmt: skip
    _expect_no_log_of_logvar(
        got, log_lik + (prior + constant + 0.5 * ((z - mu).square() / logvar + logvar.log())).sum(2)
    )
    same(got, want, "a log weight is off", wrong, rtol=1e-4, atol=1e-3)


@exercise("5.3", "KL to the prior, in closed form", {"value": 3}, losses.gaussian_kl)
def _(answer: Answer, judge: Judge) -> None:
    with judge.part("value"):
        for B, Z in ((judge.integer(5, 7), 3), (4, 4), (1, 5), (3, 1)):
            mu, logvar = 0.5 + judge.normal(B, Z), judge.normal(B, Z)
            with failing(("satisfy the constraint", "logvar-as-variance", NO_LOG_OF_LOGVAR)):
                got = answer(mu, logvar)
            again = answer(mu, logvar)
            if isinstance(got, Tensor) and isinstance(again, Tensor) and got.shape == again.shape:
                words = "two calls differ: the closed form needs no draws"
                expect(torch.allclose(got.double(), again.double(), equal_nan=True), "random", words)
            _judge_kl(got, mu.double(), logvar.double())
        same(answer(torch.zeros(2, 3), torch.zeros(2, 3)), torch.zeros(2), "where q is the prior the KL is 0")


def _judge_kl(got, mu: Tensor, logvar: Tensor) -> None:
    terms = 0.5 * (mu.square() + logvar.exp() - 1 - logvar)
    B, Z = mu.shape
    want, nothing = terms.sum(1), terms.sum(1) + torch.nan
    reverse = 0.5 * ((1 + mu.square()) / logvar.exp() - 1 + logvar).sum(1)
    wrong = [
        ("wrong-axis", terms.sum(0), "the terms were summed over the images: sum over the latents, and keep one number an image"),
        ("mean-over-latents", terms.mean(1) if Z > 1 else nothing, "the terms were averaged over the latents: a KL in nats is their sum"),
        ("one-number", terms.sum() if B > 1 else nothing, "one number came back: every image has a KL of its own"),
        ("one-number", terms.sum(1).mean() if B > 1 else nothing, "one number came back: every image has a KL of its own"),
        ("one-number", terms.mean() if B > 1 else nothing, "one number came back: every image has a KL of its own"),
        ("not-summed", terms, "one number for each latent came back: independent latents add up"),
        ("no-half", 2 * want, "this is twice the KL: where is the half?"),
        ("minus", -want, "this is -KL: a KL is never negative"),
        ("one-outside", want + 0.5 * Z - 1, "the -1 belongs to every latent: it stands inside the sum"),
        ("one-outside", want + 0.5 * Z - 0.5, "the -1 belongs to every latent: it stands inside the sum"),
        ("no-one", want + 0.5 * Z, "where q is the prior the KL should be 0: the -1 is missing"),
        ("no-log", 0.5 * (mu.square() + logvar.exp() - 1).sum(1), "the logarithm is missing: a q that is very narrow should cost much"),
        ("log-sign", 0.5 * (mu.square() + logvar.exp() - 1 + logvar).sum(1), "a narrow q should cost more, not less: look at the sign of logvar"),
        ("logvar-as-log-sigma", 0.5 * (mu.square() + (2 * logvar).exp() - 1 - 2 * logvar).sum(1), "logvar is the log of sigma squared: exp(logvar) is sigma squared already"),
        ("logvar-as-log-sigma", 0.5 * (mu.square() + (2 * logvar).exp() - 1 - logvar).sum(1), "logvar is the log of sigma squared: exp(logvar) is sigma squared already"),
        ("sigma-not-squared", 0.5 * (mu.square() + (0.5 * logvar).exp() - 1 - logvar).sum(1), "the spread enters squared: exp(logvar) is sigma squared"),
        ("exponential-twice", 0.5 * (mu.square() - 1).sum(1), "the spread has dropped out: the last term is log σ², which is logvar itself and not its exponential"),
        ("logvar-as-variance", 0.5 * (mu.square() + logvar - 1 - logvar.exp()).sum(1), "logvar and its exponential have changed places"),
        ("mu-not-squared", 0.5 * (mu + logvar.exp() - 1 - logvar).sum(1), "the mean enters squared: left or right of the prior costs the same"),
        ("mu-not-squared", 0.5 * (mu.abs() + logvar.exp() - 1 - logvar).sum(1), "the mean enters squared: twice as far costs four times as much"),
        ("reversed", reverse, "this is the KL from the prior to q: the average runs over draws of q"),
    ]  # fmt: skip
    _expect_no_log_of_logvar(got, 0.5 * (mu.square() + logvar - 1 - logvar.log()).sum(1))
    same(got, want, "a KL is off", wrong)


@exercise("5.4", "The average inside the log", {"value": 2, "far below zero": 1}, bounds.iwae)
def _(answer: Answer, judge: Judge) -> None:
    with judge.part("value"):
        for S, B in ((judge.integer(7, 9), 4), (5, 5), (6, 1), (1, 3)):
            log_w = 1.5 * judge.normal(S, B) + judge.normal(B)
            _judge_iwae(answer(log_w), log_w.double())
    with judge.part("far below zero"):
        for level in (-800.0, 700.0):
            log_w = level + judge.normal(6, 3)
            got = tensor(answer(log_w))
            words = f"log weights near {level:g} give {float(got.flatten()[0]):g}: exp leaves the range of floats, logsumexp does not"
            expect(got.isfinite().all(), "underflow", words)
            words = f"log weights near {level:g} give {float(got.flatten()[0]):.3g} for every image: exp has rounded to 0 before the log"
            expect(got.numel() == 1 or got.unique().numel() > 1, "underflow", words)
            same(got, bounds.iwae(log_w.double()), f"for log weights near {level:g} the bound is off", rtol=1e-5, atol=1e-3)  # fmt: skip
        log_w = torch.tensor([-800.0, 0.0, 700.0]) + judge.normal(6, 3)
        got = tensor(answer(log_w))
        words = "one image near -800 beside another near 700 gives no finite number: the maximum to subtract is each image's own"
        expect(got.isfinite().all(), "one-maximum", words)
        same(got, bounds.iwae(log_w.double()), "for images with log weights near -800, 0 and 700 the bound is off", rtol=1e-5, atol=1e-3)  # fmt: skip


def _judge_iwae(got, log_w: Tensor) -> None:
    S, B = log_w.shape
    total = log_w.logsumexp(0)
    want = total - math.log(S)
    nothing = want + torch.nan
    wrong = [
        ("log-outside", log_w.mean(0), "the logs were averaged, which is the ELBO: here the average goes inside the log"),
        ("not-averaged", total, "the weights were summed: an average divides by the number of draws, inside the log"),
        ("other-count", total - math.log(B) if B != S else nothing, f"divided by {B}, the number of images: there are {S} draws"),
        ("other-count", total - math.log(S * B) if B > 1 else nothing, f"divided by {S * B}, the number of all log weights: each image has {S} draws"),
        ("divided-outside", total / S, "the log was divided by the number of draws: divide the sum of the weights, before the log is taken"),
        ("log-count-added", total + math.log(S), "log S was added: dividing by S subtracts its log"),
        ("wrong-axis", log_w.logsumexp(1) - math.log(B), "the average ran over the images: average over the draws, the first axis"),
        ("all-together", log_w.flatten().logsumexp(0) - math.log(S * B) if B > 1 else nothing, "one number came back: every image has a bound of its own"),
        ("all-together", want.mean() if B > 1 else nothing, "one number came back: every image has a bound of its own"),
        ("largest", log_w.max(0).values, "this is the largest log weight: the others count as well"),
        ("no-log", log_w.exp().mean(0), "this is the mean weight, an estimate of p(x): take its logarithm"),
        ("self-normalized", (log_w.softmax(0) * log_w).sum(0), "this averages the logs, weighted: average the weights, and take the log once"),
    ]  # fmt: skip
    same(got, want, "the bound is off", wrong)


@task("T5", "What a q without correlations misses", points=5)
def _(answer: Answer, judge: Judge) -> None:
    factor = judge.normal(3, 5)
    logvar, gap = two(answer(torch.tensor([[1.0, 0.8], [0.8, 1.0]])))
    same(logvar, torch.tensor([0.36, 0.36]).log(), "in the example of the text the logvar is off", atol=1e-2)
    expect(abs(gap - 0.51) < 0.01, "gap", f"in the example of the text the gap is 0.51, you have {gap:.3g}")
    logvar, _ = two(answer(factor @ factor.T))
    expect(tuple(logvar.shape) == (3,), "wrong-shape", f"logvar should have shape (3,) here, got {tuple(logvar.shape)}")


def two(values) -> tuple[Tensor, float]:
    """The two things that an answer to T5 returns: logvar as a tensor, the gap as a number."""
    expect(values is not None, "nothing", "nothing came back: is there a line that begins with return?")
    expect(isinstance(values, list) and len(values) == 2, "wrong-number", "return two things: logvar and the gap")
    logvar = torch.tensor([number(one) for one in values[0]]) if isinstance(values[0], list) else tensor(values[0])
    return logvar, number(values[1])

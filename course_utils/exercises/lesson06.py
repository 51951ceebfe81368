"""The exercises of lesson 06, and its task as the lesson knows it."""

import torch
from torch import Tensor

from course_utils import estimators
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, same, task, tensor
from course_utils.models import vae


@exercise("6.1", "Make the draw differentiable", {"draw": 1, "gradient": 2}, vae.reparameterize)
def _(answer: Answer, judge: Judge) -> None:
    B, Z = 6_000, judge.integer(3, 5)
    # The example of the text, with another spread: draws scatter around 3 with spread 3 in every number.
    mu, logvar = torch.full((B, Z), 3.0), torch.full((B, Z), 9.0).log()
    with judge.part("draw"):
        z = _draw(answer, mu, logvar)
        noise = z - mu
        again = torch.equal(z, _draw(answer, mu, logvar))
        words = "nothing is drawn: every number is the same, in every call; add noise of spread sigma"
        expect(not again or noise.std() > 1e-6, "no-noise", words)
        expect(not again, "same-again", "a second call drew the same numbers: leave the seed alone")
        expect(
            noise.std(0).max() > 1e-6,
            "shared-over-batch",
            "every image got the same noise: draw it for each image, not once for the batch",
        )
        expect(
            noise.std(1).max() > 1e-6,
            "shared-over-latents",
            "all the numbers of a code got the same noise: draw it for each of them",
        )
        expect(len(z.float().unique()) > 0.5 * z.numel(), "shared", "some draws share their noise: draw it for each")
        _judge_example(noise)
        # Another mu and logvar for each number.
        mu, logvar = 2 * judge.normal(B, Z), 4 * judge.uniform(B, Z) - 2.5
        z = _draw(answer, mu, logvar)
        _judge_standard((z - mu) / (0.5 * logvar).exp(), "with a mu and logvar of its own for each number, the draws")
    with judge.part("gradient"):
        words = "autograd needs a tensor that was overwritten, by a line with an underscore or with *=: make a new one"
        with failing(("in-place", "in-place", words), ("inplace", "in-place", words)):
            by_mu, by_logvar = answer.grad(mu, logvar, wrt=(0, 1))
        missing = [g is None or not g.abs().sum() > 0 for g in (by_mu, by_logvar)]
        words = "the numbers are right, but no gradient comes back through the draw: what cuts it off?"
        expect(not all(missing), "no-gradient", words)
        expect(not missing[0], "no-gradient-mu", "no gradient reaches mu: is a part of the draw detached?")
        expect(not missing[1], "no-gradient-logvar", "no gradient reaches logvar: is a part of the draw detached?")
        expect(
            torch.allclose(by_mu.double(), torch.ones(B, Z).double(), atol=1e-4),
            "wrong-gradient",
            "when mu moves by 1 a draw should move by 1 as well: no other noise, no other scale",
        )
        # dz / dlogvar = sigma / 2 * eps
        _judge_standard(2 * by_logvar / (0.5 * logvar).exp(), "twice the gradient by logvar, divided by sigma,")


def _draw(answer: Answer, mu: Tensor, logvar: Tensor) -> Tensor:
    """One draw in double precision, of the right shape."""
    z = tensor(answer(mu, logvar))
    expect(
        z.shape == mu.shape, "wrong-shape", f"z should have the shape of mu, {tuple(mu.shape)}, got {tuple(z.shape)}"
    )
    expect(z.isfinite().all(), "not-finite", "some of the numbers drawn are not finite")
    return z.double()


def _judge_example(noise: Tensor) -> None:
    """Draws minus mu = 3 for logvar = log 9: Gaussian around 0 with spread 3, to six standard errors."""
    error = noise.numel() ** -0.5
    center, spread = float(noise.mean()), float(noise.std())
    unit = (noise - noise.min()) / (noise.max() - noise.min())
    edges = torch.linspace(0, 1, 11).double()
    even = torch.histogram(unit, edges).hist / unit.numel()
    expect(
        (even - 0.1).abs().max() > 6 * 0.3 * error,
        "uniform",
        "the noise is spread evenly over an interval: draw it from a normal distribution, torch.randn",
    )
    off = abs(center) > 6 * spread * error
    expect(
        not (off and abs(center + 3) < 6 * spread * error),
        "no-mu",
        "mu = 3 should be the middle of the draws, they scatter around 0: add mu",
    )
    expect(
        not (off and abs(center - 6) < 6 * spread * error),
        "mu-scaled",
        "the draws scatter around mu * sigma: multiply the noise alone by sigma",
    )
    expect(not off, "not-centered", f"mu = 3 should be the middle of the draws, they scatter around {center + 3:.3g}")
    begin = f"logvar = log 9 should give spread 3, got {spread:.1f}"
    for mistake, other, words in [
        ("variance-as-spread", 9.0, f"{begin}: is logvar the log of sigma, or of sigma squared?"),
        ("logvar-as-spread", 2.1972, f"{begin}, which is logvar itself: take it out of the logarithm"),
        ("halved-variance", 4.5, f"{begin}: the half belongs inside the exponential"),
        ("root-of-logvar", 2.1972**0.5, f"{begin}, the root of logvar: the root of sigma squared is exp(logvar / 2)"),
        ("twice-logvar", 81.0, f"{begin}: logvar / 2 is log sigma, not 2 * logvar"),
        ("half-logvar", 1.0986, f"{begin}: logvar / 2 is log sigma, so take its exponential"),
        ("square-root-twice", 3**0.5, f"{begin}: the root was taken twice"),
        ("unit", 1.0, f"{begin}: multiply the noise by sigma"),
        ("inverse", 1 / 3, f"{begin}: the sign of logvar is turned round"),
    ]:
        expect(abs(spread / other - 1) > 6 * (0.5**0.5) * error, mistake, words)
    _judge_standard(noise / 3, "for mu = 3 and logvar = log 9, the draws")


def _judge_standard(eps: Tensor, what: str) -> None:
    """Mean 0, variance 1 and fourth moment 3, to six standard errors."""
    count, spread = eps.numel(), float(eps.double().std())
    expect(
        abs(spread**2 - 1) < 6 * (2 / count) ** 0.5,
        "wrong-spread",
        f"{what} have {spread:.3g} times the spread that they should have",
    )
    middle = float(eps.double().mean())
    words = f"{what} have the right spread, and their middle is off by {middle:.2g} sigma"
    expect(abs(middle) < 6 * count**-0.5, "not-centered", words)
    expect(
        abs(float(eps.double().pow(4).mean()) - 3) < 6 * (96 / count) ** 0.5,
        "not-gaussian",
        f"{what} have the right spread and are not Gaussian: draw the noise from a normal distribution",
    )


@exercise("6.2", "A gradient without a path", {"estimates": 3}, estimators.score_function)
def _(answer: Answer, judge: Judge) -> None:
    S, B, Z = judge.integer(5, 6), judge.integer(3, 4), 2
    mu, logvar = judge.normal(B, Z), 0.7 + judge.uniform(B, Z)
    sigma = (0.5 * logvar).exp()
    z = mu + sigma * judge.normal(S, B, Z)
    values = 1 + judge.uniform(S, B)
    each = values[..., None]
    want = each * (z - mu) / sigma**2
    log_q = -0.5 * ((z - mu) / sigma).square() - sigma.log() - 0.5 * torch.tensor(2 * torch.pi).log()
    wrong = [
        ("wrong-sign", -want, "the sign is turned round: a draw above mu gets likelier when mu rises"),
        ("no-sigma", each * (z - mu), "the distance from mu is divided by sigma squared"),
        ("sigma-not-squared", each * (z - mu) / sigma, "divided by sigma once: the derivative of log q has sigma squared"),
        ("sigma-fourth", each * (z - mu) / sigma**4, "sigma squared is exp(logvar) already: do not square it again"),
        ("logvar-as-variance", each * (z - mu) / logvar, "divided by logvar: sigma squared is its exponential"),
        ("values-left-out", (z - mu) / sigma**2, "these are the derivatives of log q alone: weigh each by its value"),
        ("value-for-score", each * log_q, "this is log q times the value: take the derivative of log q by mu"),
        ("value-for-score", each * log_q.exp(), "this is q times the value: take the derivative of log q by mu"),
        ("by-logvar", each * 0.5 * (((z - mu) / sigma).square() - 1), "this is the gradient by logvar: by mu is asked"),
        ("averaged", want.mean(0), "the draws were averaged: return one estimate for each of them"),
        ("averaged", want.sum(0), "the draws were summed: return one estimate for each of them"),
        ("latents-summed", want.sum(-1), "the latents were summed: each number of mu has a derivative of its own"),
        ("divided-by-draws", want / S, "divided by the number of draws: return the estimate of each draw as it is"),
    ]  # fmt: skip
    words = "values has one number a draw and image, shape (S, B): give it an axis of length 1 for the latents"
    with judge.part("estimates"):
        with failing(("must match", "no-axis", words)):
            got = answer(values, z, mu, logvar)
        same(got, want, "an estimate is off", wrong)


@exercise("6.3", "A baseline from the other draws", {"baseline": 2}, estimators.leave_one_out)
def _(answer: Answer, judge: Judge) -> None:
    B = judge.integer(7, 9)
    with judge.part("baseline"):
        for S in (judge.integer(4, 6), B, 2):
            values = 5 + judge.normal(S, B) + 3 * judge.normal(B)
            others = torch.stack([torch.cat([values[:i], values[i + 1 :]]).mean(0) for i in range(S)])
            total = values.sum(0)
            wrong = [
                ("itself-included", values - values.mean(0), "the mean holds the draw's own value: leave that one out"),
                ("mean-of-batch", values - values.mean(), "one mean for the whole table: each image has its own"),
                *[
                    (
                        "sum-of-batch",
                        values - (values.sum() - values) / count,
                        "one sum for the whole table: sum over the draws of each image alone",
                    )
                    for count in (S - 1, values.numel() - 1)
                ],
                (
                    "wrong-axis",
                    values - values.mean(1, keepdim=True),
                    "the mean runs over images: compare the draws of one image with each other",
                ),
                (
                    "wrong-axis",
                    values - (values.sum(1, keepdim=True) - values) / (B - 1),
                    "the mean runs over images: compare the draws of one image with each other",
                ),
                ("sum-of-others", values - (total - values), "the others were summed: subtract their mean"),
                (
                    "divided-by-all",
                    values - (total - values) / S,
                    f"the sum of the others was divided by {S}: {S - 1} of {S} draws are left",
                ),
                (
                    "itself-in-sum",
                    values - total / (S - 1),
                    "the sum holds the draw's own value: take it out before dividing",
                ),
                ("baseline-alone", others, "this is the baseline alone: subtract it from the values"),
                ("wrong-sign", others - values, "the sign is turned round: value minus baseline"),
                ("standardized", (values - values.mean(0)) / values.std(0), "the values were divided by their spread"),
                ("one-other", values - values.roll(1, 0), "one other draw was subtracted: take the mean of all others"),
                (
                    "one-other",
                    values - values.roll(-1, 0),
                    "one other draw was subtracted: take the mean of all others",
                ),
            ]
            same(answer(values), values - others, "a value is off", wrong)


@exercise("6.4", "Sum out the choice", {"gradient": 3}, estimators.summed_out)
def _(answer: Answer, judge: Judge) -> None:
    B, K = judge.integer(5, 7), judge.integer(3, 4)
    words = "the shapes do not fit: the average is one number an image, does it keep its axis, keepdim=True?"
    with judge.part("gradient"):
        for rows in (B, K):
            logits, values = 1.5 * judge.normal(rows, K), 2 + judge.normal(rows, K)
            p = logits.softmax(1)
            average = (p * values).sum(1, keepdim=True)
            down = logits.softmax(0)
            odd = logits.sigmoid()
            wrong = [
                ("average-only", average, "this is the average itself: take its derivative by each logit"),
                ("average-only", average[:, 0], "this is the average itself: take its derivative by each logit"),
                ("average-only", p * values, "these are the terms of the average: a logit also moves the other choices"),
                ("by-probability", values, "this is the derivative by p: the logits move p through the softmax"),
                ("no-probability", values - average, "weigh each difference by the probability of its choice"),
                ("not-weighted", p * (values - values.mean(1, keepdim=True)), "subtract the average under p, not the plain mean"),
                ("others-stay", p * (1 - p) * values, "only one choice was moved: when one gets likelier, the others get less likely"),
                ("wrong-sign", p * (average - values), "the sign is turned round: a choice above the average should gain"),
                ("sigmoid", odd * (values - (odd * values).sum(1, keepdim=True)), "the probabilities do not sum to 1: use a softmax over the choices"),
                ("not-weighted", p * (values - values.sum(1, keepdim=True)), "the values were summed as they are: weigh each by its probability"),
                ("sum-over-images", p * (values - (p * values).sum(0)), "the average runs over the images: it runs over the choices of one image"),
                ("sum-over-images", p * (values - (p * values).sum()), "one sum for the whole table: each image has its own average"),
                ("wrong-axis", down * (values - (down * values).sum(0)), "the softmax runs over the images: it runs over the choices of one image"),
                ("wrong-axis", down * (values - (down * values).sum(1, keepdim=True)), "the softmax runs over the images: it runs over the choices of one image"),
                ("mean-over-batch", p * (values - average) / rows, "divided by the number of images: return each gradient as it is"),
            ]  # fmt: skip
            with failing(("must match", "no-keepdim", words)):
                got = answer(logits, values)
            same(got, p * (values - average), "a gradient is off", wrong)


@task("T6", "A draw that is never negative", points=5)
def _(answer: Answer, judge: Judge) -> None:
    scale, power = 1 + judge.uniform(4, 3), 1 + judge.uniform(4, 3)
    z = tensor(answer(scale, power))
    expect(z.shape == scale.shape, "wrong-shape", f"z should have shape {tuple(scale.shape)}, got {tuple(z.shape)}")
    expect(z.isfinite().all() and (z >= 0).all(), "negative", "some draws are negative or not finite")
    gradients = answer.grad(scale, power, wrt=(0, 1))
    expect(all(g is not None for g in gradients), "no-gradient", "no gradient reaches scale, or none reaches power")

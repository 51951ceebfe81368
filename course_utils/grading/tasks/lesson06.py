"""Reference and check of the task of lesson 06."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, tensor


def weibull(scale: Float[Tensor, "B Z"], power: Float[Tensor, "B Z"]) -> Float[Tensor, "B Z"]:
    """One draw for each number of the distribution with P(z <= t) = 1 - exp(-(t / scale)^power), with a gradient."""
    u = torch.rand_like(scale)
    return scale * (-torch.log1p(-u)) ** (1 / power)


def _weibull(answer: Answer, judge: Judge) -> None:
    B, Z = 5_000, 4
    # Never 1, where a wrong power would not show; a value of its own for each number.
    scale, power = 1.5 + judge.uniform(B, Z), 1.5 + 2 * judge.uniform(B, Z)
    with judge.part("draw"):
        z = tensor(answer(scale, power))
        expect(
            z.shape == scale.shape,
            "wrong-shape",
            f"z should have the shape of scale, {tuple(scale.shape)}, got {tuple(z.shape)}",
        )
        expect(
            z.isfinite().float().mean() > 0.99,
            "nan",
            "many draws are not finite: the logarithm of a number below 1 is negative, and has no root",
        )
        z = z.double()
        # One draw in millions may round to 0 or run to infinity.
        expect((z.nan_to_num() >= 0).all(), "negative", "some draws are negative: they should never be")
        alike = tensor(answer(torch.full((B, Z), 2.0), torch.full((B, Z), 2.0)))
        shared = alike.std(0).min() < 1e-6 or alike.std(1).max() < 1e-6 or len(alike.unique()) < 0.5 * alike.numel()
        expect(
            not shared, "shared", "with one scale and one power, some draws are equal: each number has its own noise"
        )
        again = tensor(answer(scale, power)).double()
        expect(not torch.equal(z, again), "same-again", "a second call drew the same numbers: leave the seed alone")
        _judge_draws(z, scale.double(), power.double())
    with judge.part("gradient"):
        by_scale, by_power = answer.grad(scale, power, wrt=(0, 1))
        missing = [g is None or not g.abs().sum() > 0 for g in (by_scale, by_power)]
        expect(not all(missing), "no-gradient", "no gradient comes back through the draw")
        expect(not missing[0], "no-gradient-scale", "no gradient reaches scale")
        expect(not missing[1], "no-gradient-power", "no gradient reaches power")
        # dz / dscale is z / scale, so that it tells the draw that the gradient by power belongs to.
        share = by_scale.double()
        expect(
            _evenly(1 - (-share.pow(power)).exp()),
            "wrong-gradient",
            "the gradient by scale should be z / scale: when scale doubles, so does the draw",
        )
        want = -scale * share * share.log() / power
        off = (by_power.double() - want).abs() > 1e-2 * (0.1 + want.abs())
        expect(off.double().mean() < 1e-3, "wrong-gradient", "the gradient by power is off")


def _judge_draws(z: Tensor, scale: Tensor, power: Tensor) -> None:
    """What each usual mistake draws would be uniform numbers, if it were undone in the same way."""
    t = (z / scale).pow(power)
    for mistake, exponential, words in [
        ("inverse-scale", (z * scale).pow(power), "scale divides: with twice the scale the draws should be twice as large"),
        ("no-scale", z.pow(power), "scale changes nothing: with twice the scale the draws should be twice as large"),
        ("power-not-inverted", (z / scale).pow(1 / power), "the draw was raised to power: solve the equation for z, which takes the root"),
        ("no-power", z / scale, "power changes nothing: it stands in the exponent of the distribution"),
        ("scale-under-root", z.pow(power) / scale, "the root was taken of scale as well: scale multiplies the draw"),
    ]:  # fmt: skip
        expect(not _evenly(1 - (-exponential).exp()), mistake, words)
    expect(not _evenly(t), "no-logarithm", "the uniform number was not turned round: solve P(z <= t) = u for t")
    expect(not _evenly(z), "distribution-itself", "these are evenly spread between 0 and 1: draw u, and solve for z")
    folded = torch.special.erf(z / scale / math.sqrt(2))
    expect(not _evenly(folded), "gaussian", "this is a Gaussian without its sign: take the distribution of the text")
    expect(
        _evenly(1 - (-t).exp()),
        "wrong-distribution",
        f"P(z <= scale) should be 0.632 for every power, it is {float((z <= scale).double().mean()):.3f}: compare both",
    )


def _evenly(u: Tensor) -> bool:
    """Whether numbers could be uniform between 0 and 1: Kolmogorov's distance, beyond six standard errors."""
    u = u.flatten().sort().values
    even = (torch.arange(len(u)) + 0.5).double() / len(u)
    return bool((u - even).abs().max() < 3.3 / len(u) ** 0.5)


TASK = Exercise("T6", "A draw that is never negative", {"draw": 3, "gradient": 2}, weibull, _weibull)

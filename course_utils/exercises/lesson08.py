"""The exercises of lesson 08, and its task as the lesson knows it."""

from typing import Any

import torch
from torch import Tensor

from course_utils import losses, metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensor
from course_utils.models import collapse


@exercise("8.1", "What a direction is worth", {"nats": 2, "off": 1}, collapse.optimal_kl)
def _(answer: Answer, judge: Judge) -> None:
    D = judge.integer(4, 7)
    noise, beta = 0.5 + 0.4 * float(judge.uniform(1)), 1.5 + float(judge.uniform(1))
    variance = beta * noise * torch.cat([torch.tensor([9.0]), 1.5 + 8 * judge.uniform(D - 1)])
    with judge.part("nats"):
        ratio = (variance / (beta * noise)).double()
        plain = (variance / noise).double()
        times_noise = 0.5 * (variance * noise / beta).double().log()
        wrong = [
            ("precedence", times_noise, "variance / beta * noise multiplies by the noise: put beta * noise in brackets"),
            ("precedence", times_noise.clamp(min=0), "variance / beta * noise multiplies by the noise: put beta * noise in brackets"),
            ("no-half", ratio.log(), "twice too much: the ½ before the logarithm is missing"),
            ("beta-left-out", 0.5 * plain.log(), "beta makes no difference here: the larger it is, the fewer nats are spent"),
            ("beta-wrong-side", 0.5 * (plain * beta).log(), "a larger beta should mean fewer nats: on which side does it stand?"),
            ("beta-outside", 0.5 * plain.log() / beta, "beta stands inside the logarithm: it raises the bar that the variance has to pass"),
            ("beta-outside", 0.5 * beta * plain.log(), "beta stands inside the logarithm: it raises the bar that the variance has to pass"),
            ("noise-squared", 0.5 * (variance / (beta * noise**2)).log(), "noise was squared: it is a variance already"),
            ("noise-squared", 0.5 * (variance / (beta * noise) ** 2).log(), "beta * noise was squared: noise is a variance already"),
            ("variance-squared", 0.5 * (variance**2 / (beta * noise)).log(), "variance was squared: it is a variance already"),
            ("upside-down", (-0.5 * ratio.log()).clamp(min=0), "the ratio stands on its head: nats are spent where the variance exceeds the noise"),
            ("upside-down", -0.5 * ratio.log(), "the ratio stands on its head: nats are spent where the variance exceeds the noise"),
            ("signal-and-noise", 0.5 * (1 + ratio).log(), "the variance of the data holds the noise already: there is no 1 to add"),
            ("no-logarithm", 0.5 * (ratio - 1), "nats are a logarithm of the ratio"),
            ("no-logarithm", 0.5 * ratio, "nats are a logarithm of the ratio"),
            ("bits", 0.5 * ratio.log2(), "this is in bits: use the natural logarithm"),
            ("summed", 0.5 * ratio.log().sum(), "one number came back: each direction has its own"),
        ]  # fmt: skip
        words = "variance is a tensor with several directions: clamp, log and where of torch take them all at once"
        with failing(
            ("one element", "not-a-number", words),
            ("only length-1", "not-a-number", words),
            ("ambiguous", "not-a-number", words),
        ):
            got = answer(variance, noise, beta)
        same(got, 0.5 * ratio.log(), "the nats of a direction are off", wrong)
        same(answer(variance[:2], noise, 1.0), 0.5 * plain[:2].log(), "with beta = 1 the nats are off")
    with judge.part("off"):
        low = beta * noise * (0.1 + 0.8 * judge.uniform(D))
        got = answer(low, noise, beta)
        wrong = [
            ("negative", 0.5 * (low / (beta * noise)).double().log(), "a KL is never negative: below the threshold the unit is off, with 0 nats"),
            ("absolute", 0.5 * (low / (beta * noise)).double().log().abs(), "below the threshold the unit is off, with 0 nats: an absolute value turns it on"),
        ]  # fmt: skip
        same(got, torch.zeros(D), "below the threshold the unit is off, with 0 nats", wrong)
        mixed = torch.cat([low[:1], variance[:1], low[1:2]])
        same(answer(mixed, noise, beta), collapse.optimal_kl(mixed, noise, beta), "with directions on and off together")


@exercise("8.2", "The KL of each unit", {"KL": 2}, metrics.kl_per_unit)
def _(answer: Answer, judge: Judge) -> None:
    Z = judge.integer(3, 5)
    N = Z + judge.integer(3, 6)
    mu, logvar = judge.normal(N, Z) + 0.5, 0.8 * judge.normal(N, Z)
    kl = losses.unit_kl(mu.double(), logvar.double())
    sigma = logvar.double()
    with judge.part("KL"):
        got = answer(mu, logvar)
        expect(
            not (isinstance(got, Tensor) and got.isnan().any()),
            "log-of-logvar",
            "a logarithm or a root of a negative logvar is lost: it is log sigma^2 already, and sigma^2 is logvar.exp()",
        )
        wrong = [
            ("per-image", kl.sum(1), f"{N} numbers came back, one for each image: one is asked for each of the {Z} units"),
            ("per-image", kl.mean(1), f"{N} numbers came back, one for each image: one is asked for each of the {Z} units"),
            ("total", kl.sum(1).mean(), "one number came back, the KL of the whole code: keep the units apart"),
            ("total", kl.mean(), "one number came back: keep the units apart"),
            ("summed", kl.sum(0), "the images were summed: take their mean"),
            ("over-units", kl.mean(0) / Z, "this is divided by the number of units as well: take the mean over the images alone"),
            ("whole-table", kl, "every image's KL came back: take the mean over the images"),
            ("no-half", 2 * kl.mean(0), "twice too much: the ½ of the KL is missing"),
            ("sign", -kl.mean(0), "the sign is turned: a KL is never negative"),
            ("sigma", 0.5 * (mu.double() ** 2 + sigma**2 - 1 - (sigma**2).log()).mean(0), "logvar was taken for sigma: it is log sigma^2"),
            ("log-sigma", 0.5 * (mu.double() ** 2 + (2 * sigma).exp() - 1 - 2 * sigma).mean(0), "logvar was taken for log sigma: it is log sigma^2"),
            ("mu-left-out", 0.5 * (sigma.exp() - 1 - sigma).mean(0), "mu makes no difference here: it is part of the KL"),
            ("one-left-out", kl.mean(0) + 0.5, "half a nat too much everywhere: a unit with mu = 0 and logvar = 0 has KL 0, so 1 is subtracted"),
            ("mu-not-squared", (kl - 0.5 * mu.double() ** 2 + 0.5 * mu.double()).mean(0), "mu was not squared"),
            ("variance-left-out", (kl - 0.5 * sigma.exp() + 0.5 * sigma).mean(0), "logvar was added in place of sigma^2: that is logvar.exp()"),
            ("of-the-mean", losses.unit_kl(mu.double().mean(0, keepdim=True), sigma.mean(0, keepdim=True))[0], "this is the KL of the mean mu and logvar: take the KL of each image first, then the mean"),
        ]  # fmt: skip
        same(got, kl.mean(0), "the KL of a unit is off", wrong)


@exercise("8.3", "Active units", {"count": 2, "threshold": 1}, metrics.active_units)
def _(answer: Answer, judge: Judge) -> None:
    N, active = judge.integer(300, 400), judge.integer(2, 3)
    # Units that move, one that moves by a standard deviation of 0.05, two that stand still far from 0, and some dead ones.
    dead = active + 1
    spread = torch.tensor([0.3] * active + [0.05] + [0.001] * 2 + [0.001] * dead)
    offset = torch.tensor([0.0] * active + [0.0] + [1.5, -0.8] + [0.0] * dead)
    noise = judge.normal(N, len(spread))
    mu = offset + spread * (noise - noise.mean(0)) / noise.std(0)
    mu = mu[:, torch.argsort(judge.uniform(len(spread)))]
    Z = len(spread)
    with judge.part("count"):
        got = answer(mu)
        if isinstance(got, Tensor) and got.numel() > 1:
            expect(
                got.shape != (Z,),
                "mask",
                f"{Z} values came back, one for each unit: count those that are above the threshold",
            )
            expect(False, "per-image", f"{got.numel()} values came back: one count is asked for, over the {Z} units")
        got = number(got)
        over_units = int((mu.var(1) > 0.01).sum())
        for mistake, value, words in [
            ("standard-deviation", active + 1, "a unit with standard deviation 0.05 was counted: the threshold is for the variance"),
            ("not-centered", active + 2, "units that stand still away from 0 were counted: what counts is how mu moves over the data"),
            ("not-centered", active + 3, "units that stand still away from 0 were counted: what counts is how mu moves over the data"),
            ("dead-ones", Z - active, "these are the units that are not active"),
            ("share", active / Z, "this is a share: return the count"),
            ("over-units", over_units, "the variance was taken over the units of each image: take it over the images, unit by unit"),
            ("over-everything", 1, "you count 1: was the variance taken over the whole table? Take it over the images, unit by unit"),
            ("all", Z, "every unit was counted: some of them hardly move"),
        ]:  # fmt: skip
            expect(got == active or abs(got - value) > 1e-6, mistake, words)
        expect(got == active, "wrong-count", f"{active} of these {Z} units are active, you count {got:g}")
    with judge.part("threshold"):
        got = number(answer(mu, 0.2))
        expect(got != active, "threshold-ignored", "a threshold of 0.2 changes nothing here: use the one that is given")
        expect(got == 0, "wrong-count", f"with a threshold of 0.2 no unit is active here, you count {got:g}")


# (active, alone, reachable, slack); the last gains exactly the slack, in numbers without rounding.
def _cases(judge: Judge) -> list[tuple[int, float, float, float]]:
    alone = [round(-60 + 50 * float(u), 2) for u in judge.uniform(9)]
    gains = [0.02, 0.05, 0.06, 0.5, 2.0, 0.7, 0.3, -0.2, 0.8]
    slacks = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 1.0, 0.1, 0.1]
    actives = [0, 3, 0, 0, 0, 5, 0, 0, 1]
    cases = [(a, b, b + g, s) for a, b, g, s in zip(actives, alone, gains, slacks, strict=True)]
    return [*cases, (0, -2.0, -1.0, 1.0)]


def _verdicts(cases: list, rule: Any) -> list[str]:
    return [rule(*case) for case in cases]


@exercise("8.4", "A rule in three lines", {"rule": 3}, metrics.diagnose)
def _(answer: Answer, judge: Judge) -> None:
    cases = _cases(judge)
    known = ("not needed", "in use", "collapsed")

    def by_use(a: int, b: float, r: float, s: float) -> str:
        return "in use" if a > 0 else "not needed" if r - b <= s else "collapsed"

    wrong = [
        ("use-first", by_use, "a code that gains nothing is not needed, even where some units are active: ask for its worth first"),
        ("swapped", lambda a, b, r, s: "collapsed" if r - b <= s else "in use" if a > 0 else "not needed", "where nothing is to be gained the code is not needed; it collapsed where it would gain and is silent"),
        ("sign", lambda a, b, r, s: "not needed" if b - r <= s else "in use" if a > 0 else "collapsed", "what a code can gain is reachable minus alone, not the other way round"),
        ("slack-ignored", lambda a, b, r, s: "not needed" if r <= b else "in use" if a > 0 else "collapsed", "a gain within the slack should count as none"),
        ("slack-fixed", lambda a, b, r, s: "not needed" if r - b <= 0.1 else "in use" if a > 0 else "collapsed", "the slack is given: 0.1 is only its default"),
        ("worth-ignored", lambda a, b, r, s: "in use" if a > 0 else "collapsed", "a silent code has collapsed only if it would gain something: compare reachable and alone"),
        ("use-ignored", lambda a, b, r, s: "not needed" if r - b <= s else "collapsed", "a worthy code that is active is in use"),
        ("one-is-enough", lambda a, b, r, s: "not needed" if r - b <= s else "in use" if a > 1 else "collapsed", "one active unit is enough for a code in use"),
        ("border", lambda a, b, r, s: "not needed" if r - b < s else "in use" if a > 0 else "collapsed", "a gain of exactly the slack is no more than the slack: not needed"),
        ("use-turned", lambda a, b, r, s: "not needed" if r - b <= s else "collapsed" if a > 0 else "in use", "a worthy code is in use when units are active, and collapsed when none is"),
    ]  # fmt: skip
    with judge.part("rule"):
        got = [answer(*case) for case in cases]
        expect(got[0] is not None, "nothing", "nothing came back: is there a line that begins with return?")
        silent = next((case for case, one in zip(cases, got, strict=True) if one is None), None)
        if silent is not None:
            words = f"with {silent[0]} active units and a gain of {silent[2] - silent[1]:.2f} nothing came back"
            expect(False, "no-return", f"{words}: was a return forgotten?")
        other = next((one for one in got if one not in known), None)
        if other is not None:
            shown = f"{other!r}"[:40].replace("\n", " ").replace("{", "(")
            expect(False, "other-words", f"answer with one of {', '.join(known)}, not {shown}")
        want = _verdicts(cases, metrics.diagnose)
        for mistake, rule, words in wrong:
            expect(got == want or got != _verdicts(cases, rule), mistake, words)
        if got != want:
            expect(False, "wrong-verdict", _first_difference(cases, got, want))
        a, b, r, _ = cases[3]
        expect(answer(a, b, r) == "collapsed", "no-default", "without a slack the rule should take 0.1")


def _first_difference(cases: list, got: list, want: list) -> str:
    (active, alone, reachable, slack), mine, right = next(
        (case, g, w) for case, g, w in zip(cases, got, want, strict=True) if g != w
    )
    return (
        f"{active} active units, {alone:.2f} alone, {reachable:.2f} reachable, slack {slack}: "
        f"{right} is expected, you say {mine}"
    )


@exercise("8.5", "Free bits", {"loss": 3, "gradient": 1}, losses.free_bits)
def _(answer: Answer, judge: Judge) -> None:
    B, Z = judge.integer(6, 9), judge.integer(4, 5)
    floor = 0.3 + 0.2 * float(judge.uniform(1))
    # One unit is so far below the floor that even its sum over the batch is, one is below it on average, the others
    # are above it; the first image is below it in every unit.
    level = floor * torch.cat(
        [0.03 + 0.05 * judge.uniform(1), 0.4 + 0.3 * judge.uniform(1), 2.0 + judge.uniform(Z - 2)]
    )
    shape = 0.1 + 2.4 * torch.linspace(0, 1, B)[:, None].expand(B, Z)
    shape = torch.stack([shape[[0, *(1 + torch.argsort(judge.uniform(B - 1)))], j] for j in range(Z)], 1)
    kl = (level * shape / shape.mean(0)).double()
    mean = kl.mean(0)
    want = mean.clamp(min=floor).sum()
    with judge.part("loss"):
        with failing(
            ("must be Tensor, not float", "floor-is-a-number", "floor is a number: torch.where and clamp take one")
        ):
            got = tensor(answer(kl, floor))
        expect(
            got.shape != (B, Z),
            "not-summed",
            "the units of each image were not summed: one number for each image is asked for",
        )
        expect(got.ndim > 0, "one-number", f"one number came back: the loop wants one for each of the {B} images")
        expect(
            got.shape != (Z,),
            "per-unit",
            f"{Z} numbers came back, one for each unit: sum them, and give one for each image",
        )
        expect(tuple(got.shape) == (B,), "wrong-shape", f"shape {(B,)} is expected, got {tuple(got.shape)}")
        # A batch of which even the whole KL lies below the floor.
        small = kl * (0.5 * floor / mean.sum())
        got_small = tensor(answer(small, floor)).double().mean()
        of_images = [[one.sum(1).clamp(min=floor).mean(), one.sum(1).mean().clamp(min=floor)] for one in (small, kl)]
        for in_small, in_kl in zip(*of_images, strict=True):
            hit = (got_small - in_small).abs() < 1e-4 and (got.double().mean() - in_kl).abs() < 1e-4
            expect(not hit, "total", "the floor was held under the whole code: each unit has its own")
        at_once = (got_small - Z * floor).abs() < 1e-4 and (got.double().mean() - mean.sum()).abs() < 1e-4
        expect(
            not at_once, "all-units-at-once", "above the floor or not was asked once for all units: ask it unit by unit"
        )
        image_asks = kl.sum(1).clamp(min=Z * floor).mean()
        sum_asks = torch.where(kl.sum(0) > floor, mean, floor).sum()
        wrong = [
            ("image-asks", image_asks, "above the floor or not was asked for each image: ask it for each unit, about its mean over the batch"),
            ("sum-asks", sum_asks, "a unit's sum over the batch was held against the floor: take its mean"),
            ("image-by-image", kl.clamp(min=floor).sum(1).mean(), "the floor was held under each image: it is for the mean of a unit over the batch"),
            ("ceiling", mean.clamp(max=floor).sum(), "this is a ceiling: units above the floor should count in full"),
            ("subtracted", (mean - floor).clamp(min=0).sum(), "the floor was subtracted: a unit above it counts in full, one below it counts as the floor"),
            ("subtracted", (kl - floor).clamp(min=0).sum(1).mean(), "the floor was subtracted: a unit above it counts in full, one below it counts as the floor"),
            ("dropped", torch.where(mean > floor, mean, 0).sum(), "units below the floor count as 0 here: they should count as the floor"),
            ("averaged", mean.clamp(min=floor).mean(), "the units were averaged: a KL sums them"),
            ("no-floor", mean.sum(), "this is the plain KL: units below the floor should count as the floor"),
            ("added", (mean + floor).sum(), "the floor was added to every unit: it replaces what lies below it"),
            ("too-large", B * want, "the mean over the batch is B times too large: give each image its share"),
            ("too-small", want / B, "the mean over the batch is B times too small: the loop averages once more"),
        ]  # fmt: skip
        same(got.double().mean(), want, "the mean over the batch is off", wrong)
        same(
            tensor(answer(2 * kl, floor)).double().mean(),
            (2 * mean).clamp(min=floor).sum(),
            "with another kl it is off",
        )
    with judge.part("gradient"):
        (got,) = answer.grad(kl, floor)
        expect(got is not None, "no-gradient", "no gradient reaches kl: keep to torch, without detach")
        on = (mean > floor).double().expand(B, Z)
        expect(
            not torch.allclose(got.double(), torch.ones(B, Z).double()),
            "pushes-all",
            "units below the floor are still pushed: there the loss should not depend on kl",
        )
        same(got, on, "a unit above the floor should be pushed as by the plain KL, one below not at all")


@task("T8", "How much of the KL is information?", points=5)
def _(answer: Answer, judge: Judge) -> None:
    z, logvar = torch.tensor([[2.0], [-2.0]]), torch.full((2, 1), -9.0)
    _parts_are(answer(z, z, logvar), 0.6931, 5.8069, "in the example of the text")
    mu, logvar = (
        torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]]),
        torch.tensor([[0.0, -2.0], [-1.0, 0.0], [-2.0, 1.0]]),
    )
    z = torch.tensor([[1.5, 0.2], [0.3, 0.0], [1.8, 1.0]])
    _parts_are(answer(z, mu, logvar), 0.5783, 0.5988, "with three images and two units")


def _parts_are(values: Any, information: float, mismatch: float, where: str) -> None:
    expect(isinstance(values, list) and len(values) == 2, "wrong-number", "return two numbers: information, mismatch")
    for name, value, want in zip(("information", "mismatch"), values, (information, mismatch), strict=True):
        got = number(value)
        expect(abs(got - want) < 2e-3, name, f"{where} the {name} is {want:.3f}, you have {got:.3g}")

"""The exercises of lesson 14, and its task as the lesson knows it."""

import math

import torch
from torch import Tensor

from course_utils import metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensors
from course_utils.models import packing


@exercise("14.1", "The nearest mode", {"which": 2, "distance": 1}, metrics.nearest_mode)
def _(answer: Answer, judge: Judge) -> None:
    K, D = judge.integer(5, 7), judge.integer(2, 3)
    N = K + judge.integer(4, 8)
    centers = 3 * judge.normal(K, D)
    centers[1] = 3 * centers[0]  # so that the largest product is another center
    x = centers[torch.arange(N) % K] + judge.normal(N, D)
    x = torch.cat([x, centers[-1:] + 0.01])  # the last mode is met, so that counting from 1 shows
    table = torch.cdist(x.double(), centers.double())
    distance, which = table.min(1)
    back, nearest_sample = table.min(0)
    got = answer(x, centers)
    if isinstance(got, Tensor):
        expect(got.shape != table.shape, "whole-table", "all distances came back: find the smallest of each sample")
        expect(False, "one-answer", "two tensors are asked for: the number of the nearest mode, and the distance to it")
    places, far = tensors(got, "which", "distance")
    turned = places.shape == which.shape and torch.allclose(places.double().cpu(), distance, rtol=1e-3, atol=1e-4)
    expect(not turned, "swapped", "the two came back in the other order: first the mode's number, then the distance")
    with judge.part("which"):
        wrong = [
            ("per-mode", nearest_sample, f"{K} numbers came back, the nearest sample of each mode: one is asked for each of {len(x)} samples"),
            ("farthest", table.max(1).indices, "these are the farthest modes"),
            ("from-one", which + 1, "the modes were counted from 1: count from 0, as indices do"),
            ("coordinate-wise", (x[:, None] - centers).abs().amin(2).min(1).indices, "only the closest coordinate was compared: a distance takes them all"),
            ("sum-of-coordinates", torch.cdist(x, centers, p=1).min(1).indices, "these are nearest by the sum of the coordinates' differences: Euclidean distance adds squares and takes the root"),
            ("product", (x @ centers.T).max(1).indices, "this is the largest product, not the smallest distance: long centers win"),
        ]  # fmt: skip
        same(places, which, "a nearest mode is off", wrong)
    with judge.part("distance"):
        wrong = [
            ("per-mode", back, f"{K} distances came back, one for each mode: one is asked for each sample"),
            ("squared", distance.square(), "these are squared distances: take the root"),
            ("sum-of-coordinates", (x - centers[which]).abs().sum(1), "coordinates' distances were added: add their squares and take the root"),
            ("mean-square", distance / D**0.5, "the squares were averaged over the coordinates: add them"),
            ("farthest", table.max(1).values, "these are the distances to the farthest modes"),
            ("mean-of-modes", table.mean(1), "this is the mean distance to all modes: take the smallest"),
        ]  # fmt: skip
        same(far, distance, "a distance is off", wrong, rtol=1e-3, atol=1e-3)


@exercise("14.2", "Reverse KL over the modes", {"value": 2, "empty modes": 1}, metrics.reverse_kl)
def _(answer: Answer, judge: Judge) -> None:
    K = judge.integer(5, 7)
    fake = (20 + 60 * judge.uniform(K)).round()
    real = (50 + 300 * judge.uniform(K)).round()
    q, p = fake.double() / fake.sum(), real.double() / real.sum()
    want = (q * (q / p).log()).sum()
    m = 0.5 * (p + q)
    with judge.part("value"):
        wrong = [
            ("forward", (p * (p / q).log()).sum(), "this is KL(data || fakes): the fakes come first here"),
            ("sign", -want, "the sign is turned round: a KL is never negative"),
            ("weighted-by-data", (p * (q / p).log()).sum(), "the logarithm is weighed by the share of the fakes, not of the data"),
            ("forward", (q * (p / q).log()).sum(), "the ratio is turned round: it is the share of fakes over the share of data"),
            ("not-shares", (fake * (fake / real).log()).sum(), "counts were used as they are: divide each row by its sum first"),
            ("not-shares", (q * (fake / real).log()).sum(), "in the ratio are counts: divide each row by its sum first"),
            ("base-2", want / math.log(2), "this is in bits: nats need the natural logarithm"),
            ("averaged", want / K, "the modes were averaged: add them"),
            ("even-data", (q * (q * K).log()).sum(), "the data was taken for even: use its counts"),
            ("entropy", -(q * q.log()).sum(), "this is the entropy of the fakes: compare with the data's shares"),
            ("jensen-shannon", 0.5 * (q * (q / m).log() + p * (p / m).log()).sum(), "this is the Jensen-Shannon divergence of lesson 12"),
            ("distance", (q - p).abs().sum(), "this is a sum of differences: a KL weighs logarithms of ratios"),
            ("terms", q * (q / p).log(), "the terms of all modes came back: add them"),
        ]  # fmt: skip
        got = answer(fake, real)
        same(got if isinstance(got, Tensor) and got.numel() > 1 else number(got), want, "the KL is off", wrong)
    with judge.part("empty modes"):
        one = number(answer(torch.tensor([0, 7] + [0] * (K - 2)), torch.full((K,), 40)))
        expect(
            math.isfinite(one),
            "nan",
            "with empty modes the answer is no finite number: 0 log 0 counts as 0 here, torch.xlogy knows",
        )
        expect(
            abs(one - math.log(K)) < 1e-3,
            "left-out",
            f"all fakes at one of {K} equal modes make log {K}, you have {one:.3g}",
        )
        expect(
            number(answer(torch.full((K,), 40), torch.tensor([0] + [40] * (K - 1)))) > 3,
            "data-empty",
            "fakes where there is no data make the KL infinite, or at least very large",
        )


@exercise("14.3", "A rule in three lines", {"rule": 3}, metrics.diagnose_modes)
def _(answer: Answer, judge: Judge) -> None:
    known = ("collapsed", "scattered", "healthy")

    def counts(K: int, empty: int, few: int) -> Tensor:
        """`empty` modes with nothing, `few` with 3 fakes each, all others with many; in random order."""
        row = torch.cat(
            [torch.zeros(empty), torch.full((few,), 3.0), 60 + (40 * judge.uniform(K - empty - few)).round()]
        )
        return row[torch.argsort(judge.uniform(K))].long()

    # (K, empty, few), share of good fakes, at_least
    plans = [
        ((8, 7, 0), 0.95, 1), ((8, 7, 0), 0.1, 1), ((8, 0, 0), 0.9, 1), ((8, 0, 0), 0.1, 1), ((8, 1, 0), 0.9, 1),
        ((100, 5, 0), 0.9, 1), ((100, 5, 0), 0.2, 1), ((100, 20, 0), 0.9, 1), ((20, 1, 0), 0.6, 1), ((20, 1, 0), 0.4, 1),
        ((8, 0, 4), 0.9, 10), ((8, 0, 4), 0.9, 3), ((8, 2, 2), 0.3, 5), ((25, 0, 0), 0.55, 20), ((100, 5, 20), 0.8, 3),
        ((10, 1, 0), 0.9, 1), ((10, 1, 0), 0.2, 1), ((8, 0, 0), 0.5, 1), ((20, 1, 0), 0.5, 1),
    ]  # fmt: skip
    cases = [(counts(*plan), good, at_least) for plan, good, at_least in plans]

    def by(covered, *, limit: float = 0.9, half: float = 0.5, good_first: bool = False, swapped: bool = False):
        def rule(c: Tensor, g: float, a: int) -> str:
            enough = covered(c, a) >= limit
            if good_first and g < 0.5:
                return "scattered"
            if swapped:
                return "scattered" if not enough else "healthy" if g >= 0.5 else "collapsed"
            return "collapsed" if not enough else "healthy" if g >= half else "scattered"

        return rule

    def share(c: Tensor, a: int) -> float:
        return (c >= a).double().mean().item()

    wrong = [
        ("good-first", by(share, good_first=True), "where most modes are missing the verdict is collapsed, whatever the fakes look like: ask for the modes first"),
        ("swapped", by(share, swapped=True), "collapsed and scattered are swapped: collapsed is the one that misses modes"),
        ("strictly-more", by(lambda c, a: (c > a).double().mean().item()), "a mode with exactly at_least fakes counts as covered"),
        ("at-least-ignored", by(lambda c, a: (c > 0).double().mean().item()), "a mode with fewer than at_least fakes is not covered"),
        ("all-modes", by(share, limit=1.0), "nine of ten modes are enough: 95 of 100 are not collapsed"),
        ("half-of-modes", by(share, limit=0.5), "half of the modes are too few: nine of ten should be covered"),
        ("half-of-modes", by(share, limit=0.8 - 1e-9), "nine of ten modes should be covered"),
        ("good-ignored", lambda c, g, a: "healthy" if share(c, a) >= 0.9 else "collapsed", "the good share makes no difference: covered modes with bad fakes are scattered"),
        ("modes-ignored", lambda c, g, a: "healthy" if g >= 0.5 else "scattered", "the counts make no difference: a generator that misses modes has collapsed"),
        ("good-limit", lambda c, g, a: "collapsed" if share(c, a) < 0.9 else "healthy" if g >= 0.9 else "scattered", "half of the fakes should be good: 0.6 is enough"),
        ("nine-of-ten", by(share, limit=0.9 + 1e-9), "exactly nine of ten modes are enough: write < and not <= (a float32 share made a Python number is a hair less than 0.9: compare the tensor)"),
        ("exactly-half", by(share, half=0.5 + 1e-9), "exactly half good is not less than half: write < and not <="),
        ("both-limits", by(share, limit=0.9 + 1e-9, half=0.5 + 1e-9), "exactly nine of ten modes, and exactly half good, are enough: write < and not <="),
    ]  # fmt: skip
    with judge.part("rule"):
        got = [answer(*case) for case in cases]
        for (c, g, a), mine in zip(cases, got, strict=True):
            there = f"{int((c >= a).sum())} of {len(c)} modes covered and {g} good"
            expect(mine is not None, "nothing", f"for {there} nothing came back: end every case with return")
        other = next((one for one in got if one not in known), None)
        if other is not None:
            shown = f"{other!r}"[:40].replace("\n", " ").replace("{", "(")
            expect(False, "other-words", f"answer with one of {', '.join(known)}, not {shown}")
        want = [metrics.diagnose_modes(*case) for case in cases]
        for mistake, rule, words in wrong:
            expect(got == want or got != [rule(*case) for case in cases], mistake, words)
        for (c, g, a), mine, right in zip(cases, got, want, strict=True):
            there = int((c >= a).sum())
            words = f"{there} of {len(c)} modes with at least {a} {'fake' if a == 1 else 'fakes'}, {g} good: {right} is expected, you say {mine}"
            expect(mine == right, "wrong-verdict", words)


@exercise("14.4", "Packs", {"points": 2, "pictures": 1}, packing.pack)
def _(answer: Answer, judge: Judge) -> None:
    m = judge.integer(3, 4)
    P, D = m + judge.integer(2, 3), judge.integer(5, 6)
    x = judge.normal(P * m, D)
    want = x.reshape(P, m * D)
    with judge.part("points"):
        wrong = [
            ("coordinates-mixed", x.reshape(P, m, D).transpose(1, 2).reshape(P, -1), "the coordinates of a pack were interleaved: first all of one sample, then all of the next"),
            ("strided", x.reshape(m, P, D).transpose(0, 1).reshape(P, -1), f"sample 0 was packed with sample {P}: a pack takes the next samples in a row"),
            ("m-packs", x.reshape(m, P * D), f"{m} packs of {P} samples came back: a pack has {m} samples"),
            ("three-axes", x.reshape(P, m, D), f"shape {(P, m, D)} came back: the discriminator takes one row of numbers for each pack"),
            ("averaged", x.reshape(P, m, D).mean(1), "the samples of a pack were averaged: the discriminator should see each"),
            ("averaged", x.reshape(P, m, D).sum(1), "the samples of a pack were added: the discriminator should see each"),
            ("repeated", x.repeat(1, m), "each sample was packed with copies of itself: pack it with the next ones"),
            ("overlapping", torch.cat([x.roll(-i, 0) for i in range(m)], 1), "the packs overlap: each sample belongs to one pack"),
            ("first-only", x[: P * m : m], "only one sample of each pack came back"),
        ]  # fmt: skip
        words = "len(x) / m is a float, and lengths are whole numbers: use //"
        with failing(*((told, "float-length", words) for told in ("1 positional", "(float", "type float"))):
            got = answer(x, m)
        same(got, want, "a number in a pack is off", wrong)
    if judge.mistakes:
        return
    with judge.part("pictures"):
        pictures = judge.normal(2 * m, 3, 2, 2)
        got = answer(pictures, m)
        words = "a sample may have several axes: a picture's numbers go into the row as well"
        wrong = [
            ("pictures-unpacked", pictures.reshape(2, m * 3, 2, 2), words),
            ("pictures-unpacked", pictures.reshape(-1, m * 3), words),
        ]
        same(got, pictures.reshape(2, -1), "for pictures a number is off", wrong)
        same(answer(x, 1), x, "packs of one are the samples themselves")


@exercise("14.5", "The spread of a batch", {"value": 3, "slope": 1}, packing.minibatch_std)
def _(answer: Answer, judge: Judge) -> None:
    B, D = judge.integer(4, 6), judge.integer(7, 9)
    x = judge.normal(B, D) * (0.5 + 2 * judge.uniform(D)) + 3 * judge.normal(D)
    wide = x.double()
    right = wide.std(0, correction=0)
    with judge.part("value"):
        got = answer(x)
        if isinstance(got, Tensor) and got.numel() > 1:
            expect(
                got.shape[-1:] != (D,),
                "per-coordinate",
                f"{D} numbers came back: take their mean, one number for the batch",
            )
            expect(False, "per-sample", f"{got.numel()} numbers came back: one number is asked for the whole batch")
        got = number(got)
        for mistake, value, words in [
            ("over-coordinates", wide.std(1, correction=0).mean(), "the spread over the coordinates of each sample was taken: take it over the batch"),
            ("over-coordinates", wide.std(1).mean(), "the spread over the coordinates of each sample was taken: take it over the batch"),
            ("pooled", wide.std(correction=0), "all numbers went into one spread: each coordinate has a mean of its own"),
            ("pooled", wide.std(), "all numbers went into one spread: each coordinate has a mean of its own"),
            ("variance", right.square().mean(), "this is a mean of variances: take the roots first"),
            ("root-last", right.square().mean().sqrt(), "the variances were averaged before the root: take the root of each, then the mean"),
            ("summed", right.sum(), "the coordinates were added: take their mean"),
            ("not-centered", wide.square().mean(0).sqrt().mean(), "the mean was not taken off: a batch far from 0 would look spread out"),
            ("mean-distance", (wide - wide.mean(0)).norm(dim=1).mean(), "this is the samples' mean distance from their mean: take each coordinate's deviation, then their mean"),
            ("absolute", (wide - wide.mean(0)).abs().mean(), "this is a mean of absolute differences: a standard deviation squares them"),
        ]:  # fmt: skip
            expect(abs(got - float(value)) > 1e-4 * abs(float(value)), mistake, words)
        # Dividing by B or by B - 1 are both common; Karras et al. divide by B.
        close = min(abs(got - float(wide.std(0, correction=c).mean())) for c in (0, 1)) < 1e-3
        expect(close, "wrong-value", f"the spread is off: where {right.mean():.4g} is expected you have {got:.4g}")
        pictures = judge.normal(B, 2, 3, 4)
        want = [float(pictures.double().flatten(1).std(0, correction=c).mean()) for c in (0, 1)]
        got = number(answer(pictures))
        expect(
            min(abs(got - one) for one in want) < 1e-3,
            "pictures",
            "for pictures the number is off: every pixel is a coordinate",
        )
    if judge.mistakes:
        return
    with judge.part("slope"):
        (slope,) = answer.grad(x)
        expect(
            slope is not None and slope.abs().max() > 1e-6,
            "no-slope",
            "no slope reaches the samples: the generator must feel this number",
        )
        alike = judge.normal(1, D).round().expand(B, D).contiguous()
        expect(number(answer(alike)) < 0.01, "not-zero", "the spread of equal samples should be nearly 0")
        (slope,) = answer.grad(alike)
        words = "for equal samples the slope is no number: a root has none at 0, so add 1e-8 under it, or use torch.std"
        expect(slope.isfinite().all(), "nan-slope", words)


@task("T14", "Modes without labels", points=5)
def _(answer: Answer, judge: Judge) -> None:
    x = torch.tensor([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0], [5.0, 5.1], [9.0, 0.0]])
    values = answer(x, 0.5)
    right = values is not None and len(torch.as_tensor(values).flatten()) == 2
    expect(right, "wrong-number", "return two numbers: the number of modes, and its error")
    modes, error = (number(value) for value in values)
    expect(abs(modes - 5) < 1e-3, "modes", f"in the example of the text there are 5 modes, you have {modes:.3g}")
    expect(abs(error - 2.4) < 1e-3, "error", f"in the example of the text the error is 2.4, you have {error:.3g}")

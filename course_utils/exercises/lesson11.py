"""The exercises of lesson 11, and its task as the lesson knows it."""

import torch
from torch import Tensor
from torch.nn import functional

from course_utils import losses, metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensor


@exercise("11.1", "The share of pairs", {"pairs": 2, "ties": 1}, metrics.auc)
def _(answer: Answer, judge: Judge) -> None:
    A, N = judge.integer(5, 8), judge.integer(11, 15)
    # Several draws, so that no two ways of counting agree by chance.
    distinct = [(judge.normal(A) + 0.5, judge.normal(N)) for _ in range(4)]
    with judge.part("pairs"):
        with failing(
            ("must match", "one-to-one", "an anomaly meets every normal picture, not one of them: compare all pairs"),
            ("must be broadcastable", "one-to-one", "an anomaly meets every normal picture, not one of them: compare all pairs"),
        ):  # fmt: skip
            values = [answer(a, n) for a, n in distinct]
        for value in values:
            got = None if isinstance(value, list) else torch.as_tensor(value) if value is not None else None
            expect(
                got is None or got.numel() == 1,
                "many-numbers",
                f"{got.numel() if got is not None else 0} numbers came back: the share of all pairs is one number",
            )
        same([number(value) for value in values], *_shares(distinct, ties=False))
    if judge.mistakes:
        return
    with judge.part("ties"):
        tied = [(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 0.0]))]
        tied += [((2 * judge.normal(A)).round() + 1, (2 * judge.normal(N)).round()) for _ in range(3)]
        same([number(answer(a, n)) for a, n in tied], *_shares(tied, ties=True))


def _shares(cases: list[tuple[Tensor, Tensor]], ties: bool) -> tuple[list, str, list]:
    """What the cases should give, how a sentence on a wrong value begins, and the usual mistakes with their words."""
    above = [(a[:, None] > n).double() for a, n in cases]
    equal = [(a[:, None] == n).double() for a, n in cases]
    want = [(up + same / 2).mean().item() for up, same in zip(above, equal, strict=True)]
    if ties:
        wrong = [
            ("ties-lost", [up.mean() for up in above], "ties count for nothing here: each counts half a pair"),
            ("ties-won", [(up + same).mean() for up, same in zip(above, equal, strict=True)], "ties count whole here: each counts half a pair"),
            ("ties-left-out", [up.sum() / (1 - same).sum() for up, same in zip(above, equal, strict=True)], "pairs that are ties were left out: each counts half a pair"),
        ]  # fmt: skip
        return want, "with ties the share is off", wrong
    sizes = [up.shape for up in above]
    wrong = [
        ("reversed", [1 - w for w in want], "this is the share of pairs that the normal picture wins: the anomaly should have the higher score"),
        ("not-divided", [w * A * N for w, (A, N) in zip(want, sizes, strict=True)], "this counts the pairs that are won: divide by the number of all pairs"),
        ("divided-once", [w * A for w, (A, _) in zip(want, sizes, strict=True)], "the won pairs were divided by the number of normal pictures alone: there are A times N pairs"),
        ("divided-once", [w * N for w, (_, N) in zip(want, sizes, strict=True)], "the won pairs were divided by the number of anomalies alone: there are A times N pairs"),
        ("odds", [w / (1 - w) for w in want], "this is won against lost pairs: divide by all pairs"),
        ("percent", [100 * w for w in want], "this is in percent: a share lies between 0 and 1"),
        ("one-limit", [(a > n.mean()).double().mean() for a, n in cases], "this is the share of anomalies above the mean normal score: one limit, where all pairs are asked"),
        ("one-limit", [(a > n.median()).double().mean() for a, n in cases], "this is the share of anomalies above the median normal score: one limit, where all pairs are asked"),
        ("one-limit", [(a > n.max()).double().mean() for a, n in cases], "this is the share of anomalies above every normal score: one limit, where all pairs are asked"),
        ("ranks", [_rank_sum(a, n) / (len(a) * len(n)) for a, n in cases], "the ranks of the anomalies still hold the pairs among themselves: take off A (A + 1) / 2 before dividing"),
    ]  # fmt: skip
    return want, "the share is off", wrong


def _rank_sum(anomalous: Tensor, normal: Tensor) -> float:
    together = torch.cat([anomalous, normal])
    return float((together.argsort().argsort()[: len(anomalous)] + 1).sum())


@exercise("11.2", "What a flipped pixel costs", {"cost": 3}, losses.flipped_nll)
def _(answer: Answer, judge: Judge) -> None:
    B, H, W = judge.integer(3, 5), judge.integer(6, 9), judge.integer(10, 14)
    x_logits, x = 2 * judge.normal(B, 1, H, W), (judge.uniform(B, 1, H, W) < 0.4).float()
    p = 0.1 + 0.2 * float(judge.uniform(1))
    s = x_logits.double().sigmoid()

    def cost(white: Tensor) -> Tensor:
        return -torch.where(x > 0.5, white, 1 - white).clamp(1e-300).log()

    white = s * (1 - p) + (1 - s) * p
    want, plain, other = cost(white), cost(s), cost(1 - s)
    candidates = [
        ("no-flip", plain, "this is the cost of unflipped pixels: p changes the chance that a pixel is seen white"),
        ("logs-mixed", (1 - p) * plain + p * other, "two costs were averaged: average the two probabilities, then take the log"),
        ("p-turned", cost(s * p + (1 - s) * (1 - p)), "p and 1 - p have changed places: a pixel stays as it is with 1 - p"),
        ("one-way", cost(s * (1 - p)), "white pixels may turn black here, but black ones never white: add the second way to be seen white"),
        ("one-way", cost(s + (1 - s) * p), "black pixels may turn white here, but white ones stay: a white pixel is seen white with 1 - p"),
        ("replaced", cost(s * (1 - p) + 0.5 * p), "with p the pixel is drawn anew here: a flip turns it over"),
        ("logits-mixed", cost(((1 - 2 * p) * x_logits).double().sigmoid()), "the logits were mixed: take the sigmoid first, it is probabilities that mix"),
        ("logits-mixed", cost(((1 - 2 * p) * x_logits + p).double().sigmoid()), "the logits were mixed: take the sigmoid first, it is probabilities that mix"),
        ("x-forgotten", -white.log(), "every pixel is charged as if it were seen white: black pixels cost -log of their own chance"),
        ("sigmoid-twice", cost(white.sigmoid()), "a loss that wants logits was given a probability: use the one for probabilities"),
    ]  # fmt: skip
    with failing(
        (
            "between 0 and 1",
            "no-probability",
            "a loss for probabilities was given something else: take the sigmoid of x_logits first",
        )
    ):
        got = tensor(answer(x_logits, x, p))
    wrong = []
    for mistake, value, words in [("", want, ""), *candidates]:
        wrong += [(mistake, value.flatten(1).sum(1), words)] if mistake else []
        wrong += [
            ("one-number", value.sum() / B, f"one number for the whole batch came back: {B} pictures have {B} costs"),
            ("one-number", value.sum(), f"one number for the whole batch came back: {B} pictures have {B} costs"),
            ("one-number", value.mean(), f"one number for the whole batch came back: {B} pictures have {B} costs"),
            ("mean-over-pixels", value.flatten(1).mean(1), "the cost was averaged over the pixels: nats of a picture are a sum"),
            ("one-pixel-each", value, "one number for each pixel came back: sum over those of a picture"),
            ("wrong-sign", -value.flatten(1).sum(1), "this is log p: the cost is its negative"),
        ]  # fmt: skip
    with judge.part("cost"):
        same(got, want.flatten(1).sum(1), "the cost is off", wrong, rtol=1e-3, atol=1e-3)
        same(answer(x_logits, x, 0.0), plain.flatten(1).sum(1), "with p = 0 nothing is flipped", rtol=1e-3, atol=1e-3)


@exercise("11.3", "What was not seen costs nothing", {"cost": 2}, losses.seen_nll)
def _(answer: Answer, judge: Judge) -> None:
    B, H, W = judge.integer(3, 5), judge.integer(6, 9), judge.integer(10, 14)
    x_logits, x = 2 * judge.normal(B, 1, H, W), (judge.uniform(B, 1, H, W) < 0.4).float()
    seen = judge.uniform(H, W) < 0.65
    pixels = functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none").double()
    empty = torch.zeros(())
    black = functional.binary_cross_entropy_with_logits(x_logits, torch.where(seen, x, empty), reduction="none")
    no_logit = functional.binary_cross_entropy_with_logits(torch.where(seen, x_logits, empty), x, reduction="none")
    kept = torch.where(seen, pixels, 0.0)
    want, share = kept.flatten(1).sum(1), seen.double().mean()
    whole = "the cost was averaged: nats of a picture are a sum over the pixels that are seen"
    averaged = (
        'the loss was averaged before hidden pixels were taken out: reduction="none" keeps the cost of each pixel'
    )
    wrong = [
        ("all-pixels", pixels.flatten(1).sum(1), "hidden pixels cost as much as seen ones here: what was not seen says nothing"),
        ("hidden-instead", torch.where(seen, 0.0, pixels).flatten(1).sum(1), "the hidden pixels were counted, and the seen ones left out: seen is True where a pixel counts"),
        ("hidden-as-black", black.double().flatten(1).sum(1), "hidden pixels count as black here: leave out their cost, not their color"),
        ("log-2-each", no_logit.double().flatten(1).sum(1), "each hidden pixel costs log 2 here, as a logit of 0 does: leave out its cost, not its logit"),
        ("mean-over-pixels", want / (H * W), whole),
        ("mean-over-pixels", want / seen.sum(), whole),
        ("scaled-up", want / share, "the cost was scaled up to the whole picture: what was not seen says nothing"),
        ("one-number", want.sum(), f"one number for the whole batch came back: {B} pictures have {B} costs"),
        ("one-number", want.mean(), f"one number for the whole batch came back: {B} pictures have {B} costs"),
        ("one-pixel-each", kept, "one number for each pixel came back: sum over those of a picture"),
        ("wrong-sign", -want, "this is log p: the cost is its negative"),
        ("averaged-first", torch.where(seen, pixels.mean(), 0.0).sum(1), averaged),
    ]  # fmt: skip
    with judge.part("cost"):
        same(answer(x_logits, x, seen), want, "the cost is off", wrong, rtol=1e-3, atol=1e-3)
        other = torch.where(seen, x, 1 - x)
        same(answer(x_logits, other, seen), want, "the cost changes with what x holds in hidden pixels", rtol=1e-3, atol=1e-3)  # fmt: skip


@exercise("11.4", "A gain with its error", {"gain": 1, "ends": 2}, metrics.paired_gain)
def _(answer: Answer, judge: Judge) -> None:
    stated, cases = [], []
    for _ in range(3):
        N = judge.integer(5, 9)
        without = 0.85 + 0.05 * judge.normal(N)
        with_it = without + 0.02 + 0.01 * judge.normal(N)
        values = answer(with_it, without)
        expect(isinstance(values, list) and len(values) == 3, "wrong-number", "return three numbers: gain, low, high")
        stated.append([number(value) for value in values])
        cases.append((with_it.double(), without.double()))
    gain, low, high = torch.tensor(stated).double().T
    mean = torch.stack([(a - b).mean() for a, b in cases])
    error = torch.stack([(a - b).std() / len(a) ** 0.5 for a, b in cases])
    root = torch.tensor([len(a) ** 0.5 for a, _ in cases]).double()
    with judge.part("gain"):
        ratio = torch.stack([(a / b - 1).mean() for a, b in cases])
        wrong = [
            ("reversed", -mean, "this is what is lost: the gain is the share with, less the share without"),
            ("relative", ratio, "this is the gain as a part of the old share: the difference of the shares is asked"),
            ("sum", mean * root.square(), "the differences were summed: average them"),
            ("order", mean - 2 * error, "the low end came first: return gain, low, high"),
        ]
        same(gain, mean, "the gain is off", wrong, rtol=1e-3, atol=1e-5)
    with judge.part("ends"):
        apart = torch.stack([(a.var() / len(a) + b.var() / len(b)) ** 0.5 for a, b in cases])
        pooled = torch.stack([torch.cat([a, b]).std() / len(a) ** 0.5 for a, b in cases])
        half = (high - low) / 2
        shifts = [by * error for by in (1, 2)]
        alone = any(torch.allclose(high, shift, rtol=1e-3, atol=1e-6) for shift in shifts)
        expect(
            not alone,
            "errors-alone",
            "low and high are the ends themselves: the gain, less and plus two standard errors",
        )
        expect(not bool((half < 0).all()), "order", "the ends have changed places: return gain, low, high")
        wrong = [
            ("unpaired", 2 * apart, "the two spreads were taken apart: take the difference of each pair first, then its spread"),
            ("unpaired", 2 * pooled, "the two spreads were taken together: take the difference of each pair first, then its spread"),
            ("unpaired", 2 * torch.stack([a.std() / len(a) ** 0.5 for a, _ in cases]), "this is the error of the shares with: the spread of the differences is asked"),
            ("one-error", error, "the ends lie one standard error away: two are asked"),
            ("no-root", 2 * error * root, "this is the spread of the gains: the error of their mean is smaller by the root of their number"),
            ("by-number", 2 * error / root, "the spread was divided by the number of runs: the root of that number is needed"),
            ("population", 2 * error * ((root.square() - 1) / root.square()).sqrt(), "the spread divides by the number of runs less one, as torch.std does"),
            ("1.96", 1.96 * error, "the ends lie 1.96 standard errors away: two are asked"),
        ]  # fmt: skip
        same(half, 2 * error, "the distance of the ends from the gain is off", wrong, rtol=1e-3, atol=1e-6)
        same((low + high) / 2, mean, "the gain does not lie in the middle of its ends", rtol=1e-3, atol=1e-5)


@task("T11", "What an alarm is worth", points=5)
def _(answer: Answer, judge: Judge) -> None:
    calibration = torch.arange(1.0, 11)
    values = answer(calibration, torch.tensor([7.0, 9.0, 12.0, 8.0]), 0.2, 0.1)
    expect(isinstance(values, list) and len(values) == 3, "wrong-number", "return three numbers: limit, caught, worth")
    limit, caught, worth = (number(value) for value in values)
    expect(
        abs(limit - 9) > 1e-4,
        "limit",
        "in the example of the text the limit is 8, you have 9: in float32 two of ten is more than 0.2, in Python it is not",
    )
    expect(abs(limit - 8) < 1e-4, "limit", f"in the example of the text the limit is 8, you have {limit:.3g}")
    expect(abs(caught - 0.5) < 1e-4, "caught", f"in the example of the text half is caught, you have {caught:.3g}")
    expect(abs(worth - 5 / 23) < 1e-4, "worth", f"in the example of the text the worth is 5/23, you have {worth:.3g}")

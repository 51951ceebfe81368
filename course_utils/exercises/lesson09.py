"""The exercises of lesson 09, and its task as the lesson knows it."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from course_utils import metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task
from course_utils.models import codes


@exercise("9.1", "Move one unit, hold the others", {"moves": 2, "holds": 1}, codes.traversal)
def _(answer: Answer, judge: Judge) -> None:
    for Z, S in ((judge.integer(3, 4), judge.integer(5, 6)), (judge.integer(6, 7), judge.integer(4, 5))):
        z, values = judge.normal(Z) + 3, judge.normal(S).sort().values
        want = codes.traversal(z, values)
        with failing(_SHARED):
            got = answer(z.clone(), values)
        eye = torch.eye(Z)[:, None].expand(Z, S, Z) > 0
        column = values[None, :, None]
        one_by_one = want.clone()
        for i in range(Z):
            one_by_one[i, :, :i] = values[-1]
        always_first = z.repeat(Z, S, 1)
        always_first[:, :, 0] = values
        shape = tuple(getattr(got, "shape", ()))
        expect(
            shape != (Z * S, Z), "flat", f"shape {shape} came back: a row for each unit is asked for, ({Z}, {S}, {Z})"
        )
        with judge.part("moves"):
            wrong = [
                ("by-step", want.transpose(0, 1), f"the first two axes changed places: {Z} units come first, then {S} values"),
                ("same-unit", always_first, "the same unit moves in every row: in row i it is unit i"),
                ("one-unit", want[0], "only the first unit moves: a row is asked for each of the units"),
                ("all-at-once", column.expand(Z, S, Z), "all units move at once: in row i unit i alone moves"),
                ("all-at-once", column[0].expand(S, Z), "all units move at once: in row i unit i alone moves"),
                ("added", torch.where(eye, z + column, z.expand(Z, S, Z)), "the value was added to the unit: the unit takes the value"),
                ("added", z + column.expand(Z, S, Z), "the value was added to every unit: unit i alone takes it"),
                ("left-moved", one_by_one, "units that moved in an earlier row keep their last value: begin each row with a fresh copy of z"),
                ("others-zero", torch.where(eye, column, torch.zeros(())), "the other units are 0: they keep their numbers in z"),
                ("nothing-moves", z.expand(Z, S, Z), "nothing moves: every code is z itself"),
                ("others-move", torch.where(eye, z.expand(Z, S, Z), column), "unit i stays and the others move: the other way round"),
            ]  # fmt: skip
            same(got, want, "a code is off", wrong)
        with judge.part("holds"):
            got = torch.as_tensor(got) if isinstance(got, Tensor) else torch.tensor(got)
            expect(got.shape == want.shape, "wrong-shape", f"shape {tuple(want.shape)} is expected")
            others = torch.where(eye, 0.0, (got.double().cpu() - z.double()).abs())
            expect(others.max() < 1e-4, "others-changed", "a unit that should be held has changed")
        if judge.mistakes:
            return


_SHARED = (
    "single memory location",
    "shared-memory",
    "expand does not copy: all rows share one memory. repeat makes copies that you can write to",
)


Wrong = list[tuple[str, Tensor, str]]


def _together(cases: list[Wrong]) -> Wrong:
    """What each mistake makes of all cases, where one case alone could take two mistakes for each other."""
    return [
        (one[0][0], torch.stack([torch.as_tensor(value).double() for _, value, _ in one]), one[0][2])
        for one in zip(*cases, strict=True)
    ]


@exercise("9.2", "What one variable tells about another", {"value": 2, "empty cells": 1}, metrics.mutual_information)
def _(answer: Answer, judge: Judge) -> None:
    with judge.part("value"):
        a, b = _labels(judge)
        cases = [(a, b), (b, a), _labels(judge)]
        for some in (cases, [(a.clamp(max=2), b)]):  # a square table, too: sums that lie the wrong way fit there
            with failing(_UNEVEN, _FLAT_SUMS):
                got = [number(answer(first, second)) for first, second in some]
            _expect_told(got, some)
    with judge.part("empty cells"):
        cases = [_labels(judge), _labels(judge)]
        cases = [(a, torch.where(a == 1, b.clamp(max=1), b)) for a, b in cases]  # some pairs never come together now
        with failing(_UNEVEN):
            got = [number(answer(a, b)) for a, b in cases]
        words = "some pairs of labels never come together, and 0 · log 0 is no number: leave such pairs out"
        expect(all(map(math.isfinite, got)), "empty-cells", words)
        _expect_told(got, cases)
        a, want = cases[0][0], metrics.mutual_information(cases[0][0], cases[0][0]).item()
        got = number(answer(a, a))
        words = f"a variable tells all about itself, its entropy {want:.3g}, you have {got:.3g}"
        expect(abs(got - want) < 1e-3, "not-entropy", words)


_UNEVEN = (
    "out of bounds",
    "square-table",
    "the table of pairs is too small: a and b need not have equally many labels",
)
_FLAT_SUMS = (
    "size of tensor",
    "no-keepdim",
    "the row sums must stand as a column beside the column sums: sum(1, keepdim=True)",
)


def _labels(judge: Judge) -> tuple[Tensor, Tensor]:
    """Labels a (4 kinds) and b (3 kinds) of some 250 pictures: all 12 pairs come, not evenly; b depends on a."""
    N = judge.integer(200, 300)
    a = torch.cat([torch.arange(4).repeat_interleave(3), (4 * judge.uniform(N) ** 1.4).long()])
    b = torch.cat([torch.arange(3).repeat(4), (a[12:] // 2 + (2 * judge.uniform(N)).long()).clamp(max=2)])
    order = judge.uniform(len(a)).argsort()
    return a[order], b[order]


def _expect_told(got: list[float], cases: list[tuple[Tensor, Tensor]]) -> None:
    """Expect the mutual information of each pair of labels, or name what came instead."""
    want = [metrics.mutual_information(a, b) for a, b in cases]
    same(got, want, "the value is off", _together([_wrongly_told(a, b) for a, b in cases]), rtol=2e-3, atol=1e-4)


def _wrongly_told(a: Tensor, b: Tensor) -> Wrong:
    table = torch.zeros(int(a.max()) + 1, int(b.max()) + 1, dtype=torch.float64)
    table = table.index_put((a, b), torch.ones(len(a), dtype=torch.float64), accumulate=True) / len(a)
    joint, of_a, of_b = (_entropy(p) for p in (table, table.sum(1), table.sum(0)))
    want = of_a + of_b - joint
    apart = (table.sum(1, keepdim=True) * table.sum(0))[table > 0]
    ratio = (table[table > 0] / apart).log()
    once = (table > 0).double() / len(a)
    of_once = once / (once.sum(1, keepdim=True) * once.sum(0))
    padded = functional.pad(table, (0, max(0, len(table) - len(table.T)), 0, max(0, len(table.T) - len(table))))
    flat = padded / (padded.sum(1) * padded.sum(0))
    return [
        ("not-accumulated", torch.xlogy(once, of_once.clamp(min=1e-12)).sum(), "each pair was counted once, however often it comes: so does table[a, b] += 1. Use index_put_ with accumulate=True"),
        ("no-keepdim", (padded * flat.log())[padded > 0].sum(), _FLAT_SUMS[2]),
        ("bits", want / math.log(2), "this is in bits: nats use the natural logarithm"),
        ("wrong-sign", -want, "the sign is turned: what is told is never negative"),
        ("joint-entropy", joint, "this is the entropy of the pairs: divide by what the pairs would be if nothing were told"),
        ("wrong-sign", -joint, "this is minus the entropy of the pairs: divide by what they would be if nothing were told"),
        ("entropy", of_a, "this is the entropy of a alone: b is not in it"),
        ("entropy", of_b, "this is the entropy of b alone: a is not in it"),
        ("what-is-left", joint - of_b, "this is what b leaves open about a: what it tells is the rest"),
        ("what-is-left", joint - of_a, "this is what a leaves open about b: what it tells is the rest"),
        ("share", want / of_a, "this was divided by an entropy: nats are asked for"),
        ("share", want / of_b, "this was divided by an entropy: nats are asked for"),
        ("share", 2 * want / (of_a + of_b), "this was divided by entropies: nats are asked for"),
        ("counts", want * len(a), "counts were used as weights: divide them by the number of pairs, so that they sum to 1"),
        ("counts", len(a) * (want - math.log(len(a))), "counts were used for shares: divide them by the number of pairs, so that they sum to 1"),
        ("counts", want - math.log(len(a)), "counts stand in the logarithm: divide them by the number of pairs, so that they sum to 1"),
        ("no-weights", ratio.sum(), "the logarithms are summed as they are: each is weighed by how often its pair comes"),
        ("no-weights", ratio.mean(), "the logarithms are averaged evenly: each is weighed by how often its pair comes"),
        ("weights-apart", (apart * ratio).sum(), "the logarithms are weighed by how often the pairs would come if nothing were told: take how often they do"),
    ]  # fmt: skip


def _entropy(p: Tensor) -> Tensor:
    return torch.special.entr(p).sum()


@exercise("9.3", "The gap to the next unit", {"gap": 2, "share": 1, "average": 1}, metrics.mig)
def _(answer: Answer, judge: Judge) -> None:
    sizes = [(judge.integer(4, 5), judge.integer(2, 3)), (judge.integer(3, 4), judge.integer(5, 6)), (4, 3)]
    cases = [(judge.uniform(Z, K) + 0.1, 1.3 + 2 * judge.uniform(K)) for Z, K in sizes]
    with failing(
        ("size of tensor", "by-unit", "the units' axis is the first: compare the numbers of a column with each other"),
        ("broadcast", "by-unit", "the units' axis is the first: compare the numbers of a column with each other"),
        ("values to unpack", "by-unit", "the units' axis is the first: the two best of each factor are topk(2, dim=0)"),
    ):
        stated = [answer(told, entropy) for told, entropy in cases]
    gap, share = (values.double() for values in _gaps(*cases[0]))
    if isinstance(stated[0], Tensor) and stated[0].numel() > 1:
        same(stated[0], share.mean(), "the value is off", [
            ("no-average", share, "one number for each factor came back: average them"),
            ("no-average", gap, "one number for each factor came back: divide by the entropies, then average"),
        ])  # fmt: skip
    got = torch.tensor([number(value) for value in stated]).double()
    want = torch.stack([_gaps(told, entropy)[1].mean() for told, entropy in cases])
    for name, wrong in (("gap", _wrong_gaps), ("share", _wrong_shares), ("average", _wrong_averages)):
        with judge.part(name):
            for mistake, values, words in _together(
                [wrong(told.double(), entropy.double()) for told, entropy in cases]
            ):
                expect(not torch.allclose(got, values, atol=1e-4), mistake, words)
            if name == "average":
                same(got, want, "the value is off")


def _gaps(told: Tensor, entropy: Tensor) -> tuple[Tensor, Tensor]:
    first, second = told.topk(2, dim=0).values
    return first - second, (first - second) / entropy


def _wrong_gaps(told: Tensor, entropy: Tensor) -> Wrong:
    ranked, (_, share) = told.sort(0, descending=True).values, _gaps(told, entropy)
    across = told.sort(1, descending=True).values
    spread, lowest = across[:, 0] - across[:, 1], (ranked[-1] - ranked[-2]) / entropy
    return [
        ("no-gap", (ranked[0] / entropy).mean(), "this is how much the best unit tells: subtract what the next best tells"),
        ("to-the-last", ((ranked[0] - ranked[-1]) / entropy).mean(), "the gap reaches down to the last unit: it ends at the second"),
        ("to-the-rest", ((ranked[0] - ranked[1:].mean(0)) / entropy).mean(), "the gap reaches down to the mean of the rest: it ends at the second"),
        ("to-the-rest", ((ranked[0] - ranked.mean(0)) / entropy).mean(), "the gap reaches down to the mean of all: it ends at the second"),
        ("by-unit", spread.mean(), "the gap was taken between two factors of a unit: take it between two units of a factor, down a column"),
        ("by-unit", (spread / entropy.mean()).mean(), "the gap was taken between two factors of a unit: take it between two units of a factor, down a column"),
        ("first-two-rows", ((told[0] - told[1]) / entropy).mean(), "these are the first two units as they stand: sort the units of each factor first"),
        ("first-two-rows", ((told[0] - told[1]).abs() / entropy).mean(), "these are the first two units as they stand: sort the units of each factor first"),
        ("wrong-sign", -share.mean(), "the sign is turned: the most comes first"),
        ("ascending", lowest.mean(), "these are the two units that tell least: sort begins with the smallest"),
        ("ascending", -lowest.mean(), "these are the two units that tell least: sort begins with the smallest"),
    ]  # fmt: skip


def _wrong_shares(told: Tensor, entropy: Tensor) -> Wrong:
    gap, best = _gaps(told, entropy)[0], told.amax(0)
    return [
        ("no-share", gap.mean(), "the gaps are in nats: divide each by the entropy of its factor"),
        ("by-the-best", (gap / best).mean(), "each gap was divided by what the best unit tells: divide by the factor's entropy"),
        ("by-column", (gap / told.sum(0)).mean(), "each gap was divided by what all units tell: divide by the factor's entropy"),
    ]  # fmt: skip


def _wrong_averages(told: Tensor, entropy: Tensor) -> Wrong:
    gap, share = _gaps(told, entropy)
    return [
        ("sum", share.sum(), "the shares were summed: average them over the factors"),
        ("pooled", gap.sum() / entropy.sum(), "sums were divided: divide each gap by its own entropy, then average"),
        ("averaged-over-units", share.sum() / len(told), "the sum was divided by the number of units: average over the factors"),
    ]  # fmt: skip


@exercise("9.4", "One unit, one factor", {"score": 3, "silent units": 1}, metrics.disentanglement)
def _(answer: Answer, judge: Judge) -> None:
    with judge.part("score"):
        sizes = [(judge.integer(4, 5), judge.integer(2, 3)), (judge.integer(3, 4), judge.integer(5, 6)), (4, 3)]
        _score(answer, [judge.uniform(Z, K) ** 2 + 0.02 for Z, K in sizes])
    with judge.part("silent units"):
        cases = [judge.uniform(4, 3), judge.uniform(5, 2)]
        for told in cases:
            told[1], told[2, 0], told[3, 1:] = 0, 0, 0
        _score(answer, cases)


_WRONG_AXIS = (
    "by-factor",
    "the shares of a unit are taken along its row, over the factors: keepdim=True keeps the axis for the division",
)


def _score(answer: Answer, cases: list[Tensor]) -> None:
    """Expect the disentanglement of each table, or name what came instead."""
    with failing(("size of tensor", *_WRONG_AXIS), ("broadcast", *_WRONG_AXIS)):
        stated = [answer(told) for told in cases]
    cases = [told.double() for told in cases]
    if isinstance(stated[0], Tensor) and stated[0].numel() > 1:
        each, weight = _each(cases[0])
        same(stated[0], (each * weight).sum(), "the score is off", [
            ("no-average", each, "one number for each unit came back: average them, weighed by what each unit tells"),
            ("no-average", each * weight, "one number for each unit came back: sum them"),
        ])  # fmt: skip
    got = [number(value) for value in stated]
    finite = all(map(math.isfinite, got)) or any((told == 0).sum() == 0 for told in cases)
    expect(finite, "silent", "a unit that tells nothing has no shares, and 0 · log 0 is no number: neither may count")
    want = [(each * weight).sum() for each, weight in map(_each, cases)]
    same(got, want, "the score is off", _together([_wrong_scores(told) for told in cases]), rtol=1e-3, atol=1e-4)


def _each(told: Tensor) -> tuple[Tensor, Tensor]:
    """The score of each unit, and its weight."""
    shares = told / told.sum(1, keepdim=True).clamp(min=1e-12)
    return 1 - torch.special.entr(shares).sum(1) / math.log(told.shape[1]), told.sum(1) / told.sum()


def _wrong_scores(told: Tensor) -> Wrong:
    Z, K = told.shape
    (each, weight), (complete, of_factor) = _each(told), _each(told.T)
    of_all = torch.special.entr(told / told.sum()).sum(1) / math.log(K)
    bare, shares = (1 - each) * math.log(K), told / told.sum(1, keepdim=True).clamp(min=1e-12)
    return [
        ("no-weights", each.mean(), "all units count the same: weigh each by what it tells of all that is told"),
        ("weights-not-shares", (each * told.sum(1)).sum(), "the weights do not sum to 1: divide by all that is told"),
        ("weights-not-shares", (each * told.sum(1)).mean(), "the weights do not sum to 1: divide by all that is told"),
        ("averaged-again", (each * weight).mean(), "the weights sum to 1 already: sum, do not average"),
        ("no-base", (weight * (1 - bare)).sum(), "the entropy of a unit's shares is at most log K: divide by that, so that the score is 0 to 1"),
        ("no-base", (1 - bare).mean(), "the entropy of a unit's shares is at most log K: divide by that, so that the score is 0 to 1"),
        ("bits", (weight * (1 - bare / math.log(2))).sum(), "the entropy is in bits: divide it by the logarithm of the number of factors"),
        ("base-of-units", (weight * (1 - bare / math.log(Z))).sum(), "the entropy was divided by log Z: a unit's shares are over the K factors"),
        ("not-one-minus", (weight * bare / math.log(K)).sum(), "this is the entropy itself: a score of 1 is for a unit of one factor, whose entropy is 0"),
        ("wrong-sign", (weight * (1 + bare / math.log(K))).sum(), "the entropy has the wrong sign: a logarithm of a share is negative"),
        ("by-factor", complete.mean(), "the shares were taken over the units of a factor: take them over the factors of a unit, along a row"),
        ("by-factor", (complete * of_factor).sum(), "the shares were taken over the units of a factor: take them over the factors of a unit, along a row"),
        ("shares-of-all", (weight * (1 - of_all)).sum(), "the shares were taken of all that is told: divide each row by its own sum"),
        ("largest-share", (weight * shares.amax(1)).sum(), "this is the largest share of each unit: the score asks for one minus the entropy of the shares"),
    ]  # fmt: skip


@task("T9", "A gap from correlations", points=5)
def _(answer: Answer, judge: Judge) -> None:
    z = torch.tensor([[-2.0, 0.0], [0.0, 0.0], [2.0, 1.0]])
    value = number(answer(z, torch.tensor([[-1.0, 1.0], [0.0, -2.0], [1.0, 1.0]])))
    expect(abs(value - 0.25) < 1e-3, "value", f"in the example of the text the score is 0.25, you have {value:.3g}")

"""Reference and check of the task of lesson 15."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils import metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, number, same


def sample_distance(x: Float[Tensor, " N"], y: Float[Tensor, " M"]) -> float:
    """The Wasserstein distance of two sets of numbers, each number of a set with the same mass; N and M may differ."""
    places, order = torch.cat([x, y]).sort()
    p = torch.cat([torch.full_like(x, 1 / len(x)), torch.zeros_like(y)])[order]
    q = torch.cat([torch.zeros_like(x), torch.full_like(y, 1 / len(y))])[order]
    return metrics.wasserstein(places, p, q).item()


def _sample_distance(answer: Answer, judge: Judge) -> None:
    n, m = judge.integer(5, 7), judge.integer(9, 12)
    same_size = 2 * judge.normal(n), judge.normal(n) + 0.3
    cases = {
        "as many": [same_size],
        "fewer, and more": [(same_size[0], judge.normal(m)), (1.5 * judge.normal(m), judge.normal(n) - 0.2)],
        "ties": [(judge.normal(n).mul(2).round(), judge.normal(m).mul(2).round())],
    }
    for part, pairs in cases.items():
        with judge.part(part):
            for x, y in pairs:
                right = sample_distance(x.double(), y.double())
                wrong = [(id, value, _WORDS[id]) for id, value in _candidates(x.double(), y.double(), right)]
                got = answer(x, y)
                expect(not isinstance(got, Tensor) or got.numel() == 1, "not-summed", "one number is expected")
                same(number(got), right, f"{part}: the distance is off", wrong, rtol=1e-3, atol=1e-5)


_WORDS = {
    "unsorted": "the numbers were paired as they come: sort both sets first",
    "means": "this is the distance of the two means: sets with one mean can be far apart",
    "all-pairs": "this is the mean over all pairs: each number goes to the part of the other set that costs least",
    "nearest": "each number went to its nearest neighbor: a place can take its own mass and no more",
    "root-mean-square": "ways were squared: their lengths count",
    "cut": "the longer set was cut to the length of the shorter: every number has its share of the mass",
    "counts": "each number weighs 1: it should weigh 1 over the size of its set",
    "pooled": "the difference of the cumulative shares was averaged without the gaps between the places",
    "unequal-mass": "every number weighs the same in both sets: each set has mass 1 in all",
}


def _candidates(x: Tensor, y: Tensor, right: float) -> list[tuple[str, float]]:
    """What the usual mistakes make of two sets."""
    n, m = len(x), len(y)
    small = min(n, m)
    cost = (x[:, None] - y).abs()
    places, order = torch.cat([x, y]).sort()
    signs = torch.cat([torch.full_like(x, 1 / n), torch.full_like(y, -1 / m)])[order]
    equal = torch.cat([torch.ones_like(x), -torch.ones_like(y)])[order]
    found = [
        ("unsorted", (x[:small] - y[:small]).abs().mean()),
        ("means", (x.mean() - y.mean()).abs()),
        ("means", x.mean() - y.mean()),
        ("means", y.mean() - x.mean()),
        ("all-pairs", cost.mean()),
        ("nearest", cost.amin(1).mean()),
        ("nearest", cost.amin(0).mean()),
        ("nearest", 0.5 * (cost.amin(0).mean() + cost.amin(1).mean())),
        ("root-mean-square", (x.sort().values[:small] - y.sort().values[:small]).square().mean().sqrt()),
        ("cut", (x.sort().values[:small] - y.sort().values[:small]).abs().mean()),
        ("cut", (x[:small].sort().values - y[:small].sort().values).abs().mean()),
        ("counts", torch.tensor(right) * n),
        ("unequal-mass", (equal.cumsum(0)[:-1].abs() * places.diff()).sum()),
        ("unequal-mass", (equal.cumsum(0)[:-1].abs() * places.diff()).sum() / n),
        ("unequal-mass", (equal.cumsum(0)[:-1].abs() * places.diff()).sum() / m),
        ("pooled", signs.cumsum(0).abs().mean()),
        ("pooled", signs.cumsum(0)[:-1].abs().mean()),
        ("pooled", signs.cumsum(0).abs().sum()),
    ]
    return [(id, value.item()) for id, value in found if abs(value.item() - right) > 2e-3 * right]


TASK = Exercise(
    "T15",
    "The distance of two sets of measurements",
    {"as many": 1, "fewer, and more": 3, "ties": 1},
    sample_distance,
    _sample_distance,
)

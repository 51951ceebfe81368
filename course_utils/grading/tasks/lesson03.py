"""Reference and check of the task of lesson 03."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, number, same


def empty_share(z: Float[Tensor, "N 2"], steps: int) -> tuple[float, float]:
    """Median distance of a code to its nearest other code, and the share of a map's places farther from all codes.

    The places are the steps x steps nodes of a grid over the codes' bounding box, its edges included.
    """
    distances = torch.cdist(z, z).fill_diagonal_(torch.inf)
    spacing = distances.min(1).values.median()
    low, high = z.min(0).values, z.max(0).values
    sides = [torch.linspace(float(low[i]), float(high[i]), steps).to(z) for i in range(2)]
    places = torch.cartesian_prod(*sides)
    share = (torch.cdist(places, z).min(1).values > spacing).float().mean()
    return float(spacing), float(share)


def _empty_share(answer: Answer, judge: Judge) -> None:
    maps = [(_codes(judge, rising=i % 2 == 0), judge.integer(13, 23)) for i in range(8)]
    stated = []
    for z, steps in maps:
        values = answer(z, steps)
        expect(isinstance(values, list) and len(values) == 2, "wrong-number", "return two numbers: spacing, share")
        stated.append([number(value) for value in values])
    with judge.part("spacing"):
        _judge_spacing([z.double() for z, _ in maps], [spacing for spacing, _ in stated])
    with judge.part("share"):
        # Judged for the spacing that the answer itself states, so that one mistake is not paid twice. A mistake must
        # fit all maps; rounding may move one place across the border.
        cases = [(z.double(), steps, spacing) for (z, steps), (spacing, _) in zip(maps, stated, strict=True)]
        shares = [share for _, share in stated]
        want = [_share(*case) for case in cases]
        expect(
            max(shares) <= 1,
            "count",
            f"a share lies between 0 and 1, got {max(shares):.3g}: divide by the number of places",
        )
        fits = [abs(a - b) < 1.5 / steps**2 for a, b, (_, steps) in zip(shares, want, maps, strict=True)]
        for mistake, others, words in [
            ("full-share", [1 - share for share in want], "this is the share that is not empty"),
            ("edges-missing", [_share(*case, last=False) for case in cases], "the grid stops short of the far edges: include them"),
            ("square-box", [_share(*case, square=True) for case in cases], "the box is no square: each axis has its own ends"),
            ("diagonal", [_share(*case, diagonal=True) for case in cases], "only the diagonal of the box was looked at: pair every place of one axis with every place of the other"),
            ("from-any-code", [_share(*case, far_from_any=True) for case in cases], "a place is empty when its nearest code is far, not when some code is"),
        ]:  # fmt: skip
            hit = all(abs(a - b) < 1.5 / steps**2 for a, b, (_, steps) in zip(shares, others, maps, strict=True))
            expect(all(fits) or not hit, mistake, words)
        worst = fits.index(min(fits))
        expect(
            all(fits),
            "wrong-share",
            f"with your spacing the share should be {want[worst]:.3f} here, you have {shares[worst]:.3f}",
        )


def _codes(judge: Judge, rising: bool) -> Tensor:
    """Two clusters in opposite corners of a box that is no square; an odd number of codes, a fifth of them copies."""
    N, unit = 2 * judge.integer(70, 90) + 1, 2 + float(judge.uniform(1))
    side = (torch.arange(N) % 2)[:, None]
    z = (
        unit
        * torch.tensor([1.0, 3.0])
        * (0.15 * judge.normal(N, 2) + torch.cat([side, side if rising else 1 - side], 1))
    )
    z[-(N // 5) :] = z[: N // 5]
    return z


def _judge_spacing(maps: list[Tensor], spacings: list[float]) -> None:
    """A mistake must fit all maps; rounding in float32 may cost a part in a hundred where codes lie close together."""
    values = [_spacings(z) for z in maps]
    wrong = [
        (mistake, torch.stack([value[mistake] for value in values]), words)
        for mistake, words in [
            ("self-included", "the spacing is 0: every code is nearest to itself, leave it out"),
            (
                "copies-dropped",
                "two equal codes are at distance 0 from each other: leave out the code itself, not every zero",
            ),
            ("all-pairs", "this is the median over all pairs: for each code take its nearest other code first"),
            ("mean", "this is the mean of the nearest distances: take the median"),
            ("largest", "this is the largest of the nearest distances: take the median"),
            ("squared", "this is a squared distance: take its root"),
        ]
    ]
    same(spacings, torch.stack([value["right"] for value in values]), "the spacing is off", wrong, rtol=1e-2)


def _spacings(z: Tensor) -> dict[str, Tensor]:
    """The spacing, and what the usual mistakes make of it."""
    distances = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist")
    others = distances.clone().fill_diagonal_(torch.inf)
    nearest = others.min(1).values
    return {
        "right": nearest.median(),
        "self-included": torch.zeros(()).double(),
        "copies-dropped": others.masked_fill(others < 1e-9, torch.inf).min(1).values.median(),
        "all-pairs": distances[~torch.eye(len(z)).bool()].median(),
        "mean": nearest.mean(),
        "largest": nearest.max(),
        "squared": nearest.median().square(),
    }


def _share(z: Tensor, steps: int, spacing: float, last=True, square=False, diagonal=False, far_from_any=False) -> float:
    """The share of empty places, as it should be or with one of the usual mistakes."""
    low, high = (z.min(), z.max()) if square else (z.min(0).values, z.max(0).values)
    low, high = low.expand(2), high.expand(2)
    along = torch.linspace(0, 1, steps).double() if last else torch.arange(steps).double() / steps
    sides = [low[i] + (high[i] - low[i]) * along for i in range(2)]
    places = torch.stack(sides, 1) if diagonal else torch.cartesian_prod(*sides)
    distances = torch.cdist(places, z)
    to_code = distances.max(1).values if far_from_any else distances.min(1).values
    return float((to_code > spacing).double().mean())


TASK = Exercise("T3", "How empty is the map?", {"spacing": 2, "share": 3}, empty_share, _empty_share)

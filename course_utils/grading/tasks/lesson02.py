"""Reference and check of the task of lesson 02."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, same, tensor


def flat_kernel(weight: Float[Tensor, "C O K K"], stride: int) -> Float[Tensor, "C O K K"]:
    """The kernel nearest to `weight`, in squared distance, whose stamps of a flat image add up to a flat image.

    For each pair of channels the weights that reach a place of the grid must have the same sum at every place.
    """
    places = [(..., slice(i, None, stride), slice(j, None, stride)) for i in range(stride) for j in range(stride)]
    counts = [weight[place][0, 0].numel() for place in places]
    sums = [weight[place].sum((-2, -1), keepdim=True) for place in places]
    # Moving a place's sum by d costs d^2 / count, so the level is the mean of the sums weighted by 1 / count.
    level = sum(s / n for s, n in zip(sums, counts, strict=True)) / sum(1 / n for n in counts)
    flat = weight.clone()
    for place, n, s in zip(places, counts, sums, strict=True):
        flat[place] += (level - s) / n
    return flat


def _sums(weight: Tensor, stride: int) -> Tensor:
    """Sum of the weights that reach each place of the grid, (C, O, stride, stride)."""
    rows = [[weight[..., i::stride, j::stride].sum((-2, -1)) for j in range(stride)] for i in range(stride)]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _unevenness(weight: Tensor, stride: int) -> float:
    sums = _sums(weight, stride)
    return float((sums - sums.mean((-2, -1), keepdim=True)).abs().max())


def _flat_kernel(answer: Answer, judge: Judge) -> None:
    # (C, O, K, stride): the stride divides the kernel, or does not, or equals it.
    cases = [(2, 3, 3, 2), (3, 2, 4, 2), (2, 1, 5, 3), (1, 2, 2, 2), (2, 2, 6, 3)]
    weights = [(judge.normal(C, O, K, K) + 0.5, stride) for C, O, K, stride in cases]  # noqa: E741
    answers = [tensor(answer(weight, stride)).double() for weight, stride in weights]
    with judge.part("flat"):
        for (weight, stride), got in zip(weights, answers, strict=True):
            expect(
                got.shape == weight.shape,
                "wrong-shape",
                f"the kernel should keep its shape {tuple(weight.shape)}, got {tuple(got.shape)}",
            )
            expect(not torch.allclose(got, weight.double()), "unchanged", "the kernel came back as it was")
            sums = _sums(got, stride)
            expect(sums.abs().max() > 1e-3, "paints-nothing", "flat, but a flat image of any level gives zero now")
            along = [(sums.sum(axis) - sums.sum(axis).mean(-1, keepdim=True)).abs().max() for axis in (-1, -2)]
            uneven = _unevenness(got, stride)
            expect(
                uneven < 1e-3 or max(along) > 1e-3,
                "one-axis-at-a-time",
                "rows and columns of the grid are even on their own, single places are not: there are stride × stride places",
            )
            expect(
                uneven < 1e-3 or _unevenness(got.sum(0, keepdim=True), stride) > 1e-3,
                "channels-together",
                "the grid cancels only where all channels hold the same value: each pair of channels must be flat by itself",
            )
            expect(
                uneven < 1e-3,
                "uneven",
                f"with kernel {weight.shape[-1]} and stride {stride} a flat image gets values {uneven:.2g} from their mean",
            )
    with judge.part("nearest"):
        for (weight, stride), got in zip(weights, answers, strict=True):
            double = weight.double()
            want, sums = flat_kernel(double, stride), _sums(double, stride)
            mean = sums.mean((-2, -1), keepdim=True)
            K = weight.shape[-1]
            tile = lambda t, s=stride, K=K: t.repeat(1, 1, -(-K // s), -(-K // s))[..., :K, :K]  # noqa: E731
            counts = _sums(torch.ones_like(double), stride)
            level = (sums / counts).sum((-2, -1), keepdim=True) / (1 / counts).sum((-2, -1), keepdim=True)
            one_tap = double.clone()
            one_tap[..., :stride, :stride] += mean - sums
            wrong = [
                ("plain-mean", double + tile((mean - sums) / counts), "flat, but another level is nearer: a place with many weights moves its sum at less cost"),
                ("scaled", double * tile(mean / sums), "flat, but weights were multiplied: adding the same to each weight of a place moves them less"),
                ("scaled", double * tile(level / sums), "flat, but weights were multiplied: adding the same to each weight of a place moves them less"),
                ("one-weight", one_tap, "flat, but one weight of each place carries the whole change: squares grow less when it is shared"),
            ]  # fmt: skip
            same(got, want, "flat, but not the nearest", wrong, rtol=1e-3, atol=1e-3)


TASK = Exercise("T2", "A kernel that paints flat", {"flat": 3, "nearest": 2}, flat_kernel, _flat_kernel)

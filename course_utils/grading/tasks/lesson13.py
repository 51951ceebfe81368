"""Reference and check of the task of lesson 13."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, same
from course_utils.exercises.lesson13 import verdicts

WON, BLIND = 0.8, 0.05  # above the first gap the discriminator has won, below the second it tells nothing apart


def verdict(
    d_real: Float[Tensor, "R T"], d_fake: Float[Tensor, "R T"], last: int
) -> tuple[Int[Tensor, " R"], Int[Tensor, " R"]]:
    """For each run 2 if the discriminator has won, 0 if it is blind, 1 if both play; and since when it has won.

    The verdict is that of the mean gap D(real) - D(fake) of the `last` epochs. The epoch, counted from 1, is the first
    from which on the gap stays above WON to the end, and 0 if there is none.
    """
    gap = d_real - d_fake
    late = gap[:, -last:].mean(1)
    kinds = torch.where(late > WON, 2, torch.where(late < BLIND, 0, 1))
    steady = (gap > WON).flip(1).long().cumprod(1).sum(1)  # how many epochs at the end are above
    since = torch.where(steady > 0, gap.shape[1] - steady + 1, 0)
    return kinds, since


def _verdict(answer: Answer, judge: Judge) -> None:
    last = judge.integer(2, 3)
    d_real, d_fake = _runs(judge)
    kinds, since = verdicts(answer(d_real, d_fake, last), len(d_real))
    want_kinds, want_since = (row.tolist() for row in verdict(d_real, d_fake, last))
    gap = d_real - d_fake

    def read(late: Tensor) -> list[int]:
        return torch.where(late > WON, 2, torch.where(late < BLIND, 0, 1)).tolist()

    with judge.part("verdict"):
        wrong = [
            ("turned", [2 - kind for kind in want_kinds], "0 and 2 have changed places: 2 stands for a discriminator that has won"),
            ("whole-run", read(gap.mean(1)), "the gap was averaged over the whole run: how a game began says little about how it ends"),
            ("last-epoch", read(gap[:, -1]), "one epoch alone decided: average the last ones, one may be a slip"),
            ("first-epochs", read(gap[:, :last].mean(1)), "the first epochs were read: the last ones decide"),
            ("real-only", read(d_real[:, -last:].mean(1)), "D(real) alone was read: a discriminator that takes everything for real has a high one too"),
            ("size-of-gap", read(gap[:, -last:].mean(1).abs()), "the size of the gap was read, without its sign: one that takes fakes for real is no winner"),
            ("all-in-one", read(gap[:, -last:].mean().expand(len(gap))), "all runs went into one mean: each has a verdict of its own"),
            ("never-blind", [max(kind, 1) for kind in want_kinds], "a gap near 0, or below, is no game either: the discriminator tells nothing apart"),
        ]  # fmt: skip
        same(kinds, want_kinds, "a verdict is off", wrong)
    with judge.part("epoch"):
        above = gap > WON
        first = [row.index(True) + 1 if True in row else 0 for row in above.tolist()]
        wrong = [
            ("first-above", first, "the gap fell again after this epoch: from it on, the gap stays above 0.8 to the end"),
            ("from-zero", [max(epoch - 1, 0) for epoch in want_since], "epochs are counted from 1"),
            ("from-zero", [epoch - 1 for epoch in want_since], "epochs are counted from 1, and a run without such an epoch gets 0"),
            ("one-late", [epoch + 1 if epoch else 0 for epoch in want_since], "this is one epoch late: the first one above counts"),
            ("never", [epoch or len(gap[0]) + 1 for epoch in want_since], "a run without such an epoch gets 0"),
            ("counted", above.sum(1).tolist(), "this is how many epochs are above: which is the first of the last stretch?"),
            ("steady-count", above.flip(1).long().cumprod(1).sum(1).tolist(), "this is how long the last stretch is: which epoch does it begin with?"),
        ]  # fmt: skip
        same(since, want_since, "an epoch is off", [one for one in wrong if one[1] != want_since])


def _runs(judge: Judge) -> tuple[Tensor, Tensor]:
    """Curves of eight runs, one for each way to go wrong; a gap is never near a limit."""
    gaps = torch.tensor([
        [0.5, 0.9, 0.95, 0.6, 0.9, 0.92, 0.95, 0.97],  # won, lost once, won for good in epoch 5
        [0.9, 0.9, 0.92, 0.95, 0.96, 0.97, 0.97, 0.98],  # won from the beginning
        [0.9, 0.9, 0.9, 0.5, 0.3, 0.2, 0.2, 0.15],  # won, then in play
        [0.5, 0.4, 0.3, 0.2, 0.01, 0.0, 0.01, 0.0],  # blind in the end
        [0.4, 0.3, 0.1, -0.1, -0.5, -0.7, -0.9, -0.9],  # it takes fakes for real
        [0.3, 0.4, 0.3, 0.4, 0.3, 0.35, 0.4, 0.9],  # in play, with a last epoch above
        [0.9, 0.85, 0.9, 0.95, 0.9, 0.98, 0.99, 0.7],  # won, with a slip in the last epoch
        [0.1, 0.12, 0.15, 0.2, 0.3, 0.3, 0.25, 0.3],  # in play with a high D of both
    ])  # fmt: skip
    gaps = gaps + 0.01 * (judge.uniform(*gaps.shape) - 0.5)
    # Where D lies between its ends; the last run's discriminator takes nearly everything for real.
    level = torch.tensor([0.5] * 7 + [0.84])[:, None]
    order = judge.uniform(len(gaps)).argsort()
    return (level + 0.5 * gaps)[order], (level - 0.5 * gaps)[order]


TASK = Exercise("T13", "A verdict from two curves", {"verdict": 3, "epoch": 2}, verdict, _verdict)

"""Reference and check of the task of lesson 04."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils import losses
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, number, same, tensor


def sure(
    mean: Float[Tensor, "N D"], x: Float[Tensor, "N D"], lowest: float
) -> tuple[Float[Tensor, ""], Float[Tensor, " D"], Float[Tensor, ""]]:
    """The best sigma shared by all pixels, each pixel's best one not below `lowest`, the nats per picture it saves."""
    square = (x - mean).square()
    shared = square.mean().sqrt()
    own = square.mean(0).sqrt().clamp(min=lowest)
    nats_shared, nats_own = (losses.gaussian_nll(mean, 2 * sigma.log().view(1, -1), x) for sigma in (shared, own))
    return shared, own, (nats_shared - nats_own).mean()


def _sure(answer: Answer, judge: Judge) -> None:
    # Two sets of different sizes: a mistake must fit both.
    D = judge.integer(7, 9)
    sets = [_set(judge, judge.integer(30, 40), D), _set(judge, judge.integer(50, 60), D)]
    stated = []
    for mean, x, lowest in sets:
        values = answer(mean, x, lowest)
        expect(isinstance(values, list) and len(values) == 3, "wrong-number", "return three: shared, own, saved")
        stated.append(values)
    candidates = [_candidates(mean.double(), x.double(), lowest) for mean, x, lowest in sets]
    for place, (part, mistakes) in enumerate(MISTAKES.items()):
        with judge.part(part):
            got = [_sigmas(values[1], len(x)) if part == "own" else number(values[place])
                   for values, (_, x, _) in zip(stated, sets, strict=True)]  # fmt: skip
            right, *others = zip(*(found[part] for found in candidates), strict=True)
            wrong = [(mistake, list(other), words) for (mistake, words), other in zip(mistakes, others, strict=True)]
            same(got, list(right), f"{part}: a number is off", wrong, rtol=2e-3)


def _set(judge: Judge, N: int, D: int) -> tuple[Tensor, Tensor, float]:
    """Means and pictures: pixels from next to no error up to much, three below the floor; the means are off."""
    scales = torch.cat([torch.tensor([0.01, 0.03, 0.05]), torch.linspace(0.3, 1.2, D - 3)])[judge.uniform(D).argsort()]
    mean = judge.uniform(N, D)
    return mean, mean + scales * (judge.normal(N, D) + 0.7), 0.1 + 0.05 * float(judge.uniform(1))


def _sigmas(value: Any, N: int) -> Tensor:
    value = tensor(torch.tensor([number(one) for one in value]) if isinstance(value, list) else value)
    words = f"a sigma for each of the {N} pictures came back: one for each pixel is asked for"
    expect(value.numel() != N, "by-picture", words)
    return value


CENTERED = "the mean error was taken off: sigma measures how far x lies from the decoder's mean"
# The usual mistakes part by part, in the order of what `_candidates` makes of them.
MISTAKES = {
    "shared": [
        ("variance", "the shared number is a variance: sigma is its root"),
        ("centered", CENTERED),
        ("centered", CENTERED),
        ("absolute", "this is the mean absolute error: the best sigma is the root of the mean square"),
        ("mean-of-sigmas", "this is the mean of the pixels' sigmas: average the squares, then take the root"),
        ("mean-of-sigmas", "this is the mean of the pixels' sigmas: average the squares, then take the root"),
        ("not-averaged", "the squares were added up: average them"),
        ("not-averaged", "the squares were added up within a picture: average over its pixels as well"),
    ],
    "own": [
        ("no-floor", "some sigmas lie below the floor: none may"),
        ("floor-on-variance", "the floor was put under the variance: it is meant for sigma"),
        ("floor-added", "the floor was added: only what lies below it is lifted"),
        ("floor-added", "the floor was added: only what lies below it is lifted"),
        ("own-variance", "these are variances: sigma is their root"),
        ("own-variance", "these are variances: sigma is their root"),
        ("own-variance", "these are variances: sigma is their root"),
        ("own-centered", CENTERED),
        ("own-centered", CENTERED),
    ],
    "saved": [
        ("logs-alone", "these are the logs alone: at the floor the squares over sigma^2 change as well"),
        ("squares-alone", "these are the squares alone: the logs of sigma count as well"),
        ("sign", "the sign is turned: with sigmas of their own the pixels need fewer nats"),
        ("whole-set", "this is saved on all pictures together: state it for one picture, on average"),
        ("per-pixel", "this is saved in one pixel: add up the pixels of a picture"),
        ("no-half", "this is twice what is saved: there is a ½ in -log p"),
        ("below-floor", "this is saved without the floor: use the sigmas that you return"),
        ("against-unit", "this is saved against sigma 1: compare with the shared sigma"),
    ],
}


def _candidates(mean: Tensor, x: Tensor, lowest: float) -> dict[str, list[Tensor]]:
    """For each part the right value, and then what each of its mistakes makes of this set."""
    error, square = x - mean, (x - mean).square()
    N, D = x.shape
    variances, shared = square.mean(0), square.mean().sqrt()
    own = variances.sqrt().clamp(min=lowest)

    def saved(than: Tensor, sigma: Tensor) -> Tensor:
        """Nats per picture by which `sigma` is better, without the constant, which is the same for both."""
        return (square.mean(0) * (than**-2 - sigma**-2) / 2 + than.log() - sigma.log()).sum()

    right, logs = saved(shared.expand(D), own), (shared.log() - own.log()).sum()
    return {
        "shared": [
            shared,
            shared**2,
            error.std(),
            error.std(correction=0),
            error.abs().mean(),
            variances.sqrt().mean(),
            own.mean(),
            square.sum().sqrt(),
            (square.sum() / N).sqrt(),
        ],
        "own": [
            own,
            variances.sqrt(),
            variances.clamp(min=lowest).sqrt(),
            variances.sqrt() + lowest,
            (variances + lowest**2).sqrt(),
            variances,
            variances.clamp(min=lowest),
            own**2,
            error.std(0).clamp(min=lowest),
            error.std(0, correction=0).clamp(min=lowest),
        ],
        "saved": [
            right,
            logs,
            right - logs,
            -right,
            N * right,
            right / D,
            2 * right,
            saved(shared.expand(D), variances.sqrt()),
            saved(torch.ones(D).double(), own),
        ],
    }


TASK = Exercise("T4", "How sure may it be?", {"shared": 1, "own": 2, "saved": 2}, sure, _sure)

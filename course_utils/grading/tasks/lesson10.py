"""Reference and check of the task of lesson 10."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, same, tensor


def hidden_log_likelihood(
    x_logits: Float[Tensor, "S B 1 H W"], x: Float[Tensor, "B 1 H W"], seen: Bool[Tensor, "H W"]
) -> Float[Tensor, " B"]:
    """log of the mean over draws of the probability of all hidden pixels together, in nats per picture."""
    return _by_draw(x_logits, x)[..., ~seen].sum(-1).squeeze(2).logsumexp(0) - math.log(len(x_logits))


def _by_draw(x_logits: Tensor, x: Tensor) -> Tensor:
    """Log-probability of every pixel of x under every draw."""
    return -functional.binary_cross_entropy_with_logits(x_logits, x.expand_as(x_logits), reduction="none")


def _hidden_log_likelihood(answer: Answer, judge: Judge) -> None:
    S, B, H, W = judge.integer(4, 6), judge.integer(2, 3), 3, judge.integer(4, 5)
    x_logits, x = judge.normal(S, B, 1, H, W), judge.uniform(B, 1, H, W).round()
    seen = torch.zeros(H, W, dtype=torch.bool)
    seen[0], seen[1, : W // 2] = True, True
    by_pixel = _by_draw(x_logits.double(), x.double())
    hidden = by_pixel[..., ~seen].squeeze(2)  # S B P
    by_draw, pixels = hidden.sum(-1), hidden.shape[-1]
    want = by_draw.logsumexp(0) - math.log(S)
    one = (hidden.logsumexp(0) - math.log(S)).sum(-1)
    mean_logits = _by_draw(x_logits.double().mean(0, keepdim=True), x.double())[..., ~seen].sum((0, 2, 3))
    with judge.part("likelihood"):
        wrong = [
            ("mean-of-logs", by_draw.mean(0), "the logarithms were averaged: average the probabilities, then take the log"),
            ("pixel-by-pixel", one, "each pixel was averaged over the draws on its own: a draw predicts all pixels together"),
            ("mean-logits", mean_logits, "the logits were averaged: average the probabilities of the whole half"),
            ("not-averaged", by_draw.logsumexp(0), "the probabilities were summed over the draws: divide by their number"),
            ("best-draw", by_draw.max(0).values, "only the best draw was counted: average over all of them"),
            ("all-pixels", by_pixel.sum((-3, -2, -1)).logsumexp(0) - math.log(S), "the seen pixels were counted too: they are given"),
            ("seen-pixels", by_pixel[..., seen].sum((-2, -1)).logsumexp(0) - math.log(S), "the seen pixels were counted in place of the hidden ones"),
            ("per-pixel", want / pixels, "this is the mean over the pixels: the half as a whole has the sum"),
            ("per-pixel", hidden.mean(-1).logsumexp(0) - math.log(S), "the pixels were averaged: their log-probabilities add up"),
            ("probability", want.exp(), "this is the probability: its logarithm is asked for"),
            ("turned-round", -want, "this is minus the log-probability: it should lie below zero"),
            ("base-two", want / math.log(2), "this is in bits: nats take the natural logarithm"),
            ("over-pictures", by_draw.logsumexp(1) - math.log(B), "the pictures were averaged in place of the draws: draws are the first axis"),
            ("one-number", want.mean(), f"one number came back: each of the {B} pictures has its own"),
        ]  # fmt: skip
        same(answer(x_logits, x, seen), want, "a log-probability is off", wrong, rtol=1e-3, atol=1e-4)
    with judge.part("many pixels"):
        # 1,500 hidden pixels under poor draws: each probability is far too small even for double precision.
        x_logits, x = 3 * judge.normal(3, 2, 1, 40, 40), judge.uniform(2, 1, 40, 40).round()
        seen = torch.arange(1600).view(40, 40) < 100
        got = tensor(answer(x_logits, x, seen))
        words = "with 1,500 hidden pixels every probability rounds to 0: stay with logarithms, as logsumexp does"
        expect(got.isfinite().all(), "underflow", words)
        want = hidden_log_likelihood(x_logits.double(), x.double(), seen)
        same(got, want, "with 1,500 hidden pixels a log-probability is off", rtol=1e-3)


TASK = Exercise(
    "T10",
    "How likely is the hidden half?",
    {"likelihood": 3, "many pixels": 2},
    hidden_log_likelihood,
    _hidden_log_likelihood,
)

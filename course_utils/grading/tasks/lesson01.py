"""Reference and check of the task of lesson 01."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, same, tensors


def best_linear_decoder(
    z: Float[Tensor, "N Z"], x: Float[Tensor, "N D"]
) -> tuple[Float[Tensor, "D Z"], Float[Tensor, " D"]]:
    """Weight and bias that minimize the summed squared error of z @ weight.T + bias against x (least squares)."""
    z_mean, x_mean = z.mean(0), x.mean(0)
    weight = torch.linalg.lstsq(z - z_mean, x - x_mean).solution.T
    return weight, x_mean - weight @ z_mean


def _best_linear_decoder(answer: Answer, judge: Judge) -> None:
    N, D, Z = judge.integer(60, 90), judge.integer(6, 9), judge.integer(2, 4)
    z = judge.normal(N, Z) @ (torch.eye(Z) + 0.3 * judge.normal(Z, Z)) + 1 + judge.uniform(Z)
    x = z @ judge.normal(Z, D) + 2 + judge.uniform(D) + 0.5 * judge.normal(N, D)
    weight, bias = best_linear_decoder(z.double(), x.double())
    through_origin = torch.linalg.lstsq(z, x).solution.T
    got_weight, got_bias = tensors(answer(z, x), "weight", "bias")
    with judge.part("weight"):
        wrong = [
            ("no-bias", through_origin, "the weight is fitted without a bias: the line was forced through the origin"),
            (
                "inverse",
                torch.linalg.pinv(torch.linalg.lstsq(x - x.mean(0), z - z.mean(0)).solution.T),
                "this inverts the fit of z from x: fit x from z",
            ),
            (
                "not-decorrelated",
                ((x - x.mean(0)).T @ (z - z.mean(0))) / N,
                "this is the covariance of x and z: the codes are correlated, so multiply by the inverse of theirs",
            ),
            ("transposed", weight.T, "the weight should have shape (D, Z)"),
        ]
        same(got_weight, weight, "the weight is not the one of least error", wrong, rtol=1e-3, atol=1e-3)
    with judge.part("bias"):
        wrong = [
            ("zero-bias", 0 * bias, "the bias is zero: it should bring the mean code to the mean image"),
            ("mean-image-as-bias", x.mean(0), "the mean image is the bias only where the mean code is zero"),
        ]
        same(got_bias, bias, "the bias is not the one of least error", wrong, rtol=1e-3, atol=1e-3)


TASK = Exercise("T1", "The best linear decoder", {"weight": 3, "bias": 2}, best_linear_decoder, _best_linear_decoder)

"""Ways to spoil a set of pictures by a known amount, and the amount at which a number takes a wanted value."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def blurred(x: Float[Tensor, "B 1 H W"], sigma: float) -> Float[Tensor, "B 1 H W"]:
    """Pictures under a Gaussian blur of `sigma` pixels, black around them; 0 leaves them as they are."""
    if sigma == 0:
        return x
    reach = math.ceil(4 * sigma)
    weights = (-0.5 * (torch.arange(-reach, reach + 1).to(x) / sigma).square()).exp()
    weights = weights / weights.sum()
    across = functional.conv2d(x, weights.view(1, 1, 1, -1), padding=(0, reach))
    return functional.conv2d(across, weights.view(1, 1, -1, 1), padding=(reach, 0))


def amount(rising: Callable[[float], float], target: float, low: float, high: float, steps: int = 16) -> float:
    """Where a rising function of an amount between `low` and `high` reaches the target, by bisection."""
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return (low + high) / 2

"""Two digits in one picture: a hundred kinds of pictures whose labels can be read off."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def stacks(
    x: Float[Tensor, "N 1 28 28"], y: Int[Tensor, " N"], n: int, seed: int = 0
) -> tuple[Float[Tensor, "n 2 14 14"], Int[Tensor, " n"]]:
    """n pairs of pictures drawn at random, halved, one in each channel, and their labels 0 to 99: ten times the first
    picture's plus the second's.

    Smaller than the stacks of three of Metz et al. (2017), arXiv:1611.02163.
    """
    with torch.device("cpu"):
        i = torch.randint(len(x), (2, n), generator=torch.Generator().manual_seed(seed)).to(x.device)
    return torch.cat([x[i[0]], x[i[1]]], 1)[..., ::2, ::2].contiguous(), 10 * y[i[0]] + y[i[1]]

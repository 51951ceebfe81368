"""Denoising: noisy copies with their clean targets, the best denoiser of a data set, and a small one to train."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def noisy_pair(x: Float[Tensor, "B *D"], sigma: float) -> tuple[Float[Tensor, "B *D"], Float[Tensor, "B *D"]]:
    """What a denoiser sees, x with fresh Gaussian noise of standard deviation sigma, and its target, x itself.

    Vincent et al. (2008), doi:10.1145/1390156.1390294. Values may leave [0, 1].
    """
    return x + sigma * torch.randn_like(x), x


def best_denoiser(x_noisy: Float[Tensor, "B D"], x: Float[Tensor, "N D"], sigma: float) -> Float[Tensor, "B D"]:
    """The mean of the data x, each weighted by how likely noise of standard deviation sigma made x_noisy of it.

    No function has a smaller mean squared error on noisy copies of x: E[x | x_noisy] when the rows of x are equally
    likely. x_noisy + sigma^2 times the slope of log p(x_noisy) is the same: Miyasawa (1961); Robbins (1956).
    """
    squared_distance = torch.cdist(x_noisy, x).square()
    return (-squared_distance / (2 * sigma**2)).softmax(1) @ x


class PlaneDenoiser(nn.Module):
    """Points of the plane to points of the plane through two hidden layers: 2 -> hidden_dim -> hidden_dim -> 2."""

    def __init__(self, hidden_dim: int = 64):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, hidden_dim),
            nn.Tanh(),
            nn.Linear(hidden_dim, hidden_dim),
            nn.Tanh(),
            nn.Linear(hidden_dim, 2),
        )

    def forward(self, x_noisy: Float[Tensor, "B 2"]) -> Float[Tensor, "B 2"]:
        return self.layers(x_noisy)

"""Generative adversarial networks: a generator maps codes of N(0, I) to samples, a discriminator samples to one logit.

D = sigmoid(logit) is the probability, as the discriminator sees it, that a sample is real.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class PointGenerator(nn.Module):
    """Codes z to points of the plane, through two hidden layers.

    Goodfellow et al. (2014), arXiv:1406.2661.
    """

    def __init__(self, latent_dim: int = 2, hidden_dim: int = 64):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = _layers(latent_dim, hidden_dim, 2)

    def forward(self, z: Float[Tensor, "B Z"]) -> Float[Tensor, "B 2"]:
        return self.layers(z)


class PointDiscriminator(nn.Module):
    """Points of the plane (of `dim` coordinates) to one logit each, through two hidden layers.

    Goodfellow et al. (2014), arXiv:1406.2661.
    """

    def __init__(self, hidden_dim: int = 64, dim: int = 2):
        super().__init__()
        self.layers = _layers(dim, hidden_dim, 1)

    def forward(self, x: Float[Tensor, "B D"]) -> Float[Tensor, " B"]:
        return self.layers(x)[:, 0]


def _layers(wide_in: int, hidden_dim: int, wide_out: int) -> nn.Sequential:
    # Leaky, so that every sample leaves a slope behind for the generator to follow (Radford et al. 2016).
    return nn.Sequential(
        nn.Linear(wide_in, hidden_dim),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden_dim, hidden_dim),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden_dim, wide_out),
    )


def optimal_logits(log_p: Float[Tensor, "*B"], log_q: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """Logits of the best discriminator, D* = p / (p + q), given log-densities of data p and of fakes q.

    Goodfellow et al. (2014), arXiv:1406.2661, proposition 1.
    """
    return log_p - log_q


@torch.no_grad()
def surface(discriminator: nn.Module, reach: float = 2.5, size: int = 64) -> Float[Tensor, "size size"]:
    """D on a grid of the plane from -reach to reach; the first row is the top, as in a picture."""
    place = next(discriminator.parameters()).new_tensor(range(size)).add(0.5).div(size).mul(2).sub(1).mul(reach)
    y, x = torch.meshgrid(place.flip(0), place, indexing="ij")
    return discriminator(torch.stack([x.flatten(), y.flatten()], 1)).sigmoid().view(size, size)

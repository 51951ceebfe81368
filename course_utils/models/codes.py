"""Codes without a picture: walks between two codes, and draws from a Gaussian fitted to many."""

import torch
from jaxtyping import Float
from torch import Tensor


def walk(z_a: Float[Tensor, " Z"], z_b: Float[Tensor, " Z"], steps: int) -> Float[Tensor, "{steps} Z"]:
    """Codes at equal distances on the straight line from z_a to z_b, both of them included."""
    t = torch.linspace(0, 1, steps).to(z_a).unsqueeze(1)
    return (1 - t) * z_a + t * z_b


def gaussian_codes(z: Float[Tensor, "N Z"], count: int) -> Float[Tensor, "{count} Z"]:
    """New codes from the Gaussian with the mean and the covariance of the codes z."""
    centered = z - z.mean(0)
    covariance = centered.T @ centered / len(z)
    eps = torch.randn(count, z.shape[1]).to(z)
    return z.mean(0) + eps @ torch.linalg.cholesky(covariance).T

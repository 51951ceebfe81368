"""A decoder that states a mean and a variance for every pixel, and pictures drawn from what a decoder states."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course_utils.models.autoencoder import PIXELS, dense_encoder


class GaussianAutoencoder(nn.Module):
    """784 -> hidden_dim -> latent_dim -> hidden_dim -> 2 x 784; p(x|z) = N(mean, sigma^2), pixel by pixel.

    sigma^2 is what the network says plus `lowest_sigma` squared, so sigma never falls below `lowest_sigma`.
    """

    def __init__(self, latent_dim: int = 16, hidden_dim: int = 400, lowest_sigma: float = 0.0):
        super().__init__()
        self.lowest_sigma = lowest_sigma
        self.encoder = dense_encoder(latent_dim, hidden_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, 2 * PIXELS),
            nn.Unflatten(1, (2, 28, 28)),
        )

    def forward(self, x: Float[Tensor, "B 1 28 28"]) -> tuple[Float[Tensor, "B 1 28 28"], Float[Tensor, "B 1 28 28"]]:
        """Mean in [0, 1] and logvar of every pixel."""
        mean_logits, logvar = self.decoder(self.encoder(x)).chunk(2, 1)
        return mean_logits.sigmoid(), torch.logaddexp(logvar, logvar.new_tensor(self.lowest_sigma**2).log())


def draws(mean: Float[Tensor, "B *D"], logvar: Float[Tensor, "B *D"], count: int) -> Float[Tensor, "{count} B *D"]:
    """Pictures drawn from N(mean, sigma^2), with noise of its own for every pixel of each of the `count` draws."""
    eps = torch.randn(count, *mean.shape).to(mean)
    return mean + (0.5 * logvar).exp() * eps

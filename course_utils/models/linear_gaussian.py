"""The linear-Gaussian model: a decoder so simple that log p(x), the posterior and the ELBO are known exactly.

Codes z ~ N(0, I), images x = weight z + bias + sigma eps with eps ~ N(0, I). Bishop (2006), Pattern Recognition and
Machine Learning, section 12.2. Images are rows of D pixels here; log-densities are in nats.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils import losses


def log_prob(
    x: Float[Tensor, "B D"], weight: Float[Tensor, "D Z"], bias: Float[Tensor, " D"], sigma: float
) -> Float[Tensor, " B"]:
    """Exact log p(x): x is normal with mean `bias` and covariance weight weight' + sigma^2 I."""
    D, Z = weight.shape
    # Matrices of Z x Z instead of D x D: Woodbury's identity, and the determinant lemma.
    precision = torch.eye(Z).to(weight) + weight.T @ weight / sigma**2
    mean = torch.linalg.solve(precision, weight.T @ (x - bias).T / sigma**2).T
    square = (x - bias - mean @ weight.T).square().sum(1) / sigma**2 + mean.square().sum(1)
    return -0.5 * (square + torch.logdet(precision) + D * math.log(2 * math.pi * sigma**2))


@dataclass(frozen=True)
class LinearGaussian:
    """One set of parameters, and all that is known exactly for it."""

    weight: Float[Tensor, "D Z"]
    bias: Float[Tensor, " D"]
    sigma: float

    def decoder(self, z: Float[Tensor, "*S Z"]) -> Float[Tensor, "*S D"]:
        """The mean image of each code."""
        return z @ self.weight.T + self.bias

    def log_likelihood(self, x: Float[Tensor, "B D"], z: Float[Tensor, "S #B Z"]) -> Float[Tensor, "S B"]:
        """log p(x|z) for every image and each of its S codes."""
        # The squared distance splits in two (Pythagoras): to the flat that the decoder draws on, and within it.
        foot = (x - self.bias) @ torch.linalg.pinv(self.weight).T
        away = (x - self.decoder(foot)).square().sum(1)
        within = (((z - foot) @ (self.weight.T @ self.weight)) * (z - foot)).sum(2)
        return -0.5 * ((away + within) / self.sigma**2 + len(self.bias) * math.log(2 * math.pi * self.sigma**2))

    def log_prob(self, x: Float[Tensor, "B D"]) -> Float[Tensor, " B"]:
        """Exact log p(x)."""
        return log_prob(x, self.weight, self.bias, self.sigma)

    def posterior(self, x: Float[Tensor, "B D"]) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "Z Z"]]:
        """Mean and covariance of p(z|x), a Gaussian; the covariance is the same for every x. Bishop, equation 2.116."""
        Z = self.weight.shape[1]
        covariance = torch.linalg.inv(torch.eye(Z).to(self.weight) + self.weight.T @ self.weight / self.sigma**2)
        return (x - self.bias) @ self.weight @ covariance / self.sigma**2, covariance

    def elbo(
        self, x: Float[Tensor, "B D"], mu: Float[Tensor, "B Z"], logvar: Float[Tensor, "B Z"]
    ) -> Float[Tensor, " B"]:
        """Exact ELBO for q = N(mu, diag sigma^2): no draw is needed where everything is Gaussian."""
        spread = logvar.exp() @ self.weight.square().sum(0)
        return self.log_likelihood(x, mu[None])[0] - 0.5 * spread / self.sigma**2 - losses.gaussian_kl(mu, logvar)


def fitted(x: Float[Tensor, "N D"], latent_dim: int) -> LinearGaussian:
    """The linear-Gaussian model of the largest likelihood: PCA's directions, each by its spread above the noise.

    Tipping & Bishop (1999), doi:10.1111/1467-9868.00196, equations 7 and 8. The posterior has no correlations.
    """
    bias = x.mean(0)
    _, spread, directions = torch.linalg.svd(x - bias, full_matrices=False)
    variances = spread.square() / len(x)
    noise = variances[latent_dim:].sum() / (x.shape[1] - latent_dim)
    weight = directions[:latent_dim].T * (variances[:latent_dim] - noise).sqrt()
    return LinearGaussian(weight, bias, noise.sqrt().item())

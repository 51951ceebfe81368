"""Codes without a picture: walks between two codes, draws from a Gaussian fitted to many, a grid over the prior."""

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


def spherical_walk(z_a: Float[Tensor, " Z"], z_b: Float[Tensor, " Z"], steps: int) -> Float[Tensor, "{steps} Z"]:
    """Codes on the spherical walk from z_a to z_b, both included; straight where both have one direction.

    Their weights are sin((1 - t) angle) / sin(angle) and sin(t angle) / sin(angle), t at equal steps. Codes of one
    length turn at a constant rate and keep it. Opposite codes have no unique arc: do not ask for theirs. Shoemake
    (1985), doi:10.1145/325334.325242; for codes White (2016), arXiv:1609.04468.
    """
    cosine = torch.cosine_similarity(z_a, z_b, dim=0).clamp(-1, 1)
    angle = cosine.acos()
    if angle < 1e-3:
        return walk(z_a, z_b, steps)
    t = torch.linspace(0, 1, steps).to(z_a).unsqueeze(1)
    return (((1 - t) * angle).sin() * z_a + (t * angle).sin() * z_b) / angle.sin()


def prior_grid(steps: int) -> Float[Tensor, "{steps}*{steps} 2"]:
    """Codes of two numbers, one in the middle of each of steps x steps cells that are equally likely under N(0, I).

    Row after row as a page is read: the first number grows to the right, the second falls from row to row.
    Kingma & Welling (2014), figure 4, arXiv:1312.6114.
    """
    shares = (torch.arange(steps) + 0.5) / steps
    places = torch.special.ndtri(shares)
    second, first = torch.meshgrid(places.flip(0), places, indexing="ij")
    return torch.stack([first, second], 2).view(-1, 2)


def traversal(z: Float[Tensor, " Z"], values: Float[Tensor, " S"]) -> Float[Tensor, "Z S Z"]:
    """Copies of the code z: in row i its number i takes each of the values, and the others stay."""
    Z, S = len(z), len(values)
    codes = z.repeat(Z, S, 1)
    unit = torch.arange(Z)
    codes[unit, :, unit] = values.to(z)
    return codes


def turn(Z: int, first: int, second: int, degrees: float) -> Float[Tensor, "{Z} {Z}"]:
    """The matrix Q of a rotation in the plane of two units: z @ Q.T is the code z turned by this angle."""
    angle = torch.tensor(degrees).deg2rad()
    Q = torch.eye(Z)
    Q[first, first] = Q[second, second] = angle.cos()
    Q[second, first], Q[first, second] = angle.sin(), -angle.sin()
    return Q

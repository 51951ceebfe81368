"""Discriminators that see more than one sample at a time, and so can tell a collapsed generator.

Both give one logit for each sample, as any discriminator does: `train.fit_gan` takes them as they are.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course_utils.errors import CourseError


def pack(x: Float[Tensor, "B *D"], m: int) -> Float[Tensor, "P F"]:
    """Packs of m samples in a row: the numbers of the first m samples make row 0, those of the next m row 1, and so on.

    Raises CourseError if m does not divide the batch. Lin et al. (2018), arXiv:1712.04086.
    """
    if len(x) % m:
        raise CourseError(
            f"{len(x)} samples make no packs of {m}: let {m} divide the batch size, and the number of samples as well."
        )
    return x.flatten(1).reshape(len(x) // m, -1)


def minibatch_std(x: Float[Tensor, "B *D"]) -> Float[Tensor, ""]:
    """One number for a whole batch: each coordinate's standard deviation over the batch, their mean.

    Karras et al. (2018), arXiv:1710.10196, section 3.
    """
    return x.flatten(1).std(0, correction=0).mean()


class PackedDiscriminator(nn.Module):
    """A discriminator of packs of m samples; each sample gets the logit of its pack.

    Lin et al. (2018), arXiv:1712.04086.
    """

    def __init__(self, discriminator: nn.Module, m: int):
        super().__init__()
        self.discriminator, self.m = discriminator, m

    def forward(self, x: Float[Tensor, "B *D"]) -> Float[Tensor, " B"]:
        return self.discriminator(pack(x, self.m)).repeat_interleave(self.m)


class StatisticDiscriminator(nn.Module):
    """A discriminator that is told the standard deviation of the batch, as one more number beside each sample.

    Karras et al. (2018), arXiv:1710.10196, section 3.
    """

    def __init__(self, discriminator: nn.Module):
        super().__init__()
        self.discriminator = discriminator

    def forward(self, x: Float[Tensor, "B *D"]) -> Float[Tensor, " B"]:
        return self.discriminator(torch.cat([x.flatten(1), minibatch_std(x).expand(len(x), 1)], 1))


class StackGenerator(nn.Module):
    """Codes to two pictures of 14 x 14 pixels in [0, 1] each, one in each channel."""

    def __init__(self, latent_dim: int = 32, hidden_dim: int = 128):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, hidden_dim),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_dim, hidden_dim),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_dim, 2 * 14 * 14),
            nn.Sigmoid(),
            nn.Unflatten(1, (2, 14, 14)),
        )

    def forward(self, z: Float[Tensor, "B Z"]) -> Float[Tensor, "B 2 14 14"]:
        return self.layers(z)

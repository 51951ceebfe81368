"""Convolutional encoders and decoders: images of 28x28 to a code and back, through small images of many channels."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


def transposed_size(size: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0) -> int:
    """How many pixels a transposed convolution makes of `size` pixels, along one axis.

    Dumoulin & Visin (2016), arXiv:1603.07285, section 4.
    """
    return (size - 1) * stride + kernel - 2 * padding + output_padding


def transposed_conv(
    x: Float[Tensor, "B C H W"], weight: Float[Tensor, "C O K K"], stride: int = 1, padding: int = 0
) -> Float[Tensor, "B O P Q"]:
    """Each pixel of x stamps the kernel, times its value, every `stride` pixels; stamps add up, `padding` is cut off.

    Agrees with torch's conv_transpose2d; `weight` is laid out as there.
    """
    B, _, H, W = x.shape
    O, K = weight.shape[1:3]  # noqa: E741
    out = x.new_zeros(B, O, transposed_size(H, K, stride), transposed_size(W, K, stride))
    for i in range(H):
        for j in range(W):
            stamp = torch.einsum("bc,cokl->bokl", x[:, :, i, j], weight)
            out[:, :, i * stride : i * stride + K, j * stride : j * stride + K] += stamp
    return out[:, :, padding : out.shape[2] - padding, padding : out.shape[3] - padding]


def overlap(size: int, kernel: int, stride: int) -> Int[Tensor, " P"]:
    """How many of `size` stamps, `kernel` pixels wide and `stride` pixels apart, cover each pixel of a row.

    Odena, Dumoulin & Olah (2016), doi:10.23915/distill.00003.
    """
    count = torch.zeros(transposed_size(size, kernel, stride), dtype=torch.long)
    for i in range(size):
        count[i * stride : i * stride + kernel] += 1
    return count


def conv_encoder(latent_dim: int, channels: int = 16) -> nn.Sequential:
    """Images (B, 1, 28, 28) to codes (B, latent_dim), halving the image twice."""
    return nn.Sequential(
        nn.Conv2d(1, channels, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(2 * channels * 7 * 7, latent_dim),
    )


def transposed_decoder(latent_dim: int, kernel: int = 4, channels: int = 16) -> nn.Sequential:
    """Codes (B, latent_dim) to images (B, 1, 28, 28) in [0, 1]; two transposed convolutions, each doubles the image.

    Radford, Metz & Chintala (2016), arXiv:1511.06434, on a smaller scale.
    """
    double = {"kernel_size": kernel, "stride": 2, "padding": (kernel - 1) // 2, "output_padding": kernel % 2}
    return nn.Sequential(
        *_small_image(latent_dim, channels),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * channels, channels, **double),
        nn.ReLU(),
        nn.ConvTranspose2d(channels, 1, **double),
        nn.Sigmoid(),
    )


def resize_decoder(latent_dim: int, channels: int = 16) -> nn.Sequential:
    """Codes (B, latent_dim) to images (B, 1, 28, 28) in [0, 1]; repeats each pixel and convolves, twice.

    Odena, Dumoulin & Olah (2016), doi:10.23915/distill.00003.
    """
    return nn.Sequential(*_small_image(latent_dim, channels), *_resized_twice(channels))


def deep_decoder(latent_dim: int, block: Callable[[int], nn.Module], depth: int, channels: int = 16) -> nn.Sequential:
    """`resize_decoder` with `depth` blocks before the first resizing; `block(channels)` makes one."""
    blocks = [block(2 * channels) for _ in range(depth)]
    return nn.Sequential(*_small_image(latent_dim, channels), *blocks, *_resized_twice(channels))


def plain_block(channels: int) -> nn.Sequential:
    """Two convolutions of 3x3, each after a ReLU."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1),
    )


def normalized_block(channels: int) -> nn.Sequential:
    """`plain_block` with batch normalization before each ReLU. Ioffe & Szegedy (2015), arXiv:1502.03167."""
    return nn.Sequential(
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1),
    )


class ResidualBlock(nn.Module):
    """What goes in, plus what `plain_block` makes of it: the identity where the last convolution is zero.

    He et al. (2016), arXiv:1603.05027, without normalization; first in He et al. (2015), arXiv:1512.03385.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.change = plain_block(channels)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        return x + self.change(x)


def _small_image(latent_dim: int, channels: int) -> list[nn.Module]:
    return [nn.Linear(latent_dim, 2 * channels * 7 * 7), nn.Unflatten(1, (2 * channels, 7, 7))]


def _resized_twice(channels: int) -> list[nn.Module]:
    return [
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(2 * channels, channels, 3, padding=1),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(channels, 1, 3, padding=1),
        nn.Sigmoid(),
    ]

"""Transposed convolutions against torch's, the grid they leave against closed forms, and the shapes of the decoders."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from course_utils import metrics
from course_utils.models import convolutional

SHAPES = [(1, 1, 1, 1, 1, 0, 1, 1), (2, 3, 2, 3, 2, 1, 4, 5), (3, 1, 4, 4, 2, 1, 2, 6), (2, 2, 2, 5, 3, 2, 5, 3)]


@pytest.mark.parametrize(("B", "C", "O", "K", "stride", "padding", "H", "W"), [*SHAPES, (2, 2, 1, 2, 4, 0, 3, 4)])
def test_transposed_conv_agrees_with_torch(B, C, O, K, stride, padding, H, W):  # noqa: E741
    x, weight = torch.randn(B, C, H, W), torch.randn(C, O, K, K)
    want = functional.conv_transpose2d(x, weight, stride=stride, padding=padding)
    torch.testing.assert_close(convolutional.transposed_conv(x, weight, stride, padding), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [1, 7, 14])
@pytest.mark.parametrize(("kernel", "stride", "padding", "output_padding"), [(3, 2, 1, 1), (4, 2, 1, 0), (5, 4, 0, 3)])
def test_transposed_size_is_what_torch_makes(size, kernel, stride, padding, output_padding):
    layer = nn.ConvTranspose1d(1, 1, kernel, stride, padding, output_padding)
    made = layer(torch.zeros(1, 1, size)).shape[-1]
    assert convolutional.transposed_size(size, kernel, stride, padding, output_padding) == made


@pytest.mark.parametrize("kernel", range(1, 7))
@pytest.mark.parametrize("stride", range(1, 5))
def test_overlap_is_a_transposed_convolution_of_ones(kernel, stride):
    want = functional.conv_transpose1d(torch.ones(1, 1, 5), torch.ones(1, 1, kernel), stride=stride)[0, 0]
    assert convolutional.overlap(5, kernel, stride).tolist() == want.tolist()


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_stride_energy_is_the_variance_between_the_places_of_the_grid(stride):
    x = 5 + torch.randn(3, 1, 12, 24)
    places = [x[:, 0, i::stride, j::stride].mean((1, 2)) for i in range(stride) for j in range(stride)]
    share = torch.stack(places).var(0, correction=0) / x.flatten(1).var(1, correction=0)
    torch.testing.assert_close(metrics.stride_energy(x, stride), share, rtol=1e-4, atol=1e-6)


def test_stride_energy_of_patterns():
    rows, columns = torch.arange(8.0)[:, None], torch.arange(8.0)
    board, stripes, slope = (rows + columns) % 2, rows % 2 + 0 * columns, 0 * rows + columns
    share = metrics.stride_energy(torch.stack([board, stripes, slope])[:, None], 2)
    # The slope 0 ... 7 has variance 5.25; its even and odd columns have means 3 and 4, a variance of 0.25.
    torch.testing.assert_close(share, torch.tensor([1, 1, 0.25 / 5.25]))


DECODERS = {
    "kernel 2": lambda: convolutional.transposed_decoder(5, kernel=2),
    "kernel 3": lambda: convolutional.transposed_decoder(5, kernel=3),
    "kernel 4": lambda: convolutional.transposed_decoder(5, kernel=4),
    "kernel 5": lambda: convolutional.transposed_decoder(5, kernel=5),
    "resize": lambda: convolutional.resize_decoder(5),
    "plain": lambda: convolutional.deep_decoder(5, convolutional.plain_block, depth=2, channels=3),
    "normalized": lambda: convolutional.deep_decoder(5, convolutional.normalized_block, depth=2, channels=3),
    "residual": lambda: convolutional.deep_decoder(5, convolutional.ResidualBlock, depth=2, channels=3),
}


@pytest.mark.parametrize("name", DECODERS)
def test_decoders_make_pictures_and_every_weight_learns(name):
    model = nn.Sequential(convolutional.conv_encoder(5), DECODERS[name]())
    x_hat = model(torch.rand(4, 1, 28, 28))
    assert x_hat.shape == (4, 1, 28, 28) and x_hat.min() >= 0 and x_hat.max() <= 1
    x_hat.square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_only_resizing_keeps_a_flat_image_flat():
    flat = torch.ones(1, 32, 7, 7)

    def grid(layers):
        return layers(flat)[..., 4:-4, 4:-4].std().item()  # away from the border, where zeros stand beyond the image

    assert grid(convolutional.resize_decoder(5)[2:-1]) < 1e-5
    assert grid(convolutional.transposed_decoder(5, kernel=4)[2:-1]) > 1e-3


def test_residual_block_is_the_identity_where_its_last_convolution_is_zero():
    block = convolutional.ResidualBlock(3)
    x = torch.randn(2, 3, 5, 7)
    assert not torch.allclose(block(x), x)
    nn.init.zeros_(block.change[-1].weight), nn.init.zeros_(block.change[-1].bias)
    torch.testing.assert_close(block(x), x)

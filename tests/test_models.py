"""Models: sizes as announced, shapes (enforced by the import hook), and ranges."""

import pytest
import torch

from course_utils.models.autoencoder import DenseAutoencoder, LinearAutoencoder
from course_utils.models.collapse import LinearVAE, PixelByPixelVAE
from course_utils.models.sprites import SpriteVAE
from course_utils.models.vae import ConvolutionalVAE, DenseVAE

x = torch.rand(4, 1, 28, 28)


def size(model):
    return sum(p.numel() for p in model.parameters())


def test_autoencoders_are_of_the_size_that_lesson_01_names():
    assert size(DenseAutoencoder(2, 400).decoder) == 2 * 400 + 400 + 400 * 784 + 784
    assert size(LinearAutoencoder(4)) == 2 * 4 * 784 + 4 + 784


def test_autoencoder_draws_gray_values():
    x_hat = DenseAutoencoder(3)(10 * x)
    assert x_hat.shape == x.shape and x_hat.min() >= 0 and x_hat.max() <= 1


@pytest.mark.parametrize(
    "kind, x",
    [
        (DenseVAE, x),
        (ConvolutionalVAE, x),
        (SpriteVAE, x[..., ::2, ::2]),
        (PixelByPixelVAE, x[..., ::2, ::2]),
        (LinearVAE, torch.rand(4, 2)),
    ],
)
def test_a_vae_draws_a_fresh_code_each_time_with_a_gradient(kind, x):
    vae = kind(latent_dim=3).eval()  # in training some decoders draw more than the code
    x_logits, mu, logvar = vae(x)
    assert x_logits.shape == x.shape and mu.shape == logvar.shape == (4, 3)
    assert not torch.equal(x_logits, vae(x)[0])
    assert all(slope.abs().sum() > 0 for slope in torch.autograd.grad(x_logits.sum(), (mu, logvar)))

"""Variational autoencoders: the encoder names a Gaussian over codes, the decoder a distribution over images."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course_utils.models.autoencoder import PIXELS
from course_utils.models.convolutional import conv_encoder, transposed_decoder


def reparameterize(mu: Float[Tensor, "*B Z"], logvar: Float[Tensor, "*B Z"]) -> Float[Tensor, "*B Z"]:
    """One draw of N(mu, sigma^2) for each number, through which gradients reach mu and logvar = log sigma^2.

    Kingma & Welling (2014), section 2.4, arXiv:1312.6114.
    """
    return mu + (0.5 * logvar).exp() * torch.randn_like(mu)


class DenseVAE(nn.Module):
    """784 -> hidden_dim -> latent_dim -> hidden_dim -> 784; q(z|x) = N(mu, diag sigma^2), p(x|z) Bernoulli by logits.

    Kingma & Welling (2014), appendix C, arXiv:1312.6114.
    """

    def __init__(self, latent_dim: int = 20, hidden_dim: int = 400):
        super().__init__()
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, hidden_dim), nn.ReLU())
        self.mu = nn.Linear(hidden_dim, latent_dim)
        self.logvar = nn.Linear(hidden_dim, latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, PIXELS), nn.Unflatten(1, (1, 28, 28))
        )

    def encode(self, x: Float[Tensor, "B 1 28 28"]) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        hidden = self.hidden(x)
        return self.mu(hidden), self.logvar(hidden)

    def forward(
        self, x: Float[Tensor, "B 1 28 28"]
    ) -> tuple[Float[Tensor, "B 1 28 28"], Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        """Logits of a reconstruction from one draw of the code, and the mu and logvar it was drawn from."""
        mu, logvar = self.encode(x)
        return self.decoder(reparameterize(mu, logvar)), mu, logvar


class ConvolutionalEncoder(nn.Module):
    """Images to mu and logvar of N(mu, diag sigma^2): the convolutions of `conv_encoder`, twice as many numbers out."""

    def __init__(self, latent_dim: int = 20, channels: int = 16):
        super().__init__()
        self.layers = conv_encoder(2 * latent_dim, channels)

    def forward(self, x: Float[Tensor, "B 1 28 28"]) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        mu, logvar = self.layers(x).chunk(2, dim=1)
        return mu, logvar


class ConvolutionalVAE(nn.Module):
    """28x28 -> 14x14 -> 7x7 -> latent_dim and back; q(z|x) = N(mu, diag sigma^2), p(x|z) Bernoulli by logits.

    Kingma & Welling (2014), arXiv:1312.6114, with the convolutions of Radford et al. (2016), arXiv:1511.06434.
    """

    def __init__(self, latent_dim: int = 20, channels: int = 16):
        super().__init__()
        self.encode = ConvolutionalEncoder(latent_dim, channels)
        self.decoder = transposed_decoder(latent_dim, channels=channels)[:-1]  # without its sigmoid: logits

    def forward(
        self, x: Float[Tensor, "B 1 28 28"]
    ) -> tuple[Float[Tensor, "B 1 28 28"], Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        """Logits of a reconstruction from one draw of the code, and the mu and logvar it was drawn from."""
        mu, logvar = self.encode(x)
        return self.decoder(reparameterize(mu, logvar)), mu, logvar

"""Autoencoders with a discriminator: of codes (adversarial autoencoder) or of pictures (VAE-GAN).

Encoder and decoder are those of `ConvolutionalVAE`. Each model has three parts, `encoder`, `decoder` and
`discriminator`, and a function that gives each part its own loss, for `train.fit_parts`.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course_utils import losses
from course_utils.models.convolutional import conv_encoder, transposed_decoder
from course_utils.models.gan import ConvolutionalDiscriminator, PointDiscriminator
from course_utils.models.vae import ConvolutionalEncoder, reparameterize


class AdversarialAutoencoder(nn.Module):
    """Pictures in [0, 1] to one code each and back; a discriminator tells codes from draws of a prior.

    Makhzani et al. (2015), arXiv:1511.05644, with a deterministic encoder.
    """

    def __init__(self, latent_dim: int = 8, hidden_dim: int = 128, channels: int = 16):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = conv_encoder(latent_dim, channels)
        self.decoder = transposed_decoder(latent_dim, channels=channels)
        self.discriminator = PointDiscriminator(hidden_dim, dim=latent_dim)

    def forward(self, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B 1 28 28"]:
        return self.decoder(self.encoder(x))


class VAEGAN(nn.Module):
    """A VAE whose decoder is also a generator: pictures in [0, 1] to N(mu, diag sigma^2) over codes and back.

    Larsen et al. (2016), arXiv:1512.09300.
    """

    def __init__(self, latent_dim: int = 8, hidden_dim: int = 128, channels: int = 16):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = ConvolutionalEncoder(latent_dim, channels)
        self.decoder = transposed_decoder(latent_dim, channels=channels)
        self.discriminator = ConvolutionalDiscriminator(hidden_dim, channels)

    def forward(
        self, x: Float[Tensor, "B 1 28 28"]
    ) -> tuple[Float[Tensor, "B 1 28 28"], Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        """A reconstruction from one draw of the code, and the mu and logvar it was drawn from."""
        mu, logvar = self.encoder(x)
        return self.decoder(reparameterize(mu, logvar)), mu, logvar


def aae_losses(
    model: AdversarialAutoencoder,
    x: Float[Tensor, "B 1 28 28"],
    prior: Callable[[int], Float[Tensor, "B Z"]] | None = None,
    weight: float = 1.0,
) -> dict[str, Float[Tensor, " B"]]:
    """What each part of an adversarial autoencoder minimizes, in nats per image, and the error of the pixels.

    `prior(B)` draws codes, by default of N(0, I). Makhzani et al. (2015), arXiv:1511.05644, section 2.
    """
    z = model.encoder(x)
    z_real = torch.randn_like(z) if prior is None else prior(len(x)).to(z)
    error = losses.squared_error(model.decoder(z), x)
    logits_real, logits_fake = model.discriminator(z_real), model.discriminator(z)
    return {
        "encoder": error + weight * losses.nonsaturating_loss(logits_fake),
        "decoder": error,
        "discriminator": losses.discriminator_loss(logits_real, logits_fake),
        "pixel error": error,
    }


def vaegan_losses(model: VAEGAN, x: Float[Tensor, "B 1 28 28"], gamma: float = 0.1) -> dict[str, Float[Tensor, " B"]]:
    """What each part of a VAE-GAN minimizes, and the terms it is made of, in nats per image.

    Larsen et al. (2016), arXiv:1512.09300, algorithm 1; the decoder's game in its non-saturating form.
    """
    x_hat, mu, logvar = model(x)
    x_fake = model.decoder(torch.randn_like(mu))
    features, features_hat = model.discriminator.features(x), model.discriminator.features(x_hat)
    verdict = model.discriminator.verdict
    logits_real, logits_hat, logits_fake = verdict(features), verdict(features_hat), model.discriminator(x_fake)
    error, kl = losses.squared_error(features_hat, features), losses.gaussian_kl(mu, logvar)
    fooled = 0.5 * (losses.nonsaturating_loss(logits_hat) + losses.nonsaturating_loss(logits_fake))
    found = 0.5 * (
        losses.discriminator_loss(logits_real, logits_hat) + losses.discriminator_loss(logits_real, logits_fake)
    )
    return {
        "encoder": error + kl,
        "decoder": gamma * error + fooled,
        "discriminator": found,
        "feature error": error,
        "KL": kl,
        "D(real)": logits_real.sigmoid(),
        "D(fake)": logits_fake.sigmoid(),
    }

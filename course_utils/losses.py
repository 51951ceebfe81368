"""Losses of images and of codes: one number per image, in nats, summed over pixels or latents; never over the batch.

The training loop takes the mean over the batch.
"""

import math

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def squared_error(x_hat: Float[Tensor, "B *D"], x: Float[Tensor, "B *D"]) -> Float[Tensor, " B"]:
    """Half the squared distance between images: -log N(x; x_hat, I) in nats, without its constant.

    Bishop (2006), Pattern Recognition and Machine Learning, equation 1.53 with unit variance.
    """
    return 0.5 * (x_hat - x).square().flatten(1).sum(1)


def bernoulli_nll(x_logits: Float[Tensor, "B *D"], x: Float[Tensor, "B *D"]) -> Float[Tensor, " B"]:
    """-log p(x) in nats, each pixel a coin with probability sigmoid(x_logits); binary cross-entropy for gray x.

    Kingma & Welling (2014), appendix C.1, arXiv:1312.6114.
    """
    return functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none").flatten(1).sum(1)


def gaussian_kl(mu: Float[Tensor, "B Z"], logvar: Float[Tensor, "B Z"]) -> Float[Tensor, " B"]:
    """KL(N(mu, sigma^2) || N(0, I)) with logvar = log sigma^2, in nats per image.

    Kingma & Welling (2014), appendix B, arXiv:1312.6114.
    """
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(1)


def gaussian_nll(
    mean: Float[Tensor, "B *D"], logvar: Float[Tensor, "#B *#D"], x: Float[Tensor, "B *D"]
) -> Float[Tensor, " B"]:
    """-log N(x; mean, sigma^2) in nats with its constant, logvar = log sigma^2; a density, so it may be negative.

    Bishop (2006), Pattern Recognition and Machine Learning, equation 1.53.
    """
    square = (x - mean).square() * (-logvar).exp()
    return 0.5 * (square + logvar + math.log(2 * math.pi)).flatten(1).sum(1)


def gray_log_mass(x_logits: Float[Tensor, "B *D"]) -> Float[Tensor, " B"]:
    """Log of what exp(-bernoulli_nll) adds up to over all gray pictures, in nats; at most -log 2 for each pixel.

    bernoulli_nll + gray_log_mass is -log of a density: the continuous Bernoulli of Loaiza-Ganem & Cunningham (2019),
    arXiv:1907.06845.
    """
    # tanh(l / 2) / l, an even function, is 1/2 at l = 0.
    size = x_logits.abs().clamp(min=1e-3)
    return ((size / 2).tanh() / size).log().flatten(1).sum(1)


def negative_elbo(
    x_logits: Float[Tensor, "B *D"], mu: Float[Tensor, "B Z"], logvar: Float[Tensor, "B Z"], x: Float[Tensor, "B *D"]
) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"], Float[Tensor, " B"]]:
    """What a VAE with a Bernoulli decoder minimizes, and its two parts: reconstruction + KL, reconstruction, KL.

    Kingma & Welling (2014), equation 10, arXiv:1312.6114, with one draw of the code and the opposite sign.
    """
    reconstruction, kl = bernoulli_nll(x_logits, x), gaussian_kl(mu, logvar)
    return reconstruction + kl, reconstruction, kl

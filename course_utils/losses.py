"""Losses of images and of codes: one number per image, in nats, summed over pixels or latents; never over the batch.

The training loop takes the mean over the batch.
"""

import math

import torch
from jaxtyping import Bool, Float
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


def unit_kl(mu: Float[Tensor, "B Z"], logvar: Float[Tensor, "B Z"]) -> Float[Tensor, "B Z"]:
    """`gaussian_kl` unit by unit of the code: KL(N(mu, sigma^2) || N(0, 1)) of each, in nats."""
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar)


def free_bits(kl: Float[Tensor, "B Z"], floor: float) -> Float[Tensor, " B"]:
    """KL to minimize, given that of each unit: a unit whose mean over the batch is below `floor` counts as `floor`.

    The mean over the batch is that of Kingma et al. (2016), arXiv:1606.04934, equation 15, each unit a group.
    """
    return torch.where(kl.mean(0) > floor, kl, floor).sum(1)


def warm_up(step: int, steps: int) -> float:
    """beta at a training step counted from 1: it rises evenly, reaches 1 at `steps` and stays there.

    Bowman et al. (2016), arXiv:1511.06349, section 3.1; evenly as in Sønderby et al. (2016), arXiv:1602.02282.
    """
    return min(1.0, step / steps)


def flipped_nll(x_logits: Float[Tensor, "B *D"], x: Float[Tensor, "B *D"], p: float) -> Float[Tensor, " B"]:
    """-log p(x) in nats; each pixel is a coin with probability sigmoid(x_logits), then flipped with probability p."""
    white = x_logits.sigmoid() * (1 - 2 * p) + p
    return functional.binary_cross_entropy(white, x, reduction="none").flatten(1).sum(1)


def seen_nll(
    x_logits: Float[Tensor, "B *D"], x: Float[Tensor, "B *D"], seen: Bool[Tensor, "*#D"]
) -> Float[Tensor, " B"]:
    """`bernoulli_nll` of the pixels that are seen, in nats; what x holds in the others does not matter."""
    nll = functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    return torch.where(seen, nll, 0.0).flatten(1).sum(1)


def discriminator_loss(logits_real: Float[Tensor, " B"], logits_fake: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
    """-log D(x_real) - log(1 - D(x_fake)) in nats, one number for each pair; D = sigmoid(logits).

    Goodfellow et al. (2014), arXiv:1406.2661, equation 1 with the opposite sign.
    """
    return functional.softplus(-logits_real) + functional.softplus(logits_fake)


def minimax_loss(logits_fake: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
    """log(1 - D(x_fake)) in nats: what the generator minimizes when the two share one payoff; D = sigmoid(logits).

    Goodfellow et al. (2014), arXiv:1406.2661, equation 1.
    """
    return -functional.softplus(logits_fake)


def nonsaturating_loss(logits_fake: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
    """-log D(x_fake) in nats: what the generator minimizes instead, for the sake of its gradient; D = sigmoid(logits).

    Goodfellow et al. (2014), arXiv:1406.2661, end of section 3.
    """
    return functional.softplus(-logits_fake)


def smoothed_loss(
    logits_real: Float[Tensor, " B"], logits_fake: Float[Tensor, " B"], smoothing: float
) -> Float[Tensor, " B"]:
    """`discriminator_loss` with the label 1 - smoothing for real samples, and still 0 for fakes; in nats.

    Salimans et al. (2016), arXiv:1606.03498, section 3.4.
    """
    # (1 - s) softplus(-l) + s softplus(l) = softplus(-l) + s l
    return discriminator_loss(logits_real, logits_fake) + smoothing * logits_real


def critic_loss(logits_real: Float[Tensor, " B"], logits_fake: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
    """f(x_fake) - f(x_real), one number for each pair, in units of x for a critic f whose slope is at most 1.

    Minus its mean is what the critic has found of the Wasserstein distance. Arjovsky, Chintala & Bottou (2017),
    arXiv:1701.07875, equation 3 with the opposite sign.
    """
    return logits_fake - logits_real


def wasserstein_generator_loss(logits_fake: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
    """-f(x_fake): what the generator minimizes against a critic f, in units of x.

    Arjovsky, Chintala & Bottou (2017), arXiv:1701.07875, theorem 3.
    """
    return -logits_fake

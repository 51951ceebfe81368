"""Lower bounds on log p(x), one number per image in nats, from the log weights of draws z of q(z|x).

A log weight is log p(x|z) + log p(z) - log q(z|x), with p(z) = N(0, I) and q(z|x) = N(mu, diag sigma^2). The mean of
the weights themselves is p(x) without bias, whatever q is.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course_utils import losses

AT_ONCE = 4_000  # pictures that of_vae decodes at a time


def weigh(
    log_lik: Float[Tensor, "S B"], z: Float[Tensor, "S B Z"], mu: Float[Tensor, "B Z"], logvar: Float[Tensor, "B Z"]
) -> Float[Tensor, "S B"]:
    """The log weights of draws z of N(mu, sigma^2), given the log-likelihood log p(x|z) of each."""
    log_prior = -0.5 * z.square().sum(2)
    log_q = -0.5 * ((z - mu).square() / logvar.exp() + logvar).sum(2)
    return log_lik + log_prior - log_q  # both normal densities have the same constant


def log_weights(
    log_likelihood: Callable[[Tensor], Tensor], mu: Float[Tensor, "B Z"], logvar: Float[Tensor, "B Z"], samples: int
) -> Float[Tensor, "{samples} B"]:
    """The log weights of `samples` draws for each image; log_likelihood maps codes (S, B, Z) to log p(x|z) (S, B).

    Gradients reach mu and logvar, through the draws as well.
    """
    eps = torch.randn(samples, *mu.shape).to(mu)
    z = mu + (0.5 * logvar).exp() * eps
    return weigh(log_likelihood(z), z, mu, logvar)


def elbo(log_w: Float[Tensor, "S B"]) -> Float[Tensor, " B"]:
    """The evidence lower bound, estimated: the mean of the log weights.

    Kingma & Welling (2014), arXiv:1312.6114, equation 2.
    """
    return log_w.mean(0)


def iwae(log_w: Float[Tensor, "S B"]) -> Float[Tensor, " B"]:
    """The importance-weighted bound with K = S draws, estimated once: the log of the mean weight.

    Its expectation is at most log p(x), a single value may exceed it. Burda, Grosse & Salakhutdinov (2016),
    arXiv:1509.00519, equation 8.
    """
    return log_w.logsumexp(0) - math.log(len(log_w))


@torch.no_grad()
def of_vae(model: nn.Module, x: Float[Tensor, "B 1 H W"], samples: int) -> Float[Tensor, "{samples} B"]:
    """Log weights of a VAE whose decoder gives the logits of black and white pixels; x holds 0 and 1 alone.

    `model` has encode(x) -> mu, logvar and decoder(z) -> x_logits. No gradients.
    """
    mu, logvar = model.encode(x)

    def log_likelihood(z: Float[Tensor, "S B Z"]) -> Float[Tensor, "S B"]:
        x_logits = model.decoder(z.flatten(0, 1))
        return -losses.bernoulli_nll(x_logits, x.repeat(len(z), 1, 1, 1)).view(z.shape[:2])

    slices = torch.arange(samples, device="cpu").split(max(1, AT_ONCE // len(x)))
    return torch.cat([log_weights(log_likelihood, mu, logvar, len(part)) for part in slices])

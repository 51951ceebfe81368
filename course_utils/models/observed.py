"""Codes of pictures of which only a damaged or a partial version was observed: searched for through the decoder."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils import losses
from course_utils.models.vae import reparameterize


def fit_codes(
    decoder: Callable[[Tensor], Tensor],
    nll: Callable[[Tensor], Tensor],
    count: int,
    latent_dim: int,
    steps: int = 100,
    lr: float = 0.3,
) -> tuple[Float[Tensor, "{count} {latent_dim}"], Float[Tensor, "{count} {latent_dim}"]]:
    """mu and logvar of a Gaussian q(z) for each of `count` pictures, fitted by Adam to what was observed of them.

    Minimizes nll(decoder(z)) + KL(q || N(0, I)), where nll gives -log p(observed | z) for each picture: minus the ELBO
    of what was observed, with a q of its own for each picture instead of an encoder. The decoder stays as it is.
    Hoffman et al. (2013), arXiv:1206.7051, call such q's local variational parameters.
    """
    with torch.enable_grad():
        mu = torch.zeros(count, latent_dim, requires_grad=True)
        logvar = torch.full((count, latent_dim), -1.0, requires_grad=True)
        optimizer = torch.optim.Adam([mu, logvar], lr=lr)
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = lr * (1 - step / steps)  # smaller steps average out the draws
            loss = nll(decoder(reparameterize(mu, logvar))) + losses.gaussian_kl(mu, logvar)
            optimizer.zero_grad()
            loss.sum().backward(inputs=[mu, logvar])
            optimizer.step()
    return mu.detach(), logvar.detach()

"""Make collapse_remedies.csv: what remedies do for a decoder that sees what it has drawn. Eight minutes on one core.

Run from anywhere: python data/collapse_remedies.py
"""

from collections.abc import Callable
from functools import partial
from itertools import count

import torch

from course_utils import bounds, data, losses, metrics, train
from course_utils.models.collapse import PixelByPixelVAE
from course_utils.models.vae import reparameterize

SEEDS = range(8)
EPOCHS, LR, DRAWS = 12, 5e-3, 200  # those of lesson 08


def weighted(kl_weight: Callable[[], float] = lambda: 1.0, floor: float = 0.0) -> Callable:
    """The loss of lesson 08, with a weight of the KL and a floor under each unit's."""

    def loss(model, x):
        x_logits, mu, logvar = model(x)
        kl = losses.unit_kl(mu, logvar)
        return losses.bernoulli_nll(x_logits, x) + kl_weight() * losses.free_bits(kl, floor)

    return loss


def warmed_up(steps: int) -> Callable:
    counter = count(1)
    return weighted(lambda: losses.warm_up(next(counter), steps))


# Name: what makes the loss, and what share of the drawn pixels the decoder is shown.
REMEDIES = {
    "none": (weighted, 1.0),
    "warm-up": (partial(warmed_up, 300), 1.0),
    "2 free nats": (partial(weighted, floor=0.25), 1.0),
    "4 free nats": (partial(weighted, floor=0.5), 1.0),
    "beta 0.5": (partial(weighted, lambda: 0.5), 1.0),
    "sees half": (weighted, 0.5),
    "sees nothing": (weighted, 0.0),
}


def row(remedy: str, seed: int) -> dict:
    """Held-out bounds and KL in nats, active units of 8, and how well 25 neighbors tell the label from one draw."""
    torch.manual_seed(seed)
    images = data.binarized("digits")
    x, x_test = (part[..., ::2, ::2] for part in (images.x_train, images.x_test))
    make_loss, seen = REMEDIES[remedy]
    model = PixelByPixelVAE(seen=seen)
    train.fit(model, x, make_loss(), epochs=EPOCHS, lr=LR, seed=seed, label=remedy)
    with torch.no_grad():
        mu, logvar = model.encode(x_test)
        log_w = bounds.log_weights(partial(model.log_likelihood, x_test), mu, logvar, DRAWS)
        z, z_test = reparameterize(*model.encode(x)), reparameterize(mu, logvar)
    values = {
        "elbo": bounds.elbo(log_w).mean(),
        "iwae": bounds.iwae(log_w).mean(),
        "kl": metrics.kl_per_unit(mu, logvar).sum(),
        "active": metrics.active_units(mu),
        "label": metrics.label_share(z, images.y_train, z_test, images.y_test),
    }
    return {"remedy": remedy, "seed": seed} | {name: f"{float(value):.4g}" for name, value in values.items()}


if __name__ == "__main__":
    rows = [row(remedy, seed) for seed in SEEDS for remedy in REMEDIES]
    data.tables.write(__file__, rows)

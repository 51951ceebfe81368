"""Make rate_distortion.csv: VAEs of small sprites at eight weights of the KL, eight seeds each.

Takes four minutes on one core. Run from anywhere: python data/rate_distortion.py
"""

import torch

from course_utils import data, losses, metrics, train
from course_utils.models.sprites import SpriteVAE
from course_utils.models.vae import reparameterize

BETAS = (1, 2, 4, 8, 16, 32, 64, 128)
SEEDS = range(8)
SIGMA, DRAWS = 0.1, 32  # of the decoder, and of each posterior; with the training below those of lesson 09


def row(beta: float, seed: int) -> dict:
    """Distortion and rate in nats for each picture, and the two scores of the drawn codes."""
    torch.manual_seed(seed)
    x, levels = data.every_sprite("x", "y", "scale")
    model = SpriteVAE()

    def loss(model, x):
        x_hat, mu, logvar = model(x)
        return losses.squared_error(x_hat, x) / SIGMA**2 + beta * losses.gaussian_kl(mu, logvar)

    for epochs, lr in ((300, 2e-3), (60, 2e-4)):
        train.fit(model, x, loss, epochs=epochs, batch_size=32, lr=lr, seed=seed, label=f"beta {beta}, seed {seed}")
    with torch.no_grad():
        mu, logvar = model.encode(x)
        z = reparameterize(mu.repeat(DRAWS, 1), logvar.repeat(DRAWS, 1))
        distortion = losses.squared_error(model.decoder(z), x.repeat(DRAWS, 1, 1, 1)) / SIGMA**2
    told = metrics.information(z, levels.repeat(DRAWS, 1))
    values = {
        "distortion": distortion.mean(),
        "rate": losses.gaussian_kl(mu, logvar).mean(),
        "mig": metrics.mig(told, metrics.entropies(levels)),
        "disentanglement": metrics.disentanglement(told),
    }
    return {"beta": beta, "seed": seed} | {k: f"{float(v):.4g}" for k, v in values.items()}


if __name__ == "__main__":
    rows = [row(beta, seed) for beta in BETAS for seed in SEEDS]
    data.tables.write(__file__, rows)

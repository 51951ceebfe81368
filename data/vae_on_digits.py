"""Make vae_on_digits.csv: VAEs of several widths on binarized digits, five seeds each. Takes six minutes on one core.

Run from anywhere: python data/vae_on_digits.py
"""

import torch

from course_utils import bounds, data, losses, metrics, train
from course_utils.models.vae import ConvolutionalVAE, DenseVAE

WIDTHS = (2, 5, 10, 20, 40)
SEEDS = range(5)
EPOCHS, LR, DRAWS = 12, 2e-3, 100  # those of lesson 07


def loss(model, x):
    return losses.negative_elbo(*model(x), x)[0]


def row(name: str, latent_dim: int, seed: int) -> dict:
    """Held-out bounds in nats, KL on the training pictures in nats, shares that pass the judges of lesson 03."""
    torch.manual_seed(seed)
    images, binary = data.digits(), data.binarized("digits")
    judges = metrics.Judges(images, seed)
    model = {"dense": DenseVAE, "convolutional": ConvolutionalVAE}[name](latent_dim)
    train.fit(model, binary.x_train, loss, epochs=EPOCHS, lr=LR, seed=seed, label=f"{name} {latent_dim}")
    log_w = bounds.of_vae(model, binary.x_test, DRAWS)
    with torch.no_grad():
        kl = losses.gaussian_kl(*model.encode(binary.x_train)).mean()
        from_prior = judges.share(model.decoder(torch.randn(1000, latent_dim)).sigmoid())
    values = {
        "elbo": bounds.elbo(log_w).mean(),
        "iwae": bounds.iwae(log_w).mean(),
        "kl": kl,
        "passing": from_prior,
    }
    return {"model": name, "latent_dim": latent_dim, "seed": seed} | {k: f"{float(v):.4g}" for k, v in values.items()}


if __name__ == "__main__":
    cases = [("dense", width) for width in WIDTHS] + [("convolutional", 20)]
    rows = [row(name, width, seed) for name, width in cases for seed in SEEDS]
    data.tables.write(__file__, rows)

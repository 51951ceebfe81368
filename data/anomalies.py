"""Make anomalies.csv: how well scores find the digits of a class that was held out. Takes three minutes on one core.

Run from anywhere: python data/anomalies.py
"""

import torch

from course_utils import bounds, data, losses, metrics, train
from course_utils.models.vae import DenseVAE

SEEDS = range(3)
EPOCHS, LR, DRAWS, DIRECTIONS = 12, 2e-3, 20, 20  # those of lesson 11


def loss(model, x):
    return losses.negative_elbo(*model(x), x)[0]


@torch.no_grad()
def scores(model, x, x_train):
    """A score of each picture by the name of the way in which it is found; higher is more suspicious."""
    mu, mu_train = model.encode(x)[0], model.encode(x_train)[0]
    mean, directions = metrics.principal_subspace(x_train.flatten(1), DIRECTIONS)
    in_plane, in_plane_train = ((one.flatten(1) - mean) @ directions.T for one in (x, x_train))
    return {
        "bound": -bounds.elbo(bounds.of_vae(model, x, DRAWS)),
        "reconstruction": losses.bernoulli_nll(model.decoder(mu), x),
        "pca": losses.squared_error(in_plane @ directions + mean, x.flatten(1)),
        "pixels": metrics.nearest_distance(x, x_train),
        "codes": metrics.nearest_distance(mu, mu_train),
        "pca_codes": metrics.nearest_distance(in_plane, in_plane_train),
    }


def row(held_out: int, seed: int) -> dict:
    """AUC of held-out pictures of the class against held-out pictures of the nine others, for every score."""
    torch.manual_seed(seed)
    binary = data.binarized("digits")
    x_train, anomalous = binary.x_train[binary.y_train != held_out], binary.y_test == held_out
    model = DenseVAE(latent_dim=20)
    train.fit(model, x_train, loss, epochs=EPOCHS, lr=LR, seed=seed, label=f"without {held_out}")
    found = scores(model, binary.x_test, x_train)
    aucs = {name: f"{metrics.auc(s[anomalous], s[~anomalous]):.3f}" for name, s in found.items()}
    return {"held_out": held_out, "seed": seed} | aucs


if __name__ == "__main__":
    rows = [row(held_out, seed) for held_out in range(10) for seed in SEEDS]
    data.tables.write(__file__, rows)

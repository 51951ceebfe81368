"""Make augmentation.csv: what more pictures of fifty labeled digits are worth to a classifier. Two minutes on one core.

Run from anywhere: python data/augmentation.py
"""

import torch
from torch import nn
from torch.nn import functional

from course_utils import data, losses, train
from course_utils.models.vae import DenseVAE, reparameterize

SEEDS = range(10)
EACH, COPIES = 5, 4  # labeled originals of each class, and further pictures of each original


def loss(model, x):
    return losses.negative_elbo(*model(x), x)[0]


def loss_of_new_coins(model, x):
    return loss(model, (torch.rand_like(x) < x).float())


def named(model, x, y):
    return functional.cross_entropy(model(x), y, reduction="none")


@torch.no_grad()
def draws(model, x):
    """Pictures of one draw of each picture's posterior."""
    return model.decoder(reparameterize(*model.encode((torch.rand_like(x) < x).float()))).sigmoid()


def moved(x):
    """Every picture two pixels to the left, to the right, up and down."""
    return torch.cat([x.roll(by, axis) for by in (-2, 2) for axis in (2, 3)])


def row(seed: int) -> list[dict]:
    """Share of held-out digits that is named rightly, as they are and moved, for each way to get more pictures."""
    torch.manual_seed(seed)
    images, binary = data.digits(), data.binarized("digits")
    order = torch.randperm(1437)
    y = images.y_train[:1437]
    chosen = torch.cat([order[y[order] == label][:EACH] for label in range(10)])
    x, y = images.x_train[chosen], y[chosen]
    originals = images.original_train[chosen]
    copies = [(images.original_train == one).nonzero()[1 : 1 + COPIES, 0] for one in originals]
    every, these = DenseVAE(latent_dim=20), DenseVAE(latent_dim=20)
    train.fit(every, binary.x_train, loss, epochs=12, lr=2e-3, seed=seed, label="all pictures")
    train.fit(these, x, loss_of_new_coins, epochs=400, batch_size=50, lr=2e-3, seed=seed, label="fifty pictures")
    ways = {
        "alone": x.repeat(COPIES, 1, 1, 1),
        "turned and moved": torch.cat([images.x_train[torch.stack(copies)[:, i]] for i in range(COPIES)]),
        "VAE of the fifty": torch.cat([draws(these, x) for _ in range(COPIES)]),
        "VAE of all 8,000": torch.cat([draws(every, x) for _ in range(COPIES)]),
    }
    rows = []
    for way, more in ways.items():
        torch.manual_seed(seed)  # the same start for each
        classifier = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
        x_all, y_all = torch.cat([x, more]), y.repeat(1 + COPIES)
        train.fit(classifier, x_all, named, y_all, epochs=80, batch_size=50, seed=seed, label=way)
        tests = {"as written": (images.x_test, images.y_test), "moved": (moved(images.x_test), images.y_test.repeat(4))}
        with torch.no_grad():
            shares = {name: (classifier(a).argmax(1) == b).double().mean() for name, (a, b) in tests.items()}
        rows.append({"seed": seed, "way": way} | {name: f"{share:.4f}" for name, share in shares.items()})
    return rows


if __name__ == "__main__":
    rows = [one for seed in SEEDS for one in row(seed)]
    data.tables.write(__file__, rows)

"""Make few_labels.csv: held-out accuracy with 10 and 50 labeled originals, ten seeds each; six minutes on one core.

Run from anywhere: python data/few_labels.py
With the word choose behind it, it compares settings of M2 on originals of the training part, and writes nothing.
"""

import sys
from dataclasses import replace

import numpy as np
import torch
from sklearn.semi_supervised import LabelSpreading
from torch.nn import functional

from course_utils import data, train
from course_utils.models import conditional

SEEDS = range(10)
CHOSEN = {"weight": 20, "latent_dim": 2, "epochs": 16}
OTHERS = [{"weight": 5}, {"weight": 80}, {"latent_dim": 4}, {"latent_dim": 8}, {"epochs": 8}]


def drawn(x):
    return (torch.rand_like(x) < x).float()


def accuracy(labels, y) -> str:
    return f"{float((torch.as_tensor(labels) == y).float().mean()):.4f}"


def halved(x):
    return functional.avg_pool2d(x, 2)


def train_m2(model, x_train, x_known, y_known, seed, weight, epochs):
    """Train M2 as lesson 10 does."""

    def loss(model, x):
        i = torch.randint(len(x_known), (len(x),))
        x, x_i, y_i = drawn(x), drawn(x_known[i]), y_known[i]
        unlabeled = conditional.unlabeled_loss(conditional.loss_by_label(model.vae, x), model(x))
        labeled = conditional.labeled_loss(*model.vae(x_i, conditional.one_hot(y_i)), x_i)
        naming = functional.cross_entropy(model(x_i), y_i, reduction="none")
        return unlabeled + len(x_known) / len(x_train) * labeled + weight * naming

    train.fit(model, x_train, loss, epochs=epochs, batch_size=64, lr=4e-3, seed=seed, label="M2")


def row(each: int, seed: int) -> dict:
    """Each method gets the same labeled pictures, halved to 14x14: `each` originals a class, and their copies."""
    images = data.digits()
    x_train, x_test = halved(images.x_train), halved(images.x_test)
    known = data.few_labels(images, each, seed)
    x_known, y_known = x_train[known], images.y_train[known]

    def label_loss(model, x, y):
        return functional.cross_entropy(model(drawn(x)), y, reduction="none")

    torch.manual_seed(seed)
    alone, m2 = conditional.M2().classifier, conditional.M2(CHOSEN["latent_dim"])
    train.fit(alone, x_known, label_loss, y_known, epochs=200, batch_size=64, seed=seed, label="classifier")
    train_m2(m2, x_train, x_known, y_known, seed, CHOSEN["weight"], CHOSEN["epochs"])
    partly = np.where(known.numpy(), images.y_train.numpy(), -1)
    spreading = LabelSpreading(kernel="knn").fit(x_train.flatten(1).numpy(), partly)
    with torch.no_grad():
        answers = {
            "neighbor": y_known[torch.cdist(x_test.flatten(1), x_known.flatten(1)).argmin(1)],
            "classifier": alone(x_test).argmax(1),
            "spreading": spreading.predict(x_test.flatten(1).numpy()),
            "m2": m2(x_test).argmax(1),
            "m2_bayes": torch.stack([conditional.loss_by_label(m2.vae, x_test) for _ in range(20)]).mean(0).argmin(1),
        }
    return {"labels": 10 * each, "seed": seed} | {name: accuracy(y, images.y_test) for name, y in answers.items()}


def choose(seeds=range(100, 110)) -> None:
    """Print how M2 names 290 originals that were set aside from the training part, setting by setting."""
    images = data.digits()
    aside = data.few_labels(images, each=29, seed=1000)
    is_original = torch.arange(len(aside)) < len(images.original_train.unique())
    x, y = halved(images.x_train[aside & is_original]), images.y_train[aside & is_original]
    rest = replace(images, **{name: getattr(images, name)[~aside] for name in ("x_train", "y_train", "original_train")})
    x_train = halved(rest.x_train)
    for change in [{}, *OTHERS]:
        setting, shares = CHOSEN | change, []
        for seed in seeds:
            known = data.few_labels(rest, 1, seed)
            torch.manual_seed(seed)
            model = conditional.M2(setting["latent_dim"])
            train_m2(model, x_train, x_train[known], rest.y_train[known], seed, setting["weight"], setting["epochs"])
            with torch.no_grad():
                shares.append(accuracy(model(x).argmax(1), y))
        print(setting, *shares, f"mean {np.mean([float(share) for share in shares]):.3f}", flush=True)


if __name__ == "__main__" and sys.argv[1:] == ["choose"]:
    choose()
elif __name__ == "__main__":
    rows = [row(each, seed) for each in (1, 5) for seed in SEEDS]
    data.tables.write(__file__, rows)

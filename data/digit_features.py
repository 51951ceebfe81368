"""Make digit_features.pt: train the feature network of lesson 17 as a classifier of digits, and print how good it is.

Run from anywhere: python data/digit_features.py; half a minute on one core.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from course_utils import data, train
from course_utils.models.features import DigitFeatures

EPOCHS = 20


def cross_entropy(network: DigitFeatures, x: Tensor, y: Tensor) -> Tensor:
    return functional.cross_entropy(network.logits(x), y, reduction="none")


@torch.no_grad()
def settle(network: DigitFeatures, x: Tensor) -> None:
    """Give each feature mean 0 and variance 1 over the pictures x: exactly, where training leaves running means."""
    before = network.layers[:-1](x)
    network.layers[-1].running_mean.copy_(before.mean(0))
    network.layers[-1].running_var.copy_(before.var(0))


if __name__ == "__main__":
    torch.manual_seed(0)
    images, network = data.digits(), DigitFeatures()
    train.fit(network, images.x_train, cross_entropy, images.y_train, epochs=EPOCHS, batch_size=64, seed=0)
    settle(network, images.x_train)
    with torch.no_grad():
        right = (network.logits(images.x_test).argmax(1) == images.y_test).float().mean()
    print(f"held-out accuracy {right:.3f}")
    state = {name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()}
    torch.save(state, Path(__file__).with_suffix(".pt"))

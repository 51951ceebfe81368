"""The pictures handed out as most tutorials do it, for the rows of `make bench` that compare with that."""

from collections.abc import Callable

import torch
from torch.utils.data import DataLoader

from course_utils.data.torchvision_ops import import_torchvision


def usual_loader(x: torch.Tensor, y: torch.Tensor, batch_size: int, *further: Callable) -> DataLoader:
    """As torchvision's MNIST does it: each a PIL picture, then ToTensor and the `further` transforms, then collated."""
    torchvision = import_torchvision()
    mnist = object.__new__(torchvision.datasets.MNIST)  # without its __init__, which looks for files
    mnist.data, mnist.targets = (x[:, 0] * 255).byte(), y
    transforms = [torchvision.transforms.ToTensor(), *further]
    mnist.transform = torchvision.transforms.Compose(transforms) if further else transforms[0]
    mnist.target_transform = None
    return DataLoader(mnist, batch_size, shuffle=True)

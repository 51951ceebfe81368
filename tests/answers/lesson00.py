"""Wrong and right answers to the exercise of lesson 00."""

import numpy as np
import torch
from torch import distributions
from torch.nn import functional

from tests.answers import right, wrong


@wrong("0.1", "sum-over-batch")
def _(x_hat, x):
    return 0.5 * ((x_hat - x) ** 2).sum()


@wrong("0.1", "mean-over-all")
def _(x_hat, x):
    return functional.mse_loss(x_hat, x)


@wrong("0.1", "mean-over-pixels")
def _(x_hat, x):
    return 0.5 * ((x_hat - x) ** 2).mean((1, 2, 3))


@wrong("0.1", "mean-over-batch")
def _(x_hat, x):
    return 0.5 * ((x_hat - x) ** 2).sum((1, 2, 3)).mean()


@wrong("0.1", "no-half")
def _(x_hat, x):
    return ((x_hat - x) ** 2).sum((1, 2, 3))


@wrong("0.1", "root")
def _(x_hat, x):
    return (x_hat - x).flatten(1).norm(dim=1)


@wrong("0.1", "root")
def _(x_hat, x):
    return 0.5 * (x_hat - x).flatten(1).norm(dim=1)


@wrong("0.1", "nothing")
def _(x_hat, x):
    0.5 * ((x_hat - x) ** 2).sum((1, 2, 3))


@wrong("0.1", "absolute")
def _(x_hat, x):
    return (x_hat - x).abs().sum((1, 2, 3))


@wrong("0.1", "one-axis")
def _(x_hat, x):
    return 0.5 * ((x_hat - x) ** 2).sum(-1)


@wrong("0.1", "not-squared")
def _(x_hat, x):
    return 0.5 * (x_hat - x).sum((1, 2, 3))


@wrong("0.1", "no-gradient")
def _(x_hat, x):
    return torch.tensor([0.5 * float(((a - b) ** 2).sum()) for a, b in zip(x_hat, x, strict=True)])


@wrong("0.1", "stopped")
def _(x_hat, x):
    return 0.5 * ((x_hat.numpy() - x.detach().numpy()) ** 2).undefined


@right("0.1")
def _(x_hat, x):
    return (functional.mse_loss(x_hat, x, reduction="none") / 2).sum(dim=(1, 2, 3))


@right("0.1")
def _(x_hat, x):
    constant = 0.5 * np.log(2 * np.pi)
    return (-distributions.Normal(x_hat, 1.0).log_prob(x) - constant).flatten(1).sum(1)


@right("0.1")
def _(x_hat, x):
    difference = (x_hat - x).reshape(len(x), -1).double()
    return torch.stack([row @ row / 2 for row in difference])

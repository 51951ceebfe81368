"""Conditional VAEs: whatever is known of a picture, its label or a part of it, stands beside x and beside z.

M2 adds a classifier, so that pictures with and without a label can be learned from together.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from course_utils import losses
from course_utils.models.vae import reparameterize


class ConditionalVAE(nn.Module):
    """q(z|x, c) = N(mu, diag sigma^2), p(z) = N(0, I) whatever c is, p(x|z, c) Bernoulli by logits; `side`^2 pixels.

    The condition c is a row of numbers: a one-hot label, or the pixels that are seen. Sohn, Lee & Yan (2015).
    """

    def __init__(self, latent_dim: int = 8, condition_dim: int = 10, hidden_dim: int = 400, side: int = 28):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(side**2 + condition_dim, hidden_dim), nn.ReLU())
        self.mu = nn.Linear(hidden_dim, latent_dim)
        self.logvar = nn.Linear(hidden_dim, latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim + condition_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, side**2),
            nn.Unflatten(1, (1, side, side)),
        )

    def encode(self, x: Float[Tensor, "B 1 H W"], c: Float[Tensor, "B C"]) -> tuple[Tensor, Tensor]:
        hidden = self.hidden(torch.cat([x.flatten(1), c], dim=1))
        return self.mu(hidden), self.logvar(hidden)

    def decode(self, z: Float[Tensor, "B Z"], c: Float[Tensor, "B C"]) -> Float[Tensor, "B 1 H W"]:
        """Logits of the pictures."""
        return self.decoder(torch.cat([z, c], dim=1))

    def forward(self, x: Float[Tensor, "B 1 H W"], c: Float[Tensor, "B C"]) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of a reconstruction from one draw of the code, and the mu and logvar it was drawn from."""
        mu, logvar = self.encode(x, c)
        return self.decode(reparameterize(mu, logvar), c), mu, logvar


class M2(nn.Module):
    """A label y from 0 to `classes` - 1, all equally likely, a code z, and a picture p(x|y, z); a classifier q(y|x).

    Kingma, Rezende, Mohamed & Welling (2014), arXiv:1406.5298, model M2.
    """

    def __init__(self, latent_dim: int = 2, classes: int = 10, hidden_dim: int = 128, side: int = 14):
        super().__init__()
        self.vae = ConditionalVAE(latent_dim, classes, hidden_dim, side)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(side**2, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, classes)
        )

    def forward(self, x: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B K"]:
        """Logits of q(y|x)."""
        return self.classifier(x)


def one_hot(y: Int[Tensor, " B"], classes: int = 10) -> Float[Tensor, "B {classes}"]:
    """A row for each label: 1 at its place, 0 elsewhere."""
    return functional.one_hot(y, classes).float()


def with_every_label(z: Float[Tensor, "B Z"], classes: int) -> Float[Tensor, "_ _"]:
    """Each row of z with each one-hot label behind it, (B * classes, Z + classes); row b * classes + k has label k."""
    labels = torch.eye(classes).to(z).repeat(len(z), 1)
    return torch.cat([z.repeat_interleave(classes, dim=0), labels], dim=1)


def labeled_loss(
    x_logits: Float[Tensor, "B *D"],
    mu: Float[Tensor, "B Z"],
    logvar: Float[Tensor, "B Z"],
    x: Float[Tensor, "B *D"],
    classes: int = 10,
) -> Float[Tensor, " B"]:
    """Minus a bound on log p(x, y) in nats, when all labels are equally likely. Kingma et al. (2014), equation 6."""
    return losses.negative_elbo(x_logits, mu, logvar, x)[0] + math.log(classes)


def loss_by_label(
    model: ConditionalVAE, x: Float[Tensor, "B 1 H W"], classes: int = 10
) -> Float[Tensor, "B {classes}"]:
    """The labeled loss of each picture as it would be with each label, from one draw of the code for each."""
    x_rows = x.repeat_interleave(classes, dim=0)
    labels = torch.eye(classes).to(x).repeat(len(x), 1)
    return labeled_loss(*model(x_rows, labels), x_rows, classes).unflatten(0, (len(x), classes))


def label_posterior(loss: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
    """p(y|x) by Bayes' rule from the loss with each label, as if the losses were -log p(x, y) itself."""
    return (-loss).softmax(dim=1)


def unlabeled_loss(loss: Float[Tensor, "B K"], label_logits: Float[Tensor, "B K"]) -> Float[Tensor, " B"]:
    """Minus a bound on log p(x): the losses with each label weighted by q(y|x), less the entropy of q, in nats.

    Kingma et al. (2014), equation 7. Least where q is `label_posterior(loss)`.
    """
    log_q = label_logits.log_softmax(dim=1)
    return (log_q.exp() * (loss + log_q)).sum(dim=1)


def fill_from_neighbors(
    x: Float[Tensor, "B 1 H W"], x_train: Float[Tensor, "N 1 H W"], seen: Bool[Tensor, "H W"], count: int
) -> Float[Tensor, "B 1 H W"]:
    """x where it is seen; elsewhere the mean of the `count` training pictures nearest to x in the pixels seen."""
    distances = torch.cdist(x[:, 0, seen], x_train[:, 0, seen])
    nearest = distances.topk(count, dim=1, largest=False).indices
    return torch.where(seen, x, x_train[nearest].mean(1))

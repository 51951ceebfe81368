"""Numbers that judge a model: each states its range and which way is better."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from course_utils import train
from course_utils.data import Images


def principal_subspace(x: Float[Tensor, "N D"], latent_dim: int) -> tuple[Float[Tensor, " D"], Float[Tensor, "Z D"]]:
    """Mean of the rows of x, and `latent_dim` orthonormal rows along which x varies most, the largest first (PCA).

    Pearson (1901), doi:10.1080/14786440109462720.
    """
    mean = x.mean(0)
    _, _, directions = torch.linalg.svd(x - mean, full_matrices=False)
    return mean, directions[:latent_dim]


def largest_angle(a: Float[Tensor, "Z D"], b: Float[Tensor, "Z D"]) -> float:
    """Largest principal angle between the spans of the rows of a and of b, in degrees; 0 when they are the same.

    Björck & Golub (1973), doi:10.1090/S0025-5718-1973-0348991-3.
    """
    q_a = torch.linalg.qr(a.T).Q
    q_b = torch.linalg.qr(b.T).Q
    cosines = torch.linalg.svdvals(q_a.T @ q_b).clamp(max=1.0)
    return cosines.min().acos().rad2deg().item()


def explained_share(x: Float[Tensor, "N *D"], x_hat: Float[Tensor, "N *D"]) -> float:
    """1 - squared error of x_hat / squared error of the mean image; 1 is perfect, 0 no better than the mean image."""
    error = (x - x_hat).square().sum()
    return (1 - error / (x - x.mean(0)).square().sum()).item()


def stride_energy(x: Float[Tensor, "B C H W"], stride: int) -> Float[Tensor, " B"]:
    """Share of an image's energy away from its mean that lies at the frequencies of a grid of `stride` pixels, 0 to 1.

    H and W are multiples of `stride`. The same as the share of the pixels' variance that lies between the means of
    the stride^2 places a pixel can have in the grid (Parseval).
    """
    H, W = x.shape[-2:]
    energy = torch.fft.fft2(x - x.mean((-2, -1), keepdim=True)).abs().square().sum(1)
    return energy[:, :: H // stride, :: W // stride].sum((1, 2)) / energy.sum((1, 2))


def nearest_distance(x: Float[Tensor, "B *D"], x_train: Float[Tensor, "N *D"]) -> Float[Tensor, " B"]:
    """Euclidean distance of each image to the nearest of the images x_train; 0 for a copy. Blur makes it smaller."""
    # A thousand images at a time: the whole table of distances would not fit into memory for large sets.
    parts = x.flatten(1).split(1000)
    return torch.cat([torch.cdist(part, x_train.flatten(1)).min(1).values for part in parts])


def effective_beta(values: Float[Tensor, " T"], error: Float[Tensor, "T B D"], kl: Float[Tensor, "T B Z"]) -> float:
    """Weight of the summed KL against the summed error in a loss that had these values in T runs, T >= 3.

    In nats, `error` is -log p of each pixel, `kl` the KL of each latent. The loss is linear in both, with any constant.
    """
    columns = [error.sum(2).mean(1), kl.sum(2).mean(1), torch.ones(len(values))]
    columns, values = torch.stack([column.cpu().double() for column in columns], 1), values.cpu().double()
    of_error, of_kl, _ = torch.linalg.lstsq(columns, values[:, None]).solution[:, 0].tolist()
    return of_kl / of_error


class Judges:
    """The two judges of lesson 03: distance to the nearest training picture, and a linear classifier's confidence.

    A picture passes if it meets both limits; each limit is set so that nine of ten held-out pictures meet it.
    """

    def __init__(self, images: Images, seed: int = 0):
        self.x_train = images.x_train
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(images.x_train[0].numel(), 10))

        def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
            return functional.cross_entropy(model(x), y, reduction="none")

        train.fit(self.classifier, images.x_train, loss, images.y_train, epochs=10, seed=seed, label="classifier")
        distance, confidence = self.readings(images.x_test)
        self.limits = distance.quantile(0.9), confidence.quantile(0.1)

    @torch.no_grad()
    def readings(self, x: Float[Tensor, "B 1 H W"]) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
        """Distance and confidence of each picture."""
        return nearest_distance(x, self.x_train), self.classifier(x).softmax(1).amax(1)

    @torch.no_grad()
    def labels(self, x: Float[Tensor, "B 1 H W"]) -> Int[Tensor, " B"]:
        """The label that the classifier gives each picture."""
        return self.classifier(x).argmax(1)

    def passes(self, x: Float[Tensor, "B 1 H W"]) -> Bool[Tensor, " B"]:
        distance, confidence = self.readings(x)
        return (distance <= self.limits[0]) & (confidence >= self.limits[1])

    def share(self, x: Float[Tensor, "B 1 H W"]) -> float:
        """The share of pictures that pass, 0 to 1."""
        return self.passes(x).float().mean().item()

"""Generative adversarial networks: a generator maps codes of N(0, I) to samples, a discriminator samples to one logit.

D = sigmoid(logit) is the probability, as the discriminator sees it, that a sample is real.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrizations


class PointGenerator(nn.Module):
    """Codes z to points of the plane, through two hidden layers.

    Goodfellow et al. (2014), arXiv:1406.2661.
    """

    def __init__(self, latent_dim: int = 2, hidden_dim: int = 64):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = _layers(latent_dim, hidden_dim, 2)

    def forward(self, z: Float[Tensor, "B Z"]) -> Float[Tensor, "B 2"]:
        return self.layers(z)


class PointDiscriminator(nn.Module):
    """Points of the plane (of `dim` coordinates) to one logit each, through two hidden layers.

    Goodfellow et al. (2014), arXiv:1406.2661.
    """

    def __init__(self, hidden_dim: int = 64, dim: int = 2):
        super().__init__()
        self.layers = _layers(dim, hidden_dim, 1)

    def forward(self, x: Float[Tensor, "B D"]) -> Float[Tensor, " B"]:
        return self.layers(x)[:, 0]


def _layers(wide_in: int, hidden_dim: int, wide_out: int) -> nn.Sequential:
    # Leaky, so that every sample leaves a slope behind for the generator to follow (Radford et al. 2016).
    return nn.Sequential(
        nn.Linear(wide_in, hidden_dim),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden_dim, hidden_dim),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden_dim, wide_out),
    )


def optimal_logits(log_p: Float[Tensor, "*B"], log_q: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """Logits of the best discriminator, D* = p / (p + q), given log-densities of data p and of fakes q.

    Goodfellow et al. (2014), arXiv:1406.2661, proposition 1.
    """
    return log_p - log_q


@torch.no_grad()
def surface(discriminator: nn.Module, reach: float = 2.5, size: int = 64) -> Float[Tensor, "size size"]:
    """D on a grid of the plane from -reach to reach; the first row is the top, as in a picture."""
    place = next(discriminator.parameters()).new_tensor(range(size)).add(0.5).div(size).mul(2).sub(1).mul(reach)
    y, x = torch.meshgrid(place.flip(0), place, indexing="ij")
    return discriminator(torch.stack([x.flatten(), y.flatten()], 1)).sigmoid().view(size, size)


class DenseGenerator(nn.Module):
    """Codes z to pictures with pixels in [-1, 1], through three dense layers with batch normalization.

    Goodfellow et al. (2014), arXiv:1406.2661, with the tanh and the normalization of Radford et al. (2016).
    """

    def __init__(self, latent_dim: int = 100):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            *_normalized(latent_dim, 256),
            *_normalized(256, 512),
            *_normalized(512, 1024),
            nn.Linear(1024, 784),
            nn.Tanh(),
            nn.Unflatten(1, (1, 28, 28)),
        )

    def forward(self, z: Float[Tensor, "B Z"]) -> Float[Tensor, "B 1 28 28"]:
        return self.layers(z)


def _normalized(wide_in: int, wide_out: int) -> list[nn.Module]:
    return [nn.Linear(wide_in, wide_out), nn.BatchNorm1d(wide_out), nn.LeakyReLU(0.2)]


class SmallGenerator(nn.Module):
    """Codes z to pictures with pixels in [0, 1], through one dense layer and a sigmoid.

    Goodfellow et al. (2014), arXiv:1406.2661.
    """

    def __init__(self, latent_dim: int = 100, hidden_dim: int = 256):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, hidden_dim),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_dim, 784),
            nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)),
        )

    def forward(self, z: Float[Tensor, "B Z"]) -> Float[Tensor, "B 1 28 28"]:
        return self.layers(z)


class DenseDiscriminator(nn.Module):
    """Pictures to one logit each, through one dense layer.

    Goodfellow et al. (2014), arXiv:1406.2661.
    """

    def __init__(self, hidden_dim: int = 256):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(784, hidden_dim), nn.LeakyReLU(0.2), nn.Linear(hidden_dim, 1)
        )

    def forward(self, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, " B"]:
        return self.layers(x)[:, 0]


class ConvolutionalGenerator(nn.Module):
    """Codes z to pictures with pixels in [-1, 1], through images of 7x7 and 14x14, with batch normalization.

    Radford et al. (2016), arXiv:1511.06434, on a smaller scale and with a dense layer first. Up to 7x7 each unit is
    normalized on its own: over all places at once, a pattern common to all codes would drown what differs.
    """

    def __init__(self, latent_dim: int = 16, hidden_dim: int = 128, channels: int = 16):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            *_normalized(latent_dim, hidden_dim),
            *_normalized(hidden_dim, 2 * channels * 7 * 7),
            nn.Unflatten(1, (2 * channels, 7, 7)),
            nn.ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(channels, 1, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Float[Tensor, "B Z"]) -> Float[Tensor, "B 1 28 28"]:
        return self.layers(z)


class ConvolutionalDiscriminator(nn.Module):
    """Pictures to one logit each, halving them twice, with batch normalization: real and fake go through apart.

    Radford et al. (2016), arXiv:1511.06434, on a smaller scale and with a dense layer last.
    """

    def __init__(self, hidden_dim: int = 128, channels: int = 16):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, channels, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1),
            nn.BatchNorm2d(2 * channels),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * channels * 7 * 7, hidden_dim),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_dim, 1),
        )

    def features(self, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B F"]:
        """What the two dense layers of `verdict` see, and where a VAE-GAN measures its error."""
        return self.layers[:-3](x)

    def verdict(self, features: Float[Tensor, "B F"]) -> Float[Tensor, " B"]:
        return self.layers[-3:](features)[:, 0]

    def forward(self, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, " B"]:
        return self.verdict(self.features(x))


def without_normalization(model: nn.Module) -> nn.Module:
    """The model itself, with nothing where its batch normalization was."""
    model.layers = nn.Sequential(
        *(layer for layer in model.layers if not isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d))
    )
    return model


def smoothed_best(
    p: Float[Tensor, "*B"], q: Float[Tensor, "*B"], smoothing: float
) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"]]:
    """What the best discriminator answers under smoothed labels, for densities p of data and q of fakes.

    First with the label 1 - smoothing for real pictures alone, then with the label `smoothing` for fakes as well.
    Salimans et al. (2016), arXiv:1606.03498, section 3.4.
    """
    one_sided = (1 - smoothing) * p / (p + q)
    return one_sided, one_sided + smoothing * q / (p + q)


def rescale(x: Float[Tensor, "*B"], low: float, high: float, to_low: float, to_high: float) -> Float[Tensor, "*B"]:
    """Pixels of a scale from `low` to `high`, moved along a straight line to the scale from `to_low` to `to_high`."""
    return to_low + (to_high - to_low) * (x - low) / (high - low)


def slopes(critic: Callable[[Tensor], Tensor], x: Float[Tensor, "B *D"]) -> Float[Tensor, " B"]:
    """Length of the critic's gradient at each x, one number a sample; it can be differentiated again."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        # One sample's logit depends on no other sample, so the gradient of the sum holds each one's own.
        (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        return gradient.flatten(1).norm(dim=1)


def between(
    x_real: Float[Tensor, "B *D"], x_fake: Float[Tensor, "B *D"], share: Float[Tensor, " B"] | None = None
) -> Float[Tensor, "B *D"]:
    """A place on the line from each fake to its real sample, at `share` of the way; by default anywhere, evenly."""
    share = torch.rand(len(x_real), device=x_real.device) if share is None else share
    share = share.view(-1, *[1] * (x_real.ndim - 1))
    return share * x_real + (1 - share) * x_fake


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    x_real: Float[Tensor, "B *D"],
    x_fake: Float[Tensor, "B *D"],
    share: Float[Tensor, " B"] | None = None,
) -> Float[Tensor, " B"]:
    """(slope - 1)^2 of the critic at a place between each real sample and its fake.

    Gulrajani et al. (2017), arXiv:1704.00028, equation 3; its weight is 10 there.
    """
    return (slopes(critic, between(x_real, x_fake, share)) - 1).square()


@torch.no_grad()
def clip_weights(critic: nn.Module, limit: float) -> None:
    """Bring every weight of the critic into [-limit, limit], in place.

    Arjovsky, Chintala & Bottou (2017), arXiv:1701.07875, algorithm 1; its limit is 0.01 there.
    """
    for weights in critic.parameters():
        weights.clamp_(-limit, limit)


def spectrally_normed(critic: nn.Module) -> nn.Module:
    """The critic itself, each linear layer divided by its matrix's largest stretch from now on: its slope is at most 1.

    Miyato et al. (2018), arXiv:1802.05957. The stretch follows the matrix by one power iteration a forward pass.
    """
    for layer in critic.modules():
        if isinstance(layer, nn.Linear):
            parametrizations.spectral_norm(layer)
    return critic


def largest_stretch(weight: Float[Tensor, "M N"], u: Float[Tensor, " M"], steps: int) -> Float[Tensor, ""]:
    """How much the matrix lengthens a vector at most, its largest singular value, by power iteration from u.

    `steps` are 1 or more. Miyato et al. (2018), arXiv:1802.05957, appendix A.
    """
    for _ in range(steps):
        v = weight.T @ u
        v = v / v.norm()
        u = weight @ v
        u = u / u.norm()
    return (weight @ v).norm()


def beside(x: Float[Tensor, "B *D"], c: Float[Tensor, "B K"]) -> Float[Tensor, "B _"]:
    """Each sample as a row of numbers, its condition c, such as a one-hot label, in the last columns."""
    return torch.cat([x.flatten(1), c], dim=1)


class ConditionalGenerator(nn.Module):
    """A code z beside a condition c, a row of numbers, to a picture of `side`^2 pixels in [0, 1].

    Mirza & Osindero (2014), arXiv:1411.1784.
    """

    def __init__(self, latent_dim: int = 32, condition_dim: int = 10, hidden_dim: int = 256, side: int = 14):
        super().__init__()
        self.latent_dim, self.side = latent_dim, side
        self.layers = _layers(latent_dim + condition_dim, hidden_dim, side**2)

    def forward(self, z: Float[Tensor, "B Z"], c: Float[Tensor, "B K"]) -> Float[Tensor, "B 1 H W"]:
        return self.layers(beside(z, c)).sigmoid().view(-1, 1, self.side, self.side)


class ConditionalDiscriminator(nn.Module):
    """A picture of `side`^2 pixels beside a condition c to one logit.

    Mirza & Osindero (2014), arXiv:1411.1784.
    """

    def __init__(self, condition_dim: int = 10, hidden_dim: int = 256, side: int = 14):
        super().__init__()
        self.layers = _layers(side**2 + condition_dim, hidden_dim, 1)

    def forward(self, x: Float[Tensor, "B 1 H W"], c: Float[Tensor, "B K"]) -> Float[Tensor, " B"]:
        return self.layers(beside(x, c))[:, 0]

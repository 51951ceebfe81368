"""Wrong and right answers to the exercises and the task of lesson 03."""

import numpy as np
import torch
from scipy.spatial.distance import cdist
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors
from torch import distributions

from tests.answers import right, wrong


def _line(z_a, z_b, t):
    return z_a + t[:, None] * (z_b - z_a)


@wrong("3.1", "no-column")
def _(z_a, z_b, steps):
    t = torch.linspace(0, 1, steps)
    return (1 - t) * z_a + t * z_b


@wrong("3.1", "last-missing")
def _(z_a, z_b, steps):
    return _line(z_a, z_b, torch.arange(0, 1, 1 / steps)[:steps])


@wrong("3.1", "ends-missing")
def _(z_a, z_b, steps):
    return _line(z_a, z_b, torch.arange(1, steps + 1) / (steps + 1))


@wrong("3.1", "one-too-many")
def _(z_a, z_b, steps):
    return _line(z_a, z_b, torch.linspace(0, 1, steps + 1))


@wrong("3.1", "backwards")
def _(z_a, z_b, steps):
    return _line(z_b, z_a, torch.linspace(0, 1, steps))


@wrong("3.1", "transposed")
def _(z_a, z_b, steps):
    return _line(z_a, z_b, torch.linspace(0, 1, steps)).T


@wrong("3.1", "no-way-out")
def _(z_a, z_b, steps):
    return torch.stack([z_a + t * z_b for t in torch.linspace(0, 1, steps)])


@wrong("3.1", "difference-only")
def _(z_a, z_b, steps):
    return torch.outer(torch.linspace(0, 1, steps), z_b - z_a)


@wrong("3.1", "curved")
def _(z_a, z_b, steps):
    angle = torch.acos(z_a @ z_b / z_a.norm() / z_b.norm())
    t = torch.linspace(0, 1, steps)[:, None]
    return (torch.sin((1 - t) * angle) * z_a + torch.sin(t * angle) * z_b) / torch.sin(angle)


@wrong("3.1", "uneven")
def _(z_a, z_b, steps):
    return _line(z_a, z_b, torch.linspace(0, 1, steps) ** 2)


@right("3.1")
def _(z_a, z_b, steps):
    return torch.stack([torch.lerp(z_a, z_b, float(t)) for t in np.linspace(0, 1, steps)])


@right("3.1")
def _(z_a, z_b, steps):
    return np.linspace(z_a.numpy(), z_b.numpy(), steps)


@right("3.1")
def _(z_a, z_b, steps):
    return [z_b * i / (steps - 1) + z_a * (1 - i / (steps - 1)) for i in range(steps)]


def _table(x, x_train):
    return torch.cdist(x.flatten(1), x_train.flatten(1))


@wrong("3.2", "values-and-places")
def _(x, x_train):
    return torch.cdist(x.flatten(1), x_train.flatten(1)).min(1)


@wrong("3.2", "not-flattened")
def _(x, x_train):
    return torch.cdist(x, x_train).min(1).values


@wrong("3.2", "squared")
def _(x, x_train):
    return _table(x, x_train).square().min(1).values


@wrong("3.2", "squared")
def _(x, x_train):
    return 0.5 * _table(x, x_train).square().min(1).values


@wrong("3.2", "per-pixel")
def _(x, x_train):
    return torch.stack([(row - x_train).square().mean((1, 2, 3)).sqrt().min() for row in x])


@wrong("3.2", "absolute")
def _(x, x_train):
    return torch.cdist(x.flatten(1), x_train.flatten(1), p=1).min(1).values


@wrong("3.2", "mean-distance")
def _(x, x_train):
    return _table(x, x_train).mean(1)


@wrong("3.2", "wrong-axis")
def _(x, x_train):
    return _table(x, x_train).min(0).values


@wrong("3.2", "one-number")
def _(x, x_train):
    return _table(x, x_train).min()


@wrong("3.2", "whole-table")
def _(x, x_train):
    return _table(x, x_train)


@wrong("3.2", "index")
def _(x, x_train):
    return _table(x, x_train).min(1).indices


@wrong("3.2", "mean-image")
def _(x, x_train):
    return (x - x_train.mean(0)).flatten(1).norm(dim=1)


@wrong("3.2", "nan")
def _(x, x_train):
    a, b = x.flatten(1), x_train.flatten(1)
    square = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
    return square.min(1).values.sqrt()


@wrong("3.2", "copies-skipped")
def _(x, x_train):
    return torch.cdist(x.flatten(1), x_train.flatten(1), compute_mode="donot_use_mm_for_euclid_dist").masked_fill_(
        torch.eye(len(x), len(x_train)).bool() & (len(x) == len(x_train)), torch.inf
    ).min(1).values  # fmt: skip


@right("3.2")
def _(x, x_train):
    return NearestNeighbors(n_neighbors=1).fit(x_train.flatten(1).numpy()).kneighbors(x.flatten(1).numpy())[0][:, 0]


@right("3.2")
def _(x, x_train):
    return [min((one - other).norm() for other in x_train) for one in x]


@right("3.2")
def _(x, x_train):
    return cdist(x.flatten(1).double().numpy(), x_train.flatten(1).double().numpy()).min(axis=1)


def _lower(z):
    return torch.linalg.cholesky(torch.cov(z.T))


@wrong("3.3", "covariance-of-rows")
def _(z, count):
    return z.mean(0) + torch.randn(count, z.shape[1]) @ torch.linalg.cholesky(torch.cov(z)).T


@wrong("3.3", "transposed")
def _(z, count):
    return (z.mean(0) + torch.randn(count, z.shape[1]) @ _lower(z).T).T


@wrong("3.3", "wrong-shape")
def _(z, count):
    return z.mean(0) + _lower(z) @ torch.randn(z.shape[1])


@wrong("3.3", "copies")
def _(z, count):
    return z[torch.randint(len(z), (count,))]


@wrong("3.3", "no-spread")
def _(z, count):
    return (z.mean(0) + _lower(z) @ torch.randn(z.shape[1])).expand(count, -1)


@wrong("3.3", "same-again")
def _(z, count):
    torch.manual_seed(0)
    return z.mean(0) + torch.randn(count, z.shape[1]) @ _lower(z).T


@wrong("3.3", "box")
def _(z, count):
    low, high = z.min(0).values, z.max(0).values
    return low + (high - low) * torch.rand(count, z.shape[1])


@wrong("3.3", "no-mean")
def _(z, count):
    return torch.randn(count, z.shape[1]) @ _lower(z).T


@wrong("3.3", "unit")
def _(z, count):
    return z.mean(0) + torch.randn(count, z.shape[1])


@wrong("3.3", "independent")
def _(z, count):
    return z.mean(0) + z.std(0) * torch.randn(count, z.shape[1])


@wrong("3.3", "covariance-as-factor")
def _(z, count):
    return z.mean(0) + torch.randn(count, z.shape[1]) @ torch.cov(z.T)


@wrong("3.3", "variance-as-spread")
def _(z, count):
    return z.mean(0) + z.var(0) * torch.randn(count, z.shape[1])


@wrong("3.3", "factor-transposed")
def _(z, count):
    return z.mean(0) + torch.randn(count, z.shape[1]) @ _lower(z)


@wrong("3.3", "correlation")
def _(z, count):
    return z.mean(0) + torch.randn(count, z.shape[1]) @ torch.linalg.cholesky(torch.corrcoef(z.T)).T


@wrong("3.3", "not-gaussian")
def _(z, count):
    return z.mean(0) + (torch.rand(count, z.shape[1]) - 0.5) * 12**0.5 @ _lower(z).T


@right("3.3")
def _(z, count):
    return distributions.MultivariateNormal(z.mean(0), torch.cov(z.T)).sample((count,))


@right("3.3")
def _(z, count):
    return np.random.multivariate_normal(z.mean(0).numpy(), np.cov(z.numpy().T), size=count)


@right("3.3")
def _(z, count):
    values, vectors = torch.linalg.eigh(torch.cov(z.T).double())
    return z.mean(0) + torch.randn(count, z.shape[1]).double() * values.sqrt() @ vectors.T


@right("3.3")
def _(z, count):
    # Noise over the codes themselves: a Gaussian mixture of their deviations has their covariance.
    centered = z - z.mean(0)
    return z.mean(0) + torch.randn(count, len(z)) @ centered / len(z) ** 0.5


@right("3.3")
def _(z, count):
    return GaussianMixture(1, reg_covar=0).fit(z.numpy()).sample(count)[0]


@wrong("3.4", "swapped")
def _(x, sigma):
    return x, x + sigma * torch.randn_like(x)


@wrong("3.4", "noisy-target")
def _(x, sigma):
    noisy = x + sigma * torch.randn_like(x)
    return noisy, noisy


@wrong("3.4", "noisy-target")
def _(x, sigma):
    return x + sigma * torch.randn_like(x), x + sigma * torch.randn_like(x)


@wrong("3.4", "noisy-target")
def _(x, sigma):
    x += sigma * torch.randn_like(x)
    return x, x


@wrong("3.4", "no-noise")
def _(x, sigma):
    return x, x


@wrong("3.4", "clamped")
def _(x, sigma):
    return (x + sigma * torch.randn_like(x)).clamp(0, 1), x


@wrong("3.4", "one-an-image")
def _(x, sigma):
    return x + sigma * torch.randn(len(x), 1, 1, 1), x


@wrong("3.4", "same-for-all-images")
def _(x, sigma):
    return x + sigma * torch.randn(x.shape[1:]), x


@wrong("3.4", "same-for-all-images")
def _(x, sigma):
    return x + sigma * torch.randn(1), x


@wrong("3.4", "same-again")
def _(x, sigma):
    return x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0)), x


@wrong("3.4", "picture-faded")
def _(x, sigma):
    return (1 - sigma) * x + sigma * torch.randn_like(x), x


@wrong("3.4", "not-centered")
def _(x, sigma):
    return x + sigma * torch.rand_like(x), x


@wrong("3.4", "variance")
def _(x, sigma):
    return x + sigma**0.5 * torch.randn_like(x), x


@wrong("3.4", "squared")
def _(x, sigma):
    return x + sigma**2 * torch.randn_like(x), x


@wrong("3.4", "unit")
def _(x, sigma):
    return x + torch.randn_like(x), x


@wrong("3.4", "not-gaussian")
def _(x, sigma):
    return x + sigma * 3**0.5 * (2 * torch.rand_like(x) - 1), x


@wrong("3.4", "wrong-number")
def _(x, sigma):
    return x + sigma * torch.randn_like(x)


@right("3.4")
def _(x, sigma):
    return torch.normal(x, sigma), x


@right("3.4")
def _(x, sigma):
    return x.numpy() + np.random.normal(0, sigma, x.shape), x.numpy()


@right("3.4")
def _(x, sigma):
    return [distributions.Normal(x, sigma).sample(), x.clone()]


def _squares(x_noisy, x):
    return (x_noisy[:, None] - x).square().sum(2)


@wrong("3.5", "no-half")
def _(x_noisy, x, sigma):
    return torch.softmax(-_squares(x_noisy, x) / sigma**2, 1) @ x


@wrong("3.5", "sigma-not-squared")
def _(x_noisy, x, sigma):
    return torch.softmax(-_squares(x_noisy, x) / (2 * sigma), 1) @ x


@wrong("3.5", "sigma-left-out")
def _(x_noisy, x, sigma):
    return torch.softmax(-_squares(x_noisy, x) / 2, 1) @ x


@wrong("3.5", "distance-not-squared")
def _(x_noisy, x, sigma):
    return torch.softmax(-torch.cdist(x_noisy, x) / (2 * sigma**2), 1) @ x


@wrong("3.5", "nearest")
def _(x_noisy, x, sigma):
    return x[torch.cdist(x_noisy, x).argmin(1)]


@wrong("3.5", "plain-mean")
def _(x_noisy, x, sigma):
    return x.mean(0, keepdim=True).repeat(len(x_noisy), 1)


@wrong("3.5", "wrong-sign")
def _(x_noisy, x, sigma):
    return torch.softmax(_squares(x_noisy, x) / (2 * sigma**2), 1) @ x


@wrong("3.5", "wrong-axis")
def _(x_noisy, x, sigma):
    return torch.softmax(-_squares(x_noisy, x) / (2 * sigma**2), 0) @ x


@wrong("3.5", "not-normalized")
def _(x_noisy, x, sigma):
    return torch.exp(-_squares(x_noisy, x) / (2 * sigma**2)) @ x


@wrong("3.5", "by-coordinate")
def _(x_noisy, x, sigma):
    weight = torch.softmax(-(x_noisy[:, None] - x).square() / (2 * sigma**2), 1)
    return (weight * x).sum(1)


@wrong("3.5", "direction-only")
def _(x_noisy, x, sigma):
    return torch.softmax(-_squares(x_noisy, x) / (2 * sigma**2), 1) @ x - x_noisy


@wrong("3.5", "precedence")
def _(x_noisy, x, sigma):
    return torch.softmax(-_squares(x_noisy, x) / 2 * sigma**2, 1) @ x


@wrong("3.5", "wrong-value")
def _(x_noisy, x, sigma):
    weight = torch.exp(-_squares(x_noisy, x) / (2 * sigma**2))
    return (weight / weight.sum(1, keepdim=True)).nan_to_num() @ x


@wrong("3.5", "nan")
def _(x_noisy, x, sigma):
    weight = torch.exp(-_squares(x_noisy, x) / (2 * sigma**2))
    return weight @ x / weight.sum(1, keepdim=True)


@right("3.5")
def _(x_noisy, x, sigma):
    log_likelihood = distributions.Normal(x, sigma).log_prob(x_noisy[:, None]).sum(2)
    return (log_likelihood - log_likelihood.logsumexp(1, keepdim=True)).exp() @ x


@right("3.5")
def _(x_noisy, x, sigma):
    x_noisy = x_noisy.double().requires_grad_()
    log_density = (-_squares(x_noisy, x.double()) / (2 * sigma**2)).logsumexp(1)
    (slope,) = torch.autograd.grad(log_density.sum(), x_noisy)
    return x_noisy + sigma**2 * slope


@right("3.5")
def _(x_noisy, x, sigma):
    rows = []
    for row in x_noisy.double().numpy():
        square = ((row - x.double().numpy()) ** 2).sum(1)
        weight = np.exp((square.min() - square) / (2 * sigma**2))
        rows.append(weight @ x.double().numpy() / weight.sum())
    return np.stack(rows)


def _map(z, steps, spacing, low=None, high=None):
    low = z.min(0).values if low is None else low
    high = z.max(0).values if high is None else high
    sides = [torch.linspace(float(a), float(b), steps) for a, b in zip(low, high, strict=True)]
    places = torch.stack(torch.meshgrid(*sides, indexing="ij"), -1).reshape(-1, 2)
    return float(spacing), (torch.cdist(places, z).min(1).values > spacing).float().mean().item()


def _spacing(z):
    return torch.cdist(z, z).sort(1).values[:, 1].median()


@wrong("T3", "self-included")
def _(z, steps):
    return _map(z, steps, torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist").min(1).values.median())


@wrong("T3", "copies-dropped")
def _(z, steps):
    distances = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist")
    return _map(z, steps, distances.masked_fill(distances < 1e-6, torch.inf).min(1).values.median())


@wrong("T3", "all-pairs")
def _(z, steps):
    return _map(z, steps, torch.pdist(z).median())


@wrong("T3", "mean")
def _(z, steps):
    return _map(z, steps, torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist").sort(1).values[:, 1].mean())


@wrong("T3", "full-share")
def _(z, steps):
    spacing, share = _map(z, steps, _spacing(z))
    return spacing, 1 - share


@wrong("T3", "edges-missing")
def _(z, steps):
    low, high = z.min(0).values, z.max(0).values
    return _map(z, steps, _spacing(z), high=high - (high - low) / steps)


@wrong("T3", "square-box")
def _(z, steps):
    return _map(z, steps, _spacing(z), z.min().expand(2), z.max().expand(2))


@wrong("T3", "diagonal")
def _(z, steps):
    low, high = z.min(0).values, z.max(0).values
    places = low + (high - low) * torch.linspace(0, 1, steps)[:, None]
    return _spacing(z), (torch.cdist(places, z).min(1).values > _spacing(z)).float().mean()


@wrong("T3", "from-any-code")
def _(z, steps):
    low, high = z.min(0).values, z.max(0).values
    places = torch.cartesian_prod(*(torch.linspace(float(low[i]), float(high[i]), steps) for i in range(2)))
    return _spacing(z), (torch.cdist(places, z) > _spacing(z)).any(1).float().mean()


@wrong("T3", "count")
def _(z, steps):
    spacing, share = _map(z, steps, _spacing(z))
    return spacing, round(share * steps**2)


@right("T3")
def _(z, steps):
    return _map(z, steps, _spacing(z))


@right("T3")
def _(z, steps):
    z = z.numpy().astype(np.float64)
    near = NearestNeighbors().fit(z)
    spacing = np.median(near.kneighbors(n_neighbors=1)[0])
    sides = [np.linspace(*side, steps) for side in zip(z.min(0), z.max(0), strict=True)]
    places = np.array([[a, b] for a in sides[0] for b in sides[1]])
    return spacing, np.mean(near.kneighbors(places, 1)[0] > spacing)


@right("T3")
def _(z, steps):
    spacing = torch.stack([(z[i] - torch.cat([z[:i], z[i + 1 :]])).norm(dim=1).min() for i in range(len(z))]).median()
    low, high = z.min(0).values, z.max(0).values
    empty = 0
    for i in range(steps):
        for j in range(steps):
            place = low + (high - low) * torch.tensor([i, j]) / (steps - 1)
            empty += int((z - place).norm(dim=1).min() > spacing)
    return torch.stack([spacing, torch.tensor(empty / steps**2)])[:, None].unbind(0)

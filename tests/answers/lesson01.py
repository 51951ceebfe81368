"""Wrong and right answers to the exercises and the task of lesson 01."""

import numpy as np
import torch
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from torch import nn

from tests.answers import right, wrong


def _decoder(latent_dim, hidden_dim, *end, bend=nn.ReLU):
    return nn.Sequential(nn.Linear(latent_dim, hidden_dim), bend(), nn.Linear(hidden_dim, 784), *end)


def _picture():
    return nn.Unflatten(1, (1, 28, 28))


@wrong("1.1", "flat")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, hidden_dim, nn.Sigmoid())


@wrong("1.1", "no-channel")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, hidden_dim, nn.Sigmoid(), nn.Unflatten(1, (28, 28)))


@wrong("1.1", "no-sigmoid")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, hidden_dim, _picture())


@wrong("1.1", "tanh")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, hidden_dim, nn.Tanh(), _picture())


@wrong("1.1", "softmax")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, hidden_dim, nn.Softmax(1), _picture())


@wrong("1.1", "relu-before-sigmoid")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, hidden_dim, nn.ReLU(), nn.Sigmoid(), _picture())


@wrong("1.1", "clamped")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, hidden_dim, nn.Hardtanh(0, 1), _picture())


@wrong("1.1", "linear")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, hidden_dim, nn.Sigmoid(), _picture(), bend=nn.Identity)


@wrong("1.1", "fixed-width")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, 400, nn.Sigmoid(), _picture())


@wrong("1.1", "wrong-layers")
def _(latent_dim, hidden_dim):
    return nn.Sequential(nn.Linear(latent_dim, hidden_dim), nn.ReLU(), _decoder(hidden_dim, hidden_dim, nn.Sigmoid()),
                         _picture())  # fmt: skip


@wrong("1.1", "fixed-code")
def _(latent_dim, hidden_dim):
    return _decoder(20, hidden_dim, nn.Sigmoid(), _picture())


@wrong("1.1", "stopped")
def _(latent_dim, hidden_dim):
    return None


@right("1.1")
class _(nn.Module):
    def __init__(self, latent_dim, hidden_dim):
        super().__init__()
        self.a, self.b = nn.Linear(latent_dim, hidden_dim), nn.Linear(hidden_dim, 784)

    def forward(self, z):
        return self.b(self.a(z).relu()).sigmoid().view(-1, 1, 28, 28)


@right("1.1")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, hidden_dim, nn.Sigmoid(), _picture(), bend=nn.LeakyReLU)


@right("1.1")
def _(latent_dim, hidden_dim):
    return _decoder(latent_dim, hidden_dim, nn.Unflatten(1, (1, 28, 28)), nn.Sigmoid(), bend=nn.Tanh).double().float()


@wrong("1.3", "not-centered")
def _(x, latent_dim):
    return x.mean(0), torch.linalg.svd(x, full_matrices=False).Vh[:latent_dim]


@wrong("1.3", "smallest")
def _(x, latent_dim):
    _, vectors = torch.linalg.eigh((x - x.mean(0)).T @ (x - x.mean(0)))
    return x.mean(0), vectors.T[:latent_dim]


@wrong("1.3", "transposed")
def _(x, latent_dim):
    return x.mean(0), torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh.T[:, :latent_dim]


@wrong("1.3", "wrong-shape")
def _(x, latent_dim):
    return x.mean(0), torch.linalg.svd(x - x.mean(0), full_matrices=False).U[:, :latent_dim]


@wrong("1.3", "not-unit")
def _(x, latent_dim):
    _, spread, directions = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    return x.mean(0), (spread[:, None] * directions)[:latent_dim]


@wrong("1.3", "standardized")
def _(x, latent_dim):
    return x.mean(0), torch.linalg.svd((x - x.mean(0)) / x.std(0), full_matrices=False).Vh[:latent_dim]


@wrong("1.3", "scalar-mean")
def _(x, latent_dim):
    return x.mean(), torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:latent_dim]


@wrong("1.3", "mean-of-each-image")
def _(x, latent_dim):
    return x.mean(1), torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:latent_dim]


@wrong("1.3", "wrong-number")
def _(x, latent_dim):
    return torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:latent_dim]


@right("1.3")
def _(x, latent_dim):
    pca = PCA(latent_dim).fit(x.numpy())
    return pca.mean_, pca.components_


@right("1.3")
def _(x, latent_dim):
    mean = x.mean(0, keepdim=True)
    _, vectors = torch.linalg.eigh(torch.cov(x.T))
    return mean, -vectors.flip(1).T[:latent_dim]


@right("1.3")
def _(x, latent_dim):
    centered = (x - x.mean(0)).numpy().astype(np.float64)
    return [x.mean(0), np.linalg.svd(centered)[2][:latent_dim]]


def _cosines(a, b):
    return torch.linalg.svdvals(torch.linalg.qr(a.T).Q.T @ torch.linalg.qr(b.T).Q).clamp(max=1)


@wrong("1.4", "radians")
def _(a, b):
    return _cosines(a, b).min().acos()


@wrong("1.4", "cosine")
def _(a, b):
    return _cosines(a, b).min()


@wrong("1.4", "smallest-angle")
def _(a, b):
    return _cosines(a, b).max().acos().rad2deg()


@wrong("1.4", "rows-compared")
def _(a, b):
    return torch.cosine_similarity(a, b).acos().rad2deg().max()


@wrong("1.4", "not-orthonormal")
def _(a, b):
    return torch.linalg.svdvals(a @ b.T).clamp(max=1).min().acos().rad2deg()


@wrong("1.4", "nan")
def _(a, b):
    return torch.linalg.svdvals(torch.linalg.qr(a.T).Q.T @ torch.linalg.qr(b.T).Q).min().acos().rad2deg()


@wrong("1.4", "not-orthonormal")
def _(a, b):
    product = torch.linalg.qr(a).Q.T @ torch.linalg.qr(b).Q
    return torch.linalg.svdvals(product).clamp(max=1).min().acos().rad2deg()


@wrong("1.4", "outer-product")
def _(a, b):
    product = torch.linalg.qr(a.T).Q @ torch.linalg.qr(b.T).Q.T
    return torch.linalg.svdvals(product).clamp(max=1).min().acos().rad2deg()


@wrong("1.4", "not-orthonormal")
def _(a, b):
    return torch.linalg.svdvals(a @ b.T).min().acos().rad2deg()


@right("1.4")
def _(a, b):
    return np.rad2deg(subspace_angles(a.numpy().T, b.numpy().T).max())


@right("1.4")
def _(a, b):
    p, q = (torch.linalg.pinv(m.double()) @ m.double() for m in (a, b))
    return torch.linalg.matrix_norm(p - q, 2).clamp(max=1).asin().rad2deg().item()


@right("1.4")
def _(a, b):
    q_a, q_b = (torch.linalg.svd(m, full_matrices=False).Vh for m in (a, b))
    return torch.rad2deg(torch.acos(torch.linalg.svdvals(q_a @ q_b.T).clamp(-1, 1)[-1:]))


@wrong("1.2", "share-missed")
def _(x, x_hat):
    return ((x - x_hat) ** 2).sum() / ((x - x.mean(0)) ** 2).sum()


@wrong("1.2", "one-mean")
def _(x, x_hat):
    return 1 - ((x - x_hat) ** 2).sum() / ((x - x.mean()) ** 2).sum()


@wrong("1.2", "not-centered")
def _(x, x_hat):
    return 1 - ((x - x_hat) ** 2).sum() / (x**2).sum()


@wrong("1.2", "ratio-per-image")
def _(x, x_hat):
    return 1 - (((x - x_hat) ** 2).sum((1, 2, 3)) / ((x - x.mean(0)) ** 2).sum((1, 2, 3))).mean()


@wrong("1.2", "no-number")
def _(x, x_hat):
    return 1 - ((x - x_hat) ** 2).sum((1, 2, 3)) / ((x - x.mean(0)) ** 2).sum((1, 2, 3))


@wrong("1.2", "other-mean")
def _(x, x_hat):
    return 1 - ((x - x_hat) ** 2).sum() / ((x - x.mean(1)) ** 2).sum()


@wrong("1.2", "half-once")
def _(x, x_hat):
    return 1 - 0.5 * ((x - x_hat) ** 2).sum() / ((x - x.mean(0)) ** 2).sum()


@wrong("1.2", "root")
def _(x, x_hat):
    return 1 - (x - x_hat).norm() / (x - x.mean(0)).norm()


@right("1.2")
def _(x, x_hat):
    return 1 - (x - x_hat).square().mean() / x.var(0, unbiased=False).mean()


@right("1.2")
def _(x, x_hat):
    x, x_hat = x.double().flatten(1).numpy(), x_hat.double().flatten(1).numpy()
    return float(1 - np.linalg.norm(x - x_hat) ** 2 / np.linalg.norm(x - x.mean(0)) ** 2)


@wrong("T1", "no-bias")
def _(z, x):
    return torch.linalg.lstsq(z, x).solution.T, torch.zeros(x.shape[1])


@wrong("T1", "inverse")
def _(z, x):
    weight = torch.linalg.pinv(torch.linalg.lstsq(x - x.mean(0), z - z.mean(0)).solution.T)
    return weight, x.mean(0) - weight @ z.mean(0)


@wrong("T1", "not-decorrelated")
def _(z, x):
    weight = (x - x.mean(0)).T @ (z - z.mean(0)) / len(z)
    return weight, x.mean(0) - weight @ z.mean(0)


@wrong("T1", "mean-image-as-bias")
def _(z, x):
    return torch.linalg.lstsq(z - z.mean(0), x - x.mean(0)).solution.T, x.mean(0)


@wrong("T1", "zero-bias")
def _(z, x):
    return torch.linalg.lstsq(z - z.mean(0), x - x.mean(0)).solution.T, torch.zeros(x.shape[1])


@right("T1")
def _(z, x):
    fit = LinearRegression().fit(z.numpy(), x.numpy())
    return fit.coef_, fit.intercept_


@right("T1")
def _(z, x):
    both = torch.cat([z, torch.ones(len(z), 1)], dim=1)
    solution = torch.linalg.pinv(both) @ x
    return solution[:-1].T, solution[-1]

"""Wrong and right answers to the exercises and the task of lesson 17."""

import numpy as np
import torch
from scipy import linalg, stats
from scipy.spatial import cKDTree
from sklearn.metrics.pairwise import polynomial_kernel

from tests.answers import right, wrong


def _bells(form):
    return lambda mu_a, sigma_a, mu_b, sigma_b: form(mu_a - mu_b, sigma_a, sigma_b)


wrong("17.1", "variances")(_bells(lambda d, s, t: (d**2 + (s**2 - t**2) ** 2).sum()))
wrong("17.1", "variances")(_bells(lambda d, s, t: (d**2 + (s**2 - t**2).abs()).sum()))
wrong("17.1", "cross-term")(_bells(lambda d, s, t: (d**2 + s**2 + t**2).sum()))
wrong("17.1", "cross-term")(_bells(lambda d, s, t: (d**2 + s**2 + t**2 - s * t).sum()))
wrong("17.1", "plus")(_bells(lambda d, s, t: (d**2 + (s + t) ** 2).sum()))
wrong("17.1", "minus")(_bells(lambda d, s, t: (d**2 - (s - t) ** 2).sum()))
wrong("17.1", "roots")(_bells(lambda d, s, t: (d**2 + (s.sqrt() - t.sqrt()) ** 2).sum()))
wrong("17.1", "no-spread")(_bells(lambda d, s, t: (d**2).sum()))
wrong("17.1", "no-means")(_bells(lambda d, s, t: ((s - t) ** 2).sum()))
wrong("17.1", "root")(_bells(lambda d, s, t: (d**2 + (s - t) ** 2).sum().sqrt()))
wrong("17.1", "not-squared")(_bells(lambda d, s, t: (d.abs() + (s - t).abs()).sum()))
wrong("17.1", "averaged")(_bells(lambda d, s, t: (d**2 + (s - t) ** 2).mean()))
wrong("17.1", "summed-first")(_bells(lambda d, s, t: d.sum() ** 2 + (s - t).sum() ** 2))
wrong("17.1", "not-summed")(_bells(lambda d, s, t: d**2 + (s - t) ** 2))
wrong("17.1", "kl")(_bells(lambda d, s, t: ((t / s).log() + (s**2 + d**2) / (2 * t**2) - 0.5).sum()))
right("17.1")(_bells(lambda d, s, t: (d**2 + s**2 + t**2 - 2 * s * t).sum().double()))
right("17.1")(_bells(lambda d, s, t: sum(float(a) ** 2 + float(b) ** 2 for a, b in zip(d, s - t, strict=True))))
right("17.1")(_bells(lambda d, s, t: torch.cat([d, s - t]).norm() ** 2))
right("17.1")(_bells(lambda d, s, t: np.sum(np.square(d.numpy()) + np.square((s - t).numpy()))))


def _root(cov):
    values, vectors = torch.linalg.eigh(cov)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T


def _bare(cov):
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.sqrt() @ vectors.T  # not numbers where rounding left eigenvalues below 0


def _turned(cov):
    values, vectors = torch.linalg.eigh(cov)
    return vectors.T * values.clamp(min=0).sqrt() @ vectors


def _shared(cov_a, cov_b):
    return torch.linalg.eigvalsh(_root(cov_a) @ cov_b @ _root(cov_a)).clamp(min=0).sqrt().sum()


def _frechet(form):
    return lambda mu_a, cov_a, mu_b, cov_b: form(mu_a - mu_b, cov_a, cov_b)


def _with_trace(form):
    return _frechet(lambda d, a, b: d.square().sum() + a.trace() + b.trace() - 2 * form(a, b))


wrong("17.2", "root-by-entries")(_with_trace(lambda a, b: (a @ b).abs().sqrt().trace()))
wrong("17.2", "no-root")(_with_trace(lambda a, b: (a @ b).trace()))
wrong("17.2", "roots-apart")(_with_trace(lambda a, b: (_root(a) @ _root(b)).trace()))
wrong("17.2", "one-triangle")(_with_trace(lambda a, b: torch.linalg.eigvalsh(a @ b).clamp(min=0).sqrt().sum()))
wrong("17.2", "negative-eigenvalue")(_with_trace(lambda a, b: torch.linalg.eigvals(a @ b).real.sqrt().sum()))
wrong("17.2", "negative-eigenvalue")(
    _with_trace(lambda a, b: torch.linalg.eigvalsh(_bare(a) @ b @ _bare(a)).clamp(min=0).sqrt().sum())
)
wrong("17.2", "frame-swapped")(
    _with_trace(lambda a, b: torch.linalg.eigvalsh(_turned(a) @ b @ _turned(a)).clamp(min=0).sqrt().sum())
)
wrong("17.2", "not-flat")(
    _with_trace(lambda a, b: torch.linalg.svdvals(torch.linalg.cholesky(a).T @ torch.linalg.cholesky(b)).sum())
)
wrong("17.2", "variances-alone")(
    _frechet(lambda d, a, b: d.square().sum() + (a.diagonal().sqrt() - b.diagonal().sqrt()).square().sum())
)
wrong("17.2", "no-covariance")(_frechet(lambda d, a, b: d.square().sum()))
wrong("17.2", "no-means")(_frechet(lambda d, a, b: a.trace() + b.trace() - 2 * _shared(a, b)))
wrong("17.2", "means-not-squared")(_frechet(lambda d, a, b: d.norm() + a.trace() + b.trace() - 2 * _shared(a, b)))
wrong("17.2", "means-averaged")(_frechet(lambda d, a, b: d.square().mean() + a.trace() + b.trace() - 2 * _shared(a, b)))
wrong("17.2", "factor")(_frechet(lambda d, a, b: d.square().sum() + a.trace() + b.trace() - _shared(a, b)))
wrong("17.2", "sign")(_with_trace(lambda a, b: -_shared(a, b)))
wrong("17.2", "root")(_frechet(lambda d, a, b: (d.square().sum() + a.trace() + b.trace() - 2 * _shared(a, b)).sqrt()))
wrong("17.2", "frobenius")(_frechet(lambda d, a, b: d.square().sum() + (a - b).square().sum()))
wrong("17.2", "not-a-number")(_frechet(lambda d, a, b: d.square().sum() + a + b - 2 * _root(_root(a) @ b @ _root(a))))

right("17.2")(_with_trace(_shared))
right("17.2")(_with_trace(lambda a, b: torch.linalg.eigvals(a @ b).sqrt().real.sum()))
right("17.2")(_with_trace(lambda a, b: torch.linalg.svdvals(_root(a) @ _root(b)).sum()))
right("17.2")(_with_trace(lambda a, b: _root(_root(b) @ a @ _root(b)).trace()))


@right("17.2")
def _(mu_a, cov_a, mu_b, cov_b):
    # A small number on the diagonals, as many implementations add it.
    a, b = (one.numpy() + 1e-9 * np.eye(len(one)) for one in (cov_a, cov_b))
    return float(np.sum((mu_a - mu_b).numpy() ** 2) + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real))


def _kernel(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def _apart(table):
    n = len(table)
    return (table.sum() - table.trace()) / (n * (n - 1))


def _kid(kernel=_kernel, own=_apart, across=torch.mean, times=2):
    return lambda real, fake: own(kernel(real, real)) + own(kernel(fake, fake)) - times * across(kernel(real, fake))


wrong("17.3", "with-itself")(_kid(own=torch.mean))
wrong("17.3", "wrong-count")(_kid(own=lambda table: (table.sum() - table.trace()) / table.numel()))
wrong("17.3", "cross-once")(_kid(times=1))
wrong("17.3", "sign")(_kid(times=-2))
wrong("17.3", "sign")(lambda real, fake: -_kid()(real, fake))
wrong("17.3", "not-divided")(_kid(lambda a, b: (a @ b.T + 1) ** 3))
wrong("17.3", "divided-twice")(_kid(lambda a, b: ((a @ b.T + 1) / a.shape[1]) ** 3))
wrong("17.3", "no-one")(_kid(lambda a, b: (a @ b.T / a.shape[1]) ** 3))
wrong("17.3", "not-cubed")(_kid(lambda a, b: a @ b.T / a.shape[1] + 1))
wrong("17.3", "squared")(_kid(lambda a, b: (a @ b.T / a.shape[1] + 1) ** 2))
wrong("17.3", "root")(lambda real, fake: _kid()(real, fake).abs().sqrt())
wrong("17.3", "summed")(_kid(own=lambda table: table.sum() - table.trace(), across=torch.sum))
wrong("17.3", "across-without-diagonal")(_kid(across=_apart))
wrong("17.3", "over-pictures")(_kid(lambda a, b: (a @ b.T / a.shape[0] + 1) ** 3))
wrong("17.3", "over-pictures")(lambda real, fake: _kid(lambda a, b: (a @ b.T / len(real) + 1) ** 3)(real, fake))
wrong("17.3", "zeros-counted")(_kid(own=lambda table: table.triu(1).mean()))
wrong("17.3", "not-a-number")(_kid(across=lambda table: table))


def _one_size(across):
    def answer(real, fake):
        n = len(real)
        own = [(table.sum() - table.trace()) / (n * (n - 1)) for table in (_kernel(real, real), _kernel(fake, fake))]
        return sum(own) - 2 * across(_kernel(real, fake))

    return answer


wrong("17.3", "one-size")(_one_size(torch.mean))
wrong("17.3", "one-size")(_one_size(lambda table: table.sum() / len(table) ** 2))
wrong("17.3", "one-size")(_kid(across=lambda table: table.sum() / len(table) ** 2))


@wrong("17.3", "size")
def _(real, fake):
    aa, bb, ab = _kernel(real, real), _kernel(fake, fake), _kernel(real, fake)
    apart = 1 - torch.eye(len(real))
    return ((aa + bb) * apart).sum() / apart.sum() - 2 * ab.mean()


right("17.3")(_kid())
right("17.3")(lambda real, fake: _kid()(real.double(), fake.double()).item())


@right("17.3")
def _(real, fake):
    aa, bb, ab = (
        polynomial_kernel(a.numpy(), b.numpy(), degree=3, coef0=1)
        for a, b in ((real, real), (fake, fake), (real, fake))
    )
    n, m = ab.shape
    return (aa.sum() - np.trace(aa)) / (n * n - n) + (bb.sum() - np.trace(bb)) / (m * m - m) - 2 * ab.mean()


@right("17.3")
def _(real, fake):
    def own(a):
        pairs = [(float(a[i] @ a[j]) / a.shape[1] + 1) ** 3 for i in range(len(a)) for j in range(i)]
        return sum(pairs) / len(pairs)

    return own(real) + own(fake) - 2 * float(_kernel(real, fake).mean())


def _region(form):
    return lambda x, others, k: form(torch.cdist(x, others), torch.cdist(others, others).sort(dim=1).values, k)


wrong("17.4", "itself-counted")(_region(lambda d, r, k: (d <= r[:, k - 1]).any(1)))
wrong("17.4", "one-too-far")(_region(lambda d, r, k: (d <= r[:, k + 1]).any(1)))
wrong("17.4", "nearest-alone")(_region(lambda d, r, k: d.min(1).values <= r[d.argmin(1), k]))
wrong("17.4", "all")(_region(lambda d, r, k: (d <= r[:, k]).all(1)))
wrong("17.4", "one-radius")(_region(lambda d, r, k: (d <= r[:, k].mean()).any(1)))
wrong("17.4", "swapped")(_region(lambda d, r, k: (d <= r[:, k]).any(0)))
wrong("17.4", "inverted")(_region(lambda d, r, k: (d > r[:, k]).all(1)))
wrong("17.4", "counted")(_region(lambda d, r, k: (d <= r[:, k]).sum(1)))
wrong("17.4", "share")(_region(lambda d, r, k: (d <= r[:, k]).any(1).float().mean()))
wrong("17.4", "first-neighbor")(_region(lambda d, r, k: (d <= r[:, 1]).any(1)))
wrong("17.4", "three-for-k")(_region(lambda d, r, k: (d <= r[:, 3]).any(1)))
wrong("17.4", "wrong-axis")(_region(lambda d, r, k: (d <= r[:, k, None]).any(1)))
wrong("17.4", "radius-of-x")(
    lambda x, others, k: (torch.cdist(x, others) <= torch.cdist(x, x).sort(dim=1).values[:, k, None]).any(1)
)
wrong("17.4", "radius-of-x")(_region(lambda d, r, k: (d <= d.sort(dim=1).values[:, k - 1, None]).any(1)))
right("17.4")(_region(lambda d, r, k: (d <= r[:, k]).any(1)))


@right("17.4")
def _(x, others, k):
    own = (others[:, None] - others).norm(dim=2).fill_diagonal_(torch.inf)
    radii = own.kthvalue(k, dim=1).values
    return ((x[:, None] - others).norm(dim=2) - radii).min(1).values <= 0


@right("17.4")
def _(x, others, k):
    tree = cKDTree(others.numpy())
    radii = tree.query(others.numpy(), k + 1)[0][:, k]
    return np.array([(np.linalg.norm(others.numpy() - one, axis=1) <= radii).any() for one in x.numpy()])


@right("17.4")
def _(x, others, k):
    radii = [float((others - one).norm(dim=1).sort().values[k]) for one in others]
    found = [any((one - o).norm() <= r for o, r in zip(others, radii, strict=True)) for one in x[:]]
    return torch.tensor(found).float()


def _lines(places, scores):
    columns = torch.stack([torch.ones_like(places), places], 1).double()
    return torch.linalg.lstsq(columns, scores.double().T).solution


def _told(mean=torch.mean, error=lambda ends: ends.std() / len(ends) ** 0.5, places=torch.reciprocal, row=0):
    def answer(sizes, scores):
        ends = _lines(places(sizes), scores)[row]
        return mean(ends), error(ends)

    return answer


wrong("T17", "over-n")(_told(places=lambda n: n))
wrong("T17", "over-root")(_told(places=lambda n: n.rsqrt()))
wrong("T17", "over-log")(_told(places=torch.log))
wrong("T17", "slope")(_told(row=1))
wrong("T17", "median")(_told(mean=lambda ends: ends.median()))
wrong("T17", "spread")(_told(error=torch.std))
wrong("T17", "divided")(_told(error=lambda ends: ends.std() / len(ends)))
wrong("T17", "biased")(_told(error=lambda ends: ends.std(correction=0) / len(ends) ** 0.5))
wrong("T17", "variance")(_told(error=lambda ends: ends.var() / len(ends)))
wrong("T17", "twice")(_told(error=lambda ends: 2 * ends.std() / len(ends) ** 0.5))
wrong("T17", "largest-size")(lambda sizes, scores: (scores[:, -1].mean(), scores[:, -1].std() / len(scores) ** 0.5))
wrong("T17", "mean-of-all")(lambda sizes, scores: (scores.mean(), scores.std()))
wrong("T17", "not-transposed")(
    lambda sizes, scores: torch.linalg.lstsq(torch.stack([torch.ones_like(sizes), 1 / sizes], 1), scores)
)
wrong("T17", "not-transposed")(lambda sizes, scores: np.polyfit(1 / sizes.numpy(), scores.numpy(), 1))
wrong("T17", "not-transposed")(
    lambda sizes, scores: np.linalg.lstsq(np.stack([np.ones(len(sizes)), 1 / sizes.numpy()], 1), scores.numpy())
)
wrong("T17", "not-two")(lambda sizes, scores: _lines(1 / sizes, scores)[0])


@wrong("T17", "through-two")
def _(sizes, scores):
    share = (1 / sizes[-1]) / (1 / sizes[0] - 1 / sizes[-1])
    ends = scores[:, -1] - share * (scores[:, 0] - scores[:, -1])
    return ends.mean(), ends.std() / len(ends) ** 0.5


right("T17")(_told())


@right("T17")
def _(sizes, scores):
    ends = [np.polyfit(1 / sizes.double().numpy(), run.double().numpy(), 1)[1] for run in scores]
    return float(np.mean(ends)), float(stats.sem(ends))


@right("T17")
def _(sizes, scores):
    u = 1 / sizes.double()
    u0, runs = u - u.mean(), scores.double()
    slopes = (runs * u0).sum(1) / (u0**2).sum()
    ends = runs.mean(1) - slopes * u.mean()
    return torch.stack([ends.mean(), (ends.var() / len(ends)).sqrt()])

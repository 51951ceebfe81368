"""Answers to the exercises of lesson 14, wrong and right."""

import math

import numpy as np
import torch
from torch.nn import functional

from tests.answers import right, wrong


def _nearest(x, centers):
    return torch.cdist(x, centers).min(1)


@wrong("14.1", "whole-table")
def _(x, centers):
    return torch.cdist(x, centers)


@wrong("14.1", "swapped")
def _(x, centers):
    return _nearest(x, centers).values, _nearest(x, centers).indices


@wrong("14.1", "swapped")
def _(x, centers):
    return torch.cdist(x, centers).min(1)


@wrong("14.1", "per-mode")
def _(x, centers):
    return torch.cdist(x, centers).min(0).indices, torch.cdist(x, centers).min(0).values


@wrong("14.1", "farthest")
def _(x, centers):
    return torch.cdist(x, centers).max(1).indices, torch.cdist(x, centers).max(1).values


@wrong("14.1", "from-one")
def _(x, centers):
    return _nearest(x, centers).indices + 1, _nearest(x, centers).values


@wrong("14.1", "product")
def _(x, centers):
    return (x @ centers.T).argmax(1), _nearest(x, centers).values


@wrong("14.1", "squared")
def _(x, centers):
    squares = (x[:, None] - centers).square().sum(2)
    return squares.argmin(1), squares.amin(1)


@wrong("14.1", "mean-of-modes")
def _(x, centers):
    return _nearest(x, centers).indices, torch.cdist(x, centers).mean(1)


@wrong("14.1", "sum-of-coordinates")
def _(x, centers):
    distance, which = torch.cdist(x, centers, p=1).min(1)
    return which, distance


@wrong("14.1", "one-answer")
def _(x, centers):
    return _nearest(x, centers).indices


@right("14.1")
def _(x, centers):
    distance = (x[:, None].double() - centers).norm(dim=2)
    return distance.argmin(1), distance.amin(1)


@right("14.1")
def _(x, centers):
    x, centers = x.numpy(), centers.numpy()
    distance = np.sqrt(((x[:, None] - centers[None]) ** 2).sum(-1))
    return distance.argmin(1), distance.min(1)


@right("14.1")
def _(x, centers):
    which, far = [], []
    for one in x:
        distances = [math.dist(one.tolist(), center.tolist()) for center in centers]
        far.append(min(distances))
        which.append(distances.index(far[-1]))
    return torch.tensor(which), torch.tensor(far)


def _shares(fake, real):
    return fake.double() / fake.sum(), real.double() / real.sum()


def _kl(q, p):
    return (torch.xlogy(q, q) - torch.xlogy(q, p)).sum()


@wrong("14.2", "forward")
def _(fake, real):
    q, p = _shares(fake, real)
    return _kl(p, q)


@wrong("14.2", "sign")
def _(fake, real):
    return -_kl(*_shares(fake, real))


@wrong("14.2", "nan")
def _(fake, real):
    q, p = _shares(fake, real)
    return (q * (q / p).log()).sum()


@wrong("14.2", "not-shares")
def _(fake, real):
    return _kl(fake.double(), real.double())


@wrong("14.2", "base-2")
def _(fake, real):
    return _kl(*_shares(fake, real)) / math.log(2)


@wrong("14.2", "averaged")
def _(fake, real):
    return _kl(*_shares(fake, real)) / len(fake)


@wrong("14.2", "even-data")
def _(fake, real):
    return _kl(fake.double() / fake.sum(), torch.full((len(fake),), 1 / len(fake)).double())


@wrong("14.2", "entropy")
def _(fake, real):
    q, _ = _shares(fake, real)
    return -torch.xlogy(q, q).sum()


@wrong("14.2", "left-out")
def _(fake, real):
    there = fake > 0
    return _kl(*_shares(fake[there], real[there]))


@wrong("14.2", "terms")
def _(fake, real):
    q, p = _shares(fake, real)
    return torch.xlogy(q, q / p)


@right("14.2")
def _(fake, real):
    q, p = _shares(fake, real)
    there = q > 0
    return (q[there] * (q[there] / p[there]).log()).sum().item()


@right("14.2")
def _(fake, real):
    fake, real = fake.tolist(), real.tolist()
    total = 0.0
    for f, r in zip(fake, real, strict=True):
        if f and not r:
            return math.inf
        if f:
            total += f / sum(fake) * math.log(f / sum(fake) / (r / sum(real)))
    return total


@right("14.2")
def _(fake, real):
    return functional.kl_div((real / real.sum()).log(), fake / fake.sum(), reduction="sum")


@right("14.2")
def _(fake, real):
    q, p = _shares(fake, real)
    return (q * ((q + 1e-12).log() - (p + 1e-12).log())).sum()


def _covered(counts, at_least):
    return (counts >= at_least).double().mean() >= 0.9


@wrong("14.3", "good-first")
def _(counts, good, at_least=1):
    if good < 0.5:
        return "scattered"
    return "healthy" if _covered(counts, at_least) else "collapsed"


@wrong("14.3", "swapped")
def _(counts, good, at_least=1):
    if not _covered(counts, at_least):
        return "scattered"
    return "healthy" if good >= 0.5 else "collapsed"


@wrong("14.3", "strictly-more")
def _(counts, good, at_least=1):
    if (counts > at_least).float().mean() < 0.9:
        return "collapsed"
    return "healthy" if good >= 0.5 else "scattered"


@wrong("14.3", "at-least-ignored")
def _(counts, good, at_least=1):
    if not _covered(counts, 1):
        return "collapsed"
    return "healthy" if good >= 0.5 else "scattered"


@wrong("14.3", "all-modes")
def _(counts, good, at_least=1):
    if not bool((counts >= at_least).all()):
        return "collapsed"
    return "healthy" if good >= 0.5 else "scattered"


@wrong("14.3", "nine-of-ten")
def _(counts, good, at_least=1):
    if (counts >= at_least).float().mean() <= 0.9:
        return "collapsed"
    return "healthy" if good >= 0.5 else "scattered"


@wrong("14.3", "nine-of-ten")
def _(counts, good, at_least=1):
    if (counts >= at_least).float().mean().item() < 0.9:
        return "collapsed"
    return "healthy" if good >= 0.5 else "scattered"


@wrong("14.3", "exactly-half")
def _(counts, good, at_least=1):
    if not _covered(counts, at_least):
        return "collapsed"
    return "healthy" if good > 0.5 else "scattered"


@wrong("14.3", "both-limits")
def _(counts, good, at_least=1):
    if (counts >= at_least).double().mean() <= 0.9:
        return "collapsed"
    return "healthy" if good > 0.5 else "scattered"


@wrong("14.3", "nothing")
def _(counts, good, at_least=1):
    if not _covered(counts, at_least):
        return "collapsed"
    if good < 0.5:
        return "scattered"


@wrong("14.3", "good-ignored")
def _(counts, good, at_least=1):
    return "healthy" if _covered(counts, at_least) else "collapsed"


@wrong("14.3", "modes-ignored")
def _(counts, good, at_least=1):
    return "healthy" if good >= 0.5 else "scattered"


@wrong("14.3", "other-words")
def _(counts, good, at_least=1):
    return "ok" if _covered(counts, at_least) else "collapsed"


@right("14.3")
def _(counts, good, at_least=1):
    if (counts >= at_least).float().mean() < 0.9:
        return "collapsed"
    return "scattered" if good < 0.5 else "healthy"


@right("14.3")
def _(counts, good, at_least=1):
    if 10 * (counts >= at_least).sum() < 9 * len(counts):
        return "collapsed"
    return "scattered" if good < 0.5 else "healthy"


@right("14.3")
def _(counts, good, at_least=1):
    share = sum(count >= at_least for count in counts.tolist()) / len(counts)
    return "collapsed" if share < 0.9 else ("healthy" if good > 0.499 else "scattered")


@wrong("14.4", "coordinates-mixed")
def _(x, m):
    return x.flatten(1).reshape(len(x) // m, m, -1).transpose(1, 2).reshape(len(x) // m, -1)


@wrong("14.4", "strided")
def _(x, m):
    return torch.cat(x.flatten(1).chunk(m), 1)


@wrong("14.4", "m-packs")
def _(x, m):
    return x.reshape(m, -1)


@wrong("14.4", "three-axes")
def _(x, m):
    return x.reshape(len(x) // m, m, -1)


@wrong("14.4", "averaged")
def _(x, m):
    return x.reshape(len(x) // m, m, -1).mean(1)


@wrong("14.4", "repeated")
def _(x, m):
    return x.repeat(1, m)


@wrong("14.4", "overlapping")
def _(x, m):
    x = x.flatten(1)
    return torch.cat([x.roll(-i, 0) for i in range(m)], 1)


@wrong("14.4", "pictures-unpacked")
def _(x, m):
    return x.reshape(len(x) // m, m * x.shape[1], *x.shape[2:])


@wrong("14.4", "pictures-unpacked")
def _(x, m):
    return x.reshape(-1, m * x.shape[1])


@wrong("14.4", "float-length")
def _(x, m):
    return x.reshape(len(x) / m, -1)


@wrong("14.4", "float-length")
def _(x, m):
    return x.reshape((len(x) / m, -1))


@wrong("14.4", "float-length")
def _(x, m):
    return x.view(len(x) / m, -1)


@right("14.4")
def _(x, m):
    return torch.stack([torch.cat([one.flatten() for one in x[i : i + m]]) for i in range(0, len(x), m)])


@right("14.4")
def _(x, m):
    x = x.flatten(1)
    return torch.cat([x[i::m] for i in range(m)], 1)


@right("14.4")
def _(x, m):
    return x.double().numpy().reshape(len(x) // m, -1)


@wrong("14.5", "per-coordinate")
def _(x):
    return x.std(0)


@wrong("14.5", "over-coordinates")
def _(x):
    return x.flatten(1).std(1).mean()


@wrong("14.5", "pooled")
def _(x):
    return x.std()


@wrong("14.5", "variance")
def _(x):
    return x.var(0, correction=0).mean()


@wrong("14.5", "root-last")
def _(x):
    return x.var(0, correction=0).mean().sqrt()


@wrong("14.5", "summed")
def _(x):
    return x.std(0, correction=0).sum()


@wrong("14.5", "not-centered")
def _(x):
    return x.square().mean(0).sqrt().mean()


@wrong("14.5", "no-slope")
def _(x):
    return x.detach().std(0).mean() + 0 * x.sum()


@wrong("14.5", "nan-slope")
def _(x):
    return (x - x.mean(0)).square().mean(0).sqrt().mean()


@wrong("14.5", "per-sample")
def _(x):
    return x.std(0, correction=0).mean().expand(len(x))


@wrong("14.5", "mean-distance")
def _(x):
    return (x - x.mean(0)).flatten(1).norm(dim=1).mean()


@right("14.5")
def _(x):
    return x.std(0).mean()


@right("14.5")
def _(x):
    x = x.double().flatten(1)
    return ((x - x.mean(0)).square().mean(0) + 1e-8).sqrt().mean()


@right("14.5")
def _(x):
    columns = x.flatten(1).T
    return torch.stack([column.std(correction=0) for column in columns]).mean()[None]


def _close(x, radius):
    x = x.double()
    return torch.triu(torch.cdist(x, x) <= radius, diagonal=1)


def _jackknife(x, radius):
    table = _close(x, radius)
    close = table.sum()
    N = len(x)
    without = (N - 1) * (N - 2) / 2 / (close - table.sum(0) - table.sum(1))
    return N * (N - 1) / 2 / close, without


def _error(without):
    N = len(without)
    return ((N - 1) / N * (without - without.mean()).square().sum()).sqrt()


@wrong("T14", "self-pairs")
def _(x, radius):
    close = (torch.cdist(x, x) <= radius).sum()
    return len(x) ** 2 / close, _error(_jackknife(x, radius)[1])


@wrong("T14", "ordered-pairs")
def _(x, radius):
    modes, without = _jackknife(x, radius)
    return modes / 2, _error(without)


@wrong("T14", "share")
def _(x, radius):
    modes, without = _jackknife(x, radius)
    return 1 / modes, _error(without)


@wrong("T14", "no-root")
def _(x, radius):
    modes, without = _jackknife(x, radius)
    return modes, _error(without) ** 2


@wrong("T14", "spread")
def _(x, radius):
    modes, without = _jackknife(x, radius)
    return modes, without.std()


@wrong("T14", "standard-error")
def _(x, radius):
    modes, without = _jackknife(x, radius)
    return modes, without.std() / len(x) ** 0.5


@wrong("T14", "all-pairs-kept")
def _(x, radius):
    modes, without = _jackknife(x, radius)
    return modes, _error(without * len(x) / (len(x) - 2))


@wrong("T14", "wrong-number")
def _(x, radius):
    return _jackknife(x, radius)[0]


@right("T14")
def _(x, radius):
    modes, without = _jackknife(x, radius)
    return modes, _error(without)


@right("T14")
def _(x, radius):
    def modes(x):
        close = sum(math.dist(a, b) <= radius for i, a in enumerate(x) for b in x[:i])
        return len(x) * (len(x) - 1) / 2 / close

    x = x.tolist()
    without = torch.tensor([modes(x[:i] + x[i + 1 :]) for i in range(len(x))], dtype=torch.float64)
    return modes(x), (len(x) - 1) ** 0.5 * without.std(correction=0)


@right("T14")
def _(x, radius):
    x = x.numpy().astype(np.float64)
    close = (np.linalg.norm(x[:, None] - x, axis=2) <= radius) & ~np.eye(len(x), dtype=bool)
    N, pairs = len(x), close.sum() / 2
    without = (N - 1) * (N - 2) / 2 / (pairs - close.sum(0))
    return N * (N - 1) / 2 / pairs, np.sqrt((N - 1) * without.var())

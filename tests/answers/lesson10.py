"""Wrong and right answers to the exercises and the task of lesson 10."""

import math

import numpy as np
import torch
from scipy.special import logsumexp, softmax
from sklearn.neighbors import NearestNeighbors
from torch import distributions
from torch.nn import functional

from tests.answers import right, wrong


@wrong("10.1", "label-as-number")
def _(z, classes):
    return torch.cat([z.repeat_interleave(classes, 0), torch.arange(classes).repeat(len(z))[:, None]], 1)


@wrong("10.1", "label-by-label")
def _(z, classes):
    return torch.cat([z.repeat(classes, 1), torch.eye(classes).repeat_interleave(len(z), 0)], 1)


@wrong("10.1", "in-step")
def _(z, classes):
    return torch.cat([z.repeat(classes, 1), torch.eye(classes).repeat(len(z), 1)], 1)


@wrong("10.1", "in-step")
def _(z, classes):
    return torch.cat([z.repeat_interleave(classes, 0), torch.eye(classes).repeat_interleave(len(z), 0)], 1)


@wrong("10.1", "label-first")
def _(z, classes):
    return torch.cat([torch.eye(classes).repeat(len(z), 1), z.repeat_interleave(classes, 0)], 1)


@wrong("10.1", "three-axes")
def _(z, classes):
    labels = torch.eye(classes).expand(len(z), -1, -1)
    return torch.cat([z[:, None].expand(-1, classes, -1), labels], 2)


@wrong("10.1", "not-repeated")
def _(z, classes):
    return torch.cat([z, torch.eye(classes)], 1)


@wrong("10.1", "codes-alone")
def _(z, classes):
    return z.repeat_interleave(classes, 0)


@wrong("10.1", "labels-alone")
def _(z, classes):
    return torch.eye(classes).repeat(len(z), 1)


@wrong("10.1", "one-label-each")
def _(z, classes):
    return torch.cat([z, torch.eye(classes)[torch.arange(len(z)) % classes]], 1)


@right("10.1")
def _(z, classes):
    labels = torch.eye(classes).expand(len(z), -1, -1)
    return torch.cat([z[:, None].expand(-1, classes, -1), labels], 2).flatten(0, 1)


@right("10.1")
def _(z, classes):
    rows = [[*code, *(float(k == j) for j in range(classes))] for code in z.tolist() for k in range(classes)]
    return np.array(rows)


@right("10.1")
def _(z, classes):
    place = torch.arange(len(z) * classes)
    return torch.cat([z[place // classes], functional.one_hot(place % classes, classes)], 1)


def _nll(x_logits, x):
    return functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none").flatten(1).sum(1)


def _kl(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1)


@wrong("10.2", "label-free")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x_logits, x) + _kl(mu, logvar)


@wrong("10.2", "label-sign")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x_logits, x) + _kl(mu, logvar) + math.log(1 / classes)


@wrong("10.2", "label-as-probability")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x_logits, x) + _kl(mu, logvar) + 1 / classes


@wrong("10.2", "label-as-number")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x_logits, x) + _kl(mu, logvar) + classes


@wrong("10.2", "ten-labels")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x_logits, x) + _kl(mu, logvar) + math.log(10)


@wrong("10.2", "log-of-number")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x_logits, x) + _kl(mu, logvar) + torch.log(classes)


@wrong("10.2", "swapped")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x, x_logits) + _kl(mu, logvar) + math.log(classes)


@wrong("10.2", "log-base")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x_logits, x) + _kl(mu, logvar) + math.log2(classes)


@wrong("10.2", "kl-sign")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x_logits, x) - _kl(mu, logvar) + math.log(classes)


@wrong("10.2", "kl-missing")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x_logits, x) + math.log(classes)


@wrong("10.2", "pixels-missing")
def _(x_logits, mu, logvar, x, classes):
    return _kl(mu, logvar) + math.log(classes)


@wrong("10.2", "turned-round")
def _(x_logits, mu, logvar, x, classes):
    return -_nll(x_logits, x) - _kl(mu, logvar) - math.log(classes)


@wrong("10.2", "per-pixel")
def _(x_logits, mu, logvar, x, classes):
    pixels = functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none").flatten(1)
    return pixels.mean(1) + _kl(mu, logvar) + math.log(classes)


@wrong("10.2", "not-logits")
def _(x_logits, mu, logvar, x, classes):
    return _nll(x_logits.sigmoid(), x) + _kl(mu, logvar) + math.log(classes)


@wrong("10.2", "one-number")
def _(x_logits, mu, logvar, x, classes):
    return (_nll(x_logits, x) + _kl(mu, logvar)).mean() + math.log(classes)


@wrong("10.2", "one-number")
def _(x_logits, mu, logvar, x, classes):
    return (_nll(x_logits, x) + _kl(mu, logvar) + math.log(classes)).sum()


@right("10.2")
def _(x_logits, mu, logvar, x, classes):
    p_x = distributions.Bernoulli(logits=x_logits.double())
    q = distributions.Normal(mu.double(), (0.5 * logvar.double()).exp())
    kl = distributions.kl_divergence(q, distributions.Normal(0.0, 1.0)).sum(1)
    p_y = distributions.Categorical(logits=torch.zeros(classes))
    return -p_x.log_prob(x.double()).sum((1, 2, 3)) + kl - p_y.log_prob(torch.tensor(classes - 1))


@right("10.2")
def _(x_logits, mu, logvar, x, classes):
    logits, x, mu, logvar = (value.double().numpy() for value in (x_logits, x, mu, logvar))
    nll = (np.logaddexp(0, logits) - x * logits).sum((1, 2, 3))
    return nll - 0.5 * (1 + logvar - mu**2 - np.exp(logvar)).sum(1) - np.log(1 / classes)


@right("10.2")
def _(x_logits, mu, logvar, x, classes):
    rows = []
    for logits, m, v, picture in zip(x_logits, mu, logvar, x, strict=True):
        pixels = functional.binary_cross_entropy_with_logits(logits, picture, reduction="sum")
        rows.append(pixels + 0.5 * (m**2 + v.exp() - 1 - v).sum() + math.log(classes))
    return torch.stack(rows)


@wrong("10.3", "sign")
def _(loss):
    return loss.softmax(1)


@wrong("10.3", "reciprocal")
def _(loss):
    return (1 / loss) / (1 / loss).sum(1, keepdim=True)


@wrong("10.3", "linear")
def _(loss):
    return loss / loss.sum(1, keepdim=True)


@wrong("10.3", "hard")
def _(loss):
    return functional.one_hot(loss.argmin(1), loss.shape[1]).float()


@wrong("10.3", "names")
def _(loss):
    return loss.argmin(1)


@wrong("10.3", "wrong-axis")
def _(loss):
    return (-loss).softmax(0)


@wrong("10.3", "not-normalized")
def _(loss):
    return torch.exp(-loss)


@wrong("10.3", "normalized-over-all")
def _(loss):
    return torch.exp(-loss) / torch.exp(-loss).sum()


@wrong("10.3", "logarithms")
def _(loss):
    return -loss - torch.logsumexp(-loss, 1, keepdim=True)


@wrong("10.3", "base-two")
def _(loss):
    return 2**-loss / (2**-loss).sum(1, keepdim=True)


@wrong("10.3", "underflow")
def _(loss):
    return torch.exp(-loss) / torch.exp(-loss).sum(1, keepdim=True)


@right("10.3")
def _(loss):
    return torch.exp(-loss.double() - torch.logsumexp(-loss.double(), 1, keepdim=True))


@right("10.3")
def _(loss):
    return softmax(-loss.numpy(), axis=1)


@right("10.3")
def _(loss):
    rows = []
    for row in loss:
        weights = torch.exp(row.min() - row)
        rows.append(weights / weights.sum())
    return torch.stack(rows)


@right("10.3")
def _(loss):
    return distributions.Categorical(logits=-loss).probs


@wrong("10.4", "entropy-missing")
def _(loss, label_logits):
    return (label_logits.softmax(1) * loss).sum(1)


@wrong("10.4", "entropy-sign")
def _(loss, label_logits):
    log_q = label_logits.log_softmax(1)
    return (log_q.exp() * (loss - log_q)).sum(1)


@wrong("10.4", "log-unweighted")
def _(loss, label_logits):
    log_q = label_logits.log_softmax(1)
    return (log_q.exp() * loss + log_q).sum(1)


@wrong("10.4", "averaged")
def _(loss, label_logits):
    log_q = label_logits.log_softmax(1)
    return (log_q.exp() * (loss + log_q)).mean(1)


@wrong("10.4", "logits-as-weights")
def _(loss, label_logits):
    return (label_logits * (loss + label_logits)).sum(1)


@wrong("10.4", "logits-as-weights")
def _(loss, label_logits):
    return (label_logits * (loss + label_logits.log_softmax(1))).sum(1)


@wrong("10.4", "log-of-logits")
def _(loss, label_logits):
    return (label_logits * (loss + label_logits.log())).sum(1)


@wrong("10.4", "entropy-alone")
def _(loss, label_logits):
    log_q = label_logits.log_softmax(1)
    return (log_q.exp() * log_q).sum(1)


@wrong("10.4", "even")
def _(loss, label_logits):
    return loss.mean(1) - distributions.Categorical(logits=label_logits).entropy()


@wrong("10.4", "even")
def _(loss, label_logits):
    return loss.mean(1)


@wrong("10.4", "summed")
def _(loss, label_logits):
    return loss.sum(1) - distributions.Categorical(logits=label_logits).entropy()


@wrong("10.4", "least-loss")
def _(loss, label_logits):
    return loss.min(1).values


@wrong("10.4", "one-label")
def _(loss, label_logits):
    return loss.gather(1, label_logits.argmax(1, keepdim=True))[:, 0]


@wrong("10.4", "no-classifier")
def _(loss, label_logits):
    return -torch.logsumexp(-loss, 1)


@wrong("10.4", "logits-as-weights")
def _(loss, label_logits):
    return (label_logits * loss).sum(1)


@wrong("10.4", "logits-as-logs")
def _(loss, label_logits):
    return (label_logits.softmax(1) * (loss + label_logits)).sum(1)


@wrong("10.4", "wrong-axis")
def _(loss, label_logits):
    log_q = label_logits.log_softmax(0)
    return (log_q.exp() * (loss + log_q)).sum(1)


@wrong("10.4", "turned-round")
def _(loss, label_logits):
    log_q = label_logits.log_softmax(1)
    return -(log_q.exp() * (loss + log_q)).sum(1)


@wrong("10.4", "one-number")
def _(loss, label_logits):
    log_q = label_logits.log_softmax(1)
    return (log_q.exp() * (loss + log_q)).sum(1).mean()


@wrong("10.4", "nan")
def _(loss, label_logits):
    q = label_logits.softmax(1)
    return (q * (loss + q.log())).sum(1)


@right("10.4")
def _(loss, label_logits):
    q = distributions.Categorical(logits=label_logits.double())
    return (q.probs * loss).sum(1) - q.entropy()


@right("10.4")
def _(loss, label_logits):
    # KL(q || posterior) less the log of the sum: the same number from the other side.
    q, posterior = distributions.Categorical(logits=label_logits), distributions.Categorical(logits=-loss)
    return distributions.kl_divergence(q, posterior) - (-loss).logsumexp(1)


@right("10.4")
def _(loss, label_logits):
    loss, logits = loss.double().numpy(), label_logits.double().numpy()
    log_q = logits - logsumexp(logits, axis=1, keepdims=True)
    return (np.exp(log_q) * (loss + log_q)).sum(axis=1)


@right("10.4")
def _(loss, label_logits):
    total = torch.zeros(len(loss))
    for k in range(loss.shape[1]):
        q = label_logits.softmax(1)[:, k]
        total += q * loss[:, k] + torch.xlogy(q, q)
    return total


def _mean_of(distances, x_train, count):
    return x_train[distances.topk(count, 1, largest=False).indices].mean(1)


@wrong("10.5", "peeked")
def _(x, x_train, seen, count):
    distances = torch.cdist(x.flatten(1), x_train.flatten(1))
    return torch.where(seen, x, _mean_of(distances, x_train, count))


@wrong("10.5", "swapped")
def _(x, x_train, seen, count):
    distances = torch.cdist(x[:, 0, ~seen], x_train[:, 0, ~seen])
    return torch.where(seen, x, _mean_of(distances, x_train, count))


@wrong("10.5", "blanked")
def _(x, x_train, seen, count):
    distances = torch.cdist((x * seen).flatten(1), x_train.flatten(1))
    return torch.where(seen, x, _mean_of(distances, x_train, count))


@wrong("10.5", "absolute")
def _(x, x_train, seen, count):
    distances = torch.cdist(x[:, 0, seen], x_train[:, 0, seen], p=1)
    return torch.where(seen, x, _mean_of(distances, x_train, count))


@wrong("10.5", "in-place")
def _(x, x_train, seen, count):
    distances = torch.cdist(x[:, 0, seen], x_train[:, 0, seen])
    x[:, :, ~seen] = _mean_of(distances, x_train, count)[:, :, ~seen]
    return x


@wrong("10.5", "farthest")
def _(x, x_train, seen, count):
    distances = torch.cdist(x[:, 0, seen], x_train[:, 0, seen])
    return torch.where(seen, x, _mean_of(-distances, x_train, count))


@wrong("10.5", "one-neighbor")
def _(x, x_train, seen, count):
    nearest = torch.cdist(x[:, 0, seen], x_train[:, 0, seen]).argmin(1)
    return torch.where(seen, x, x_train[nearest])


@wrong("10.5", "everyone")
def _(x, x_train, seen, count):
    return torch.where(seen, x, x_train.mean(0))


@wrong("10.5", "left-empty")
def _(x, x_train, seen, count):
    return x * seen


@wrong("10.5", "told")
def _(x, x_train, seen, count):
    return x


@wrong("10.5", "seen-changed")
def _(x, x_train, seen, count):
    return _mean_of(torch.cdist(x[:, 0, seen], x_train[:, 0, seen]), x_train, count)


@wrong("10.5", "wrong-shape")
def _(x, x_train, seen, count):
    return _mean_of(torch.cdist(x[:, 0, seen], x_train[:, 0, seen]), x_train, count)[:, 0, ~seen]


@right("10.5")
def _(x, x_train, seen, count):
    near = NearestNeighbors(n_neighbors=count).fit(x_train[:, 0, seen].double().numpy())
    filled = x.clone()
    for i, neighbors in enumerate(near.kneighbors(x[:, 0, seen].double().numpy())[1]):
        filled[i, 0, ~seen] = x_train[neighbors][:, 0, ~seen].mean(0)
    return filled


@right("10.5")
def _(x, x_train, seen, count):
    distances = torch.cdist((x * seen).flatten(1), (x_train * seen).flatten(1))
    nearest = distances.argsort(1)[:, :count]
    return x * seen + x_train[nearest].mean(1) * ~seen


@right("10.5")
def _(x, x_train, seen, count):
    x, x_train, seen = x.double().numpy(), x_train.double().numpy(), seen.numpy()
    pictures = []
    for one in x:
        square = (((one - x_train) ** 2) * seen).sum((1, 2, 3))
        pictures.append(np.where(seen, one, x_train[np.argsort(square)[:count]].mean(0)))
    return np.stack(pictures)


def _by_pixel(x_logits, x):
    return -functional.binary_cross_entropy_with_logits(x_logits, x.expand_as(x_logits), reduction="none")


def _by_draw(x_logits, x, seen):
    return _by_pixel(x_logits, x)[..., ~seen].sum((2, 3))


@wrong("T10", "mean-of-logs")
def _(x_logits, x, seen):
    return _by_draw(x_logits, x, seen).mean(0)


@wrong("T10", "pixel-by-pixel")
def _(x_logits, x, seen):
    mean = x_logits.sigmoid().mean(0)[..., ~seen].flatten(1)
    hidden = x[..., ~seen].flatten(1)
    return (hidden * mean.log() + (1 - hidden) * (1 - mean).log()).sum(1)


@wrong("T10", "mean-logits")
def _(x_logits, x, seen):
    return _by_draw(x_logits.mean(0, keepdim=True), x, seen)[0]


@wrong("T10", "not-averaged")
def _(x_logits, x, seen):
    return _by_draw(x_logits, x, seen).logsumexp(0)


@wrong("T10", "best-draw")
def _(x_logits, x, seen):
    return _by_draw(x_logits, x, seen).max(0).values


@wrong("T10", "all-pixels")
def _(x_logits, x, seen):
    return _by_pixel(x_logits, x).sum((2, 3, 4)).logsumexp(0) - math.log(len(x_logits))


@wrong("T10", "seen-pixels")
def _(x_logits, x, seen):
    return _by_draw(x_logits, x, ~seen).logsumexp(0) - math.log(len(x_logits))


@wrong("T10", "per-pixel")
def _(x_logits, x, seen):
    return (_by_draw(x_logits, x, seen).logsumexp(0) - math.log(len(x_logits))) / (~seen).sum()


@wrong("T10", "probability")
def _(x_logits, x, seen):
    return _by_draw(x_logits, x, seen).exp().mean(0)


@wrong("T10", "turned-round")
def _(x_logits, x, seen):
    return math.log(len(x_logits)) - _by_draw(x_logits, x, seen).logsumexp(0)


@wrong("T10", "base-two")
def _(x_logits, x, seen):
    return (_by_draw(x_logits, x, seen).logsumexp(0) - math.log(len(x_logits))) / math.log(2)


@wrong("T10", "one-number")
def _(x_logits, x, seen):
    return (_by_draw(x_logits, x, seen).logsumexp(0) - math.log(len(x_logits))).mean()


@wrong("T10", "underflow")
def _(x_logits, x, seen):
    return _by_draw(x_logits.double(), x.double(), seen).exp().mean(0).log()


@right("T10")
def _(x_logits, x, seen):
    log_p = distributions.Bernoulli(logits=x_logits.double()).log_prob(x.double()) * ~seen
    draws = distributions.Categorical(logits=torch.zeros(len(x_logits)).double())
    return (log_p.sum((2, 3, 4)) + draws.logits[:, None]).logsumexp(0)


@right("T10")
def _(x_logits, x, seen):
    logits, x, hidden = x_logits.double().numpy(), x.double().numpy(), ~seen.numpy()
    log_p = ((x * logits - np.logaddexp(0, logits)) * hidden).sum((2, 3, 4))
    return logsumexp(log_p, axis=0, b=1 / len(logits))


@right("T10")
def _(x_logits, x, seen):
    values = []
    for b in range(len(x)):
        draws = []
        for s in range(len(x_logits)):
            nats = functional.binary_cross_entropy_with_logits(x_logits[s, b], x[b], reduction="none")
            draws.append(-nats[:, ~seen].sum())
        best = max(draws)
        values.append(best + torch.log(sum((draw - best).exp() for draw in draws) / len(draws)))
    return torch.stack(values)

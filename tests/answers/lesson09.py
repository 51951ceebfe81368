"""Wrong and right answers to the exercises and the task of lesson 09."""

import math

import numpy as np
import torch
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import mutual_info_score

from tests.answers import right, wrong


def _moved(z, values, dtype=torch.float32):
    rows = []
    for i in range(len(z)):
        row = z.to(dtype).repeat(len(values), 1)
        row[:, i] = values.to(dtype)
        rows.append(row)
    return torch.stack(rows)


@wrong("9.1", "added")
def _(z, values):
    return z + torch.eye(len(z))[:, None] * values[None, :, None]


@wrong("9.1", "others-zero")
def _(z, values):
    return torch.eye(len(z))[:, None] * values[None, :, None]


@wrong("9.1", "by-step")
def _(z, values):
    return _moved(z, values).transpose(0, 1)


@wrong("9.1", "flat")
def _(z, values):
    return _moved(z, values).reshape(-1, len(z))


@wrong("9.1", "left-moved")
def _(z, values):
    rows = []
    for i in range(len(z)):
        row = []
        for value in values:
            z[i] = value
            row.append(z.clone())
        rows.append(torch.stack(row))
    return torch.stack(rows)


@wrong("9.1", "all-at-once")
def _(z, values):
    return values[None, :, None].repeat(len(z), 1, len(z))


@wrong("9.1", "nothing-moves")
def _(z, values):
    return z.repeat(len(z), len(values), 1)


@wrong("9.1", "one-unit")
def _(z, values):
    return _moved(z, values)[0]


@wrong("9.1", "same-unit")
def _(z, values):
    codes = z.repeat(len(z), len(values), 1)
    codes[:, :, 0] = values
    return codes


@wrong("9.1", "shared-memory")
def _(z, values):
    codes = z.expand(len(z), len(values), len(z))
    for i in range(len(z)):
        codes[i, :, i] = values
    return codes


@wrong("9.1", "others-move")
def _(z, values):
    eye = torch.eye(len(z))[:, None]
    return eye * z + (1 - eye) * values[None, :, None]


@right("9.1")
def _(z, values):
    return _moved(z, values, torch.float64)


@right("9.1")
def _(z, values):
    eye = torch.eye(len(z))[:, None]
    return (1 - eye) * z + eye * values[None, :, None]


@right("9.1")
def _(z, values):
    codes = np.tile(z.numpy(), (len(z), len(values), 1))
    for i in range(len(z)):
        codes[i, :, i] = values.numpy()
    return codes


@right("9.1")
def _(z, values):
    z, values = z.tolist(), values.tolist()
    return [[[*z[:i], value, *z[i + 1 :]] for value in values] for i in range(len(z))]


def _joint(a, b):
    table = torch.zeros(int(a.max()) + 1, int(b.max()) + 1)
    table.index_put_((a, b), torch.ones(len(a)), accumulate=True)
    return table / len(a)


def _terms(a, b):
    p = _joint(a, b)
    q = p.sum(1, keepdim=True) * p.sum(0)
    return p[p > 0], q[p > 0]


def _entropy(p):
    p = p[p > 0]
    return -(p * p.log()).sum()


@wrong("9.2", "bits")
def _(a, b):
    p, q = _terms(a, b)
    return (p * (p / q).log2()).sum()


@wrong("9.2", "joint-entropy")
def _(a, b):
    return _entropy(_joint(a, b))


@wrong("9.2", "wrong-sign")
def _(a, b):
    p, q = _terms(a, b)
    return (p * (q / p).log()).sum()


@wrong("9.2", "entropy")
def _(a, b):
    return _entropy(_joint(a, b).sum(1))


@wrong("9.2", "what-is-left")
def _(a, b):
    return _entropy(_joint(a, b)) - _entropy(_joint(a, b).sum(0))


@wrong("9.2", "share")
def _(a, b):
    p, q = _terms(a, b)
    return (p * (p / q).log()).sum() / _entropy(_joint(a, b).sum(0))


@wrong("9.2", "counts")
def _(a, b):
    p = _joint(a, b) * len(a)
    q = p.sum(1, keepdim=True) * p.sum(0)
    return (p[p > 0] * (p[p > 0] / q[p > 0]).log()).sum()


@wrong("9.2", "no-weights")
def _(a, b):
    p, q = _terms(a, b)
    return (p / q).log().sum()


@wrong("9.2", "weights-apart")
def _(a, b):
    p, q = _terms(a, b)
    return (q * (p / q).log()).sum()


@wrong("9.2", "empty-cells")
def _(a, b):
    p = _joint(a, b)
    return (p * (p / (p.sum(1, keepdim=True) * p.sum(0))).log()).sum()


@wrong("9.2", "not-accumulated")
def _(a, b):
    table = torch.zeros(int(a.max()) + 1, int(b.max()) + 1)
    table[a, b] += 1
    p = table / len(a)
    q = p.sum(1, keepdim=True) * p.sum(0)
    return (p[p > 0] * (p[p > 0] / q[p > 0]).log()).sum()


@wrong("9.2", "no-keepdim")
def _(a, b):
    p = _joint(a, b)
    q = p.sum(1) * p.sum(0)
    return (p[p > 0] * (p / q)[p > 0].log()).sum()


@wrong("9.2", "no-keepdim")
def _(a, b):
    p = _joint(a, b)
    q = p.sum(1) * p.sum(0) if len(p) == len(p.T) else p.sum(1, keepdim=True) * p.sum(0)
    return (p[p > 0] * (p / q)[p > 0].log()).sum()


@wrong("9.2", "no-keepdim")
def _(a, b):
    labels = int(max(a.max(), b.max())) + 1
    p = torch.zeros(labels, labels)
    p.index_put_((a, b), torch.ones(len(a)), accumulate=True)
    p /= len(a)
    return (p[p > 0] * (p / (p.sum(1) * p.sum(0)))[p > 0].log()).sum()


@wrong("9.2", "square-table")
def _(a, b):
    table = torch.zeros(int(a.max()) + 1, int(a.max()) + 1)
    table.index_put_((a, b), torch.ones(len(a)), accumulate=True)
    return mutual_info_score(None, None, contingency=table.numpy())


@right("9.2")
def _(a, b):
    return mutual_info_score(a.numpy(), b.numpy())


@right("9.2")
def _(a, b):
    p = _joint(a, b).double()
    return _entropy(p.sum(0)) + _entropy(p.sum(1)) - _entropy(p)


@right("9.2")
def _(a, b):
    total = 0.0
    for i in set(a.tolist()):
        for j in set(b.tolist()):
            p = float(((a == i) & (b == j)).float().mean())
            if p > 0:
                total += p * math.log(p / (float((a == i).float().mean()) * float((b == j).float().mean())))
    return total


@right("9.2")
def _(a, b):
    p = _joint(a, b)
    q = p.sum(1, keepdim=True) * p.sum(0)
    return (p * ((p + 1e-9) / (q + 1e-9)).log()).sum()


def _gap(values, dim=0):
    ranked = values.sort(dim, descending=True).values
    return ranked.select(dim, 0) - ranked.select(dim, 1)


@wrong("9.3", "no-gap")
def _(told, entropy):
    return (told.max(0).values / entropy).mean()


@wrong("9.3", "no-share")
def _(told, entropy):
    return _gap(told).mean()


@wrong("9.3", "to-the-last")
def _(told, entropy):
    return ((told.max(0).values - told.min(0).values) / entropy).mean()


@wrong("9.3", "to-the-rest")
def _(told, entropy):
    best = told.max(0).values
    return ((best - (told.sum(0) - best) / (len(told) - 1)) / entropy).mean()


@wrong("9.3", "by-unit")
def _(told, entropy):
    return (_gap(told, 1) / entropy).mean()


@wrong("9.3", "by-unit")
def _(told, entropy):
    return _gap(told, 1).mean()


@wrong("9.3", "by-unit")
def _(told, entropy):
    first, second = told.topk(2, dim=1).values
    return ((first - second) / entropy).mean()


@wrong("9.3", "ascending")
def _(told, entropy):
    ranked = told.sort(0).values
    return ((ranked[0] - ranked[1]) / entropy).mean()


@wrong("9.3", "first-two-rows")
def _(told, entropy):
    return ((told[0] - told[1]) / entropy).mean()


@wrong("9.3", "by-the-best")
def _(told, entropy):
    return (_gap(told) / told.max(0).values).mean()


@wrong("9.3", "sum")
def _(told, entropy):
    return (_gap(told) / entropy).sum()


@wrong("9.3", "pooled")
def _(told, entropy):
    return _gap(told).sum() / entropy.sum()


@wrong("9.3", "no-average")
def _(told, entropy):
    return _gap(told) / entropy


@wrong("9.3", "wrong-sign")
def _(told, entropy):
    ranked = told.sort(0).values
    return ((ranked[-2] - ranked[-1]) / entropy).mean()


@right("9.3")
def _(told, entropy):
    return (_gap(told.double()) / entropy).mean()


@right("9.3")
def _(told, entropy):
    shares = (told / entropy).topk(2, dim=0).values
    return float((shares[0] - shares[1]).mean())


@right("9.3")
def _(told, entropy):
    ranked = np.sort(told.numpy(), axis=0)
    return np.mean((ranked[-1] - ranked[-2]) / entropy.numpy())


@right("9.3")
def _(told, entropy):
    total = 0.0
    for column, h in zip(told.T.tolist(), entropy.tolist(), strict=True):
        *_, second, first = sorted(column)
        total += (first - second) / h / len(entropy)
    return [total]


def _each(told):
    shares = told / told.sum(1, keepdim=True).clamp(min=1e-9)
    return 1 - torch.special.entr(shares).sum(1) / math.log(told.shape[1])


def _weight(told):
    return told.sum(1) / told.sum()


@wrong("9.4", "no-weights")
def _(told):
    return _each(told).mean()


@wrong("9.4", "by-factor")
def _(told):
    return _each(told.T).mean()


@wrong("9.4", "by-factor")
def _(told):
    return (_each(told.T) * _weight(told.T)).sum()


@wrong("9.4", "by-factor")
def _(told):
    return (told / told.sum(1)).sum()


@wrong("9.4", "no-base")
def _(told):
    shares = told / told.sum(1, keepdim=True).clamp(min=1e-9)
    return (_weight(told) * (1 - torch.special.entr(shares).sum(1))).sum()


@wrong("9.4", "not-one-minus")
def _(told):
    return (_weight(told) * (1 - _each(told))).sum()


@wrong("9.4", "shares-of-all")
def _(told):
    spread = torch.special.entr(told / told.sum()).sum(1) / math.log(told.shape[1])
    return (_weight(told) * (1 - spread)).sum()


@wrong("9.4", "largest-share")
def _(told):
    shares = told / told.sum(1, keepdim=True).clamp(min=1e-9)
    return (_weight(told) * shares.max(1).values).sum()


@wrong("9.4", "weights-not-shares")
def _(told):
    return (told.sum(1) * _each(told)).sum()


@wrong("9.4", "averaged-again")
def _(told):
    return (_weight(told) * _each(told)).mean()


@wrong("9.4", "no-average")
def _(told):
    return _each(told)


@wrong("9.4", "base-of-units")
def _(told):
    return (_weight(told) * (1 - (1 - _each(told)) * math.log(told.shape[1]) / math.log(told.shape[0]))).sum()


@wrong("9.4", "silent")
def _(told):
    shares = told / told.sum(1, keepdim=True)
    each = 1 + (shares * shares.log()).sum(1) / math.log(told.shape[1])
    return (_weight(told) * each).sum()


@wrong("9.4", "silent")
def _(told):
    each = 1 - torch.special.entr(told / told.sum(1, keepdim=True)).sum(1) / math.log(told.shape[1])
    return (_weight(told) * each).sum()


@right("9.4")
def _(told):
    return (_each(told.double()) * _weight(told.double())).sum()


@right("9.4")
def _(told):
    rows = [row for row in told.numpy() if row.sum() > 0]
    each = [1 - scipy_entropy(row, base=told.shape[1]) for row in rows]
    return np.average(each, weights=[row.sum() for row in rows])


@right("9.4")
def _(told):
    shares = told / (told.sum(1, keepdim=True) + 1e-10)
    spread = -(shares * (shares + 1e-10).log()).sum(1) / math.log(told.shape[1])
    return float(((1 - spread) * told.sum(1)).sum() / told.sum())


@right("9.4")
def _(told):
    total, score = float(told.sum()), 0.0
    for row in told.tolist():
        for value in row:
            score += value / total
            if value > 0:
                score += value / total * math.log(value / sum(row)) / math.log(len(row))
    return score


def _r(z, factors):
    with np.errstate(invalid="ignore"):
        both = np.corrcoef(z.T.numpy(), factors.T.numpy())
    return torch.tensor(both[: z.shape[1], z.shape[1] :]).nan_to_num()


@wrong("T9", "not-squared")
def _(z, factors):
    return _gap(_r(z, factors)).mean()


@wrong("T9", "absolute")
def _(z, factors):
    return _gap(_r(z, factors).abs()).mean()


@wrong("T9", "no-gap")
def _(z, factors):
    return (_r(z, factors) ** 2).max(0).values.mean()


@wrong("T9", "to-the-last")
def _(z, factors):
    r2 = _r(z, factors) ** 2
    return (r2.max(0).values - r2.min(0).values).mean()


@wrong("T9", "by-unit")
def _(z, factors):
    return _gap(_r(z, factors) ** 2, 1).mean()


@wrong("T9", "sum")
def _(z, factors):
    return _gap(_r(z, factors) ** 2).sum()


@wrong("T9", "covariance")
def _(z, factors):
    covariance = (z - z.mean(0)).T @ (factors - factors.mean(0)) / len(z)
    return _gap(covariance**2).mean()


@wrong("T9", "not-centered")
def _(z, factors):
    return _gap((z.T @ factors / (z.norm(dim=0)[:, None] * factors.norm(dim=0))) ** 2).mean()


@wrong("T9", "by-the-best")
def _(z, factors):
    r2 = _r(z, factors) ** 2
    return (_gap(r2) / r2.max(0).values).mean()


@wrong("T9", "squared-gap")
def _(z, factors):
    return (_gap(_r(z, factors).abs()) ** 2).mean()


@wrong("T9", "silent")
def _(z, factors):
    z, factors = z - z.mean(0), factors - factors.mean(0)
    return _gap((z.T @ factors / (z.norm(dim=0)[:, None] * factors.norm(dim=0))) ** 2).mean()


@right("T9")
def _(z, factors):
    return _gap(_r(z, factors) ** 2).mean()


@right("T9")
def _(z, factors):
    scores = []
    for v in factors.T.double():
        of_units = []
        for u in z.T.double():
            line = torch.stack([u, torch.ones_like(u)], 1)
            left = v - line @ torch.linalg.pinv(line) @ v
            of_units.append(float(1 - left.square().sum() / (v - v.mean()).square().sum()))
        *_, second, first = sorted(of_units)
        scores.append(first - second)
    return sum(scores) / len(scores)


@right("T9")
def _(z, factors):
    z, factors = z - z.mean(0), factors - factors.mean(0)
    z, factors = (one / one.std(0).clamp(min=1e-9) for one in (z, factors))
    r = z.T @ factors / (len(z) - 1)
    return float(_gap(r.square()).mean())

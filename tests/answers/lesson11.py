"""Wrong and right answers to the exercises and the task of lesson 11."""

import math

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import distributions
from torch.nn import functional

from tests.answers import right, wrong


@wrong("11.1", "ties-lost")
def _(anomalous, normal):
    return (anomalous[:, None] > normal).double().mean()


@wrong("11.1", "ties-won")
def _(anomalous, normal):
    return (anomalous[:, None] >= normal).double().mean()


@wrong("11.1", "ties-left-out")
def _(anomalous, normal):
    won, lost = (anomalous[:, None] > normal).sum(), (anomalous[:, None] < normal).sum()
    return won / (won + lost)


@wrong("11.1", "reversed")
def _(anomalous, normal):
    return roc_auc_score([1] * len(normal) + [0] * len(anomalous), torch.cat([normal, anomalous]))


@wrong("11.1", "one-to-one")
def _(anomalous, normal):
    return (anomalous > normal).double().mean() + 0.5 * (anomalous == normal).double().mean()


@wrong("11.1", "not-divided")
def _(anomalous, normal):
    return (anomalous[:, None] > normal).sum() + 0.5 * (anomalous[:, None] == normal).sum()


@wrong("11.1", "divided-once")
def _(anomalous, normal):
    return (anomalous[:, None] > normal).sum() / len(normal)


@wrong("11.1", "divided-once")
def _(anomalous, normal):
    return (anomalous[:, None] > normal).sum() / len(anomalous)


@wrong("11.1", "odds")
def _(anomalous, normal):
    return (anomalous[:, None] > normal).sum() / (anomalous[:, None] < normal).sum()


@wrong("11.1", "percent")
def _(anomalous, normal):
    return 100 * (anomalous[:, None] > normal).double().mean()


@wrong("11.1", "one-limit")
def _(anomalous, normal):
    return (anomalous > normal.mean()).double().mean()


@wrong("11.1", "one-limit")
def _(anomalous, normal):
    return (anomalous > normal.max()).double().mean()


@wrong("11.1", "many-numbers")
def _(anomalous, normal):
    return (anomalous[:, None] > normal).double().mean(1)


@wrong("11.1", "ranks")
def _(anomalous, normal):
    ranks = torch.cat([anomalous, normal]).argsort().argsort() + 1
    return ranks[: len(anomalous)].sum() / (len(anomalous) * len(normal))


@right("11.1")
def _(anomalous, normal):
    return roc_auc_score([0] * len(normal) + [1] * len(anomalous), torch.cat([normal, anomalous]))


@right("11.1")
def _(anomalous, normal):
    won = 0.0
    for a in anomalous.tolist():
        for n in normal.tolist():
            won += 1.0 if a > n else 0.5 if a == n else 0.0
    return won / (len(anomalous) * len(normal))


@right("11.1")
def _(anomalous, normal):
    return ((anomalous[None, :] - normal[:, None]).sign().double().mean() + 1) / 2


@right("11.1")
def _(anomalous, normal):
    a, n = np.meshgrid(anomalous.double().numpy(), normal.double().numpy())
    return np.heaviside(a - n, 0.5).mean()


def _white(x_logits, p):
    s = x_logits.sigmoid()
    return s * (1 - p) + (1 - s) * p


def _cost(white, x):
    return functional.binary_cross_entropy(white, x, reduction="none").flatten(1).sum(1)


@wrong("11.2", "x-forgotten")
def _(x_logits, x, p):
    return -_white(x_logits, p).log().flatten(1).sum(1)


@wrong("11.2", "no-flip")
def _(x_logits, x, p):
    return _cost(x_logits.sigmoid(), x)


@wrong("11.2", "logs-mixed")
def _(x_logits, x, p):
    return (1 - p) * _cost(x_logits.sigmoid(), x) + p * _cost(x_logits.sigmoid(), 1 - x)


@wrong("11.2", "p-turned")
def _(x_logits, x, p):
    return _cost(_white(x_logits, 1 - p), x)


@wrong("11.2", "one-way")
def _(x_logits, x, p):
    return _cost(x_logits.sigmoid() * (1 - p), x)


@wrong("11.2", "one-way")
def _(x_logits, x, p):
    s = x_logits.sigmoid()
    return _cost(s + (1 - s) * p, x)


@wrong("11.2", "replaced")
def _(x_logits, x, p):
    return _cost((1 - p) * x_logits.sigmoid() + p / 2, x)


@wrong("11.2", "logits-mixed")
def _(x_logits, x, p):
    return _cost(((1 - p) * x_logits - p * x_logits).sigmoid(), x)


@wrong("11.2", "sigmoid-twice")
def _(x_logits, x, p):
    return functional.binary_cross_entropy_with_logits(_white(x_logits, p), x, reduction="none").flatten(1).sum(1)


@wrong("11.2", "no-probability")
def _(x_logits, x, p):
    return _cost(x_logits * (1 - p) + (1 - x_logits) * p, x)


@wrong("11.2", "mean-over-pixels")
def _(x_logits, x, p):
    return functional.binary_cross_entropy(_white(x_logits, p), x, reduction="none").flatten(1).mean(1)


@wrong("11.2", "one-number")
def _(x_logits, x, p):
    return _cost(_white(x_logits, p), x).mean()


@wrong("11.2", "one-pixel-each")
def _(x_logits, x, p):
    return functional.binary_cross_entropy(_white(x_logits, p), x, reduction="none")


@wrong("11.2", "wrong-sign")
def _(x_logits, x, p):
    return -_cost(_white(x_logits, p), x)


@right("11.2")
def _(x_logits, x, p):
    return -distributions.Bernoulli(_white(x_logits.double(), p)).log_prob(x.double()).sum((1, 2, 3))


@right("11.2")
def _(x_logits, x, p):
    s = 1 / (1 + np.exp(-x_logits.double().numpy()))
    same = np.where(x.numpy() > 0.5, s, 1 - s)
    return -np.log((1 - p) * same + p * (1 - same)).reshape(len(x), -1).sum(1)


@right("11.2")
def _(x_logits, x, p):
    as_it_is = functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    turned = functional.binary_cross_entropy_with_logits(x_logits, 1 - x, reduction="none")
    if p == 0:
        return as_it_is.sum((1, 2, 3))
    return -torch.logaddexp(math.log(1 - p) - as_it_is, math.log(p) - turned).sum((1, 2, 3))


@right("11.2")
def _(x_logits, x, p):
    return torch.stack([_cost(_white(one[None], p), seen[None])[0] for one, seen in zip(x_logits, x, strict=True)])


def _pixels(x_logits, x):
    return functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none")


@wrong("11.3", "all-pixels")
def _(x_logits, x, seen):
    return _pixels(x_logits, x).flatten(1).sum(1)


@wrong("11.3", "hidden-instead")
def _(x_logits, x, seen):
    return (_pixels(x_logits, x) * ~seen).flatten(1).sum(1)


@wrong("11.3", "hidden-as-black")
def _(x_logits, x, seen):
    return _pixels(x_logits, x * seen).flatten(1).sum(1)


@wrong("11.3", "log-2-each")
def _(x_logits, x, seen):
    return _pixels(x_logits * seen, x * seen).flatten(1).sum(1)


@wrong("11.3", "averaged-first")
def _(x_logits, x, seen):
    return torch.where(seen, functional.binary_cross_entropy_with_logits(x_logits, x), 0.0).flatten(1).sum(1)


@wrong("11.3", "mean-over-pixels")
def _(x_logits, x, seen):
    return (_pixels(x_logits, x) * seen).flatten(1).mean(1)


@wrong("11.3", "mean-over-pixels")
def _(x_logits, x, seen):
    return _pixels(x_logits, x)[:, 0, seen].mean(1)


@wrong("11.3", "scaled-up")
def _(x_logits, x, seen):
    return _pixels(x_logits, x)[:, 0, seen].mean(1) * seen.numel()


@wrong("11.3", "one-number")
def _(x_logits, x, seen):
    return _pixels(x_logits, x)[:, 0, seen].sum()


@wrong("11.3", "one-pixel-each")
def _(x_logits, x, seen):
    return _pixels(x_logits, x) * seen


@wrong("11.3", "wrong-sign")
def _(x_logits, x, seen):
    return -(_pixels(x_logits, x) * seen).flatten(1).sum(1)


@right("11.3")
def _(x_logits, x, seen):
    return _pixels(x_logits[:, 0, seen], x[:, 0, seen]).sum(1)


@right("11.3")
def _(x_logits, x, seen):
    return functional.binary_cross_entropy_with_logits(
        x_logits.double(), x.double(), weight=seen.double(), reduction="none"
    ).sum((1, 2, 3))


@right("11.3")
def _(x_logits, x, seen):
    log_p = distributions.Bernoulli(logits=x_logits).log_prob(x)
    return -log_p.masked_fill(~seen, 0).flatten(1).sum(1)


@right("11.3")
def _(x_logits, x, seen):
    x_logits, x, seen = x_logits.double().numpy(), x.double().numpy(), seen.numpy()
    return np.stack([(np.logaddexp(0, a) - b * a)[0][seen].sum() for a, b in zip(x_logits, x, strict=True)])


def _ends(gain, error):
    return gain, gain - 2 * error, gain + 2 * error


def _gain(gains):
    return _ends(gains.mean(), gains.std() / len(gains) ** 0.5)


@wrong("11.4", "errors-alone")
def _(with_it, without):
    gains = with_it - without
    error = gains.std() / len(gains) ** 0.5
    return gains.mean(), 2 * error, 2 * error


@wrong("11.4", "errors-alone")
def _(with_it, without):
    gains = with_it - without
    error = gains.std() / len(gains) ** 0.5
    return gains.mean(), -2 * error, 2 * error


@wrong("11.4", "unpaired")
def _(with_it, without):
    n = len(with_it)
    return _ends((with_it - without).mean(), (with_it.var() / n + without.var() / n) ** 0.5)


@wrong("11.4", "unpaired")
def _(with_it, without):
    return _ends(with_it.mean() - without.mean(), with_it.std() / len(with_it) ** 0.5)


@wrong("11.4", "one-error")
def _(with_it, without):
    gains = with_it - without
    error = gains.std() / len(gains) ** 0.5
    return gains.mean(), gains.mean() - error, gains.mean() + error


@wrong("11.4", "no-root")
def _(with_it, without):
    return _ends((with_it - without).mean(), (with_it - without).std())


@wrong("11.4", "by-number")
def _(with_it, without):
    return _ends((with_it - without).mean(), (with_it - without).std() / len(with_it))


@wrong("11.4", "population")
def _(with_it, without):
    gains = (with_it - without).numpy()
    return _ends(gains.mean(), gains.std() / len(gains) ** 0.5)


@wrong("11.4", "reversed")
def _(with_it, without):
    return _gain(without - with_it)


@wrong("11.4", "relative")
def _(with_it, without):
    return _gain(with_it / without - 1)


@wrong("11.4", "sum")
def _(with_it, without):
    gains = with_it - without
    return _ends(gains.sum(), gains.std() / len(gains) ** 0.5)


@wrong("11.4", "order")
def _(with_it, without):
    gain, low, high = _gain(with_it - without)
    return low, gain, high


@wrong("11.4", "order")
def _(with_it, without):
    gain, low, high = _gain(with_it - without)
    return gain, high, low


@wrong("11.4", "1.96")
def _(with_it, without):
    gains = (with_it - without).double()
    error = gains.std() / len(gains) ** 0.5
    return gains.mean(), gains.mean() - 1.96 * error, gains.mean() + 1.96 * error


@right("11.4")
def _(with_it, without):
    gains = (with_it.double() - without.double()).numpy()
    return _ends(gains.mean(), gains.std(ddof=1) / np.sqrt(len(gains)))


@right("11.4")
def _(with_it, without):
    gains = [a - b for a, b in zip(with_it.tolist(), without.tolist(), strict=True)]
    mean = sum(gains) / len(gains)
    error = math.sqrt(sum((g - mean) ** 2 for g in gains) / (len(gains) - 1) / len(gains))
    return [mean, mean - 2 * error, mean + 2 * error]


@right("11.4")
def _(with_it, without):
    # The spread of a difference, from both spreads and what they have in common.
    both = torch.stack([with_it, without]).double().cov()
    error = ((both[0, 0] + both[1, 1] - 2 * both[0, 1]) / len(with_it)).sqrt()
    return _ends((with_it.double() - without.double()).mean(), error)


def _limit(calibration, rate):
    order = calibration.sort().values
    return order[len(order) - math.floor(rate * len(order)) - 1]


def _alarms(calibration, anomalous, limit, share):
    false, caught = (calibration > limit).double().mean(), (anomalous > limit).double().mean()
    return limit, caught, (share * caught / (share * caught + (1 - share) * false)).nan_to_num(0)


@wrong("T11", "no-alarm")
def _(calibration, anomalous, rate, share):
    limit = _limit(calibration, rate)
    false, caught = (calibration > limit).double().mean(), (anomalous > limit).double().mean()
    return limit, caught, share * caught / (share * caught + (1 - share) * false)


@wrong("T11", "no-alarm")
def _(calibration, anomalous, rate, share):
    limit = _limit(calibration, rate).item()
    false = sum(c > limit for c in calibration.tolist()) / len(calibration)
    caught = sum(a > limit for a in anomalous.tolist()) / len(anomalous)
    return limit, caught, share * caught / (share * caught + (1 - share) * false)


@wrong("T11", "quantile")
def _(calibration, anomalous, rate, share):
    return _alarms(calibration, anomalous, torch.quantile(calibration, 1 - rate), share)


@wrong("T11", "one-too-high")
def _(calibration, anomalous, rate, share):
    limit = calibration[(calibration >= calibration[:, None]).double().mean(1) <= rate].min()
    return _alarms(calibration, anomalous, limit, share)


@wrong("T11", "one-too-low")
def _(calibration, anomalous, rate, share):
    limit = calibration.sort().values[-math.ceil(rate * len(calibration)) - 1]
    return _alarms(calibration, anomalous, limit, share)


@wrong("T11", "lower-end")
def _(calibration, anomalous, rate, share):
    limit = -_limit(-calibration, rate)
    return limit, *_alarms(-calibration, -anomalous, -limit, share)[1:]


@wrong("T11", "largest")
def _(calibration, anomalous, rate, share):
    limit = calibration.max()
    return limit, (anomalous > limit).double().mean(), 1.0


@wrong("T11", "of-anomalies")
def _(calibration, anomalous, rate, share):
    return _alarms(calibration, anomalous, torch.quantile(anomalous.double(), 1 - rate), share)


@wrong("T11", "at-limit")
def _(calibration, anomalous, rate, share):
    limit, _, worth = _alarms(calibration, anomalous, _limit(calibration, rate), share)
    return limit, (anomalous >= limit).double().mean(), worth


@wrong("T11", "missed")
def _(calibration, anomalous, rate, share):
    limit, caught, worth = _alarms(calibration, anomalous, _limit(calibration, rate), share)
    return limit, 1 - caught, worth


@wrong("T11", "counted")
def _(calibration, anomalous, rate, share):
    limit, _, worth = _alarms(calibration, anomalous, _limit(calibration, rate), share)
    return limit, (anomalous > limit).sum(), worth


@wrong("T11", "false-alarms")
def _(calibration, anomalous, rate, share):
    limit, _, worth = _alarms(calibration, anomalous, _limit(calibration, rate), share)
    return limit, (calibration > limit).double().mean(), worth


@wrong("T11", "no-share")
def _(calibration, anomalous, rate, share):
    return _alarms(calibration, anomalous, _limit(calibration, rate), 0.5)


@wrong("T11", "shares-turned")
def _(calibration, anomalous, rate, share):
    return _alarms(calibration, anomalous, _limit(calibration, rate), 1 - share)


@wrong("T11", "false-worth")
def _(calibration, anomalous, rate, share):
    limit, caught, worth = _alarms(calibration, anomalous, _limit(calibration, rate), share)
    return limit, caught, 1 - worth


@wrong("T11", "alarm-share")
def _(calibration, anomalous, rate, share):
    limit, caught, _ = _alarms(calibration, anomalous, _limit(calibration, rate), share)
    return limit, caught, share * caught + (1 - share) * (calibration > limit).double().mean()


@wrong("T11", "counts")
def _(calibration, anomalous, rate, share):
    limit, caught, _ = _alarms(calibration, anomalous, _limit(calibration, rate), share)
    true, false = (anomalous > limit).sum(), (calibration > limit).sum()
    return limit, caught, true / (true + false)


@wrong("T11", "rate")
def _(calibration, anomalous, rate, share):
    limit, caught, _ = _alarms(calibration, anomalous, _limit(calibration, rate), share)
    return limit, caught, share * caught / (share * caught + (1 - share) * rate)


@wrong("T11", "normal-unweighted")
def _(calibration, anomalous, rate, share):
    limit, caught, _ = _alarms(calibration, anomalous, _limit(calibration, rate), share)
    return limit, caught, share * caught / (share * caught + (calibration > limit).double().mean())


@right("T11")
def _(calibration, anomalous, rate, share):
    return _alarms(calibration, anomalous, _limit(calibration, rate), share)


@right("T11")
def _(calibration, anomalous, rate, share):
    calibration, anomalous = calibration.double().numpy(), anomalous.double().numpy()
    limit = min(c for c in calibration if np.mean(calibration > c) <= rate)
    false, caught = np.mean(calibration > limit), np.mean(anomalous > limit)
    return limit, caught, 1 / (1 + (1 - share) * false / (share * caught)) if caught else 0.0


@right("T11")
def _(calibration, anomalous, rate, share):
    limit = torch.quantile(calibration.double(), 1 - rate, interpolation="higher").float()
    above = calibration.sort().values.flip(0)
    limit = next(c for i, c in reversed(list(enumerate(above))) if i <= rate * len(above) and c <= limit)
    return [*_alarms(calibration, anomalous, limit, share)]

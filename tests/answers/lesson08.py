"""Wrong and right answers to the exercises and the task of lesson 08."""

import math

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from torch import distributions

from tests.answers import right, wrong


@wrong("8.1", "no-half")
def _(variance, noise, beta):
    return (variance / (beta * noise)).log().clamp(min=0)


@wrong("8.1", "beta-left-out")
def _(variance, noise, beta):
    return (0.5 * (variance / noise).log()).relu()


@wrong("8.1", "beta-wrong-side")
def _(variance, noise, beta):
    return (0.5 * (beta * variance / noise).log()).relu()


@wrong("8.1", "beta-outside")
def _(variance, noise, beta):
    return (0.5 / beta * (variance / noise).log()).relu()


@wrong("8.1", "noise-squared")
def _(variance, noise, beta):
    return (0.5 * torch.log(variance / (beta * noise**2))).relu()


@wrong("8.1", "variance-squared")
def _(variance, noise, beta):
    return (0.5 * torch.log(variance**2 / (beta * noise))).relu()


@wrong("8.1", "upside-down")
def _(variance, noise, beta):
    return torch.clamp(0.5 * torch.log(beta * noise / variance), min=0)


@wrong("8.1", "signal-and-noise")
def _(variance, noise, beta):
    return 0.5 * torch.log1p(variance / (beta * noise))


@wrong("8.1", "no-logarithm")
def _(variance, noise, beta):
    return 0.5 * (variance / (beta * noise) - 1).clamp(min=0)


@wrong("8.1", "bits")
def _(variance, noise, beta):
    return 0.5 * torch.log2(variance / (beta * noise)).clamp(min=0)


@wrong("8.1", "summed")
def _(variance, noise, beta):
    return 0.5 * torch.log(variance / (beta * noise)).clamp(min=0).sum()


@wrong("8.1", "negative")
def _(variance, noise, beta):
    return 0.5 * torch.log(variance / (beta * noise))


@wrong("8.1", "absolute")
def _(variance, noise, beta):
    return 0.5 * torch.log(variance / (beta * noise)).abs()


@wrong("8.1", "precedence")
def _(variance, noise, beta):
    return (0.5 * (variance / beta * noise).log()).clamp(min=0)


@wrong("8.1", "precedence")
def _(variance, noise, beta):
    return 0.5 * (variance / beta * noise).log()


@wrong("8.1", "not-a-number")
def _(variance, noise, beta):
    return max(0, 0.5 * math.log(variance / (beta * noise)))


@wrong("8.1", "not-a-number")
def _(variance, noise, beta):
    return max(0, 0.5 * torch.log(variance / (beta * noise)))


@right("8.1")
def _(variance, noise, beta):
    return torch.where(variance > beta * noise, 0.5 * variance.log() - 0.5 * math.log(beta * noise), 0.0)


@right("8.1")
def _(variance, noise, beta):
    return [0.5 * math.log(max(float(one) / (beta * noise), 1)) for one in variance]


@right("8.1")
def _(variance, noise, beta):
    return np.maximum(np.log(np.sqrt(variance.double().numpy() / beta / noise)), 0)


@right("8.1")
def _(variance, noise, beta):
    return torch.log(torch.maximum(variance / noise, torch.tensor(beta)) / beta) / 2


def _kl(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar)


@wrong("8.2", "per-image")
def _(mu, logvar):
    return _kl(mu, logvar).sum(1)


@wrong("8.2", "per-image")
def _(mu, logvar):
    return _kl(mu, logvar).mean(1)


@wrong("8.2", "total")
def _(mu, logvar):
    return _kl(mu, logvar).sum(1).mean()


@wrong("8.2", "total")
def _(mu, logvar):
    return _kl(mu, logvar).mean()


@wrong("8.2", "summed")
def _(mu, logvar):
    return _kl(mu, logvar).sum(0)


@wrong("8.2", "over-units")
def _(mu, logvar):
    return _kl(mu, logvar).sum(0) / mu.numel()


@wrong("8.2", "whole-table")
def _(mu, logvar):
    return _kl(mu, logvar)


@wrong("8.2", "no-half")
def _(mu, logvar):
    return (mu**2 + logvar.exp() - 1 - logvar).mean(0)


@wrong("8.2", "sign")
def _(mu, logvar):
    return 0.5 * (1 + logvar - mu**2 - logvar.exp()).mean(0)


@wrong("8.2", "sigma")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar**2 - 1 - torch.log(logvar**2)).mean(0)


@wrong("8.2", "log-sigma")
def _(mu, logvar):
    return _kl(mu, 2 * logvar).mean(0)


@wrong("8.2", "mu-left-out")
def _(mu, logvar):
    return _kl(0 * mu, logvar).mean(0)


@wrong("8.2", "of-the-mean")
def _(mu, logvar):
    return _kl(mu.mean(0), logvar.mean(0))


@wrong("8.2", "one-left-out")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - logvar).mean(0)


@wrong("8.2", "mu-not-squared")
def _(mu, logvar):
    return 0.5 * (mu + logvar.exp() - 1 - logvar).mean(0)


@wrong("8.2", "variance-left-out")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar - 1 - logvar).mean(0)


@wrong("8.2", "log-of-logvar")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar - 1 - logvar.log()).mean(0)


@right("8.2")
def _(mu, logvar):
    posterior = distributions.Normal(mu.double(), (0.5 * logvar.double()).exp())
    return distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0)).mean(0)


@right("8.2")
def _(mu, logvar):
    mu, logvar = mu.numpy().astype(np.float64), logvar.numpy().astype(np.float64)
    return [float(np.mean(0.5 * (m**2 + np.exp(v) - 1 - v))) for m, v in zip(mu.T, logvar.T, strict=True)]


@right("8.2")
def _(mu, logvar):
    total = torch.zeros(mu.shape[1])
    for m, v in zip(mu, logvar, strict=True):
        total += 0.5 * (m * m + v.exp() - v - 1)
    return total / len(mu)


@wrong("8.3", "standard-deviation")
def _(mu, threshold=0.01):
    return (mu.std(0) > threshold).sum()


@wrong("8.3", "not-centered")
def _(mu, threshold=0.01):
    return (mu.square().mean(0) > threshold).sum()


@wrong("8.3", "not-centered")
def _(mu, threshold=0.01):
    return int((mu.abs().mean(0) > threshold).sum())


@wrong("8.3", "dead-ones")
def _(mu, threshold=0.01):
    return (mu.var(0) < threshold).sum()


@wrong("8.3", "share")
def _(mu, threshold=0.01):
    return (mu.var(0) > threshold).float().mean()


@wrong("8.3", "over-units")
def _(mu, threshold=0.01):
    return (mu.var(1) > threshold).sum()


@wrong("8.3", "all")
def _(mu, threshold=0.01):
    return (mu.max(0).values - mu.min(0).values > 0).sum()


@wrong("8.3", "mask")
def _(mu, threshold=0.01):
    return mu.var(0) > threshold


@wrong("8.3", "mask")
def _(mu, threshold=0.01):
    return mu.var(0)


@wrong("8.3", "per-image")
def _(mu, threshold=0.01):
    return (mu.square() > threshold).sum(1)


@wrong("8.3", "threshold-ignored")
def _(mu, threshold=0.01):
    return (mu.var(0) > 0.01).sum()


@wrong("8.3", "over-everything")
def _(mu, threshold=0.01):
    return (mu.var() > threshold).sum()


@right("8.3")
def _(mu, threshold=0.01):
    return int(np.sum(np.var(mu.double().numpy(), axis=0) > threshold))


@right("8.3")
def _(mu, threshold=0.01):
    return sum(float(unit.var(correction=0)) > threshold for unit in mu.T)


@right("8.3")
def _(mu, threshold=0.01):
    return (torch.cov(mu.T).diagonal() > threshold).count_nonzero()


@right("8.3")
def _(mu, threshold=0.01):
    return float((((mu - mu.mean(0)) ** 2).mean(0) > threshold).float().sum())


@wrong("8.4", "use-first")
def _(active, alone, reachable, slack=0.1):
    if active > 0:
        return "in use"
    return "not needed" if reachable - alone <= slack else "collapsed"


@wrong("8.4", "swapped")
def _(active, alone, reachable, slack=0.1):
    if reachable - alone <= slack:
        return "collapsed"
    return "in use" if active else "not needed"


@wrong("8.4", "sign")
def _(active, alone, reachable, slack=0.1):
    if alone - reachable <= slack:
        return "not needed"
    return "in use" if active else "collapsed"


@wrong("8.4", "slack-ignored")
def _(active, alone, reachable, slack=0.1):
    if reachable <= alone:
        return "not needed"
    return "in use" if active else "collapsed"


@wrong("8.4", "slack-fixed")
def _(active, alone, reachable, slack=0.1):
    if reachable - alone <= 0.1:
        return "not needed"
    return "in use" if active else "collapsed"


@wrong("8.4", "worth-ignored")
def _(active, alone, reachable, slack=0.1):
    return "in use" if active else "collapsed"


@wrong("8.4", "use-turned")
def _(active, alone, reachable, slack=0.1):
    if reachable - alone <= slack:
        return "not needed"
    return "collapsed" if active else "in use"


@wrong("8.4", "other-words")
def _(active, alone, reachable, slack=0.1):
    return reachable - alone <= slack


@wrong("8.4", "no-default")
def _(active, alone, reachable, slack=1.0):
    if reachable - alone <= slack:
        return "not needed"
    return "in use" if active else "collapsed"


@wrong("8.4", "one-is-enough")
def _(active, alone, reachable, slack=0.1):
    if reachable - alone <= slack:
        return "not needed"
    return "in use" if active > 1 else "collapsed"


@wrong("8.4", "border")
def _(active, alone, reachable, slack=0.1):
    if reachable - alone < slack:
        return "not needed"
    return "in use" if active > 0 else "collapsed"


@wrong("8.4", "no-return")
def _(active, alone, reachable, slack=0.1):
    if reachable - alone <= slack:
        return "not needed"
    if active > 0:
        return "in use"


@wrong("8.4", "use-ignored")
def _(active, alone, reachable, slack=0.1):
    return "not needed" if reachable - alone <= slack else "collapsed"


@right("8.4")
def _(active, alone, reachable, slack=0.1):
    worthy = reachable > alone + slack
    return "not needed" if not worthy else ("collapsed", "in use")[active > 0]


@right("8.4")
def _(active, alone, reachable, slack=0.1):
    if active == 0 and reachable - alone > slack:
        return "collapsed"
    if reachable - alone > slack:
        return "in use"
    return "not needed"


@wrong("8.5", "image-by-image")
def _(kl, floor):
    return kl.clamp(min=floor).sum(1)


@wrong("8.5", "total")
def _(kl, floor):
    return kl.sum(1).mean().clamp(min=floor).expand(len(kl))


@wrong("8.5", "total")
def _(kl, floor):
    return kl.sum(1).clamp(min=floor)


@wrong("8.5", "ceiling")
def _(kl, floor):
    return kl.mean(0).clamp(max=floor).sum().expand(len(kl))


@wrong("8.5", "subtracted")
def _(kl, floor):
    return (kl.mean(0) - floor).relu().sum().expand(len(kl))


@wrong("8.5", "dropped")
def _(kl, floor):
    return (kl * (kl.mean(0) > floor)).sum(1)


@wrong("8.5", "averaged")
def _(kl, floor):
    return torch.where(kl.mean(0) > floor, kl, floor).mean(1)


@wrong("8.5", "no-floor")
def _(kl, floor):
    return kl.sum(1)


@wrong("8.5", "not-summed")
def _(kl, floor):
    return torch.where(kl.mean(0) > floor, kl, floor)


@wrong("8.5", "one-number")
def _(kl, floor):
    return kl.mean(0).clamp(min=floor).sum()


@wrong("8.5", "per-unit")
def _(kl, floor):
    return kl.mean(0).clamp(min=floor)


@wrong("8.5", "no-gradient")
def _(kl, floor):
    return torch.where(kl.mean(0) > floor, kl, floor).sum(1).detach()


@wrong("8.5", "pushes-all")
def _(kl, floor):
    lift = (floor - kl.mean(0)).clamp(min=0).detach()
    return (kl + lift).sum(1)


@wrong("8.5", "image-asks")
def _(kl, floor):
    return torch.where(kl.mean(1, keepdim=True) > floor, kl, floor).sum(1)


@wrong("8.5", "image-asks")
def _(kl, floor):
    return kl.sum(1).clamp(min=floor * kl.shape[1])


@wrong("8.5", "all-units-at-once")
def _(kl, floor):
    return torch.where(kl.mean() > floor, kl, floor).sum(1)


@wrong("8.5", "sum-asks")
def _(kl, floor):
    return torch.where(kl.sum(0) > floor, kl, floor).sum(1)


@wrong("8.5", "floor-is-a-number")
def _(kl, floor):
    return torch.maximum(kl.mean(0), floor).sum().expand(len(kl))


@right("8.5")
def _(kl, floor):
    return kl.mean(0).clamp(min=floor).sum().expand(len(kl))


@right("8.5")
def _(kl, floor):
    on = (kl.mean(0) > floor).to(kl.dtype)
    return kl @ on + floor * (1 - on).sum()


@right("8.5")
def _(kl, floor):
    total = 0
    for unit in kl.unbind(1):
        total = total + (unit if unit.mean() > floor else torch.full_like(unit, floor))
    return total


@right("8.5")
def _(kl, floor):
    mean = kl.mean(0)
    return kl.sum(1) + ((torch.maximum(mean, torch.tensor(floor, dtype=kl.dtype)) - mean).sum())


def _log_normal(z, mu, logvar):
    return distributions.Normal(mu, (0.5 * logvar).exp()).log_prob(z)


def _parts(z, mu, logvar, log_all):
    own = _log_normal(z, mu, logvar).sum(1)
    log_prior = distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    return (own - log_all).mean(), (log_all - log_prior).mean()


def _table(z, mu, logvar):
    return _log_normal(z[:, None], mu, logvar).sum(2)


@wrong("T8", "sum-not-mean")
def _(z, mu, logvar):
    return _parts(z, mu, logvar, _table(z, mu, logvar).logsumexp(1))


@wrong("T8", "other-axis")
def _(z, mu, logvar):
    return _parts(z, mu, logvar, _table(z, mu, logvar).logsumexp(0) - math.log(len(z)))


@wrong("T8", "left-out")
def _(z, mu, logvar):
    table = _table(z, mu, logvar).masked_fill(torch.eye(len(z)).bool(), -torch.inf)
    return _parts(z, mu, logvar, table.logsumexp(1) - math.log(len(z) - 1))


@wrong("T8", "mean-of-logs")
def _(z, mu, logvar):
    return _parts(z, mu, logvar, _table(z, mu, logvar).mean(1))


@wrong("T8", "unit-by-unit")
def _(z, mu, logvar):
    return _parts(z, mu, logvar, (_log_normal(z[:, None], mu, logvar).logsumexp(1) - math.log(len(z))).sum(1))


@wrong("T8", "one-gaussian")
def _(z, mu, logvar):
    covariance = torch.cov(mu.T, correction=0) + logvar.exp().mean(0).diag()
    return _parts(z, mu, logvar, distributions.MultivariateNormal(mu.mean(0), covariance).log_prob(z))


@wrong("T8", "whole-kl")
def _(z, mu, logvar):
    information, mismatch = _parts(z, mu, logvar, _table(z, mu, logvar).logsumexp(1) - math.log(len(z)))
    return information + mismatch, mismatch


@wrong("T8", "swapped")
def _(z, mu, logvar):
    return _parts(z, mu, logvar, _table(z, mu, logvar).logsumexp(1) - math.log(len(z)))[::-1]


@wrong("T8", "underflow")
def _(z, mu, logvar):
    return _parts(z, mu, logvar, _table(z, mu, logvar).exp().mean(1).log())


@wrong("T8", "spread")
def _(z, mu, logvar):
    return _parts(z, mu, 2 * logvar, _table(z, mu, 2 * logvar).logsumexp(1) - math.log(len(z)))


@wrong("T8", "kl-as-mismatch")
def _(z, mu, logvar):
    information, mismatch = _parts(z, mu, logvar, _table(z, mu, logvar).logsumexp(1) - math.log(len(z)))
    return information, information + mismatch


@wrong("T8", "constant")
def _(z, mu, logvar):
    information, mismatch = _parts(z, mu, logvar, _table(z, mu, logvar).logsumexp(1) - math.log(len(z)))
    return information, mismatch - 0.5 * z.shape[1] * math.log(2 * math.pi)


@right("T8")
def _(z, mu, logvar):
    z, mu, sigma = (part.double().numpy() for part in (z, mu, (0.5 * logvar.double()).exp()))
    table = norm.logpdf(z[:, None], mu, sigma).sum(2)
    log_all = logsumexp(table, axis=1) - np.log(len(z))
    return np.mean(np.diag(table) - log_all), np.mean(log_all - norm.logpdf(z).sum(1))


@right("T8")
def _(z, mu, logvar):
    posteriors = distributions.Independent(distributions.Normal(mu.double(), (0.5 * logvar.double()).exp()), 1)
    mixture = distributions.MixtureSameFamily(distributions.Categorical(torch.ones(len(mu))), posteriors)
    log_all = mixture.log_prob(z.double())
    prior = distributions.MultivariateNormal(torch.zeros(z.shape[1]).double(), torch.eye(z.shape[1]).double())
    return [(posteriors.log_prob(z.double()) - log_all).mean(), (log_all - prior.log_prob(z.double())).mean()]


@right("T8")
def _(z, mu, logvar):
    # Normal densities without their constants, which cancel in both differences.
    def log_density(z, mu, logvar):
        return -0.5 * ((z - mu) ** 2 / logvar.exp() + logvar).sum(-1)

    own, log_all = [], []
    for i, draw in enumerate(z):
        row = log_density(draw, mu, logvar)
        own.append(row[i])
        log_all.append(torch.logsumexp(row, 0) - math.log(len(z)))
    own, log_all = torch.stack(own), torch.stack(log_all)
    return float((own - log_all).mean()), float((log_all + 0.5 * z.square().sum(1)).mean())

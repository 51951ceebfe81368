"""Wrong and right answers to the exercises and the task of lesson 06."""

import numpy as np
import torch
from torch import distributions
from torch.nn import functional

from tests.answers import right, wrong


def _sigma(logvar):
    return (0.5 * logvar).exp()


@wrong("6.1", "no-gradient")
def _(mu, logvar):
    return distributions.Normal(mu, _sigma(logvar)).sample()


@wrong("6.1", "no-gradient")
def _(mu, logvar):
    return (mu + _sigma(logvar) * torch.randn_like(mu)).detach()


@wrong("6.1", "no-gradient")
def _(mu, logvar):
    return torch.normal(mu, _sigma(logvar))


@wrong("6.1", "no-gradient")
def _(mu, logvar):
    with torch.no_grad():
        return mu + _sigma(logvar) * torch.randn_like(mu)


@wrong("6.1", "no-gradient")
def _(mu, logvar):
    return mu.detach().numpy() + np.exp(0.5 * logvar.detach().numpy()) * np.random.randn(*mu.shape)


@wrong("6.1", "no-gradient-logvar")
def _(mu, logvar):
    return mu + (_sigma(logvar) * torch.randn_like(mu)).detach()


@wrong("6.1", "no-gradient-mu")
def _(mu, logvar):
    return mu.detach() + _sigma(logvar) * torch.randn_like(mu)


@wrong("6.1", "variance-as-spread")
def _(mu, logvar):
    return mu + logvar.exp() * torch.randn_like(mu)


@wrong("6.1", "logvar-as-spread")
def _(mu, logvar):
    return mu + logvar * torch.randn_like(mu)


@wrong("6.1", "half-logvar")
def _(mu, logvar):
    return mu + 0.5 * logvar * torch.randn_like(mu)


@wrong("6.1", "root-of-logvar")
def _(mu, logvar):
    return mu + logvar.sqrt() * torch.randn_like(mu)


@wrong("6.1", "twice-logvar")
def _(mu, logvar):
    return mu + (2 * logvar).exp() * torch.randn_like(mu)


@wrong("6.1", "in-place")
def _(mu, logvar):
    return mu + logvar.mul_(0.5).exp() * torch.randn_like(mu)


@wrong("6.1", "in-place")
def _(mu, logvar):
    sigma = _sigma(logvar)
    sigma *= torch.randn_like(mu)
    return mu + sigma


@wrong("6.1", "halved-variance")
def _(mu, logvar):
    return mu + 0.5 * logvar.exp() * torch.randn_like(mu)


@wrong("6.1", "square-root-twice")
def _(mu, logvar):
    return mu + _sigma(logvar).sqrt() * torch.randn_like(mu)


@wrong("6.1", "inverse")
def _(mu, logvar):
    return mu + torch.randn_like(mu) / _sigma(logvar)


@wrong("6.1", "unit")
def _(mu, logvar):
    return mu + torch.randn_like(mu)


@wrong("6.1", "shared-over-batch")
def _(mu, logvar):
    return mu + _sigma(logvar) * torch.randn(mu.shape[1])


@wrong("6.1", "shared-over-batch")
def _(mu, logvar):
    return mu + _sigma(logvar) * torch.randn(1)


@wrong("6.1", "shared-over-latents")
def _(mu, logvar):
    return mu + _sigma(logvar) * torch.randn(len(mu), 1)


@wrong("6.1", "shared")
def _(mu, logvar):
    eps = torch.randn((len(mu) + 2) // 3, mu.shape[1]).repeat(3, 1)[: len(mu)]
    return mu + _sigma(logvar) * eps


@wrong("6.1", "uniform")
def _(mu, logvar):
    return mu + _sigma(logvar) * torch.rand_like(mu)


@wrong("6.1", "uniform")
def _(mu, logvar):
    return mu + _sigma(logvar) * 12**0.5 * (torch.rand_like(mu) - 0.5)


@wrong("6.1", "not-gaussian")
def _(mu, logvar):
    return mu + _sigma(logvar) * torch.randn_like(mu).sign() * distributions.Gamma(1.0, 2.0).sample(mu.shape) * 2**0.5


@wrong("6.1", "no-mu")
def _(mu, logvar):
    return _sigma(logvar) * torch.randn_like(mu)


@wrong("6.1", "mu-scaled")
def _(mu, logvar):
    return (mu + torch.randn_like(mu)) * _sigma(logvar)


@wrong("6.1", "no-noise")
def _(mu, logvar):
    return mu + 0 * logvar


@wrong("6.1", "no-noise")
def _(mu, logvar):
    return mu + _sigma(logvar)


@wrong("6.1", "same-again")
def _(mu, logvar):
    torch.manual_seed(0)
    return mu + _sigma(logvar) * torch.randn_like(mu)


@wrong("6.1", "wrong-shape")
def _(mu, logvar):
    return distributions.Normal(mu, _sigma(logvar)).rsample((1,))


@wrong("6.1", "wrong-shape")
def _(mu, logvar):
    return (mu + _sigma(logvar) * torch.randn_like(mu)).sum(1)


@wrong("6.1", "wrong-spread")
def _(mu, logvar):
    return mu + _sigma(logvar).mean() * torch.randn_like(mu)


@wrong("6.1", "wrong-spread")
def _(mu, logvar):
    return mu + _sigma(logvar) * torch.randn(5, *mu.shape).mean(0)


@wrong("6.1", "wrong-spread")
def _(mu, logvar):
    return mu + _sigma(logvar.abs()) * torch.randn_like(mu)


@wrong("6.1", "not-centered")
def _(mu, logvar):
    return mu + _sigma(logvar) * (torch.randn_like(mu) + 0.3 * (logvar < 1))


@wrong("6.1", "wrong-gradient")
def _(mu, logvar):
    z = mu + _sigma(logvar) * torch.randn_like(mu)
    return z.detach() + 2 * (mu - mu.detach()) + 0 * logvar + 0.1 * (logvar - logvar.detach())


@right("6.1")
def _(mu, logvar):
    return distributions.Normal(mu, _sigma(logvar)).rsample()


@right("6.1")
def _(mu, logvar):
    mu, logvar = mu.double(), logvar.double()
    return mu + torch.randn_like(mu) * logvar.exp() ** 0.5


@right("6.1")
def _(mu, logvar):
    columns = [mu[:, j] + torch.randn(len(mu)) * logvar[:, j].exp().sqrt() for j in reversed(range(mu.shape[1]))]
    return torch.stack(columns[::-1], 1)


@right("6.1")
def _(mu, logvar):
    eps = torch.from_numpy(np.random.default_rng().normal(size=mu.shape)).float()
    return mu - torch.exp(logvar / 2) * eps


@right("6.1")
def _(mu, logvar):
    return distributions.MultivariateNormal(mu, torch.diag_embed(logvar.exp())).rsample()


@right("6.1")
def _(mu, logvar):
    return torch.addcmul(mu, _sigma(logvar), torch.randn(mu.shape[::-1]).T)


def _score(z, mu, logvar):
    return (z - mu) / logvar.exp()


@wrong("6.2", "wrong-sign")
def _(values, z, mu, logvar):
    return values[..., None] * (mu - z) / logvar.exp()


@wrong("6.2", "no-sigma")
def _(values, z, mu, logvar):
    return values[..., None] * (z - mu)


@wrong("6.2", "sigma-not-squared")
def _(values, z, mu, logvar):
    return values[..., None] * (z - mu) / _sigma(logvar)


@wrong("6.2", "sigma-fourth")
def _(values, z, mu, logvar):
    return values[..., None] * (z - mu) / logvar.exp() ** 2


@wrong("6.2", "logvar-as-variance")
def _(values, z, mu, logvar):
    return values[..., None] * (z - mu) / logvar


@wrong("6.2", "values-left-out")
def _(values, z, mu, logvar):
    return _score(z, mu, logvar)


@wrong("6.2", "value-for-score")
def _(values, z, mu, logvar):
    return values[..., None] * distributions.Normal(mu, _sigma(logvar)).log_prob(z)


@wrong("6.2", "by-logvar")
def _(values, z, mu, logvar):
    return values[..., None] * 0.5 * ((z - mu) ** 2 / logvar.exp() - 1)


@wrong("6.2", "averaged")
def _(values, z, mu, logvar):
    return (values[..., None] * _score(z, mu, logvar)).mean(0)


@wrong("6.2", "latents-summed")
def _(values, z, mu, logvar):
    return values * _score(z, mu, logvar).sum(-1)


@wrong("6.2", "divided-by-draws")
def _(values, z, mu, logvar):
    return values[..., None] * _score(z, mu, logvar) / len(z)


@wrong("6.2", "no-axis")
def _(values, z, mu, logvar):
    return values * _score(z, mu, logvar)


@wrong("6.2", "wrong-shape")
def _(values, z, mu, logvar):
    return (values[..., None] * _score(z, mu, logvar)).mean((0, 1))


@wrong("6.2", "wrong-value")
def _(values, z, mu, logvar):
    return values.mean(0)[:, None] * _score(z, mu, logvar)


@right("6.2")
def _(values, z, mu, logvar):
    mu = mu.expand_as(z).clone().requires_grad_()
    log_q = distributions.Normal(mu, _sigma(logvar)).log_prob(z).sum(-1)
    return torch.autograd.grad((values * log_q).sum(), mu)[0]


@right("6.2")
def _(values, z, mu, logvar):
    return torch.einsum("sb,sbz->sbz", values.double(), ((z - mu) * torch.exp(-logvar)).double())


@right("6.2")
def _(values, z, mu, logvar):
    return np.stack(
        [v.numpy()[:, None] * ((one - mu) / _sigma(logvar) ** 2).numpy() for v, one in zip(values, z, strict=True)]
    )


@right("6.2")
def _(values, z, mu, logvar):
    rows = [[values[s, b] * (z[s, b] - mu[b]) / logvar[b].exp() for b in range(len(mu))] for s in range(len(z))]
    return torch.stack([torch.stack(row) for row in rows])


@wrong("6.3", "itself-included")
def _(values):
    return values - values.mean(0)


@wrong("6.3", "mean-of-batch")
def _(values):
    return values - values.mean()


@wrong("6.3", "sum-of-batch")
def _(values):
    return values - (values.sum() - values) / (len(values) - 1)


@wrong("6.3", "sum-of-batch")
def _(values):
    return values - (values.sum() - values) / (values.numel() - 1)


@wrong("6.3", "wrong-axis")
def _(values):
    return values - values.mean(1, keepdim=True)


@wrong("6.3", "wrong-axis")
def _(values):
    return values - (values.sum(1, keepdim=True) - values) / (values.shape[1] - 1)


@wrong("6.3", "sum-of-others")
def _(values):
    return values - (values.sum(0) - values)


@wrong("6.3", "divided-by-all")
def _(values):
    return values - (values.sum(0) - values) / len(values)


@wrong("6.3", "itself-in-sum")
def _(values):
    return values - values.sum(0) / (len(values) - 1)


@wrong("6.3", "baseline-alone")
def _(values):
    return (values.sum(0) - values) / (len(values) - 1)


@wrong("6.3", "wrong-sign")
def _(values):
    return (values.sum(0) - values) / (len(values) - 1) - values


@wrong("6.3", "standardized")
def _(values):
    return (values - values.mean(0)) / values.std(0)


@wrong("6.3", "one-other")
def _(values):
    return values - values.roll(1, 0)


@wrong("6.3", "wrong-value")
def _(values):
    return values - values.median(0).values


@wrong("6.3", "wrong-shape")
def _(values):
    return (values - (values.sum(0) - values) / (len(values) - 1)).mean(0)


@right("6.3")
def _(values):
    S = len(values)
    return (values - values.mean(0)) * S / (S - 1)


@right("6.3")
def _(values):
    S = len(values)
    return values - (torch.ones(S, S) - torch.eye(S)) @ values / (S - 1)


@right("6.3")
def _(values):
    values = values.double().numpy()
    return np.stack([values[i] - np.delete(values, i, axis=0).mean(0) for i in range(len(values))])


@right("6.3")
def _(values):
    S = len(values)
    return [values[i] - sum(values[j] for j in range(S) if j != i) / (S - 1) for i in range(S)]


@wrong("6.4", "average-only")
def _(logits, values):
    return (logits.softmax(1) * values).sum(1)


@wrong("6.4", "average-only")
def _(logits, values):
    return logits.softmax(1) * values


@wrong("6.4", "by-probability")
def _(logits, values):
    return values


@wrong("6.4", "no-probability")
def _(logits, values):
    return values - (logits.softmax(1) * values).sum(1, keepdim=True)


@wrong("6.4", "not-weighted")
def _(logits, values):
    return logits.softmax(1) * (values - values.mean(1, keepdim=True))


@wrong("6.4", "not-weighted")
def _(logits, values):
    return logits.softmax(1) * (values - values.sum(1, keepdim=True))


@wrong("6.4", "sum-over-images")
def _(logits, values):
    p = logits.softmax(1)
    return p * (values - (p * values).sum(0))


@wrong("6.4", "sum-over-images")
def _(logits, values):
    p = logits.softmax(1)
    return p * (values - (p * values).sum())


@wrong("6.4", "no-keepdim")
def _(logits, values):
    p = logits.softmax(1)
    return p * (values - (p * values).sum(1))


@wrong("6.4", "others-stay")
def _(logits, values):
    p = logits.softmax(1)
    return p * (1 - p) * values


@wrong("6.4", "wrong-sign")
def _(logits, values):
    p = logits.softmax(1)
    return p * ((p * values).sum(1, keepdim=True) - values)


@wrong("6.4", "sigmoid")
def _(logits, values):
    p = logits.sigmoid()
    return p * (values - (p * values).sum(1, keepdim=True))


@wrong("6.4", "wrong-axis")
def _(logits, values):
    p = logits.softmax(0)
    return p * (values - (p * values).sum(0))


@wrong("6.4", "wrong-axis")
def _(logits, values):
    p = logits.softmax(0)
    return p * (values - (p * values).sum(1, keepdim=True))


@wrong("6.4", "mean-over-batch")
def _(logits, values):
    logits = logits.clone().requires_grad_()
    average = (logits.softmax(1) * values).sum(1).mean()
    return torch.autograd.grad(average, logits)[0]


@wrong("6.4", "wrong-value")
def _(logits, values):
    p = logits.softmax(1)
    drawn = torch.multinomial(p, 1)
    return values.gather(1, drawn) * (functional.one_hot(drawn[:, 0], p.shape[1]) - p)


@right("6.4")
def _(logits, values):
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad((logits.softmax(1) * values).sum(), logits)[0]


@right("6.4")
def _(logits, values):
    p = logits.double().softmax(1)
    jacobian = torch.diag_embed(p) - p[:, :, None] * p[:, None]
    return (jacobian @ values.double()[..., None])[..., 0]


@right("6.4")
def _(logits, values):
    p = np.exp(logits.numpy() - logits.numpy().max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return [list(p[i] * (v - p[i] @ v)) for i, v in enumerate(values.numpy())]


@right("6.4")
def _(logits, values):
    p = logits.softmax(1)
    score = torch.eye(p.shape[1]) - p[:, None]  # by choice, then by logit
    return (p[..., None] * values[..., None] * score).sum(1)


def _exponential(x):
    return -torch.log1p(-torch.rand_like(x))


@wrong("T6", "no-gradient")
def _(scale, power):
    return distributions.Weibull(scale, power).sample()


@wrong("T6", "no-gradient")
def _(scale, power):
    return scale.numpy(force=True) * np.random.weibull(power.numpy(force=True)).astype(np.float32)


@wrong("T6", "no-gradient-power")
def _(scale, power):
    return scale * _exponential(scale) ** (1 / power.detach())


@wrong("T6", "no-gradient-scale")
def _(scale, power):
    return scale.detach() * _exponential(scale) ** (1 / power)


@wrong("T6", "power-not-inverted")
def _(scale, power):
    return scale * _exponential(scale) ** power


@wrong("T6", "no-power")
def _(scale, power):
    return scale * _exponential(scale) + 0 * power


@wrong("T6", "inverse-scale")
def _(scale, power):
    return _exponential(scale) ** (1 / power) / scale


@wrong("T6", "no-scale")
def _(scale, power):
    return _exponential(scale) ** (1 / power) + 0 * scale


@wrong("T6", "scale-under-root")
def _(scale, power):
    return (scale * _exponential(scale)) ** (1 / power)


@wrong("T6", "no-logarithm")
def _(scale, power):
    return scale * torch.rand_like(scale) ** (1 / power)


@wrong("T6", "distribution-itself")
def _(scale, power):
    z = scale * _exponential(scale) ** (1 / power)
    return 1 - (-((z / scale) ** power)).exp()


@wrong("T6", "gaussian")
def _(scale, power):
    return scale * torch.randn_like(scale).abs() + 0 * power


@wrong("T6", "negative")
def _(scale, power):
    return scale + power * torch.randn_like(scale)


@wrong("T6", "nan")
def _(scale, power):
    return scale * torch.log(torch.rand_like(scale)) ** (1 / power)


@wrong("T6", "shared")
def _(scale, power):
    return scale * _exponential(scale[:1]) ** (1 / power)


@wrong("T6", "same-again")
def _(scale, power):
    torch.manual_seed(1)
    return scale * _exponential(scale) ** (1 / power)


@wrong("T6", "wrong-gradient")
def _(scale, power):
    z = (scale * _exponential(scale) ** (1 / power)).detach()
    return z + (scale - scale.detach()) + (power - power.detach())


@right("T6")
def _(scale, power):
    return distributions.Weibull(scale, power).rsample()


@right("T6")
def _(scale, power):
    scale, power = scale.double(), power.double()
    return scale * torch.rand_like(scale).log().neg().pow(1 / power)


@right("T6")
def _(scale, power):
    return scale * torch.exp(torch.empty_like(scale).exponential_().log() / power)


@right("T6")
def _(scale, power):
    e = 0.5 * torch.randn(2, *scale.shape[::-1]).square().sum(0).T  # two squared Gaussians make an exponential
    return torch.stack([scale[:, j] * e[:, j] ** power[:, j].reciprocal() for j in range(scale.shape[1])], dim=1)

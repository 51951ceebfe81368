"""Wrong and right answers to the exercises and the task of lesson 05."""

import math

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from torch import distributions

from tests.answers import right, wrong


def _log_normal(x, mean, covariance):
    return distributions.MultivariateNormal(mean, covariance).log_prob(x)


def _eye(x):
    return torch.eye(x.shape[1])


@wrong("5.1", "sigma-not-squared")
def _(x, weight, bias, sigma):
    return _log_normal(x, bias, weight @ weight.T + sigma * _eye(x))


@wrong("5.1", "unit-noise")
def _(x, weight, bias, sigma):
    return _log_normal(x, bias, weight @ weight.T + _eye(x))


@wrong("5.1", "noise-only")
def _(x, weight, bias, sigma):
    return distributions.Normal(bias, sigma).log_prob(x).sum(1)


@wrong("5.1", "no-noise")
def _(x, weight, bias, sigma):
    return _log_normal(x, bias, weight @ weight.T)


@wrong("5.1", "wrong-product")
def _(x, weight, bias, sigma):
    return _log_normal(x, bias, weight.T @ weight + sigma**2 * torch.eye(weight.shape[1]))


@wrong("5.1", "wrong-product")
def _(x, weight, bias, sigma):
    return _log_normal(x, bias, weight.T @ weight + sigma**2 * _eye(x))


@wrong("5.1", "independent")
def _(x, weight, bias, sigma):
    return distributions.Normal(bias, (weight.square().sum(1) + sigma**2).sqrt()).log_prob(x).sum(1)


@wrong("5.1", "no-bias")
def _(x, weight, bias, sigma):
    return _log_normal(x, torch.zeros_like(bias), weight @ weight.T + sigma**2 * _eye(x))


@wrong("5.1", "no-constant")
def _(x, weight, bias, sigma):
    covariance = weight @ weight.T + sigma**2 * _eye(x)
    square = ((x - bias) @ torch.linalg.inv(covariance) * (x - bias)).sum(1)
    return -0.5 * (square + torch.logdet(covariance))


@wrong("5.1", "no-determinant")
def _(x, weight, bias, sigma):
    covariance = weight @ weight.T + sigma**2 * _eye(x)
    square = ((x - bias) @ torch.linalg.inv(covariance) * (x - bias)).sum(1)
    return -0.5 * (square + x.shape[1] * math.log(2 * math.pi))


def _exact(x, weight, bias, sigma):
    return _log_normal(x, bias, weight @ weight.T + sigma**2 * _eye(x))


@wrong("5.1", "minus")
def _(x, weight, bias, sigma):
    return -_exact(x, weight, bias, sigma)


@wrong("5.1", "density")
def _(x, weight, bias, sigma):
    return _exact(x, weight, bias, sigma).exp()


@wrong("5.1", "per-pixel")
def _(x, weight, bias, sigma):
    return _exact(x, weight, bias, sigma) / x.shape[1]


@wrong("5.1", "one-number")
def _(x, weight, bias, sigma):
    return _exact(x, weight, bias, sigma).mean()


@wrong("5.1", "wrong-value")
def _(x, weight, bias, sigma):
    # The naive average over random codes.
    z = torch.randn(2000, weight.shape[1])
    log_lik = distributions.Normal((z @ weight.T + bias)[:, None], sigma).log_prob(x).sum(2)
    return log_lik.logsumexp(0) - math.log(2000) + 0.05


@right("5.1")
def _(x, weight, bias, sigma):
    return _exact(x, weight, bias, sigma)


@right("5.1")
def _(x, weight, bias, sigma):
    covariance = weight.double().numpy() @ weight.double().numpy().T + sigma**2 * np.eye(len(bias))
    return np.array([multivariate_normal(bias.double().numpy(), covariance).logpdf(one) for one in x.double().numpy()])


@right("5.1")
def _(x, weight, bias, sigma):
    noise = torch.full_like(bias, sigma**2)
    return distributions.LowRankMultivariateNormal(bias, weight, noise).log_prob(x).double()


@right("5.1")
def _(x, weight, bias, sigma):
    covariance = weight @ weight.T + sigma**2 * _eye(x)
    values = []
    for one in x - bias:
        square = one @ torch.linalg.solve(covariance, one)
        values.append(-0.5 * (square + torch.logdet(2 * math.pi * covariance)))
    return values


def _log(z, mu, logvar):
    """Log-density of each number of z, without the constant."""
    return -0.5 * ((z - mu) ** 2 / logvar.exp() + logvar)


def _prior(z):
    return -0.5 * z**2


@wrong("5.2", "q-added")
def _(log_lik, z, mu, logvar):
    return log_lik + (_prior(z) + _log(z, mu, logvar)).sum(2)


@wrong("5.2", "q-added")
def _(log_lik, z, mu, logvar):
    normal = distributions.Normal
    return log_lik + (normal(0.0, 1.0).log_prob(z) + normal(mu, (logvar / 2).exp()).log_prob(z)).sum(-1)


@wrong("5.2", "swapped")
def _(log_lik, z, mu, logvar):
    return log_lik - (_prior(z) - _log(z, mu, logvar)).sum(2)


@wrong("5.2", "no-prior")
def _(log_lik, z, mu, logvar):
    return log_lik - distributions.Normal(mu, (logvar / 2).exp()).log_prob(z).sum(2)


@wrong("5.2", "no-q")
def _(log_lik, z, mu, logvar):
    return log_lik + _prior(z).sum(2)


@wrong("5.2", "likelihood-only")
def _(log_lik, z, mu, logvar):
    return log_lik


@wrong("5.2", "kl-known")
def _(log_lik, z, mu, logvar):
    return log_lik - 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1)


@wrong("5.2", "logvar-as-log-sigma")
def _(log_lik, z, mu, logvar):
    return log_lik + (_prior(z) - _log(z, mu, 2 * logvar)).sum(2)


@wrong("5.2", "logvar-as-variance")
def _(log_lik, z, mu, logvar):
    return log_lik + (_prior(z) + 0.5 * ((z - mu) ** 2 / logvar + logvar)).sum(2)


@wrong("5.2", "logvar-as-variance")
def _(log_lik, z, mu, logvar):
    return log_lik + (_prior(z) + 0.5 * ((z - mu) ** 2 / logvar + logvar.log())).sum(2)


@wrong("5.2", "logvar-as-variance")
def _(log_lik, z, mu, logvar):
    normal = distributions.Normal
    return log_lik + (normal(0.0, 1.0).log_prob(z) - normal(mu, logvar).log_prob(z)).sum(2)


@wrong("5.2", "no-logvar")
def _(log_lik, z, mu, logvar):
    return log_lik + (_prior(z) + 0.5 * (z - mu) ** 2 / logvar.exp()).sum(2)


@wrong("5.2", "no-half")
def _(log_lik, z, mu, logvar):
    return log_lik + (-(z**2) + (z - mu) ** 2 / logvar.exp() + logvar).sum(2)


@wrong("5.2", "mean-over-latents")
def _(log_lik, z, mu, logvar):
    return log_lik + (_prior(z) - _log(z, mu, logvar)).mean(2)


@wrong("5.2", "lonely-constant")
def _(log_lik, z, mu, logvar):
    return log_lik + (_prior(z) - distributions.Normal(mu, (logvar / 2).exp()).log_prob(z)).sum(2)


@wrong("5.2", "not-a-log")
def _(log_lik, z, mu, logvar):
    return (log_lik + (_prior(z) - _log(z, mu, logvar)).sum(2)).double().exp()


@wrong("5.2", "averaged")
def _(log_lik, z, mu, logvar):
    return (log_lik + (_prior(z) - _log(z, mu, logvar)).sum(2)).mean(0)


@wrong("5.2", "not-summed")
def _(log_lik, z, mu, logvar):
    return log_lik[..., None] + _prior(z) - _log(z, mu, logvar)


@wrong("5.2", "wrong-axis")
def _(log_lik, z, mu, logvar):
    terms = _prior(z) - _log(z, mu, logvar)
    return log_lik + terms.sum(1 if len({*z.shape}) == 1 else 2)


@wrong("5.2", "wrong-axis")
def _(log_lik, z, mu, logvar):
    return log_lik + (_prior(z) - _log(z, mu, logvar)).sum(1)


@wrong("5.2", "wrong-axis")
def _(log_lik, z, mu, logvar):
    return log_lik + _prior(z) - _log(z, mu, logvar)


@wrong("5.2", "wrong-axis")
def _(log_lik, z, mu, logvar):
    return log_lik.numpy() + (_prior(z) - _log(z, mu, logvar)).sum(1).numpy()


@right("5.2")
def _(log_lik, z, mu, logvar):
    q = distributions.Independent(distributions.Normal(mu, (0.5 * logvar).exp()), 1)
    prior = distributions.MultivariateNormal(torch.zeros(z.shape[2]), torch.eye(z.shape[2]))
    return log_lik + prior.log_prob(z) - q.log_prob(z)


@right("5.2")
def _(log_lik, z, mu, logvar):
    eps = (z - mu) / (0.5 * logvar).exp()
    return log_lik + 0.5 * (eps.square() + logvar - z.square()).sum(-1)


@right("5.2")
def _(log_lik, z, mu, logvar):
    log_lik, z, mu, logvar = (t.double().numpy() for t in (log_lik, z, mu, logvar))
    return log_lik + (-(z**2) / 2 + (z - mu) ** 2 / (2 * np.exp(logvar)) + logvar / 2).sum(axis=2)


@right("5.2")
def _(log_lik, z, mu, logvar):
    rows = []
    for log_p, codes in zip(log_lik, z, strict=True):
        ratio = torch.exp(_prior(codes.double()) - _log(codes.double(), mu, logvar)).prod(1)
        rows.append(log_p + ratio.log())
    return torch.stack(rows)


def _terms(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar)


@wrong("5.3", "no-half")
def _(mu, logvar):
    return 2 * _terms(mu, logvar).sum(1)


@wrong("5.3", "minus")
def _(mu, logvar):
    return 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)


@wrong("5.3", "no-one")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - logvar).sum(1)


@wrong("5.3", "no-log")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - 1).sum(1)


@wrong("5.3", "log-sign")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - 1 + logvar).sum(1)


@wrong("5.3", "logvar-as-log-sigma")
def _(mu, logvar):
    return distributions.kl_divergence(distributions.Normal(mu, logvar.exp()), distributions.Normal(0.0, 1.0)).sum(1)


@wrong("5.3", "logvar-as-log-sigma")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() ** 2 - 1 - logvar).sum(1)


@wrong("5.3", "sigma-not-squared")
def _(mu, logvar):
    return 0.5 * (mu**2 + (0.5 * logvar).exp() - 1 - logvar).sum(1)


@wrong("5.3", "logvar-as-variance")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar - 1 - logvar.exp()).sum(1)


@wrong("5.3", "logvar-as-variance")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar - 1 - logvar.log()).sum(1)


@wrong("5.3", "logvar-as-variance")
def _(mu, logvar):
    return distributions.kl_divergence(distributions.Normal(mu, logvar), distributions.Normal(0.0, 1.0)).sum(1)


@wrong("5.3", "exponential-twice")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar.exp()).sum(1)


@wrong("5.3", "one-outside")
def _(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - logvar).sum(1) - 1


@wrong("5.3", "one-outside")
def _(mu, logvar):
    return 0.5 * ((mu**2 + logvar.exp() - logvar).sum(1) - 1)


@wrong("5.3", "mu-not-squared")
def _(mu, logvar):
    return 0.5 * (mu + logvar.exp() - 1 - logvar).sum(1)


@wrong("5.3", "mean-over-latents")
def _(mu, logvar):
    return _terms(mu, logvar).mean(1)


@wrong("5.3", "one-number")
def _(mu, logvar):
    return _terms(mu, logvar).sum()


@wrong("5.3", "one-number")
def _(mu, logvar):
    return _terms(mu, logvar).sum(1).mean()


@wrong("5.3", "wrong-axis")
def _(mu, logvar):
    return _terms(mu, logvar).sum(0)


@wrong("5.3", "wrong-axis")
def _(mu, logvar):
    return _terms(mu, logvar).sum(0 if mu.shape[0] == mu.shape[1] else 1)


@wrong("5.3", "not-summed")
def _(mu, logvar):
    return _terms(mu, logvar)


@wrong("5.3", "reversed")
def _(mu, logvar):
    q, prior = distributions.Normal(mu, (0.5 * logvar).exp()), distributions.Normal(0.0, 1.0)
    return distributions.kl_divergence(prior, q).sum(1)


@wrong("5.3", "random")
def _(mu, logvar):
    z = mu + (0.5 * logvar).exp() * torch.randn(10_000, *mu.shape)
    return (_log(z, mu, logvar) - _prior(z)).sum(2).mean(0)


@right("5.3")
def _(mu, logvar):
    q, prior = distributions.Normal(mu, (0.5 * logvar).exp()), distributions.Normal(0.0, 1.0)
    return distributions.kl_divergence(q, prior).sum(-1)


@right("5.3")
def _(mu, logvar):
    mu, logvar = mu.double().numpy(), logvar.double().numpy()
    return (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1) / 2


@right("5.3")
def _(mu, logvar):
    mu, sigma = mu.double(), torch.exp(logvar.double() / 2)
    values = []
    for b in range(len(mu)):
        values.append(sum((m**2 + s**2 - 1) / 2 - s.log() for m, s in zip(mu[b], sigma[b], strict=True)))
    return values


@right("5.3")
def _(mu, logvar):
    B, Z = mu.shape
    q = distributions.MultivariateNormal(mu, torch.diag_embed(logvar.exp()))
    return distributions.kl_divergence(q, distributions.MultivariateNormal(torch.zeros(B, Z), torch.eye(Z)))


@wrong("5.4", "log-outside")
def _(log_w):
    return log_w.mean(0)


@wrong("5.4", "not-averaged")
def _(log_w):
    return log_w.logsumexp(0)


@wrong("5.4", "other-count")
def _(log_w):
    return log_w.logsumexp(0) - math.log(log_w.shape[1])


@wrong("5.4", "other-count")
def _(log_w):
    return log_w.logsumexp(0) - math.log(log_w.numel())


@wrong("5.4", "one-maximum")
def _(log_w):
    top = log_w.max()
    return top + (log_w - top).exp().mean(0).log()


@wrong("5.4", "divided-outside")
def _(log_w):
    return log_w.logsumexp(0) / len(log_w)


@wrong("5.4", "log-count-added")
def _(log_w):
    return log_w.logsumexp(0) + math.log(len(log_w))


@wrong("5.4", "wrong-axis")
def _(log_w):
    return log_w.logsumexp(1) - math.log(log_w.shape[1])


@wrong("5.4", "wrong-axis")
def _(log_w):
    axis = 1 if log_w.shape[0] == log_w.shape[1] else 0
    return log_w.logsumexp(axis) - math.log(log_w.shape[axis])


@wrong("5.4", "all-together")
def _(log_w):
    return log_w.flatten().logsumexp(0) - math.log(log_w.numel())


@wrong("5.4", "all-together")
def _(log_w):
    return (log_w.logsumexp(0) - math.log(len(log_w))).mean()


@wrong("5.4", "largest")
def _(log_w):
    return log_w.max(0).values


@wrong("5.4", "no-log")
def _(log_w):
    return log_w.exp().mean(0)


@wrong("5.4", "self-normalized")
def _(log_w):
    return (log_w.softmax(0) * log_w).sum(0)


@wrong("5.4", "underflow")
def _(log_w):
    return log_w.exp().mean(0).log()


@wrong("5.4", "underflow")
def _(log_w):
    return (log_w.double().clamp(max=600).exp().mean(0) + 1e-8).log()


@right("5.4")
def _(log_w):
    return log_w.logsumexp(0) - math.log(log_w.shape[0])


@right("5.4")
def _(log_w):
    top = log_w.max(dim=0).values
    return top + (log_w - top).exp().mean(0).log()


@right("5.4")
def _(log_w):
    return logsumexp(log_w.double().numpy(), axis=0, b=1 / len(log_w))


@right("5.4")
def _(log_w):
    total = log_w[0].double()
    for row in log_w[1:]:
        total = torch.logaddexp(total, row.double())
    return total - torch.tensor(len(log_w)).double().log()


def _left(logvar, covariance):
    """KL from q to the posterior for any logvar."""
    inverse = torch.linalg.inv(covariance)
    return 0.5 * ((inverse.diag() * logvar.exp()).sum() - len(logvar) - logvar.sum() + torch.logdet(covariance))


def _best(covariance):
    return -torch.linalg.inv(covariance).diag().log()


@wrong("T5", "marginal")
def _(covariance):
    logvar = covariance.diag().log()
    return logvar, _left(logvar, covariance)


@wrong("T5", "variance")
def _(covariance):
    return 1 / torch.linalg.inv(covariance).diag(), _left(_best(covariance), covariance)


@wrong("T5", "log-sigma")
def _(covariance):
    return 0.5 * _best(covariance), _left(_best(covariance), covariance)


@wrong("T5", "precision")
def _(covariance):
    return -_best(covariance), _left(_best(covariance), covariance)


@wrong("T5", "one-spread")
def _(covariance):
    logvar = -torch.linalg.inv(covariance).diag().mean().log().repeat(len(covariance))
    return logvar, _left(logvar, covariance)


@wrong("T5", "eigenvalues")
def _(covariance):
    logvar = torch.linalg.eigvalsh(covariance).log()
    return logvar, _left(logvar, covariance)


@wrong("T5", "reversed")
def _(covariance):
    logvar = _best(covariance)
    q = distributions.MultivariateNormal(torch.zeros(len(logvar)), logvar.exp().diag())
    posterior = distributions.MultivariateNormal(torch.zeros(len(logvar)), covariance)
    return logvar, distributions.kl_divergence(posterior, q)


@wrong("T5", "no-half")
def _(covariance):
    return _best(covariance), 2 * _left(_best(covariance), covariance)


@wrong("T5", "minus")
def _(covariance):
    return _best(covariance), -_left(_best(covariance), covariance)


@wrong("T5", "log-determinant")
def _(covariance):
    return _best(covariance), -0.5 * _best(covariance).sum()


@wrong("T5", "to-the-prior")
def _(covariance):
    logvar = _best(covariance)
    return logvar, 0.5 * (logvar.exp() - 1 - logvar).sum()


@wrong("T5", "nothing")
def _(covariance):
    _left(_best(covariance), covariance)


@wrong("T5", "wrong-number")
def _(covariance):
    return _best(covariance)


@right("T5")
def _(covariance):
    logvar = _best(covariance)
    q = distributions.MultivariateNormal(torch.zeros(len(logvar)), logvar.exp().diag())
    posterior = distributions.MultivariateNormal(torch.zeros(len(logvar)), covariance)
    return logvar, distributions.kl_divergence(q, posterior)


@right("T5")
def _(covariance):
    # By search: no formula for the best spread.
    precision = np.linalg.inv(covariance.double().numpy())

    def gap(logvar):
        trace = (np.diag(precision) * np.exp(logvar)).sum()
        return 0.5 * (trace - len(logvar) - logvar.sum() - np.linalg.slogdet(precision)[1])

    found = minimize(gap, np.zeros(len(precision)))
    return found.x, float(found.fun)


@right("T5")
def _(covariance):
    # The variance of each latent when the others are known: what is left of it in a Cholesky factor that has it last.
    Z, logvar = len(covariance), []
    for i in range(Z):
        order = [j for j in range(Z) if j != i] + [i]
        logvar.append(2 * torch.linalg.cholesky(covariance[order][:, order])[-1, -1].log().item())
    return logvar, 0.5 * (torch.logdet(covariance).item() - sum(logvar))

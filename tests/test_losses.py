"""Losses against torch.distributions and against their shape convention: one number per image, summed over pixels."""

import torch
from torch import distributions

from course_utils import losses

torch.manual_seed(0)
x_hat, x = torch.rand(5, 1, 28, 28), torch.rand(5, 1, 28, 28)


def test_squared_error_is_a_gaussian_of_unit_variance():
    log_p = distributions.Normal(x_hat, 1.0).log_prob(x) - distributions.Normal(x_hat, 1.0).log_prob(x_hat)
    assert torch.allclose(losses.squared_error(x_hat, x), -log_p.flatten(1).sum(1))


def test_bernoulli_nll_is_minus_the_log_probability_of_coins():
    x_logits, coins = 3 * torch.randn(5, 1, 28, 28), (x > 0.5).float()
    log_p = distributions.Bernoulli(logits=x_logits).log_prob(coins)
    assert torch.allclose(losses.bernoulli_nll(x_logits, coins), -log_p.flatten(1).sum(1))


def test_gaussian_kl_is_the_closed_form():
    mu, logvar = torch.randn(5, 7), torch.randn(5, 7)
    q = distributions.Normal(mu, (0.5 * logvar).exp())
    kl = distributions.kl_divergence(q, distributions.Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(losses.gaussian_kl(mu, logvar), kl, atol=1e-5)
    assert losses.gaussian_kl(torch.zeros(2, 7), torch.zeros(2, 7)).tolist() == [0, 0]

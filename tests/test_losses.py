"""Losses against torch.distributions and against their shape convention: one number per image, summed over pixels."""

import math

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


def test_gaussian_nll_is_minus_the_log_density_with_its_constant():
    mean, logvar = torch.rand(5, 1, 28, 28), torch.randn(5, 1, 28, 28)
    for shared in (logvar, logvar[:1], logvar[:, :, :1, :1]):
        log_p = distributions.Normal(mean, (0.5 * shared).exp()).log_prob(x)
        torch.testing.assert_close(losses.gaussian_nll(mean, shared, x), -log_p.flatten(1).sum(1))
    unit = losses.gaussian_nll(mean, torch.zeros_like(mean), x) - losses.squared_error(mean, x)
    torch.testing.assert_close(unit, torch.full((5,), 784 * 0.5 * torch.tensor(2 * torch.pi).log()))


def test_gray_log_mass_is_the_integral_over_gray_values_and_makes_a_density():
    x_logits = torch.tensor([[-20.0, -4.5, -1.0, -1e-5], [0.0, 1e-5, 0.3, 30.0]])
    gray = torch.linspace(0, 1, 100_001).double()
    p = x_logits.double().sigmoid()[..., None]
    integral = torch.trapezoid(p.pow(gray) * (1 - p).pow(1 - gray), gray)
    torch.testing.assert_close(losses.gray_log_mass(x_logits), integral.log().sum(1).float(), rtol=1e-4, atol=1e-4)
    grays, x_logits = torch.rand(5, 1, 28, 28), 3 * torch.randn(5, 1, 28, 28)
    log_p = distributions.ContinuousBernoulli(logits=x_logits).log_prob(grays).flatten(1).sum(1)
    mine = losses.bernoulli_nll(x_logits, grays) + losses.gray_log_mass(x_logits)
    torch.testing.assert_close(mine, -log_p, rtol=1e-3, atol=1e-1)


def test_flipped_pixels_cost_what_a_mixture_of_two_coins_does():
    generator = torch.Generator().manual_seed(0)
    x_logits = 3 * torch.randn(4, 1, 5, 6, generator=generator)
    x = (torch.rand(4, 1, 5, 6, generator=generator) < 0.5).float()
    as_it_was, turned = (torch.distributions.Bernoulli(logits=x_logits).log_prob(one) for one in (x, 1 - x))
    want = -torch.logaddexp(as_it_was + math.log(0.8), turned + math.log(0.2)).sum((1, 2, 3))
    torch.testing.assert_close(losses.flipped_nll(x_logits, x, 0.2), want)
    torch.testing.assert_close(losses.flipped_nll(x_logits, x, 0.0), losses.bernoulli_nll(x_logits, x))
    assert losses.flipped_nll(200 * x_logits, 1 - x, 0.1).isfinite().all()


def test_hidden_pixels_have_neither_cost_nor_gradient():
    generator = torch.Generator().manual_seed(0)
    x_logits = torch.randn(3, 1, 4, 4, generator=generator).requires_grad_()
    x, seen = torch.rand(3, 1, 4, 4, generator=generator).round(), torch.rand(4, 4, generator=generator) < 0.5
    cost = losses.seen_nll(x_logits, x, seen)
    torch.testing.assert_close(cost, losses.bernoulli_nll(x_logits[:, 0, seen], x[:, 0, seen]))
    cost.sum().backward()
    assert (x_logits.grad[:, 0, ~seen] == 0).all() and (x_logits.grad[:, 0, seen] != 0).all()

"""Bounds and the linear-Gaussian model against torch.distributions, closed forms, sums over a grid, differences."""

import math

import pytest
import torch
from torch import distributions

from course_utils import bounds, losses
from course_utils.models import linear_gaussian
from course_utils.models.linear_gaussian import LinearGaussian
from course_utils.models.vae import DenseVAE


@pytest.fixture
def model():
    torch.manual_seed(0)
    return LinearGaussian(torch.randn(6, 2).double(), torch.randn(6).double(), 0.7)


@pytest.fixture
def x(model):
    return model.decoder(torch.randn(5, 2).double()) + 0.7 * torch.randn(5, 6).double()


def a_q(B=5, Z=2):
    return 0.5 * torch.randn(B, Z).double(), torch.randn(B, Z).double() - 1


def joint(model):
    """The Gaussian of pictures and codes together, from which all else follows."""
    W, I = model.weight, torch.eye(model.weight.shape[1]).double()  # noqa: E741
    noise = model.sigma**2 * torch.eye(len(W)).double()
    return torch.cat([torch.cat([W @ W.T + noise, W], 1), torch.cat([W.T, I], 1)])


def test_log_prob_is_the_normal_density_of_the_pictures(model, x):
    want = distributions.MultivariateNormal(model.bias, joint(model)[:6, :6]).log_prob(x)
    torch.testing.assert_close(model.log_prob(x), want)
    torch.testing.assert_close(linear_gaussian.log_prob(x, model.weight, model.bias, model.sigma), want)


def test_log_likelihood_is_the_normal_density_around_the_decoded_code(model, x):
    z = torch.randn(4, 5, 2).double()
    want = distributions.Normal(model.decoder(z), model.sigma).log_prob(x).sum(2)
    torch.testing.assert_close(model.log_likelihood(x, z), want)
    torch.testing.assert_close(model.log_likelihood(x, z[:, :1]), model.log_likelihood(x, z[:, :1].expand(4, 5, 2)))


def test_posterior_is_the_joint_gaussian_given_the_pictures(model, x):
    whole = joint(model)
    gain = whole[6:, :6] @ torch.linalg.inv(whole[:6, :6])
    mean, covariance = model.posterior(x)
    torch.testing.assert_close(mean, (x - model.bias) @ gain.T)
    torch.testing.assert_close(covariance, whole[6:, 6:] - gain @ whole[:6, 6:])


def test_elbo_is_log_p_less_the_kl_to_the_posterior(model, x):
    mu, logvar = a_q()
    mean, covariance = model.posterior(x)
    q = distributions.MultivariateNormal(mu, torch.diag_embed(logvar.exp()))
    kl = distributions.kl_divergence(q, distributions.MultivariateNormal(mean, covariance))
    torch.testing.assert_close(model.elbo(x, mu, logvar), model.log_prob(x) - kl, rtol=0, atol=1e-4)
    assert (model.elbo(x, mu, logvar) < model.log_prob(x)).all()


def test_fitted_has_the_largest_likelihood_and_a_posterior_without_correlations():
    x = torch.randn(500, 8).double() @ torch.randn(8, 8).double() + 3
    model = linear_gaussian.fitted(x, 3)
    _, covariance = model.posterior(x)
    assert (covariance - covariance.diag().diag()).abs().max() < 1e-9
    weight, bias = model.weight.clone().requires_grad_(), model.bias.clone().requires_grad_()
    log_sigma = torch.tensor(math.log(model.sigma)).double().requires_grad_()
    # Any change of the noise's spread rescales x, weight and bias of a model with unit noise.
    scale = log_sigma.exp()
    log_p = linear_gaussian.log_prob(x / scale, weight / scale, bias / scale, 1.0) - 8 * log_sigma
    for slope in torch.autograd.grad(log_p.mean(), (weight, bias, log_sigma)):
        assert slope.abs().max() < 1e-6
    worse = LinearGaussian(1.02 * model.weight, model.bias, model.sigma)
    assert worse.log_prob(x).mean() < model.log_prob(x).mean()


def test_weigh_agrees_with_torch_distributions():
    mu, logvar = a_q(5, 3)
    z, log_lik = torch.randn(7, 5, 3).double(), torch.randn(7, 5).double()
    normal = distributions.Normal
    want = log_lik + (normal(0.0, 1.0).log_prob(z) - normal(mu, (0.5 * logvar).exp()).log_prob(z)).sum(2)
    torch.testing.assert_close(bounds.weigh(log_lik, z, mu, logvar), want)


def test_log_weights_of_draws_from_the_posterior_are_all_log_p(x, model):
    # A model whose posterior has no correlations: the columns of its weight are at right angles.
    model = LinearGaussian(torch.linalg.qr(model.weight).Q * torch.tensor([2.0, 1.0]), model.bias, model.sigma)
    mean, covariance = model.posterior(x)
    logvar = covariance.diag().log().expand_as(mean)
    log_w = bounds.log_weights(lambda z: model.log_likelihood(x, z), mean, logvar, 9)
    torch.testing.assert_close(log_w, model.log_prob(x).expand(9, 5))


def test_bounds_lie_in_order_and_the_mean_weight_is_p(model, x):
    mean, covariance = model.posterior(x)
    mu, logvar = mean + 0.3 * covariance.diag().sqrt(), (1.7 * covariance.diag()).log().expand_as(mean)
    log_w = bounds.log_weights(lambda z: model.log_likelihood(x, z), mu, logvar, 200_000)
    rows = {K: torch.stack([bounds.iwae(part) for part in log_w.split(K)]) for K in (1, 2, 10, 100)}
    means, errors = {}, {}
    for K, row in rows.items():
        means[K], errors[K] = row.mean(0), row.std(0) / len(row) ** 0.5
    exact = model.elbo(x, mu, logvar)
    assert ((bounds.elbo(log_w) - exact).abs() < 6 * errors[1]).all()
    torch.testing.assert_close(bounds.elbo(log_w), means[1])
    assert (means[1] < means[2]).all() and (means[2] < means[10]).all() and (means[10] < means[100]).all()
    assert (means[100] < model.log_prob(x) + 6 * errors[100]).all()
    weights = (log_w - model.log_prob(x)).exp()
    assert ((weights.mean(0) - 1).abs() < 6 * weights.std(0) / len(weights) ** 0.5).all()


def test_iwae_survives_weights_that_no_float_can_hold():
    log_w = torch.tensor([[0.8], [0.2]]).log()
    assert bounds.iwae(log_w - 900).item() == pytest.approx(math.log(0.5) - 900)
    assert bounds.iwae(log_w + 900).item() == pytest.approx(math.log(0.5) + 900)


@pytest.mark.parametrize("bound", [bounds.elbo, bounds.iwae])
def test_gradients_agree_with_finite_differences(bound, model, x):
    def value(mu, logvar):
        torch.manual_seed(5)  # the same draws each time
        return bound(bounds.log_weights(lambda z: model.log_likelihood(x, z), mu, logvar, 20))

    mu, logvar = a_q()
    assert torch.autograd.gradcheck(value, (mu.requires_grad_(), logvar.requires_grad_()))


def test_gradient_of_the_elbo_is_right_on_average(model, x):
    mu, logvar = (t.requires_grad_() for t in a_q())
    want = torch.autograd.grad(model.elbo(x, mu, logvar).sum(), (mu, logvar))
    slopes = []
    for _ in range(200):
        log_w = bounds.log_weights(lambda z: model.log_likelihood(x, z), mu, logvar, 100)
        slopes.append(torch.autograd.grad(bounds.elbo(log_w).sum(), (mu, logvar)))
    for got, right in zip(zip(*slopes, strict=True), want, strict=True):
        got = torch.stack(got)
        assert ((got.mean(0) - right).abs() < 6 * got.std(0) / 200**0.5).all()


def test_of_vae_comes_to_log_p_as_a_sum_over_a_grid():
    torch.manual_seed(0)
    vae = DenseVAE(latent_dim=1, hidden_dim=8)
    x = (torch.rand(3, 1, 28, 28) < 0.5).float()
    grid = torch.arange(-8, 8, 0.01)
    with torch.no_grad():
        x_logits = vae.decoder(grid[:, None])
    log_lik = torch.stack([-losses.bernoulli_nll(x_logits, one.expand(len(grid), 1, 28, 28)) for one in x], 1)
    prior = distributions.Normal(0.0, 1.0).log_prob(grid)[:, None]
    want = (log_lik + prior).logsumexp(0) + math.log(0.01)
    log_w = bounds.of_vae(vae, x, 6_000)
    assert log_w.shape == (6_000, 3) and not log_w.requires_grad
    weights = (log_w - want).exp()
    assert ((weights.mean(0) - 1).abs() < 6 * weights.std(0) / 6_000**0.5 + 1e-3).all()
    assert (bounds.elbo(log_w) < want).all()


def test_of_vae_keeps_each_picture_with_its_codes_in_every_slice(monkeypatch):
    vae, x = DenseVAE(latent_dim=2, hidden_dim=8), (torch.rand(7, 1, 28, 28) < 0.5).float()
    with torch.no_grad():  # so narrow that every draw is mu itself
        vae.mu.bias += 5
        vae.logvar.bias -= 60
        mu, logvar = vae.encode(x)
        log_lik = -losses.bernoulli_nll(vae.decoder(mu), x)
        want = bounds.weigh(log_lik[None], mu[None], mu, logvar)
        for at_once in (4_000, 21, 1):  # the last is fewer than there are pictures
            monkeypatch.setattr(bounds, "AT_ONCE", at_once)
            torch.testing.assert_close(bounds.of_vae(vae, x, 10), want.expand(10, 7))

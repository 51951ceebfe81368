"""Denoising against closed forms, and codes drawn and walked between."""

import pytest
import torch

from course_utils import metrics
from course_utils.models import codes, denoising


def test_best_denoiser_shrinks_a_gaussian():
    # For data from N(0, s^2) the best denoiser is x_noisy * s^2 / (s^2 + sigma^2).
    s, sigma = 1.5, 0.8
    quantiles = (torch.arange(4_000).double() + 0.5) / 4_000
    x = s * torch.distributions.Normal(0.0, 1.0).icdf(quantiles).float()[:, None]
    x_noisy = torch.linspace(-2, 2, 9)[:, None]
    torch.testing.assert_close(
        denoising.best_denoiser(x_noisy, x, sigma), x_noisy * s**2 / (s**2 + sigma**2), atol=2e-3, rtol=2e-3
    )


def test_best_denoiser_of_two_points_is_a_tanh():
    x_noisy, sigma = torch.linspace(-2, 2, 9)[:, None], 0.7
    two = torch.tensor([[-1.0], [1.0]])
    torch.testing.assert_close(denoising.best_denoiser(x_noisy, two, sigma), torch.tanh(x_noisy / sigma**2))


def test_best_denoiser_follows_the_slope_of_the_log_density():
    x, sigma = torch.randn(200, 3), 0.6
    x_noisy = torch.randn(20, 3).requires_grad_()
    noise = torch.distributions.Independent(torch.distributions.Normal(x, sigma), 1)
    log_density = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=torch.zeros(200)), noise)
    (slope,) = torch.autograd.grad(log_density.log_prob(x_noisy).sum(), x_noisy)
    best = denoising.best_denoiser(x_noisy.detach(), x, sigma)
    torch.testing.assert_close(best, x_noisy.detach() + sigma**2 * slope, rtol=1e-4, atol=1e-4)


def test_best_denoiser_far_from_the_data_is_the_nearest_point():
    far, x = torch.full((1, 2), 1e3), torch.eye(2) * torch.tensor([1.0, 2.0])
    torch.testing.assert_close(denoising.best_denoiser(far, x, 0.01), x[1:], rtol=0, atol=1e-6)


def test_noisy_pair_keeps_the_target_and_draws_for_every_pixel():
    x = torch.rand(50, 1, 28, 28)
    x_noisy, target = denoising.noisy_pair(x, 0.3)
    assert torch.equal(target, x) and len((x_noisy - x).unique()) > 0.9 * x.numel() * 0.5
    assert (x_noisy - x).std().item() == pytest.approx(0.3, rel=6 / (2 * x.numel()) ** 0.5)


def test_walk_has_both_ends_and_equal_steps():
    z_a, z_b = torch.randn(2, 5)
    way = codes.walk(z_a, z_b, 7)
    torch.testing.assert_close(way[[0, -1]], torch.stack([z_a, z_b]))
    torch.testing.assert_close(way.diff(dim=0), ((z_b - z_a) / 6).expand(6, 5))


def test_gaussian_codes_have_the_mean_and_covariance_of_the_codes():
    z = torch.randn(300, 3) @ torch.tensor([[2.0, 1.0, 0.5], [0.0, 1.0, 0.3], [0.0, 0.0, 0.1]]) + 7
    draws, count = codes.gaussian_codes(z, 50_000), 50_000
    spread = z.std(0)
    assert ((draws.mean(0) - z.mean(0)).abs() < 6 * spread / count**0.5).all()
    allowed = 0.01 + 6 * (2 / count) ** 0.5
    assert ((draws.T.cov() - z.T.cov()).abs() < allowed * spread * spread[:, None]).all()


def test_nearest_distance_agrees_with_a_loop():
    x, x_train = torch.rand(4, 1, 5, 6), torch.rand(9, 1, 5, 6)
    want = torch.stack([min((one - other).norm() for other in x_train) for one in x])
    torch.testing.assert_close(metrics.nearest_distance(x, x_train), want)
    torch.testing.assert_close(metrics.nearest_distance(x_train, x_train), torch.zeros(9), rtol=0, atol=1e-2)

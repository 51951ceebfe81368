"""The decoder with a mean and a variance, and draws from it."""

import torch

from course_utils.models import gaussian


def test_sigma_never_falls_below_its_floor_and_is_free_without_one():
    x = torch.rand(3, 1, 28, 28)
    torch.manual_seed(0)
    free = gaussian.GaussianAutoencoder(4, 32)
    torch.manual_seed(0)
    floored = gaussian.GaussianAutoencoder(4, 32, lowest_sigma=0.3)
    mean, logvar = free(x)
    same_mean, higher = floored(x)
    assert mean.shape == logvar.shape == x.shape
    torch.testing.assert_close(mean, same_mean)
    torch.testing.assert_close(higher.exp(), logvar.exp() + 0.09)
    with torch.no_grad():  # a network that is as sure as can be
        for model in (free, floored):
            model.decoder[2].bias[784:] -= 200
    assert free(x)[1].max() < -100
    torch.testing.assert_close((0.5 * floored(x)[1]).exp(), torch.full_like(x, 0.3))
    free(x)[1].sum().backward()
    assert all(p.grad.isfinite().all() for p in free.decoder.parameters())


def test_draws_scatter_as_stated():
    mean, logvar = torch.rand(3, 1, 4, 5), torch.randn(3, 1, 4, 5)
    drawn = gaussian.draws(mean, logvar, 20_000)
    assert drawn.shape == (20_000, 3, 1, 4, 5)
    eps = (drawn - mean) / (0.5 * logvar).exp()
    assert eps.mean(0).abs().max() < 6 / 20_000**0.5
    assert (eps.var(0) - 1).abs().max() < 6 * (2 / 20_000) ** 0.5
    correlation = eps.flatten(1).T.corrcoef() - torch.eye(60)
    assert correlation.abs().max() < 6 / 20_000**0.5

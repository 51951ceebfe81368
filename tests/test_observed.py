"""Codes found by search, against the exact posterior of a linear-Gaussian model."""

import torch

from course_utils.models import observed
from course_utils.models.linear_gaussian import LinearGaussian


def test_search_finds_the_exact_posterior_of_what_was_seen():
    torch.manual_seed(0)
    # Orthogonal directions for the seen pixels, so that the exact posterior has no correlations for q to miss.
    weight = torch.cat([torch.linalg.qr(torch.randn(6, 2)).Q * torch.tensor([3.0, 1.5]), torch.randn(4, 2)])
    model = LinearGaussian(weight, torch.randn(10), 0.7)
    x = model.decoder(torch.randn(300, 2)) + 0.7 * torch.randn(300, 10)
    seen = torch.arange(10) < 6
    exact, covariance = LinearGaussian(weight[seen], model.bias[seen], 0.7).posterior(x[:, seen])
    before = torch.get_rng_state()
    mu, logvar = observed.fit_codes(
        model.decoder, lambda x_hat: 0.5 * (x_hat - x)[:, seen].square().sum(1) / 0.7**2, 300, 2
    )
    assert not torch.equal(before, torch.get_rng_state())  # it draws, from the lesson's own generator
    assert (mu - exact).square().mean().sqrt() < 0.2 * exact.std()
    torch.testing.assert_close(logvar.exp().mean(0), covariance.diagonal(), rtol=0.15, atol=0)
    assert not mu.requires_grad and not logvar.requires_grad


def test_search_leaves_the_decoder_alone_and_works_without_gradients_around_it():
    decoder = torch.nn.Linear(3, 5)
    weight = decoder.weight.clone()
    with torch.no_grad():
        mu, _ = observed.fit_codes(decoder, lambda x_hat: (x_hat - 1).square().sum(1), 4, 3, steps=5)
    assert mu.abs().sum() > 0
    assert decoder.weight.grad is None and torch.equal(decoder.weight, weight)

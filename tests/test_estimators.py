"""Gradients of averages over draws: against closed forms, autograd, and finite differences."""

import pytest
import torch

from course_utils import estimators
from course_utils.models.vae import reparameterize


def half_square(z):
    return 0.5 * z.square().sum(-1)


def drawn(mu, logvar):
    """A draw with the same noise in every call."""
    torch.manual_seed(3)
    return reparameterize(mu, logvar)


def test_reparameterized_draws_are_gaussian_with_a_path_to_mu_and_logvar():
    mu, logvar = torch.randn(3), torch.tensor([-2.0, 0.0, 1.5])
    z = reparameterize(mu.expand(40_000, 3), logvar.expand(40_000, 3))
    torch.testing.assert_close(z.mean(0), mu, atol=0.07, rtol=0)
    torch.testing.assert_close(z.T.cov(), logvar.exp().diag(), atol=0.2, rtol=0)

    mu, logvar = torch.randn(2, 4, 3).double(), torch.randn(2, 4, 3).double()
    assert torch.autograd.gradcheck(drawn, (mu.requires_grad_(), logvar.requires_grad_()))


@pytest.mark.parametrize("baseline", [False, True])
def test_score_function_is_the_exact_derivative_on_average(baseline):
    mu, logvar = torch.tensor([[1.0, -0.5], [0.3, 2.0]]), torch.tensor([[0.8, -0.7], [0.0, 0.4]])
    z = torch.stack([reparameterize(mu, logvar) for _ in range(40_000)])
    values = half_square(z)
    values = estimators.leave_one_out(values) if baseline else values
    estimates = estimators.score_function(values, z, mu, logvar)
    standard_error = estimates.std(0) / 200
    assert ((estimates.mean(0) - mu).abs() < 5 * standard_error).all()


def test_score_is_the_derivative_of_the_log_density():
    mu, logvar, z = torch.randn(4, 3, requires_grad=True), torch.randn(4, 3), torch.randn(5, 4, 3)
    log_q = torch.distributions.Normal(mu, (0.5 * logvar).exp()).log_prob(z).sum()
    (score,) = torch.autograd.grad(log_q, mu)
    torch.testing.assert_close(estimators.score_function(torch.ones(5, 4), z, mu, logvar).sum(0), score)


def test_leave_one_out_leaves_the_own_value_out():
    values = torch.tensor([[2.0, 1.0], [4.0, 1.0], [9.0, 4.0]])
    assert estimators.leave_one_out(values).T.tolist() == [[-4.5, -1.5, 6.0], [-1.5, -1.5, 3.0]]


def test_summed_out_agrees_with_finite_differences():
    logits, values = torch.randn(3, 4).double(), torch.randn(3, 4).double()

    def average(logits):
        return (logits.softmax(1) * values).sum(1)

    for k in range(4):
        step = 1e-5 * torch.eye(4).double()[k]
        slope = (average(logits + step) - average(logits - step)) / 2e-5
        torch.testing.assert_close(estimators.summed_out(logits, values)[:, k], slope)

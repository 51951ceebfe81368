"""Conditional models: losses against sums written out, an integral on a grid, and torch.distributions."""

import math

import torch
from torch import distributions

from course_utils import data, losses
from course_utils.data.images import few_labels
from course_utils.models import conditional

x = torch.rand(5, 1, 28, 28).round()


def test_sizes_and_the_path_of_the_gradients():
    model = conditional.ConditionalVAE(latent_dim=3, condition_dim=10)
    x_logits, mu, logvar = model(x, conditional.one_hot(torch.arange(5)))
    assert x_logits.shape == x.shape and mu.shape == logvar.shape == (5, 3)
    assert not torch.equal(model.encode(x, conditional.one_hot(torch.ones(5).long()))[0], mu)
    x_logits.sum().backward()
    assert model.mu.weight.grad.abs().sum() > 0 and model.logvar.weight.grad.abs().sum() > 0
    small = conditional.M2(latent_dim=2, classes=4, side=14)
    assert small(torch.rand(6, 1, 14, 14)).shape == (6, 4)


def test_with_every_label_agrees_with_one_label_at_a_time():
    z, model = torch.randn(3, 2), conditional.ConditionalVAE(2, condition_dim=4)
    at_once = model.decoder(conditional.with_every_label(z, 4)).unflatten(0, (3, 4))
    for k in range(4):
        torch.testing.assert_close(at_once[:, k], model.decode(z, conditional.one_hot(torch.full((3,), k), 4)))


def test_labeled_loss_is_minus_the_bound_on_p_of_x_and_y():
    x_logits, mu, logvar = torch.randn(5, 1, 28, 28), torch.randn(5, 3), torch.randn(5, 3)
    q = distributions.Normal(mu, (0.5 * logvar).exp())
    bound = distributions.Bernoulli(logits=x_logits).log_prob(x).sum((1, 2, 3))
    bound = bound - distributions.kl_divergence(q, distributions.Normal(0.0, 1.0)).sum(1) + math.log(1 / 10)
    torch.testing.assert_close(conditional.labeled_loss(x_logits, mu, logvar, x, 10), -bound, rtol=1e-5, atol=1e-3)


def test_loss_by_label_agrees_with_a_loop_over_the_labels():
    model = conditional.ConditionalVAE(2, condition_dim=4)
    with torch.no_grad():
        model.logvar.weight.zero_(), model.logvar.bias.fill_(-40)  # no noise, so that draws agree
    table = conditional.loss_by_label(model, x, 4)
    for k in range(4):
        alone = conditional.labeled_loss(*model(x, conditional.one_hot(torch.full((5,), k), 4)), x, 4)
        torch.testing.assert_close(table[:, k], alone, rtol=1e-5, atol=1e-3)


def test_unlabeled_loss_is_the_sum_over_the_labels_written_out():
    loss, label_logits = 10 + torch.randn(4, 3), torch.randn(4, 3)
    got = conditional.unlabeled_loss(loss, label_logits)
    for i in range(4):
        q = distributions.Categorical(logits=label_logits[i])
        want = sum(q.probs[k] * loss[i, k] for k in range(3)) - q.entropy()
        torch.testing.assert_close(got[i], want)


def test_unlabeled_loss_is_never_below_minus_log_p_and_reaches_it_at_the_posterior():
    loss = 500 + 3 * torch.randn(50, 10).double()
    least = -(-loss).logsumexp(1)
    torch.testing.assert_close(conditional.unlabeled_loss(loss, conditional.label_posterior(loss).log()), least)
    q_logits = 3 * torch.randn(50, 10).double()
    gap = distributions.kl_divergence(
        distributions.Categorical(logits=q_logits), distributions.Categorical(logits=-loss)
    )
    torch.testing.assert_close(conditional.unlabeled_loss(loss, q_logits) - least, gap)
    assert (gap > 0).all()


def test_both_losses_lie_above_the_exact_log_probability():
    # Six pixels and one latent number: p(x, y) is an integral over z that a grid gives to many digits.
    torch.manual_seed(0)
    pixels, K = torch.tensor([1.0, 0, 1, 1, 0, 1]).view(1, 1, 2, 3), 3
    model = conditional.ConditionalVAE(1, condition_dim=K, hidden_dim=8, side=3).double()
    x = torch.nn.functional.pad(pixels, (0, 0, 0, 1)).double()
    z = torch.linspace(-9, 9, 4001).double()[:, None]
    prior = distributions.Normal(0.0, 1.0).log_prob(z[:, 0]) + math.log(18 / 4000)
    log_joint = []
    for k in range(K):
        x_logits = model.decode(z, conditional.one_hot(torch.tensor([k]), K).double().expand(len(z), K))
        log_joint.append((prior - losses.bernoulli_nll(x_logits, x.expand(len(z), 1, 3, 3))).logsumexp(0) - math.log(K))
    log_joint = torch.stack(log_joint)
    table = torch.stack([conditional.loss_by_label(model, x, K)[0] for _ in range(4000)])
    mean, error = table.mean(0), table.std(0) / len(table) ** 0.5
    assert (mean + 6 * error >= -log_joint).all() and (mean - 6 * error <= -log_joint + 1).all()
    unlabeled = conditional.unlabeled_loss(mean[None], torch.zeros(1, K).double())[0]
    assert unlabeled + 6 * error.max() >= -log_joint.logsumexp(0)


def test_fill_from_neighbors_looks_at_seen_pixels_alone():
    x_train, seen = torch.rand(40, 1, 6, 5), torch.rand(6, 5) < 0.5
    x = x_train[:7].clone()
    x[:, :, ~seen] = torch.rand(7, 1, int((~seen).sum()))
    torch.testing.assert_close(conditional.fill_from_neighbors(x, x_train, seen, 1), x_train[:7])
    filled = conditional.fill_from_neighbors(x, x_train, seen, 40)
    assert torch.equal(filled[:, :, seen], x[:, :, seen])
    torch.testing.assert_close(filled[:, :, ~seen], x_train.mean(0)[:, ~seen].expand(7, 1, -1))


def test_few_labels_keeps_whole_originals_of_every_class():
    images = data.digits()
    known = few_labels(images, each=2, seed=3)
    assert len(images.original_train[known].unique()) == 20
    for k in range(10):
        assert len(images.original_train[known & (images.y_train == k)].unique()) == 2
    assert not torch.isin(images.original_train[~known], images.original_train[known]).any()
    assert torch.equal(known, few_labels(images, 2, 3)) and not torch.equal(known, few_labels(images, 2, 4))

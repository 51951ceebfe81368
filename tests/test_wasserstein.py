"""What lesson 15 adds: the distance by programs and sums, critics and their slopes, a GAN with conditions."""

import pytest
import torch
from matplotlib import pyplot as plt
from scipy.stats import wasserstein_distance
from torch import nn

from course_utils import data, losses, metrics, plots, train
from course_utils.errors import CourseError
from course_utils.models import gan, transport

random = torch.Generator().manual_seed(0)
places = torch.rand(8, generator=random, dtype=torch.float64).cumsum(0)
p, q = torch.rand(2, 8, generator=random, dtype=torch.float64)
p, q = p / p.sum(), q / q.sum()
x = data.points("moons", 400, seed=1).x


def test_distance_on_a_line_is_that_of_scipy_and_of_both_programs():
    want = wasserstein_distance(places.numpy(), places.numpy(), p.numpy(), q.numpy())
    assert metrics.wasserstein(places, p, q).item() == pytest.approx(want)
    cost = (places[:, None] - places).abs()
    plan = transport.cheapest_plan(p, q, cost)
    torch.testing.assert_close(plan.sum(1), p)
    torch.testing.assert_close(plan.sum(0), q)
    assert (plan * cost).sum().item() == pytest.approx(want)
    critic = transport.best_critic(p, q, places)
    assert ((p - q) * critic).sum().item() == pytest.approx(want)
    assert (critic.diff().abs() <= places.diff() + 1e-9).all() and critic[0] == 0


def test_masses_whose_sums_differ_by_rounding_have_a_plan_and_others_one_sentence():
    for n in range(5, 45):  # in single precision every fifth pair of sums is too far apart for the program
        p, q = torch.rand(2, n, generator=random)
        p, q = p / p.sum(), q / q.sum()
        plan = transport.cheapest_plan(p, q, torch.rand(n, n, generator=random))
        torch.testing.assert_close(plan.sum(1), p, rtol=1e-4, atol=1e-6)
    for p, q in ((torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.6])), (torch.tensor([-1.0, 2.0]), torch.ones(2) / 2)):
        with pytest.raises(CourseError, match="divide each by its sum"):
            transport.cheapest_plan(p, q, torch.ones(2, 2))
    with pytest.raises(CourseError, match="sort them"):
        transport.best_critic(p, p, torch.tensor([1.0, 0.0]))
    with pytest.raises(CourseError, match="5 samples cannot be paired with 9"):
        transport.between_samples(torch.rand(5, 2), torch.rand(9, 2))


def test_marginals_are_the_sums_of_a_plan():
    plan = torch.rand(3, 5, generator=random)
    torch.testing.assert_close(transport.marginals(3, 5) @ plan.flatten(), torch.cat([plan.sum(1), plan.sum(0)]))


def test_distance_of_samples_on_a_line_pairs_them_in_order():
    a, b = torch.randn(2, 30, 1, generator=random)
    want = wasserstein_distance(a[:, 0].numpy(), b[:, 0].numpy())
    assert transport.between_samples(a, b) == pytest.approx(want, rel=1e-4)
    assert transport.between_samples(a, a) == pytest.approx(0, abs=1e-6)


def test_losses_of_critic_and_generator_share_one_score():
    real, fake = torch.randn(2, 6, generator=random)
    torch.testing.assert_close(losses.critic_loss(real, fake), fake - real)
    torch.testing.assert_close(losses.wasserstein_generator_loss(fake), -fake)


def test_slope_and_penalty_of_a_plane_are_known():
    plane = nn.Linear(2, 1)
    with torch.no_grad():
        plane.weight.copy_(torch.tensor([[3.0, 4.0]]))
    a, b = torch.randn(2, 5, 2, generator=random)
    torch.testing.assert_close(gan.slopes(lambda x: plane(x)[:, 0], a), torch.full((5,), 5.0))
    penalty = gan.gradient_penalty(lambda x: plane(x)[:, 0], a, b)
    torch.testing.assert_close(penalty, torch.full((5,), 16.0))
    penalty.mean().backward()  # d(|w| - 1)^2 / dw = 2 (|w| - 1) w / |w|
    torch.testing.assert_close(plane.weight.grad, torch.tensor([[4.8, 6.4]]))
    pictures = torch.rand(2, 3, 1, 4, 4, generator=random)
    share = torch.tensor([0.0, 0.5, 1.0])
    way = gan.between(*pictures, share)
    torch.testing.assert_close(way[0], pictures[1, 0])
    torch.testing.assert_close(way[1], pictures[:, 1].mean(0))
    torch.testing.assert_close(way[2], pictures[0, 2])
    anywhere = gan.between(torch.ones(50, 2), torch.zeros(50, 2))
    assert torch.equal(anywhere[:, 0], anywhere[:, 1]) and len(anywhere.unique()) == 50
    assert 0 <= anywhere.min() < 0.2 and 0.8 < anywhere.max() <= 1


def test_limits_on_a_critic_hold():
    torch.manual_seed(0)
    clipped = gan.PointDiscriminator(8)
    gan.clip_weights(clipped, 0.05)
    assert max(float(weights.abs().max()) for weights in clipped.parameters()) == pytest.approx(0.05)
    normed = gan.spectrally_normed(gan.PointDiscriminator(8))
    normed(x)
    normed.eval()
    assert gan.slopes(normed, x).max() <= 1.01
    for module in normed.modules():
        if isinstance(module, nn.Linear):
            assert torch.linalg.matrix_norm(module.weight, 2).item() == pytest.approx(1, abs=0.05)


def test_power_iteration_finds_the_largest_singular_value():
    weight, u = torch.randn(6, 4, generator=random), torch.randn(6, generator=random)
    want = torch.linalg.matrix_norm(weight, 2).item()
    assert gan.largest_stretch(weight, u, 300).item() == pytest.approx(want, rel=1e-4)
    assert gan.largest_stretch(weight, u, 1) <= want


def test_fit_gan_adds_the_penalty_to_the_discriminators_loss_and_keeps_it_as_a_term():
    def weights(penalty):
        torch.manual_seed(0)
        generator, discriminator = gan.PointGenerator(hidden_dim=8), gan.PointDiscriminator(hidden_dim=8)
        history = train.fit_gan(generator, discriminator, x, epochs=1, penalty=penalty)
        return history, torch.cat([one.detach().flatten() for one in discriminator.parameters()])

    history, without = weights(None)
    assert "penalty" not in history
    history, alike = weights(lambda critic, x_real, x_fake: torch.zeros(len(x_real)))
    assert history["penalty"] == [0] and torch.equal(alike, without)
    history, other = weights(lambda critic, x_real, x_fake: 10 * gan.gradient_penalty(critic, x_real, x_fake))
    assert history["penalty"][0] > 0 and not torch.equal(other, without)


def test_fit_gan_gives_both_players_each_images_own_condition():
    class Seeing(gan.ConditionalDiscriminator):
        def forward(self, x, c):
            pairs.append((x.detach(), c))
            return super().forward(x, c)

    pairs = []
    pictures, c = torch.zeros(20, 1, 14, 14), torch.eye(20)
    pictures[:, 0, 0, 0] = torch.arange(20.0)
    torch.manual_seed(0)
    train.fit_gan(
        gan.ConditionalGenerator(4, 20, 8),
        Seeing(20, 8),
        pictures,
        epochs=1,
        batch_size=10,
        conditions=c,
        penalty=lambda critic, x_real, x_fake: critic(x_real) * 0,
    )
    # In each step: real, fake, the penalty's, and the generator's fakes, all with the labels of the real ones.
    for real, fake, third, last in zip(*[iter(pairs)] * 4, strict=True):
        assert torch.equal(real[0][:, 0, 0, 0].long(), real[1].argmax(1)) and torch.equal(third[0], real[0])
        assert all(torch.equal(one[1], real[1]) for one in (fake, third, last))


def test_conditional_players_have_the_shapes_they_say_and_hear_the_condition():
    torch.manual_seed(0)
    generator, discriminator = gan.ConditionalGenerator(4, 3, 8, side=5), gan.ConditionalDiscriminator(3, 8, side=5)
    z, c = torch.randn(3, 4), torch.eye(3)
    pictures = generator(z, c)
    assert pictures.shape == (3, 1, 5, 5) and 0 <= pictures.min() <= pictures.max() <= 1
    assert discriminator(pictures, c).shape == (3,)
    assert not torch.equal(generator(z, c.flip(0)), pictures)
    assert not torch.equal(discriminator(pictures, c.flip(0)), discriminator(pictures, c))
    assert gan.beside(pictures, c).shape == (3, 28)


def test_a_penalized_critic_measures_the_distance_with_the_bias_that_its_softness_has():
    torch.manual_seed(0)
    x_real, x_fake = torch.randn(2, 1000, 2)
    x_fake = x_fake + torch.tensor([6.0, 0.0])
    critic = gan.PointDiscriminator()

    def loss(critic, a, b):
        return losses.critic_loss(critic(a), critic(b)) + 10 * gan.gradient_penalty(critic, a, b)

    train.fit(critic, x_real, loss, x_fake, epochs=30, lr=3e-3)
    score = -losses.critic_loss(critic(x_real), critic(x_fake)).mean().item()
    assert score == pytest.approx(6 * (1 + 6 / 20), rel=0.08)


def test_moves_draws_a_line_for_each_move():
    plan = torch.diag(torch.full((8,), 1 / 8))
    figure = plots.moves(places, p, q, {"a": plan, "b": p[:, None] * q}, "Moves")
    assert [len(ax.lines) for ax in figure.axes] == [8, 64]
    plt.close("all")

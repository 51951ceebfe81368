"""What lesson 12 adds: both players' losses, points' networks, the best discriminator, their training, their plots."""

import math

import pytest
import torch
from matplotlib import pyplot as plt
from scipy.spatial.distance import jensenshannon
from torch import distributions, nn

from course_utils import data, losses, metrics, plots, train
from course_utils.errors import CourseError
from course_utils.exercises.answer import in_process
from course_utils.models import gan

x = data.points("moons", 400, seed=1).x


def players():
    torch.manual_seed(0)
    return gan.PointGenerator(hidden_dim=16), gan.PointDiscriminator(hidden_dim=16)


def test_losses_of_both_players_are_log_probabilities_of_labels():
    real, fake = 3 * torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    said_real, said_fake = (distributions.Bernoulli(logits=one) for one in (real, fake))
    ones, zeros = torch.ones(6), torch.zeros(6)
    want = -said_real.log_prob(ones) - said_fake.log_prob(zeros)
    torch.testing.assert_close(losses.discriminator_loss(real, fake), want)
    torch.testing.assert_close(losses.minimax_loss(fake), said_fake.log_prob(zeros))
    torch.testing.assert_close(losses.nonsaturating_loss(fake), -said_fake.log_prob(ones))


def test_slopes_by_the_logit_are_minus_d_and_minus_one_minus_d():
    logits = torch.tensor([-200.0, -7.0, 0.0, 3.0, 200.0], requires_grad=True)
    for loss, want in ((losses.minimax_loss, -logits.sigmoid()), (losses.nonsaturating_loss, logits.sigmoid() - 1)):
        (slope,) = torch.autograd.grad(loss(logits).sum(), logits)
        torch.testing.assert_close(slope, want.detach())


def test_jensen_shannon_is_that_of_scipy_and_knows_its_bounds():
    p, q = torch.rand(2, 50, generator=torch.Generator().manual_seed(0)).double()
    p[:5], q[-5:] = 0, 0
    p, q = p / (0.1 * p.sum()), q / (0.1 * q.sum())
    assert metrics.jensen_shannon(p, q, 0.1).item() == pytest.approx(jensenshannon(p.numpy(), q.numpy()) ** 2)
    assert metrics.jensen_shannon(p, p, 0.1).item() == pytest.approx(0)
    boxes = torch.eye(2).double()
    assert metrics.jensen_shannon(*boxes, 1.0).item() == pytest.approx(math.log(2))


def test_no_discriminator_has_a_smaller_loss_than_the_best_one_and_its_loss_gives_jensen_shannon():
    places, dx = torch.linspace(-9, 9, 3601, dtype=torch.float64), 18 / 3600
    log_p, log_q = (distributions.Normal(*one).log_prob(places) for one in ((0.0, 1.0), (1.5, 0.7)))
    p, q = log_p.exp(), log_q.exp()

    def loss(logits):
        return dx * (p * losses.nonsaturating_loss(logits) - q * losses.minimax_loss(logits)).sum().item()

    best = gan.optimal_logits(log_p, log_q)
    assert 2 * math.log(2) - loss(best) == pytest.approx(2 * metrics.jensen_shannon(p, q, dx).item(), abs=1e-6)
    assert all(loss(best) < loss(other) for other in (0.9 * best, best + 0.1, -best, 0 * best))


def test_share_near_counts_points_with_a_neighbor():
    others = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    points = torch.tensor([[0.1, 0.1], [0.0, 0.3], [5.0, 5.0], [1.0, -0.2]])
    assert metrics.share_near(points, others) == 0.5
    assert metrics.share_near(others, points) == 1 and metrics.share_near(others, points, radius=0.15) == 0.5


def test_surface_is_the_plane_as_a_picture():
    class Right(nn.Linear):
        def forward(self, x):
            return 100 * (x[:, 0] + 3 * x[:, 1])

    surface = gan.surface(Right(2, 1), reach=2.0, size=8)
    assert surface.shape == (8, 8)
    assert (surface[0] > 0.99).all() and (surface[-1] < 0.01).all()  # the first row is the top
    assert surface[3, 0] < 0.5 < surface[3, -1]


def test_networks_of_points_have_the_shapes_they_say():
    generator, discriminator = gan.PointGenerator(latent_dim=3, hidden_dim=5), gan.PointDiscriminator(5)
    assert generator(torch.randn(7, 3)).shape == (7, 2) and generator.latent_dim == 3
    assert discriminator(torch.randn(7, 2)).shape == (7,)
    assert gan.PointDiscriminator(5, dim=1)(torch.randn(7, 1)).shape == (7,)


def test_every_point_leaves_a_slope_for_the_generator_to_follow():
    torch.manual_seed(0)
    for _ in range(10):
        assert (gan.slopes(gan.PointDiscriminator(hidden_dim=4), 5 * torch.randn(100, 2)) > 0).all()


def test_a_generator_that_does_not_say_how_wide_its_codes_are_is_asked_to():
    with pytest.raises(CourseError, match=r"self\.latent_dim"):
        train.fit_gan(nn.Linear(2, 2), gan.PointDiscriminator(), x, epochs=1)


def test_fit_gan_brings_the_fakes_to_the_data_and_keeps_every_term():
    generator, discriminator = players()
    z = torch.randn(400, 2)
    before = metrics.share_near(x, generator(z))
    history = train.fit_gan(generator, discriminator, x, epochs=250, batch_size=100)
    assert set(history) == {"discriminator loss", "generator loss", "D(real)", "D(fake)"}
    assert all(len(means) == 250 for means in history.values())
    assert metrics.share_near(x, generator(z)) > before + 0.3
    assert not generator.training and not discriminator.training


def test_a_player_with_rate_0_stands_still_and_the_other_does_not():
    for still in (0, 1):
        pair = players()
        before = [[p.clone() for p in one.parameters()] for one in pair]
        rates = {"lr_generator": 1e-3 * still, "lr_discriminator": 1e-3 * (1 - still)}
        train.fit_gan(*pair, x, epochs=2, **rates)
        same = [all(map(torch.equal, one.parameters(), old)) for one, old in zip(pair, before, strict=True)]
        assert same == [still == 0, still == 1]


def test_no_gradient_of_the_discriminator_s_step_reaches_the_generator():
    generator, discriminator = players()
    train.fit_gan(generator, discriminator, x, epochs=1, discriminator_steps=10**6)
    assert all(p.grad is None for p in generator.parameters())
    assert all(p.grad is not None for p in discriminator.parameters())


def test_steps_of_the_discriminator_for_one_of_the_generator_are_counted_over_epochs():
    steps = []

    def counted(logits_fake):
        steps.append(len(logits_fake))
        return losses.nonsaturating_loss(logits_fake)

    train.fit_gan(*players(), x, generator_loss=counted, epochs=3, batch_size=100, discriminator_steps=5)
    assert len(steps) == 12 // 5


def test_first_losses_are_those_of_untrained_players():
    generator, discriminator = players()
    history = train.fit_gan(generator, discriminator, x, epochs=1, lr_generator=0.0, lr_discriminator=0.0)
    assert history["D(real)"][0] == pytest.approx(discriminator(x).sigmoid().mean().item(), abs=1e-5)
    logits_fake = discriminator(generator(torch.randn(4000, 2)))
    assert history["D(fake)"][0] == pytest.approx(logits_fake.sigmoid().mean().item(), abs=0.02)
    for name, loss in (
        ("generator loss", losses.nonsaturating_loss(logits_fake).mean()),
        (
            "discriminator loss",
            losses.nonsaturating_loss(discriminator(x)).mean() - losses.minimax_loss(logits_fake).mean(),
        ),
    ):
        assert history[name][0] == pytest.approx(loss.item(), abs=0.02), name


def test_same_seed_same_game_and_the_reader_s_generator_is_left_alone():
    games = []
    for seed in (3, 3, 4):
        pair = players()
        torch.manual_seed(5)
        before = torch.get_rng_state()
        games.append(train.fit_gan(*pair, x, epochs=2, seed=seed))
        assert torch.equal(before, torch.get_rng_state())
    assert games[0] == games[1] != games[2]


def test_a_game_that_diverges_or_is_interrupted_ends_as_fit_does(capsys, monkeypatch):
    def bad(logits_fake):
        return losses.nonsaturating_loss(logits_fake) * math.nan

    with pytest.raises(train.Diverged, match=r"epoch 1.*smaller lr"):
        train.fit_gan(*players(), x, generator_loss=bad, epochs=3)

    def stop(epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(train, "_interrupted_at", [-math.inf])
    pair = players()
    history = train.fit_gan(*pair, x, epochs=5, after_epoch=stop)
    assert len(history["generator loss"]) == 2 and not pair[0].training
    assert "2 of 5 epochs are done" in capsys.readouterr().err


def test_an_answer_shows_the_gradients_that_were_left_behind():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))

        def push(self):
            (3 * self.a).sum().backward()

    half = in_process(Half).new()
    half.call("push")
    grads = half.grads()
    assert grads["a"].tolist() == [3, 3] and grads["b"] is None


def test_moments_of_a_game_share_one_scale_and_paths_their_field():
    surface = torch.rand(8, 8)
    figure = plots.players({"a": (0.1 * surface, x, x), "b": (surface, x, -x)}, "Game")
    assert {image.get_clim() for ax in figure.axes for image in ax.images} == {(0.25, 0.75)}
    assert [ax.get_title("left") or ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]
    figure = plots.field(x[:9], -x[:9], {"a": x[:5], "b": x[5:9]}, "Field", ("u", "v"))
    assert all(ax.get_xlabel() == "u" for ax in figure.axes) and figure.axes[0].get_ylabel() == "v"
    figure = plots.curve_panels({"nats": {"a": [1.0, 2.0]}, "share": {"b": [0.0, 1.0]}}, "Curves")
    assert [ax.get_ylabel() for ax in figure.axes] == ["nats", "share"]
    plt.close("all")

"""Collapse: the linear VAE's optimum, what a pixel sees, and remedies, each against a closed form or torch."""

import csv
import importlib.util
import math

import pytest
import torch
from torch import distributions

from course_utils import data, losses, metrics, places
from course_utils.models.collapse import LinearVAE, PixelByPixelVAE, drawing_order, optimal_kl
from course_utils.models.linear_gaussian import LinearGaussian
from course_utils.models.vae import reparameterize


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_optimal_kl_is_that_of_the_best_exact_elbo():
    """Any scale of decoder, encoder and posterior that a grid holds does no better, and the best one spends the KL."""
    noise, beta = 0.5, 1.7
    for variance in (0.4, 1.5, 6.0):
        w, a, v = torch.meshgrid(*(torch.linspace(low, 3, 120) for low in (0, 0, 0.02)), indexing="ij")
        error = variance * (1 - w * a) ** 2 + w**2 * v
        kl = 0.5 * (a**2 * variance + v - 1 - v.log())
        best = (error / (2 * noise) + beta * kl).flatten().argmin()
        want = optimal_kl(torch.tensor([variance]), noise, beta).item()
        assert kl.flatten()[best].item() == pytest.approx(want, abs=0.02)


def test_linear_vae_is_the_linear_gaussian_model():
    vae, x = LinearVAE(latent_dim=1), draws(200, 2)
    mu, logvar = vae.encode(x)
    exact = LinearGaussian(vae.decoder.weight.detach(), vae.decoder.bias.detach(), 1.0).elbo(x, mu, logvar)
    z = reparameterize(mu.expand(4000, -1, -1), logvar.expand(4000, -1, -1))
    log_px = distributions.Normal(vae.decoder(z), 1.0).log_prob(x).sum(2)
    estimate = log_px.mean(0) - losses.gaussian_kl(mu, logvar)
    assert ((estimate - exact).abs() < 6 * log_px.std(0) / 4000**0.5).all()


@pytest.mark.parametrize("seen", [0.0, 1.0])
def test_a_pixel_depends_on_the_pixels_drawn_before_it_alone(seen):
    model = PixelByPixelVAE(seen=seen).eval()
    x = draws(1, 1, 14, 14).sigmoid().requires_grad_()
    rank = drawing_order().argsort()
    for place in (15, 16, 100, int(drawing_order()[-1])):
        (slope,) = torch.autograd.grad(model.decode(draws(1, 8), x).flatten()[place], x)
        touched = set(rank[slope.flatten() != 0].tolist())
        assert touched == (set(range(int(rank[place]))) if seen else set())


def test_drawing_order_is_coarse_to_fine():
    order = drawing_order()
    assert sorted(order.tolist()) == list(range(196))
    assert all(place // 14 % 4 == 1 and place % 14 % 4 == 1 for place in order[:16].tolist())
    assert all(place // 14 % 2 == 1 and place % 14 % 2 == 1 for place in order[:49].tolist())


def test_drawings_follow_the_likelihood():
    """The share of each of the first two pixels' four outcomes is what p(x|z) says."""
    torch.manual_seed(0)
    model = PixelByPixelVAE().eval()
    z, count = draws(1, 8), 4000
    x = model.draw(z.expand(count, -1), pixels=2).flatten(1)
    assert ((x == 0.5).sum(1) == 194).all()
    first, second = drawing_order()[:2].tolist()
    for a in (0.0, 1.0):
        picture = torch.zeros(1, 1, 14, 14)
        picture.view(-1)[first] = a
        p = model.decode(z, picture).flatten().sigmoid()
        share = ((x[:, first] == a) & (x[:, second] == 1)).float().mean()
        want = (p[first] if a else 1 - p[first]) * p[second]
        assert share.item() == pytest.approx(want.item(), abs=6 * 0.5 / math.sqrt(count))


def test_log_likelihood_is_minus_the_loss_of_each_draw():
    model = PixelByPixelVAE().eval()
    x, z = data.binarized("digits").x_test[:3, :, ::2, ::2], draws(2, 3, 8)
    for s in range(2):
        torch.testing.assert_close(model.log_likelihood(x, z)[s], -losses.bernoulli_nll(model.decode(z[s], x), x))


def test_a_blindfold_is_for_training_alone():
    torch.manual_seed(0)
    model, x, z = PixelByPixelVAE(seen=0.5), draws(4, 1, 14, 14).round().clamp(0, 1), draws(4, 8)
    assert not torch.equal(model.decode(z, x), model.decode(z, x))
    model.eval()
    assert torch.equal(model.decode(z, x), model.decode(z, x))


@torch.no_grad()
def test_the_share_that_is_seen_is_the_share_asked_for():
    torch.manual_seed(0)
    model, count = PixelByPixelVAE(seen=0.25), 400
    for p in model.parameters():
        p.zero_()
    model.draw_direct.weight.fill_(1)  # so that the last pixel counts the white pixels that it is shown
    x_logits = model.decode(torch.zeros(count, 8), torch.ones(count, 1, 14, 14)).flatten(1)
    shown = x_logits[:, drawing_order()[-1]].mean().item()
    assert shown == pytest.approx(0.25 * 195, abs=6 * (195 * 0.25 * 0.75 / count) ** 0.5)


def test_unit_kl_is_that_of_torch():
    mu, logvar = draws(5, 3), draws(5, 3, seed=1)
    posterior = distributions.Normal(mu, (0.5 * logvar).exp())
    want = distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(losses.unit_kl(mu, logvar), want)
    torch.testing.assert_close(losses.unit_kl(mu, logvar).sum(1), losses.gaussian_kl(mu, logvar))
    torch.testing.assert_close(metrics.kl_per_unit(mu, logvar), want.mean(0))


def test_free_bits_counts_and_pushes_as_the_paper_says():
    # The mean over the batch decides, so some numbers lie on the other side of the floor.
    kl = torch.tensor([[0.1, 0.2], [0.7, 3.0]], dtype=torch.double, requires_grad=True)
    assert losses.free_bits(kl, 0.5).mean().item() == pytest.approx(0.5 + 1.6)
    assert torch.autograd.gradcheck(lambda kl: losses.free_bits(kl, 0.5), kl)
    (slope,) = torch.autograd.grad(losses.free_bits(kl, 0.5).mean(), kl)
    assert slope.tolist() == [[0, 0.5], [0, 0.5]]


def test_warm_up_rises_to_one_and_stays():
    assert [losses.warm_up(step, 4) for step in (1, 2, 4, 5, 100)] == [0.25, 0.5, 1, 1, 1]


def test_active_units_move():
    mu = torch.stack([1.5 + torch.zeros(100), 0.05 * draws(100), 0.3 * draws(100, seed=1)], 1)
    assert metrics.active_units(mu) == 1 and metrics.active_units(mu, 0.001) == 2


def test_diagnosis():
    assert metrics.diagnose(3, -2.84, -2.84) == "not needed"
    assert metrics.diagnose(0, -6.84, -3.94) == "collapsed"
    assert metrics.diagnose(1, -6.84, -3.94) == "in use"


def test_label_share_of_codes_that_know_and_of_codes_that_do_not():
    y = torch.arange(10).repeat(30)
    knowing = 10.0 * torch.nn.functional.one_hot(y, 10) + draws(300, 10)
    assert metrics.label_share(knowing, y, knowing, y) == 1
    assert metrics.label_share(draws(300, 10), y, draws(300, 10, seed=1), y) < 0.3
    z, y = torch.tensor([[0.0], [0.1], [0.2]]), torch.tensor([1, 0, 0])  # most neighbors decide, not the nearest one
    assert metrics.label_share(z, y, z[:1], y[1:2], neighbors=3) == 1


def test_the_table_holds_every_remedy_and_seed_of_its_script():
    path = places.ROOT / "data" / "collapse_remedies.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    with open(path.with_suffix(".csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["remedy"], int(row["seed"])) for row in rows} == {
        (r, s) for r in script.REMEDIES for s in script.SEEDS
    }

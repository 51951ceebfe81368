"""What lesson 07 adds: the convolutional VAE, the loss by its parts, bounds of a VAE, codes, judges, the table."""

import math

import pytest
import torch
from torch import distributions
from torch.nn import functional

from course_utils import bounds, data, losses, metrics
from course_utils.errors import CourseError
from course_utils.models import codes
from course_utils.models.vae import ConvolutionalVAE, DenseVAE, reparameterize

x = (torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0)) < 0.3).float()


def test_reparameterize_draws_from_the_posterior():
    mu, logvar = torch.tensor([[1.0, -2.0]]).expand(40_000, 2), torch.tensor([[0.0, math.log(9)]]).expand(40_000, 2)
    z = reparameterize(mu, logvar)
    torch.testing.assert_close(z.mean(0), torch.tensor([1.0, -2.0]), atol=0.1, rtol=0)
    torch.testing.assert_close(z.std(0), torch.tensor([1.0, 3.0]), atol=0.1, rtol=0)


def test_convolutional_vae_has_the_interface_of_the_dense_one_and_every_weight_learns():
    vae = ConvolutionalVAE(latent_dim=3, channels=4)
    x_logits, mu, logvar = vae(x)
    assert x_logits.shape == x.shape and mu.shape == logvar.shape == (4, 3)
    torch.testing.assert_close(vae.encode(x)[0], mu)
    assert not torch.equal(x_logits, vae(x)[0])
    assert vae.decoder(1e4 * torch.randn(50, 3)).abs().max() > 1  # logits, not probabilities
    losses.negative_elbo(x_logits, mu, logvar, x)[0].sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in vae.parameters())


def test_negative_elbo_is_the_sum_of_its_parts():
    x_logits, mu, logvar = torch.randn(4, 1, 28, 28), torch.randn(4, 5), torch.randn(4, 5)
    loss, reconstruction, kl = losses.negative_elbo(x_logits, mu, logvar, x)
    torch.testing.assert_close(reconstruction, -distributions.Bernoulli(logits=x_logits).log_prob(x).flatten(1).sum(1))
    torch.testing.assert_close(kl, losses.gaussian_kl(mu, logvar))
    torch.testing.assert_close(loss, reconstruction + kl)


def test_bounds_of_a_vae_against_log_p_by_numerical_integration():
    torch.manual_seed(0)
    vae = DenseVAE(latent_dim=1, hidden_dim=20)
    with torch.no_grad():
        vae.decoder[0].weight *= 3  # so that z matters
        z = torch.linspace(-8, 8, 4001)[:, None]
        log_joint = -functional.softplus(vae.decoder(z)).flatten(1).sum(1)[:, None]
        log_joint = log_joint + vae.decoder(z).flatten(1) @ x.flatten(1).T
        log_joint = log_joint + distributions.Normal(0.0, 1.0).log_prob(z)
        log_p = log_joint.logsumexp(0) + math.log(16 / 4000)
    log_w = bounds.of_vae(vae, x, 20_000)
    assert log_w.shape == (20_000, 4) and not log_w.requires_grad
    torch.testing.assert_close(bounds.iwae(log_w), log_p, atol=0.1, rtol=0)
    assert (bounds.elbo(log_w) < log_p).all()


def test_bounds_of_a_vae_in_slices_draw_fresh_codes(monkeypatch):
    monkeypatch.setattr(bounds, "AT_ONCE", 9)  # two draws of four pictures at a time, the last slice smaller
    log_w = bounds.of_vae(DenseVAE(latent_dim=2), x, 7)
    assert log_w.shape == (7, 4) and len(log_w[:, 0].unique()) == 7


def test_spherical_walk_is_a_rotation_for_codes_of_one_length():
    t = torch.linspace(0, 1, 7)
    angle = 2.0
    walk = codes.spherical_walk(3 * torch.tensor([1.0, 0.0]), 3 * torch.tensor([math.cos(angle), math.sin(angle)]), 7)
    torch.testing.assert_close(walk, 3 * torch.stack([(t * angle).cos(), (t * angle).sin()], 1))
    torch.testing.assert_close(codes.spherical_walk(walk[1], 2 * walk[1], 5), codes.walk(walk[1], 2 * walk[1], 5))


def test_prior_grid_lies_in_the_middle_of_equal_shares_and_reads_as_a_page():
    page = codes.prior_grid(4).view(4, 4, 2)
    shares = distributions.Normal(0.0, 1.0).cdf(page)
    torch.testing.assert_close(shares[0, :, 0], torch.tensor([1, 3, 5, 7]) / 8)
    torch.testing.assert_close(shares[:, 0, 1], torch.tensor([7, 5, 3, 1]) / 8)
    assert (page[:, :, 0] == page[:1, :, 0]).all() and (page[:, :, 1] == page[:, :1, 1]).all()


def test_judges_let_nine_of_ten_held_out_pictures_meet_each_limit():
    images = data.digits()
    judges = metrics.Judges(images)
    distance, confidence = judges.readings(images.x_test)
    assert (distance <= judges.limits[0]).float().mean() == pytest.approx(0.9, abs=0.01)
    assert (confidence >= judges.limits[1]).float().mean() == pytest.approx(0.9, abs=0.01)
    assert 0.8 <= judges.share(images.x_test) <= 0.9
    assert judges.share(torch.rand(50, 1, 28, 28)) == 0  # far from everything
    assert judges.share(torch.full((5, 1, 28, 28), 0.1)) == 0
    assert (judges.labels(images.x_test) == images.y_test).float().mean() > 0.85


def test_table_gives_rows_by_column():
    rows = data.table("vae_on_digits")
    assert {(row["model"], row["latent_dim"]) for row in rows} >= {("dense", 20.0), ("convolutional", 20.0)}
    assert len(rows) == 30 and all(row["elbo"] < row["iwae"] < -100 and 0 <= row["passing"] <= 1 for row in rows)
    with pytest.raises(CourseError, match="vae_on_digits"):
        data.table("vae_on_digit")


def test_a_table_is_read_as_its_script_wrote_it(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(data.tables.places, "ROOT", tmp_path)
    rows = [{"way": "all 8,000", "seed": 0, "share": "0.25"}, {"way": "none", "seed": 1, "share": "0.5"}]
    data.tables.write(str(tmp_path / "data" / "ways.py"), rows)
    assert data.table("ways") == [
        {"way": "all 8,000", "seed": 0.0, "share": 0.25},
        {"way": "none", "seed": 1.0, "share": 0.5},
    ]

"""Measures of sharpness against closed forms, and who learns what in the models that join encoder and discriminator."""

import math

import pytest
import torch
from torch import nn

from course_utils import losses, metrics, train
from course_utils.errors import CourseError
from course_utils.grading.tasks.lesson16 import three_losses
from course_utils.models import spoiled, vaegan


def test_one_wave_puts_its_energy_into_one_ring_and_rings_add_up():
    place = torch.arange(28) * 2 * math.pi / 28
    wave = 0.5 + 0.3 * (3 * place[:, None] + 4 * place + 0.7).cos()
    x = torch.stack([wave[None], torch.rand(1, 28, 28)])
    energy = metrics.ring_energy(x)
    assert energy[0, 5].item() == pytest.approx(0.09 / 2 * 784, rel=1e-4)
    assert energy[0, 0].item() == pytest.approx(196, rel=1e-4)
    assert energy[0, [1, 2, 3, 4, 6, 7, 8]].abs().max() < 1e-3
    assert torch.allclose(energy.sum(1), x.square().sum((1, 2, 3)), rtol=1e-4)
    assert metrics.fine_share(x)[0] < 1e-4 and metrics.fine_share(x, coarsest=5)[0] > 0.999


def test_gradient_energy_of_a_ramp_and_of_white_noise():
    ramp = 2 * torch.arange(5.0)[:, None] - 3 * torch.arange(7.0)
    assert metrics.gradient_energy(ramp[None, None]).item() == 4 * 4 * 7 + 9 * 5 * 6
    # The gradient energy of independent pixels is 2 a pair.
    noise = torch.randn(500, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert metrics.gradient_energy(noise).mean().item() == pytest.approx(2 * 2 * 27 * 28, rel=0.02)


def test_a_blur_keeps_the_mean_inside_and_damps_a_wave_as_the_bell_says():
    place = torch.arange(60.0)
    wave = (2 * math.pi * 5 / 60 * place).cos().expand(1, 1, 60, 60)
    got = spoiled.blurred(wave, 1.5)[0, 0, 20:40, 20:40]
    damped = math.exp(-0.5 * (2 * math.pi * 5 / 60 * 1.5) ** 2)
    assert torch.allclose(got, damped * wave[0, 0, 20:40, 20:40], atol=2e-3)
    assert torch.equal(spoiled.blurred(wave, 0.0), wave)


def test_covered_share_is_nine_tenths_for_the_real_ones_and_nothing_far_away():
    x, x_real = torch.rand(200, 3), torch.rand(50, 3)
    assert metrics.covered_share(x, x_real, x_real) == pytest.approx(0.9, abs=0.01)
    assert metrics.covered_share(x, x_real + 5, x_real) == 0


@pytest.mark.parametrize(
    ("model", "loss"),
    [(vaegan.VAEGAN(3), vaegan.vaegan_losses), (vaegan.AdversarialAutoencoder(3), vaegan.aae_losses)],
)
def test_models_train_and_their_parts_have_a_loss_each(model, loss):
    x = torch.rand(40, 1, 28, 28)
    before = {name: value.clone() for name, value in model.named_parameters()}
    history = train.fit_parts(model, x, loss, epochs=2, batch_size=20)
    assert {"encoder", "decoder", "discriminator"} < history.keys()
    assert all(len(line) == 2 and all(map(math.isfinite, line)) for line in history.values())
    assert all(not torch.equal(value, before[name]) for name, value in model.named_parameters())
    assert model.decoder(torch.randn(5, model.latent_dim)).shape == (5, 1, 28, 28) and not model.training


def test_the_losses_of_a_vaegan_are_made_of_its_terms():
    model, x = vaegan.VAEGAN(3).eval(), torch.rand(6, 1, 28, 28)
    torch.manual_seed(0)
    terms = vaegan.vaegan_losses(model, x, gamma=0.3)
    torch.manual_seed(0)
    x_hat, mu, logvar = model(x)
    x_fake = model.decoder(torch.randn_like(mu))
    features, features_hat = model.discriminator.features(x), model.discriminator.features(x_hat)
    logits = [model.discriminator(one) for one in (x, x_hat, x_fake)]
    wants = three_losses(features, features_hat, mu, logvar, *logits, gamma=0.3)
    for part, want in zip(("encoder", "decoder", "discriminator"), wants, strict=True):
        assert torch.allclose(terms[part], want, rtol=1e-4), part
    error, game = terms["feature error"], vaegan.vaegan_losses(model, x, gamma=0.0)["decoder"]
    assert torch.allclose(terms["encoder"], error + terms["KL"]) and (game > 0).all()


def test_an_adversarial_autoencoder_takes_any_prior():
    model, x = vaegan.AdversarialAutoencoder(2), torch.rand(6, 1, 28, 28)
    drawn = torch.full((6, 2), 3.0)
    terms = vaegan.aae_losses(model, x, prior=lambda count: drawn[:count], weight=2.0)
    logits = model.discriminator(model.encoder(x))
    assert torch.allclose(terms["discriminator"], losses.discriminator_loss(model.discriminator(drawn), logits))
    assert torch.allclose(terms["encoder"], terms["pixel error"] + 2 * losses.nonsaturating_loss(logits))


class Leaning(nn.Module):
    """Two parts that both enter each loss."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)


def test_each_part_follows_its_own_loss_and_no_other():
    model, x = Leaning(), torch.ones(32, 1)
    with torch.no_grad():
        model.left.weight.fill_(0.5), model.right.weight.fill_(0.5)

    def loss(model, x):
        product = model.left(x)[:, 0] * model.right(x)[:, 0]
        return {"left": product, "right": -product, "product": product}

    history = train.fit_parts(model, x, loss, epochs=3, batch_size=16, lr=0.01)
    assert model.left.weight.item() < 0.5 < model.right.weight.item()
    assert history["left"] == history["product"]


def test_a_part_without_a_loss_is_named():
    with pytest.raises(CourseError, match="No loss for right: the terms are left, wright"):
        train.fit_parts(Leaning(), torch.ones(8, 1), lambda m, x: dict.fromkeys(("left", "wright"), m.left(x)[:, 0]))


def test_a_diverging_part_ends_with_its_name_and_an_interrupt_with_the_history(capsys):
    model, x = Leaning(), torch.ones(8, 1)

    def loss(model, x):
        one = model.left(x)[:, 0] + 0 * model.right(x)[:, 0]
        return {"left": one, "right": one * torch.inf}

    with pytest.raises(train.Diverged, match="'right'"):
        train.fit_parts(model, x, loss, epochs=1)

    def stop(epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    history = train.fit_parts(
        Leaning(), x, lambda m, x: {"left": m.left(x)[:, 0], "right": m.right(x)[:, 0]}, epochs=5, after_epoch=stop
    )
    assert len(history["left"]) == 2 and "2 of 5 epochs" in capsys.readouterr().err

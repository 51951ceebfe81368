"""What lesson 13 adds: players for digits, smoothed labels, a reader, shipped weights, a plot of games."""

from collections import Counter

import pytest
import torch
from matplotlib import pyplot as plt
from torch import nn
from torch.nn import functional

from course_utils import data, losses, metrics, plots, train
from course_utils.errors import CourseError
from course_utils.models import gan

GENERATORS = {gan.DenseGenerator: -1, gan.SmallGenerator: 0, gan.ConvolutionalGenerator: -1}


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("Generator", "low"), GENERATORS.items())
def test_generators_make_pictures_on_their_scale(Generator, low):
    generator = Generator()
    x_fake = generator(normal(64, generator.latent_dim))
    assert x_fake.shape == (64, 1, 28, 28) and x_fake.min() >= low and x_fake.max() <= 1
    with torch.no_grad():
        list(generator.parameters())[-1].sub_(50.0)  # the last bias: all black
    assert generator(normal(4, generator.latent_dim)).max().item() == pytest.approx(low, abs=1e-3)


def test_layers_of_the_dense_generator_are_as_wide_as_they_are_said_to_be():
    widths = [(one.in_features, one.out_features) for one in gan.DenseGenerator().layers if isinstance(one, nn.Linear)]
    assert widths == [(100, 256), (256, 512), (512, 1024), (1024, 784)]


@pytest.mark.parametrize("Discriminator", [gan.DenseDiscriminator, gan.ConvolutionalDiscriminator])
def test_discriminators_give_one_logit_for_each_picture(Discriminator):
    discriminator = Discriminator().eval()
    x = normal(5, 1, 28, 28)
    logits = discriminator(x)
    assert logits.shape == (5,)
    torch.testing.assert_close(discriminator(x[:2]), logits[:2], rtol=1e-4, atol=1e-5)


def test_codes_of_a_new_generator_give_different_pictures():
    """Normalizing all places of the 7x7 images at once would leave a pattern common to all codes."""
    torch.manual_seed(0)
    generator = gan.ConvolutionalGenerator()
    hidden = generator.layers[:6](normal(64, 16))  # the images of 7x7, before the first transposed convolution
    shared, own = hidden.mean(0).var(), hidden.var(0).mean()
    assert own > 3 * shared


def test_without_normalization_nothing_else_is_gone():
    for model in (gan.ConvolutionalGenerator(), gan.ConvolutionalDiscriminator()):
        before = [layer for layer in model.layers if "BatchNorm" not in type(layer).__name__]
        assert list(gan.without_normalization(model).layers) == before
    generator = gan.without_normalization(gan.ConvolutionalGenerator())
    z = normal(8, 16)
    torch.testing.assert_close(generator(z)[:3], generator(z[:3]))


def test_rescale_there_and_back():
    x = normal(3, 2)
    torch.testing.assert_close(
        gan.rescale(torch.tensor([0.0, 0.25, 1.0]), 0, 1, -1, 1), torch.tensor([-1.0, -0.5, 1.0])
    )
    torch.testing.assert_close(gan.rescale(gan.rescale(x, -2, 5, 10, 11), 10, 11, -2, 5), x, rtol=1e-4, atol=1e-5)


def test_smoothed_loss_is_the_cross_entropy_with_soft_labels():
    real, fake = 3 * normal(2, 6)
    entropy = functional.binary_cross_entropy_with_logits
    for smoothing in (0.0, 0.1, 0.4):
        want = entropy(real, torch.full((6,), 1 - smoothing), reduction="none")
        want = want + entropy(fake, torch.zeros(6), reduction="none")
        torch.testing.assert_close(losses.smoothed_loss(real, fake, smoothing), want)
    assert losses.smoothed_loss(torch.tensor([200.0]), torch.tensor([-200.0]), 0.1).item() == pytest.approx(20)


def test_best_answers_under_smoothed_labels_have_the_smallest_loss():
    p, q, s = torch.tensor([3.0, 0.5]), torch.tensor([1.0, 2.0]), 0.1
    one_sided, two_sided = gan.smoothed_best(p, q, s)

    def loss(d, label_fake):
        real = -(1 - s) * d.log() - s * (1 - d).log()
        return p * real - q * (label_fake * d.log() + (1 - label_fake) * (1 - d).log())

    for d, label_fake in ((one_sided, 0.0), (two_sided, s)):
        assert all((loss(d, label_fake) < loss(d + step, label_fake)).all() for step in (-0.01, 0.01))
    assert one_sided.tolist() == pytest.approx([0.675, 0.18])


def test_a_reader_knows_held_out_digits_and_leaves_random_numbers_alone():
    images = data.digits()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    reader = metrics.digit_reader(images, seed=0, epochs=2)
    assert torch.equal(before, torch.get_rng_state())
    assert (reader(images.x_test).argmax(1) == images.y_test).float().mean() > 0.85
    sure = metrics.confidence(reader, images.x_test)
    torch.testing.assert_close(sure, reader(images.x_test).softmax(1).max(1).values.detach())
    assert not sure.requires_grad


def test_shipped_weights_are_small_and_draw_what_the_reader_can_read():
    path = data.tables.places.ROOT / "data" / "gan_on_digits.pt"
    assert path.stat().st_size < 1_000_000
    generator = gan.ConvolutionalGenerator()
    generator.load_state_dict(data.weights("gan_on_digits"))
    x_fake = gan.rescale(generator.eval()(normal(300, 16)), -1, 1, 0, 1).detach()
    reader = metrics.digit_reader(data.digits(), epochs=4)
    assert (metrics.confidence(reader, x_fake) > 0.9).float().mean() > 0.5
    assert len(reader(x_fake).argmax(1).unique()) == 10
    with pytest.raises(CourseError, match="gan_on_digits"):
        data.weights("gan_on_digit")


def test_the_table_holds_every_recipe_seed_and_epoch():
    rows = data.table("gan_on_digits")
    games = Counter(row["recipe"] for row in rows if row["epoch"] == 12)
    assert games.pop("no normalization") == 10 and list(games.values()) == 4 * [3]
    assert len({(row["recipe"], row["seed"], row["epoch"]) for row in rows}) == len(rows) == 22 * 12
    assert all(0 <= row[name] <= 1 for row in rows for name in ("d_real", "d_fake", "sure"))


def test_fit_gan_takes_a_smoothed_loss_and_pictures():
    x = gan.rescale(data.digits().x_train[:64], 0, 1, -1, 1)
    history = train.fit_gan(
        gan.ConvolutionalGenerator(),
        gan.ConvolutionalDiscriminator(),
        x,
        lambda logits_real, logits_fake: losses.smoothed_loss(logits_real, logits_fake, 0.1),
        epochs=2,
        batch_size=32,
    )
    assert len(history["D(real)"]) == 2


def test_games_have_a_panel_each_and_lines_for_both_players():
    run = {"D(real)": [0.6, 0.7], "D(fake)": [0.4, 0.3]}
    figure = plots.games({"a": [run, run], "b": [run]}, "Games")
    assert [len(ax.lines) for ax in figure.axes] == [4, 2]
    assert {line.get_color() for line in figure.axes[0].lines} == {plots.INK, plots.VERMILION}
    plt.close("all")

"""What lesson 14 adds: counts over modes and their rule, packs, the spread of a batch, stacked digits, the table."""

import math
import re

import pytest
import torch
from scipy.stats import entropy

from course_utils import data, losses, metrics, places, plots, train
from course_utils.errors import CourseError
from course_utils.exercises.answer import in_process
from course_utils.exercises.engine import judge
from course_utils.grading.tasks import TASKS
from course_utils.models import gan, packing


def test_reverse_kl_is_that_of_scipy_and_knows_its_ends():
    fake, real = torch.randint(1, 90, (2, 7), generator=torch.Generator().manual_seed(0))
    assert metrics.reverse_kl(fake, real).item() == pytest.approx(entropy(fake.numpy(), real.numpy()))
    even, one = torch.ones(8), torch.tensor([0, 0, 5, 0, 0, 0, 0, 0])
    assert metrics.reverse_kl(even, 3 * even).item() == pytest.approx(0, abs=1e-12)
    assert metrics.reverse_kl(one, even).item() == pytest.approx(math.log(8))
    assert metrics.reverse_kl(even, one).item() == math.inf


def test_real_points_are_nearest_to_their_own_mode_and_are_healthy():
    cloud = data.points("grid", 2000, seed=0)
    centers = torch.stack([cloud.x[cloud.component == k].mean(0) for k in range(25)])
    which, distance = metrics.nearest_mode(cloud.x, centers)
    assert torch.equal(which, cloud.component)
    torch.testing.assert_close(distance, (cloud.x - centers[which]).norm(dim=1), rtol=1e-3, atol=1e-3)
    good = (distance <= 0.2).float().mean().item()
    assert metrics.diagnose_modes(torch.bincount(which, minlength=25), good, 16) == "healthy"
    assert metrics.diagnose_modes(torch.bincount(which[which < 20], minlength=25), good, 16) == "collapsed"
    assert metrics.diagnose_modes(torch.bincount(which, minlength=25), 0.4, 16) == "scattered"
    assert metrics.diagnose_modes(torch.tensor([16] * 9 + [15]), 0.5, 16) == "healthy"  # at each of its limits
    assert metrics.diagnose_modes(torch.tensor([16] * 8 + [15] * 2), 0.5, 16) == "collapsed"


def test_packs_keep_samples_whole_and_give_each_the_logit_of_its_pack():
    x = torch.arange(24.0).view(6, 2, 2)
    assert torch.equal(packing.pack(x, 3), torch.stack([x[:3].flatten(), x[3:].flatten()]))
    with pytest.raises(CourseError, match="6 samples make no packs of 4"):
        packing.pack(x, 4)
    inner = gan.PointDiscriminator(dim=8)
    logits = packing.PackedDiscriminator(inner, 2)(x)
    torch.testing.assert_close(logits, inner(packing.pack(x, 2)).repeat_interleave(2))


def test_a_packed_discriminator_learns_what_one_of_single_samples_cannot():
    """Data: each batch holds all modes. Crowd: one mode a batch, all modes in turn, so single samples look alike."""
    torch.manual_seed(0)
    modes = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    gaps = {}
    for m in (1, 2):
        discriminator = packing.PackedDiscriminator(gan.PointDiscriminator(32, 2 * m), m)
        optimizer = torch.optim.Adam(discriminator.parameters(), lr=3e-3)
        for _ in range(300):
            x_real = modes[torch.randint(4, (128,))]
            x_fake = modes[torch.randint(4, (64,)).repeat_interleave(2)]  # two in a row are always of one mode
            optimizer.zero_grad()
            loss = losses.discriminator_loss(discriminator(x_real), discriminator(x_fake)).mean()
            loss.backward()
            optimizer.step()
        gaps[m] = 2 * math.log(2) - loss.item()
    assert gaps[1] < 0.1 < 0.5 < gaps[2]


def test_the_spread_of_a_batch_reaches_every_sample():
    x = torch.randn(10, 2)
    assert packing.minibatch_std(x).item() == pytest.approx(x.numpy().std(0).mean(), rel=1e-5)
    inner = gan.PointDiscriminator(dim=3)
    told = torch.cat([x, packing.minibatch_std(x).expand(10, 1)], 1)
    torch.testing.assert_close(packing.StatisticDiscriminator(inner)(x), inner(told))
    with torch.no_grad():
        inner.layers[0].weight[:, :2] = 0  # it sees the spread alone, and a generator has to feel that
    assert (gan.slopes(packing.StatisticDiscriminator(inner), x) > 0).all()


def test_stacks_hold_halved_digits_and_name_both():
    images = data.digits()
    x, y = data.stacks(images.x_train, images.y_train, 50, seed=3)
    assert x.shape == (50, 2, 14, 14) and torch.equal(x, data.stacks(images.x_train, images.y_train, 50, seed=3)[0])
    halved = images.x_train[:, 0, ::2, ::2].flatten(1)
    for c, label in ((0, y // 10), (1, y % 10)):
        distance, i = torch.cdist(x[:, c].flatten(1), halved).min(1)
        assert distance.max() < 0.05 and torch.equal(images.y_train[i], label)


def test_both_discriminators_play_in_fit_gan():
    x = data.points("rings", 256).x
    for discriminator in (
        packing.PackedDiscriminator(gan.PointDiscriminator(8, 4), 2),
        packing.StatisticDiscriminator(gan.PointDiscriminator(8, 3)),
    ):
        history = train.fit_gan(gan.PointGenerator(hidden_dim=8), discriminator, x, epochs=2, batch_size=64)
        assert len(history["discriminator loss"]) == 2
    x_stacks = torch.rand(64, 2, 14, 14)
    whole = packing.PackedDiscriminator(gan.PointDiscriminator(8, 392), 1)
    train.fit_gan(packing.StackGenerator(4, 8), whole, x_stacks, epochs=1)


def test_modes_without_labels_counts_the_grid():
    answer = TASKS["T14"].reference
    modes, error = answer(data.points("grid", 1500, seed=1).x, 0.4)
    assert abs(modes - 25) < 3 * error and error < 1
    assert judge(TASKS["T14"], in_process(answer)).points == 5


def test_the_table_holds_every_remedy_and_seed_of_its_script():
    script = (places.ROOT / "data" / "mode_collapse.py").read_text()
    rows = data.table("mode_collapse")
    for of, name, seeds in (("ring", "RING", 8), ("stacks", "STACKS", 4)):
        remedies = re.findall(r'^    "([\w ]+)": \(', script.split(f"{name} = {{")[1].split("}")[0], re.MULTILINE)
        there = {(row["remedy"], row["seed"]) for row in rows if row["of"] == of}
        assert there == {(remedy, seed) for remedy in remedies for seed in range(seeds)}


def test_plots_draw_every_panel():
    one, other = torch.randn(5, 2), torch.randn(7, 2)
    figure = plots.crowds({"a": (one, other), "b": (other, one)}, "title")
    assert [ax.get_title() or ax.get_title(loc="left") for ax in figure.axes] == ["a", "b"]  # the style may be in use
    assert len(figure.axes[0].collections[1].get_offsets()) == 7
    figure = plots.tables({"a": torch.eye(3), "b": torch.ones(3, 3)}, "title", ("x", "y"))
    assert figure.axes[0].get_xlabel() == "x"

"""Scores of codes whose factors are known, and what they stand on."""

import math

import pytest
import torch
from sklearn.metrics import mutual_info_score

from course_utils import data, metrics
from course_utils.errors import CourseError
from course_utils.models import codes


@pytest.fixture(scope="module")
def levels():
    return data.every_sprite("x", "y", "scale")[1].repeat(32, 1)


def perfect(levels, noise=0.0):
    factors = levels.float() - levels.float().mean(0)
    factors = factors / factors.std(0)
    return torch.cat([factors + noise * torch.randn_like(factors), torch.randn(len(levels), 2)], 1)


def scores(z, levels):
    told = metrics.information(z, levels, bins=32)
    return metrics.mig(told, metrics.entropies(levels)), metrics.disentanglement(told)


def test_mutual_information_agrees_with_scikit_learn():
    for _ in range(20):
        a, b = torch.randint(7, (300,)), torch.randint(4, (300,))
        b = torch.where(torch.rand(300) < 0.5, a % 3, b)
        assert metrics.mutual_information(a, b) == pytest.approx(mutual_info_score(a, b), abs=1e-5)
        torch.testing.assert_close(metrics.mutual_information(a, b), metrics.mutual_information(b, a))


def test_mutual_information_of_all_combinations_is_exact(levels):
    entropy = metrics.entropies(levels)
    torch.testing.assert_close(entropy, torch.tensor([8.0, 8.0, 4.0]).log())
    assert metrics.mutual_information(levels[:, 0], levels[:, 1]).abs() < 1e-6


def test_bins_hold_equally_many_and_do_not_change_when_a_unit_is_stretched():
    z = torch.randn(1000, 3).exp()
    bins = metrics.equal_bins(z)
    assert all(torch.bincount(column, minlength=20).tolist() == [50] * 20 for column in bins.T)
    assert torch.equal(metrics.equal_bins(z.log() * 3 + 1), bins)


def test_levels_of_a_perfect_unit_stay_apart(levels):
    bins = metrics.equal_bins(levels.float())
    for level, column in zip(levels.T, bins.T, strict=True):
        assert metrics.mutual_information(level, column) == pytest.approx(math.log(int(level.max()) + 1), abs=1e-4)


def test_scores_know_perfect_random_copied_packed_and_turned_codes(levels):
    z = perfect(levels)
    assert min(scores(z, levels)) > 0.98
    mig, disentanglement = scores(torch.randn(len(levels), 5), levels)
    assert mig < 0.01 and disentanglement < 0.15
    copied = torch.cat([z[:, :3], z[:, :2]], 1)
    assert scores(copied, levels) == pytest.approx((1 / 3, 1), abs=0.01)
    packed = torch.cat([4 * levels[:, :1].float() + levels[:, 2:], z[:, 1:2], z[:, 3:]], 1)
    mig, disentanglement = scores(packed, levels)
    assert mig > 0.98 and disentanglement < 0.65  # 32 bins are as many as a packed unit has values
    mig, disentanglement = scores(z @ codes.turn(5, 0, 1, 45).T, levels)
    assert mig < 0.35 and disentanglement < 0.6


def test_scores_do_not_see_order_scale_or_sign_of_the_units(levels):
    z = perfect(levels, noise=0.3)
    other = z[:, [3, 1, 4, 0, 2]] * torch.tensor([-2.0, 0.1, 3.0, -1.0, 50.0])
    assert scores(other, levels) == pytest.approx(scores(z, levels), abs=0.01)


def test_a_silent_unit_counts_for_nothing():
    told = torch.tensor([[0.8, 0.0], [0.1, 0.1], [0.0, 0.0]])
    assert metrics.disentanglement(told) == pytest.approx(0.8)


def test_a_turn_is_orthogonal_and_moves_two_units_alone():
    Q, z = codes.turn(4, 1, 3, 30), torch.randn(10, 4)
    torch.testing.assert_close(Q @ Q.T, torch.eye(4))
    turned = z @ Q.T
    torch.testing.assert_close(turned[:, [0, 2]], z[:, [0, 2]])
    torch.testing.assert_close(turned.norm(dim=1), z.norm(dim=1))
    torch.testing.assert_close(codes.turn(2, 0, 1, 90) @ torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))


def test_every_sprite_is_there_once():
    x, levels = data.every_sprite("x", "y", "scale")
    assert x.shape == (256, 1, 14, 14) and len(levels.unique(dim=0)) == len(x.flatten(1).unique(dim=0)) == 256
    assert x.min() >= 0 and x.max() <= 1
    middle = (x.sum((1, 2)) * torch.arange(14)).sum(1) / x.sum((1, 2, 3))
    assert torch.corrcoef(torch.stack([middle, levels[:, 0].float()]))[0, 1] > 0.99
    with pytest.raises(CourseError, match="scale"):
        data.every_sprite("scales")

"""Metrics against an independent implementation or a case whose answer is known."""

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from scipy.stats import sem
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from course_utils import metrics


def test_principal_subspace_is_that_of_scikit_learn():
    x = torch.randn(50, 8, generator=torch.Generator().manual_seed(0)) * torch.arange(1, 9) + 5
    mean, directions = metrics.principal_subspace(x, 3)
    pca = PCA(3).fit(x.numpy())
    assert np.allclose(mean, pca.mean_, atol=1e-5)
    assert np.allclose(np.abs(directions @ pca.components_.T), np.eye(3), atol=1e-4)


def test_largest_angle_is_that_of_scipy():
    a, b = torch.randn(2, 3, 9, generator=torch.Generator().manual_seed(0))
    want = np.rad2deg(subspace_angles(a.numpy().T, b.numpy().T).max())
    assert metrics.largest_angle(a, b) == pytest.approx(want, abs=1e-3)
    assert metrics.largest_angle(a, a.flip(0) * 3) == pytest.approx(0, abs=0.1)
    assert metrics.largest_angle(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 3.0]])) == pytest.approx(45, abs=1e-3)


def test_explained_share_of_perfect_lazy_and_worse():
    x = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    assert metrics.explained_share(x, x) == 1
    assert metrics.explained_share(x, torch.full_like(x, 0.5)) == 0
    assert metrics.explained_share(x, torch.tensor([0.1, 0.9]).view(2, 1, 1, 1)) == pytest.approx(0.96)
    assert metrics.explained_share(x, 1 - x) < 0


def test_effective_beta_finds_the_weights_of_a_loss_line_and_ignores_scale_and_constant():
    generator = torch.Generator().manual_seed(0)
    error = 0.2 * torch.rand(6, 16, 50, generator=generator) * torch.rand(6, 1, 1, generator=generator)
    kl = torch.rand(6, 16, 7, generator=generator) * torch.rand(6, 1, 1, generator=generator)
    clean = error.sum(2).mean(1) + 3 * kl.sum(2).mean(1)
    for values, beta in (
        (clean, 3),
        (1000 - 0 * clean + 0.01 * clean, 3),
        (error.mean((1, 2)) + kl.mean((1, 2)), 50 / 7),
        (error.sum((1, 2)) + kl.sum(2).mean(1), 1 / 16),
    ):
        assert metrics.effective_beta(values, error, kl) == pytest.approx(
            beta, rel=2e-2 if values.mean() > 500 else 1e-3
        )


def test_auc_is_that_of_scikit_learn_with_and_without_ties():
    generator = torch.Generator().manual_seed(0)
    for round_to in (0, 2):
        anomalous = (torch.randn(37, generator=generator) + 1).round(decimals=round_to)
        normal = torch.randn(91, generator=generator).round(decimals=round_to)
        labels = np.concatenate([np.ones(37), np.zeros(91)])
        want = roc_auc_score(labels, torch.cat([anomalous, normal]).numpy())
        assert metrics.auc(anomalous, normal) == pytest.approx(want)
        assert metrics.auc(normal, anomalous) == pytest.approx(1 - want)
    assert metrics.auc(torch.ones(3), torch.zeros(2)) == 1 and metrics.auc(torch.ones(3), torch.ones(2)) == 0.5


def test_paired_gain_does_not_see_what_pairs_share():
    without = torch.tensor([0.2, 0.5, 0.9, 0.4], dtype=torch.float64)
    gains = torch.tensor([0.1, 0.0, 0.2, 0.1], dtype=torch.float64)
    gain, low, high = metrics.paired_gain(without + gains, without)
    assert gain == pytest.approx(0.1)
    assert high - gain == pytest.approx(gain - low) == pytest.approx(2 * sem(gains.numpy()))

"""What lesson 17 adds: distances of sets of features, the feature network, spoiled sets, the models that are judged."""

import shutil

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from scipy import linalg
from sklearn.metrics.pairwise import polynomial_kernel

from course_utils import data, metrics, places, plots
from course_utils.errors import CourseError
from course_utils.exercises.lesson17 import bells_apart
from course_utils.models import judged, spoiled
from course_utils.models.features import digit_features


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_frechet_distance_of_bells_is_the_closed_form_in_any_frame():
    mu_a, mu_b, s, t = normal(4, 6)
    s, t = s.abs(), t.abs()
    turn = torch.linalg.qr(normal(6, 6, seed=1)).Q
    want = bells_apart(mu_a, s, mu_b, t).item()
    for frame in (torch.eye(6).double(), turn):
        covs = [frame * sigma.square() @ frame.T for sigma in (s, t)]
        found = metrics.frechet_distance(frame @ mu_a, covs[0], frame @ mu_b, covs[1])
        assert found == pytest.approx(want, rel=1e-9)


def test_fid_is_that_of_scipy_and_flat_features_do_no_harm():
    real, fake = normal(200, 8), 1.5 * normal(150, 8, seed=1) @ normal(8, 8, seed=2) + 0.3
    (mu_a, cov_a), (mu_b, cov_b) = metrics.moments(real), metrics.moments(fake)
    np.testing.assert_allclose(cov_b.numpy(), np.cov(fake.numpy().T))
    shared = linalg.sqrtm((cov_a @ cov_b).numpy()).real.trace()
    want = (mu_a - mu_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * shared
    assert metrics.fid(real, fake) == pytest.approx(want.item(), rel=1e-8)
    assert metrics.fid(fake, real) == pytest.approx(want.item(), rel=1e-8)
    flat = [torch.cat([one, one[:, :3], torch.zeros(len(one), 2)], 1) for one in (real, fake)]
    assert metrics.fid(*flat) > metrics.fid(real, fake)
    assert metrics.fid(flat[1], flat[1]) == pytest.approx(0, abs=1e-5)
    assert metrics.fid(real.float(), fake.float()) == pytest.approx(want.item(), rel=1e-4)


def test_fid_of_one_kind_falls_as_one_over_n_and_kid_is_around_0():
    draws = [normal(800, 4, seed=seed) for seed in range(60)]
    pairs = list(zip(draws[::2], draws[1::2], strict=True))
    fid = {n: np.mean([metrics.fid(a[:n], b[:n]) for a, b in pairs]) for n in (50, 400)}
    assert 6 < fid[50] / fid[400] < 10.5
    kid = np.array([metrics.kid(a[:50], b[:40]) for a, b in pairs])
    assert abs(kid.mean()) < 4 * kid.std() / len(kid) ** 0.5 and (kid < 0).any() and (kid > 0).any()


def test_kid_is_made_of_sklearns_kernel():
    real, fake = normal(1203, 5), normal(40, 5, seed=1) + 0.5
    aa, bb, ab = (polynomial_kernel(*pair, degree=3, coef0=1) for pair in ((real, real), (fake, fake), (real, fake)))
    want = (aa.sum() - aa.trace()) / (1203 * 1202) + (bb.sum() - bb.trace()) / (40 * 39) - 2 * ab.mean()
    assert metrics.kid(real, fake) == pytest.approx(want, rel=1e-9)


def test_precision_and_recall_count_one_set_in_the_region_of_the_other():
    real, fake = normal(1100, 3).float(), normal(90, 3, seed=1).float() * 1.4

    def inside(one, others):
        radii = [np.sort(np.linalg.norm(others - other, axis=1))[3] for other in others]
        return np.mean([(np.linalg.norm(others - point, axis=1) <= radii).any() for point in one])

    want = inside(fake.numpy(), real.numpy()), inside(real.numpy(), fake.numpy())
    assert metrics.precision_recall(real, fake) == pytest.approx(want, abs=2e-3)
    assert metrics.within(torch.tensor([[4.5], [-1.5]]), torch.tensor([[0.0], [1.0], [3.0]]), 1).tolist() == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("score", "least"),
    [(metrics.fid, 2), (metrics.kid, 2), (metrics.precision_recall, 4)],
    ids=["fid", "kid", "shares"],
)
def test_a_set_too_small_for_a_score_is_one_sentence(score, least):
    score(normal(least, 3), normal(least, 3, seed=1))
    with pytest.raises(CourseError, match=f"needs {least} pictures or more"):
        score(normal(least, 3), normal(least - 1, 3, seed=1))


def test_the_feature_network_knows_held_out_digits_and_is_scaled():
    images, network = data.digits(), digit_features()
    assert (network.logits(images.x_test).argmax(1) == images.y_test).float().mean() > 0.97
    mu, cov = metrics.moments(network(images.x_train))
    assert mu.abs().max() < 0.01 and (cov.diagonal() - 1).abs().max() < 0.01
    # 2,000 pictures give a covariance whose FID from all 8,000 is small beside that of any model in the table.
    assert metrics.fid(network(images.x_train), network(images.x_train[::4])) < 0.03
    assert not network.training and not any(p.requires_grad for p in network.parameters())


def test_missing_or_damaged_weights_are_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "digit_features.pt"
    whole = places.ROOT / "data" / "digit_features.pt"
    monkeypatch.setattr(places, "ROOT", tmp_path)
    with pytest.raises(CourseError, match="digit_features"):
        data.weights("digit_features")
    for content in (b"", b"gone", whole.read_bytes()[:20_000]):
        path.write_bytes(content)
        with pytest.raises(CourseError, match=r"digit_features\.pt is damaged: .*`python data/digit_features\.py`"):
            data.weights("digit_features")
    shutil.copy(whole, path)
    digit_features()


def test_shipped_weights_are_small_and_every_model_draws_pictures():
    assert (
        sum((places.ROOT / "data" / f"{name}.pt").stat().st_size for name in ("digit_features", "judged_models")) < 1e6
    )
    made = judged.samplers()
    z = normal(300, made.latent_dim).float()
    for name in judged.NAMES:
        x = made.draw(name, z)
        assert x.shape == (300, 1, 28, 28) and x.min() >= 0 and x.max() <= 1
    with pytest.raises(CourseError, match="VAE-GAN"):
        made.draw("VAE-GAM", z)


def test_the_table_has_every_model_and_its_weights_score_as_it_says():
    rows = data.table("judged_models")
    seeds = {row["seed"] for row in rows}
    assert seeds == set(range(5)) and len(rows) == len(seeds) * len(judged.NAMES)
    seconds = [np.mean([row["seconds"] for row in rows if row["model"] == name]) for name in judged.NAMES]
    assert max(seconds) < 1.1 * min(seconds)  # equal training cost
    images, network, made = data.digits(), digit_features(), judged.samplers()
    z = torch.randn(2000, made.latent_dim, generator=torch.Generator().manual_seed(0))
    for row in (row for row in rows if row["seed"] == 0):
        fake = network(made.draw(row["model"], z))
        assert metrics.fid(network(images.x_train[::4]), fake) == pytest.approx(row["fid"], rel=0.02)


def test_blur_keeps_the_ink_and_two_sets_of_one_fid_are_told_apart():
    images, network = data.digits(), digit_features()
    x = torch.zeros(1, 1, 28, 28)
    x[..., 14, 14] = 1
    place = torch.arange(28) - 14.0
    for sigma in (0.7, 2.0):
        y = spoiled.blurred(x, sigma)
        assert y.sum() == pytest.approx(1, abs=1e-4)
        assert (y[0, 0].sum(0) * place.square()).sum() == pytest.approx(sigma**2, rel=0.1)
    assert spoiled.amount(lambda a: a**2, 2.0, 0.0, 3.0) == pytest.approx(2**0.5, abs=1e-3)

    real, others = network(images.x_train[:1000]), images.x_train[1000:2000]
    fewer = network(images.x_train[1000:][images.y_train[1000:] >= 3][:1000])
    mark = metrics.fid(real, fewer)
    sigma = spoiled.amount(lambda s: metrics.fid(real, network(spoiled.blurred(others, s))), mark, 0.0, 3.0)
    blurred = network(spoiled.blurred(others, sigma))
    assert metrics.fid(real, blurred) == pytest.approx(mark, rel=0.01)
    assert metrics.precision_recall(real, blurred)[0] < metrics.precision_recall(real, fewer)[0] - 0.2


def test_plots_of_the_lesson():
    points, others = torch.randn(5, 2), torch.randn(4, 2)
    panel = (points, torch.ones(5), others, torch.tensor([True, False, True, True]))
    figure = plots.regions({"a": panel, "b": panel}, (plots.INK, plots.VERMILION), "title")
    assert [len(ax.patches) for ax in figure.axes] == [5, 5]
    assert [len(one.get_offsets()) for one in figure.axes[0].collections[1:]] == [3, 1]
    columns = {"FID": {"a": [1.0, 2.0], "mine": [30.0]}, "KID": {"a": [-0.1, 0.1], "mine": [3.0]}}
    figure = plots.scores(columns, "title", ("FID", "KID"), live="mine")
    assert [ax.get_xscale() for ax in figure.axes] == ["log", "symlog"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.50 ± 1.00", "30.0"]
    figure = plots.scores({"KID": {"a": [-0.123, -0.124], "b": [0.5]}}, "title")
    assert [text.get_text() for text in figure.axes[0].texts] == ["−0.123 ± 0.001", "0.50"]
    figure = plots.overlaid({"a": (points, others)}, "title", ("one", "two"))
    assert [len(one.get_offsets()) for one in figure.axes[0].collections] == [5, 4]
    sizes = [100, 200, 400]
    line = torch.tensor([[2 + 100 / n, 2 + 100 / n] for n in sizes])
    figure = plots.toward_endless(sizes, {"FID": {"real": line}}, "title")
    ring = figure.axes[0].lines[-1]
    assert ring.get_xdata()[0] == 0 and ring.get_ydata()[0] == pytest.approx(2, abs=1e-4)
    plt.close("all")

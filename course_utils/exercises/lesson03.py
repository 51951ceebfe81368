"""The exercises of lesson 03, and its task as the lesson knows it."""

import torch
from torch import Tensor

from course_utils import metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensor, tensors
from course_utils.models import codes, denoising


@exercise("3.1", "A walk between two codes", {"walk": 2}, codes.walk)
def _(answer: Answer, judge: Judge) -> None:
    Z, steps = judge.integer(2, 4), judge.integer(5, 8)
    z_a, z_b = judge.normal(Z) + 1, judge.normal(Z) - 1
    want = codes.walk(z_a, z_b, steps)
    t = torch.linspace(0, 1, steps)[:, None]
    angle = torch.nn.functional.cosine_similarity(z_a, z_b, dim=0).acos()
    on_sphere = (((1 - t) * angle).sin() * z_a + (t * angle).sin() * z_b) / angle.sin()
    with judge.part("walk"):
        wrong = [
            (
                "last-missing",
                z_a + torch.arange(steps)[:, None] / steps * (z_b - z_a),
                "the walk stops one step short of z_b: both ends belong to it",
            ),
            (
                "ends-missing",
                codes.walk(z_a, z_b, steps + 2)[1:-1],
                "neither end is there: the first code is z_a, the last is z_b",
            ),
            (
                "one-too-many",
                codes.walk(z_a, z_b, steps + 1),
                f"{steps + 1} codes came back where {steps} are asked for: steps counts codes, not the gaps between them",
            ),
            ("backwards", want.flip(0), "the walk goes from z_b to z_a: begin at z_a"),
            ("transposed", want.T, f"shape {(Z, steps)} came back: one code a row, shape {(steps, Z)}"),
            ("no-way-out", z_a + t * z_b, "the walk ends at z_a + z_b: as z_b comes in, z_a has to go"),
            ("difference-only", t * (z_b - z_a), "the walk begins at zero: this is the way from z_a, not the place"),
            ("curved", on_sphere, "this walk follows a sphere: a straight line is asked for"),
        ]
        with failing(
            ("must match", "no-column", "the steps and the numbers of a code met on one axis: make t a column")
        ):
            got = answer(z_a, z_b, steps)
        if isinstance(got, Tensor) and got.shape == want.shape:
            expect(not _uneven(got, want), "uneven", "the walk is straight, but its steps differ in length")
        same(got, want, "a code of the walk is off", wrong)
        same(answer(z_a, z_b, 2), torch.stack([z_a, z_b]), "two steps should be the two ends")


def _uneven(got: Tensor, want: Tensor) -> bool:
    """On the line, at the right ends, but not at equal distances."""
    got, way = got.to(want), want[-1] - want[0]
    along = (got - want[0]) @ way / (way @ way)
    on_line = torch.allclose(want[0] + along[:, None] * way, got, atol=1e-3)
    at_ends = torch.allclose(along[[0, -1]], torch.tensor([0.0, 1.0]), atol=1e-3)
    return on_line and at_ends and not torch.allclose(along, torch.linspace(0, 1, len(along)), atol=1e-3)


@exercise("3.2", "The distance to the data", {"distance": 2, "copies": 1}, metrics.nearest_distance)
def _(answer: Answer, judge: Judge) -> None:
    B, N, H, W = judge.integer(4, 7), judge.integer(20, 30), judge.integer(12, 16), judge.integer(20, 24)
    x_train = judge.uniform(N, 1, H, W)
    # Pictures at different distances from some training picture.
    x = x_train[:B] + (0.2 + 0.3 * judge.uniform(B, 1, 1, 1)) * judge.normal(B, 1, H, W)
    table = (x.double()[:, None] - x_train.double()[None]).flatten(2).square().sum(2).sqrt()
    want = table.min(1).values
    absolute = (x[:, None] - x_train[None]).flatten(2).abs().sum(2).min(1).values
    with judge.part("distance"):
        wrong = [
            ("squared", want.square(), "these are squared distances: take the square root"),
            ("squared", want.square() / 2, "this is half the squared distance: a distance is the root of the sum"),
            (
                "squared",
                want.square() / (H * W),
                "this is the mean squared difference: a distance is the root of the sum",
            ),
            ("per-pixel", want / (H * W) ** 0.5, "the squares were averaged over the pixels: a distance sums them"),
            ("absolute", absolute, "these are summed absolute differences: Euclidean distance squares them"),
            (
                "mean-distance",
                table.mean(1),
                "the distances were averaged over the training pictures: keep the smallest",
            ),
            ("farthest", table.max(1).values, "this is the farthest training picture: look for the nearest"),
            (
                "wrong-axis",
                table.min(0).values,
                f"{N} numbers came back, one a training picture: one is asked for each of the {B} pictures in x",
            ),
            ("one-number", table.min(), "one number came back: each picture in x has a distance of its own"),
            ("whole-table", table, f"all {B} x {N} distances came back: keep the smallest for each picture in x"),
            (
                "values-and-places",
                torch.stack([want, table.argmin(1)]),
                "two lists came back, values and places: take the .values of min",
            ),
            ("index", table.argmin(1), "these are the places of the nearest training pictures, not their distances"),
            ("mean-image", (x - x_train.mean(0)).flatten(1).norm(dim=1), "this is the distance to the mean image"),
        ]
        words = "pictures met pictures pixel by pixel: flatten each into one row before comparing rows"
        with failing(("must match", "not-flattened", words), ("broadcast", "not-flattened", words)):
            got = answer(x, x_train)
        same(got, want, "a distance is off", wrong, rtol=1e-3)
    with judge.part("copies"):
        got = answer(x_train, x_train)
        got = tensor(torch.tensor([number(one) for one in got]) if isinstance(got, list) else got)
        expect(not got.isnan().any(), "nan", "a copy of a training picture gives nan: rounding makes a square negative")
        expect(
            got.numel() == N and got.max() < 0.1,
            "copies-skipped",
            "a copy of a training picture is at distance 0: nothing is to be left out",
        )


@exercise("3.3", "Codes from a fitted Gaussian", {"mean": 1, "covariance": 3}, codes.gaussian_codes)
def _(answer: Answer, judge: Judge) -> None:
    Z, N, count = judge.integer(2, 4), 500, 20_000
    # Codes that move together, of different spread, far from zero; their own mean and covariance are the truth here.
    factor = torch.diag(torch.linspace(1.5, 2.5, Z)) + 0.9 * torch.ones(Z, Z).tril(-1)
    z = judge.normal(N, Z) @ factor.T + 8 + 2 * torch.arange(Z)
    mean, covariance = z.double().mean(0), z.double().T.cov(correction=0)
    lower = torch.linalg.cholesky(covariance)

    words = "this covariance is no matrix of Z x Z: torch.cov wants one variable a row, and z has one code a row"
    with failing(("positive-definite", "covariance-of-rows", words), ("must match", "covariance-of-rows", words)):
        draws = tensor(answer(z, count))
    expect(
        draws.ndim != 2 or tuple(draws.shape) != (Z, count),
        "transposed",
        f"shape {(Z, count)} came back: one code a row, shape {(count, Z)}",
    )
    expect(
        tuple(draws.shape) == (count, Z),
        "wrong-shape",
        f"{count} codes should have shape {(count, Z)}, got {tuple(draws.shape)}",
    )
    draws = draws.double()
    expect(draws.isfinite().all(), "not-finite", "some of the numbers drawn are not finite")
    expect(torch.cdist(draws[:50], z.double()).min() > 1e-6, "copies", "these are the codes themselves, drawn again")
    expect((draws.std(0) > 1e-6).all(), "no-spread", "every code drawn is the same: draw noise for each of them")
    expect(
        not torch.equal(draws[:50], tensor(answer(z, count)).double()[:50]),
        "same-again",
        "a second call drew the same codes: leave the seed alone",
    )

    spread = draws.T.cov(correction=0)
    low, high = z.double().min(0).values, z.double().max(0).values
    in_box = ((draws >= low) & (draws <= high)).all() and _like(spread, ((high - low) ** 2 / 12).diag())
    expect(not in_box, "box", "these codes fill the box around z evenly: use the mean and the covariance of z")
    with judge.part("mean"):
        expect(
            not (draws.mean(0).abs() < 0.2).all(),
            "no-mean",
            "the codes drawn scatter around zero: add the mean of z",
        )
        off = (draws.mean(0) - mean) / spread.diag().sqrt()
        expect(
            (off.abs() < 6 / count**0.5).all(),
            "wrong-mean",
            f"the mean of the codes drawn is off by {float(off.abs().max()):.2g} of their spread",
        )
    with judge.part("covariance"):
        scale = covariance.diag().sqrt()
        for mistake, candidate, words in [
            ("unit", torch.eye(Z), "the codes drawn have spread 1 in every direction: use the covariance of z"),
            (
                "independent",
                covariance.diag().diag(),
                "each number was drawn on its own: the numbers of a code move together, see the covariance",
            ),
            ("covariance-as-factor", covariance @ covariance, "the spread is too large: multiply by a root of the covariance, not by itself"),
            ("variance-as-spread", covariance.diag().square().diag(), "the variances were used as standard deviations"),
            ("factor-transposed", lower.T @ lower, "the factor stands on its head: for L of the covariance, eps @ L.T is needed"),
            ("correlation", covariance / scale / scale[:, None], "this is the correlation of z: the spread of each number is lost"),
            ("scatter", covariance * N, "the spread is too large: the covariance is an average over the codes, not a sum"),
        ]:  # fmt: skip
            expect(not _like(spread, candidate.double()), mistake, words)
        # Six standard errors of a variance and of a covariance of independent standard normals.
        white = torch.linalg.solve_triangular(lower, (draws - draws.mean(0)).T, upper=False)
        expect(
            _like(spread, covariance),
            "wrong-covariance",
            "the codes drawn do not scatter as z does: compare the covariance of both",
        )
        fourth = white.pow(4).mean(1)
        expect(
            ((fourth - 3).abs() < 6 * (96 / count) ** 0.5).all(),
            "not-gaussian",
            "mean and covariance are right, but the codes drawn are not Gaussian",
        )


def _like(spread: Tensor, covariance: Tensor) -> bool:
    """Whether 20,000 Gaussian draws with this covariance could have this spread: within six standard errors."""
    lower = torch.linalg.cholesky(covariance)
    white = torch.linalg.solve_triangular(lower, spread, upper=False)
    white = torch.linalg.solve_triangular(lower, white.T, upper=False)
    return bool(((white - torch.eye(len(white))).abs() < 6 * (2 / 20_000) ** 0.5).all())


@exercise("3.4", "A noisy copy and its target", {"pair": 1, "noise": 2}, denoising.noisy_pair)
def _(answer: Answer, judge: Judge) -> None:
    B, H, W = judge.integer(16, 20), judge.integer(20, 24), judge.integer(30, 34)
    sigma = 0.25 + 0.1 * float(judge.uniform(1))
    x = judge.uniform(B, 1, H, W)
    x_noisy, target = tensors(answer(x, sigma), "x_noisy", "x")
    for picture in (x_noisy, target):
        expect(
            picture.shape == x.shape,
            "wrong-shape",
            f"both should have the shape of x, {tuple(x.shape)}, got {tuple(picture.shape)}",
        )
    clean = torch.allclose(target.float(), x)
    with judge.part("pair"):
        expect(
            clean or not torch.allclose(x_noisy.float(), x), "swapped", "the noisy copy comes first, its target second"
        )
        expect(clean, "noisy-target", "the target is noisy: the denoiser has to find back to the clean picture")
    eps = (x_noisy - x).double()
    with judge.part("noise"):
        expect(eps.abs().max() > 1e-6, "no-noise", "the first of the pair is x itself: add noise")
        expect(
            not (x_noisy.min() >= 0 and x_noisy.max() <= 1),
            "clamped",
            "the noisy copy was clamped to [0, 1]: noise that is cut off is Gaussian no more",
        )
        expect((eps[0] - eps[1]).abs().max() > 1e-5, "same-for-all-images", "every picture got the same noise")
        expect(not (eps.flatten(1).std(1) < 1e-5).all(), "one-an-image", "every pixel of a picture got the same noise")
        expect(
            len(eps.float().unique()) > 0.5 * eps.numel(), "shared", "some pixels share their noise: draw it for each"
        )
        again = tensors(answer(x, sigma), "x_noisy", "x")[0]
        expect(not torch.equal(again, x_noisy), "same-again", "a second call drew the same noise: leave the seed alone")
        spread, error = eps.std(), eps.numel() ** -0.5
        tilt = ((x - 0.5).double() * eps).mean()
        expect(
            tilt.abs() < 6 * spread / 12**0.5 * error,
            "picture-faded",
            "the picture itself became paler or stronger: add the noise, leave x as it is",
        )
        expect(
            eps.mean().abs() < 6 * spread * error,
            "not-centered",
            f"the noise has mean {float(eps.mean()):.2g}: it should scatter around zero",
        )
        for mistake, other, words in [
            ("variance", sigma**0.5, "sigma was taken for the variance: it is the standard deviation"),
            ("squared", sigma**2, "sigma was squared: it is the standard deviation"),
            ("unit", 1.0, "the noise has spread 1: multiply by sigma"),
        ]:
            expect(abs(spread / other - 1) > 6 * error, mistake, words)
        kurtosis = float((eps / spread).pow(4).mean())
        expect(
            abs(kurtosis - 3) < 6 * 24**0.5 * error,
            "not-gaussian",
            "the noise is not Gaussian: draw it from a normal distribution",
        )
        expect(
            abs(spread / sigma - 1) < 6 * error,
            "wrong-spread",
            f"the noise has standard deviation {float(spread):.3g}, sigma was {sigma:.3g}",
        )


@exercise("3.5", "The best denoiser there is", {"mean": 3, "far away": 1}, denoising.best_denoiser)
def _(answer: Answer, judge: Judge) -> None:
    B, N, D = judge.integer(5, 8), judge.integer(20, 30), judge.integer(2, 4)
    sigma = 0.6 + 0.1 * float(judge.uniform(1))
    x = (judge.normal(N, D) + 1).double()
    x_noisy = x[:B] + sigma * judge.normal(B, D).double()
    difference = x_noisy[:, None] - x[None]
    square = difference.square().sum(2)
    log_weight = -square / (2 * sigma**2)
    want = log_weight.softmax(1) @ x
    by_coordinate = ((-difference.square() / (2 * sigma**2)).softmax(1) * x).sum(1)
    with judge.part("mean"):
        wrong = [
            ("no-half", (-square / sigma**2).softmax(1) @ x, "the weights fall too fast: the exponent is halved in a Gaussian"),
            ("sigma-not-squared", (-square / (2 * sigma)).softmax(1) @ x, "sigma stands in the exponent squared"),
            ("sigma-not-squared", (-square / sigma).softmax(1) @ x, "sigma stands in the exponent squared, and doubled"),
            ("sigma-left-out", (-square / 2).softmax(1) @ x, "the weights do not depend on sigma: much noise, many candidates"),
            ("sigma-left-out", (-square).softmax(1) @ x, "the weights do not depend on sigma: much noise, many candidates"),
            ("distance-not-squared", (-square.sqrt() / (2 * sigma**2)).softmax(1) @ x, "the distance stands in the exponent squared"),
            ("distance-not-squared", (-square.sqrt() / sigma).softmax(1) @ x, "the distance stands in the exponent squared"),
            ("precedence", (-square / 2 * sigma**2).softmax(1) @ x, "a / 2 * b divides by 2 and multiplies by b: put brackets around 2 * sigma**2"),
            ("nearest", x[square.argmin(1)], "this is the nearest data point: every point could have been the one, weigh them all"),
            ("plain-mean", x.mean(0).expand(B, D), "every data point has the same weight: near ones are likelier"),
            ("wrong-sign", (-log_weight).softmax(1) @ x, "far points weigh the most: turn the sign round"),
            ("wrong-axis", log_weight.softmax(0) @ x, "the weights of one noisy point should sum to 1: normalize over the data"),
            ("not-normalized", log_weight.exp() @ x, "the weights do not sum to 1: divide by their sum"),
            ("by-coordinate", by_coordinate, "each coordinate was weighed on its own: a point has one weight, from its whole distance"),
            ("direction-only", want - x_noisy, "this is the way back: add the noisy point to have the place"),
        ]  # fmt: skip
        same(answer(x_noisy.float(), x.float(), sigma), want, "a denoised point is off", wrong, rtol=1e-3, atol=1e-3)
    with judge.part("far away"):
        # Ten data points on a line, and noise so small that every weight is too small for a float.
        line = torch.zeros(10, D)
        line[:, 0] = 5 + torch.arange(10)
        far = torch.full((1, D), -3.0)
        got = tensor(answer(far, line, 0.05))
        expect(
            not got.isnan().any(), "nan", "far from the data all weights round to 0, and 0 / 0 is nan: softmax does not"
        )
        same(got, line[:1], "far from the data, with little noise, the nearest point should come back", atol=1e-3)


@task("T3", "How empty is the map?", points=5)
def _(answer: Answer, judge: Judge) -> None:
    values = answer(torch.tensor([[0.0, 0.0], [0.0, 1.0], [4.0, 0.0]]), 3)
    expect(isinstance(values, list) and len(values) == 2, "wrong-number", "return two numbers: spacing, share")
    spacing, share = (number(value) for value in values)
    expect(abs(spacing - 1) < 1e-4, "spacing", f"in the example of the text the spacing is 1, you have {spacing:.3g}")
    expect(abs(share - 3 / 9) < 1e-4, "share", f"in the example of the text the share is 3/9, you have {share:.3g}")

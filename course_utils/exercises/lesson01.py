"""The exercises of lesson 01, and its task as the lesson knows it."""

import torch
from torch import Tensor

from course_utils import metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensor, tensors
from course_utils.models import autoencoder


@exercise("1.1", "A decoder of dense layers", {"shape": 1, "range": 1, "layers": 2}, autoencoder.dense_decoder)
def _(answer: Answer, judge: Judge) -> None:
    B, Z, hidden_dim = judge.integer(3, 6), judge.integer(2, 9), judge.integer(50, 90)
    decoder = answer.new(Z, hidden_dim)
    z = 3 * judge.normal(B, Z)
    words = f"codes of {Z} numbers do not fit: is the width of the code, or of a layer, written as a number?"
    with failing(("shapes cannot be multiplied", "fixed-code", words)):
        x_hat = tensor(decoder(z))
    with judge.part("shape"):
        expect(x_hat.numel() != B * 784 or x_hat.ndim != 2, "flat", "(B, 784) came back: unflatten to (B, 1, 28, 28)")
        expect(tuple(x_hat.shape) != (B, 28, 28), "no-channel", "(B, 28, 28) came back: the channel axis is missing")
        expect(
            tuple(x_hat.shape) == (B, 1, 28, 28),
            "wrong-shape",
            f"{B} codes should give pictures of shape ({B}, 1, 28, 28), got {tuple(x_hat.shape)}",
        )
    with judge.part("range"):
        low, high = float(x_hat.min()), float(x_hat.max())
        at_ends = float(((x_hat == 0) | (x_hat == 1)).float().mean())
        sums = x_hat.flatten(1).sum(1)
        expect(
            not torch.allclose(sums, torch.ones(B)),
            "softmax",
            "the pixels of a picture sum to 1: each pixel is a gray value of its own, so use a sigmoid, not a softmax",
        )
        expect(
            at_ends < 0.1,
            "clamped",
            f"{at_ends:.0%} of the pixels are exactly 0 or 1, and have no slope to learn from: bend the range with a sigmoid",
        )
        expect(
            not (-1 <= low < -0.05 and high <= 1 and _tanh_like(decoder, Z)),
            "tanh",
            "the pixels reach down to -1: that is a tanh, gray values need a sigmoid",
        )
        expect(
            low >= 0 and high <= 1,
            "no-sigmoid",
            f"pixels from {low:.2f} to {high:.2f}: gray values lie in [0, 1], so end with a sigmoid",
        )
        expect(low < 0.5, "relu-before-sigmoid", "no pixel is darker than 0.5: a ReLU stands before the sigmoid")
    with judge.part("layers"):
        count = sum(p.numel() for p in decoder.params().values())
        other = sum(p.numel() for p in answer.new(Z, hidden_dim + 10).params().values())
        expect(other != count, "fixed-width", "hidden_dim changes nothing: the hidden layer has a fixed width")
        want = Z * hidden_dim + hidden_dim + hidden_dim * 784 + 784
        expect(
            count == want,
            "wrong-layers",
            f"{Z} -> {hidden_dim} -> 784 has {want} weights and biases, yours has {count}",
        )
        expect(
            not _affine(decoder, z),
            "linear",
            "two linear layers in a row are one linear layer: bend the hidden layer with a ReLU",
        )


def _tanh_like(decoder: Answer, Z: int) -> bool:
    far = decoder(torch.full((1, Z), 1e4))
    return bool((far.abs() > 0.99).float().mean() > 0.9)


def _affine(decoder: Answer, z: Tensor) -> bool:
    """Whether the decoder is affine before its last bend: f(a) + f(b) = f(a + b) + f(0), on the logits or as it is."""
    a, b = z[:1], z[1:2]
    with_bend = [decoder(v).double() for v in (a, b, a + b, 0 * a)]
    for outs in (with_bend, [out.clamp(1e-7, 1 - 1e-7).logit() for out in with_bend]):
        left, right = outs[0] + outs[1], outs[2] + outs[3]
        if torch.allclose(left, right, rtol=1e-3, atol=1e-3):
            return True
    return False


@exercise("1.2", "The share explained", {"value": 2}, metrics.explained_share)
def _(answer: Answer, judge: Judge) -> None:
    N = judge.integer(20, 40)
    # Pale images with large errors among dark ones with small errors: averages of ratios differ from the ratio.
    strength = torch.linspace(0.2, 1, N)[:, None, None, None]
    x = strength * judge.uniform(N, 1, 28, 28) * judge.uniform(1, 1, 28, 28)
    x_hat = x + 0.06 * judge.normal(N, 1, 28, 28) * (1.2 - strength)
    error = (x - x_hat).square()
    spread = (x - x.mean(0)).square()
    with judge.part("value"):
        wrong = [
            ("share-missed", error.sum() / spread.sum(), "this is the share that is missed: subtract it from 1"),
            (
                "one-mean",
                1 - error.sum() / (x - x.mean()).square().sum(),
                "a single gray value was subtracted: compare with the mean image, which has a value for each pixel",
            ),
            (
                "not-centered",
                1 - error.sum() / x.square().sum(),
                "the yardstick is the error of the mean image: subtract it from x before squaring",
            ),
            (
                "ratio-per-image",
                1 - (error.flatten(1).sum(1) / spread.flatten(1).sum(1)).mean(),
                "this averages one ratio an image: sum over all images first, divide once",
            ),
            (
                "ratio-per-pixel",
                1 - (error.sum(0) / spread.sum(0)).mean(),
                "this averages one ratio a pixel: sum over all first, divide once",
            ),
            (
                "other-mean",
                1 - error.sum() / (x - x.mean(1)).square().sum(),
                "a mean over the wrong axis was subtracted: the mean image is the average over the images",
            ),
            (
                "other-mean",
                1 - error.sum() / (x - x.mean((1, 2, 3), keepdim=True)).square().sum(),
                "each image's own mean was subtracted: the mean image is the average over the images",
            ),
            ("half-once", 1 - 0.5 * error.sum() / spread.sum(), "one of the two sums is halved: both or none"),
            ("half-once", 1 - 2 * error.sum() / spread.sum(), "one of the two sums is halved: both or none"),
            ("root", 1 - (error.sum() / spread.sum()).sqrt(), "take the ratio of squares as it is, without the root"),
        ]
        same(number(answer(x, x_hat)), 1 - error.sum() / spread.sum(), "the share is off", wrong, rtol=1e-3)


@exercise("1.3", "The flat that PCA finds", {"mean": 1, "basis": 3}, metrics.principal_subspace)
def _(answer: Answer, judge: Judge) -> None:
    N, D, Z = judge.integer(60, 90), judge.integer(8, 12), judge.integer(2, 4)
    spread = torch.linspace(6, 0.5, D)
    turn = torch.linalg.qr(judge.normal(D, D)).Q
    # Columns of different scale and a mean far from zero: forgetting either shows.
    scale = 0.5 + judge.uniform(D)
    offset = 4 + judge.uniform(D)
    x = (judge.normal(N, D) * spread) @ turn * scale + offset
    mean, basis = tensors(answer(x, Z), "mean", "basis")
    with judge.part("mean"):
        mean = mean.squeeze() if mean.numel() == D else mean
        expect(
            tuple(mean.shape) != (N,),
            "mean-of-each-image",
            f"the mean has {N} numbers, one an image: average over the images, which leaves {D} pixels",
        )
        same(
            mean,
            x.mean(0),
            "the mean image is off",
            [("scalar-mean", x.mean(), "one number came back: average over the images, and keep the pixels")],
        )
    with judge.part("basis"):
        basis = basis.double()
        expect(
            tuple(basis.shape) != (D, Z),
            "transposed",
            f"the basis has shape ({D}, {Z}): its rows should be the directions, shape ({Z}, {D})",
        )
        expect(
            tuple(basis.shape) == (Z, D),
            "wrong-shape",
            f"the basis should have shape ({Z}, {D}), one direction a row, got {tuple(basis.shape)}",
        )
        centered = (x - x.mean(0)).double()
        best = _directions(centered)
        lengths = basis.norm(dim=1)
        expect(
            torch.allclose(lengths, torch.ones(Z).double(), atol=1e-3),
            "not-unit",
            f"the directions should have length 1, yours have {lengths.min():.3g} to {lengths.max():.3g}",
        )
        flat = basis.T @ basis
        for mistake, directions, words in [
            ("not-centered", _directions(x.double())[:Z], "these directions point at the mean: subtract it first"),
            ("smallest", best[-Z:], "these are the directions of least variance: the order is the other way round"),
            (
                "standardized",
                _directions(centered / centered.std(0))[:Z],
                "each pixel was divided by its own spread: subtract the mean and leave the scale",
            ),
        ]:
            expect(not _close(flat, directions.T @ directions), mistake, words)
        expect(
            _close(flat, best[:Z].T @ best[:Z]),
            "wrong-flat",
            "these directions do not span the flat of largest variance",
        )


def _directions(x: Tensor) -> Tensor:
    return torch.linalg.svd(x, full_matrices=False).Vh


def _close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, atol=1e-2)


@exercise("1.4", "The angle between two flats", {"angle": 2, "same flat": 1}, metrics.largest_angle)
def _(answer: Answer, judge: Judge) -> None:
    Z, D = judge.integer(2, 4), judge.integer(8, 12)
    # Two flats with known angles between them, from 10 degrees up to the largest, each by a basis of no special kind.
    frame = torch.linalg.qr(judge.normal(D, 2 * Z)).Q.T
    angles = torch.linspace(10, 55 + 20 * float(judge.uniform(1)), Z).deg2rad()[:, None]
    a = (judge.normal(Z, Z) + 3 * torch.eye(Z)) @ frame[:Z]
    b = (judge.normal(Z, Z) + 3 * torch.eye(Z)) @ (angles.cos() * frame[:Z] + angles.sin() * frame[Z:])
    want = metrics.largest_angle(a.double(), b.double())
    cosines = torch.linalg.svdvals(torch.linalg.qr(a.T).Q.T @ torch.linalg.qr(b.T).Q).clamp(-1, 1)
    row_angles = torch.nn.functional.cosine_similarity(a, b).clamp(-1, 1).acos().rad2deg()
    unit = torch.nn.functional.normalize
    with judge.part("angle"):
        got = number(answer(a, b))
        expect(got == got, "not-orthonormal", "nan came back: the rows are not orthonormal yet, so a cosine exceeds 1")
        expect(got < 90 - 1e-3, "outer-product", "90 degrees, whatever the flats are: which way round is the product?")
        expect(
            got > 0.1,
            "not-orthonormal",
            "0 degrees, far from right: make the bases orthonormal first; QR does it for columns, and these are rows",
        )
        wrong = [
            (
                "radians",
                cosines.min().acos(),
                f"{float(cosines.min().acos()):.2f} is the angle in radians: degrees, please",
            ),
            ("cosine", cosines.min(), "this is the cosine: take the arc cosine, in degrees"),
            (
                "smallest-angle",
                cosines.max().acos().rad2deg(),
                "this is the smallest of the angles: the flats are as far apart as their largest",
            ),
            (
                "rows-compared",
                row_angles.max(),
                "rows were compared one by one: two bases of one flat may differ row by row, so compare what they span",
            ),
            ("rows-compared", row_angles.mean(), "rows were compared one by one: compare what they span"),
            (
                "not-orthonormal",
                torch.linalg.svdvals(a @ b.T).clamp(-1, 1).min().acos().rad2deg(),
                "the rows of a and b are not orthonormal yet: orthonormalize both first, for example by QR",
            ),
            (
                "not-orthonormal",
                torch.linalg.svdvals(unit(a) @ unit(b).T).clamp(-1, 1).min().acos().rad2deg(),
                "unit rows are not yet orthogonal rows: orthonormalize, for example by QR",
            ),
        ]
        same(got, want, "the angle is off", wrong, rtol=1e-4, atol=2e-3)
    with judge.part("same flat"):
        # Many lines and planes: rounding lifts the cosine of about every third of them above 1.
        for Z in [1, 2] * 12:
            a = judge.normal(Z, 60)
            got = number(answer(a, (judge.normal(Z, Z) + 3 * torch.eye(Z)) @ a))
            expect(got == got, "nan", "two bases of one flat give nan: rounding lifts a cosine above 1, clamp it")
            expect(
                abs(got) < 0.3, "basis-matters", f"two bases of one flat should be 0 degrees apart, you have {got:.3g}"
            )


@task("T1", "The best linear decoder", points=5)
def _(answer: Answer, judge: Judge) -> None:
    N, D, Z = 30, 7, 3
    weight, bias = tensors(answer(judge.normal(N, Z), judge.normal(N, D)), "weight", "bias")
    expect(tuple(weight.shape) == (D, Z), "wrong-shape", f"weight should be {(D, Z)} here, got {tuple(weight.shape)}")
    expect(tuple(bias.shape) == (D,), "wrong-shape", f"bias should be {(D,)} here, got {tuple(bias.shape)}")
    weight, bias = tensors(
        answer(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1.0], [3.0], [5.0]])), "weight", "bias"
    )
    same(weight, torch.tensor([[2.0]]), "in the example of the text the weight is off", atol=1e-2)
    same(bias, torch.tensor([1.0]), "in the example of the text the bias is off", atol=1e-2)

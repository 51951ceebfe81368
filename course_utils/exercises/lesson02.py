"""The exercises of lesson 02, and its task as the lesson knows it."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

from course_utils import metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, number, same, task, tensor
from course_utils.models import convolutional
from course_utils.models.convolutional import overlap, transposed_size


@exercise("2.1", "The size that comes out", {"stamps": 1, "padding": 1}, transposed_size)
def _(answer: Answer, judge: Judge) -> None:
    with judge.part("stamps"):
        cases = [(judge.integer(4, 9), 5, 2), (judge.integer(4, 9), 4, 3), (judge.integer(4, 9), 2, 4), (1, 3, 2)]
        got = [number(answer(n, k, s, 0, 0)) for n, k, s in cases]
        wrong = [
            (
                "a-step-too-many",
                [n * s + k for n, k, s in cases],
                f"{cases[0][0]} stamps are {cases[0][0] - 1} steps apart, first to last: one step too many",
            ),
            (
                "kernel-ignored",
                [n * s for n, k, s in cases],
                "the kernel does not enter: how far does the last stamp reach beyond its own first pixel?",
            ),
            (
                "kernel-ignored",
                [(n - 1) * s + 1 for n, k, s in cases],
                "the last stamp was counted as one pixel: it is as wide as the kernel",
            ),
            (
                "convolution",
                [(n - k) // s + 1 for n, k, s in cases],
                "this is the size after a convolution: a transposed one goes the other way and enlarges",
            ),
            (
                "swapped",
                [(n - 1) * k + s for n, k, s in cases],
                "kernel and stride have changed places: stamps are `stride` apart and `kernel` wide",
            ),
            ("no-overlap", [n * k for n, k, s in cases], "stamps were laid side by side: they start `stride` apart"),
        ]
        same(got, [transposed_size(*case) for case in cases], "the size is off", wrong)
    with judge.part("padding"):
        cases = [(judge.integer(4, 9), 5, 3, 1, 2), (judge.integer(4, 9), 4, 2, 2, 1), (7, 3, 2, 1, 1), (9, 5, 4, 2, 3)]
        got = [number(answer(*case)) for case in cases]
        wrong = [
            (
                "padding-added",
                [transposed_size(n, k, s, -p, o) for n, k, s, p, o in cases],
                "padding made the picture larger: here it is cut off, as it undoes the padding of a convolution",
            ),
            (
                "padding-once",
                [transposed_size(n, k, s, 0, o - p) for n, k, s, p, o in cases],
                "padding was cut off once: a row has two ends",
            ),
            (
                "padding-ignored",
                [transposed_size(n, k, s, 0, o) for n, k, s, p, o in cases],
                "padding changes nothing: it is cut off at both ends",
            ),
            (
                "output-padding-ignored",
                [transposed_size(n, k, s, p, 0) for n, k, s, p, o in cases],
                "output_padding changes nothing: it adds pixels at one end",
            ),
            (
                "output-padding-twice",
                [transposed_size(n, k, s, p, 2 * o) for n, k, s, p, o in cases],
                "output_padding was added at both ends: it adds pixels at one end only",
            ),
            (
                "convolution",
                [(n + 2 * p - k) // s + 1 for n, k, s, p, o in cases],
                "this is the size after a convolution: a transposed one goes the other way and enlarges",
            ),
        ]
        same(got, [transposed_size(*case) for case in cases], "the size is off", wrong)


@exercise(
    "2.2",
    "A transposed convolution by hand",
    {"stamps": 2, "padding": 1, "gradient": 1},
    convolutional.transposed_conv,
)
def _(answer: Answer, judge: Judge) -> None:
    B = judge.integer(2, 3)
    # (C, O, K, stride): as many channels out as in, more, fewer, and stamps that leave gaps. H and W differ.
    cases = [(2, 2, 3, 2), (2, 3, 4, 2), (3, 1, 5, 3), (2, 2, 2, 3), (1, 2, 3, 1)]
    with judge.part("stamps"):
        for C, O, K, stride in cases:  # noqa: E741
            x, weight = judge.normal(B, C, judge.integer(3, 4), judge.integer(5, 6)), judge.normal(C, O, K, K)
            got = tensor(answer(x, weight, stride, 0))
            expect(got.numel() > 0, "empty", "nothing is left where padding is 0: what is the slice 0:-0?")
            same(
                got,
                conv_transpose2d(x, weight, stride=stride),
                "a pixel is off",
                _misplaced(x, weight, stride),
                atol=1e-4,
            )
    with judge.part("padding"):
        for (C, O, K, stride), padding in zip(cases[:3], (1, 1, 2), strict=True):  # noqa: E741
            x, weight = judge.normal(B, C, judge.integer(3, 4), judge.integer(5, 6)), judge.normal(C, O, K, K)
            whole = conv_transpose2d(x, weight, stride=stride)
            wrong = [
                ("padding-ignored", whole, "the picture is too large: cut `padding` pixels off at every side"),
                ("padding-added", pad(whole, [padding] * 4), "zeros were added around: here padding is cut off"),
                ("one-side", whole[..., padding:, padding:], "padding was cut off at the top and left alone: cut the other sides too"),
                ("one-side", whole[..., :-padding, :-padding], "padding was cut off at the bottom and right alone: cut the other sides too"),
                ("one-axis", whole[..., padding:-padding], "padding was cut off along one axis: cut along both"),
                ("one-axis", whole[..., padding:-padding, :], "padding was cut off along one axis: cut along both"),
                ("padding-first", _padding_first(x, weight, stride, padding), "the small image was cut before stamping: cut the large one"),
            ]  # fmt: skip
            want = whole[..., padding:-padding, padding:-padding]
            same(answer(x, weight, stride, padding), want, "a pixel is off", wrong, atol=1e-4)
    with judge.part("gradient"):
        x, weight = judge.normal(B, 2, 3, 5), judge.normal(2, 3, 3, 3)
        slopes = answer.grad(x, weight, 2, 1, wrt=(0, 1))
        leaves = [x.clone().requires_grad_(), weight.clone().requires_grad_()]
        wants = torch.autograd.grad(conv_transpose2d(*leaves, stride=2, padding=1).sum(), leaves)
        for name, slope, want in zip(("x", "weight"), slopes, wants, strict=True):
            expect(slope is not None, "no-gradient", f"no gradient reaches {name}: stay with tensors, without .item()")
            same(slope, want, f"the gradient of {name} is off", atol=1e-4)


def _misplaced(x: Tensor, weight: Tensor, stride: int) -> list[tuple[str, Tensor, str]]:
    """What known mistakes make of stamping without padding."""
    C, O, K, _ = weight.shape  # noqa: E741
    right = conv_transpose2d(x, weight, stride=stride)
    overwritten = torch.zeros_like(right)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            stamp = torch.einsum("bc,cokl->bokl", x[:, :, i, j], weight)
            overwritten[:, :, i * stride : i * stride + K, j * stride : j * stride + K] = stamp
    wrong = [
        ("overwritten", overwritten, "where stamps overlap the last one wins: they should add up"),
        ("flipped", conv_transpose2d(x, weight.flip(2, 3), stride=stride), "the kernel is upside down: a stamp is the kernel as it is"),
        ("kernel-turned", conv_transpose2d(x, weight.mT, stride=stride), "the kernel's rows and columns have changed places"),
        ("stride-ignored", conv_transpose2d(x, weight), "stamps are 1 pixel apart: they should be `stride` apart"),
        ("first-channel", conv_transpose2d(x[:, :1], weight[:1], stride=stride), "only the first channel of x was stamped: the stamps of all channels add up"),
        ("channels-averaged", right / C, "the stamps of the channels were averaged: add them up"),
        ("first-image", conv_transpose2d(x[:1], weight, stride=stride).expand_as(right), "every image of the batch came out as the first"),
    ]  # fmt: skip
    if C == O:
        swapped = conv_transpose2d(x, weight.transpose(0, 1), stride=stride)
        words = "channels in and out have changed places: weight[c, o] is stamped by channel c into channel o"
        wrong.append(("layout", swapped, words))
    if min(x.shape[2:]) >= K:
        shrunk = conv2d(x, weight.transpose(0, 1), stride=stride)
        wrong.append(
            ("convolution", shrunk, "this is a convolution, which shrinks: each pixel should stamp the kernel")
        )
    return wrong


def _padding_first(x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    if min(x.shape[2:]) <= 2 * padding:
        return x.new_zeros(0)
    return conv_transpose2d(x[..., padding:-padding, padding:-padding], weight, stride=stride)


@exercise("2.3", "How many stamps reach a pixel", {"count": 2}, overlap)
def _(answer: Answer, judge: Judge) -> None:
    with judge.part("count"):
        # A kernel that the stride does not divide, one that it does, and one that leaves gaps.
        for kernel, stride in ((3, 2), (5, 2), (4, 2), (5, 3), (6, 3), (2, 3), (3, 1)):
            size = judge.integer(4, 7)
            want = overlap(size, kernel, stride)
            wrong = [
                ("stride-ignored", overlap(size, kernel, 1), "these stamps are 1 pixel apart: they should be `stride` apart"),
                ("swapped", overlap(size, stride, kernel), "kernel and stride have changed places: stamps are `stride` apart and `kernel` wide"),
                ("not-counted", (want > 0).long(), "covered or not is marked: count how many stamps cover the pixel"),
                ("no-edges", torch.full_like(want, -(-kernel // stride)), "every pixel has the same count: near the ends, and between the stamps, fewer reach"),
                ("too-short", want[: size * stride], f"{size} stamps of {kernel} pixels, {stride} apart, cover {len(want)} pixels: the end is missing"),
                ("stamp-too-narrow", overlap(size, kernel - 1, stride), "each stamp is one pixel too narrow: it covers `kernel` pixels"),
                ("stamp-too-wide", overlap(size, kernel + 1, stride), "each stamp is one pixel too wide: it covers `kernel` pixels"),
                ("starts-only", pad(overlap(size, 1, stride), (0, kernel - 1)), "only the first pixel of each stamp was counted: a stamp is `kernel` pixels wide"),
            ]  # fmt: skip
            same(answer(size, kernel, stride), want, "a count is off", wrong)


@exercise("2.4", "Energy at the stride frequency", {"stride 2": 2, "other strides": 1}, metrics.stride_energy)
def _(answer: Answer, judge: Judge) -> None:
    B, H, W = judge.integer(2, 4), 24, 36
    for part, strides in (("stride 2", (2,)), ("other strides", (3, 4))):
        with judge.part(part):
            for stride in strides:
                # Soft blobs far from zero, under a grid of random strength: what is left in or out shows.
                x = 2 + pad(judge.normal(B, 1, H // 4, W // 4), (1, 1, 1, 1))
                x = torch.nn.functional.interpolate(x, (H, W), mode="bilinear") + 0.1 * judge.normal(B, 1, H, W)
                strength = (0.3 + judge.uniform(B, 1, 1, 1)) * judge.normal(B, 1, stride, stride)
                x = x + strength.repeat(1, 1, H // stride, W // stride)
                got, wrong = answer(x, stride), _other_energies(x.double(), stride)
                same(got, metrics.stride_energy(x.double(), stride), "the share is off", wrong, rtol=1e-3, atol=1e-5)


def _other_energies(x: Tensor, stride: int) -> list[tuple[str, Tensor, str]]:
    H, W = x.shape[-2:]
    amplitude = torch.fft.fft2(x).abs()[:, 0]
    energy = amplitude.square()
    mean, total = energy[:, 0, 0], energy.sum((1, 2))
    grid = energy[:, :: H // stride, :: W // stride].sum((1, 2))
    share = (grid - mean) / (total - mean)
    single = energy[:, H // stride, W // stride]
    in_grid = amplitude[:, :: H // stride, :: W // stride].sum((1, 2)) - amplitude[:, 0, 0]
    every = energy[:, ::stride, ::stride].sum((1, 2))
    along_rows = energy[:, 0, :: W // stride].sum(1) - mean
    along_columns = energy[:, :: H // stride, 0].sum(1) - mean
    corners = grid - mean - along_rows - along_columns
    return [
        ("mean-kept", grid / total, "the mean was counted as part of the grid: take the frequency 0 out, above and below"),
        ("mean-kept", (grid - mean) / total, "the mean was left below the line: take the frequency 0 out there too"),
        ("mean-kept", grid / (total - mean), "the mean was left above the line: take the frequency 0 out there too"),
        ("amplitude", in_grid / (amplitude.sum((1, 2)) - amplitude[:, 0, 0]), "amplitudes were added: energy is the amplitude squared"),
        ("rest", 1 - share, "this is the share outside of the grid's frequencies"),
        ("corner-only", single / (total - mean), "one frequency was taken: a grid also has stripes along each axis, so take every multiple of 1/stride"),
        ("corner-only", corners / (total - mean), "stripes along one axis were left out: frequency 0 in one axis is fine, in both it is the mean"),
        ("corner-only", (along_rows + along_columns) / (total - mean), "stripes along each axis were taken and the checkerboard itself left out"),
        ("every-bin", (every - mean) / (total - mean), "every `stride`-th frequency was taken: multiples of 1/stride lie H/stride and W/stride bins apart"),
        ("one-number", share.mean(), "one number came back: keep the batch, one share an image"),
        ("one-number", (grid - mean).sum() / (total - mean).sum(), "one number came back: keep the batch, one share an image"),
        ("no-share", grid - mean, "this is an energy: divide by the energy of all frequencies but 0"),
    ]  # fmt: skip


@exercise("2.5", "A block with a way around", {"layers": 1, "way around": 2, "bend": 1}, convolutional.ResidualBlock)
def _(answer: Answer, judge: Judge) -> None:
    C = judge.integer(3, 6)
    block = answer.new(C)
    x = 2 * judge.normal(judge.integer(2, 3), C, 5, 7)
    y = tensor(block(x))
    expect(
        tuple(y.shape[2:]) not in ((1, 3), (3, 5)),
        "no-padding",
        "the image shrinks: a 3×3 convolution needs padding to keep its size",
    )
    expect(y.shape == x.shape, "wrong-shape", f"{tuple(x.shape)} should stay {tuple(x.shape)}, got {tuple(y.shape)}")
    with judge.part("layers"):
        count = sum(p.numel() for p in block.params().values())
        one = 9 * C * C + C
        expect(
            count not in (one, one - C),
            "one-convolution",
            "there are weights for one convolution: two different ones are needed",
        )
        expect(count != 2 * one + 4 * C, "normalized", "there is a normalization inside: leave it out here")
        expect(
            count in (2 * one, 2 * one - C, 2 * one - 2 * C),
            "wrong-layers",
            f"two 3×3 convolutions of {C} channels have {2 * one} weights and biases, yours have {count}",
        )
    with judge.part("way around"):
        values = list(block.params().values())
        block.set_params([torch.zeros_like(value) for value in values])
        y = tensor(block(x))
        block.set_params(values)
        expect(
            y.abs().max() > 1e-5,
            "no-way-around",
            "with all weights zero, zero comes out: add x to what the convolutions make of it",
        )
        expect(
            not torch.allclose(y, x.relu(), atol=1e-5),
            "bent",
            "with all weights zero, negative values are lost: no ReLU may stand on the way around, neither before the sum nor after it",
        )
        expect(
            not torch.allclose(y, 2 * x, atol=1e-5) and not torch.allclose(y, x + x.relu(), atol=1e-5),
            "twice",
            "with all weights zero, x comes out more than once: add it once",
        )
        expect(torch.allclose(y, x, atol=1e-5), "no-identity", "with all weights zero, x itself should come out")
    with judge.part("bend"):
        # Larger weights than those of the start, so that what the block adds is no rounding error.
        block.set_params([judge.normal(*value.shape) for value in values])
        a, b = x[:1], x[1:2]
        change = {name: tensor(block(v)) - v for name, v in {"a": a, "b": b, "sum": a + b, "zero": 0 * a}.items()}
        expect(change["a"].abs().max() > 1e-3, "nothing-added", "the convolutions add nothing to x")
        expect(
            float(change["a"].min()) < -1e-3,
            "only-raised",
            "the block can raise values and never lower them: a ReLU stands after the last convolution",
        )
        expect(
            not torch.allclose(change["a"] + change["b"], change["sum"] + change["zero"], rtol=1e-3, atol=1e-2),
            "linear",
            "two convolutions in a row are one: bend with a ReLU between them",
        )
        # On positive inputs a ReLU before the first convolution does nothing: what bends now stands between the two.
        a, b = a.abs(), b.abs()
        change = {name: tensor(block(v)) - v for name, v in {"a": a, "b": b, "sum": a + b, "zero": 0 * a}.items()}
        expect(
            not torch.allclose(change["a"] + change["b"], change["sum"] + change["zero"], rtol=1e-3, atol=1e-2),
            "linear",
            "nothing bends between the two convolutions, so they are one: put a ReLU there",
        )


@task("T2", "A kernel that paints flat", points=5)
def _(answer: Answer, judge: Judge) -> None:
    weight = judge.normal(2, 3, 4, 4)
    flat = tensor(answer(weight, 2))
    expect(
        flat.shape == weight.shape,
        "wrong-shape",
        f"the kernel should keep its shape {tuple(weight.shape)}, got {tuple(flat.shape)}",
    )
    expect(flat.isfinite().all(), "not-finite", "some of the values are not finite numbers")
    example = torch.tensor([[1.0, 2.0], [3.0, 6.0]])[None, None]
    words = "in the example of the text a weight is off"
    same(answer(example, 2), torch.full((1, 1, 2, 2), 3.0), words, atol=1e-3)

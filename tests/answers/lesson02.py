"""Wrong and right answers to the exercises and the task of lesson 02."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tests.answers import right, wrong


@wrong("2.1", "a-step-too-many")
def _(size, kernel, stride, padding, output_padding):
    return size * stride + kernel - 2 * padding + output_padding


@wrong("2.1", "kernel-ignored")
def _(size, kernel, stride, padding, output_padding):
    return size * stride - 2 * padding + output_padding


@wrong("2.1", "convolution")
def _(size, kernel, stride, padding, output_padding):
    return (size + 2 * padding - kernel) // stride + 1 + output_padding


@wrong("2.1", "swapped")
def _(size, kernel, stride, padding, output_padding):
    return (size - 1) * kernel + stride - 2 * padding + output_padding


@wrong("2.1", "no-overlap")
def _(size, kernel, stride, padding, output_padding):
    return size * kernel - 2 * padding + output_padding


@wrong("2.1", "padding-added")
def _(size, kernel, stride, padding, output_padding):
    return (size - 1) * stride + kernel + 2 * padding + output_padding


@wrong("2.1", "padding-once")
def _(size, kernel, stride, padding, output_padding):
    return (size - 1) * stride + kernel - padding + output_padding


@wrong("2.1", "padding-ignored")
def _(size, kernel, stride, padding, output_padding):
    return (size - 1) * stride + kernel + output_padding


@wrong("2.1", "output-padding-ignored")
def _(size, kernel, stride, padding, output_padding):
    return (size - 1) * stride + kernel - 2 * padding


@wrong("2.1", "output-padding-twice")
def _(size, kernel, stride, padding, output_padding):
    return (size - 1) * stride + kernel - 2 * padding + 2 * output_padding


@right("2.1")
def _(size, kernel, stride, padding, output_padding):
    layer = nn.ConvTranspose1d(1, 1, kernel, stride, padding, output_padding, dilation=max(1, output_padding))
    out = layer(torch.zeros(1, 1, size)).shape[-1]
    return out - (kernel - 1) * (layer.dilation[0] - 1)


@right("2.1")
def _(size, kernel, stride, padding, output_padding):
    pixels = np.zeros((size - 1) * stride + 1)
    return np.float64(len(np.convolve(pixels, np.ones(kernel))) - padding - padding + output_padding)


@right("2.1")
def _(size, kernel, stride, padding, output_padding):
    last = stride * size - stride + kernel
    return torch.tensor([last + output_padding - padding * 2])


def _stamped(x, weight, stride):
    B, _, H, W = x.shape
    O, K = weight.shape[1:3]  # noqa: E741
    out = torch.zeros(B, O, (H - 1) * stride + K, (W - 1) * stride + K)
    for i in range(H):
        for j in range(W):
            stamp = torch.einsum("bc,cokl->bokl", x[:, :, i, j], weight)
            out[:, :, i * stride : i * stride + K, j * stride : j * stride + K] += stamp
    return out


def _cut(out, padding):
    return out[..., padding : out.shape[-2] - padding, padding : out.shape[-1] - padding]


@wrong("2.2", "overwritten")
def _(x, weight, stride, padding):
    B, _, H, W = x.shape
    O, K = weight.shape[1:3]  # noqa: E741
    out = torch.zeros(B, O, (H - 1) * stride + K, (W - 1) * stride + K)
    for i in range(H):
        for j in range(W):
            stamp = torch.einsum("bc,cokl->bokl", x[:, :, i, j], weight)
            out[:, :, i * stride : i * stride + K, j * stride : j * stride + K] = stamp
    return _cut(out, padding)


@wrong("2.2", "flipped")
def _(x, weight, stride, padding):
    return _cut(_stamped(x, weight.flip(-1, -2), stride), padding)


@wrong("2.2", "layout")
def _(x, weight, stride, padding):
    return _cut(_stamped(x, weight.transpose(0, 1), stride), padding)


@wrong("2.2", "kernel-turned")
def _(x, weight, stride, padding):
    return _cut(_stamped(x, weight.transpose(2, 3), stride), padding)


@wrong("2.2", "stride-ignored")
def _(x, weight, stride, padding):
    return _cut(_stamped(x, weight, 1), padding)


@wrong("2.2", "first-channel")
def _(x, weight, stride, padding):
    return _cut(_stamped(x[:, :1], weight[:1], stride), padding)


@wrong("2.2", "convolution")
def _(x, weight, stride, padding):
    return functional.conv2d(x, weight.transpose(0, 1), stride=stride, padding=padding)


@wrong("2.2", "padding-ignored")
def _(x, weight, stride, padding):
    return _stamped(x, weight, stride)


@wrong("2.2", "padding-added")
def _(x, weight, stride, padding):
    return functional.pad(_stamped(x, weight, stride), [padding] * 4)


@wrong("2.2", "one-side")
def _(x, weight, stride, padding):
    return _stamped(x, weight, stride)[:, :, padding:, padding:]


@wrong("2.2", "empty")
def _(x, weight, stride, padding):
    return _stamped(x, weight, stride)[:, :, padding:-padding, padding:-padding]


@wrong("2.2", "no-gradient")
def _(x, weight, stride, padding):
    return torch.from_numpy(_cut(_stamped(x, weight, stride), padding).detach().numpy())


@wrong("2.2", "stopped")
def _(x, weight, stride, padding):
    return torch.cat([x, weight])


@right("2.2")
def _(x, weight, stride, padding):
    # A convolution of the image with zeros put between its pixels, kernel upside down.
    B, C, H, W = x.shape
    K = weight.shape[-1]
    spread = torch.zeros(B, C, (H - 1) * stride + 1, (W - 1) * stride + 1)
    spread[:, :, ::stride, ::stride] = x
    out = functional.conv2d(functional.pad(spread, [K - 1] * 4), weight.flip(2, 3).transpose(0, 1))
    return _cut(out, padding)


@right("2.2")
def _(x, weight, stride, padding):
    # Kernel weight by kernel weight instead of pixel by pixel.
    B, _, H, W = x.shape
    O, K = weight.shape[1:3]  # noqa: E741
    out = torch.zeros(B, O, (H - 1) * stride + K, (W - 1) * stride + K).double()
    for k in range(K):
        for m in range(K):
            painted = (x.permute(0, 2, 3, 1) @ weight[:, :, k, m]).permute(0, 3, 1, 2)
            rows, columns = slice(k, k + (H - 1) * stride + 1, stride), slice(m, m + (W - 1) * stride + 1, stride)
            out[:, :, rows, columns] += painted
    return _cut(out, padding)


@right("2.2")
def _(x, weight, stride, padding):
    # All stamps side by side, folded into one picture.
    K = weight.shape[-1]
    size = [(n - 1) * stride + K for n in x.shape[2:]]
    stamps = torch.einsum("bcn,cok->bokn", x.flatten(2), weight.flatten(2)).flatten(1, 2)
    return _cut(functional.fold(stamps, size, K, stride=stride), padding)


def _count(size, kernel, stride):
    count = torch.zeros((size - 1) * stride + kernel)
    for i in range(size):
        count[i * stride : i * stride + kernel] += 1
    return count


@wrong("2.3", "stride-ignored")
def _(size, kernel, stride):
    return _count(size, kernel, 1)


@wrong("2.3", "swapped")
def _(size, kernel, stride):
    return _count(size, stride, kernel)


@wrong("2.3", "not-counted")
def _(size, kernel, stride):
    count = _count(size, kernel, stride)
    count[count > 0] = 1
    return count


@wrong("2.3", "no-edges")
def _(size, kernel, stride):
    return torch.full(((size - 1) * stride + kernel,), -(-kernel // stride))


@wrong("2.3", "too-short")
def _(size, kernel, stride):
    return _count(size, kernel, stride)[: size * stride]


@wrong("2.3", "stamp-too-narrow")
def _(size, kernel, stride):
    return _count(size, kernel - 1, stride)


@wrong("2.3", "starts-only")
def _(size, kernel, stride):
    count = torch.zeros((size - 1) * stride + kernel)
    count[[i * stride for i in range(size)]] += 1
    return count


@right("2.3")
def _(size, kernel, stride):
    ones = torch.ones(1, 1, size), torch.ones(1, 1, kernel)
    return functional.conv_transpose1d(*ones, stride=stride)[0, 0]


@right("2.3")
def _(size, kernel, stride):
    length = (size - 1) * stride + kernel
    return [sum(i * stride <= p < i * stride + kernel for i in range(size)) for p in range(length)]


@right("2.3")
def _(size, kernel, stride):
    marks = np.zeros((size - 1) * stride + 1)
    marks[::stride] = 1
    return np.convolve(marks, np.ones(kernel))


def _energy(x):
    return torch.fft.fft2(x).abs().square()[:, 0]


def _bins(energy, stride):
    H, W = energy.shape[-2:]
    return energy[:, :: H // stride, :: W // stride]


@wrong("2.4", "mean-kept")
def _(x, stride):
    energy = _energy(x)
    return _bins(energy, stride).sum((1, 2)) / energy.sum((1, 2))


@wrong("2.4", "mean-kept")
def _(x, stride):
    energy = _energy(x)
    return (_bins(energy, stride).sum((1, 2)) - energy[:, 0, 0]) / energy.sum((1, 2))


@wrong("2.4", "amplitude")
def _(x, stride):
    amplitude = _energy(x - x.mean((2, 3), keepdim=True)).sqrt()
    return _bins(amplitude, stride).sum((1, 2)) / amplitude.sum((1, 2))


@wrong("2.4", "corner-only")
def _(x, stride):
    energy = _energy(x - x.mean((2, 3), keepdim=True))
    H, W = x.shape[-2:]
    return energy[:, H // stride, W // stride] / energy.sum((1, 2))


@wrong("2.4", "every-bin")
def _(x, stride):
    energy = _energy(x - x.mean((2, 3), keepdim=True))
    return energy[:, ::stride, ::stride].sum((1, 2)) / energy.sum((1, 2))


@wrong("2.4", "one-number")
def _(x, stride):
    energy = _energy(x - x.mean((2, 3), keepdim=True))
    return _bins(energy, stride).sum() / energy.sum()


@wrong("2.4", "rest")
def _(x, stride):
    energy = _energy(x - x.mean((2, 3), keepdim=True))
    return 1 - _bins(energy, stride).sum((1, 2)) / energy.sum((1, 2))


@wrong("2.4", "no-share")
def _(x, stride):
    return _bins(_energy(x - x.mean((2, 3), keepdim=True)), stride).sum((1, 2))


@wrong("2.4", "wrong-value")
def _(x, stride):
    energy = _energy(x - x.mean((2, 3), keepdim=True))
    return _bins(energy, 2).sum((1, 2)) / energy.sum((1, 2))


@right("2.4")
def _(x, stride):
    # Parseval: between the places of the grid lies what the pixels' means over each place vary.
    places = [x[:, 0, i::stride, j::stride].mean((1, 2)) for i in range(stride) for j in range(stride)]
    return torch.stack(places).var(0, correction=0) / x.flatten(1).var(1, correction=0)


@right("2.4")
def _(x, stride):
    energy = np.abs(np.fft.fft2(x[:, 0].double().numpy())) ** 2
    energy[:, 0, 0] = 0
    H, W = energy.shape[1:]
    rows, columns = np.meshgrid(np.fft.fftfreq(H) * stride, np.fft.fftfreq(W) * stride, indexing="ij")
    grid = (abs(rows - rows.round()) < 1e-9) & (abs(columns - columns.round()) < 1e-9)
    return list(energy[:, grid].sum(1) / energy.sum((1, 2)))


@right("2.4")
def _(x, stride):
    # Every pixel replaced by the mean of its place in the grid.
    B, _, H, W = x.shape
    x = (x - x.mean((2, 3), keepdim=True)).view(B, H // stride, stride, W // stride, stride)
    grid = x.mean((1, 3), keepdim=True).expand_as(x)
    return grid.square().sum((1, 2, 3, 4)) / x.square().sum((1, 2, 3, 4))


class _Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a = nn.Conv2d(channels, channels, 3, padding=1)
        self.b = nn.Conv2d(channels, channels, 3, padding=1)


@wrong("2.5", "no-way-around")
class _(_Block):
    def forward(self, x):
        return self.b(self.a(x.relu()).relu())


@wrong("2.5", "bent")
class _(_Block):
    def forward(self, x):
        return (x + self.b(self.a(x.relu()).relu())).relu()


@wrong("2.5", "bent")
class _(_Block):
    def forward(self, x):
        x = x.relu()
        return x + self.b(self.a(x).relu())


@wrong("2.5", "only-raised")
class _(_Block):
    def forward(self, x):
        return x + self.b(self.a(x).relu()).relu()


@wrong("2.5", "linear")
class _(_Block):
    def forward(self, x):
        return x + self.b(self.a(x))


@wrong("2.5", "linear")
class _(_Block):
    def forward(self, x):
        return x + self.b(self.a(x.relu()))


@wrong("2.5", "one-convolution")
class _(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.a(self.a(x.relu()).relu())


@wrong("2.5", "no-padding")
class _(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a, self.b = nn.Conv2d(channels, channels, 3), nn.Conv2d(channels, channels, 3)

    def forward(self, x):
        return self.b(self.a(x.relu()).relu())


@wrong("2.5", "normalized")
class _(_Block):
    def __init__(self, channels):
        super().__init__(channels)
        self.c, self.d = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        return x + self.b(self.d(self.a(self.c(x).relu())).relu())


@wrong("2.5", "twice")
class _(_Block):
    def forward(self, x):
        x = x + self.a(x.relu())
        return x + x + self.b(x.relu())


@wrong("2.5", "wrong-shape")
class _(_Block):
    def forward(self, x):
        return torch.cat([x, self.b(self.a(x.relu()).relu())], dim=1)


@right("2.5")
class _(_Block):
    def forward(self, x):
        return self.b(functional.relu(self.a(functional.relu(x)))) + x


@right("2.5")
class _(_Block):
    def forward(self, x):
        return x + self.b(functional.leaky_relu(self.a(x), 0.1))


@right("2.5")
def _(channels):
    def convolution():
        return nn.Conv2d(channels, channels, 3, padding="same", bias=False)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.change = nn.Sequential(nn.ReLU(), convolution(), nn.ReLU(), convolution())

        def forward(self, x):
            return torch.stack([x, self.change(x)]).sum(0)

    return Block()


def _places(stride):
    return [(..., slice(i, None, stride), slice(j, None, stride)) for i in range(stride) for j in range(stride)]


@wrong("T2", "unchanged")
def _(weight, stride):
    return weight


@wrong("T2", "paints-nothing")
def _(weight, stride):
    return 0 * weight


@wrong("T2", "uneven")
def _(weight, stride):
    return weight - weight.mean((2, 3), keepdim=True)


@wrong("T2", "one-axis-at-a-time")
def _(weight, stride):
    out = weight.clone()
    K = weight.shape[-1]
    for _ in range(2):
        sums = torch.stack([out[(..., slice(i, None, stride), slice(None))].sum((2, 3)) for i in range(stride)])
        for i in range(stride):
            lines = len(range(i, K, stride))
            out[(..., slice(i, None, stride), slice(None))] += ((sums.mean(0) - sums[i]) / (lines * K))[..., None, None]
        out = out.transpose(2, 3)
    return out


@wrong("T2", "channels-together")
def _(weight, stride):
    out = weight.clone()
    sums = [weight[place].sum((0, 2, 3)) for place in _places(stride)]
    for place, s in zip(_places(stride), sums, strict=True):
        out[place] += ((sum(sums) / len(sums) - s) / weight[place][:, 0].numel())[:, None, None]
    return out


def _leveled(weight, stride, change):
    out = weight.clone()
    sums = [weight[place].sum((2, 3), keepdim=True) for place in _places(stride)]
    mean = sum(sums) / len(sums)
    for place, s in zip(_places(stride), sums, strict=True):
        out[place] = change(weight[place], s, mean)
    return out


@wrong("T2", "plain-mean")
def _(weight, stride):
    return _leveled(weight, stride, lambda w, s, mean: w + (mean - s) / w[0, 0].numel())


@wrong("T2", "scaled")
def _(weight, stride):
    return _leveled(weight, stride, lambda w, s, mean: w * mean / s)


@wrong("T2", "paints-nothing")
def _(weight, stride):
    return _leveled(weight, stride, lambda w, s, mean: w - s / w[0, 0].numel())


@wrong("T2", "one-weight")
def _(weight, stride):
    def change(w, s, mean):
        w = w.clone()
        w[..., :1, :1] += mean - s
        return w

    return _leveled(weight, stride, change)


@right("T2")
def _(weight, stride):
    # Projection on the kernels that fulfill the linear conditions "each place has the sum of the first".
    K = weight.shape[-1]
    masks = []
    for place in _places(stride):
        mask = torch.zeros(K, K).double()
        mask[place] = 1
        masks.append(mask.flatten())
    conditions = torch.stack(masks[1:]) - masks[0]
    flat = weight.double().flatten(2)
    return (flat - flat @ torch.linalg.pinv(conditions) @ conditions).view_as(weight)


@right("T2")
def _(weight, stride):
    # Least squares over the numbers that may be chosen: the level, and what sums to zero within each place.
    C, O, K, _ = weight.shape  # noqa: E741
    place = (np.arange(K)[:, None] % stride * stride + np.arange(K) % stride).ravel()
    member = place[:, None] == np.arange(stride**2)
    basis = [member @ (1 / member.sum(0))]
    for p in range(stride**2):
        taps = np.flatnonzero(place == p)
        basis += [np.eye(K * K)[a] - np.eye(K * K)[taps[0]] for a in taps[1:]]
    basis = np.stack(basis, 1)
    target = weight.numpy().reshape(C * O, K * K).T
    return (basis @ np.linalg.lstsq(basis, target, rcond=None)[0]).T.reshape(C, O, K, K)


@right("T2")
def _(weight, stride):
    # The unevenness is a sum over frequencies of the grid; written with counts and sums as images.
    K = weight.shape[-1]
    more = -(-K // stride) * stride - K

    def fold(t):
        t = functional.pad(t, (0, more, 0, more))
        return t.unflatten(-2, (-1, stride)).unflatten(-1, (-1, stride)).sum((-4, -2))

    sums, counts = fold(weight), fold(torch.ones(K, K))
    level = (sums / counts).sum((-2, -1), keepdim=True) / (1 / counts).sum()
    return weight + ((level - sums) / counts).repeat(1, 1, K, K)[..., :K, :K]

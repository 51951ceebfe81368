"""The experiments of lessons 00 to 03: each function returns the view of a compute function over a lesson's models."""

from collections.abc import Callable, Iterator, Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from course_utils import losses, metrics, train
from course_utils.data.images import from_drawing
from course_utils.models import codes, denoising
from course_utils.models.autoencoder import DenseAutoencoder
from course_utils.models.convolutional import overlap
from course_utils.widgets.view import Drawing, Outputs, Pad, Pick, Slider, TrainingView, View

# Distances and confidences of pictures, each of shape (B,).
Judge = Callable[[Tensor], tuple[Tensor, Tensor]]


def step_size(x: Float[Tensor, "N 1 28 28"], steps: int = 480) -> TrainingView:
    """Lesson 00: an autoencoder trained before your eyes, with a step size of your choice; two batches a slice."""
    x = x.cpu()  # as are its weights and its random numbers, on every machine

    def training(lr: float) -> Iterator[Outputs]:
        with torch.device("cpu"):
            torch.manual_seed(0)
            model = DenseAutoencoder(latent_dim=16)
        generator = torch.Generator("cpu").manual_seed(0)
        optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
        curve = [(0.0, losses.squared_error(model(x[:128]), x[:128]).mean().item())]
        todo: list[Tensor] = []
        yield _training_outputs(model, x, curve)
        for step in range(2, steps + 1, 2):
            if len(todo) < 2:
                todo = list(train.batches(len(x), 128, generator))
            loss = (_train_step(model, optimizer, x[todo.pop()]) + _train_step(model, optimizer, x[todo.pop()])) / 2
            curve.append((step, loss))
            yield _training_outputs(model, x, curve)

    sizes = Slider("step size lr", [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1], start=2)
    return TrainingView("The step size, and what becomes of the training", training, lr=sizes)


@torch.enable_grad()
def _train_step(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor) -> float:
    loss = losses.squared_error(model(x), x).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _training_outputs(model: nn.Module, x: Tensor, curve: list[tuple[float, float]]) -> Outputs:
    return {
        "squared error, step by step": torch.tensor(curve),
        "data": x[:8],
        "comes back": model(x[:8]),
    }


def draw_digit(model: nn.Module) -> View:
    """A digit drawn by the reader: as the encoder gets it, its code, and as the decoder draws it again."""

    def compute(drawing: Tensor) -> Outputs:
        x = from_drawing(drawing)
        z = model.encoder(x)
        return {"the encoder gets": x, "its code": z[0], "the decoder draws": model.decoder(z)}

    return View("Your own digit", compute, drawing=Drawing("Draw a digit, large"))


def bottleneck(models: Mapping[int, nn.Module], x: Float[Tensor, "N 1 H W"]) -> View:
    """Lesson 01: what comes back through codes of different widths; `models` by their width."""

    def compute(width: int) -> Outputs:
        x_hat = models[width](x)
        share = torch.tensor(metrics.explained_share(x, x_hat))
        return {"data": x[:10], "comes back": x_hat[:10], "explained share": share}

    widths = list(models)
    return View("How wide must the door be?", compute, width=Slider("numbers in the code", widths, len(widths) - 1))


def code_map(
    model: nn.Module,
    x: Float[Tensor, "N 1 28 28"],
    y: Int[Tensor, " N"],
    judge: Judge | None = None,
    limits: tuple[float, float] | None = None,
) -> View:
    """Lessons 01 and 03: a map of the two-number codes of x, the decoder's picture of any place, the nearest digit.

    With a `judge` and its `limits` (the largest distance, the least confidence), its readings of the picture as well.
    """
    z_known = model.encoder(x).detach()

    def compute(z: Float[Tensor, "2"]) -> Outputs:
        z = z.to(z_known)
        distance, nearest = torch.cdist(z[None], z_known)[0].min(0)
        x_hat = model.decoder(z[None])
        return {
            "drawn from here": x_hat,
            "digit of the nearest code": x[nearest][None],
            "distance to that code": distance,
        } | _readings(x_hat, judge, limits)

    start = tuple(z_known.mean(0).tolist())
    return View("The map under your pointer", compute, z=Pad("code", z_known, y, start))


def kernel_and_stride() -> View:
    """Lesson 02: a flat gray image, enlarged by transposed convolutions and by resizing; stamps for each pixel."""
    generator = torch.Generator("cpu").manual_seed(0)
    weights = torch.randn(400, 8, 8, generator=generator, device="cpu")

    def compute(kernel: int, stride: int) -> Outputs:
        weight = weights[:, :kernel, :kernel]
        size = 24 // stride + kernel
        flat = torch.ones(1, 1, size, size, device="cpu")
        enlarged = _middle(functional.conv_transpose2d(flat, weight[None], stride=stride)[0, :, None])
        ones = _middle(functional.conv_transpose2d(flat, torch.ones_like(weight[None, :1]), stride=stride))
        resized = flat.repeat_interleave(stride, 2).repeat_interleave(stride, 3)
        resized = _middle(functional.conv2d(resized, weight[:8, None])[0, :, None])
        # A whole number of periods, so that all kinds of pixel count alike.
        energy = enlarged.square().mean()
        grid = (enlarged - enlarged.mean((1, 2, 3), keepdim=True)).square().mean()
        return {
            "stamps over each pixel": _middle(overlap(size, kernel, stride).float().expand(1, 1, 24, -1))[0, 0, 0],
            "stamps of ones": ones / ones.max(),
            "random kernels": enlarged[:8].sigmoid(),
            "resize, same kernels": resized.sigmoid(),
            "share of the energy in the grid": grid / energy,
        }

    return View(
        "A flat gray square, enlarged",
        compute,
        kernel=Slider("kernel", range(1, 9), start=2),
        stride=Slider("stride", range(1, 5), start=1),
    )


def _middle(x: Float[Tensor, "N C H W"], size: int = 24) -> Float[Tensor, "N C {size} {size}"]:
    """The middle of pictures, without their borders, where stamps are missing."""
    top, left = (x.shape[2] - size) // 2, (x.shape[3] - size) // 2
    return x[:, :, top : top + size, left : left + size]


def noise_level(
    models: Mapping[str, nn.Module], x: Float[Tensor, "N 1 28 28"], x_train: Float[Tensor, "M 1 28 28"]
) -> View:
    """Lesson 03: the same noise, turned up, and the ways back by each model and by the best denoiser of x_train."""
    eps = torch.randn(x.shape, generator=torch.Generator("cpu").manual_seed(0), device="cpu").to(x)

    def compute(sigma: float) -> Outputs:
        x_noisy = x + sigma * eps
        # The formula divides by sigma; with so little noise it returns the nearest training picture.
        best = denoising.best_denoiser(x_noisy.flatten(1), x_train.flatten(1), max(sigma, 0.01)).view_as(x)
        answers = {name: model(x_noisy) for name, model in models.items()} | {"formula": best}
        errors = {f"error, {name}": losses.squared_error(x_hat, x).mean() for name, x_hat in answers.items()}
        return {"noisy": x_noisy, **answers, "data": x, **errors}

    sigmas = Slider("noise sigma", [round(0.1 * i, 1) for i in range(16)], start=5)
    return View("How much noise can it undo?", compute, sigma=sigmas)


def walk(
    model: nn.Module,
    x: Float[Tensor, "N 1 28 28"],
    y: Int[Tensor, " N"],
    judge: Judge | None = None,
    limits: tuple[float, float] | None = None,
) -> View:
    """Lesson 03: the straight line between the codes of two digits of the reader's choice, and a place on it.

    `judge` and `limits` as for `code_map`.
    """
    z = model.encoder(x).detach()

    def compute(a: int, b: int, t: float) -> Outputs:
        here = (1 - t) * z[a] + t * z[b]
        x_hat = model.decoder(here[None])
        return {
            "the whole way": model.decoder(codes.walk(z[a], z[b], 9)),
            "here, between codes": x_hat,
            "here, between pixels": ((1 - t) * x[a] + t * x[b])[None],
        } | _readings(x_hat, judge, limits)

    names = [f"a handwritten {label}" for label in y.tolist()]
    return View(
        "A walk between two digits",
        compute,
        a=Pick("from", x, names, start=0),
        b=Pick("to", x, names, start=1),
        t=Slider("share of the way", [round(0.05 * i, 2) for i in range(21)], start=10),
    )


def _readings(x_hat: Tensor, judge: Judge | None, limits: tuple[float, float] | None) -> Outputs:
    if judge is None or limits is None:
        return {}
    distance, confidence = judge(x_hat)
    far, sure = (float(limit) for limit in limits)
    return {
        f"distance to the data (passes up to {far:.1f})": distance[0],
        f"confidence (passes from {sure:.2f})": confidence[0],
    }

"""Sprites whose factors are known: what a disentangled representation can be held against."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from course_utils.errors import CourseError, choose

# The values that each factor takes, evenly likely. No shape looks the same when turned by 90° or less (ellipse and
# rectangle repeat after 180°, the triangle after 360°), so rotations from -42° to 42° can always be told apart.
# x and y of a sprite's middle and its scale (half its length) are in pixels; at its largest it stays inside.
LEVELS = {
    "shape": torch.arange(3, device="cpu").float(),  # ellipse, rectangle, triangle
    "x": torch.linspace(9.5, 18.5, 8, device="cpu"),
    "y": torch.linspace(9.5, 18.5, 8, device="cpu"),
    "scale": torch.linspace(5, 8, 4, device="cpu"),
    "rotation": torch.linspace(-42, 42, 8, device="cpu"),  # degrees, clockwise as seen
    "shade": torch.linspace(0.4, 1, 4, device="cpu"),
}


@dataclass(frozen=True)
class Shapes:
    """Sprites, the values of their factors, and the same factors as level numbers 0, 1, 2, …"""

    x: Float[Tensor, "N 1 28 28"]
    factors: Float[Tensor, "N 6"]
    levels: Int[Tensor, "N 6"]
    factor_names: tuple[str, ...]


def shapes(n: int = 10_000, seed: int = 0) -> Shapes:
    """Draw n sprites with every factor's level drawn evenly and independently of the others (see LEVELS)."""
    if n < 1:
        raise CourseError(f"{n} shapes cannot be drawn: ask for n of 1 or more.")
    with torch.device("cpu"):
        generator = torch.Generator().manual_seed(seed)
        levels = torch.stack([torch.randint(len(values), (n,), generator=generator) for values in LEVELS.values()], 1)
    return sprites(levels)


def sprites(levels: Int[Tensor, "N 6"]) -> Shapes:
    """The sprites of given factor levels, for instance a walk along one factor with the others held."""
    device = torch.get_default_device()
    with torch.device("cpu"):
        levels = levels.cpu()
        factors = torch.stack([values[level] for values, level in zip(LEVELS.values(), levels.T, strict=True)], 1)
        x = _draw(factors)
    return Shapes(x.to(device), factors.to(device), levels.to(device), factor_names=tuple(LEVELS))


def _draw(factors: Float[Tensor, "N 6"]) -> Float[Tensor, "N 1 28 28"]:
    shape, x, y, scale, rotation, shade = factors.view(-1, 6, 1, 1).unbind(1)

    # u and v: pixel centers as the sprite sees them, from its middle and along its own axes.
    pixel = torch.arange(28) + 0.5
    right, down = pixel - x, pixel.unsqueeze(1) - y
    cos, sin = rotation.deg2rad().cos(), rotation.deg2rad().sin()
    u, v = cos * right + sin * down, cos * down - sin * right

    distance = torch.empty_like(u)
    for number, distance_to in enumerate([_ellipse, _rectangle, _triangle]):
        mine = shape.flatten() == number
        distance[mine] = distance_to(u[mine], v[mine], scale[mine])
    covered = (0.5 - distance).clamp(0, 1)  # the share of a pixel that lies inside: what makes the edge smooth
    return (shade * covered).unsqueeze(1)


# Distances to a shape's edge in pixels, negative inside; exact near the edge, where they are used.


def _ellipse(u: Float[Tensor, "N 28 28"], v: Float[Tensor, "N 28 28"], scale: Float[Tensor, "N 1 1"]) -> Tensor:
    long, short = scale, scale / 2
    radius = torch.hypot(u / long, v / short)
    slope = torch.hypot(u / long**2, v / short**2) / radius.clamp(min=1e-6)
    return (radius - 1) / slope.clamp(min=1e-6)


def _rectangle(u: Float[Tensor, "N 28 28"], v: Float[Tensor, "N 28 28"], scale: Float[Tensor, "N 1 1"]) -> Tensor:
    return torch.maximum(u.abs() - scale, v.abs() - scale / 2)


def _triangle(u: Float[Tensor, "N 28 28"], v: Float[Tensor, "N 28 28"], scale: Float[Tensor, "N 1 1"]) -> Tensor:
    """Corners at u = scale, v = 0 and u = -scale, v = ±0.75 scale."""
    side = (0.75 * (u - scale) + 2 * v.abs()) / (0.75**2 + 2**2) ** 0.5
    return torch.maximum(-u - scale, side)


HELD = {"shape": 0, "x": 4, "y": 4, "scale": 2, "rotation": 3, "shade": 3}  # levels of factors that do not vary


def every_sprite(*names: str) -> tuple[Float[Tensor, "N 1 14 14"], Int[Tensor, "N K"]]:
    """Every sprite that differs in the named factors alone, at half the size, and the levels of these factors.

    The last factor changes fastest. Raises CourseError for an unknown name.
    """
    for name in names:
        choose(name, LEVELS, "factor")
    ranges = [torch.arange(len(LEVELS[name]), device="cpu") for name in names]
    varied = torch.stack(torch.meshgrid(*ranges, indexing="ij"), -1).flatten(0, -2)
    levels = torch.tensor(list(HELD.values()), device="cpu").repeat(len(varied), 1)
    levels[:, [list(LEVELS).index(name) for name in names]] = varied
    return functional.avg_pool2d(sprites(levels).x, 2), varied.to(torch.get_default_device())

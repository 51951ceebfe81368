"""Clouds of points in one and two dimensions whose components are known."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils.errors import CourseError, choose


@dataclass(frozen=True)
class Points:
    """Points and the component of the mixture that each was drawn from."""

    x: Float[Tensor, "N D"]
    component: Int[Tensor, "N"]


def points(kind: str, n: int, seed: int = 0) -> Points:
    """Draw n points; components are equally likely, everything lies within about [-2.5, 2.5].

    rings: 8 Gaussians on a circle of radius 2, standard deviation 0.1.
    grid: 25 Gaussians at whole numbers from -2 to 2, standard deviation 0.05.
    moons: 2 interlocked half circles of radius 1, noise 0.08.
    spirals: 2 arms, radius 0.3 to 2 over one and a half turns, noise 0.05.
    line: 3 Gaussians in one dimension at -2, 0 and 2, standard deviation 0.3.
    """
    components, place, noise = KINDS[choose(kind, KINDS, "kind of points")]
    if n < 1:
        raise CourseError(f"{n} points cannot be drawn: ask for n of 1 or more.")
    with torch.device("cpu"):
        generator = torch.Generator().manual_seed(seed)
        component = torch.randint(components, (n,), generator=generator)
        centers = place(component, torch.rand(n, generator=generator))
        x = centers + noise * torch.randn(centers.shape, generator=generator)
    device = torch.get_default_device()
    return Points(x=x.to(device), component=component.to(device))


def _rings(component: Int[Tensor, "N"], along: Float[Tensor, "N"]) -> Float[Tensor, "N 2"]:
    angle = component * torch.pi / 4
    return 2 * torch.stack([angle.cos(), angle.sin()], 1)


def _grid(component: Int[Tensor, "N"], along: Float[Tensor, "N"]) -> Float[Tensor, "N 2"]:
    return torch.stack([component % 5 - 2, component // 5 - 2], 1).float()


def _moons(component: Int[Tensor, "N"], along: Float[Tensor, "N"]) -> Float[Tensor, "N 2"]:
    angle, side = torch.pi * along, 1 - 2 * component  # the second moon is the first, turned by 180° about the origin
    return side.unsqueeze(1) * torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], 1)


def _spirals(component: Int[Tensor, "N"], along: Float[Tensor, "N"]) -> Float[Tensor, "N 2"]:
    radius, angle = 0.3 + 1.7 * along, 3 * torch.pi * along + torch.pi * component
    return radius.unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], 1)


def _line(component: Int[Tensor, "N"], along: Float[Tensor, "N"]) -> Float[Tensor, "N 1"]:
    return (2.0 * component - 2).unsqueeze(1)


# kind: how many components, where a point of a component lies before noise is added, the noise's standard deviation.
# `along` in [0, 1) says how far along its curve a point lies.
KINDS: dict[str, tuple[int, Callable[[Tensor, Tensor], Tensor], float]] = {
    "rings": (8, _rings, 0.1),
    "grid": (25, _grid, 0.05),
    "moons": (2, _moons, 0.08),
    "spirals": (2, _spirals, 0.05),
    "line": (3, _line, 0.3),
}

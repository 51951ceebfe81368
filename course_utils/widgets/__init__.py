"""Live experiments: each is one function that a lesson calls with its own models."""

from course_utils.widgets.part1 import (
    bottleneck,
    code_map,
    draw_digit,
    kernel_and_stride,
    noise_level,
    step_size,
    walk,
)
from course_utils.widgets.part2 import (
    decoder_noise,
    gradient_estimates,
    many_draws,
    move_q,
    posterior,
    prior_plane,
)

__all__ = [
    "bottleneck",
    "code_map",
    "decoder_noise",
    "draw_digit",
    "gradient_estimates",
    "kernel_and_stride",
    "many_draws",
    "move_q",
    "noise_level",
    "posterior",
    "prior_plane",
    "step_size",
    "walk",
]

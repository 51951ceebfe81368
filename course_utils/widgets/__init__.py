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

__all__ = ["bottleneck", "code_map", "draw_digit", "kernel_and_stride", "noise_level", "step_size", "walk"]

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
    collapse,
    decoder_noise,
    fill_in,
    gradient_estimates,
    many_draws,
    move_q,
    posterior,
    prior_plane,
    style_and_label,
    suspicion,
    turned_units,
    wipe_out,
)
from course_utils.widgets.part3 import be_the_critic, digits_game, mode_collapse, two_players

__all__ = [
    "be_the_critic",
    "bottleneck",
    "code_map",
    "collapse",
    "decoder_noise",
    "digits_game",
    "draw_digit",
    "fill_in",
    "gradient_estimates",
    "kernel_and_stride",
    "many_draws",
    "mode_collapse",
    "move_q",
    "noise_level",
    "posterior",
    "prior_plane",
    "step_size",
    "style_and_label",
    "suspicion",
    "turned_units",
    "two_players",
    "walk",
    "wipe_out",
]

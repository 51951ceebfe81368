"""The data sets of the course as tensors in memory; data/README.md has a card for each.

Everything lies on torch's default device, is the same for the same seed, and leaves torch's global generator alone.
"""

from inspect import Parameter, signature

from course_utils.data.downloads import fashion, kmnist, mnist
from course_utils.data.images import Images, binarized, digits, few_labels
from course_utils.data.points import Points, points
from course_utils.data.shapes import Shapes, every_sprite, shapes, sprites
from course_utils.data.stacks import stacks
from course_utils.data.tables import table, weights
from course_utils.errors import CourseError, choose

__all__ = [
    "Images",
    "Points",
    "Shapes",
    "binarized",
    "digits",
    "every_sprite",
    "fashion",
    "few_labels",
    "kmnist",
    "load",
    "mnist",
    "points",
    "shapes",
    "sprites",
    "stacks",
    "table",
    "weights",
]

SETS = {made.__name__: made for made in (digits, mnist, fashion, kmnist, binarized, shapes, points)}


def load(name: str, /, **params: object) -> Images | Shapes | Points:
    """Any data set by its name, with the parameters of the function of that name: `load("points", kind="moons", n=9)`.

    Raises CourseError for an unknown name and for an unknown or a missing parameter.
    """
    make = SETS[choose(name, SETS, "data set")]
    known = signature(make).parameters
    if params and not known:
        raise CourseError(f"The data set {name!r} takes no parameters: leave out {', '.join(params)}.")
    for param in params:
        choose(param, known, f"{name} parameter")
    missing = [param for param, p in known.items() if p.default is Parameter.empty and param not in params]
    if missing:
        raise CourseError(f"The data set {name!r} needs {' and '.join(missing)}: give them to load as well.")
    return make(**params)

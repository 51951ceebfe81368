"""Known wrong answers (misconceptions, each with the id of its mistake) and right but different ones (variants)."""

from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

MISCONCEPTIONS: dict[str, list[tuple[str, Any]]] = defaultdict(list)
VARIANTS: dict[str, list[Any]] = defaultdict(list)


def wrong(exercise: str, mistake: str) -> Callable:
    """Declare a wrong answer to an exercise, and the mistake that its check must name."""

    def declare(answer):
        MISCONCEPTIONS[exercise].append((mistake, answer))
        return answer

    return declare


def right(exercise: str) -> Callable:
    """Declare a right answer that is written differently from the reference."""

    def declare(answer):
        VARIANTS[exercise].append(answer)
        return answer

    return declare


for module in iter_modules(__path__):
    import_module(f"{__name__}.{module.name}")  # it adds its answers

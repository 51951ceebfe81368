"""Exercises: declared once with their checks, one file a lesson, and judged by the engine."""

from importlib import import_module
from pkgutil import iter_modules

from course_utils.exercises.board import board
from course_utils.exercises.engine import EXERCISES, TASKS, check, judge, look_over

__all__ = ["EXERCISES", "TASKS", "board", "check", "judge", "look_over"]

for module in iter_modules(__path__):
    if module.name.startswith("lesson"):  # it declares its exercises when it is imported
        import_module(f"{__name__}.{module.name}")

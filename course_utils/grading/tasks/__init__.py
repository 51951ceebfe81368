"""Tasks for marks: their references and checks, one file a lesson."""

from importlib import import_module
from pkgutil import iter_modules

from course_utils.exercises.engine import Exercise

_lessons = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
TASKS: dict[str, Exercise] = {lesson.TASK.id: lesson.TASK for lesson in _lessons}

"""Tasks for marks: their references and checks, one file a lesson."""

from course_utils.exercises.engine import Exercise
from course_utils.grading.tasks import lesson01, lesson02, lesson03

TASKS: dict[str, Exercise] = {lesson.TASK.id: lesson.TASK for lesson in (lesson01, lesson02, lesson03)}

"""Exercises: declared once with their checks, one file a lesson, and judged by the engine."""

from course_utils.exercises import lesson00, lesson01, lesson02, lesson03
from course_utils.exercises.board import board
from course_utils.exercises.engine import EXERCISES, TASKS, check, judge, look_over

__all__ = ["EXERCISES", "TASKS", "board", "check", "judge", "lesson00", "lesson01", "lesson02", "lesson03", "look_over"]

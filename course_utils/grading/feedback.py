"""Feedback: one HTML page for each student and lesson, made by nbgrader's template; it needs no network."""

import json
import re
from pathlib import Path

from course_utils.grading import book, classroom

# What nbgrader's page would fetch from elsewhere. Formulas are MathML already, and nothing else needs a script.
SCRIPTS = re.compile(r"<script.*?</script>", re.DOTALL | re.IGNORECASE)
LINKS = re.compile(r"<link[^>]*>", re.IGNORECASE)
WRAPPED = "<style>.highlight pre, .output_area pre { white-space: pre-wrap; }</style>"


def feedback(folder: Path, lessons: list[str]) -> list[str]:
    """Write feedback/STUDENT/LESSON.html for everybody who was marked; return lines on it."""
    import nbformat
    from nbconvert.exporters import HTMLExporter
    from nbgrader.preprocessors import GetGrades
    from nbgrader.server_extensions.formgrader import handlers
    from traitlets.config import Config

    config = Config()
    config.HTMLExporter.template_name = "feedback"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    config.HTMLExporter.extra_template_paths = [f"{handlers.static_path}/node_modules/bootstrap/dist/css"]
    config.Exporter.default_preprocessors = []
    exporter = HTMLExporter(config=config)
    exporter.register_preprocessor(GetGrades, enabled=True)
    exporter.register_preprocessor("nbconvert.preprocessors.CSSHTMLHeaderPreprocessor", enabled=True)
    lines = []
    for lesson in lessons:
        waiting = _waiting(folder, lesson)
        marks, made = classroom.marks_of(folder, lesson), 0
        for student, record in marks.items():
            source = folder / "autograded" / student / lesson / f"{lesson}.ipynb"
            if record["why"] or not source.exists():
                continue
            notebook = nbformat.from_dict(without_rubrics(json.loads(source.read_bytes())))
            ours = {"student": student, "assignment": lesson, "notebook": lesson}
            ours["db_url"] = f"sqlite:///{(folder / 'gradebook.db').resolve()}"
            page, _ = exporter.from_notebook_node(notebook, {"nbgrader": ours})
            page = LINKS.sub("", SCRIPTS.sub("", page)).replace("</head>", f"{WRAPPED}</head>", 1)
            classroom.write(folder / "feedback" / student / f"{lesson}.html", page.encode())
            made += 1
        lines.append(f"{lesson}: {made} pages in {folder / 'feedback'}.")
        lines += [f"! {student}: not marked, {r['why']}; there is no page." for student, r in marks.items() if r["why"]]
        if waiting:
            lines.append(f"! {lesson}: {waiting} written answers are not marked yet, and count as 0 on these pages.")
    return lines


def without_rubrics(notebook: dict) -> dict:
    cells = [cell for cell in notebook["cells"] if "rubric" not in cell["metadata"].get("tags", [])]
    return {**notebook, "cells": cells}


def _waiting(folder: Path, lesson: str) -> int:
    """Written answers of a lesson that nobody has marked yet."""
    from nbgrader.api import Grade

    with book.opened(folder) as gradebook:
        grades = gradebook.db.query(Grade).filter(Grade.needs_manual_grade).all()
        return sum(grade.notebook.name == lesson for grade in grades)

"""The learner's progress board: which exercises are passed, lesson by lesson."""

from html import escape

from course_utils.exercises import progress
from course_utils.exercises.engine import EXERCISES


class Board:
    """Exercises and points so far; shows as a table in a notebook and as text elsewhere."""

    def __init__(self):
        done = progress.results()
        self.rows = [(e.id, e.title, done.get(e.id, (0, e.points))[0], e.points) for e in EXERCISES.values()]
        self.points, self.of = sum(row[2] for row in self.rows), sum(row[3] for row in self.rows)

    def __repr__(self) -> str:
        lines = [f"{_mark(got, of)}  {id}  {title}  {got:g} of {of}" for id, title, got, of in self.rows]
        return "\n".join([*lines, f"{self.points:g} of {self.of} points"])

    def _repr_html_(self) -> str:
        lessons: dict[str, list[str]] = {}
        for id, title, got, of in self.rows:
            cell = (
                f'<li title="{got:g} of {of} points"><span aria-hidden="true">{_mark(got, of)}</span> '
                f"<b>{id}</b> {escape(title)} <small>{got:g} of {of}</small></li>"
            )
            lessons.setdefault(id.split(".")[0].zfill(2), []).append(cell)
        body = "".join(
            f'<tr><th scope="row" style="vertical-align:top">Lesson {lesson}</th><td style="text-align:left">'
            f'<ul style="list-style:none;margin:0;padding:0">{"".join(cells)}</ul></td></tr>'
            for lesson, cells in lessons.items()
        )
        return (
            f'<table><caption style="caption-side:top;text-align:left"><b>{self.points:g} of {self.of} points</b>'
            f"</caption>{body}</table>"
        )


def _mark(got: float, of: float) -> str:
    return "✓" if got >= of else "◐" if got else "○"


def board() -> Board:
    """The board as it stands now."""
    return Board()

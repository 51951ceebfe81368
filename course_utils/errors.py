"""The course's own error: one sentence that says what to do, shown in a notebook without a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class CourseError(Exception):
    """Something the reader can mend; the message is one sentence that says how."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [str(self)]


def choose(name: object, known: Iterable[str], what: str) -> str:
    """Return `name` if it is one of `known`; otherwise raise CourseError, naming the nearest and all that are known."""
    known = list(known)
    if isinstance(name, str) and name in known:
        return name
    near = get_close_matches(str(name).lower(), known, n=1)
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    raise CourseError(f"There is no {what} {name!r}: {suggestion}Known are {', '.join(known)}.")

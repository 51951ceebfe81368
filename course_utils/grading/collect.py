"""From what students handed in to one notebook for each student and lesson: zips, folders, Moodle downloads, odd names.

Nothing is ever extracted to a path that an archive names: files are read, matched, and written where they belong.
"""

import io
import json
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from course_utils.errors import CourseError
from course_utils.grading import classroom
from course_utils.grading.sandbox import clean
from course_utils.grading.submission import LARGEST

MOST_FILES, DEEPEST = 20_000, 3  # in one archive; archives within archives
SWELLS = 100  # times its size, beside one notebook, that an archive may unpack to
MOODLE = re.compile(r"^(?P<name>.+?)_\d+_(assignsubmission|onlinetext)", re.IGNORECASE)
COPIED = re.compile(r"[ _-]*(\(\d+\)|-?copy\d*|kopie|copie|final|v\d+)\s*$", re.IGNORECASE)
STUDENT = re.compile(r"""^\s*STUDENT\s*=\s*["']([^"'\n]{1,80})["']""", re.MULTILINE)


@dataclass(frozen=True)
class Found:
    """A notebook that was handed in: where it was found, its bytes, and when it was last changed."""

    place: PurePosixPath
    content: bytes
    time: datetime


def collect(folder: Path, source: Path) -> list[str]:
    """Sort a folder or a zip into submitted/; return lines on what was collected, and on everything that was not."""
    lessons, roster = classroom.released(folder), classroom.students(folder)
    if not lessons:
        raise CourseError("No lesson was released to this class yet: `grade release 01` comes first.")
    if not source.exists():
        raise CourseError(f"There is no {source}: give the folder or the zip with what was handed in.")
    notes: list[str] = []
    taken: dict[tuple[str, str], Found] = {}
    for found in _notebooks(source, notes):
        lesson, student = _lesson(found, lessons), _student(found, roster, lessons)
        if not lesson or not student:
            what = "lesson" if not lesson else "student"
            kept = folder / "unmatched" / _flat(found.place)
            classroom.write(kept, found.content)
            notes.append(f"not matched to a {what}: {found.place} (kept as {kept.relative_to(folder)})")
            continue
        other = taken.get((student, lesson))
        if other:
            older, newer = sorted((other, found), key=lambda one: (one.time, len(str(one.place))))
            notes.append(f"{student} handed in {lesson[:2]} twice: {newer.place} counts, {older.place} does not")
            found = newer
            if older.content != newer.content:
                _keep(folder, student, lesson, older.content, older.time)
        taken[student, lesson] = found
    changed = [key for key, found in sorted(taken.items()) if _stored(folder, *key, found)]
    if not roster:
        notes.append("students.csv lists nobody: each notebook says itself whose it is, and anyone can give any name")
    lines = [f"{len(taken)} notebooks found, {len(changed)} of them new or changed."]
    for lesson in sorted({lesson for _, lesson in taken}):
        missing = sorted(set(roster) - set(classroom.submissions(folder, lesson)))
        there = len(classroom.submissions(folder, lesson))
        lines.append(f"{lesson}: {there} handed in{_listed(', nothing from', missing)}.")
    return [*lines, *[f"! {clean(note)}" for note in notes]]  # names in an archive are anybody's


def _listed(words: str, names: list[str]) -> str:
    return f"{words} {', '.join(names)}" if names else ""


def _stored(folder: Path, student: str, lesson: str, found: Found) -> bool:
    """Write a notebook where the class has it, unless a newer one is there; whether it is another than before."""
    path = folder / "submitted" / student / lesson / f"{lesson}.ipynb"
    time = classroom.handed_in_at(path)
    if path.exists():
        before = path.read_bytes()
        if before == found.content:
            return False
        if time and found.time.replace(microsecond=0) < time:
            _keep(folder, student, lesson, found.content, found.time)
            return False
        _keep(folder, student, lesson, before, time)
    classroom.write(path, found.content)
    classroom.write(path.parent / "timestamp.txt", f"{found.time.isoformat(timespec='seconds')}\n".encode())
    return True


def _keep(folder: Path, student: str, lesson: str, content: bytes, time: datetime | None) -> None:
    """Keep a notebook that does not count in earlier/, once, whenever it is found again."""
    when = f"{time:%Y-%m-%d %H%M%S} " if time else ""
    classroom.write(folder / "earlier" / student / f"{lesson} {when}{classroom.digest(content)[:6]}.ipynb", content)


# What is there


def _notebooks(source: Path, notes: list[str]) -> Iterator[Found]:
    if source.is_file():
        yield from _in_file(PurePosixPath(source.name), source.read_bytes(), _modified(source), notes)
        return
    for path in sorted(source.rglob("*")):
        place = PurePosixPath(path.relative_to(source).as_posix())
        if path.is_symlink():
            notes.append(f"left out, a link: {place}")
        elif path.is_file():
            if path.stat().st_size > 20 * LARGEST:
                notes.append(f"left out, too large: {place}")
                continue
            try:
                content = path.read_bytes()
            except OSError as error:
                notes.append(f"could not be read ({error.strerror}): {place}")
                continue
            yield from _in_file(place, content, _modified(path), notes)


def _in_file(
    place: PurePosixPath, content: bytes, time: datetime, notes: list[str], depth: int = 0, room: tuple | list = ()
) -> Iterator[Found]:
    hidden = any(part.startswith((".", "__MACOSX")) for part in place.parts)
    if hidden or place.name == "receipt.json":
        return
    if place.suffix.lower() == ".ipynb":
        if len(content) > LARGEST:
            notes.append(f"left out, too large: {place}")
        else:
            yield Found(place, content, time)
    elif place.suffix.lower() == ".zip" and depth < DEEPEST:
        yield from _in_zip(place, content, time, notes, depth, room)
    else:
        notes.append(f"left out, no notebook: {place}")


def _in_zip(
    place: PurePosixPath, content: bytes, packed: datetime, notes: list[str], depth: int, room: tuple | list
) -> Iterator[Found]:
    """The notebooks in a zip. In a zip within a zip the outer one's time stands: the inner is the student's word."""
    # Bytes that may still be unpacked: a student's zip, alone or within Moodle's, has room of its own.
    room = [LARGEST + SWELLS * len(content)] if depth < 2 else room
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        notes.append(f"could not be opened: {place}")
        return
    if len(members) > MOST_FILES:
        notes.append(f"left out, more than {MOST_FILES} files: {place}")
        return
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        within = place.with_suffix("") / name
        if name.is_absolute() or ".." in name.parts or not name.parts or ":" in name.parts[0]:
            notes.append(f"left out, its path climbs out of the zip: {place} holds {member.filename!r}")
        elif member.file_size > (20 if name.suffix.lower() == ".zip" else 1) * LARGEST:
            notes.append(f"left out, too large: {within}")
        elif member.file_size > room[0]:
            notes.append(f"left out, it unpacks to more than {SWELLS} times its size: the rest of {place}")
            return
        else:
            room[0] -= member.file_size
            try:
                with archive.open(member) as file:
                    inner = file.read(member.file_size + 1)[: member.file_size]  # what it claims, and no more
                time = packed if depth else datetime(*member.date_time).astimezone()
            except (zipfile.BadZipFile, RuntimeError, ValueError, NotImplementedError, OSError, EOFError, zlib.error):
                notes.append(f"could not be read: {within}")
                continue
            yield from _in_file(within, inner, time, notes, depth + 1, room)


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime).astimezone()


# Whose it is, and of which lesson


def _lesson(found: Found, lessons: list[str]) -> str | None:
    """By its name, odd endings aside; otherwise by the exercises in it, where they leave no doubt."""
    stem, before = found.place.stem, None
    while stem != before:
        stem, before = COPIED.sub("", stem), stem
    for lesson in lessons:
        if lesson in re.sub(r"\W+", "_", stem):
            return lesson
    try:
        cells = json.loads(found.content)["cells"]
        ids = {str(cell["metadata"]["exercise"]) for cell in cells if "exercise" in cell["metadata"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        ids = set()
    numbers = {re.sub(r"\D", "", id.split(".")[0]).zfill(2) for id in ids if re.fullmatch(r"\d+\.\d+|T\d+", id)}
    by_content = [lesson for lesson in lessons if lesson[:2] in numbers]
    if len(by_content) == 1:
        return by_content[0]
    number = re.match(r"(?:lesson[ _-]*)?(\d{1,2})(?!\d)", stem, re.IGNORECASE)
    return next((lesson for lesson in lessons if number and lesson[:2] == number[1].zfill(2)), None)


def _student(found: Found, roster: dict[str, dict[str, str]], lessons: list[str]) -> str | None:
    """By the folders and zips that it lies in, from the outermost; otherwise by what its cell STUDENT says.

    Where nobody is listed in students.csv, the cell names the student, or else the innermost folder or zip.
    """
    parts = [*found.place.parts[:-1], found.place.stem]
    moodle = [match["name"] for part in parts if (match := MOODLE.match(part))]
    claimed = STUDENT.search(_sources(found.content))
    if not roster:
        names = [*moodle[:1], *([claimed[1]] if claimed else []), *parts[:-1][-1:]]
        return re.sub(r"[^\w.@+-]+", "_", names[0]).strip("_.") or None if names else None
    # The number of a lesson, of a copy, and in Moodle's names is nobody's id.
    numbers = re.compile("|".join([r"\(\d+\)", r"lesson[ _-]*\d{1,2}", *lessons]), re.IGNORECASE)
    places = [numbers.sub(" ", part).strip() for part in parts if not MOODLE.match(part)]
    named = (_named(part, roster) for part in [*moodle, *places, *([claimed[1]] if claimed else [])])
    return next(filter(None, named), None)


def _named(part: str, roster: dict[str, dict[str, str]]) -> str | None:
    """The one student whom a name stands for: an id, an e-mail address, or a first and a last name."""
    words = _words(part)
    tokens = {part.lower(), *re.split(r"[\s_,;()]+", part.lower()), *re.split(r"[\s_,;()-]+", part.lower())}
    exact = [
        id for id, row in roster.items() if id.lower() in tokens or (row["email"] and row["email"].lower() in tokens)
    ]
    named = [
        id
        for id, row in roster.items()
        if row["first_name"] and row["last_name"] and _words(f"{row['first_name']} {row['last_name']}") <= words
    ]
    for fits in (exact, named):
        if len(fits) == 1:
            return fits[0]
    return None


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", unicodedata.normalize("NFC", text).lower()))  # a Mac writes é as two signs


def _sources(content: bytes) -> str:
    try:
        cells = json.loads(content)["cells"]
        return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""


def _flat(place: PurePosixPath) -> str:
    """A place as the name of one file."""
    name = re.sub(r"[^\w.() -]+", "_", "__".join(place.parts)).strip(". ")
    return name.encode()[-200:].decode(errors="ignore")  # a file system counts bytes

"""How long a class takes to mark, how that grows, and how much memory it needs: rows for `make bench`."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from example_class import handed_in, students

from course_utils.grading import classroom, release, sandbox

LESSON, FEW, MANY = "03_holes", 25, 200


def bench_grading() -> list[tuple[str, float, None, float | None]]:
    """Name, value, no lower limit and upper limit of each row; none where answers cannot be walled in."""
    if why := sandbox.why_not():
        print(f"grading is not measured: answers cannot be walled in, {why}")
        return []
    few, _ = marked(FEW)
    many, memory = marked(MANY)
    return [
        (f"{FEW} submissions marked, s", few, None, None),
        (f"{MANY} submissions marked, s", many, None, 300),
        (f"{MANY} submissions / {FEW}, times as long", many / few, None, MANY / FEW),
        (f"{MANY} submissions, peak memory, GB", memory, None, 3),
    ]


def marked(count: int) -> tuple[float, float]:
    """Seconds that `grade mark` takes for so many submissions, gradebook included, and the memory it needs, in GB."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "class"
        release.release(folder, [LESSON])
        (folder / "students.csv").write_text(",".join(classroom.COLUMNS) + "\n" + "".join(map(_row, students(count))))
        for student, notebook in handed_in(folder, LESSON, count).items():
            path = folder / "submitted" / student / LESSON / f"{LESSON}.ipynb"
            classroom.write(path, json.dumps(notebook).encode())
        start, most = time.monotonic(), 0
        command = [sys.executable, "-m", "course_utils.grading.cli", "--class", str(folder), "mark"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            most = max(most, _memory(process.pid))
            time.sleep(0.5)
        assert process.returncode == 0 and len(classroom.marks_of(folder, LESSON)) == count
        return time.monotonic() - start, most / 1e9


def _row(row: dict[str, str]) -> str:
    return ",".join(row.values()) + "\n"


def _memory(process: int) -> int:
    """Bytes of a process and all that it has started; pages that they share are counted once where that can be seen."""
    parents, total = {}, 0
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        try:
            parents[int(entry)] = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family = {process}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    for member in family:
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
            total += 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except OSError:
            continue
    return total


if __name__ == "__main__":
    for what, value, *_ in bench_grading():
        print(f"{what:<48} {value:9.3g}")

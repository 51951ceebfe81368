"""Measure every claim over seeds, threads and processors, and compare its range with its band: `make claims`.

Each lesson runs with every seed on one and on two threads, and once as an older processor would compute. Then each
exercise's check runs with fifty seeds. Everything that was measured is written to claims.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from unittest.mock import patch

import nbformat
from nbclient.exceptions import CellExecutionError
from run_lessons import lessons, run

from course_utils import places
from course_utils.errors import CourseError


def settings(seeds: int) -> list[dict[str, str]]:
    """What is set from outside in each run."""
    native = [{"COURSE_SEED": str(s), "COURSE_THREADS": t} for s in range(seeds) for t in ("1", "2")]
    return [*native, {"COURSE_SEED": "0", "COURSE_THREADS": "1", "ATEN_CPU_CAPABILITY": "default"}]


def measure(path, setting: dict[str, str]) -> list[dict]:
    """The claims of one run; one that does not hold stands for a run that stopped with an error."""
    with tempfile.NamedTemporaryFile("r") as file, patch.dict(os.environ, setting, COURSE_CLAIMS=file.name):
        try:
            run(nbformat.read(path, as_version=4))
            claims = [json.loads(line) for line in file]
        except CellExecutionError as error:
            claims = [{"claim": f"runs to the end ({error.ename}: {error.evalue})", "value": 0.0, "holds": False}]
            claims[0] |= {"at_least": 1, "at_most": None}
    return [claim | {"lesson": path.stem, "setting": setting} for claim in claims]


def report(claims: list[dict]) -> None:
    """One line a claim: its range, its band, and the runs in which it did not hold."""
    groups: dict[tuple, list[dict]] = {}
    for claim in claims:
        groups.setdefault((claim["lesson"], claim["claim"], claim["at_least"], claim["at_most"]), []).append(claim)
    for (lesson, label, at_least, at_most), runs in groups.items():
        values = [one["value"] for one in runs]
        band = " and ".join(f"{sign} {end:g}" for sign, end in (("≥", at_least), ("≤", at_most)) if end is not None)
        failed = [" ".join(one["setting"].values()) for one in runs if not one["holds"]]
        verdict = f"does not hold with seed and threads {', '.join(failed)}" if failed else "holds"
        print(f"{lesson[:2]}  {label}: {min(values):.3g} to {max(values):.3g}   (expected {band})   {verdict}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lesson", nargs="*", help="numbers of the lessons, for example 01; all if none is given")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds")
    given = parser.parse_args()

    claims = []
    for path in lessons(given.lesson):
        for setting in settings(given.seeds):
            start = time.perf_counter()
            claims += measure(path, setting)
            words = " ".join(f"{name}={value}" for name, value in setting.items())
            print(f"{path.stem}  {words}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    (places.ROOT / "claims.json").write_text(json.dumps(claims, indent=1))
    report(claims)

    print("Every check with fifty seeds:", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "tests/test_exercises.py"]
    checks = subprocess.run(command, cwd=places.ROOT, env={**os.environ, "COURSE_CHECK_SEEDS": "50"})
    return int(checks.returncode != 0 or not all(claim["holds"] for claim in claims))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CourseError as error:
        sys.exit(str(error))

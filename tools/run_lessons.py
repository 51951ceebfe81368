"""Run lessons top to bottom, each in a fresh kernel, and save them with their outputs: `make run LESSON=01`.

Progress bars and warnings (stderr) are not kept, nor are times: what is saved is what another run would give.
"""

import argparse
import os
import sys
import tempfile
import time

import nbformat
from nbclient import NotebookClient

from course_utils import places
from course_utils.errors import CourseError


def lessons(names: list[str]) -> list:
    """Paths of the lessons that begin with one of the given numbers; all of them if none is given."""
    paths = sorted(places.notebooks().glob("[0-9][0-9]_*.ipynb"))
    chosen = [path for path in paths if not names or any(path.name.startswith(name.zfill(2)) for name in names)]
    if not chosen:
        raise CourseError(f"No lesson begins with {' or '.join(names)}: there are {', '.join(p.name for p in paths)}.")
    return chosen


def run(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Execute every cell in a fresh kernel with a progress store of its own, and clean what a run leaves behind."""
    with tempfile.TemporaryDirectory() as scratch:
        env = {**os.environ, "COURSE_WORKBOOK": scratch, "COURSE_PROGRESS": f"{scratch}/progress.sqlite"}
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": scratch}}).execute(env=env)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "experiment" in cell.metadata.get("tags", []):
            cell.outputs = []  # a view without its kernel would be an error message
        elif cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
    }
    return notebook


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lesson", nargs="*", help="numbers of the lessons, for example 01; all if none is given")
    try:
        for path in lessons(parser.parse_args().lesson):
            start = time.perf_counter()
            nbformat.write(run(nbformat.read(path, as_version=4)), path)
            print(f"{path.name}: {time.perf_counter() - start:.0f} s, {path.stat().st_size / 1e6:.2f} MB")
    except CourseError as error:
        sys.exit(str(error))

"""Hand a lesson in: look it over, pack it, and give a receipt.

    make hand-in LESSON=03        or        python -m course_utils.hand_in 03

The notebook is run from top to bottom in a copy; yours stays as it is.
"""

import argparse
import ast
import hashlib
import json
import re
import sys
import zipfile
from datetime import datetime
from pathlib import Path

from course_utils import places, workbook
from course_utils.errors import CourseError
from course_utils.exercises import TASKS

CELL_SECONDS = 300
UNTOUCHED = "Write your answer here"


def looked_over(path: Path, show=print) -> list[str]:
    """What is not in order yet, one line each; says on the way what it does."""
    notebook = _read(path)
    problems = [
        f"{name} is empty in the cell at the head: fill it in" for name, value in names(notebook).items() if not value
    ]
    for cell in notebook["cells"]:
        tags, id = cell["metadata"].get("tags", []), cell["metadata"].get("exercise")
        if "question" in tags and UNTOUCHED in "".join(cell["source"]):
            problems.append(f"{id} has no answer yet")
    show(f"Running {path.name} from top to bottom in a copy; this takes about a minute.")
    outputs, failure = ran(notebook)
    if failure:
        problems.append(failure)
    for id, text in outputs.items():
        show(text.strip().splitlines()[-1] if text.strip() else f"{id} printed nothing")
        if id in TASKS and not text.startswith("○"):
            problems.append(f"{id}, the task for marks, is not complete")
    return problems


def names(notebook: dict) -> dict[str, str]:
    """NAME and STUDENT as filled in; empty where the lesson has no cell for them."""
    found = {}
    for cell in notebook["cells"]:
        if "name" in cell["metadata"].get("tags", []):
            source = "".join(cell["source"])
            for name in ("NAME", "STUDENT"):
                match = re.search(rf"^{name}\s*=\s*(.+?)\s*(#.*)?$", source, re.MULTILINE)
                found[name] = _text(match[1]) if match else ""
    return found


def _text(source: str) -> str:
    try:
        return str(ast.literal_eval(source)).strip()
    except (ValueError, SyntaxError):
        return ""


def ran(notebook: dict) -> tuple[dict[str, str], str | None]:
    """What every check printed when all cells ran in a new kernel, and what stopped it, if anything did."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    copy, failure = nbformat.from_dict(json.loads(json.dumps(notebook))), None
    for cell in copy.cells:
        cell.source = "".join(cell.source)
    try:
        # In the course's own environment, whatever kernel an editor has noted in the notebook.
        where = {"metadata": {"path": str(places.workbook())}}
        NotebookClient(copy, timeout=CELL_SECONDS, kernel_name="python3", resources=where).execute()
    except CellExecutionError as error:
        failure = f"a cell stops with {error.ename}: {error.evalue}".splitlines()[0]
    except CellTimeoutError:
        failure = f"a cell takes longer than {CELL_SECONDS} s"
    except DeadKernelError:
        failure = "the kernel dies on the way"
    outputs = {}
    for cell in copy.cells:
        if "check" in cell.metadata.get("tags", []) and cell.cell_type == "code":
            texts = [output.text for output in cell.outputs if output.get("name") == "stdout"]
            outputs[cell.metadata["exercise"]] = "".join(texts)
    return outputs, failure


def packed(path: Path, folder: Path, now: datetime) -> tuple[Path, dict]:
    """Pack the notebook with its receipt; returns the zip and the receipt."""
    content = path.read_bytes()
    receipt = {"lesson": path.stem, **names(_read(path))}
    receipt |= {"sha256": hashlib.sha256(content).hexdigest(), "packed_at": now.isoformat(timespec="seconds")}
    who = re.sub(r"[^\w.-]+", "_", receipt.get("STUDENT", "")) or "unnamed"
    target = folder / f"{who}_{path.stem}_{now:%Y%m%d-%H%M%S}.zip"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(path.name, content)
            archive.writestr("receipt.json", json.dumps(receipt, indent=1, ensure_ascii=False))
    except OSError as error:
        raise CourseError(f"{target} could not be written ({error.strerror}): make room and try again.") from error
    return target, receipt


def hand_in(lesson: str | int, anyway: bool = False) -> bool:
    """Look a lesson of the workbook over, and pack it if it is in order, or `anyway`; whether it was packed."""
    path = workbook.copy_of(lesson)
    problems = looked_over(path)
    for problem in problems:
        print(f"!  {problem}")
    if problems and not anyway:
        print(
            "Nothing was packed. Mend this, save the notebook, and try again; or add --anyway to hand it in as it is."
        )
        return False
    target, receipt = packed(path, places.workbook() / "handed-in", datetime.now().astimezone())
    print(f"Packed: {target}")
    print(f"Receipt: {receipt['lesson']}, {receipt['packed_at']}, sha256 {receipt['sha256'][:16]}")
    print("Hand in this file. The receipt is in it too; keep a copy.")
    return True


def _read(path: Path) -> dict:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        notebook["metadata"], notebook["nbformat"]
        for cell in notebook["cells"]:
            "".join(cell["source"]), cell["metadata"].get("tags", [])
        return notebook
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CourseError(f"{path} cannot be read as a notebook: save it again in JupyterLab.") from error


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.hand_in",
        description="Look a lesson of your workbook over, pack it, and get a receipt. Save the notebook first.",
    )
    parser.add_argument("lesson", metavar="LESSON", help="01, or 01_autoencoders")
    parser.add_argument("--anyway", action="store_true", help="pack it even if something is not in order")
    given = parser.parse_args(arguments)
    try:
        return 0 if hand_in(given.lesson, given.anyway) else 1
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

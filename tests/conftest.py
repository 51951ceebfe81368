"""Settings of the test run: shapes are enforced, the learner's own files are left alone, the score is printed."""

import os
import sys
import tempfile

import pytest
from jaxtyping import install_import_hook

from tests import typecheck  # noqa: F401 (the hook looks for it, loaded)

pytest_plugins = ["tests.browser"]
install_import_hook("course_utils", "tests.typecheck.checked")
# Tests keep away from the learner's own workbook and progress, and so do the kernels that they start.
_scratch = tempfile.TemporaryDirectory(prefix="course-tests-", ignore_cleanup_errors=True)
os.environ["COURSE_WORKBOOK"] = _scratch.name
for name in ("COURSE_PROGRESS", "COURSE_NOTEBOOKS", "COURSE_SEED", "COURSE_THREADS", "COURSE_CLAIMS"):
    os.environ.pop(name, None)
# Two workers run side by side.
os.environ["OMP_NUM_THREADS"] = "1"


def pytest_collection_modifyitems(items):
    """Leave stderr out of the comparison of notebooks: it carries progress bars and warnings."""
    for notebook in {item.parent for item in items if hasattr(item.parent, "skip_compare")}:
        notebook.skip_compare += ("stderr",)


@pytest.fixture(autouse=True)
def _own_workbook(tmp_path, monkeypatch):
    """Each test begins without progress, and leaves none behind for the notebooks."""
    monkeypatch.setenv("COURSE_WORKBOOK", str(tmp_path / "workbook"))


@pytest.fixture(autouse=True)
def _no_figure_left():
    """A figure that a test leaves open would be counted in the next one."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def pytest_runtest_logreport(report):
    """Gather what tests recorded with `record_property("score", ...)`, from every worker."""
    for name, value in report.user_properties:
        if name == "score" and report.when == "call" and report.passed:
            for key, count in value.items():
                _totals[key] = _totals.get(key, 0) + count


_totals: dict[str, int] = {}


def pytest_terminal_summary(terminalreporter):
    if _totals:
        t = {**dict.fromkeys(("exercises", "misconceptions", "variants", "checks"), 0), **_totals}
        terminalreporter.write_line(
            f"Exercises: {t['exercises']} · misconceptions caught by name: {t['misconceptions']} · "
            f"variants accepted: {t['variants']} · checks run: {t['checks']}"
        )

"""House rules of the package and of the repository's files. Those of the lessons are in test_lessons.py."""

import ast
import re
import tomllib

import pytest
import yaml

import course_utils
from course_utils.places import ROOT
from tests import house

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MODULES = sorted((ROOT / "course_utils").rglob("*.py"))
SOURCES = {str(path.relative_to(ROOT / "course_utils")): path.read_text() for path in MODULES}
# From the bottom to the top, as the package's own docstring lists them.
LAYERS = re.findall(r"\w+", course_utils.__doc__.split(":", 1)[1].split(".")[0])


def imported(source):
    """Dotted names of what a source imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def wrong_imports(module, source):
    """Imports that break the order of the layers, and imports of matplotlib outside of plots."""
    own = module.removesuffix(".py").split("/")[0]
    for name in imported(source):
        top, _, rest = name.partition(".")
        layer = rest.split(".")[0]
        if top == "course_utils" and layer != own and LAYERS.index(layer) > LAYERS.index(own):
            yield f"{module} imports {layer}, which stands above it"
        if top == "matplotlib" and own != "plots":
            yield f"{module} imports matplotlib: only plots may"


def test_imports_go_one_way():
    assert list(wrong_imports("losses.py", "def f():\n    from course_utils.exercises import board"))
    assert list(wrong_imports("data/points.py", "from course_utils import losses, train"))
    assert list(wrong_imports("train.py", "import matplotlib.pyplot as plt"))
    assert not list(wrong_imports("exercises/lesson01.py", "from course_utils import losses\nimport torch"))
    problems = [
        line for module, source in SOURCES.items() if module != "__init__.py" for line in wrong_imports(module, source)
    ]
    assert problems == []


def test_every_module_has_its_layer():
    there = {path.removesuffix(".py").split("/")[0] for path in SOURCES} - {"__init__"}
    assert there <= set(LAYERS)


def test_one_name_per_quantity():
    assert list(house.wrong_names("def encode(x):\n    mu, log_var = x\n    return mu.std(), log_var")) == [
        "log_var: here it is logvar"
    ]
    problems = {module: list(house.wrong_names(source)) for module, source in SOURCES.items()}
    assert {module: found for module, found in problems.items() if found} == {}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "data/README.md", "docs/instructors.md"])
def test_links_resolve(name):
    path = ROOT / name
    assert list(house.broken_links(path.read_text(), path.parent)) == []


def test_broken_links_are_found(tmp_path):
    (tmp_path / "page.md").write_text("# One *idea*: `x`\n")
    good = "[a](page.md) [b](page.md#one-idea-x) [c](#here) [d](https://example.org/x)\n\n# Here"
    bad = '[a](gone.md) [b](page.md#gone) [c](#gone) <a href="gone.html">d</a> ![e](https://example.org/e.png)'
    assert list(house.broken_links(good, tmp_path)) == []
    assert list(house.broken_links(bad, tmp_path)) == [
        "https://example.org/e.png",
        "gone.md",
        "page.md#gone",
        "#gone",
        "gone.html",
    ]


def test_versions_are_pinned_in_pyproject_alone():
    for packages in [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]:
        assert [line for line in packages if not re.fullmatch(r"[\w-]+==[\d.]+", line)] == []

    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, packages = environment["dependencies"]
    assert python == f"python {PROJECT['requires-python']}"
    assert pip == "pip" and packages == {"pip": ["-e ."]}

    low, high = re.findall(r"3, (\d+)\)", (ROOT / "Makefile").read_text())
    assert PROJECT["requires-python"] == f">=3.{low},<3.{high}"

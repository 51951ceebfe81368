"""Experiments in a real browser: dragged, typed at, drawn on, played; in a notebook of these tests and in lessons."""

import ast
import io
import time

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from playwright.sync_api import expect

from course_utils import places
from tools.browser import open_notebook, run_cells

LESSONS = sorted(places.notebooks().glob("[0-9][0-9]_*.ipynb"))
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}

SETUP = """
import time, torch
from course_utils.widgets.view import DRAWING, Drawing, Outputs, Pad, Pick, Slider, TrainingView, View

corners = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
pad = Pad("place", corners, torch.tensor([0, 1]), start=(0.0, 0.0))

def spot(place):
    "A picture of 21 x 21 pixels, bright where the point is."
    column, row = ((place * torch.tensor([1.0, -1.0]) + 1) * 10).round().long().clamp(0, 20)
    picture = torch.zeros(1, 1, 21, 21)
    picture[0, 0, row, column] = 1
    return {"spot": picture}

def slow(place):
    time.sleep(0.3)
    return spot(place)

def half(value):
    return {"half": torch.tensor(1 / (2 - value))}

def which(digit):
    return {"number": torch.tensor(float(digit))}
"""
CELLS = {
    "setup": SETUP,
    "spot": 'View("Spot", spot, place=pad)',
    "slow": 'View("Slow", slow, place=pad)',
    "fragile": 'View("Fragile", half, value=Slider("value", [0, 1, 2]))',
    "pick": 'View("Pick", which, digit=Pick("digit", torch.rand(3, 1, 9, 9), "abc"))',
    "drawing": 'View("Drawing", lambda drawing: {"ink": drawing.view(1, 1, 32, 32)}, drawing=Drawing("Draw"))',
    "over": """
plain = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 9, 9)
View("Over", lambda digit, drawing: {"ink": drawing.sum()},
     digit=Pick("digit", plain, ["black", "white"]), drawing=Drawing("Draw", over="digit"))""",
    "training": """
torch.manual_seed(5)
slices = []
def training(lr):
    for i in range(1000):
        yield {"curve": torch.tensor([[float(j), lr * j] for j in range(i + 1)]), "drawn": torch.rand(())}
        slices.append(i)
TrainingView("Training", training, lr=Slider("lr", [1.0, 2.0]))""",
    "random": "print('next', torch.rand(()).item())",
    "count": "print('slices', len(slices))",
    "busy": "time.sleep(5)",
}
INDEX = {name: i for i, name in enumerate(CELLS)}


@pytest.fixture
def lab_page(page, address, workbook):
    """The notebook of these tests, with its first cell run."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS.values()], metadata=KERNEL)
    nbformat.write(notebook, workbook / "experiments.ipynb")
    open_notebook(page, address, "experiments.ipynb")
    run_cells(page, [INDEX["setup"]])
    return page


def run(page, name):
    """Run an experiment's cell, and wait until it shows its first frame."""
    run_cells(page, [INDEX[name]])
    view = page.locator(".jp-Notebook:visible .jp-Cell").nth(INDEX[name]).locator(".course-experiment")
    expect(view).to_have_attribute("data-shown", "0")
    return view


def shown(view):
    return int(view.get_attribute("data-shown"))


def settled(page, view):
    """Wait until nothing more comes."""
    before = None
    while before != (before := shown(view)):
        page.wait_for_timeout(700)


def output_of(page, name):
    run_cells(page, [INDEX[name]])
    cell = page.locator(".jp-Notebook:visible .jp-Cell").nth(INDEX[name])
    return cell.locator(".jp-OutputArea-output").inner_text().split()[-1]


def pixels(canvas):
    """The gray values of a canvas."""
    values = canvas.evaluate("""one => [one.height, one.width,
        ...one.getContext('2d').getImageData(0, 0, one.width, one.height).data.filter((_, i) => i % 4 === 0)]""")
    return np.array(values[2:]).reshape(values[:2])


def spot(view):
    """Row and column of the bright pixel."""
    return np.unravel_index(pixels(view.locator(".outputs canvas")).argmax(), (21, 21))


def place_of(fraction):
    """Row or column of the pixel for a place on the pad, as a fraction of its side, which is 2.32 units long."""
    return int(np.clip(round(10 * (2.32 * fraction - 1.16 + 1)), 0, 20))


def drag(page, target, way, steps=8):
    """Drag along fractions (x, y) of the target's box."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    (first, *rest) = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in way]
    page.mouse.move(*first)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point, steps=steps)
    page.mouse.up()


def test_the_picture_follows_the_pointer_and_the_arrow_keys(lab_page):
    view = run(lab_page, "spot")
    pad = view.get_by_role("slider", name="place")
    assert spot(view) == (10, 10)
    drag(lab_page, pad, [(0.5, 0.5), (0.2, 0.7)])
    settled(lab_page, view)
    assert spot(view) == (place_of(0.7), place_of(0.2))
    expect(pad).to_be_focused()
    for _ in range(13):
        pad.press("ArrowRight")
    pad.press("ArrowUp")
    settled(lab_page, view)
    assert spot(view) == (place_of(0.68), place_of(0.2 + 13 / 50))
    assert pad.get_attribute("aria-valuetext") == f"({2.32 * 0.46 - 1.16:.1f}, {1.16 - 2.32 * 0.68:.1f})"
    drag(lab_page, pad, [(0.5, 0.5), (-0.5, 2.0)])  # out of the pad
    settled(lab_page, view)
    assert spot(view) == (20, 0)


def test_a_slow_answer_drops_pictures_but_never_the_last(lab_page):
    view = run(lab_page, "slow")
    drag(lab_page, view.locator(".pad"), [(0.1, 0.1), (0.9, 0.9), (0.3, 0.8)], steps=60)
    settled(lab_page, view)
    assert spot(view) == (place_of(0.8), place_of(0.3))
    assert shown(view) >= 100  # counted with those that were dropped


def test_a_busy_kernel_is_named_and_answers_the_last_place_afterwards(lab_page):
    view = run(lab_page, "spot")
    lab_page.evaluate(
        "i => { jupyterapp.shell.currentWidget.content.activeCellIndex = i;"
        "jupyterapp.commands.execute('notebook:run-cell'); }",
        INDEX["busy"],
    )
    drag(lab_page, view.locator(".pad"), [(0.5, 0.5), (0.9, 0.1)])
    expect(view.locator(".note")).to_contain_text("The kernel is busy")
    expect(view.locator(".note")).to_be_empty()
    settled(lab_page, view)
    assert spot(view) == (place_of(0.1), place_of(0.9))


def test_an_error_is_one_line_and_goes_when_it_is_mended(lab_page):
    view = run(lab_page, "fragile")
    slider = view.get_by_role("slider", name="value")
    slider.press("End")
    expect(view.locator(".error")).to_have_text("This experiment stopped with ZeroDivisionError: division by zero")
    slider.press("ArrowLeft")
    expect(view.locator(".error")).to_be_empty()
    expect(view.locator(".outputs output")).to_have_text("1")


def test_pictures_are_picked_by_mouse_and_by_arrow_keys(lab_page):
    view = run(lab_page, "pick")
    view.locator(".pick canvas").nth(2).click()
    expect(view.locator(".outputs output")).to_have_text("2")
    view.get_by_role("radio", name="c").press("ArrowLeft")
    expect(view.locator(".outputs output")).to_have_text("1")


def test_a_drawing_reaches_the_kernel(lab_page):
    view = run(lab_page, "drawing")
    paper = view.get_by_role("application")
    drag(lab_page, paper, [(0.25, 0.5), (0.75, 0.5)])
    settled(lab_page, view)
    ink = pixels(view.locator(".outputs canvas"))
    assert ink[15:17, 8:24].min() > 200 and ink[:12].max() == 0 and ink[20:].max() == 0
    view.get_by_role("button", name="Clear").click()
    settled(lab_page, view)
    assert pixels(view.locator(".outputs canvas")).max() == 0
    for key in ["ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown"]:
        paper.press(key)
    settled(lab_page, view)
    ink = pixels(view.locator(".outputs canvas"))
    assert ink.max() > 200 and (ink > 100).sum() < 60


def test_a_drawing_lets_what_is_picked_shine_through(lab_page):
    view = run(lab_page, "over")
    paper = view.locator(".paper")

    def brightness():
        return np.asarray(Image.open(io.BytesIO(paper.screenshot())).convert("L"))[20:40, 20:40].mean()

    dark = brightness()
    view.get_by_role("radio", name="white").check(force=True)
    settled(lab_page, view)
    assert dark < 10 and 60 < brightness() < 160
    drag(lab_page, paper.get_by_role("application"), [(0.05, 0.15), (0.4, 0.15)])
    settled(lab_page, view)
    assert brightness() > 200  # a stroke is seen on white as well
    assert view.locator(".outputs output").first.inner_text() != "0"


def test_a_training_stands_still_until_it_is_played_and_when_it_is_paused_or_reset(lab_page):
    view = run(lab_page, "training")
    curve = view.locator("path.curve")
    button = {name: view.get_by_role("button", name=name) for name in ("Play", "Pause", "Step", "Reset")}

    def points():
        return curve.get_attribute("d").count(",")

    lab_page.wait_for_timeout(1000)
    assert shown(view) == 0 and points() == 1
    button["Step"].click()
    expect(view).to_have_attribute("data-shown", "1")
    assert points() == 2
    button["Play"].click()
    lab_page.wait_for_timeout(1500)
    button["Pause"].click()
    settled(lab_page, view)
    played = points()
    assert played > 10
    lab_page.wait_for_timeout(500)
    assert points() == played
    button["Reset"].click()
    settled(lab_page, view)
    assert points() == 1 and view.locator("path.before").get_attribute("d").count(",") == played
    # A moved slider begins anew and waits.
    button["Step"].click()
    view.get_by_role("slider", name="lr").press("End")
    settled(lab_page, view)
    assert points() == 1


def test_a_training_stops_when_its_cell_is_run_again_and_when_the_page_closes(lab_page, address):
    view = run(lab_page, "training")
    view.get_by_role("button", name="Play").click()
    lab_page.wait_for_timeout(1000)
    assert shown(view) > 3
    view = run(lab_page, "training")
    lab_page.wait_for_timeout(500)
    # The first one would add to this list as well; its last slice may have been asked for already.
    assert int(output_of(lab_page, "count")) <= 1
    view.get_by_role("button", name="Play").click()
    lab_page.wait_for_timeout(1000)
    lab_page.goto("about:blank")
    lab_page.wait_for_timeout(500)
    open_notebook(lab_page, address, "experiments.ipynb")
    count = output_of(lab_page, "count")
    lab_page.wait_for_timeout(500)
    assert int(count) > 3 and output_of(lab_page, "count") == count


def test_random_numbers_of_the_lesson_are_the_same_whether_one_played_or_not(lab_page):
    numbers = []
    for plays in (False, True):
        view = run(lab_page, "training")
        if plays:
            view.get_by_role("button", name="Play").click()
            lab_page.wait_for_timeout(700)
            view.get_by_role("button", name="Pause").click()
            assert shown(view) > 3
        numbers.append(output_of(lab_page, "random"))
    assert numbers[0] == numbers[1]


def names(node, context):
    """Names that a cell reads (ast.Load) or gives (ast.Store)."""
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, context):
            yield one.id
        elif context is ast.Store:
            if isinstance(one, ast.FunctionDef | ast.ClassDef):
                yield one.name
            elif isinstance(one, ast.Import | ast.ImportFrom):
                yield from ((alias.asname or alias.name).split(".")[0] for alias in one.names)


def needed(cells, index):
    """The code cells that a cell stands on, itself included: those that give a name which it, or one of them, reads."""
    wanted, found = set(), []
    for i in range(index, -1, -1):
        if cells[i].cell_type != "code":
            continue
        tree = ast.parse(cells[i].source)
        if i == index or wanted & set(names(tree, ast.Store)):
            wanted |= set(names(tree, ast.Load))
            found.append(i)
    return found[::-1]


def experiments(path):
    cells = nbformat.read(path, as_version=4).cells
    return [i for i, cell in enumerate(cells) if "experiment" in cell.metadata.get("tags", [])]


def picture(view):
    """All that an experiment shows, as one value."""
    canvases = [canvas.evaluate("one => one.toDataURL()") for canvas in view.locator(".outputs canvas").all()]
    paths = [path.get_attribute("d") for path in view.locator("path").all()]
    return canvases, paths, view.locator(".outputs output").all_inner_texts()


def changed(page, view, act):
    """Whether what is shown becomes different by an act of the reader."""
    before = picture(view)
    act()
    return differs(page, view, before)


def differs(page, view, before):
    deadline = time.monotonic() + 60
    while picture(view) == before and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    return picture(view) != before


@pytest.mark.parametrize("path", [path for path in LESSONS if experiments(path)], ids=lambda path: path.stem)
def test_experiments_of_a_lesson_follow_the_reader(path, page, address, tmp_path):
    lesson = nbformat.read(path, as_version=4).cells
    cells = open_notebook(page, address, path.name)
    run_cells(page, sorted({i for index in experiments(path) for i in needed(lesson, index)}))
    for index in experiments(path):
        view = cells.nth(index).locator(".course-experiment")
        view.scroll_into_view_if_needed()
        expect(view).to_have_attribute("data-shown", "0")
        expect(view.locator(".error")).to_be_empty()
        step = view.get_by_role("button", name="Step").all()
        for slider in view.locator("input[type=range]").all():
            assert slider.get_attribute("aria-valuetext")
            for key in ("End", "Home", "ArrowRight"):
                if step:  # there is nothing to see of a training anew before it has begun
                    assert changed(page, view, step[0].click)
                before, value = picture(view), slider.input_value()
                slider.press(key)
                assert slider.input_value() == value or differs(page, view, before)
        if pad := view.locator(".pad").all():
            assert changed(page, view, lambda: drag(page, pad[0], [(0.5, 0.5), (0.1, 0.9)]))
            settled(page, view)
            assert changed(page, view, lambda: pad[0].press("Shift+ArrowUp"))
        for row in view.locator(".pick").all():
            assert changed(page, view, row.locator("canvas").nth(4).click)
        if paper := view.locator(".paper canvas").all():
            assert changed(page, view, lambda: drag(page, paper[0], [(0.3, 0.2), (0.7, 0.2), (0.4, 0.9)]))
        settled(page, view)
        expect(view.locator(".error")).to_be_empty()
        view.screenshot(path=tmp_path / f"{path.stem}-{index}.png")

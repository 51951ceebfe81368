"""What every experiment is shown by: controls that the reader moves, and what a function makes of their values.

The function takes a value for each control and returns tensors by their labels, which are shown by their shape:
() a number, (N,) bars, (N, 2) the points of a curve, (C, N, 2) up to three curves in one plot (dark, blue, orange),
(N, 1, H, W) pictures in [0, 1]; a Scene is shown as points over a map.
It is called without gradients, and torch's random state is put back after each call:
playing never changes what the lesson measures afterwards.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import anywidget
import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from traitlets import Bool, Dict, List, Unicode

from course_utils import plots
from course_utils.errors import CourseError

DRAWING = 32  # pixels across a drawing, as the page sends it


@dataclass(frozen=True)
class Slider:
    """One of a row of numbers; `start` and what the page sends is its place in the row."""

    label: str
    values: Sequence[float]
    start: int = 0

    def spec(self) -> dict:
        return {"kind": "slider", "texts": [f"{value:g}" for value in self.values]}

    def read(self, sent: int) -> float:
        return self.values[sent]


@dataclass(frozen=True)
class Pick:
    """One of a row of pictures, given to the function as its place in the row; `names` are for who cannot see them."""

    label: str
    pictures: Float[Tensor, "N 1 H W"]
    names: Sequence[str]
    start: int = 0

    def spec(self) -> dict:
        return {"kind": "pick", "names": list(self.names), "pictures": _packed("", self.pictures)}

    def read(self, sent: int) -> int:
        return range(len(self.pictures))[sent]


@dataclass(frozen=True)
class Pad:
    """A point of the plane, over a map of points with their classes; both axes have one scale."""

    label: str
    points: Float[Tensor, "N 2"]
    classes: Int[Tensor, " N"]
    start: tuple[float, float]

    def spec(self) -> dict:
        points, classes = plots.array(self.points), plots.array(self.classes)
        low, high = points.min(0), points.max(0)
        margin = 0.08 * (high - low).max()
        named = [[int(k), *np.median(points[classes == k], axis=0).tolist()] for k in np.unique(classes)]
        return {
            "kind": "pad",
            "low": (low - margin).tolist(),
            "high": (high + margin).tolist(),
            "points": points.astype(np.float32).tobytes(),
            "classes": classes.astype(np.uint8).tobytes(),
            "named": named,
            "colors": plots.CLASSES,
        }

    def read(self, sent: Sequence[float]) -> Tensor:
        return torch.tensor(sent, dtype=torch.float32)


@dataclass(frozen=True)
class Drawing:
    """What the reader draws, given to the function as (DRAWING, DRAWING) in [0, 1], 0 where nothing is drawn.

    With `over`, the name of a Pick, the picture that is picked there shines through.
    """

    label: str
    over: str = ""
    start: Sequence[int] = (0,) * DRAWING**2

    def spec(self) -> dict:
        return {"kind": "drawing", "size": DRAWING, "over": self.over}

    def read(self, sent: Sequence[int]) -> Tensor:
        return torch.tensor(sent, dtype=torch.float32).view(DRAWING, DRAWING) / 255


Control = Slider | Pick | Pad | Drawing


@dataclass(frozen=True)
class Scene:
    """Data and fakes in the plane from -reach to reach, over D (first row at the top), and how each fake is pushed."""

    surface: Float[Tensor, "H W"]
    x_real: Float[Tensor, "N 2"]
    x_fake: Float[Tensor, "M 2"]
    push: Float[Tensor, "M 2"]
    reach: float


Outputs = dict[str, Tensor | Scene]


class View(anywidget.AnyWidget):
    """Shows `compute(**values)`; the page has one question in flight, and the newest of those that wait is answered."""

    _esm = Path(__file__).with_name("view.js")
    _css = Path(__file__).with_name("view.css")
    title = Unicode().tag(sync=True)
    controls = List().tag(sync=True)
    sent = Dict().tag(sync=True)  # what the page sent last, for each control
    frame = Dict().tag(sync=True)  # what it shows; the first one comes with the view, for no answer comes in Run All
    trains = Bool(False).tag(sync=True)

    def __init__(self, title: str, compute: Callable[..., Outputs], **controls: Control):
        self.compute, self.control = compute, controls
        sent = {name: control.start for name, control in controls.items()}
        specs = [{"name": name, "label": control.label, **control.spec()} for name, control in controls.items()]
        super().__init__(title=title, controls=specs, sent=sent, frame=self._answer({"id": 0, "sent": sent}))
        self.on_msg(self._asked)

    def _asked(self, _: "View", question: dict, buffers: list) -> None:
        with self.hold_sync():  # one message
            self.sent = question["sent"]
            self.frame = self._answer(question)

    def _answer(self, question: dict) -> dict:
        frame = {"id": question["id"]}
        try:
            values = {name: control.read(question["sent"][name]) for name, control in self.control.items()}
            with torch.random.fork_rng(), torch.no_grad():
                outputs = self._outputs(values, question)
            frame["outputs"] = [_packed(label, output) for label, output in outputs.items()]
        except StopIteration:
            frame["ended"] = True
        except CourseError as error:
            frame["error"] = str(error)
        except (Exception, KeyboardInterrupt) as error:
            frame["error"] = f"This experiment stopped with {type(error).__name__}: {' '.join(str(error).split())}"
        return frame

    def _outputs(self, values: dict, question: dict) -> Outputs:
        return self.compute(**values)


class TrainingView(View):
    """Shows a training: `compute(**values)` yields before it begins and after each slice of it.

    The page asks for each slice when it has shown the one before, so a training that nobody sees stands still.
    A moved control starts it anew. A slice should take no longer than a frame, some 20 ms.
    """

    trains = Bool(True).tag(sync=True)
    compute: Callable[..., Iterator[Outputs]]

    def _outputs(self, values: dict, question: dict) -> Outputs:
        if not question.get("step"):
            self.run = self.compute(**values)
        return next(self.run)


def _packed(label: str, output: Tensor | Scene) -> dict:
    """An output as the page gets it: raw bytes, gray values from 0 to 255 for pictures and floats for all else."""
    if isinstance(output, Scene):
        parts = {name: _packed("", getattr(output, name))["data"] for name in ("x_real", "x_fake", "push")}
        return {**_packed(label, output.surface), "scene": {"reach": output.reach, **parts}}
    values = plots.array(output)
    values = (values.clip(0, 1) * 255).round().astype(np.uint8) if values.ndim == 4 else values.astype(np.float32)
    return {"label": label, "shape": values.shape, "data": values.tobytes()}

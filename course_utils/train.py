"""The training loop of the course: one flat function, written out in full in lesson 00 and imported afterwards."""

import math
import sys
import time
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn
from tqdm import tqdm

from course_utils.errors import CourseError

Terms = dict[str, Tensor]

_interrupted_at = [-math.inf]  # when a training was last interrupted


class Diverged(CourseError):
    """Training met a loss that is no finite number; `history` holds the epochs before."""

    def __init__(self, message: str, history: dict[str, list[float]]):
        super().__init__(message)
        self.history = history


def batches(n: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Indices of one epoch: every image once, in random order; the last batch may be smaller."""
    order = torch.randperm(n, generator=generator, device="cpu").to(torch.get_default_device())
    return iter(order.split(batch_size))


def fit(
    model: nn.Module,
    x: Float[Tensor, "N ..."],
    loss: Callable[..., Tensor | Terms],
    *targets: Tensor,
    epochs: int = 10,
    batch_size: int = 128,
    lr: float = 1e-3,
    seed: int = 0,
    label: str = "training",
) -> dict[str, list[float]]:
    """Train `model` with Adam and return each loss term's history: its mean over the images of each epoch.

    `loss(model, batch, *target_batches)` gives one number per image, or a dict of such terms whose first is minimized.
    A loss that is no finite number raises Diverged. *Interrupt kernel* ends training early: the history so far
    is returned and the model keeps what it has learned; twice within five seconds stops the whole cell.
    """
    generator = torch.Generator(device="cpu").manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    history: dict[str, list[float]] = {}
    model.train()
    progress = tqdm(range(epochs), desc=label, unit="epoch", file=sys.stderr, ncols=80, leave=False)
    try:
        for epoch in progress:
            sums: Terms = {}
            for i in batches(len(x), batch_size, generator):
                terms = loss(model, x[i], *(target[i] for target in targets))
                terms = {"loss": terms} if isinstance(terms, Tensor) else terms
                optimizer.zero_grad()
                next(iter(terms.values())).mean().backward()
                optimizer.step()
                for name, term in terms.items():
                    sums[name] = sums.get(name, 0) + term.detach().sum()
            means = {name: float(total) / len(x) for name, total in sums.items()}
            if not all(map(math.isfinite, means.values())):
                raise Diverged(_why(means, epoch), history)
            for name, mean in means.items():
                history.setdefault(name, []).append(mean)
            progress.set_postfix({name: f"{mean:.1f}" for name, mean in means.items()})
    except KeyboardInterrupt:
        # The second one in a row is meant for the whole cell, which may train several models.
        if time.monotonic() - _interrupted_at[0] < 5:
            raise
        _interrupted_at[0] = time.monotonic()
        done = len(next(iter(history.values()), []))
        print(
            f"Interrupted: {done} of {epochs} epochs are done, and the model keeps them. Twice stops the cell.",
            file=sys.stderr,
        )
    finally:
        progress.close()
        model.eval()
    return history


def _why(means: dict[str, float], epoch: int) -> str:
    name = next(name for name, mean in means.items() if not math.isfinite(mean))
    return (
        f"Training stopped in epoch {epoch + 1}: the term {name!r} became {means[name]}. "
        "Try a smaller lr, and look whether the inputs lie in the range that the loss expects."
    )

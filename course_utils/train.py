"""The training loop of the course: one flat function, written out in full in lesson 00 and imported afterwards."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from tqdm import tqdm

from course_utils import losses
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
    if n == 0:
        raise CourseError("There is nothing to train on: x holds no image.")
    if batch_size < 1:
        raise CourseError(f"A batch of {batch_size} images trains nothing: batch_size begins at 1.")
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
    with _running(model, epochs=epochs, label=label, history=history) as progress:
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
            _record(history, {name: float(total) / len(x) for name, total in sums.items()}, epoch)
            progress.set_postfix({name: f"{means[-1]:.1f}" for name, means in history.items()})
    return history


def fit_gan(
    generator: nn.Module,
    discriminator: nn.Module,
    x: Float[Tensor, "N ..."],
    discriminator_loss: Callable[[Tensor, Tensor], Tensor] = losses.discriminator_loss,
    generator_loss: Callable[[Tensor], Tensor] = losses.nonsaturating_loss,
    *,
    epochs: int = 10,
    batch_size: int = 128,
    lr_generator: float = 1e-3,
    lr_discriminator: float = 1e-3,
    discriminator_steps: int = 1,
    seed: int = 0,
    label: str = "two players",
    after_epoch: Callable[[int], None] = lambda epoch: None,
    penalty: Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor] | None = None,
    conditions: Float[Tensor, "N K"] | None = None,
) -> dict[str, list[float]]:
    """Train both players in turn with Adam, and return each term's history: its mean over the samples of each epoch.

    In an epoch the discriminator sees every image once; the generator moves after each `discriminator_steps` of its
    steps. Codes are draws of N(0, I) in `generator.latent_dim` numbers. `after_epoch(epoch)` is called with 1, 2, ...
    `penalty(discriminator, x_real, x_fake)`, one number a pair, is added to the discriminator's loss and is a term.
    `conditions`, a row for each image, go to both players beside z and beside x: generator(z, c), discriminator(x, c).
    What goes wrong ends as in `fit`. Adam's first beta of 0.5 is that of Radford et al. (2016), arXiv:1511.06434.
    """
    if not hasattr(generator, "latent_dim"):
        raise CourseError("The generator does not say how wide its codes are: set self.latent_dim in its __init__.")
    random = torch.Generator(device="cpu").manual_seed(seed)
    of_generator = torch.optim.Adam(generator.parameters(), lr=lr_generator, betas=(0.5, 0.999), fused=True)
    of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=lr_discriminator, betas=(0.5, 0.999), fused=True)
    history: dict[str, list[float]] = {}
    step = 0

    def fakes(count: int, *c: Tensor) -> Tensor:
        return generator(torch.randn(count, generator.latent_dim, generator=random, device="cpu").to(x), *c)

    with _running(generator, discriminator, epochs=epochs, label=label, history=history) as progress:
        for epoch in progress:
            sums: Terms = {}
            counts: dict[str, int] = {}
            for i in batches(len(x), batch_size, random):
                step += 1
                c = () if conditions is None else (conditions[i],)
                # Detached: the discriminator's loss must not reach the generator, which would learn to be found out.
                x_fake = fakes(len(i), *c).detach()
                logits_real, logits_fake = discriminator(x[i], *c), discriminator(x_fake, *c)
                loss = discriminator_loss(logits_real, logits_fake)
                extra = None if penalty is None else penalty(lambda x, c=c: discriminator(x, *c), x[i], x_fake)
                of_discriminator.zero_grad()
                (loss.mean() if extra is None else loss.mean() + extra.mean()).backward()
                of_discriminator.step()
                terms = {"discriminator loss": loss, "D(real)": logits_real.sigmoid(), "D(fake)": logits_fake.sigmoid()}
                if extra is not None:
                    terms["penalty"] = extra
                if step % discriminator_steps == 0:
                    # Through the discriminator and not into it: what this leaves there is zeroed before its next step.
                    loss = generator_loss(discriminator(fakes(len(i), *c), *c))
                    of_generator.zero_grad()
                    loss.mean().backward()
                    of_generator.step()
                    terms["generator loss"] = loss
                for name, term in terms.items():
                    sums[name] = sums.get(name, 0) + term.detach().sum()
                    counts[name] = counts.get(name, 0) + len(i)
            _record(history, {name: float(total) / counts[name] for name, total in sums.items()}, epoch)
            progress.set_postfix({name: f"{means[-1]:.2f}" for name, means in history.items() if "loss" in name})
            after_epoch(epoch + 1)
    return history


@contextmanager
def _running(*models: nn.Module, epochs: int, label: str, history: dict[str, list[float]]) -> Iterator[tqdm]:
    """The epochs with a progress bar, the models in training mode; the first interrupt ends the block with one line."""
    for model in models:
        model.train()
    progress = tqdm(range(epochs), desc=label, unit="epoch", file=sys.stderr, ncols=80, leave=False)
    try:
        yield progress
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
        for model in models:
            model.eval()


def _record(history: dict[str, list[float]], means: dict[str, float], epoch: int) -> None:
    if not all(map(math.isfinite, means.values())):
        raise Diverged(_why(means, epoch), history)
    for name, mean in means.items():
        history.setdefault(name, []).append(mean)


def _why(means: dict[str, float], epoch: int) -> str:
    name = next(name for name, mean in means.items() if not math.isfinite(mean))
    return (
        f"Training stopped in epoch {epoch + 1}: the term {name!r} became {means[name]}. "
        "Try a smaller lr, and look whether the inputs lie in the range that the loss expects."
    )


def fit_parts(
    model: nn.Module,
    x: Float[Tensor, "N ..."],
    loss: Callable[..., Terms],
    *,
    epochs: int = 10,
    batch_size: int = 64,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.5, 0.999),
    seed: int = 0,
    label: str = "three parts",
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> dict[str, list[float]]:
    """Train parts of a model that want different things, each by its own loss, and return each term's history.

    `loss(model, batch)` gives a dict of terms, one number per image each. A term named like a part of the model, such
    as "encoder", is minimized by this part's parameters alone; the others are only recorded. All parts move at once,
    each with its own Adam; a part without a term raises CourseError. `after_epoch(epoch)` is called with 1, 2, ...
    What goes wrong ends as in `fit`.
    """
    generator = torch.Generator(device="cpu").manual_seed(seed)
    optimizers = {
        name: torch.optim.Adam(part.parameters(), lr=lr, betas=betas, fused=True)
        for name, part in model.named_children()
    }
    history: dict[str, list[float]] = {}
    with _running(model, epochs=epochs, label=label, history=history) as progress:
        for epoch in progress:
            sums: Terms = {}
            for i in batches(len(x), batch_size, generator):
                terms = loss(model, x[i])
                if idle := optimizers.keys() - terms.keys():
                    raise CourseError(f"No loss for {', '.join(sorted(idle))}: the terms are {', '.join(terms)}.")
                for name in optimizers:
                    # To this part and to no other, whatever else the loss has passed through.
                    weights = list(getattr(model, name).parameters())
                    gradients = torch.autograd.grad(terms[name].mean(), weights, retain_graph=True)
                    for weight, gradient in zip(weights, gradients, strict=True):
                        weight.grad = gradient
                for optimizer in optimizers.values():
                    optimizer.step()
                for name, term in terms.items():
                    sums[name] = sums.get(name, 0) + term.detach().sum()
            _record(history, {name: float(total) / len(x) for name, total in sums.items()}, epoch)
            progress.set_postfix({name: f"{means[-1]:.2f}" for name, means in history.items() if name in optimizers})
            after_epoch(epoch + 1)
    return history

"""House plots: each returns a figure whose title is its message; `show` displays it with its alt text.

Images are gray with a fixed scale from 0 to 1. Colors mean the same in every lesson: INK data, BLUE model or
reconstruction, VERMILION prior, KL or fake, GREEN discriminator. The only module that imports matplotlib.
"""

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib.resources import files
from itertools import cycle

import numpy as np
import torch
from IPython.display import display
from jaxtyping import Bool, Float, Int
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

INK, BLUE, VERMILION, GREEN = "#222222", "#0072B2", "#D55E00", "#009E73"
# Ten classes: told apart by lightness as well as by hue (after Paul Tol's and Okabe & Ito's sets).
CLASSES = (
    "#332288", "#0072B2", "#56B4E9", "#44AA99", "#117733", "#999933", "#E69F00", "#D55E00", "#CC79A7", "#882255",
)  # fmt: skip


def use_style() -> None:
    """Set the course's matplotlib style."""
    plt.style.use(str(files("course_utils") / "course.mplstyle"))


def show(figure: Figure, alt: str) -> None:
    """Display a figure once, as a picture that carries its alt text, and close it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    plt.close(figure)
    width = round(figure.get_figwidth() * 100)
    data = {"image/png": b64encode(buffer.getvalue()).decode(), "text/plain": alt}
    display(data, metadata={"image/png": {"width": width, "alt": alt}}, raw=True)


def array(x: Tensor) -> np.ndarray:
    """A tensor as matplotlib wants it: detached, on the CPU."""
    return x.detach().cpu().numpy()


def rows(images: Mapping[str, Float[Tensor, "N 1 H W"]], title: str, columns: int | None = None) -> Figure:
    """One labeled row of pictures for each entry; the columns are the same samples in every row."""
    count = max(len(x) for x in images.values()) if columns is None else columns
    scale = min(0.62, 5.2 / count)
    figure, axes = plt.subplots(len(images), 1, figsize=(6.4, 0.42 + len(images) * (scale + 0.07)), squeeze=False)
    for ax, (label, x) in zip(axes[:, 0], images.items(), strict=True):
        _picture(ax, torch.cat(list(_framed(x[:count])), dim=2)[0])
        ax.set_ylabel(label, rotation=0, ha="right", va="center", labelpad=6)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def grid(x: Float[Tensor, "N 1 H W"], title: str, columns: int = 12, ax: Axes | None = None) -> Figure:
    """Pictures side by side, row after row."""
    strips = [torch.cat(list(_framed(strip)), dim=2)[0] for strip in x.split(columns)]
    width = strips[0].shape[1]
    strips = [torch.nn.functional.pad(strip, (0, width - strip.shape[1]), value=1.0) for strip in strips]
    whole = torch.cat(strips)
    if ax is None:
        height = 6.2 * whole.shape[0] / whole.shape[1]
        _, ax = plt.subplots(figsize=(6.4, height + 0.35))
    _picture(ax, whole)
    ax.set_title(title)
    return ax.figure


def code_story(x: Float[Tensor, "1 H W"], z: Float[Tensor, " Z"], x_hat: Float[Tensor, "1 H W"], title: str) -> Figure:
    """One image, its code as bars, and its reconstruction, from left to right."""
    figure, axes = plt.subplots(1, 3, figsize=(6.4, 2.2), width_ratios=(1, 2, 1))
    for ax, image, name in ((axes[0], x, "image x"), (axes[2], x_hat, "reconstruction x_hat")):
        _picture(ax, image[0].detach().cpu())
        ax.set_xlabel(name)
    axes[1].bar(range(1, len(z) + 1), array(z), color=BLUE, width=0.7)
    axes[1].axhline(0, color=INK, linewidth=0.8)
    axes[1].set(xlabel="code z, number by number", xticks=range(1, len(z) + 1))
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def cloud(sets: Mapping[str, Float[Tensor, "N 2"]], title: str, colors: Sequence[str] = (INK, BLUE)) -> Figure:
    """Sets of points in the plane, both axes to one scale, each set named beside its highest point."""
    figure, ax = plt.subplots(figsize=(6.4, 3.6))
    for (label, points), color in zip(sets.items(), colors, strict=False):
        points = array(points)
        ax.scatter(*points.T, s=8, color=color, alpha=0.5, linewidths=0)
        top = points[points[:, 1].argmax()]
        ax.annotate(label, top, (8, 4), textcoords="offset points", color=color, fontweight="bold")
    ax.set(title=title, xlabel="first coordinate", ylabel="second coordinate")
    ax.set_aspect("equal", adjustable="datalim")
    return figure


def directions(vectors: Mapping[str, Float[Tensor, "N 1 H W"]], title: str) -> Figure:
    """Labeled rows of signed pictures: blue above zero, vermilion below, white zero; each scaled to its own length."""
    colors = LinearSegmentedColormap.from_list("signed", [VERMILION, "white", BLUE])
    count = max(len(v) for v in vectors.values())
    figure, axes = plt.subplots(len(vectors), count, figsize=(6.4, 0.4 + 1.25 * len(vectors)), squeeze=False)
    for row, (label, v) in zip(axes, vectors.items(), strict=True):
        for ax, image in zip(row, array(v), strict=False):
            limit = np.abs(image).max()
            ax.imshow(image[0], cmap=colors, vmin=-limit, vmax=limit)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=6)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def judgments(
    groups: Mapping[str, tuple[Float[Tensor, " _"], Float[Tensor, " _"]]],
    limits: tuple[float, float],
    title: str,
    colors: Sequence[str],
) -> Figure:
    """A panel for each group of pictures, (distance, confidence) a dot; those within both limits pass, and are shaded.

    `limits` are the largest distance and the least confidence that pass; the share that does stands in the panel.
    """
    figure, axes = plt.subplots(1, len(groups), figsize=(6.4, 2.6), sharex=True, sharey=True)
    far = max(float(distance.max()) for distance, _ in groups.values())
    for ax, (label, (distance, confidence)), color in zip(axes, groups.items(), colors, strict=True):
        share = ((distance <= limits[0]) & (confidence >= limits[1])).float().mean()
        ax.fill_between([0, limits[0]], limits[1], 1.02, color=GREEN, alpha=0.15, linewidth=0)
        ax.scatter(array(distance), array(confidence), s=6, color=color, alpha=0.5, linewidths=0)
        ax.set_title(label, fontsize=9, color=color)
        ax.text(0.97, 0.04, f"{share:.0%} pass", transform=ax.transAxes, ha="right", color=color)
        ax.set(xlim=(0, 1.05 * far), ylim=(0, 1.02))
    axes[0].set_ylabel("confidence of the classifier")
    figure.supxlabel("distance to the nearest training picture", fontsize=9)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def arrows(
    ways: Mapping[str, Float[Tensor, "N 2"]], start: Float[Tensor, "N 2"], x: Float[Tensor, "M 2"], title: str
) -> Figure:
    """A panel for each entry: an arrow from every start to its end, over the data x in ink; one scale for all."""
    figure, axes = plt.subplots(1, len(ways), figsize=(6.4, 2.9), sharex=True, sharey=True)
    for ax, (label, end), color in zip(axes, ways.items(), (VERMILION, BLUE), strict=True):
        ax.scatter(*array(x).T, s=2, color=INK, alpha=0.35, linewidths=0)
        ax.quiver(
            *array(start).T, *array(end - start).T, color=color, angles="xy", scale_units="xy", scale=1, width=6e-3
        )
        ax.set_title(label, fontsize=9, color=color)
        ax.set(aspect="equal", xlabel="first coordinate")
    axes[0].set_ylabel("second coordinate")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def code_map(
    z: Float[Tensor, "N 2"], y: Int[Tensor, " N"], title: str, ax: Axes | None = None, size: float = 6.0
) -> Figure:
    """Codes in the plane, one color a class, each class named at the median of its codes."""
    if ax is None:
        _, ax = plt.subplots(figsize=(6.4, 5.2))
    z, y = array(z), array(y)
    for k in np.unique(y):
        color = CLASSES[k % len(CLASSES)]
        ax.scatter(*z[y == k].T, s=size, color=color, alpha=0.6, linewidths=0)
    for k in np.unique(y):
        middle = np.median(z[y == k], axis=0)
        box = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": CLASSES[k % len(CLASSES)]}
        ax.text(*middle, str(k), ha="center", va="center", fontweight="bold", bbox=box)
    ax.set(xlabel="first code number", ylabel="second code number", title=title)
    ax.set_aspect("equal", adjustable="datalim")
    return ax.figure


def curves(
    lines: Mapping[str, Sequence[float] | tuple[Sequence[float], Sequence[float]]],
    title: str,
    xlabel: str = "epoch",
    ylabel: str = "nats per image",
    colors: Sequence[str] = (BLUE, VERMILION, GREEN, INK, "#CC79A7", "#E69F00"),
    yscale: str = "linear",
    ax: Axes | None = None,
) -> Figure:
    """Lines against the epoch (or `(x, y)` pairs), each named at its right end; `yscale` may be "log"."""
    if ax is None:
        _, ax = plt.subplots()
    ax.set_yscale(yscale)
    ends = []
    for (label, line), color in zip(lines.items(), colors, strict=False):
        x, y = line if isinstance(line, tuple) else (range(1, len(line) + 1), line)
        ax.plot(list(x), list(y), color=color)
        ends.append((list(x)[-1], list(y)[-1], label, color))
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    _name_ends(ax, ends)
    return ax.figure


def posteriors(codes: Mapping[str, tuple[Float[Tensor, " Z"], Float[Tensor, " Z"]]], title: str) -> Figure:
    """A panel for each picture: mu of each latent as a dot with a bar of one sigma to either side, over the prior's."""
    figure, axes = plt.subplots(len(codes), 1, figsize=(6.4, 0.5 + 1.25 * len(codes)), sharex=True, sharey=True)
    for ax, (label, (mu, sigma)) in zip(np.atleast_1d(axes), codes.items(), strict=True):
        units = range(1, len(mu) + 1)
        ax.axhspan(-1, 1, color=VERMILION, alpha=0.15, linewidth=0)
        ax.errorbar(units, array(mu), array(sigma), fmt="o", color=BLUE, markersize=3, linewidth=1.5)
        ax.set_ylabel(label, rotation=0, ha="right", va="center", labelpad=6)
    ax.set(xlabel="unit of the code", xticks=units)
    across = ax.get_yaxis_transform()
    ax.annotate("prior", (1, 0), (4, 0), xycoords=across, textcoords="offset points", color=VERMILION, va="center")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def seeds(
    panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]],
    title: str,
    xlabel: str,
    colors: Sequence[str] = (BLUE, GREEN, INK),
) -> Figure:
    """A panel for each quantity, its name on the axis: a dot for each (x, y) of a run, one color for each kind of run.

    Each kind is named beside its last dot; a line joins its means.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.8), squeeze=False)
    for ax, (ylabel, kinds) in zip(axes[0], panels.items(), strict=True):
        for (label, (x, y)), color in zip(kinds.items(), colors, strict=False):
            x, y = np.array(x), np.array(y)
            places = np.unique(x)
            means = [y[x == place].mean() for place in places]
            ax.plot(places, means, color=color, linewidth=0.8)
            ax.scatter(x, y, s=12, color=color, alpha=0.7, linewidths=0)
            ax.annotate(
                label,
                (places[-1], means[-1]),
                (6, 0),
                textcoords="offset points",
                color=color,
                va="center",
                annotation_clip=False,
            )
        ax.set(xlabel=xlabel, ylabel=ylabel)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def stamps(panels: Mapping[str, Float[Tensor, "N P"]], title: str) -> Figure:
    """Stamps stacked as bars over the pixels of a row, one panel for each entry, one layer for each stamp.

    Layers are nonnegative; neighboring stamps are told apart by their shade.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.4), sharey=True, squeeze=False)
    for ax, (label, layers) in zip(axes[0], panels.items(), strict=True):
        pixels, bottom = np.arange(1, layers.shape[1] + 1), np.zeros(layers.shape[1])
        for layer, color in zip(array(layers), cycle((BLUE, "#56B4E9", "#A6CEE3")), strict=False):
            ax.bar(pixels, layer, bottom=bottom, width=1, color=color, edgecolor="white", linewidth=0.8)
            bottom += layer
        ax.set(xlabel="pixel", xticks=pixels)
        ax.set_title(label, fontweight="normal", fontsize=9)
        ax.yaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].set_ylabel("sum of the stamps")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def gaps(
    z: Float[Tensor, " N"],
    posterior: Float[Tensor, " N"],
    panels: Mapping[str, tuple[Float[Tensor, " N"], Mapping[str, float]]],
    log_px: float,
    title: str,
) -> Figure:
    """For each q its density over the posterior's, and below a bar from each of its bounds up to log p(x): the gap.

    `panels` gives, by its name, the density of q at the places z and its bounds in nats by their names.
    """
    count = max(len(ends) for _, ends in panels.values())
    figure, axes = plt.subplots(
        2, len(panels), figsize=(6.4, 2.6 + 0.4 * count), sharex="row", sharey="row", height_ratios=(5, 1 + 1.2 * count)
    )
    lowest = min(min(ends.values()) for _, ends in panels.values())
    for i, (label, (q, ends)) in enumerate(panels.items()):
        top, below = axes[0, i], axes[1, i]
        top.plot(array(z), array(q), color=BLUE)
        top.fill_between(array(z), array(q), color=BLUE, alpha=0.15, linewidth=0)
        top.plot(array(z), array(posterior), color=INK, linewidth=1.2)
        top.set_title(label, fontsize=9, color=BLUE)
        top.set(xlabel="code z", yticks=[], ylim=(0, None))
        for row, (name, end) in enumerate(ends.items()):
            below.plot([end, log_px], [row, row], color=VERMILION, linewidth=6, solid_capstyle="butt")
            below.plot([end], [row], marker="|", markersize=10, markeredgewidth=2.5, color=BLUE, zorder=3)
            words = f"{name}: gap {max(log_px - end, 0):.2f}"
            below.text(0.02, row - 0.28, words, transform=below.get_yaxis_transform(), va="bottom")
        below.axvline(log_px, color=INK)
        below.set(xlabel="nats", yticks=[], ylim=(count - 0.6, -0.95))
        below.set_xlim(log_px - 1.08 * (log_px - lowest), log_px + 0.1 * (log_px - lowest))
        below.spines["left"].set_visible(False)
    axes[0, 0].text(0.02, 0.97, "posterior", color=INK, transform=axes[0, 0].transAxes, va="top")
    axes[0, 0].text(0.02, 0.85, "q", color=BLUE, fontweight="bold", transform=axes[0, 0].transAxes, va="top")
    axes[1, 0].annotate("log p(x)", (log_px, -0.95), (-4, 1), textcoords="offset points", ha="right", va="bottom")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def _name_ends(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Write each line's name beside its end, pushed apart where two ends would collide."""
    ax.figure.draw_without_rendering()  # settles the axes' limits and place, which decide whether names collide
    ax.get_ylim()  # settles the scale of the axes, which is otherwise set when they are drawn
    to_pixels = ax.transData.transform
    gap = 13.0  # points of one line of text
    height = None
    for x, y, label, color in sorted(ends, key=lambda end: end[1]):
        at = to_pixels((x, y))[1] * 72 / ax.figure.dpi
        height = at if height is None else max(at, height + gap)
        offset = (6, height - at)
        ax.annotate(label, (x, y), offset, textcoords="offset points", color=color, va="center", annotation_clip=False)


def _framed(x: Tensor) -> Tensor:
    """Pictures with a thin white frame, so that neighbors are told apart."""
    return torch.nn.functional.pad(x.detach().cpu(), (1, 1, 1, 1), value=1.0)


def _picture(ax: Axes, image: Tensor) -> None:
    ax.imshow(image, vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def two_ways(eps: Float[Tensor, " N"], mu: float, mu_moved: float, sigma: float, title: str) -> Figure:
    """Draws when mu moves, in two panels: each draw moves along, or all stay and their weights change (dot size)."""
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 2.6), sharex=True, sharey=True)
    names = ("move the draws", "keep the draws, change their weights")
    z, step = array(mu + sigma * eps), mu_moved - mu
    grid = np.linspace(mu - 3.2 * sigma, mu_moved + 3.2 * sigma, 200)
    weights = np.exp(((z - mu) ** 2 - (z - mu_moved) ** 2) / (2 * sigma**2))
    for ax, name, shift, size in zip(axes, names, (step, 0), (np.ones_like(z), weights), strict=True):
        for row, middle, color in ((1, mu, INK), (0, mu_moved, BLUE)):
            ax.fill_between(
                grid,
                row,
                row + 0.6 * np.exp(-((grid - middle) ** 2) / (2 * sigma**2)),
                color=color,
                alpha=0.12,
                linewidth=0,
            )
        ax.plot([z, z + shift], [np.ones_like(z), np.zeros_like(z)], color="#AAAAAA", linewidth=0.8)
        if not shift:
            ax.scatter(z, np.zeros_like(z), s=22, color="none", edgecolors="#AAAAAA", linewidths=0.8, zorder=4)
        ax.scatter(z, np.ones_like(z), s=22, color=INK, linewidths=0, zorder=3)
        ax.scatter(z + shift, np.zeros_like(z), s=22 * size, color=BLUE, linewidths=0, zorder=3)
        ax.set(xlabel="z", yticks=(0, 1), yticklabels=("mu larger", "mu"), ylim=(-0.25, 1.7))
        ax.set_title(name, fontsize=9, fontweight="normal")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def estimates(sets: Mapping[str, Float[Tensor, " N"]], exact: float, reach: float, title: str, xlabel: str) -> Figure:
    """A histogram for each set of estimates, on one scale around the exact value; end bars hold what lies beyond."""
    figure, axes = plt.subplots(len(sets), 1, figsize=(6.4, 0.8 + 1.05 * len(sets)), sharex=True, squeeze=False)
    edges = np.linspace(exact - reach, exact + reach, 62)
    for ax, (label, values), color in zip(axes[:, 0], sets.items(), (BLUE, VERMILION, GREEN), strict=False):
        values = array(values)
        ax.hist(values.clip(edges[0], edges[-1]), edges, weights=np.full(len(values), 1 / len(values)), color=color)
        ax.axvline(exact, color=INK, linewidth=1.2)
        if (beyond := np.mean(values > edges[-2])) > 0.002:
            ax.text(edges[-1], beyond, f"{edges[-2]:.3g} or more", ha="right", va="bottom", fontsize=8)
        ax.text(0.99, 0.85, label, transform=ax.transAxes, ha="right", color=color, fontweight="bold")
        ax.set_ylabel("share")
    axes[-1, 0].set_xlabel(xlabel)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def told_and_true(told: Mapping[str, float], true: Mapping[str, float], title: str, xlabel: str) -> Figure:
    """A line for each entry from the number that it tells (vermilion) to the true one (ink), lowest true one on top."""
    figure, ax = plt.subplots(figsize=(6.4, 0.9 + 0.34 * len(told)))
    for row, label in enumerate(sorted(true, key=true.get, reverse=True)):
        ax.plot([told[label], true[label]], [row, row], color="#AAAAAA", linewidth=1.5, zorder=1)
        ax.scatter(true[label], row, color=INK, s=36, zorder=2)
        ax.scatter(told[label], row, color=VERMILION, s=16, zorder=3)
    ax.set(yticks=range(len(told)), yticklabels=sorted(true, key=true.get, reverse=True), title=title, xlabel=xlabel)
    ax.set_ylim(-0.6, len(told) - 0.4)
    ax.text(0.99, 0.97, "told", color=VERMILION, transform=ax.transAxes, ha="right", va="top", fontweight="bold")
    ax.text(0.99, 0.85, "true", color=INK, transform=ax.transAxes, ha="right", va="top", fontweight="bold")
    return figure


def paths(panels: Mapping[str, tuple[Float[Tensor, " T"], Float[Tensor, "T S"]]], title: str, xlabel: str) -> Figure:
    """A panel for each entry (parameter, draws): what becomes of each draw as the parameter moves, and their mean."""
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.7), squeeze=False)
    for ax, (label, (parameter, draws)) in zip(axes[0], panels.items(), strict=True):
        ax.plot(array(parameter), array(draws[:, :12]), color=BLUE, linewidth=0.9, alpha=0.6)
        ax.plot(array(parameter), array(draws.mean(1)), color=INK, linewidth=2.5)
        ax.set_title(label, fontsize=9, fontweight="normal")
        ax.set(xlabel=xlabel, ylabel="draw z")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def written_and_real(
    pairs: Mapping[str, tuple[float, float]], names: tuple[str, str], title: str, xlabel: str
) -> Figure:
    """A row for each entry: an open dot for what is written, an arrow to a full dot for what holds; logarithmic."""
    figure, ax = plt.subplots(figsize=(6.4, 0.9 + 0.42 * len(pairs)))
    for row, (written, real) in enumerate(pairs.values()):
        ax.annotate("", (real, row), (written, row), arrowprops={"arrowstyle": "->", "color": VERMILION, "shrinkA": 5})
        ax.plot(written, row, "o", markersize=7, markerfacecolor="white", markeredgecolor=INK)
        ax.plot(real, row, "o", markersize=7, color=VERMILION)
        ax.annotate(f"{real:.3g}", (real, row), (0, 7), textcoords="offset points", color=VERMILION, ha="center")
    written, real = next(iter(pairs.values()))
    for x, name, color in ((written, names[0], INK), (real, names[1], VERMILION)):
        ax.annotate(name, (x, 0), (0, 19), textcoords="offset points", color=color, ha="center", fontsize=8)
    ax.set(xscale="log", yticks=range(len(pairs)), yticklabels=pairs, ylim=(len(pairs) - 0.5, -1), title=title)
    ax.set_xlabel(xlabel)
    return figure


def units(panels: Mapping[str, Float[Tensor, " Z"]], title: str, ylabel: str) -> Figure:
    """A panel for each entry: a bar for each unit of a code, the largest first; one scale for all.

    Where no bar can be seen the panel says below what all of them are.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.4), sharey=True, squeeze=False)
    highest = max(float(values.max()) for values in panels.values())
    for ax, (label, values) in zip(axes[0], panels.items(), strict=True):
        values = np.sort(array(values))[::-1]
        ax.bar(range(1, len(values) + 1), values, color=VERMILION, width=0.7)
        if values[0] < highest / 50:
            limit = np.ceil(100 * values[0] + 1e-9) / 100
            ax.text(0.5, 0.5, f"all below {limit:.2f}", color=VERMILION, ha="center", transform=ax.transAxes)
        ax.set_title(label, fontsize=9, fontweight="normal")
        ax.set(xlabel="unit of the code", xticks=range(1, len(values) + 1))
    axes[0, 0].set_ylabel(ylabel)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def spots(panels: Mapping[str, Float[Tensor, "N 2"]], title: str, radius: float = 2.0) -> Figure:
    """A panel for each set of points of the plane, with a disc of this radius around the origin; one scale for all."""
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.8), sharex=True, sharey=True, squeeze=False)
    angle = np.linspace(0, 2 * np.pi, 100)
    for ax, (label, points) in zip(axes[0], panels.items(), strict=True):
        ax.fill(radius * np.cos(angle), radius * np.sin(angle), color=BLUE, alpha=0.25, linewidth=0)
        ax.scatter(*array(points).T, s=4, color=INK, alpha=0.5, linewidths=0)
        ax.set_title(label, fontsize=9, fontweight="normal")
        ax.set(aspect="equal", xlabel="first coordinate")
    axes[0, 0].set_ylabel("second coordinate")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def dots(
    panels: Mapping[str, Mapping[str, Sequence[float]]], title: str, levels: Mapping[str, float] | None = None
) -> Figure:
    """A panel for each quantity, named below it; a row for each kind of run, a dot a run, a line at their mean.

    `levels` gives a quantity a dashed line to compare with, such as chance.
    """
    labels = list(next(iter(panels.values())))
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 0.9 + 0.3 * len(labels)), sharey=True, squeeze=False)
    for ax, (xlabel, kinds) in zip(axes[0], panels.items(), strict=True):
        for row, label in enumerate(labels):
            values = np.array(kinds[label])
            ax.scatter(values, np.full(len(values), row), s=12, color=BLUE, alpha=0.6, linewidths=0)
            ax.plot([values.mean()] * 2, [row - 0.32, row + 0.32], color=INK, linewidth=1.5)
        if xlabel in (levels or {}):
            ax.axvline(levels[xlabel], color=VERMILION, linestyle="--", linewidth=1, zorder=0)
        ax.set_xlabel(xlabel)
        ax.locator_params(axis="x", nbins=4)
        ax.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes[0, 0].set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.4, -0.6))
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def code_maps(maps: Mapping[str, Float[Tensor, "N 2"]], y: Int[Tensor, " N"], title: str) -> Figure:
    """A code map for each entry, side by side, over one range; the same pictures with the same labels y in each."""
    figure, axes = plt.subplots(1, len(maps), figsize=(6.4, 3.6))
    reach = 1.05 * max(z.abs().max().item() for z in maps.values())
    for ax, (label, z) in zip(axes, maps.items(), strict=True):
        code_map(z, y, "", ax, size=4.0)
        ax.set_title(label, fontsize=9, fontweight="normal")
        ax.set_aspect("equal", adjustable="box")
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
        places = np.array([name.get_position() for name in ax.texts])
        for name, place in zip(ax.texts, _apart(places, 0.16 * reach), strict=True):
            name.set_position(place)
    axes[1].set_ylabel("")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def code_map_over(draws: Float[Tensor, "M 2"], z: Float[Tensor, "N 2"], y: Int[Tensor, " N"], title: str) -> Figure:
    """A code map over draws of a prior in gray; names of classes that lie close are pushed apart."""
    figure = code_map(z, y, title)
    ax = figure.axes[0]
    ax.scatter(*array(draws).T, s=6, color="#DDDDDD", linewidths=0, zorder=0)
    places = np.array([name.get_position() for name in ax.texts])
    for name, place in zip(ax.texts, _apart(places, 0.08 * np.ptp(array(z))), strict=True):
        name.set_position(place)
    return figure


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Points (N, 2), pushed off each other until they lie about `gap` apart."""
    for _ in range(100):
        offsets = places[:, None] - places
        distance = np.linalg.norm(offsets, axis=2, keepdims=True) + 1e-9
        places = places + (0.3 * (gap - distance).clip(0) * offsets / distance).sum(1)
    return places


def votes(
    x: Float[Tensor, "N 1 H W"], p: Float[Tensor, "N K"], title: str, y: Int[Tensor, " N"] | None = None
) -> Figure:
    """Pictures, and below each the probabilities p of its labels as bars; the bar of its own label y in ink.

    The likeliest label and the picture's own are named, and the second likeliest if it has a tenth.
    """
    figure, axes = plt.subplots(2, len(x), figsize=(6.4, 2.2), height_ratios=(1, 1.1), squeeze=False)
    for i, (above, below) in enumerate(axes.T):
        own = -1 if y is None else int(y[i])
        first, second = p[i].argsort(descending=True)[:2].tolist()
        named = {first, own, second if p[i, second] > 0.1 else first} - {-1}
        _picture(above, x[i, 0].detach().cpu())
        below.bar(
            range(p.shape[1]), array(p[i]), color=[INK if k == own else BLUE for k in range(p.shape[1])], width=0.8
        )
        below.set(xlim=(-0.7, p.shape[1] - 0.3), ylim=(0, 1), yticks=[0, 1], xticks=sorted(named))
        below.tick_params(labelleft=i == 0, labelsize=7)
        for k, name in zip(sorted(named), below.get_xticklabels(), strict=True):  # neighbors would run together
            name.set_ha(("center", "left", "right")[(k - 1 in named) - (k + 1 in named)])
    axes[1, 0].set_ylabel("probability")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def intervals(panels: Mapping[str, Mapping[str, Sequence[float]]], title: str, xlabel: str) -> Figure:
    """A panel for each entry, a row for each kind of run: a dot a run, and the mean with two standard errors."""
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.5), sharey=True, squeeze=False)
    for ax, (label, kinds) in zip(axes[0], panels.items(), strict=True):
        for place, values in enumerate(np.array(run) for run in kinds.values()):
            ax.plot(values, [place + 0.2] * len(values), "o", color=INK, markersize=3, alpha=0.4, markeredgewidth=0)
            error = 2 * values.std(ddof=1) / len(values) ** 0.5
            ax.errorbar(values.mean(), place - 0.1, xerr=error, fmt="o", color=BLUE, capsize=3)
        ax.set(yticks=range(len(kinds)), yticklabels=list(kinds), ylim=(len(kinds) - 0.5, -0.6), xlabel=xlabel)
        ax.set_title(label, fontsize=9, fontweight="normal")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def told(panels: Mapping[str, Float[Tensor, "Z K"]], factors: Sequence[str], title: str) -> Figure:
    """A panel for each code, named below the title: how much each unit (row) tells about each factor (column), 0 to 1.

    The darker the more; shares from a twentieth on are written out.
    """
    units = max(len(share) for share in panels.values())
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 0.95 + 0.3 * units), sharey=True, squeeze=False)
    colors = LinearSegmentedColormap.from_list("told", ["white", BLUE])
    for ax, (label, share) in zip(axes[0], panels.items(), strict=True):
        share = array(share)
        ax.imshow(share, cmap=colors, vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(share):
            if value >= 0.05:
                ink = "white" if value > 0.6 else INK
                ax.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=7, color=ink)
        ax.set_title(label, fontsize=8, fontweight="normal")
        ax.set(xticks=range(len(factors)), yticks=range(units), yticklabels=range(1, units + 1))
        ax.set_xticklabels(factors, fontsize=7)
        ax.tick_params(length=0)
    axes[0, 0].set_ylabel("unit of the code")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def tradeoff(
    runs: Mapping[float, tuple[Sequence[float], Sequence[float]]], live: Mapping[float, tuple[float, float]], title: str
) -> Figure:
    """Rate and distortion of runs at each beta, with a stroke of slope -beta through their mean; open dots are `live`.

    The distortion's axis is logarithmic.
    """
    figure, ax = plt.subplots(figsize=(6.4, 3.8))
    ax.set_yscale("log")
    for beta, (rate, distortion) in runs.items():
        rate, distortion = (np.array([float(value) for value in values]) for values in (rate, distortion))
        r, d = rate.mean(), distortion.mean()
        half = min(0.7, 0.45 * d / beta)
        stroke = r + np.linspace(-half, half, 20)
        ax.plot(stroke, d - beta * (stroke - r), color=VERMILION, linewidth=1.2)
        ax.scatter(rate, distortion, s=9, color=BLUE, alpha=0.6, linewidths=0, zorder=3)
        ax.annotate(f"beta {beta:g}", (r, d), (12, 6), textcoords="offset points", color=INK)
    for r, d in live.values():
        ax.plot(r, d, "o", markersize=9, markerfacecolor="none", markeredgecolor=INK)
    r, d = max(live.values(), key=lambda dot: dot[1])  # one name is enough, where nothing lies below
    ax.annotate("trained here", (r, d), (-7, -5), textcoords="offset points", color=INK, ha="right", va="top")
    ax.set(xlabel="rate: KL, nats per image", ylabel="distortion, nats per image", title=title)
    return figure


def over_a_turn(degrees: Sequence[float], panels: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> Figure:
    """A panel for each quantity, its name on the axis: lines against the angle of a turn, named at their ends."""
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.8), squeeze=False)
    for ax, (ylabel, lines) in zip(axes[0], panels.items(), strict=True):
        colors = (BLUE,) if len(lines) == 1 else (VERMILION, INK)
        for (label, line), color in zip(lines.items(), colors, strict=True):
            ax.plot(list(degrees), list(line), color=color)
            if len(lines) > 1:  # the first is named under its arch, the second above it
                half, below = len(line) // 2, color == VERMILION
                place = {"textcoords": "offset points", "ha": "center", "va": "top" if below else "bottom"}
                ax.annotate(label, (degrees[half], line[half]), (0, -45 if below else 4), color=color, **place)
        ax.set(xlabel="turn, degrees", ylabel=ylabel, xticks=range(0, 91, 15))
        ax.margins(y=0.12)
    axes[0, 0].set_ylim(0, None)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def score_rows(
    groups: Mapping[str, Float[Tensor, " _"]], title: str, xlabel: str, colors: Sequence[str] = (INK, VERMILION)
) -> Figure:
    """A histogram for each group of scores, one above the other on one scale, with a line at its mean."""
    figure, axes = plt.subplots(len(groups), 1, figsize=(6.4, 0.8 + 0.75 * len(groups)), sharex=True, squeeze=False)
    values = {label: array(group) for label, group in groups.items()}
    together = np.concatenate(list(values.values()))
    edges = np.linspace(together.min(), together.max(), 50)
    for ax, (label, group), color in zip(axes[:, 0], values.items(), cycle(colors), strict=False):
        ax.hist(group, edges, weights=np.full(len(group), 1 / len(group)), color=color, alpha=0.8)
        ax.axvline(group.mean(), color=color, linewidth=1.5)
        ax.set_ylabel(label, rotation=0, ha="right", va="center", labelpad=6, color=color)
        ax.set_yticks([])
    axes[-1, 0].set_xlabel(xlabel)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def players(
    panels: Mapping[str, tuple[Float[Tensor, "H W"], Float[Tensor, "N 2"], Float[Tensor, "M 2"]]],
    title: str,
    reach: float = 2.5,
    shades: tuple[float, float] = (0.25, 0.75),
) -> Figure:
    """A panel for each moment of a GAN on points: D over the plane in shades of green, data in ink, fakes in vermilion.

    Each entry holds D on a grid from -reach to reach, its first row the top, then the points of both. `shades` are the
    D at which the shades end, white and green.
    """
    low, high = shades
    greens = LinearSegmentedColormap.from_list("discriminator", ["white", "#3DB890"])
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 0.6 + 5.2 / len(panels)), sharey=True, squeeze=False)
    box, ticks = (-reach, reach, -reach, reach), (-2, 0, 2)
    for ax, (label, (surface, x_real, x_fake)) in zip(axes[0], panels.items(), strict=True):
        shown = ax.imshow(array(surface), cmap=greens, vmin=low, vmax=high, extent=box, interpolation="bilinear")
        ax.scatter(*array(x_real).T, s=2, color=INK, alpha=0.7, linewidths=0)
        ax.scatter(*array(x_fake).T, s=2, color=VERMILION, alpha=0.7, linewidths=0)
        ax.set(xlim=box[:2], ylim=box[2:], xticks=ticks, yticks=ticks)
        ax.set_title(label, fontsize=9, fontweight="normal")
    bar = figure.colorbar(shown, ax=axes[0].tolist(), shrink=0.8, ticks=(low, 0.5, high), extend="both")
    bar.set_label("D", rotation=0, color=GREEN, fontweight="bold", labelpad=10)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def field(
    at: Float[Tensor, "N 2"],
    ways: Float[Tensor, "N 2"],
    paths: Mapping[str, Float[Tensor, "T 2"]],
    title: str,
    names: tuple[str, str],
) -> Figure:
    """A panel for each path of the plane, from a ring to a larger dot, over arrows `ways` at places of it."""
    figure, axes = plt.subplots(1, len(paths), figsize=(6.4, 0.8 + 5.6 / len(paths)), sharey=True, squeeze=False)
    for ax, (label, path) in zip(axes[0], paths.items(), strict=True):
        path = array(path)
        ax.quiver(*array(at).T, *array(ways).T, color="#BBBBBB", angles="xy", width=5e-3)
        ax.plot(*path.T, color=BLUE, linewidth=1, marker="o", markersize=2)
        ax.plot(*path[0], "o", color=BLUE, markersize=6, markerfacecolor="white")
        ax.plot(*path[-1], "o", color=BLUE, markersize=6)
        ax.plot(0, 0, "+", color=INK, markersize=9)
        ax.set(xlabel=names[0], aspect="equal")
        ax.set_title(label, fontsize=9, fontweight="normal")
    axes[0, 0].set_ylabel(names[1])
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def curve_panels(
    panels: Mapping[str, Mapping[str, Sequence[float] | tuple[Sequence[float], Sequence[float]]]],
    title: str,
    xlabel: str = "epoch",
    colors: Sequence[Sequence[str]] = ((GREEN, VERMILION), (BLUE, INK)),
) -> Figure:
    """`curves` side by side, a panel for each quantity, which its vertical axis names."""
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.6), squeeze=False)
    for ax, (ylabel, lines), own in zip(axes[0], panels.items(), colors, strict=False):
        curves(lines, "", xlabel, ylabel, own, ax=ax)
        lifted = sum(name.xyann[1] for name in ax.texts) / len(ax.texts)
        for name in ax.texts:  # names of ends that collide stand around their lines, not above them
            name.xyann = (name.xyann[0], name.xyann[1] - lifted)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def games(panels: Mapping[str, Sequence[Mapping[str, Sequence[float]]]], title: str, xlabel: str = "epoch") -> Figure:
    """A panel for each kind of game, in which each run has its D(real) in ink and its D(fake) in vermilion."""
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.1), sharey=True, squeeze=False)
    for ax, (label, runs) in zip(axes[0], panels.items(), strict=True):
        for run in runs:
            for name, color in (("D(real)", INK), ("D(fake)", VERMILION)):
                ax.plot(range(1, len(run[name]) + 1), run[name], color=color, linewidth=1.2)
        ax.set_title(label, fontsize=7.5, fontweight="normal")
        ax.set(xlabel=xlabel, ylim=(-0.03, 1.03))
    axes[0, 0].set_ylabel("D")
    axes[0, 0].text(0.98, 0.93, "D(real)", color=INK, transform=axes[0, 0].transAxes, fontsize=8, ha="right")
    axes[0, 0].text(0.98, 0.04, "D(fake)", color=VERMILION, transform=axes[0, 0].transAxes, fontsize=8, ha="right")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def crowds(
    panels: Mapping[str, tuple[Float[Tensor, "N 2"], Float[Tensor, "M 2"]]], title: str, reach: float = 2.6
) -> Figure:
    """A panel for each pair of data (ink) and fakes (vermilion) in the plane, all to one scale."""
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 0.8 + 5.6 / len(panels)), sharey=True, squeeze=False)
    for ax, (label, (x_real, x_fake)) in zip(axes[0], panels.items(), strict=True):
        ax.scatter(*array(x_real).T, s=2, color=INK, alpha=0.35, linewidths=0)
        ax.scatter(*array(x_fake).T, s=3, color=VERMILION, alpha=0.6, linewidths=0)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=(-2, 0, 2), yticks=(-2, 0, 2))
        ax.set_title(label, fontsize=9, fontweight="normal")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def tables(
    panels: Mapping[str, Float[Tensor, "K K"]],
    title: str,
    names: tuple[str, str],
    tops: Mapping[str, float] | None = None,
) -> Figure:
    """A panel for each square table of few values, white at 0 and darkest at its largest value, or at that of `tops`.

    Beside its bar stand the values that occur, as fractions.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.5), squeeze=False)
    for ax, (label, table) in zip(axes[0], panels.items(), strict=True):
        top = (tops or {}).get(label, float(table.max()))
        shown = ax.imshow(array(table), cmap="Greys", vmin=0, vmax=top, origin="lower")
        bar = figure.colorbar(shown, ax=ax, shrink=0.6)
        ticks = table.unique().tolist()
        bar.set_ticks(ticks, labels=[str(Fraction(tick).limit_denominator(1000)) for tick in ticks])
        ax.set(xlabel=names[0], xticks=(), yticks=())
        ax.set_title(label, fontsize=9, fontweight="normal")
    axes[0, 0].set_ylabel(names[1])
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def heaps(
    places: Float[Tensor, " N"],
    p: Float[Tensor, " N"],
    q: Float[Tensor, " N"],
    critic: Float[Tensor, " N"],
    title: str,
) -> Figure:
    """Masses p (ink) and q (vermilion) as bars side by side at each place; beside them a critic's values there."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.6))
    x = array(places)
    width = 0.4 * np.diff(x).min()
    for masses, side, color, name in ((p, -0.5, INK, "p"), (q, 0.5, VERMILION, "q")):
        left.bar(x + side * width, array(masses), width, color=color)
        left.text(0.94 + 0.08 * side, 0.97, name, transform=left.transAxes, color=color, fontweight="bold", va="top")
    left.set(xlabel="place", ylabel="mass")
    right.plot(x, array(critic), color=GREEN, marker="o", markersize=3)
    right.set(xlabel="place", ylabel="value of the critic f")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def moves(
    places: Float[Tensor, " N"],
    p: Float[Tensor, " N"],
    q: Float[Tensor, " N"],
    plans: Mapping[str, Float[Tensor, "N N"]],
    title: str,
) -> Figure:
    """A panel for each plan: masses p above in ink, q below in vermilion, a line for what moves between two places.

    A line is the wider, the more is moved.
    """
    figure, axes = plt.subplots(1, len(plans), figsize=(6.4, 2.8), sharey=True, squeeze=False)
    x, p, q = array(places), array(p), array(q)
    width = 0.8 * np.diff(x).min()
    for ax, (label, plan) in zip(axes[0], plans.items(), strict=True):
        ax.bar(x, p, width, bottom=0.5, color=INK)
        ax.bar(x, -q, width, color=VERMILION)
        for i, j in np.argwhere(array(plan) > 1e-6):
            ax.plot([x[i], x[j]], [0.49, 0.01], color=BLUE, linewidth=20 * float(plan[i, j]), alpha=0.7)
        ax.set(xlabel="place", yticks=[])
        ax.spines["left"].set_visible(False)
        ax.set_title(label, fontsize=9, fontweight="normal")
    axes[0, 0].text(0.99, 0.97, "p", transform=axes[0, 0].transAxes, color=INK, fontweight="bold", va="top", ha="right")
    axes[0, 0].text(0.99, 0.03, "q", transform=axes[0, 0].transAxes, color=VERMILION, fontweight="bold", ha="right")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def regions(
    panels: Mapping[str, tuple[Float[Tensor, "N 2"], Float[Tensor, " N"], Float[Tensor, "M 2"], Bool[Tensor, " M"]]],
    colors: Sequence[str],
    title: str,
) -> Figure:
    """A panel for each set of the plane: a disc around each of its points, and other points, hollow where outside.

    An entry holds the points, the radii of their discs, the others, and which of these lie inside; of `colors` the
    first is for the points of the first panel and the others of the second, the second for the rest.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 3.4), sharex=True, sharey=True, squeeze=False)
    for i, (ax, (label, (points, radii, others, inside))) in enumerate(zip(axes[0], panels.items(), strict=True)):
        own, other = (colors[i % 2], colors[1 - i % 2])
        for point, radius in zip(array(points), array(radii), strict=True):
            ax.add_patch(plt.Circle(tuple(point), float(radius), color=own, alpha=0.09, linewidth=0))
        ax.scatter(*array(points).T, s=5, color=own, linewidths=0)
        inside = array(inside)
        ax.scatter(*array(others)[inside].T, s=14, color=other, linewidths=0)
        ax.scatter(*array(others)[~inside].T, s=14, facecolors="none", edgecolors=other, linewidths=0.9)
        ax.set_title(label, fontsize=9, fontweight="normal")
        ax.set(aspect="equal", xlabel="first coordinate")
    axes[0, 0].set_ylabel("second coordinate")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def scores(
    columns: Mapping[str, Mapping[str, Sequence[float]]], title: str, logarithmic: Sequence[str] = (), live: str = ""
) -> Figure:
    """A table: a column for each score, a row for each model, with mean and two standard errors above a dot a run.

    The row `live` is drawn in vermilion. A row of one run has no error. Columns in `logarithmic` have such an axis.
    """
    labels = list(next(iter(columns.values())))
    figure, axes = plt.subplots(1, len(columns), figsize=(7.2, 0.8 + 0.48 * len(labels)), sharey=True, squeeze=False)
    for ax, (name, kinds) in zip(axes[0], columns.items(), strict=True):
        if name in logarithmic:
            positive = all(value > 0 for values in kinds.values() for value in values)
            ax.set_xscale("log" if positive else "symlog")
        for row, label in enumerate(labels):
            values, color = np.array(kinds[label]), VERMILION if label == live else BLUE
            words, digits = "", 2 if np.abs(values).max() < 10 else 0 if np.abs(values).max() > 100 else 1
            if len(values) > 1:
                error = 2 * values.std(ddof=1) / len(values) ** 0.5
                digits += 0 < error < 0.5 * 10**-digits  # an error of 0.00 says little
                words = f" ± {error:.{digits}f}"
                ax.plot([values.mean() - error, values.mean() + error], [row + 0.2] * 2, color=color, linewidth=1.2)
            ax.scatter(values, np.full(len(values), row + 0.2), s=12, color=color, alpha=0.7, linewidths=0)
            place = ax.get_yaxis_transform()
            words = f"{values.mean():.{digits}f}{words}".replace("-", "−")
            box = {"color": "white", "pad": 1.0}  # the grid stops at the numbers
            ax.text(0.5, row - 0.06, words, transform=place, ha="center", fontsize=8.5, bbox=box)
        ax.set_title(name, fontsize=9)
        ax.grid(axis="x", color="#DDDDDD", linewidth=0.6)
        ax.tick_params(axis="x", labelsize=7.5)
        ax.tick_params(axis="y", length=0)
    axes[0, 0].set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.45, -0.6))
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def overlaid(
    panels: Mapping[str, tuple[Float[Tensor, "N 2"], Float[Tensor, "M 2"]]], title: str, names: tuple[str, str]
) -> Figure:
    """A panel for each pair of data (ink, larger) and fakes (vermilion, on top) in the plane, all to one scale."""
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 4.0), sharex=True, sharey=True, squeeze=False)
    for ax, (label, (x_real, x_fake)) in zip(axes[0], panels.items(), strict=True):
        ax.scatter(*array(x_real).T, s=11, color=INK, alpha=0.45, linewidths=0)
        ax.scatter(*array(x_fake).T, s=4, color=VERMILION, linewidths=0)
        ax.set(aspect="equal", xlabel=names[0])
        ax.set_title(label, fontsize=9, fontweight="normal")
    axes[0, 0].set_ylabel(names[1])
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def toward_endless(
    sizes: Sequence[int],
    panels: Mapping[str, Mapping[str, Float[Tensor, "S R"]]],
    title: str,
    colors: Sequence[str] = (INK, BLUE),
) -> Figure:
    """A panel for each score of sets of n pictures, over 1/n: R dots a size, and a line by least squares.

    The line goes on to 1/n = 0, where endless sets stand, and ends in a ring.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(6.4, 3.0), squeeze=False)
    places = 1 / np.array(sizes)
    far = places.max()
    for ax, (ylabel, kinds) in zip(axes[0], panels.items(), strict=True):
        ends = []
        for (label, scores), color in zip(kinds.items(), colors, strict=False):
            y = array(scores)
            x = np.repeat(places, y.shape[1])
            slope, end = np.polyfit(x, y.ravel(), 1)
            ax.scatter(x, y.ravel(), s=7, color=color, alpha=0.35, linewidths=0)
            ax.plot([0, far], [end, end + slope * far], color=color, linewidth=1.2)
            ax.plot(0, end, "o", color=color, markerfacecolor="white", markersize=6, clip_on=False, zorder=5)
            ends.append((far, end + slope * far, label, color))
        ax.set(xlim=(0, 1.03 * far), xlabel="pictures in a set", ylabel=ylabel)
        ax.set_xticks([0, *places], ["∞", *(f"{n:,}" for n in sizes)], rotation=90, fontsize=7)
        _name_ends(ax, ends)
    figure.suptitle(title, x=0.01, ha="left")
    return figure

"""House plots: one gray scale, named lines, and alt text that is stored with the picture."""

import base64

import pytest
import torch
from matplotlib import pyplot as plt

from course_utils import plots

plots.use_style()
x = torch.rand(5, 1, 28, 28)


@pytest.fixture
def shown(monkeypatch):
    displayed = []
    monkeypatch.setattr(plots, "display", lambda data, metadata, raw: displayed.append((data, metadata)))
    return displayed


def test_show_stores_alt_text_with_the_picture_and_closes_the_figure(shown):
    plots.show(plots.grid(x, "Five pictures"), alt="five random pictures")
    ((data, metadata),) = shown
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == data["text/plain"] == "five random pictures"
    assert metadata["image/png"]["width"] == 640 and plt.get_fignums() == []


def test_pictures_share_one_gray_scale_whatever_their_range():
    for figure in (plots.rows({"dim": 0.1 * x, "bright": 3 * x}, "Rows"), plots.grid(0.1 * x, "Grid", columns=2)):
        assert {image.get_clim() for ax in figure.axes for image in ax.images} == {(0, 1)}
        plt.close(figure)


def test_rows_and_lines_are_named():
    figure = plots.rows({"data": x, "model": x}, "Rows")
    assert [ax.get_ylabel() for ax in figure.axes] == ["data", "model"]
    figure = plots.curves({"a": [3.0, 1.0], "b": ([0, 4], [2.0, 1.0])}, "Curves")
    assert {text.get_text() for text in figure.axes[0].texts} == {"a", "b"}
    plt.close("all")


def test_a_model_s_output_can_be_plotted_as_it_is():
    z = torch.randn(5, 2, requires_grad=True)
    plots.code_map(z, torch.arange(5), "Map")
    plots.code_story(x[0], z[0], (x * z.sum())[0], "Story")
    plots.cloud({"data": z.detach(), "model": z}, "Cloud")
    plots.directions({"a": x - 0.5, "b": z.sum() * x}, "Directions")
    plt.close("all")


def test_draws_are_moved_or_reweighed():
    figure = plots.two_ways(torch.tensor([-1.0, 0.0, 1.0]), mu=1.0, mu_moved=2.0, sigma=1.0, title="Two ways")
    (_, moved), (_, kept) = (ax.collections[-2:] for ax in figure.axes)
    assert moved.get_offsets()[:, 0].tolist() == [1.0, 2.0, 3.0] and kept.get_offsets()[:, 0].tolist() == [
        0.0,
        1.0,
        2.0,
    ]
    sizes = kept.get_sizes()
    assert sizes[0] < sizes[1] < sizes[2]
    plt.close(figure)


def test_histograms_of_estimates_keep_what_lies_beyond():
    figure = plots.estimates({"a": torch.tensor([1.0, 1.1, 99.0, -99.0])}, 1.0, 2.0, "Estimates", "estimate")
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == pytest.approx(1)
    plt.close(figure)


def test_true_losses_are_sorted_with_the_lowest_on_top():
    figure = plots.told_and_true({"a": 1.0, "b": 2.0}, {"a": 5.0, "b": 2.0}, "Told", "loss")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
    figure = plots.paths({"a": (torch.arange(3.0), torch.rand(3, 20))}, "Paths", "parameter")
    plt.close("all")


def test_intervals_show_each_run_and_two_standard_errors_around_the_mean():
    figure = plots.intervals({"10 labels": {"a": [0.1, 0.3], "b": [0.5, 0.5]}}, "Runs", "share")
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    dots, bar = ax.lines[0].get_xdata(), ax.collections[0].get_segments()[0][:, 0]
    assert list(dots) == [0.1, 0.3] and bar == pytest.approx([0.0, 0.4])
    plt.close(figure)


def test_votes_name_the_likeliest_label_and_the_picture_s_own():
    p = torch.tensor([[0.7, 0.2, 0.1, 0.0], [0.0, 0.05, 0.0, 0.95]])
    figure = plots.votes(x[:2], p, "Votes", torch.tensor([2, 3]))
    assert [list(ax.get_xticks()) for ax in figure.axes[2:]] == [[0, 1, 2], [3]]
    colors = [bar.get_facecolor() for bar in figure.axes[2].patches]
    assert colors[2] != colors[0] == colors[1] == colors[3]
    assert [list(ax.get_xticks()) for ax in plots.votes(x[:2], p, "Votes").axes[2:]] == [[0, 1], [3]]
    plt.close("all")


def test_code_maps_name_their_panels():
    figure = plots.code_maps({"a": torch.randn(5, 2), "b": torch.randn(5, 2)}, torch.arange(5), "Maps")
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["a", "b"]
    plt.close(figure)


def test_what_is_told_is_written_out_unless_it_is_next_to_nothing():
    figure = plots.told({"a": torch.tensor([[0.9, 0.01], [0.3, 0.0]]), "b": torch.zeros(2, 2)}, ("x", "y"), "Told")
    assert [[text.get_text() for text in ax.texts] for ax in figure.axes] == [["0.9", "0.3"], []]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["1", "2"]
    plt.close(figure)


def test_strokes_have_the_slope_of_minus_beta():
    runs = {2.0: ([3.0, 3.2], [20.0, 21.0]), 8.0: (torch.tensor([1.0, 1.2]), torch.tensor([40.0, 41.0]))}
    figure = plots.tradeoff(runs, {2.0: (3.1, 20.0)}, "Trade")
    strokes = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 1]
    for line, beta in zip(strokes, runs, strict=True):
        (x0, x1), (y0, y1) = line.get_xdata()[[0, -1]], line.get_ydata()[[0, -1]]
        assert (y1 - y0) / (x1 - x0) == pytest.approx(-beta)
    plt.close(figure)


def test_score_rows_share_one_scale():
    figure = plots.score_rows({"a": torch.tensor([0.0, 1.0]), "b": torch.tensor([5.0, 9.0])}, "Scores", "score")
    assert [ax.get_ylabel() for ax in figure.axes] == ["a", "b"]
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert all(sum(bar.get_height() for bar in ax.patches) == pytest.approx(1) for ax in figure.axes)
    plt.close(figure)

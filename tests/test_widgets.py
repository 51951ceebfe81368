"""Experiments without a browser: what they compute at every end of their controls, and how a view answers."""

from itertools import product

import pytest
import torch
from torch import nn

from course_utils import data, widgets
from course_utils.data.images import from_drawing
from course_utils.errors import CourseError
from course_utils.models.autoencoder import DenseAutoencoder
from course_utils.models.convolutional import overlap
from course_utils.models.vae import DenseVAE
from course_utils.widgets.view import DRAWING, Drawing, Pad, Pick, Slider, TrainingView, View


def judge(x):
    return x.flatten(1).norm(dim=1), x.flatten(1).amax(1)


@pytest.fixture(scope="module")
def experiments():
    """Every experiment of the course, over models that have learned nothing."""
    images = data.digits()
    x, y = images.x_test[:10], images.y_test[:10]
    narrow, wide = DenseAutoencoder(2), DenseAutoencoder(8)
    return {
        "step_size": widgets.step_size(images.x_train[:300], steps=10),
        "draw_digit": widgets.draw_digit(wide),
        "bottleneck": widgets.bottleneck({2: narrow, 8: wide}, x),
        "code_map": widgets.code_map(narrow, x, y),
        "code_map, judged": widgets.code_map(narrow, x, y, judge, (6.0, 0.5)),
        "kernel_and_stride": widgets.kernel_and_stride(),
        "noise_level": widgets.noise_level({"plain": wide}, x, images.x_train[:500]),
        "walk": widgets.walk(wide, x, y, judge, (6.0, 0.5)),
        "gradient_estimates": widgets.gradient_estimates(repeats=100),
        "decoder_noise": widgets.decoder_noise(wide, x, y),
        "move_q": widgets.move_q(lambda z: -0.5 * (3 - 2 * z[..., 0]).square()),
        "many_draws": widgets.many_draws(lambda z: -2 * (2 - z[..., 0].square()).square()),
        "posterior": widgets.posterior(DenseVAE(8)),
        "prior_plane": widgets.prior_plane(DenseVAE(2), x, y),
    }


def sample(control):
    """What the page can send of a control: its ends, and something between."""
    match control:
        case Slider(values=values):
            return sorted({0, len(values) // 3, len(values) - 1})
        case Pick(pictures=pictures):
            return [0, len(pictures) - 1]
        case Pad():
            low, high = control.spec()["low"], control.spec()["high"]
            return [low, high, [low[0], high[1]], [0.5 * (a + b) for a, b in zip(low, high, strict=True)]]
        case Drawing():
            dot = [0] * DRAWING**2
            dot[0] = 255
            return [control.start, [255] * DRAWING**2, dot]


def ask(view, id=1, **question):
    view._asked(view, {"id": id, "sent": view.sent, **question}, [])
    return view.frame


def test_every_experiment_is_tried(experiments):
    assert {name.split(",")[0] for name in experiments} == set(widgets.__all__)


def test_computes_finite_outputs_of_one_shape_at_all_ends(experiments):
    for name, view in experiments.items():
        shapes = [output["shape"] for output in view.frame["outputs"]]
        for sent in product(*(sample(control) for control in view.control.values())):
            values = {key: control.read(s) for (key, control), s in zip(view.control.items(), sent, strict=True)}
            outputs = view.compute(**values)
            with torch.no_grad():
                outputs = list(outputs)[-1] if isinstance(view, TrainingView) else outputs
            for (label, output), shape in zip(outputs.items(), shapes, strict=True):
                assert output.isfinite().all(), (name, values, label)
                assert output.ndim == 2 or output.shape == shape, (name, values, label)
                assert output.ndim != 4 or -1e-6 <= output.min() <= output.max() <= 1 + 1e-6 or "nois" in label


def test_playing_changes_neither_random_numbers_nor_models(experiments):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    for name, view in experiments.items():
        for key, control in view.control.items():
            for sent in sample(control):
                assert "error" not in ask(view, sent={**view.sent, key: sent}), name
        ask(view, step=True)
    view = widgets.step_size(data.digits().x_train[:300])
    ask(view, step=True)
    assert torch.equal(torch.get_rng_state(), before)


def test_models_of_the_lesson_get_no_gradients(experiments):
    model = DenseAutoencoder(2)
    images = data.digits()
    before = [p.clone() for p in model.parameters()]
    ask(widgets.code_map(model, images.x_test[:10], images.y_test[:10]))
    assert all(p.grad is None and torch.equal(p, old) for p, old in zip(model.parameters(), before, strict=True))


def outputs(frame):
    """The raw bytes of a frame by their labels."""
    return {output["label"]: output["data"] for output in frame["outputs"]}


def test_training_moves_only_when_asked_and_begins_anew_the_same():
    view = widgets.step_size(data.digits().x_train[:300], steps=6)
    first = outputs(view.frame)
    slices = [outputs(ask(view, step=True)) for _ in range(3)]
    assert len({str(frame) for frame in [first, *slices]}) == 4
    assert ask(view, step=True)["ended"]
    assert outputs(ask(view)) == first
    assert [outputs(ask(view, step=True)) for _ in range(3)] == slices


def test_an_error_is_one_readable_line_and_the_next_question_is_answered():
    def compute(value):
        if value == 1:
            raise ValueError("two\nlines")
        if value == 2:
            raise CourseError("Train the model first.")
        return {"value": torch.tensor(float(value))}

    view = View("Title", compute, value=Slider("value", [0, 1, 2, 3]))
    assert ask(view, sent={"value": 1})["error"] == "This experiment stopped with ValueError: two lines"
    assert ask(view, sent={"value": 2})["error"] == "Train the model first."
    assert ask(view, id=9, sent={"value": 9}).keys() == {"id", "error"}
    frame = ask(view, id=10, sent={"value": 3})
    assert "error" not in frame and frame["id"] == 10


def test_a_broken_first_frame_still_gives_a_view():
    view = View("Title", lambda value: 1 / 0, value=Slider("value", [0]))
    assert view.frame["error"].startswith("This experiment stopped with ZeroDivisionError")


def test_kernel_and_stride_shows_even_rows_where_the_stride_divides_the_kernel():
    view = widgets.kernel_and_stride()
    for kernel in range(1, 9):
        for stride in range(1, 5):
            outputs = view.compute(kernel=kernel, stride=stride)
            even = outputs["stamps over each pixel"].unique().numel() == 1
            flat = outputs["stamps of ones"].unique().numel() == 1
            assert even == flat == (kernel % stride == 0), (kernel, stride)
            # One number of weights is left for the mean gray, of the stride^2 kinds of pixel.
            assert outputs["share of the energy in the grid"] == pytest.approx(1 - 1 / stride**2, abs=0.05)
            assert outputs["resize, same kernels"].std((1, 2, 3)).max() < 1e-6
    assert overlap(9, 3, 2).max() == 2


def test_code_map_draws_the_decoders_picture_and_finds_the_nearest_code():
    images = data.digits()
    model = DenseAutoencoder(2)
    x = images.x_test[:20]
    with torch.no_grad():
        z = model.encoder(x)
        outputs = widgets.code_map(model, x, images.y_test[:20]).compute(z=z[7])
        torch.testing.assert_close(outputs["drawn from here"], model(x[7:8]))
    assert torch.equal(outputs["digit of the nearest code"], x[7:8])
    assert outputs["distance to that code"] < 1e-2


def test_walk_begins_and_ends_at_the_chosen_digits():
    images = data.digits()
    model = DenseAutoencoder(8)
    x = images.x_test[:5]
    with torch.no_grad():
        walk = widgets.walk(model, x, images.y_test[:5])
        for t, end in ((0.0, 2), (1.0, 4)):
            outputs = walk.compute(a=2, b=4, t=t)
            torch.testing.assert_close(outputs["here, between codes"][0], model(x)[end])
            torch.testing.assert_close(outputs["here, between pixels"][0], x[end])


def test_without_noise_the_formula_returns_a_training_picture():
    images = data.digits()
    x_train = images.x_train[:200]
    view = widgets.noise_level({"same": nn.Identity()}, x_train[:10], x_train)
    outputs = view.compute(sigma=0.0)
    torch.testing.assert_close(outputs["formula"], x_train[:10])
    assert outputs["error, same"] == 0
    noisy = [view.compute(sigma=sigma)["noisy"] - x_train[:10] for sigma in (0.5, 1.5)]
    torch.testing.assert_close(noisy[1], 3 * noisy[0], atol=1e-5, rtol=0)  # one noise, turned up


def test_a_drawing_is_prepared_as_the_digits_were():
    images = data.digits()
    drawing = torch.zeros(32, 32)
    drawing[4:20, 9:12] = 1  # a stroke at the upper left, not very high
    x = from_drawing(drawing)[0, 0]
    assert x.shape == (28, 28) and images.x_test.min() - 1e-3 <= x.min() and x.max() <= 1
    rows, columns = (x > 0.5).any(1).nonzero()[:, 0], (x > 0.5).any(0).nonzero()[:, 0]
    tall = (images.x_test > 0.5).any(3)[:, 0].float().sum(1).median()
    assert abs(len(rows) - tall) <= 2
    assert abs(rows.float().mean() - 13.5) <= 1 and abs(columns.float().mean() - 13.5) <= 1.5
    torch.testing.assert_close(from_drawing(drawing.roll((8, 8), (0, 1)))[0, 0], x)
    assert from_drawing(torch.zeros(32, 32)).max() < 0.1


def test_gradient_estimates_agree_with_their_exact_spread():
    view = widgets.gradient_estimates()
    for sigma, Z in product((0.5, 1.0), (1, 10)):
        outputs = view.compute(mu=1.0, sigma=sigma, Z=Z, draws=8)
        assert outputs["spread, pathwise"] == pytest.approx(sigma / 8**0.5, rel=0.15)
    outputs = view.compute(mu=1.0, sigma=1.0, Z=100, draws=32)
    # The variance of one draw is 7.5 + 5.5 (Z - 1) + (Z - 1)^2.
    assert outputs["spread, score function"] == pytest.approx((10353 / 32) ** 0.5, rel=0.15)
    histograms = [output for output in outputs.values() if output.ndim == 2]
    assert all(histogram[:, 1].sum() == pytest.approx(1) for histogram in histograms)


def test_decoder_noise_states_the_nats_of_its_own_draws():
    images = data.digits()
    model = DenseAutoencoder(8)
    with torch.no_grad():
        view = widgets.decoder_noise(model, images.x_test[:4], images.y_test[:4])
        outputs = view.compute(digit=1, sigma=0.3)
        log_p = torch.distributions.Normal(model(images.x_test[1:2]), 0.3).log_prob(images.x_test[1:2])
    torch.testing.assert_close(outputs["nats, this digit"], -log_p.sum())
    assert (outputs["what the draws add"] - 0.5)[:, :, 3:9].std() == pytest.approx(0.3, rel=0.2)


def test_posterior_shows_mu_sigma_and_codes_drawn_around_mu():
    model = DenseVAE(8)
    drawing = torch.zeros(32, 32)
    drawing[4:28, 14:18] = 1
    with torch.no_grad():
        outputs = widgets.posterior(model, draws=400).compute(drawing=drawing)
        x = outputs["the encoder gets"]
        mu, logvar = model.encode(x)
        draws = outputs["drawn from codes of its posterior"]
        torch.testing.assert_close(outputs["drawn from mu"], model.decoder(mu).sigmoid())
    assert set(x.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(outputs["mu, unit by unit"], mu[0])
    torch.testing.assert_close(outputs["sigma, unit by unit"], (0.5 * logvar).exp()[0])
    assert draws.shape == (400, 1, 28, 28) and draws.std(0).max() > 1e-3
    # An untrained decoder is nearly linear, so that the mean of the pictures is nearly the picture of the mean.
    assert (draws.mean(0) - outputs["drawn from mu"][0]).abs().max() < 0.1


def test_prior_plane_says_how_much_of_the_prior_lies_farther_out():
    images = data.digits()
    view = widgets.prior_plane(DenseVAE(2), images.x_test[:5], images.y_test[:5])
    name = "share of the prior's codes that lie farther out"
    with torch.no_grad():
        assert view.compute(z=torch.zeros(2))[name] == 1
        assert view.compute(z=torch.tensor([0.0, 2.4477]))[name] == pytest.approx(0.05, abs=1e-3)

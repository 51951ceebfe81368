"""Experiments without a browser: what they compute at every end of their controls, and how a view answers."""

from itertools import product

import pytest
import torch
from torch import nn

from course_utils import data, metrics, widgets
from course_utils.data.images import from_drawing
from course_utils.errors import CourseError
from course_utils.models.autoencoder import DenseAutoencoder
from course_utils.models.conditional import ConditionalVAE, one_hot
from course_utils.models.convolutional import overlap, transposed_decoder
from course_utils.models.features import digit_features
from course_utils.models.sprites import SpriteVAE
from course_utils.models.vae import DenseVAE
from course_utils.widgets.view import DRAWING, Drawing, Pad, Pick, Scene, Slider, TrainingView, View

UPPER = torch.arange(28)[:, None].expand(28, 28) < 14


def judge(x):
    return x.flatten(1).norm(dim=1), x.flatten(1).amax(1)


@pytest.fixture(scope="module")
def experiments():
    """Every experiment of the course, over models that have learned nothing."""
    images = data.digits()
    x, y = images.x_test[:10], images.y_test[:10]
    narrow, wide = DenseAutoencoder(2), DenseAutoencoder(8)
    sprites = data.every_sprite("x", "y", "scale")
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
        "turned_units": widgets.turned_units({1: SpriteVAE(), 32: SpriteVAE()}, *sprites, ("x", "y", "scale"), draws=2),
        "suspicion": widgets.suspicion(DenseVAE(8), images.x_train[:300].round(), x.round()),
        "wipe_out": widgets.wipe_out(DenseVAE(8), x.round(), y, steps=5),
        "collapse": widgets.collapse(images.x_train[:300, :, ::2, ::2].round(), steps=10),
        "style_and_label": widgets.style_and_label(ConditionalVAE(2), x, y),
        "fill_in": widgets.fill_in(ConditionalVAE(8, condition_dim=392), images.x_train[:500], UPPER),
        "be_the_critic": widgets.be_the_critic(),
        "two_players": widgets.two_players(data.points("moons", 300).x, rounds=4),
        "digits_game": widgets.digits_game(images.x_train[:300], rounds=4),
        "mode_collapse": widgets.mode_collapse(data.points("rings", 300).x, torch.eye(2), 0.4, rounds=5),
        "forged_sharpness": widgets.forged_sharpness(images.x_train[:20], images.x_test[:20]),
        "judge_a_set": widgets.judge_a_set(images.x_train[:2500], images.y_train[:2500], digit_features()),
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
                if isinstance(output, Scene):
                    assert all(one.isfinite().all() for one in (output.x_real, output.x_fake, output.push)), values
                    output = output.surface
                assert output.isfinite().all(), (name, values, label)
                grows = output.ndim == 2 or (output.ndim == 3 and isinstance(view, TrainingView))
                assert grows or output.shape == shape, (name, values, label)
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


def test_collapse_is_kept_away_by_a_small_beta_alone():
    """The weight follows the warm-up, and with beta near 0 the KL grows where with a large one it dies."""
    x = data.binarized("digits").x_train[:1000, :, ::2, ::2]
    view = widgets.collapse(x, steps=80)
    ends = {}
    for beta in (0.1, 4):
        with torch.no_grad():
            frames = list(view.compute(beta=beta, warm_up=0))
        ends[beta] = float(frames[-1]["KL in nats, step by step"][-10:, 1].mean())
    assert ends[0.1] > 1 > 0.2 > ends[4]
    with torch.no_grad():
        weights = [float(frame["weight of the KL now"]) for frame in view.compute(beta=2, warm_up=100)]
    assert weights[0] == 0 and weights[-1] == pytest.approx(2 * 0.8)


def test_style_and_label_draws_what_the_decoder_makes_of_code_and_label():
    images, model = data.digits(), ConditionalVAE(2)
    x, y = images.x_test[:20], images.y_test[:20]
    with torch.no_grad():
        z = model.encode(x, one_hot(y))[0]
        outputs = widgets.style_and_label(model, x, y).compute(z=z[7], label=3)
        want = model.decode(z[7:8], one_hot(torch.tensor([3]))).sigmoid()
    torch.testing.assert_close(outputs["your label, in this style"], want)
    torch.testing.assert_close(outputs["all ten labels, in this style"][3:4], want)
    assert torch.equal(outputs["digit of the nearest code"], x[7:8])


def test_fill_in_keeps_what_is_seen_and_knows_nothing_of_the_rest():
    images, model = data.digits(), ConditionalVAE(8, condition_dim=392)
    view = widgets.fill_in(model, images.x_train[:100], UPPER)
    drawing = torch.zeros(DRAWING, DRAWING)
    drawing[2:30, 10:14] = 1
    with torch.no_grad():
        outputs = view.compute(drawing=drawing)
        x, shown = outputs["your digit, and what is seen of it"]
        for label in ("filled in, eight codes", "filled in by the mean of 20 neighbors"):
            assert torch.equal(outputs[label][:, :, :14], x[:, :14].expand(len(outputs[label]), 1, 14, 28)), label
        assert torch.equal(shown[:, 14:], torch.full((1, 14, 28), 0.5))
        assert outputs["filled in, eight codes"].std(0)[:, 14:].max() > 0


def test_a_turn_leaves_what_is_drawn_at_the_center_and_swaps_the_units_after_90_degrees():
    x, levels = data.every_sprite("x", "y", "scale")
    view = widgets.turned_units({8: SpriteVAE()}, x, levels, ("x", "y", "scale"))
    with torch.no_grad():
        start, half, end = (view.compute(beta=8, degrees=d, first=0.0, second=0.0) for d in (0.0, 45.0, 90.0))
    torch.testing.assert_close(start["drawn from here"], end["drawn from here"])
    torch.testing.assert_close(start["A from -2 to 2"], end["B from -2 to 2"], atol=1e-4, rtol=0)
    torch.testing.assert_close(start["B from -2 to 2"], end["A from -2 to 2"].flip(0), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        start["share of x, y, scale that A tells"], end["share of x, y, scale that B tells"], atol=1e-2, rtol=0
    )
    price = "KL if q must be diagonal: nats more"
    assert start[price] == pytest.approx(0, abs=1e-5) and half[price] >= 0


def test_suspicion_counts_the_held_out_digits_on_either_side():
    images = data.binarized("digits")
    x_train, x_test = images.x_train[:300], images.x_test[:40]
    model = DenseVAE(8)
    view = widgets.suspicion(model, x_train, x_test)
    drawing = torch.zeros(DRAWING, DRAWING)
    drawing[4:28, 14:18] = 1
    with torch.no_grad():
        outputs = view.compute(drawing=drawing)
        mu, mu_train, mu_test = (model.encode(x)[0] for x in (outputs["the model gets"], x_train, x_test))
    distance = metrics.nearest_distance(mu, mu_train)
    nearer = (metrics.nearest_distance(mu_test, mu_train) < distance).float().mean()
    torch.testing.assert_close(outputs["distance to the nearest code"], distance[0])
    torch.testing.assert_close(outputs["held-out digits with a nearer code, in %"], 100 * nearer)
    assert 0 <= outputs["held-out digits with a higher bound, in %"] <= 100


def test_wipe_out_fills_the_hidden_part_alone_and_from_the_seen_part_alone():
    images = data.binarized("digits")
    x, y = images.x_test[:3], images.y_test[:3]
    drawing = torch.zeros(DRAWING, DRAWING)
    drawing[16:] = 1
    other = x.clone()
    other[:, :, 14:] = 1 - other[:, :, 14:]
    model, label = DenseVAE(8), "filled in, eight codes"
    with torch.no_grad():
        outputs, others = (widgets.wipe_out(model, one, y).compute(digit=1, drawing=drawing) for one in (x, other))
        nothing = widgets.wipe_out(model, x, y).compute(digit=1, drawing=torch.zeros(DRAWING, DRAWING))
    assert outputs["hidden pixels"] == 14 * 28 and nothing["hidden pixels"] == 0
    assert torch.equal(outputs[label][:, :, :14], x[1:2, :, :14].expand(8, 1, 14, 28))
    torch.testing.assert_close(outputs[label], others[label])
    assert torch.equal(nothing[label], x[1:2].expand(8, 1, 28, 28))


def test_a_scene_goes_to_the_page_as_raw_bytes():
    x = torch.tensor([[0.5, -1.0], [2.0, 0.0], [1.0, 1.0]])
    scene = Scene(torch.rand(4, 5), x, -x, 0 * x, 2.5)
    (output,) = View("Title", lambda: {"plane": scene}).frame["outputs"]
    assert output["label"] == "plane" and output["shape"] == (4, 5) and output["scene"]["reach"] == 2.5
    assert output["data"] == scene.surface.numpy().tobytes()
    parts = [output["scene"][name] for name in ("x_real", "x_fake", "push")]
    assert parts == [one.numpy().tobytes() for one in (x, -x, 0 * x)]


def players_after(rounds, **moved):
    """The last frame of the two players, all controls but those named where they begin."""
    view = widgets.two_players(data.points("moons", 2000).x, rounds=rounds)
    values = {name: control.read(control.start) for name, control in view.control.items()}
    with torch.no_grad():
        return list(view.compute(**{**values, **moved}))[-1]


def test_two_players_start_apart_and_cover_the_data():
    frames = [players_after(rounds)["share of the data near a fake"] for rounds in (0, 1600)]
    assert frames[0] < 0.5 and frames[1] > 0.85


def test_a_rushing_generator_covers_little():
    for rush in ({"lr_generator": 1e-2}, {"generator_steps": 5}):
        assert players_after(600, **rush)["share of the data near a fake"] < 0.4
    still = players_after(300, lr_discriminator=0.0)
    assert still["share of the data near a fake"] < 0.1


def test_players_with_a_rate_of_0_stand_still_and_fakes_are_pushed_up_the_surface():
    first, last = (players_after(rounds, lr_generator=0.0) for rounds in (0, 60))
    scene, other = (next(iter(frame.values())) for frame in (last, first))
    assert torch.equal(scene.x_fake, other.x_fake) and not torch.equal(scene.surface, other.surface)
    first, last = (players_after(rounds, lr_discriminator=0.0) for rounds in (0, 60))
    still, other = (next(iter(frame.values())) for frame in (last, first))
    assert torch.equal(still.surface, other.surface) and not torch.equal(still.x_fake, other.x_fake)

    def heights(points):
        column = ((points[:, 0] + 2.5) / 5 * 48).long().clamp(0, 47)
        row = ((2.5 - points[:, 1]) / 5 * 48).long().clamp(0, 47)
        return scene.surface[row, column]

    assert heights(scene.x_fake + scene.push).mean() > heights(scene.x_fake).mean()


def test_no_hand_made_critic_beats_the_distance_and_the_right_one_reaches_it():
    compute = widgets.be_the_critic().compute
    score = {}
    for slopes in product((-1.0, -0.5, 0.5, 1.0), repeat=4):
        for q in ((0.0, 2.0), (2.0, 2.0), (3.0, 1.0)):
            found, exact = list(compute(*q, *slopes).values())[2:4]
            assert found <= exact + 1e-4
            score[q, slopes] = float(found / exact)
    assert score[(3.0, 1.0), (-1.0,) * 4] > 0.999
    assert score[(0.0, 2.0), (1.0, 1.0, -1.0, -1.0)] > 0.999  # a tent over the narrow one
    assert score[(2.0, 2.0), (1.0, -1.0, -1.0, -1.0)] > 0.999
    assert score[(3.0, 1.0), (1.0,) * 4] < -0.999
    assert abs(score[(0.0, 2.0), (-1.0,) * 4]) < 1e-3
    (far, js_far), (near, js_near) = (list(compute(d, 1.0, *[0.0] * 4).values())[3:] for d in (6.0, 4.0))
    assert far - near == pytest.approx(2, abs=1e-3) and 0 < js_far - js_near < 0.1


def test_a_forgery_needs_more_than_noise_or_edges_alone():
    state, decoder = data.weights("vaegan_on_digits"), transposed_decoder(8)
    decoder.load_state_dict({key.split("/")[1]: value for key, value in state.items() if key.startswith("VAE/")})
    with torch.no_grad():
        soft = decoder(torch.randn(200, 8, generator=torch.Generator().manual_seed(0)))
    view = widgets.forged_sharpness(soft, data.digits().x_test[:200])

    def met(*values):
        fine, gradient = (float(one) for one in list(view.compute(*values).values())[3:])
        return 0.8 < fine < 1.2 and 0.8 < gradient < 1.2

    assert not any(met(0.0, 0.0, strength) for strength in view.control["strength"].values)
    assert not any(met(0.0, edges, 0.0) for edges in view.control["edges"].values)
    assert met(0.8, 4.0, 0.0)


def test_a_judged_set_loses_precision_to_blur_and_recall_to_missing_digits():
    images = data.digits()
    compute = widgets.judge_a_set(images.x_train[:2500], images.y_train[:2500], digit_features()).compute
    whole, blurred, fewer, small = (
        {name: float(one) for name, one in list(compute(*values).items())[2:]}
        for values in ((0, 0.0, 0.0, 500), (0, 1.2, 0.0, 500), (5, 0.0, 0.0, 500), (0, 0.0, 0.0, 50))
    )
    assert whole["FID"] < 0.3 < small["FID"] and abs(small["KID x 100"]) < 10
    assert blurred["precision"] < whole["precision"] - 0.3
    assert fewer["recall"] < whole["recall"] - 0.3 and abs(fewer["precision"] - whole["precision"]) < 0.1
    assert blurred["FID"] > 1 and fewer["FID"] > 1

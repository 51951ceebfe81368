"""The exercises of lesson 07, and its task as the lesson knows it."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from course_utils import losses
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensor, tensors
from course_utils.models import codes, vae


@exercise("7.1", "The loss and its two parts", {"reconstruction": 1, "KL": 1, "loss": 1}, losses.negative_elbo)
def _(answer: Answer, judge: Judge) -> None:
    B, Z, H, W = judge.integer(3, 5), judge.integer(6, 9), judge.integer(10, 14), judge.integer(15, 19)
    x_logits, x = 2 * judge.normal(B, 1, H, W), (judge.uniform(B, 1, H, W) < 0.4).float()
    mu, logvar = judge.normal(B, Z) + 1, judge.normal(B, Z) - 0.5
    nll, kl = (value.double() for value in losses.negative_elbo(x_logits, mu, logvar, x)[1:])
    in_pixels = functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    probabilities = functional.binary_cross_entropy_with_logits(x_logits.sigmoid(), x, reduction="none")
    per_unit = 0.5 * (mu.square() + logvar.exp() - 1 - logvar)
    by_sigma = 0.5 * (mu.square() + (2 * logvar).exp() - 1 - 2 * logvar).sum(1)

    with failing(
        (
            "between 0 and 1",
            "logits-as-probabilities",
            "x_logits are no probabilities yet: losses take logits as they are",
        )
    ):
        value = answer(x_logits, mu, logvar, x)
    expect(value is not None, "nothing", "nothing came back: is there a line that begins with return?")
    loss, reconstruction, got_kl = tensors(value, "loss", "reconstruction", "kl")
    for one in (loss, reconstruction, got_kl):
        expect(one.ndim != 0, "one-number", f"one number for the whole batch came back: {B} pictures have {B} losses")
    swapped = _close(reconstruction, kl) and _close(got_kl, nll)
    expect(not swapped, "swapped", "the reconstruction comes before the KL")
    last = _close(got_kl, nll + kl) or (_close(loss, nll) and not _close(reconstruction, nll))
    expect(not last, "loss-not-first", "the loss comes first: a training minimizes the first term")
    with judge.part("reconstruction"):
        wrong = [
            ("mean-over-pixels", nll / (H * W), "the reconstruction was averaged over the pixels: nats of a picture are a sum"),
            ("mean-over-pixels", in_pixels.double().flatten(1).mean(1), "the reconstruction was averaged over the pixels: nats of a picture are a sum"),
            ("sigmoid-twice", probabilities.flatten(1).sum(1), "a sigmoid was applied to the logits first: the loss applies it by itself"),
            ("wrong-sign", -nll, "this is log p(x|z): the loss holds its negative"),
            ("arguments-swapped", losses.bernoulli_nll(x, x_logits), "logits and picture changed places: losses.bernoulli_nll takes the logits first"),
            ("squared-error", losses.squared_error(x_logits.sigmoid(), x), "this is a squared error: the decoder is a Bernoulli"),
            ("one-pixel-each", in_pixels, "one number for each pixel came back: sum over the pixels of a picture"),
        ]  # fmt: skip
        same(reconstruction, nll, "the reconstruction term is off", wrong)
    with judge.part("KL"):
        wrong = [
            ("mean-over-latents", kl / Z, "the KL was averaged over the latents: nats of a picture are a sum"),
            ("wrong-sign", -kl, "this is minus the KL: a KL is never negative"),
            ("no-half", 2 * kl, "this is twice the KL: the half is missing"),
            ("logvar-as-log-sigma", by_sigma, "logvar was taken for log sigma: exp(logvar) is the variance already"),
            ("one-unit-each", per_unit, "one number for each latent came back: sum over the latents of a picture"),
        ]
        same(got_kl, kl, "the KL term is off", wrong)
    with judge.part("loss"):
        wrong = [
            ("kl-subtracted", nll - kl, "the KL was subtracted: the ELBO subtracts it, the loss is minus the ELBO"),
            ("elbo", -nll - kl, "this is the ELBO itself: a training minimizes, so turn the sign"),
            ("kl-missing", nll, "the loss is the reconstruction alone: the KL is missing"),
            ("averaged", (nll + kl) / 2, "this is the mean of the two parts: the loss is their sum"),
        ]
        same(loss, nll + kl, "the loss is not the sum of its parts", wrong)


def _close(got: Tensor, want: Tensor) -> bool:
    return got.shape == want.shape and torch.allclose(got.double().cpu(), want.double().cpu(), rtol=1e-4, atol=1e-5)


@exercise("7.2", "One body, two heads", {"shapes": 1, "heads": 2}, vae.ConvolutionalEncoder)
def _(answer: Answer, judge: Judge) -> None:
    B, Z = 2 * judge.integer(8, 10), judge.integer(3, 7)
    x = judge.uniform(B, 1, 28, 28)
    encoder = answer.new(Z)
    params = encoder.params()
    with judge.part("shapes"):
        out = encoder(x)
        expect(out is not None, "nothing", "nothing came back: is there a line that begins with return?")
        expect(
            not (isinstance(out, Tensor) and tuple(out.shape) == (B, 2 * Z)),
            "not-split",
            f"{2 * Z} numbers came back in one tensor: split them into mu and logvar",
        )
        mu, logvar = tensors(out, "mu", "logvar")
        expect(
            tuple(mu.shape) != (B // 2, 2 * Z),
            "batch-split",
            "the batch was split in two: each picture has a mu and a logvar, so split its numbers (dim=1)",
        )
        for name, one in (("mu", mu), ("logvar", logvar)):
            expect(
                tuple(one.shape) == (B, Z),
                "wrong-shape",
                f"{name} should have shape ({B}, {Z}) for {B} pictures and {Z} latents, got {tuple(one.shape)}",
            )
        expect(
            any(value.ndim == 4 for value in params.values()),
            "no-convolution",
            "no weight here belongs to a convolution: begin with conv_encoder, or with layers like its own",
        )
    if judge.mistakes:
        return
    with judge.part("heads"):
        encoder.eval()
        mu, logvar = tensors(encoder(x), "mu", "logvar")
        wide = _wide(mu, logvar)
        alone = tensors(encoder(x[:1]), "mu", "logvar")[0]
        expect(
            alone.shape == mu[:1].shape and torch.allclose(alone, mu[:1], rtol=1e-3, atol=1e-4),
            "pictures-mixed",
            "a picture gets another mu when it comes alone: pictures of a batch were mixed",
        )
        mus, spreads = _heads_under_random_weights(encoder, params, x[:3], judge)
        for name, values in (("mu", mus), ("logvar", spreads)):
            moves = (values[::3] - values[1::3]).abs().max() > 1e-6
            expect(moves, "picture-ignored", f"{name} is the same for all pictures: it depends on x")
        expect(
            not torch.allclose(mus, spreads, rtol=1e-4, atol=1e-5),
            "same-head",
            "mu and logvar are the same numbers: each needs numbers of its own",
        )
        expect(
            not torch.allclose(mus.square(), spreads.exp(), rtol=1e-3)
            and not torch.allclose(mus.abs().clamp(1e-9).log(), spreads, rtol=1e-3),
            "spread-from-mu",
            "logvar is a function of mu: how sure the encoder is must be free of where it points",
        )
        expect(
            float(spreads.min()) < -1e-6,
            "logvar-not-negative",
            "logvar is never below 0, so sigma never below 1: a logarithm may be negative, leave it as the layer gives it",
        )
        expect(
            float(spreads.max()) > 1e-6,
            "logvar-not-positive",
            "logvar is never above 0: leave it as the layer gives it",
        )
        expect(
            float(mus.min()) < -1e-6, "mu-not-negative", "mu is never negative: no ReLU or sigmoid after the last layer"
        )
        for name, values in (("mu", mus), ("logvar", spreads)):
            largest = float(values.abs().max())
            expect(
                largest > 1.5,
                "bounded",
                f"{name} never leaves [-{largest:.2g}, {largest:.2g}]: no tanh after the last layer",
            )
        expect(
            wide or _wide(*tensors(encoder(x), "mu", "logvar")),
            "too-narrow",
            f"mu and logvar are both made of the same {Z} numbers: {2 * Z} numbers must leave the body",
        )


def _wide(mu: Tensor, logvar: Tensor) -> bool:
    """Whether mu and logvar together vary in more than Z directions: a linear layer on Z numbers gives no more."""
    both = torch.cat([mu, logvar], 1).double().cpu()
    strengths = torch.linalg.svdvals(both - both.mean(0))
    return bool(strengths[mu.shape[1]] > 1e-5 * strengths[0])


def _heads_under_random_weights(
    encoder: Answer, params: dict[str, Tensor], x: Tensor, judge: Judge
) -> tuple[Tensor, Tensor]:
    """mu and logvar for large random weights, a dozen times: what a head cannot say then, it can never say."""
    said = []
    for _ in range(12):
        encoder.set_params([3 * judge.normal(*p.shape) / max(1, p[0].numel()) ** 0.5 for p in params.values()])
        said.append(tensors(encoder(x), "mu", "logvar"))
    mus, spreads = (torch.cat(parts).double().cpu().clamp(-1e6, 1e6) for parts in zip(*said, strict=True))
    return mus, spreads


@exercise("7.3", "Codes in equal shares", {"places": 2, "order": 1}, codes.prior_grid)
def _(answer: Answer, judge: Judge) -> None:
    for steps in (judge.integer(4, 6), judge.integer(7, 10)):
        want = codes.prior_grid(steps).double()
        got = tensor(
            torch.tensor([[number(v) for v in row] for row in out]) if isinstance(out := answer(steps), list) else out
        )
        expect(
            tuple(got.shape) != (steps, steps, 2) and tuple(got.shape) != (steps, 2),
            "not-flat",
            f"shape {tuple(got.shape)} came back: {steps} steps make {steps**2} codes, one a row",
        )
        expect(got.shape == want.shape, "wrong-shape", f"shape {tuple(want.shape)} is expected, got {tuple(got.shape)}")
        got = got.double().cpu()
        expect(
            got.isfinite().all(),
            "infinite",
            "some places are infinite: below share 0 lies nothing, so take the middle of each cell, not its edge",
        )
        with judge.part("places"):
            mine, places = got.flatten().unique(), want[:steps, 0]
            # Rounding must not make two places of one.
            mine = mine[torch.cat([torch.ones(1).bool(), mine.diff() > 1e-4])] if len(mine) else mine
            shares = (torch.arange(steps).double() + 0.5) / steps
            for mistake, values, words in [
                ("shares", shares, "these are the shares: ask which number has that share of N(0, 1) below it"),
                ("wrong-way", torch.special.ndtr(places), "the function that is needed goes from share to number, this is the other one"),
                ("wrong-way", torch.special.ndtr(shares), "the function that is needed goes from share to number, this is the other one"),
                ("no-root-two", places / math.sqrt(2), "the places are too close by a factor of 1.41: erfinv belongs to a Gaussian of variance 1/2"),
                ("other-shares", torch.special.ndtri(torch.arange(1, steps + 1).double() / (steps + 1)), "the first place has too much below it: in the middle of the first cell lies half a cell"),
            ]:  # fmt: skip
                expect(not (len(mine) == steps and torch.allclose(mine, values, atol=1e-3)), mistake, words)
            even = len(mine) == steps and torch.allclose(mine.diff(), mine.diff().mean(), atol=1e-3)
            expect(
                not even,
                "even",
                "the places are at equal distances: a Gaussian has more codes near 0, so the places lie closer there",
            )
            right = len(mine) == steps and torch.allclose(mine, places, atol=1e-3)
            if not right:
                same(got, want, "a place is off", rtol=1e-3, atol=1e-3)
        with judge.part("order"):
            as_rows = want.view(steps, steps, 2)
            wrong = [
                ("upside-down", as_rows.flip(0).reshape(-1, 2), "the second number grows downwards: on a map it grows upwards, so begin with the largest"),
                ("turned", as_rows.flip(0).transpose(0, 1).reshape(-1, 2), "along a row the second number changes: the first one is to grow along a row"),
                ("turned", as_rows.transpose(0, 1).reshape(-1, 2), "along a row the second number changes: the first one is to grow along a row"),
                ("turned", as_rows.flip(2).reshape(-1, 2), "the two numbers have changed places: the first one grows along a row"),
                ("turned", as_rows.flip(2).flip(0).reshape(-1, 2), "the two numbers have changed places: the first one grows along a row"),
                ("mirrored", as_rows.flip(1).reshape(-1, 2), "the first number falls along a row: it is to grow"),
                ("stacked-first", as_rows.permute(2, 0, 1).reshape(-1, 2), "the pairs were torn apart: stack on the last axis, so that a row holds both numbers of one code"),
                ("stacked-first", as_rows.flip(2).permute(2, 0, 1).reshape(-1, 2), "the pairs were torn apart: stack on the last axis, so that a row holds both numbers of one code"),
                ("diagonal", as_rows[0, :, :1].expand(steps, 2), "only the diagonal came back: pair every place with every place"),
            ]  # fmt: skip
            same(got, want, "the order of the codes is off", wrong, rtol=1e-3, atol=1e-3)
        if judge.mistakes:
            return


@exercise("7.4", "A walk along the arc", {"walk": 3, "one direction": 1}, codes.spherical_walk)
def _(answer: Answer, judge: Judge) -> None:
    Z, steps = judge.integer(3, 5), judge.integer(5, 8)
    z_a, z_b, angle = _two_codes(judge, Z)
    want = codes.spherical_walk(z_a, z_b, steps).double()
    t = torch.linspace(0, 1, steps)[:, None].double()
    a, b = z_a.double(), z_b.double()
    straight = (1 - t) * a + t * b
    lengths = (1 - t) * a.norm() + t * b.norm()
    arc = _arc(a / a.norm(), b / b.norm(), t, angle)
    raw = (a @ b).clamp(-1, 1).acos()
    with judge.part("walk"):
        wrong = [
            ("straight", straight, "this is the straight walk: it cuts through the middle"),
            ("not-divided", want * math.sin(angle), "the walk does not begin at z_a: both weights are divided by the sine of the whole angle"),
            ("unit-length", arc, "every code has length 1: only the angle is found from shortened codes, the walk uses z_a and z_b"),
            ("length-apart", arc * lengths, "direction and length were walked apart: weigh z_a and z_b themselves by the two sines"),
            ("rescaled", straight / straight.norm(dim=1, keepdim=True) * lengths, "this is the straight walk with other lengths: weigh z_a and z_b by the two sines"),
            ("rescaled", straight / straight.norm(dim=1, keepdim=True) * want.norm(dim=1, keepdim=True), "this is the straight walk with other lengths: weigh z_a and z_b by the two sines"),
            ("angle-of-long-codes", _arc(a, b, t, raw), "the angle is off: divide the product of the codes by both lengths before acos"),
            ("cosine-as-angle", _arc(a, b, t, math.cos(angle)), "the cosine was taken for the angle: acos is missing"),
            ("degrees", _arc(a, b, t, math.degrees(angle)), "sin wants radians, not degrees"),
            ("sines-of-t", (t * math.pi / 2).cos() * a + (t * math.pi / 2).sin() * b, "the angle was taken for 90 degrees: it depends on the codes"),
            ("backwards", want.flip(0), "the walk goes from z_b to z_a: begin at z_a"),
            ("transposed", want.T, f"shape {(Z, steps)} came back: one code a row, shape {(steps, Z)}"),
            ("last-missing", _arc(a, b, torch.arange(steps)[:, None].double() / steps, angle), "the walk stops one step short of z_b: both ends belong to it"),
        ]  # fmt: skip
        with failing(
            ("must match", "no-column", "the steps and the numbers of a code met on one axis: make t a column")
        ):
            got = answer(z_a, z_b, steps)
        expect(got is not None, "nothing", "nothing came back: is there a line that begins with return?")
        # A raw product beyond 1 has no angle at all.
        lost = isinstance(got, Tensor) and got.shape == want.shape and got.isnan().all()
        expect(
            not lost,
            "angle-of-long-codes",
            "the angle is not a number: divide the product of the codes by both lengths before acos",
        )
        # A raw product beyond 1, clamped to 1, gives angle 0 and so the straight walk; for short codes it does not.
        if isinstance(got, Tensor) and _close(got, straight):
            expect(
                _close(answer(z_a / 4, z_b / 4, steps), straight / 4),
                "angle-of-long-codes",
                "long codes get angle 0 and a straight walk: divide the product of the codes by both lengths before acos",
            )
        same(got, want, "a code of the walk is off", wrong, rtol=1e-3, atol=1e-4)
        same(answer(z_a, z_b, 2), torch.stack([z_a, z_b]), "two steps should be the two ends", rtol=1e-3, atol=1e-4)
    if judge.mistakes:
        return
    with judge.part("one direction"):
        # With (1, 0) the angle is exactly 0; with other codes rounding may hide a missing guard.
        plain = torch.eye(Z)[0]
        for start, end in ((plain, plain), (plain, 2 * plain), (z_a, z_a), (z_a, 2 * z_a)):
            got = answer(start, end, steps)
            got = tensor(torch.stack([torch.as_tensor(one) for one in got]) if isinstance(got, list) else got)
            expect(
                got.isfinite().all(),
                "nan",
                "codes of one direction have angle 0, and 0 / 0 is no number: walk straight there",
            )
            same(
                got, codes.walk(start, end, steps), "codes of one direction need a straight walk", rtol=1e-2, atol=1e-2
            )


def _two_codes(judge: Judge, Z: int) -> tuple[Tensor, Tensor, float]:
    """Two codes of different lengths between 1.5 and 3.5, at an angle of 67 to 68 degrees, and that angle."""
    first, other = judge.normal(2, Z)
    first = first / first.norm()
    other = other - (other @ first) * first
    other = other / other.norm()
    # Taken for radians, these degrees lie between two multiples of pi, where the sine is not small.
    angle = math.radians(66.8 + 1.5 * float(judge.uniform(1)))
    z_a = (1.5 + 0.5 * float(judge.uniform(1))) * first
    z_b = (3.0 + 0.5 * float(judge.uniform(1))) * (math.cos(angle) * first + math.sin(angle) * other)
    return z_a, z_b, angle


def _arc(a: Tensor, b: Tensor, t: Tensor, angle: float | Tensor) -> Tensor:
    angle = torch.as_tensor(angle).double()
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()


@task("T7", "A bound with its error", points=5)
def _(answer: Answer, judge: Judge) -> None:
    log_w = torch.tensor([[1.0, 6.0], [3.0, 10.0], [7.0, 30.0], [9.0, 34.0], [5.0, 20.0]]).log()
    values = answer(log_w, 2)
    expect(isinstance(values, list) and len(values) == 2, "wrong-number", "return two numbers: bound, error")
    bound, error = (number(value) for value in values)
    expect(
        abs(bound - math.log(8)) < 1e-4, "bound", f"in the example of the text the bound is log 8, you have {bound:.3g}"
    )
    expect(
        abs(error - math.log(2)) < 1e-4, "error", f"in the example of the text the error is log 2, you have {error:.3g}"
    )

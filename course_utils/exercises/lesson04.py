"""The exercises of lesson 04, and its task as the lesson knows it."""

import math

import torch
from torch import Tensor

from course_utils import losses, metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensor
from course_utils.models import gaussian

LOGVAR_AS_VARIANCE = (
    "logvar was taken for the variance, or for sigma: it is the log of the variance, and may be negative"
)
LOG_OF_LOGVAR = "logvar is already a log, and may be negative: add it as it is, without a log or a root"


@exercise("4.1", "A Gaussian for every pixel", {"nll": 3}, losses.gaussian_nll)
def _(answer: Answer, judge: Judge) -> None:
    B, H, W = judge.integer(3, 5), judge.integer(6, 8), judge.integer(9, 11)
    mean, x = judge.uniform(B, 1, H, W), judge.uniform(B, 1, H, W)
    logvar = 0.8 * judge.normal(B, 1, H, W) - 1
    square, constant = (x - mean).square(), math.log(2 * math.pi)

    def nll(spread: Tensor, log: Tensor | float = logvar, constant: float = constant) -> Tensor:
        """With the square divided by `spread`, and `log` where log sigma^2 belongs."""
        return (0.5 * (square / spread + log + constant)).flatten(1).sum(1)

    right = logvar.exp()
    want, terms = nll(right), 0.5 * (square / right + logvar + constant)
    with judge.part("nll"):
        wrong = [
            ("no-constant", nll(right, constant=0), "the constant ½ log 2π is missing: each pixel has one"),
            ("constant-once", nll(right, constant=0) + constant / 2, "the constant was added once: each pixel has one"),
            ("no-log", nll(right, 0.0), "the term ½ logvar is missing: without it, more noise would always be better"),
            ("no-log", nll(right, 0.0, 0), "the term ½ logvar is missing: without it, more noise would always be better"),
            ("log-not-halved", nll(right, 2 * logvar), "log sigma is half of logvar"),
            ("log-not-halved", nll(right, 2 * logvar, 0), "log sigma is half of logvar, and the constant is missing"),
            ("logvar-as-log-sigma", nll(right**2, 2 * logvar), "logvar was taken for log sigma: it is log sigma^2"),
            ("logvar-as-variance", nll(logvar, logvar.abs().log()), LOGVAR_AS_VARIANCE),
            ("logvar-as-variance", nll(logvar), LOGVAR_AS_VARIANCE),
            ("log-of-logvar", nll(right, logvar.abs().log()), LOG_OF_LOGVAR),
            ("divided-by-sigma", nll(right.sqrt()), "the square is divided by sigma: by sigma^2 it should be"),
            ("multiplied", nll(1 / right), "the square is multiplied by sigma^2: much noise should make an error cheaper"),
            ("not-squared", (0.5 * ((x - mean) / right + logvar + constant)).flatten(1).sum(1), "the difference is to be squared"),
            ("no-half", 2 * want, "this is twice the answer: the ½ stands before all three terms"),
            ("half-on-all-but-square", nll(0.5 * right), "the square is to be halved as well"),
            ("log-likelihood", -want, "this is log p: the loss is minus that"),
            ("mean-over-pixels", terms.mean((1, 2, 3)), "the pixels were averaged: the probability of a picture is a product, so its log is a sum"),
            ("one-number", want.sum(), "one number came back: each picture has a number of its own"),
            ("one-number", want.mean(), "one number came back: each picture has a number of its own"),
            ("one-number", terms.mean(), "one number came back: each picture has a number of its own"),
            ("map", terms, "a number for each pixel came back: sum them within each picture"),
        ]  # fmt: skip
        with failing(
            ("Expected parameter scale", "logvar-as-variance", LOGVAR_AS_VARIANCE),
            ("var has negative", "logvar-as-variance", LOGVAR_AS_VARIANCE),
        ):
            got = answer(mean, logvar, x)
        expect(not isinstance(got, Tensor) or not got.isnan().any(), "log-of-logvar", LOG_OF_LOGVAR)
        same(got, want, "a picture's nats are off", wrong, rtol=1e-3, atol=1e-3)


UNIFORM = "the noise is uniform, as from torch.rand: Gaussian noise comes from torch.randn"


@exercise("4.2", "Several pictures for one code", {"mean": 1, "spread": 2}, gaussian.draws)
def _(answer: Answer, judge: Judge) -> None:
    S, B, H, W = 600, judge.integer(3, 4), judge.integer(6, 8), judge.integer(9, 10)
    mean, logvar = judge.uniform(B, 1, H, W), 0.8 * judge.normal(B, 1, H, W) - 1
    drawn = _drawn(answer, mean, logvar, S)
    expect(
        drawn.shape != mean.shape,
        "no-sample-axis",
        f"one picture for each mean came back: {S} are asked for, on a new first axis",
    )
    expect(
        tuple(drawn.shape) != (B, S, 1, H, W),
        "axes-swapped",
        f"shape {(B, S, 1, H, W)} came back: the draws are the first axis, then the pictures",
    )
    expect(
        tuple(drawn.shape) == (S, B, 1, H, W),
        "wrong-shape",
        f"shape {(S, B, 1, H, W)} is expected, got {tuple(drawn.shape)}",
    )
    drawn = drawn.double()
    mean, logvar = mean.double(), logvar.double()
    expect(drawn.isfinite().all(), "not-finite", "some of the numbers drawn are not finite")
    expect(
        (drawn.std(0) > 1e-6).any(), "same-in-every-draw", "all draws of a picture are equal: each needs fresh noise"
    )
    again = _drawn(answer, mean.float(), logvar.float(), S).double()
    expect(not torch.equal(again, drawn), "same-again", "a second call drew the same pictures: leave the seed alone")
    clamped = drawn.min() >= 0 and drawn.max() <= 1
    expect(not clamped, "clamped", "the draws were cut to 0 to 1: a Gaussian has no such borders")

    sigma = (0.5 * logvar).exp()
    noise = drawn - drawn.mean(0)
    # A fourth moment of 9/5 is that of evenly spread numbers; a Gaussian has 3.
    uniform = 1.5 < (noise / noise.std(0).clamp(min=1e-9)).pow(4).mean() < 2.1
    with judge.part("mean"):
        expect(
            drawn.mean(0).abs().mean() > 0.15 * mean.abs().mean(),
            "no-mean",
            "the draws scatter around zero: add the mean",
        )
        off = ((drawn - mean).mean(0) / noise.std(0).clamp(min=1e-9)).abs().max()
        expect(off < 6 / S**0.5 or not uniform, "uniform", UNIFORM)
        expect(
            off < 6 / S**0.5, "wrong-mean", f"a pixel's draws are off their mean by {float(off):.2g} of their spread"
        )
    with judge.part("spread"):
        eps = drawn - mean
        eps = eps / eps.std(0).clamp(min=1e-9)
        for axis, mistake, words in [
            (1, "same-for-all-pictures", "every picture of a draw got the same noise"),
            (4, "one-noise-a-picture", "all pixels of a picture moved together: each pixel has noise of its own"),
            (3, "one-noise-a-picture", "all pixels of a column moved together: each pixel has noise of its own"),
        ]:
            there = eps.narrow(axis, 0, 1)
            rest = eps.narrow(axis, 1, 1)
            expect((there * rest).mean() < 0.9, mistake, words)
        expect(not uniform, "uniform", UNIFORM)
        variance = (drawn - mean).square().mean(0)
        for mistake, other, words in [
            ("logvar-as-log-sigma", (2 * logvar).exp(), "exp(logvar) was used as sigma: it is the variance"),
            ("logvar-as-sigma", logvar.square(), "logvar was used as sigma: it is the log of the variance"),
            ("logvar-as-sigma", logvar.abs(), "logvar was used as variance: it is the log of it"),
            ("unit", torch.ones_like(logvar), "every pixel has spread 1: multiply by sigma"),
            ("quarter", (0.5 * logvar).exp(), "the spread is the root of sigma: the half was taken twice"),
            (
                "shared",
                sigma.square().mean().expand_as(sigma),
                "every pixel has the same spread: each has its own sigma",
            ),
        ]:
            expect(not _like(variance, other, S), mistake, words)
        expect(_like(variance, sigma.square(), S), "wrong-spread", "the spread of the draws is not exp(logvar / 2)")
        fourth = ((drawn - mean) / sigma).pow(4).mean()
        expect(
            (fourth - 3).abs() < 6 * (96 / drawn.numel()) ** 0.5, "not-gaussian", "the noise is not Gaussian: use randn"
        )
        neighbors = (eps[..., 1:] * eps[..., :-1]).mean()
        expect(
            neighbors.abs() < 6 * eps[..., 1:].numel() ** -0.5, "smooth", "neighboring pixels share some of their noise"
        )


def _drawn(answer: Answer, mean: Tensor, logvar: Tensor, count: int) -> Tensor:
    """The draws, given as one tensor or as a list of tensors of one shape."""
    got = answer(mean, logvar, count)
    is_list = (
        isinstance(got, list) and got and all(isinstance(one, Tensor) and one.shape == got[0].shape for one in got)
    )
    return tensor(torch.stack(got) if is_list else got)


def _like(variance: Tensor, other: Tensor, count: int) -> bool:
    """Whether `count` Gaussian draws of variance `other` could show this variance: six standard errors, each pixel."""
    ratio = variance / other - 1
    error = (2 / count) ** 0.5
    return bool((ratio.abs() < 7 * error).all() and ratio.mean().abs() < 6 * error / ratio.numel() ** 0.5)


@exercise("4.3", "What gray pictures add up to", {"mass": 3, "zero": 1}, losses.gray_log_mass)
def _(answer: Answer, judge: Judge) -> None:
    B, H, W = judge.integer(3, 5), 2, 3  # so few pixels that a mass is told from 0
    x_logits = 2 * judge.normal(B, 1, H, W)
    x_logits = torch.where(x_logits.abs() < 0.3, x_logits + 1, x_logits)
    per_pixel = (x_logits.double() / 2).tanh() / x_logits.double()
    logs = per_pixel.log()
    want = logs.flatten(1).sum(1)
    p = x_logits.double().sigmoid()
    with judge.part("mass"):
        wrong = [
            ("coins", torch.zeros(B), "0 is the answer for coins, which know 0 and 1 alone: here every gray counts"),
            ("not-log", want.exp(), "this is the mass itself: for 784 pixels it rounds to 0, so take its log"),
            ("not-log", per_pixel.flatten(1).sum(1), "the masses of the pixels were added: the mass of a picture is their product, its log the sum of logs"),
            ("log-of-sum", per_pixel.flatten(1).sum(1).log(), "this is the log of a sum: the pixels' masses multiply, so add their logs"),
            ("normalizer", -want, "this is minus the answer: a mass below 1 has a log below 0"),
            ("not-halved", (x_logits.double().tanh() / x_logits.double()).log().flatten(1).sum(1), "the formula has tanh of half of the logit"),
            ("not-divided", (x_logits.double() / 2).tanh().abs().log().flatten(1).sum(1), "divide by the logit before taking the log"),
            ("halved-below", logs.flatten(1).sum(1) + H * W * math.log(2), "tanh is taken of half the logit, but divided by all of it"),
            ("p-for-logit", ((p / 2).tanh() / p).log().flatten(1).sum(1), "the formula wants the logit itself, not its sigmoid"),
            ("no-abs", torch.where(x_logits > 0, logs, math.log(0.5)).flatten(1).sum(1), "every negative logit counts as next to 0: the area is the same for l and -l, so take abs first"),
            ("mean-over-pixels", logs.mean((1, 2, 3)), "the logs were averaged over the pixels: add them"),
            ("one-number", want.sum(), "one number came back: each picture has a mass of its own"),
            ("one-number", want.mean(), "one number came back: each picture has a mass of its own"),
            ("map", logs, "a number for each pixel came back: add them within each picture"),
        ]  # fmt: skip
        got = answer(x_logits)
        if isinstance(got, Tensor):
            expect(not got.isnan().any(), "nan", "nan came back: tanh(l / 2) / l is positive for negative logits too")
        same(got, want, "a picture's log mass is off", wrong, rtol=1e-3, atol=1e-5)
        # As many pixels as a digit has: their product is below the smallest double.
        x_logits = 4 * judge.normal(2, 1, 28, 28)
        x_logits = torch.where(x_logits.abs() < 0.3, x_logits + 1, x_logits)
        got = answer(x_logits)
        lost = isinstance(got, Tensor) and got.isneginf().any()
        expect(not lost, "product", "a product of 784 areas is too small for a float: add logs")
        want = ((x_logits.double() / 2).tanh() / x_logits.double()).log().flatten(1).sum(1)
        same(got, want, "the log mass of a picture of 784 pixels is off", rtol=1e-3)
    with judge.part("zero"):
        flat = torch.zeros(2, 1, 3, 4)
        flat[1] = 1e-6
        got = answer(flat)
        got = tensor(torch.tensor([number(one) for one in got]) if isinstance(got, list) else got)
        expect(got.isfinite().all(), "zero", "at logit 0 the formula says 0 / 0: its limit there is ½")
        same(got, torch.full((2,), 12 * math.log(0.5)), "with all logits 0, twelve pixels have 12 log ½", rtol=1e-3)


PIXELS_ALIKE = "line 5: error and KL are summed over pixels and latents, as in the yardstick; they differ in the batch"

# Each line's effective beta as the text gives its sizes, and what comes out if it is misread.
LINES = {
    "line 1": (
        784 / 200,
        [
            ("face-value", 1, "line 1: the two have weight 1, but one is averaged over 784 and the other over 200"),
            ("upside-down", 200 / 784, "line 1: upside down; multiply the line so that the summed error has weight 1"),
            ("one-average", 784, "line 1: the KL is averaged as well, over 200"),
            ("one-average", 1 / 200, "line 1: the error is averaged as well, over 784"),
            ("half-twice", 784 / 400, "line 1: the ½ belongs to the KL itself, and the error here is a whole -log p"),
        ],
    ),
    "line 2": (
        7.84,
        [
            (
                "face-value",
                0.01,
                "line 2: 0.01 is the weight against an averaged error; the yardstick is the summed one",
            ),
            ("upside-down", 1 / 7.84, "line 2: upside down; multiply the line so that the summed error has weight 1"),
            ("no-weight", 784, "line 2: the weight 0.01 is missing"),
            ("kl-averaged", 0.392, "line 2: the KL is summed over its 20 latents here, not averaged"),
            ("divided", 0.01 / 784, "line 2: an averaged error is 784 times smaller, so the KL weighs 784 times more"),
        ],
    ),
    "line 3": (
        1024 / 500,
        [
            ("face-value", 500, "line 3: 500 stands before the error, and the error is averaged"),
            ("face-value", 1 / 500, "line 3: the error is averaged over the pixels before it is multiplied by 500"),
            ("upside-down", 500 / 1024, "line 3: upside down; multiply the line so that the summed error has weight 1"),
            ("wrong-size", 784 / 500, "line 3: these pictures have 32×32 pixels"),
            ("wrong-size", 32 / 500, "line 3: 32×32 pixels are 1,024"),
            ("no-weight", 1024, "line 3: the weight 500 is missing"),
            ("multiplied", 1024 * 500, "line 3: 500 makes the error weigh more, so the KL weighs less"),
        ],
    ),
    "line 4": (
        0.5,
        [
            ("face-value", 1, "line 4: the yardstick is *half* the summed squares, and this line has all of them"),
            ("upside-down", 2, "line 4: upside down; the error has weight 2 against the KL's 1"),
            ("squared", 0.25, "line 4: a factor of two it is, once"),
        ],
    ),
    "line 5": (
        1 / 128,
        [
            ("face-value", 1, "line 5: the error is summed over the batch of 128, and the KL is averaged over it"),
            ("upside-down", 128, "line 5: upside down; here it is the error that is 128 times too large"),
            ("wrong-size", 1 / 784, PIXELS_ALIKE),
            ("wrong-size", 784, PIXELS_ALIKE),
            ("wrong-size", 784 / 20, PIXELS_ALIKE),
            ("wrong-size", 20 / 784, PIXELS_ALIKE),
            ("wrong-size", 1 / 20, PIXELS_ALIKE),
            ("wrong-size", 1 / (128 * 784), "line 5: the error is summed over the pixels in the yardstick too: 128 E"),
            ("wrong-size", 784 / 128, "line 5: the error is summed over the pixels in the yardstick too: 128 E"),
        ],
    ),
}


def by_hand() -> list[float]:
    """The effective betas of the five lines, from their sizes alone."""
    return [784 / 200, 0.01 * 784, 32 * 32 / 500, 1 / 2, 1 / 128]


@exercise("4.4", "Five betas by hand", dict.fromkeys(LINES, 1), by_hand)
def _(answer: Answer, judge: Judge) -> None:
    values = answer()
    values = values.flatten().tolist() if isinstance(values, Tensor) else values
    expect(values is not None, "nothing", "nothing came back: is there a line that begins with return?")
    five = isinstance(values, list) and len(values) == len(LINES)
    expect(five, "wrong-number", "five numbers are expected, for lines 1 to 5 in this order")
    values = [number(value) for value in values]
    for value, (line, (want, wrong)) in zip(values, LINES.items(), strict=True):
        with judge.part(line):
            for mistake, other, words in wrong:
                expect(not math.isclose(value, other, rel_tol=0.01), mistake, words)
            words = f"{line}: {value:.3g} is not its effective beta: write it as a E + b K, then divide b by a"
            expect(math.isclose(value, want, rel_tol=0.01), "wrong-value", words)


@exercise("4.5", "The beta by experiment", {"beta": 3, "constant": 1}, metrics.effective_beta)
def _(answer: Answer, judge: Judge) -> None:
    # Two loss lines of different sizes: a mistake must fit both.
    lines = [_runs(judge, D, Z) for D, Z in ((judge.integer(30, 34), 12), (judge.integer(40, 44), 10))]
    constant = "a constant in the loss changes your answer: fit it as a third number, or use differences of runs"
    sizes = "error and KL have different sizes: sum over pixels and over latents before they meet"
    rows = (
        "E, K and the ones belong side by side as columns, shape (T, 3), and the values below each other, shape (T, 1)"
    )
    for part, added in (("beta", 0.0), ("constant", 30.0)):
        with judge.part(part):
            cases = [_fits(values + added, error, kl, weight, beta) for values, error, kl, weight, beta in lines]
            wrong = [
                (mistake, [case[i][1] for case in cases], words)
                for i, (mistake, words) in enumerate(FITS.items())
                if added or mistake != "no-constant"
            ]
            wrong = [
                (mistake.partition(",")[0], values, constant if words is None else words)
                for mistake, values, words in wrong
            ]
            with failing(
                ("must match", "sizes-met", sizes),
                ("stack expects", "sizes-met", sizes),
                ("should match other.size", "stacked-as-rows", rows),
                ("Incompatible dimensions", "stacked-as-rows", rows),
                (
                    "square matrices",
                    "solved",
                    "there are more runs than unknowns: torch.linalg.lstsq fits, solve cannot",
                ),
            ):
                got = [number(answer((values + added).float(), error, kl)) for values, error, kl, _, _ in lines]
            same(got, [line[4] for line in lines], "the weight is off", wrong, rtol=2e-3)


def _runs(judge: Judge, D: int, Z: int) -> tuple[Tensor, Tensor, Tensor, float, float]:
    """Values, errors and KLs of eight runs that differ much in both terms, and the weights behind them."""
    T, B = 8, judge.integer(4, 6)
    both = judge.uniform(T, 1, 1)  # so that no slope along one of the terms alone comes near zero
    error = judge.uniform(T, B, D) * (0.3 + both + judge.uniform(T, 1, 1))
    kl = judge.uniform(T, B, Z) * (0.3 + 2 * both + judge.uniform(T, 1, 1))
    weight, beta = 0.05 + 0.1 * float(judge.uniform(1)), 2.5 + float(judge.uniform(1))
    return weight * (error.double().sum(2).mean(1) + beta * kl.double().sum(2).mean(1)), error, kl, weight, beta


# The usual mistakes and their words; after the comma stands which of several ways.
FITS = {
    "no-constant": None,
    "averaged, both": "this is the weight of averages against averages: sum over pixels and over latents first",
    "averaged, error": "the error was averaged over the pixels, the KL summed: sum both",
    "averaged, kl": "the KL was averaged over the latents, the error summed: sum both",
    "upside-down": "upside down: the weight of the KL, divided by that of the error",
    "not-divided": "this is the weight of the KL as it stands in the loss: divide it by the weight of the error",
    "error-weight": "this is the weight of the error: divide the weight of the KL by it",
    "batch-summed, error": "the error was summed over the batch, the KL averaged: treat both alike",
    "batch-summed, kl": "the KL was summed over the batch, the error averaged: treat both alike",
    "error-left-out": "this is a slope along the KL alone: the error changes from run to run as well",
    "error-left-out, twice": "each weight was found as if the other term stood still: find both at once",
    "ratio-of-terms": "this compares the two terms: their weights are asked for",
    "ratio-of-terms, of means": "this compares the two terms: their weights are asked for",
}


def _fits(values: Tensor, error: Tensor, kl: Tensor, weight: float, beta: float) -> list[tuple[str, float]]:
    """What each of the mistakes makes of these runs, in the order of FITS."""
    (B, D), Z = error.shape[1:], kl.shape[2]
    errors, kls = error.double().sum(2).mean(1), kl.double().sum(2).mean(1)
    ones = torch.ones_like(errors)

    def fitted(*columns: Tensor) -> list[float]:
        return torch.linalg.lstsq(torch.stack(columns, 1), values[:, None]).solution[:, 0].tolist()

    plain, along_kl, along_error = fitted(errors, kls), fitted(kls, ones)[0], fitted(errors, ones)[0]
    made = [
        plain[1] / plain[0],
        beta * Z / D,
        beta / D,
        beta * Z,
        1 / beta,
        weight * beta,
        weight,
        beta * B,
        beta / B,
        along_kl,
        along_kl / along_error,
        float((kls / errors).mean()),
        float(kls.mean() / errors.mean()),
    ]
    return list(zip(FITS, made, strict=True))


@task("T4", "How sure may it be?", points=5)
def _(answer: Answer, judge: Judge) -> None:
    x = torch.tensor([[3.0, 1.0], [1.0, 1.0]])
    values = answer(torch.tensor([[0.0, 1.0], [2.0, 1.0]]), x, 1.0)
    expect(isinstance(values, list) and len(values) == 3, "wrong-number", "return three: shared, own, saved")
    shared, own, saved = number(values[0]), values[1], number(values[2])
    expect(
        abs(shared - 1.5811) < 1e-3,
        "shared",
        f"in the example of the text the shared sigma is 1.58, you have {shared:.3g}",
    )
    same(own, [2.2361, 1.0], "in the example of the text the sigmas are 2.24 and 1", rtol=1e-3)
    expect(abs(saved - 0.6116) < 2e-3, "saved", f"in the example of the text 0.61 nats are saved, you have {saved:.3g}")

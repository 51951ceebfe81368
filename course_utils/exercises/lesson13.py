"""The exercises of lesson 13, and its task as the lesson knows it."""

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from course_utils import losses
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, same, task, tensor, tensors
from course_utils.exercises.lesson12 import moved, same_step
from course_utils.models import gan


@exercise("13.1", "From one scale to another", {"there": 2, "back": 1}, gan.rescale)
def _(answer: Answer, judge: Judge) -> None:
    # Pictures that go beyond one end and do not reach the other: the ends are those of the scale, not of the batch.
    cases = [((2.0, 6.0), (-3.0, 1.0)), ((0.0, 1.0), (-1.0, 1.0)), ((0.0, 255.0), (-1.0, 1.0))]
    with judge.part("there"):
        for (low, high), (to_low, to_high) in cases:
            _judge_scale(answer, judge, low, high, to_low, to_high)
    if judge.mistakes:
        return
    with judge.part("back"):
        for (to_low, to_high), (low, high) in cases:
            _judge_scale(answer, judge, low, high, to_low, to_high)


def _judge_scale(answer: Answer, judge: Judge, low: float, high: float, to_low: float, to_high: float) -> None:
    B, H, W = judge.integer(2, 4), 4, 5
    share = -0.2 + 0.9 * judge.uniform(B, 1, H, W)
    x = low + (high - low) * share
    right = to_low + (to_high - to_low) * share
    wide, to_wide = high - low, to_high - to_low
    own = (x - x.min()) / (x.max() - x.min())
    of_each = (x - x.amin((1, 2, 3), True)) / (x.amax((1, 2, 3), True) - x.amin((1, 2, 3), True))
    given = f"from [{low:g}, {high:g}] to [{to_low:g}, {to_high:g}]"
    wrong = [
        ("own-range", to_low + to_wide * own, "the darkest and the lightest pixel of these pictures were taken for the ends: the ends are given, and a gray picture stays gray"),
        ("own-range", to_low + to_wide * of_each, "each picture was stretched to its own range: the ends are given, and a gray picture stays gray"),
        ("share-only", share, f"{given}: this is the share of the way, from 0 to 1; go that share of the new scale"),
        ("unchanged", x, f"{given}: the pictures came back as they were"),
        ("no-start", to_wide * share, f"{given}: the width is right, the start is not: the share 0 belongs to {to_low:g}"),
        ("no-shift", to_low + to_wide * x / wide, f"{given}: x is measured from 0: first take away where its scale begins"),
        ("over-high", to_low + to_wide * x / high, f"{given}: x / high is the share of the way on a scale that begins at 0; this one begins at {low:g}"),
        ("clamped", right.clamp(min(to_low, to_high), max(to_low, to_high)), f"{given}: pixels beyond an end were cut off: the line goes on"),
        ("turned", to_high - to_wide * share, f"{given}: black and white have changed places"),
        ("high-as-width", to_low + to_high * share, f"{given}: the new scale is as wide as its ends are apart, not as its upper end is high"),
        ("high-as-width", to_low + to_wide * (x - low) / high, f"{given}: the old scale is as wide as its ends are apart, not as its upper end is high"),
        ("only-one-scale", 2 * x - 1, f"{given}: this is right from [0, 1] to [-1, 1] alone"),
        ("only-one-scale", (x + 1) / 2, f"{given}: this is right from [-1, 1] to [0, 1] alone"),
        ("standardized", (x - x.mean()) / x.std(), f"{given}: mean 0 and spread 1 is another scaling, and it depends on the batch"),
    ]  # fmt: skip
    # Where a mistake happens to give the right answer it is none.
    wrong = [one for one in wrong if not torch.allclose(one[1], right, rtol=1e-3, atol=1e-4)]
    same(answer(x, low, high, to_low, to_high), right, f"{given}: a pixel is off", wrong, rtol=1e-3, atol=1e-4)


@exercise("13.2", "Smooth the label of real pictures", {"value": 2, "far out": 1}, losses.smoothed_loss)
def _(answer: Answer, judge: Judge) -> None:
    B = judge.integer(4, 7)
    real, fake = 1.5 * judge.normal(B) + 0.8, 1.5 * judge.normal(B) - 0.8
    up, down = functional.softplus(-real), functional.softplus(real)  # -log D and -log(1 - D) of the real pictures
    of_fake = functional.softplus(fake)
    one = "one number for the whole batch came back: one for each pair, the loop takes the mean"
    with judge.part("value"):
        for s in (0.1, 0.3, 0.0):
            want = (1 - s) * up + s * down + of_fake
            with failing(
                ("between 0 and 1", "logits-as-probabilities", "logits are no probabilities yet: D = sigmoid(logits)")
            ):
                got = tensor(answer(real, fake, s))
            wrong = [
                ("one-number", want.mean(), one),
                ("one-number", want.sum(), one),
                ("one-number", want.mean() / 2, one),
                ("not-smoothed", up + of_fake, "this is the loss without smoothing: the label of a real picture is 1 - smoothing"),
                ("only-weighted", (1 - s) * up + of_fake, "the first term was made smaller and no more: a label of 0.9 is a coin, heads with 0.9, and tails has a term too"),
                ("two-sided", want + s * (functional.softplus(-fake) - of_fake), "the fakes were smoothed as well: their label stays 0"),
                ("fakes-smoothed", up + (1 - s) * of_fake + s * functional.softplus(-fake), "the fakes were smoothed and the real pictures were not: it is the other way round"),
                ("wrong-label", s * up + (1 - s) * down + of_fake, "real pictures got the label `smoothing`: it is 1 - smoothing"),
                ("added", up + s * down + of_fake, "the two terms of a real picture weigh 1 and smoothing: their weights add up to 1"),
                ("swapped", (1 - s) * functional.softplus(-fake) + s * of_fake + down, "real and fake are swapped"),
                ("wrong-sign", -want, "the sign is turned round: a loss is minus the logarithm"),
                ("averaged", want / 2, "half of it came back: the terms of a pair are added, not averaged"),
                ("one-term", (1 - s) * up + s * down, "the term of the fakes is missing"),
                ("logits-smoothed", functional.softplus(-(1 - s) * real) + of_fake, "the logit was made smaller: it is the label that is smoothed"),
            ]  # fmt: skip
            same(got, want, "the loss of a pair is off", wrong if s else wrong[:3] + wrong[10:13])
    if judge.mistakes:
        return
    with judge.part("far out"):
        far = torch.tensor([200.0, -200.0, 200.0])
        got = tensor(answer(far, torch.tensor([200.0, -200.0, -200.0]), 0.1))
        expect(
            got.isfinite().all(),
            "overflow",
            "a logit of 200 gives a loss that is no finite number: D rounds to 1, so do not go through D",
        )
        same(got, torch.tensor([220.0, 180.0, 20.0]), "for logits of 200 and -200 the loss is off", atol=1e-2)


@exercise("13.3", "The best answer under smoothed labels", {"one-sided": 1, "two-sided": 1}, gan.smoothed_best)
def _(answer: Answer, judge: Judge) -> None:
    for s in (0.1, 0.25):
        N = judge.integer(5, 8)
        p, q = 0.05 + judge.uniform(N), 0.05 + judge.uniform(N)
        got = tensors(answer(p, q, s), "one-sided", "two-sided")
        best, other = p / (p + q), q / (p + q)
        one, two = gan.smoothed_best(p, q, s)
        same_as = lambda a, b: a.shape == b.shape and torch.allclose(a.double(), b.double(), atol=1e-4)  # noqa: E731
        turned = same_as(got[0], two) and same_as(got[1], one)
        expect(not turned, "swapped", "the one-sided answer comes first")
        for name, mine, want in (("one-sided", got[0], one), ("two-sided", got[1], two)):
            wrong = [
                ("not-smoothed", best, f"{name}: this is the best answer without smoothing"),
                ("other-side", two if name == "one-sided" else one, f"{name}: which of the two labels is smoothed here?"),
                ("weights-in-both", (1 - s) * p / ((1 - s) * p + q), f"{name}: the share of real pictures at a place is p / (p + q), with or without smoothing: only their label changes"),
                ("weights-in-both", (1 - s) * p / ((1 - s) * p + s * q), f"{name}: the numbers of pictures at a place stay p and q: only their labels change"),
                ("shifted", best - s, f"{name}: the smoothing was subtracted from the answer: it changes the label of the real share alone"),
                ("shifted", best + s * (1 - 2 * best) + s, f"{name}: the smoothing was added to the answer"),
                ("fakes-only", best + s * other, f"{name}: this is the answer to labels 1 and s. If you added s to the one-sided answer: it weighs q / (p + q)"),
                ("of-fakes", (1 - s) * other, f"{name}: real and fake are swapped"),
                ("logit", want.logit(), f"{name}: this is the logit: D itself is asked"),
            ]  # fmt: skip
            with judge.part(name):
                same(mine, want, f"the {name} answer is off", wrong)
        if judge.mistakes:
            return


class Players(nn.Module):
    """A generator with batch normalization and a discriminator, for pictures of 16 pixels, and a step of each."""

    def __init__(self, latent_dim: int, lr: float):
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(latent_dim, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 16))
        self.discriminator = nn.Sequential(nn.Linear(16, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Flatten(0))
        self.of_generator = torch.optim.SGD(self.generator.parameters(), lr)
        self.of_discriminator = torch.optim.SGD(self.discriminator.parameters(), lr)

    def discriminator_step(self, x_real: Tensor, z: Tensor, smoothing: float) -> None:
        x_fake = self.generator(z).detach()
        loss = losses.smoothed_loss(self.discriminator(x_real), self.discriminator(x_fake), smoothing)
        self.of_discriminator.zero_grad()
        loss.mean().backward()
        self.of_discriminator.step()

    def generator_step(self, z: Tensor) -> None:
        self.discriminator.requires_grad_(False)
        loss = losses.nonsaturating_loss(self.discriminator(self.generator(z)))
        self.discriminator.requires_grad_(True)
        self.of_generator.zero_grad()
        loss.mean().backward()
        self.of_generator.step()


@exercise("13.4", "Each step touches one player", {"discriminator": 2, "generator": 2, "in turn": 1}, Players)
def _(answer: Answer, judge: Judge) -> None:
    Z, B, lr, smoothing = judge.integer(3, 4), judge.integer(6, 8), 0.1, 0.2
    two, mine = answer.new(Z, lr), _Twin(Z, lr, judge)
    same_players = [p.shape for p in two.params().values()] == [p.shape for p in mine.params().values()]
    expect(same_players, "players-changed", "the two networks are not those of the stub: leave __init__ as it is")
    two.set_params(list(mine.params().values()))
    with judge.part("discriminator"):
        before = mine.params()
        x_real, z = judge.normal(B, 16) + 1, judge.normal(B, Z)
        with failing(_NO_GRADIENT):
            two.call("discriminator_step", x_real, z, smoothing)
        after = two.params()
        words = "the discriminator's step moved the generator: its optimizer holds the discriminator's weights alone"
        expect(not moved(before, after, "generator"), "generator-moved", words)
        same_step(mine, before, after, "discriminator", mine.discriminator_losses(x_real, z, smoothing))
        words = "the discriminator's step left a gradient in the generator: detach the fakes before they are judged"
        expect(not _any(two.grads(), "generator"), "gradient-in-generator", words)
        mine.discriminator_step(x_real, z, smoothing)
    if judge.mistakes:
        return
    with judge.part("generator"):
        before, left, z = two.params(), two.grads(), judge.normal(B + 1, Z)
        with failing(_NO_GRADIENT):
            two.call("generator_step", z)
        after = two.params()
        words = "the generator's step moved the discriminator: step with the generator's optimizer alone"
        expect(not moved(before, after, "discriminator"), "discriminator-moved", words)
        same_step(mine, before, after, "generator", mine.generator_losses(z))
        now = two.grads()
        unchanged = all(_equal(left[name], now[name]) for name in now if name.startswith("discriminator"))
        words = (
            "the step is right, but it left a gradient in the discriminator, which does not learn in this step: "
            "freeze its weights while the logits are made"
        )
        expect(unchanged or not _any(now, "discriminator"), "gradient-in-discriminator", words)
        mine.generator_step(z)
    if judge.mistakes:
        return
    with judge.part("in turn"):
        for player in ("discriminator", "generator", "generator", "discriminator", "discriminator"):
            x_real, z, before = judge.normal(B, 16) + 1, judge.normal(B, Z), two.params()
            inputs = (x_real, z, smoothing) if player == "discriminator" else (z,)
            with failing(_STILL_FROZEN):
                two.call(f"{player}_step", *inputs)
            getattr(mine, f"{player}_step")(*inputs)
            after, want = two.params(), mine.params()
            expect(moved(before, after, player), "still-frozen", _STILL_FROZEN[2])
            right = all(torch.allclose(after[name], want[name], rtol=1e-3, atol=1e-5) for name in want)
            words = (
                f"the first steps are right, and a later one of the {player} is not: an old gradient was still there"
            )
            expect(right, "accumulated", words)


_NO_GRADIENT = (
    "does not require grad",
    "no-gradient",
    "the loss has no gradient: detach the fakes in the discriminator's step alone, and keep no_grad out of both",
)
_EVAL = "the fakes were drawn in eval() mode, from the running means: in both steps the generator stays in train() mode"
_STILL_FROZEN = (
    "does not require grad",
    "still-frozen",
    "a player stands still from its second step on: what was frozen must be unfrozen again",
)


class _Twin(Players):
    """The reference with weights from the judge, and losses that a step may have minimized by mistake."""

    def __init__(self, latent_dim: int, lr: float, judge: Judge):
        with torch.random.fork_rng(), torch.device("cpu"):
            super().__init__(latent_dim, lr)
        with torch.no_grad():
            for p in self.parameters():
                p.copy_(judge.normal(*p.shape) * 0.4)  # D must not be sure: the loss of fakes would have no slope

    def params(self) -> dict[str, Tensor]:
        return {name: p.detach().clone() for name, p in self.named_parameters()}

    def fakes(self, z: Tensor, training: bool = True) -> Tensor:
        """Fakes in one of the two modes; the running means of the generator stay as they are."""
        self.generator.train(training)
        running = {name: one.clone() for name, one in self.generator.named_buffers()}
        x_fake = functional_call(self.generator, running, (z,))
        self.generator.train()
        return x_fake

    def discriminator_losses(self, x_real: Tensor, z: Tensor, smoothing: float) -> list[tuple[str, Tensor, str]]:
        real, fake = self.discriminator(x_real), self.discriminator(self.fakes(z))
        right = losses.smoothed_loss(real, fake, smoothing)
        joined = self.discriminator(torch.cat([x_real, self.fakes(z)]))
        of_eval = losses.smoothed_loss(real, self.discriminator(self.fakes(z, training=False)), smoothing)
        return [
            ("right", right.mean(), ""),
            ("right", losses.smoothed_loss(*joined.chunk(2), smoothing).mean(), ""),
            ("not-smoothed", losses.discriminator_loss(real, fake).mean(), "the loss was not smoothed: use `smoothed_loss`, with the smoothing given"),
            ("summed", right.sum(), "the step is too large by the size of the batch: take the mean of the loss"),
            ("wrong-way", -right.mean(), "the discriminator was made worse: it minimizes its loss"),
            ("swapped", losses.smoothed_loss(fake, real, smoothing).mean(), "the discriminator learned to take fakes for real: logits_real come first"),
            ("eval-mode", of_eval.mean(), _EVAL),
        ]  # fmt: skip

    def generator_losses(self, z: Tensor) -> list[tuple[str, Tensor, str]]:
        fake = self.discriminator(self.fakes(z))
        right = losses.nonsaturating_loss(fake)
        of_eval = losses.nonsaturating_loss(self.discriminator(self.fakes(z, training=False)))
        return [
            ("right", right.mean(), ""),
            ("summed", right.sum(), "the step is too large by the size of the batch: take the mean of the loss"),
            ("minimax", losses.minimax_loss(fake).mean(), "the generator minimized the minimax loss: the non-saturating one is asked"),
            ("wrong-way", functional.softplus(fake).mean(), "the generator learned to be found out: its loss falls when D(x_fake) rises"),
            ("discriminator-loss", losses.discriminator_loss(fake, fake).mean(), "the generator minimized the discriminator's loss: its own is `nonsaturating_loss`"),
            ("eval-mode", of_eval.mean(), _EVAL),
            ("wrong-way", -right.mean(), "the generator learned to be found out: its loss falls when D(x_fake) rises"),
        ]  # fmt: skip


def _any(grads: dict[str, Tensor | None], player: str) -> bool:
    return any(grad is not None and grad.abs().max() > 0 for name, grad in grads.items() if name.startswith(player))


def _equal(a: Tensor | None, b: Tensor | None) -> bool:
    return a is b if a is None or b is None else torch.equal(a, b)


def verdicts(values: object, runs: int) -> list[list[int]]:
    """The two rows of whole numbers of the task, verdicts and epochs, one of each for every run."""
    pair = list(values) if isinstance(values, Tensor) and values.ndim == 2 else values
    words = "return two rows: the verdict of each run, and its epoch"
    expect(isinstance(pair, list) and len(pair) == 2, "wrong-number", words)
    rows = [row.tolist() if isinstance(row, Tensor) else row for row in pair]
    right = all(isinstance(row, list) and len(row) == runs for row in rows)
    expect(right, "wrong-shape", f"{runs} runs need {runs} verdicts and {runs} epochs")
    rows = [[one.item() if isinstance(one, Tensor) and one.numel() == 1 else one for one in row] for row in rows]
    whole = all(isinstance(one, (int, float)) and one == math.floor(one) for row in rows for one in row)
    expect(whole, "not-whole", "verdicts and epochs are whole numbers")
    return [[int(one) for one in row] for row in rows]


@task("T13", "A verdict from two curves", points=5)
def _(answer: Answer, judge: Judge) -> None:
    d_real = torch.tensor([[0.8, 0.7, 0.6, 0.6], [0.7, 0.9, 1.0, 1.0], [0.6, 0.5, 0.5, 0.5]])
    d_fake = torch.tensor([[0.2, 0.3, 0.4, 0.4], [0.3, 0.05, 0.0, 0.0], [0.4, 0.49, 0.5, 0.5]])
    kinds, since = verdicts(answer(d_real, d_fake, 2), 3)
    expect(kinds == [1, 2, 0], "verdict", f"in the example of the text the verdicts are 1, 2, 0, you have {kinds}")
    expect(since == [0, 2, 0], "epoch", f"in the example of the text the epochs are 0, 2, 0, you have {since}")

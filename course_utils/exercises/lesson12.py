"""The exercises of lesson 12, and its task as the lesson knows it."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils import losses, metrics
from course_utils.exercises.answer import Answer, AnswerFailed, NotWritten
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensor, tensors
from course_utils.models import gan

_NO_PROBABILITIES = "logits are no probabilities yet: D = sigmoid(logits)"
_EXP = "is no finite number: e^200 overflows, and D at -200 is 0; softplus takes logits of any size"


@exercise("12.1", "The discriminator's loss", {"value": 2, "far out": 1}, losses.discriminator_loss)
def _(answer: Answer, judge: Judge) -> None:
    B = judge.integer(4, 7)
    real, fake = 1.5 * judge.normal(B) + 0.5, 1.5 * judge.normal(B) - 0.5
    of_real, of_fake = functional.softplus(-real), functional.softplus(fake)
    want = of_real + of_fake
    swapped = functional.softplus(real) + functional.softplus(-fake)
    twice = functional.softplus(-real.sigmoid()) + functional.softplus(fake.sigmoid())
    one = "one number for the whole batch came back: one for each pair, the loop takes the mean"
    with judge.part("value"):
        with failing(("between 0 and 1", "logits-as-probabilities", _NO_PROBABILITIES)):
            got = tensor(answer(real, fake))
        wrong = [
            ("one-number", want.mean(), one),
            ("one-number", want.sum(), one),
            ("one-number", want.mean() / 2, one),
            ("swapped", swapped, "real and fake are swapped: the loss falls when D(x_real) rises and D(x_fake) falls"),
            ("wrong-sign", -want, "this is the payoff that the discriminator wants large: the loss is minus that"),
            ("averaged", want / 2, "half of it came back: the two terms are added, not averaged"),
            ("real-only", of_real, "the term of the fakes is missing"),
            ("fake-only", of_fake, "the term of the real points is missing"),
            ("sigmoid-twice", twice, "a sigmoid was applied to the logits first: the logarithm of D needs one sigmoid, not two"),
            ("fakes-as-real", of_real + functional.softplus(-fake), "the fakes were taken for real: their term is -log(1 - D)"),
            ("no-logarithm", (1 - real.sigmoid()) + fake.sigmoid(), "these are probabilities of an error: take -log of the right answer's"),
            ("joined", torch.cat([of_real, of_fake]), "real and fake came back one after the other: add the two terms of each pair"),
            ("stacked", torch.stack([of_real, of_fake]), "two terms came back for each pair: add them"),
            ("base-2", want / math.log(2), "this is in bits: nats need the natural logarithm"),
        ]  # fmt: skip
        expect(not _close(got, -real.log() - (1 - fake).log()), "logits-as-probabilities", _NO_PROBABILITIES)
        same(got, want, "the loss of a pair is off", wrong)
    if judge.mistakes:
        return
    with judge.part("far out"):
        far = torch.tensor([200.0, -200.0, 200.0, -200.0])
        got = _row(answer(far, torch.tensor([200.0, 200.0, -200.0, -200.0])))
        if not got.isfinite().all():
            # At 60 1 - D already rounds to 0, and the exponential does not overflow yet.
            at_60 = _row(answer(torch.full((4,), -60.0), torch.full((4,), 60.0)))
            expect(not at_60.isfinite().all(), "exp-overflow", f"a logit of 200 gives a loss that {_EXP}")
            words = "a logit of 200 gives a loss that is no finite number: 1 - D rounds to 0, so do not go through D"
            expect(False, "overflow", words)
        same(got, torch.tensor([200.0, 400.0, 0.0, 200.0]), "for logits of 200 and -200 the loss is off", atol=1e-3)


@exercise("12.2", "The best discriminator", {"logits": 2, "far out": 1}, gan.optimal_logits)
def _(answer: Answer, judge: Judge) -> None:
    N = judge.integer(5, 8)
    log_p, log_q = judge.normal(N) - 1.5, judge.normal(N) - 1.5
    p, q = log_p.exp(), log_q.exp()
    best = p / (p + q)
    with judge.part("logits"):
        wrong = [
            ("probability", best, "this is D itself: the logit that the sigmoid turns into D is asked"),
            ("swapped", log_q - log_p, "the sign is turned round: where real points are denser, the logit is above 0"),
            ("ratio", p / q, "this is the ratio p / q: its logarithm is the logit"),
            ("ratio", q / p, "this is the ratio q / p: the logarithm of p / q is the logit"),
            ("difference", p - q, "densities were subtracted: their ratio decides"),
            ("log-of-d", best.log(), "this is log D: the logit is log D - log(1 - D)"),
            ("logs-divided", log_p / log_q, "logarithms were divided: the logarithm of a ratio is a difference"),
            ("logs-as-densities", log_p / (log_p + log_q), "log-densities were taken for densities: the logit of D* needs their difference only"),
            ("half", 0.5 * (log_p - log_q), "half of it came back: the logit is the whole difference"),
            ("swapped", 1 - best, "this is 1 - D: the logit of D is asked"),
        ]  # fmt: skip
        got = answer(log_p, log_q)
        again = any(_close(got, value) for value in (log_p.log() - log_q.log(), (log_p / log_q).log()))
        expect(not again, "log-of-log", "a logarithm was taken of log-densities: the logit of D* is their difference")
        same(got, log_p - log_q, "a logit is off", wrong)
    if judge.mistakes:
        return
    with judge.part("far out"):
        far = torch.tensor([-800.0, -1.0, -750.0]), torch.tensor([-1.0, -700.0, -800.0])
        got = _row(answer(*far))
        if not got.isfinite().all() or got.abs().max() < 150:
            # The last two densities are both 0: only who took the difference of the logarithms sees which is larger.
            words = "D rounds to 0 or 1 where the logit is large: do not pass through D"
            expect(not (len(got) == 3 and got[2] > 10), "through-d", words)
            expect(False, "underflow", "densities as small as e^-800 round to 0: stay with their logarithms")
        same(got, far[0] - far[1], "far out a logit is off", rtol=1e-3)


def _row(value: object) -> Tensor:
    """Numbers in a row, given as a tensor or as a list."""
    return tensor(torch.stack([torch.as_tensor(one) for one in value]) if isinstance(value, list) else value)


@exercise("12.3", "Jensen–Shannon on a grid", {"value": 2, "zeros": 1}, metrics.jensen_shannon)
def _(answer: Answer, judge: Judge) -> None:
    N = judge.integer(60, 80)
    dx = 8 / N
    place = -4 + dx * (torch.arange(N).double() + 0.5)

    def gaussian(mean: float, spread: float) -> Tensor:
        shape = (-0.5 * ((place - mean) / spread).square()).exp()
        return (shape / (dx * shape.sum())).float()

    p = gaussian(-0.8 - 0.3 * float(judge.uniform(1)), 0.8)
    q = gaussian(0.6 + 0.3 * float(judge.uniform(1)), 1.1)
    m = 0.5 * (p + q)

    def kl(a: Tensor, b: Tensor) -> Tensor:
        return dx * (a * (a / b).log()).sum()

    want = metrics.jensen_shannon(p, q, dx)
    with judge.part("value"):
        wrong = [
            ("no-half", 2 * want, "both divergences were added: each weighs a half"),
            ("not-halved-mixture", want - math.log(2), "below 0: p and q are compared with their mean, half of p + q"),
            ("not-halved-mixture", 2 * want - 2 * math.log(2), "below 0: p and q are compared with their mean, half of p + q"),
            ("no-dx", want / dx, "a sum over places is no integral yet: each place stands for dx of the line"),
            ("no-dx", want / dx / N, "a mean over places is no integral: each place stands for dx of the line"),
            ("mean", want / N, "a mean over places was taken: an integral is here the sum over places times dx"),
            ("kl", kl(p, q), "this is KL(p || q): compare each of the two with their mean"),
            ("kl", kl(q, p), "this is KL(q || p): compare each of the two with their mean"),
            ("symmetric-kl", kl(p, q) + kl(q, p), "p and q were compared with each other: compare each with their mean"),
            ("symmetric-kl", 0.5 * (kl(p, q) + kl(q, p)), "p and q were compared with each other: compare each with their mean"),
            ("turned-kl", 0.5 * (kl(m, p) + kl(m, q)), "the divergences are turned round: from p and from q to the mean"),
            ("one-side", 0.5 * kl(p, m), "the half of q is missing"),
            ("one-side", kl(p, m), "only p was compared with the mean: q as well"),
            ("root", want.sqrt(), "this is the root of it, the distance: the divergence is asked"),
            ("bits", want / math.log(2), "this is in bits: nats need the natural logarithm"),
            ("wrong-sign", -want, "the sign is turned round: a divergence is never negative"),
        ]  # fmt: skip
        got = answer(p, q, dx)
        expect(
            not isinstance(got, Tensor) or got.numel() == 1,
            "not-summed",
            "one number for each place came back: sum over the places",
        )
        same(number(got), float(want), "the divergence is off", wrong, rtol=1e-3, atol=1e-4)
        same(number(answer(p, p, dx)), 0.0, "of a density with itself it should be 0", atol=1e-4)
    if judge.mistakes:
        return
    with judge.part("zeros"):
        block = (torch.arange(N) < N // 4).float()
        block = block / (dx * block.sum())
        for other, value in ((block.flip(0), math.log(2)), (block, 0.0)):
            got = number(answer(block, other, dx))
            words = "where a density is 0 its logarithm is not finite, or p/m is 0/0: take p log p less p log m, each 0 there"
            expect(math.isfinite(got), "nan", words)
            words = "boxes that do not meet have log 2, and equal ones 0"
            same(got, value, words, rtol=1e-3, atol=1e-3)


def generator_losses(logits_fake: Tensor) -> tuple[Tensor, Tensor]:
    """What the generator minimizes: minimax, and non-saturating."""
    return losses.minimax_loss(logits_fake), losses.nonsaturating_loss(logits_fake)


@exercise("12.4", "Two losses for the generator", {"minimax": 1, "non-saturating": 1, "far out": 1}, generator_losses)
def _(answer: Answer, judge: Judge) -> None:
    B = judge.integer(4, 7)
    logits = 1.5 * judge.normal(B) + 0.3
    minimax, other = losses.minimax_loss(logits), losses.nonsaturating_loss(logits)
    with failing(("between 0 and 1", "logits-as-probabilities", _NO_PROBABILITIES)):
        value = answer(logits)
    expect(value is not None, "nothing", "nothing came back: is there a line that begins with return?")
    got = tensors(value, "minimax", "non-saturating")
    plain = (1 - logits).log(), -logits.log()
    expect(not all(map(_close, got, plain)), "logits-as-probabilities", _NO_PROBABILITIES)
    swapped = all(_close(one, its) for one, its in zip(got, (other, minimax), strict=True))
    expect(not swapped, "swapped", "the minimax loss comes first")
    for name, mine, want, rest in (("minimax", got[0], minimax, other), ("non-saturating", got[1], other, minimax)):
        one = f"{name}: one number for the whole batch came back: one for each point, the loop takes the mean"
        d = logits.sigmoid()
        wrong = [
            ("one-number", want.mean(), one),
            ("one-number", want.sum(), one),
            ("wrong-sign", -want, f"{name}: the sign is turned round, so the generator would help the discriminator"),
            ("other-loss", -rest, f"{name}: this is the other loss, turned round"),
            ("other-loss", rest, f"{name}: this is the other loss"),
            ("no-logarithm", 1 - d if name == "minimax" else -d, f"{name}: the logarithm is missing"),
            ("no-logarithm", d if name == "minimax" else 1 - d, f"{name}: the logarithm is missing"),
            ("slope", -d if name == "minimax" else d - 1, f"{name}: this is the slope by the logit: the loss is asked"),
            ("no-sigmoid", (1 - logits).log() if name == "minimax" else -logits.log(), f"{name}: D is the sigmoid of the logit"),
            ("no-sigmoid", -logits, f"{name}: this is minus the logit: D is its sigmoid, and the loss holds a logarithm"),
        ]  # fmt: skip
        with judge.part(name):
            same(mine, want, f"the {name} loss is off", wrong)
    if judge.mistakes:
        return
    with judge.part("far out"):
        far = torch.tensor([-200.0, 200.0])
        got = tensors(answer(far), "minimax", "non-saturating")
        if not all(one.isfinite().all() for one in got):
            at_60 = tensors(answer(torch.tensor([-60.0, 60.0])), "minimax", "non-saturating")
            finite = all(one.isfinite().all() for one in at_60)
            expect(not finite, "exp-overflow", f"for logits of 200 and -200 a loss {_EXP}")
            words = "for logits of 200 and -200 a loss is no finite number: D rounds to 0 or 1, so do not go through D"
            expect(False, "overflow", words)
        for one, want in zip(got, ([0.0, -200.0], [200.0, 0.0]), strict=True):
            same(one, torch.tensor(want), "for logits of -200 and 200 a loss is off", atol=1e-3)


def _close(got: object, want: Tensor) -> bool:
    """Whether both are the same numbers, and no numbers at the same places."""
    if not isinstance(got, Tensor) or got.shape != want.shape:
        return False
    return torch.allclose(got.double().cpu(), want.double().cpu(), rtol=1e-4, atol=1e-5, equal_nan=True)


class TwoPlayers(nn.Module):
    """A generator and a discriminator of points, and a step of each."""

    def __init__(self, latent_dim: int, lr: float):
        super().__init__()
        self.generator = gan.PointGenerator(latent_dim, hidden_dim=8)
        self.discriminator = gan.PointDiscriminator(hidden_dim=8)
        self.of_generator = torch.optim.SGD(self.generator.parameters(), lr)
        self.of_discriminator = torch.optim.SGD(self.discriminator.parameters(), lr)

    def discriminator_step(self, x_real: Tensor, z: Tensor) -> None:
        x_fake = self.generator(z).detach()
        self.of_discriminator.zero_grad()
        losses.discriminator_loss(self.discriminator(x_real), self.discriminator(x_fake)).mean().backward()
        self.of_discriminator.step()

    def generator_step(self, z: Tensor) -> None:
        self.of_generator.zero_grad()
        losses.nonsaturating_loss(self.discriminator(self.generator(z))).mean().backward()
        self.of_generator.step()


@exercise("12.5", "One step each", {"discriminator": 2, "generator": 2, "in turn": 1}, TwoPlayers)
def _(answer: Answer, judge: Judge) -> None:
    Z, B, lr = judge.integer(3, 4), judge.integer(5, 7), 0.1
    two = answer.new(Z, lr)
    mine = _Twin(Z, lr, judge)
    shapes = {name: tuple(value.shape) for name, value in two.params().items()}
    expect(
        shapes == {name: tuple(value.shape) for name, value in mine.params().items()},
        "players-changed",
        "the two networks are not those of the stub: leave __init__ as it is",
    )
    missing = _missing(answer.new(Z, lr), Z)
    two.set_params(list(mine.params().values()))
    with judge.part("discriminator"):
        expect("discriminator" not in missing, "missing", "the discriminator's step is not written yet")
        before = mine.params()
        x_real, z = judge.normal(B, 2) + 1, judge.normal(B, Z)
        with failing(*_FAILURES):
            two.call("discriminator_step", x_real, z)
        after = two.params()
        expect(
            not moved(before, after, "generator"),
            "generator-moved",
            "the discriminator's step moved the generator: its optimizer holds the discriminator's parameters alone",
        )
        same_step(mine, before, after, "discriminator", mine.discriminator_losses(x_real, z))
        reached = any(_any(value) for name, value in two.grads().items() if name.startswith("generator"))
        expect(
            not reached,
            "not-detached",
            "the discriminator's gradient went on into the generator: detach the points before they are judged",
        )
        mine.discriminator_step(x_real, z)
    if judge.mistakes:
        return
    with judge.part("generator"):
        expect(
            "generator" not in missing,
            "missing",
            "the discriminator's step is right; the generator's is not written yet",
        )
        before, z = mine.params(), judge.normal(B + 1, Z)
        with failing(*_FAILURES):
            two.call("generator_step", z)
        after = two.params()
        expect(
            not moved(before, after, "discriminator"),
            "discriminator-moved",
            "the generator's step moved the discriminator: step with the generator's optimizer alone",
        )
        same_step(mine, before, after, "generator", mine.generator_losses(z))
        mine.generator_step(z)
    if judge.mistakes:
        return
    with judge.part("in turn"):
        for player in ("discriminator", "generator", "generator", "discriminator", "discriminator"):
            before, x_real, z = mine.params(), judge.normal(B, 2) + 1, judge.normal(B, Z)
            inputs = (x_real, z) if player == "discriminator" else (z,)
            two.call(f"{player}_step", *inputs)
            getattr(mine, f"{player}_step")(*inputs)
            after, want = two.params(), mine.params()
            right = all(torch.allclose(after[name], want[name], rtol=1e-3, atol=1e-5) for name in want)
            expect(
                right,
                "accumulated",
                f"the first steps are right, and a later one of the {player} is not: an old gradient was still there",
            )


_FAILURES = (
    (
        "does not require grad",
        "no-gradient",
        "the loss has no gradient: detach, or no_grad, is for making the fakes of the discriminator's step alone",
    ),
    (
        "grad can be implicitly created",
        "no-mean",
        "take the mean of the losses before backward: it begins at one number",
    ),
    (
        "shapes cannot be multiplied",
        "mixed-up",
        "a network got what it does not take: codes go into the generator, points into the discriminator",
    ),
)


def _missing(two: Answer, latent_dim: int) -> list[str]:
    """The players whose step is still the stub, tried on an answer that is judged no further; NotWritten if both."""
    missing = []
    codes = torch.zeros(2, latent_dim)
    for player, inputs in (("discriminator", (torch.zeros(2, 2), codes)), ("generator", (codes,))):
        try:
            two.call(f"{player}_step", *inputs)
        except NotWritten:
            missing.append(player)
        except AnswerFailed:
            pass
    if len(missing) == 2:
        raise NotWritten
    return missing


class _Twin(TwoPlayers):
    """The reference with large weights from the judge, and losses that a step may have minimized by mistake."""

    def __init__(self, latent_dim: int, lr: float, judge: Judge):
        with torch.random.fork_rng(), torch.device("cpu"):
            super().__init__(latent_dim, lr)
        with torch.no_grad():
            for p in self.parameters():
                p.copy_(judge.normal(*p.shape) * (0.7 if p.ndim == 2 else 0.3))

    def params(self) -> dict[str, Tensor]:
        return {name: p.detach().clone() for name, p in self.named_parameters()}

    def discriminator_losses(self, x_real: Tensor, z: Tensor) -> list[tuple[str, Tensor, str]]:
        real, fake = self.discriminator(x_real), self.discriminator(self.generator(z))
        right = losses.discriminator_loss(real, fake)
        return [
            ("right", right.mean(), ""),
            ("summed", right.sum(), "the step is too large by the size of the batch: take the mean of the loss"),
            ("wrong-way", -right.mean(), "the discriminator was made worse: it minimizes its loss"),
            ("swapped", losses.discriminator_loss(fake, real).mean(), "the discriminator learned to take fakes for real: logits_real come first"),
            ("one-term", functional.softplus(-real).mean(), "the discriminator saw only the real points"),
            ("one-term", functional.softplus(fake).mean(), "the discriminator saw only the fakes"),
        ]  # fmt: skip

    def generator_losses(self, z: Tensor) -> list[tuple[str, Tensor, str]]:
        fake = self.discriminator(self.generator(z))
        right = losses.nonsaturating_loss(fake)
        return [
            ("right", right.mean(), ""),
            ("summed", right.sum(), "the step is too large by the size of the batch: take the mean of the loss"),
            ("minimax", losses.minimax_loss(fake).mean(), "the generator minimized the minimax loss: the non-saturating one is asked"),
            ("wrong-way", -right.mean(), "the generator learned to be found out: its loss falls when D(x_fake) rises"),
            ("wrong-way", functional.softplus(fake).mean(), "the generator learned to be found out: its loss falls when D(x_fake) rises"),
        ]  # fmt: skip


def _any(value: Tensor | None) -> bool:
    return value is not None and bool(value.abs().max() > 0)


def moved(before: dict[str, Tensor], after: dict[str, Tensor], player: str) -> bool:
    return any(not torch.allclose(before[name], after[name], atol=1e-7) for name in before if name.startswith(player))


def same_step(
    mine: nn.Module,
    before: dict[str, Tensor],
    after: dict[str, Tensor],
    player: str,
    known: list[tuple[str, Tensor, str]],
) -> None:
    """Expect that `player` went one step of SGD down the first of the known losses."""
    expect(moved(before, after, player), f"{player}-still", f"the {player} did not move in its own step")
    lr = mine.of_generator.param_groups[0]["lr"]
    names = [name for name in before if name.startswith(player)]
    weights = list(getattr(mine, player).parameters())
    way = torch.cat([((before[name] - after[name]) / lr).flatten().double().cpu() for name in names])
    for mistake, loss, words in known:
        slopes = torch.autograd.grad(loss, weights, retain_graph=True)
        slope = torch.cat([one.flatten().double() for one in slopes])
        if (way - slope).norm() <= 1e-3 * slope.norm() + 1e-5:
            expect(mistake == "right", mistake, words)
            return
    words = f"the {player} moved, but not one step down the gradient of its loss, averaged over the batch"
    expect(False, "wrong-step", words)


def two_numbers(values: object) -> tuple[float, float]:
    """The two numbers of the task, given as two or as one tensor."""
    values = values.tolist() if isinstance(values, Tensor) and values.shape == (2,) else values
    expect(isinstance(values, list) and len(values) == 2, "wrong-number", "return two numbers: bound, error")
    return number(values[0]), number(values[1])


@task("T12", "A divergence read off two rows of logits", points=5)
def _(answer: Answer, judge: Judge) -> None:
    third = math.log(3)
    bound, error = two_numbers(answer(torch.tensor([third, third]), torch.tensor([-third, 0.0, -third])))
    expect(abs(bound - 0.338) < 2e-3, "bound", f"in the example of the text the bound is 0.338, you have {bound:.3g}")
    expect(abs(error - 0.068) < 2e-3, "error", f"in the example of the text the error is 0.068, you have {error:.3g}")

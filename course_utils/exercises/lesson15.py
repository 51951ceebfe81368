"""The exercises of lesson 15, and its task as the lesson knows it."""

import math

import torch
from torch import Tensor, nn

from course_utils import metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, exercise, expect, failing, number, same, task, tensor
from course_utils.models import gan, transport


@exercise("15.1", "Sums of a plan as a matrix", {"more columns": 2, "more rows": 1}, transport.marginals)
def _(answer: Answer, judge: Judge) -> None:
    N, M = judge.integer(2, 3), judge.integer(4, 5)
    want = transport.marginals(N, M)
    got = tensor(answer(N, M))
    by_columns = torch.cat([torch.eye(N).repeat(1, M), torch.eye(M).repeat_interleave(N, dim=1)])
    repeated = torch.cat([want[:N], torch.eye(M).repeat_interleave(N, dim=1)])
    side_by_side = torch.cat([torch.eye(N).repeat(1, M), want[N:]])
    known = [
        ("both-repeated", repeated, "the columns' sums are off: a column's numbers lie M apart, set copies of eye(M) side by side"),
        ("both-side-by-side", side_by_side, "the rows' sums are off: a row's M numbers lie next to each other, repeat each column of eye(N)"),
        ("transposed", want.T, "the matrix is turned round: one row for each sum, one column for each number of the plan"),
        ("columns-first", torch.cat([want[N:], want[:N]]), "the columns' sums come first: the sums of the plan's rows should"),
        ("flattened-by-columns", by_columns, "the plan was flattened column by column: row by row, M numbers make up its first row"),
        ("only-rows", want[:N], "the sums of the plan's columns are missing"),
        ("only-columns", want[N:], "the sums of the plan's rows are missing"),
        ("means", torch.cat([want[:N] / M, want[N:] / N]), "these are means: the plan's rows have to add up"),
        ("all-ones", torch.ones(N + M, N * M), "every sum takes the whole plan: a sum takes one row, or one column"),
        ("swapped-sizes", transport.marginals(M, N), "N and M are swapped: the plan has N rows and M columns"),
        ("signed", torch.cat([want[:N], -want[N:]]), "the columns' sums have a minus: what arrives is counted as what leaves, above 0"),
    ]  # fmt: skip
    with judge.part("more columns"):
        same(got, want, "an entry is off", known)
    if judge.mistakes:
        return
    with judge.part("more rows"):
        same(answer(M, N), transport.marginals(M, N), "with more rows than columns an entry is off")


@exercise("15.2", "The distance on a line", {"even": 1, "uneven": 2}, metrics.wasserstein)
def _(answer: Answer, judge: Judge) -> None:
    N = judge.integer(6, 9)
    p, q = (judge.uniform(2, N) + 0.05).unbind()
    # p has more at both ends, so that mass crosses gaps both ways.
    p[0], p[-1], q[N // 2] = p[0] + 1, p[-1] + 1, q[N // 2] + 2
    p, q = p / p.sum(), q / q.sum()
    carried = (p - q).cumsum(0)
    # Gaps that are all alike first, so that what the gaps do is told apart from what is summed; then wide ones where
    # much is carried, so that no mean of them will do.
    uneven = 0.3 + 0.5 * judge.uniform(N - 1) + 3 * carried[:-1].abs()
    uneven[0] = 0.1
    for part, gaps in (("even", torch.full((N - 1,), 1.5)), ("uneven", uneven)):
        places = torch.cat([torch.zeros(1), gaps.cumsum(0)]) - 1
        want = metrics.wasserstein(places, p, q)
        with judge.part(part):
            words = (
                "one gap less than places: leave out the last of the sums, which is 0, before the gaps are multiplied"
            )
            with failing(("must match the size", "last-kept", words), ("broadcast together", "last-kept", words)):
                got = answer(places, p, q)
            expect(
                not isinstance(got, Tensor) or got.numel() == 1,
                "not-summed",
                "one number for each place came back: add up what crosses each gap, times the gap",
            )
            wrong = [
                ("no-gaps", carried[:-1].abs().sum(), "the gaps are missing: mass that crosses a wide gap goes further"),
                ("mean-gap", carried[:-1].abs().sum() * gaps.mean(), "every gap counts the same: each has a width of its own"),
                ("mean-gap", carried[:-1].abs().sum() * gaps[0], "every gap counts the same: each has a width of its own"),
                ("no-abs", (carried[:-1] * gaps).sum(), "a difference of means came back: mass that goes left must not pay for mass that goes right"),
                ("no-abs", (carried[:-1] * gaps).sum().abs(), "a difference of means came back: take the size of what crosses each gap before summing"),
                ("no-cumsum", ((p - q)[:-1].abs() * gaps).sum(), "the masses were compared place by place: what crosses a gap is all that lies left of it"),
                ("no-cumsum", ((p - q)[1:].abs() * gaps).sum(), "the masses were compared place by place: what crosses a gap is all that lies left of it"),
                ("no-cumsum", (p - q).abs().sum(), "the masses were compared place by place: what crosses a gap is all that lies left of it"),
                ("no-cumsum", 0.5 * (p - q).abs().sum(), "the masses were compared place by place: what crosses a gap is all that lies left of it"),
                ("shifted", (carried[1:].abs() * gaps).sum(), "each gap got the sum that belongs to the next: gap i lies right of place i"),
                ("places", (carried.abs() * places).sum(), "the sums were multiplied by places: the gap to the next place counts"),
                ("averaged", want / (N - 1), "this is a mean over the gaps: add them up"),
                ("averaged", want / N, "this is a mean over the places: add up"),
                ("squared", (carried[:-1].square() * gaps).sum(), "what crosses was squared: its size is asked"),
            ]  # fmt: skip
            same(number(got), want.item(), "the distance is off", wrong, rtol=1e-3, atol=1e-5)
        if judge.mistakes:
            return


class PenalizedCritic(nn.Module):
    """A critic of points, the penalty on its slope, and a step that the penalty alone would ask for."""

    def __init__(self, hidden_dim: int):
        super().__init__()
        self.critic = gan.PointDiscriminator(hidden_dim)

    def penalty(self, x_real: Tensor, x_fake: Tensor, share: Tensor) -> Tensor:
        return gan.gradient_penalty(self.critic, x_real, x_fake, share)

    def learn(self, x_real: Tensor, x_fake: Tensor, share: Tensor) -> None:
        self.zero_grad()
        self.penalty(x_real, x_fake, share).mean().backward()


@exercise("15.3", "The gradient penalty", {"value": 3, "can be learned from": 2}, PenalizedCritic)
def _(answer: Answer, judge: Judge) -> None:
    B = judge.integer(6, 9)
    theirs, mine = answer.new(24), _critic(judge)
    x_real, x_fake, share = judge.normal(B, 2) + 1, 2 * judge.normal(B, 2) - 1, 0.1 + 0.8 * judge.uniform(B)
    share[0] = 0.95  # far from the middle
    place = gan.between(x_real, x_fake, share)
    slope, _ = _slopes(mine.critic, place)
    with torch.no_grad():  # some slopes above 1 and some below
        mine.critic.layers[-1].weight /= (slope.min() * slope.max()).sqrt()
    weights = list(mine.critic.parameters())
    shapes = [tuple(value.shape) for value in theirs.params().values()]
    words = "the critic is not that of the stub: leave __init__ as it is"
    expect(shapes == [tuple(p.shape) for p in weights], "critic-changed", words)
    theirs.set_params([p.detach() for p in weights])
    with judge.part("value"):
        with failing(
            ("does not require grad", "no-leaf", "the places have no gradient: call requires_grad_() on them before the critic"),
            ("must match the size", "share-shape", "share has shape (B,), the points (B, 2): give share a second axis, share[:, None]"),
        ):  # fmt: skip
            got = tensor(theirs.call("penalty", x_real, x_fake, share))
        slope, gradient = _slopes(mine.critic, place)
        want = (slope - 1).square()
        one = "one number for the whole batch came back: one for each pair, the loop takes the mean"
        batch = "the length was taken over the batch: each pair has a gradient of its own, over its two coordinates"
        wrong = [
            ("one-number", want.mean(), one),
            ("one-number", want.sum(), one),
            ("norm-over-batch", (gradient.norm() - 1).square(), batch),
            ("norm-over-batch", (gradient.norm(dim=0) - 1).square(), batch),
            ("norm-over-batch", (gradient.norm(dim=0) - 1).square().mean(), batch),
            ("no-root", (slope.square() - 1).square(), "the squared slope was compared with 1: take the root first"),
            ("not-squared", slope - 1, "the difference from 1 is not squared yet"),
            ("not-squared", (slope - 1).abs(), "the difference from 1 is not squared yet"),
            ("towards-0", slope.square(), "this pulls the slope to 0: it should be 1"),
            ("one-sided", (slope - 1).clamp(min=0).square(), "slopes below 1 go free: here they count as well"),
            ("by-coordinate", (gradient - 1).square(), "each coordinate was held to 1: the length of the gradient should be 1"),
            ("by-coordinate", (gradient - 1).square().sum(1), "each coordinate was held to 1: the length of the gradient should be 1"),
            ("mean-first", (slope / B - 1).square(), "the gradient of the critic's mean is too small by B: take the gradient of its sum"),
            ("weighted", 10 * want, "the weight is no part of it: the loop multiplies by 10"),
        ]  # fmt: skip
        for id, at, words in (
            ("turned-round", gan.between(x_fake, x_real, share), "the line is walked the other way: share 1 is the real point"),
            ("at-real", x_real, "the slope was taken at the real points: it is asked between the two"),
            ("at-fake", x_fake, "the slope was taken at the fakes: it is asked between the two"),
            ("one-share", gan.between(x_real, x_fake, share[0].expand(B)), "all pairs got one share: each has its own"),
            ("own-share", gan.between(x_real, x_fake, torch.full((B,), 0.5)), "the middle was taken: share says how far to go"),
        ):  # fmt: skip
            wrong.append((id, (_slopes(mine.critic, at)[0] - 1).square(), words))
        same(got, want, "the penalty of a pair is off", wrong, rtol=1e-3)
    if judge.mistakes:
        return
    with judge.part("can be learned from"):
        theirs.call("penalty", x_real, x_fake, share)
        words = "backward() leaves gradients in the critic's weights as well: use torch.autograd.grad, with create_graph=True"
        expect(all(grad is None or grad.norm() == 0 for grad in theirs.grads().values()), "backward", words)
        words = "the penalty has no gradient by the weights: the slope needs create_graph=True, and no detach or item"
        with failing(("does not require grad", "no-graph", words)):
            theirs.call("learn", x_real, x_fake, share)
        mine.learn(x_real, x_fake, share)
        left = [
            torch.zeros_like(p) if grad is None else grad
            for p, grad in zip(weights, theirs.grads().values(), strict=True)
        ]
        want = [torch.zeros_like(p) if p.grad is None else p.grad for p in weights]
        got, want = (torch.cat([one.flatten().cpu().double() for one in parts]) for parts in (left, want))
        expect(got.norm() > 1e-6, "no-graph", words)
        words = "the values are right, and their gradient by the weights is not: is a part of the slope detached?"
        expect((got - want).norm() <= 1e-3 * want.norm(), "part-detached", words)


def _critic(judge: Judge) -> PenalizedCritic:
    with torch.random.fork_rng(), torch.device("cpu"):
        mine = PenalizedCritic(24)
    with torch.no_grad():
        for p in mine.parameters():
            p.copy_(judge.normal(*p.shape) * 0.6)
    return mine


def _slopes(critic: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Lengths of the critic's gradients at x, and the gradients."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    return gradient.norm(dim=1), gradient


@exercise("15.4", "The largest stretch of a matrix", {"stretch": 1, "any size": 1, "few steps": 1}, gan.largest_stretch)
def _(answer: Answer, judge: Judge) -> None:
    M, N = judge.integer(6, 7), judge.integer(3, 5)
    stretches = torch.tensor([3.0, 1.6, 1.1, 0.7, 0.4][:N]) + 0.3 * judge.uniform(1)
    left, right = (torch.linalg.qr(judge.normal(size, size)).Q[:, :N] for size in (M, N))
    weight, u = left * stretches @ right.T, judge.normal(M)
    u = u / u.norm()
    with judge.part("stretch"):
        wrong = [
            ("squared", stretches[0] ** 2, "this is its square: a step with W and its transpose stretches twice"),
            ("frobenius", weight.norm(), "this is the root of all squared entries: it counts every direction, the largest is asked"),
            ("largest-entry", weight.abs().max(), "this is the largest entry: how much longer does a vector become?"),
            ("row-sums", weight.abs().sum(1).max(), "this is the largest sum of a row: lengths are Euclidean here"),
            ("row-sums", weight.abs().sum(0).max(), "this is the largest sum of a column: lengths are Euclidean here"),
            ("smallest", stretches[-1], "this is the smallest stretch"),
            ("inverse", 1 / stretches[0], "this is 1 over the stretch"),
            ("length-one", 1.0, "1 came back: measure the length before u or v is brought back to length 1"),
            ("one-step", gan.largest_stretch(weight, u, 1), "this is the value after one step: repeat it `steps` times"),
            ("sum", stretches.sum(), "all stretches were added: the largest alone is asked"),
        ]  # fmt: skip
        got = answer(weight, u, 60)
        expect(not isinstance(got, list), "wrong-shape", "one number is expected, the stretch, not a list")
        off = "the numbers ran off to infinity or 0: bring u and v back to length 1 in each step"
        expect(math.isfinite(number(got)), "not-normalized", off)
        same(number(got), stretches[0].item(), "the largest stretch is off", wrong, rtol=1e-3)
        words = "for a matrix with more columns than rows it is off"
        same(number(answer(weight.T.contiguous(), judge.normal(N), 60)), stretches[0].item(), words, wrong, rtol=1e-3)
    if judge.mistakes:
        return
    with judge.part("any size"):
        for scale in (30.0, 0.03):
            got = number(answer(scale * weight, u, 200))
            expect(math.isfinite(got) and got > 0, "not-normalized", off)
            same(got, scale * stretches[0].item(), "a large or a small matrix gives a wrong stretch", rtol=1e-3)
    if judge.mistakes:
        return
    with judge.part("few steps"):
        _few_steps(answer, judge)


def _few_steps(answer: Answer, judge: Judge) -> None:
    """After one step and after two, where the value still depends on u and on each step."""
    M, N = judge.integer(6, 7), judge.integer(3, 5)
    # Stretches close to each other, and a u with most in the weaker directions: the way to the largest is long.
    left, right = (torch.linalg.qr(judge.normal(size, size)).Q[:, :N] for size in (M, N))
    weight = left * torch.tensor([3.0, 2.4, 1.9, 1.5, 1.2][:N]) @ right.T
    u = left @ (torch.tensor([0.6, 0.9, 1.0, 1.1, 1.2][:N]) + 0.1 * judge.uniform(N))
    u, ones = u / u.norm(), torch.ones(M)

    def half_more(steps: int) -> Tensor:
        last = u
        for _ in range(steps):
            last = weight @ (weight.T @ last)
        return (weight.T @ last).norm() / last.norm()

    values = {steps: number(answer(weight, u, steps)) for steps in (2, 3)}
    exact = torch.linalg.matrix_norm(weight, 2).item()
    words = "the largest stretch itself came back: after two steps from u it is not reached yet, make `steps` steps and no more"
    expect(abs(values[2] - exact) > 1e-4 * exact, "exact", words)
    words = "two steps and three give the same: make `steps` of them"
    expect(abs(values[2] - values[3]) > 1e-5 * exact, "steps-ignored", words)
    for steps in (2, 1):
        wrong = [
            ("one-more", gan.largest_stretch(weight, u, steps + 1), "this is the value after one step more than `steps`"),
            ("half-more", half_more(steps), "this is the length of A^T u for the last u: the length of A v for the last v is asked"),
            ("own-u", gan.largest_stretch(weight, ones, steps), "the steps begin at a u of your own: begin at the one given"),
        ]  # fmt: skip
        if steps > 1:
            wrong.append(("one-less", gan.largest_stretch(weight, u, steps - 1), "this is the value after one step less than `steps`"))  # fmt: skip
        got = values[2] if steps == 2 else number(answer(weight, u, 1))
        same(got, gan.largest_stretch(weight, u, steps), f"after {steps} of the steps it is off", wrong, rtol=1e-4)


@task("T15", "The distance of two sets of measurements", points=5)
def _(answer: Answer, judge: Judge) -> None:
    got = number(answer(torch.tensor([3.0, 0.0]), torch.tensor([1.0, 4.0, 1.0])))
    expect(abs(got - 7 / 6) < 2e-3, "distance", f"in the example of the text the distance is 1.167, you have {got:.4g}")

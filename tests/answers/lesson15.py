"""Wrong and right answers to the exercises and the task of lesson 15."""

from itertools import pairwise

import numpy as np
import torch
from scipy.stats import wasserstein_distance

from course_utils.exercises.lesson15 import PenalizedCritic
from tests.answers import right, wrong


def _rows(N, M):
    return torch.eye(N).repeat_interleave(M, dim=1)


def _columns(N, M):
    return torch.eye(M).repeat(1, N)


wrong("15.1", "transposed")(lambda N, M: torch.cat([_rows(N, M), _columns(N, M)]).T)
wrong("15.1", "columns-first")(lambda N, M: torch.cat([_columns(N, M), _rows(N, M)]))
wrong("15.1", "flattened-by-columns")(
    lambda N, M: torch.cat([torch.eye(N).repeat(1, M), torch.eye(M).repeat_interleave(N, dim=1)])
)
wrong("15.1", "both-repeated")(lambda N, M: torch.cat([_rows(N, M), torch.eye(M).repeat_interleave(N, dim=1)]))
wrong("15.1", "both-side-by-side")(lambda N, M: torch.cat([torch.eye(N).repeat(1, M), _columns(N, M)]))
wrong("15.1", "only-rows")(_rows)
wrong("15.1", "only-columns")(_columns)
wrong("15.1", "means")(lambda N, M: torch.cat([_rows(N, M) / M, _columns(N, M) / N]))
wrong("15.1", "all-ones")(lambda N, M: torch.ones(N + M, N * M))
wrong("15.1", "swapped-sizes")(lambda N, M: torch.cat([_rows(M, N), _columns(M, N)]))
wrong("15.1", "signed")(lambda N, M: torch.cat([_rows(N, M), -_columns(N, M)]))
wrong("15.1", "nothing")(lambda N, M: print(N, M, end="\r"))


@right("15.1")
def _(N, M):
    sums = torch.zeros(N + M, N * M)
    for i in range(N):
        for j in range(M):
            sums[i, i * M + j] = sums[N + j, i * M + j] = 1
    return sums


@right("15.1")
def _(N, M):
    return np.vstack([np.kron(np.eye(N), np.ones((1, M))), np.kron(np.ones((1, N)), np.eye(M))])


@right("15.1")
def _(N, M):
    plans = torch.eye(N * M, dtype=torch.int64).view(-1, N, M)
    return torch.cat([plans.sum(2), plans.sum(1)], dim=1).T


@right("15.1")
def _(N, M):
    i = torch.arange(N * M)
    return torch.cat([i // M == torch.arange(N)[:, None], i % M == torch.arange(M)[:, None]]).float()


def _on_a_line(form):
    return lambda places, p, q: form((p - q).cumsum(0), places.diff(), places, p - q)


wrong("15.2", "no-gaps")(_on_a_line(lambda carried, gaps, places, rest: carried.abs().sum()))
wrong("15.2", "mean-gap")(_on_a_line(lambda carried, gaps, places, rest: carried[:-1].abs().sum() * gaps[0]))
wrong("15.2", "mean-gap")(_on_a_line(lambda carried, gaps, places, rest: carried.abs().sum() * gaps.mean()))
wrong("15.2", "no-abs")(_on_a_line(lambda carried, gaps, places, rest: (carried[:-1] * gaps).sum()))
wrong("15.2", "no-abs")(_on_a_line(lambda carried, gaps, places, rest: (rest * places).sum().abs()))
wrong("15.2", "no-cumsum")(_on_a_line(lambda carried, gaps, places, rest: (rest[:-1].abs() * gaps).sum()))
wrong("15.2", "no-cumsum")(_on_a_line(lambda carried, gaps, places, rest: 0.5 * rest.abs().sum()))
wrong("15.2", "shifted")(_on_a_line(lambda carried, gaps, places, rest: (carried[1:].abs() * gaps).sum()))
wrong("15.2", "places")(_on_a_line(lambda carried, gaps, places, rest: (carried.abs() * places).sum()))
wrong("15.2", "averaged")(_on_a_line(lambda carried, gaps, places, rest: (carried[:-1].abs() * gaps).mean()))
wrong("15.2", "squared")(_on_a_line(lambda carried, gaps, places, rest: (carried[:-1].square() * gaps).sum()))
wrong("15.2", "last-kept")(_on_a_line(lambda carried, gaps, places, rest: (carried.abs() * gaps).sum()))
wrong("15.2", "last-kept")(_on_a_line(lambda carried, gaps, places, rest: (carried.abs().numpy() * gaps.numpy()).sum()))
wrong("15.2", "not-summed")(_on_a_line(lambda carried, gaps, places, rest: carried[:-1].abs() * gaps))


@right("15.2")
def _(places, p, q):
    return wasserstein_distance(*(one.double().numpy() for one in (places, places, p, q)))


@right("15.2")
def _(places, p, q):
    distance, carried = 0.0, 0.0
    for i in range(len(places) - 1):
        carried += float(p[i]) - float(q[i])
        distance += abs(carried) * float(places[i + 1] - places[i])
    return distance


@right("15.2")
def _(places, p, q):
    # From the right, and as an integral of a step function.
    to_the_right = (p - q).double().flip(0).cumsum(0).flip(0)
    return torch.dot(to_the_right[1:].abs(), places.double().diff())


@right("15.2")
def _(places, p, q):
    return np.sum(np.abs(np.cumsum(p.numpy()) - np.cumsum(q.numpy()))[:-1] * np.diff(places.numpy()))


class _Open(PenalizedCritic):
    """What the answers below share: the parts of the penalty, each of which can be replaced."""

    def penalty(self, x_real, x_fake, share):
        x = self.place(x_real, x_fake, share[:, None]).requires_grad_()
        return self.measure(self.gradient(x))

    def place(self, x_real, x_fake, share):
        return share * x_real + (1 - share) * x_fake

    def gradient(self, x):
        return torch.autograd.grad(self.critic(x).sum(), x, create_graph=True)[0]

    def measure(self, gradient):
        return (gradient.norm(dim=1) - 1).square()


def _measured(form):
    return type("Measured", (_Open,), {"measure": lambda self, gradient: form(gradient)})


def _placed(form):
    return type("Placed", (_Open,), {"place": lambda self, *args: form(*args)})


def _differentiated(form):
    return type("Differentiated", (_Open,), {"gradient": lambda self, x: form(self.critic, x)})


wrong("15.3", "one-number")(_measured(lambda g: (g.norm(dim=1) - 1).square().mean()))
wrong("15.3", "norm-over-batch")(_measured(lambda g: (g.norm() - 1).square()))
wrong("15.3", "norm-over-batch")(_measured(lambda g: (g.norm(dim=0) - 1).square()))
wrong("15.3", "no-root")(_measured(lambda g: (g.square().sum(1) - 1).square()))
wrong("15.3", "not-squared")(_measured(lambda g: (g.norm(dim=1) - 1).abs()))
wrong("15.3", "not-squared")(_measured(lambda g: g.norm(dim=1) - 1))
wrong("15.3", "towards-0")(_measured(lambda g: g.square().sum(1)))
wrong("15.3", "one-sided")(_measured(lambda g: (g.norm(dim=1) - 1).clamp(min=0).square()))
wrong("15.3", "by-coordinate")(_measured(lambda g: (g - 1).square().sum(1)))
wrong("15.3", "weighted")(_measured(lambda g: 10 * (g.norm(dim=1) - 1).square()))
wrong("15.3", "no-graph")(_measured(lambda g: (g.detach().norm(dim=1) - 1).square()))
wrong("15.3", "part-detached")(_measured(lambda g: (g.norm(dim=1) - 1) * (g.norm(dim=1) - 1).detach()))
wrong("15.3", "turned-round")(_placed(lambda x_real, x_fake, share: share * x_fake + (1 - share) * x_real))
wrong("15.3", "at-real")(_placed(lambda x_real, x_fake, share: x_real.clone()))
wrong("15.3", "at-fake")(_placed(lambda x_real, x_fake, share: x_fake.clone()))
wrong("15.3", "one-share")(_placed(lambda x_real, x_fake, share: share[0] * x_real + (1 - share[0]) * x_fake))
wrong("15.3", "own-share")(_placed(lambda x_real, x_fake, share: 0.5 * (x_real + x_fake)))
wrong("15.3", "no-graph")(_differentiated(lambda critic, x: torch.autograd.grad(critic(x).sum(), x)[0]))
wrong("15.3", "mean-first")(
    _differentiated(lambda critic, x: torch.autograd.grad(critic(x).mean(), x, create_graph=True)[0])
)


def _backward(critic, x):
    critic(x).sum().backward(create_graph=True)
    return x.grad


wrong("15.3", "backward")(_differentiated(_backward))


@wrong("15.3", "no-leaf")
class _(_Open):
    def penalty(self, x_real, x_fake, share):
        return self.measure(self.gradient(self.place(x_real, x_fake, share[:, None])))


@wrong("15.3", "share-shape")
class _(_Open):
    def penalty(self, x_real, x_fake, share):
        return super().penalty(x_real.flatten(1), x_fake, share[None, :, 0] if share.ndim == 2 else share[None])


@wrong("15.3", "share-shape")
class _(_Open):
    def penalty(self, x_real, x_fake, share):
        return self.measure(self.gradient(self.place(x_real, x_fake, share).requires_grad_()))


@right("15.3")
class _(_Open):
    pass


@right("15.3")
class _(_Open):
    """With a tiny number under the root, as many write it, and the points themselves as leaves."""

    def penalty(self, x_real, x_fake, share):
        x = torch.lerp(x_fake, x_real, share.unsqueeze(1))
        x.requires_grad = True
        logits = self.critic(x)
        (gradient,) = torch.autograd.grad(logits, x, torch.ones_like(logits), create_graph=True, retain_graph=True)
        return ((gradient.pow(2).sum(dim=1) + 1e-12).sqrt() - 1) ** 2


@right("15.3")
class _(_Open):
    """One pair after the other."""

    def penalty(self, x_real, x_fake, share):
        pairs = zip(x_real, x_fake, share, strict=True)
        return torch.stack([super(type(self), self).penalty(a[None], b[None], s[None])[0] for a, b, s in pairs])


@right("15.3")
class _(_Open):
    """By a Jacobian of one point at a time."""

    def gradient(self, x):
        return torch.func.vmap(torch.func.grad(lambda one: self.critic(one[None])[0]))(x)


def _iterated(result, steps=None, normed=True):
    def answer(weight, u, times):
        for _ in range(times if steps is None else steps):
            v = weight.T @ u
            v = v / v.norm() if normed else v
            u = weight @ v
            u = u / u.norm() if normed else u
        return result(weight, u, v)

    return answer


wrong("15.4", "squared")(_iterated(lambda weight, u, v: (weight.T @ (weight @ v)).norm()))
wrong("15.4", "length-one")(_iterated(lambda weight, u, v: u.norm()))
wrong("15.4", "one-step")(_iterated(lambda weight, u, v: (weight @ v).norm(), steps=1))
wrong("15.4", "frobenius")(lambda weight, u, steps: weight.norm())
wrong("15.4", "largest-entry")(lambda weight, u, steps: weight.abs().max())
wrong("15.4", "row-sums")(lambda weight, u, steps: torch.linalg.matrix_norm(weight, torch.inf))
wrong("15.4", "smallest")(lambda weight, u, steps: torch.linalg.svdvals(weight)[-1])
wrong("15.4", "sum")(lambda weight, u, steps: torch.linalg.svdvals(weight).sum())
wrong("15.4", "not-normalized")(_iterated(lambda weight, u, v: (weight @ v).norm() / v.norm(), normed=False))
wrong("15.4", "exact")(lambda weight, u, steps: torch.linalg.matrix_norm(weight, 2))
wrong("15.4", "exact")(_iterated(lambda weight, u, v: (weight @ v).norm(), steps=500))
wrong("15.4", "steps-ignored")(_iterated(lambda weight, u, v: (weight @ v).norm(), steps=8))
wrong("15.4", "half-more")(_iterated(lambda weight, u, v: (weight.T @ u).norm()))


def _other_steps(more):
    iterated = _iterated(lambda weight, u, v: (weight @ v).norm())
    return lambda weight, u, steps: iterated(weight, u, steps + more)


wrong("15.4", "one-less")(_other_steps(-1))
wrong("15.4", "one-more")(_other_steps(1))
wrong("15.4", "own-u")(
    lambda weight, u, steps: _iterated(lambda weight, u, v: (weight @ v).norm())(weight, torch.ones_like(u), steps)
)
wrong("15.4", "wrong-shape")(_iterated(lambda weight, u, v: [(weight @ v).norm(), u]))


@right("15.4")
def _(weight, u, steps):
    weight, u = weight.double().numpy(), u.double().numpy()
    for _ in range(steps):
        v = weight.T @ u / np.linalg.norm(weight.T @ u)
        u = weight @ v / np.linalg.norm(weight @ v)
    return np.sqrt(v @ weight.T @ weight @ v)


@right("15.4")
def _(weight, u, steps):
    for _ in range(steps):
        v = torch.nn.functional.normalize(weight.T @ u, dim=0)
        u = torch.nn.functional.normalize(weight @ v, dim=0)
    return torch.dot(u, weight @ v)


@right("15.4")
def _(weight, u, steps):
    for _ in range(steps):
        v = weight.mT.mv(u)
        u = weight.mv(v)
        stretch = u.norm() / v.norm()
        u = u / u.norm()
    return stretch


def _cost(x, y):
    return (x[:, None] - y).abs()


def _shared(x, y):
    n = min(len(x), len(y))
    return x.sort().values[:n], y.sort().values[:n]


wrong("T15", "means")(lambda x, y: (x.mean() - y.mean()).abs())
wrong("T15", "all-pairs")(lambda x, y: _cost(x, y).mean())
wrong("T15", "nearest")(lambda x, y: _cost(x, y).amin(1).mean())
wrong("T15", "cut")(lambda x, y: (_shared(x, y)[0] - _shared(x, y)[1]).abs().mean())
wrong("T15", "root-mean-square")(lambda x, y: (_shared(x, y)[0] - _shared(x, y)[1]).square().mean().sqrt())


@wrong("T15", "unsorted")
def _(x, y):
    n = min(len(x), len(y))
    return (x[:n] - y[:n]).abs().mean()


@wrong("T15", "unequal-mass")
def _(x, y):
    places, order = torch.cat([x, y]).sort()
    carried = torch.cat([torch.ones_like(x), -torch.ones_like(y)])[order].cumsum(0)[:-1]
    return (carried.abs() * places.diff()).sum() / len(x)


@wrong("T15", "not-summed")
def _(x, y):
    a, b = _shared(x, y)
    return (a - b).abs()


@right("T15")
def _(x, y):
    return wasserstein_distance(x.double().numpy(), y.double().numpy())


@right("T15")
def _(x, y):
    # Repeated until both are as many, then paired in order.
    a, b = x.double().sort().values.repeat_interleave(len(y)), y.double().sort().values.repeat_interleave(len(x))
    return (a - b).abs().mean().item()


@right("T15")
def _(x, y):
    places = sorted([*x.tolist(), *y.tolist()])
    return sum(
        abs((x <= left).float().mean() - (y <= left).float().mean()) * (right - left)
        for left, right in pairwise(places)
    )

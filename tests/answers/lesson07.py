"""Wrong and right answers to the exercises and the task of lesson 07."""

import math

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from torch import distributions, nn
from torch.nn import functional

from course_utils.models.convolutional import conv_encoder
from tests.answers import right, wrong


def _nll(x_logits, x):
    return functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none").flatten(1).sum(1)


def _kl(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1)


def _terms(reconstruction, kl):
    return reconstruction + kl, reconstruction, kl


@wrong("7.1", "wrong-number")
def _(x_logits, mu, logvar, x):
    return _nll(x_logits, x) + _kl(mu, logvar)


@wrong("7.1", "one-number")
def _(x_logits, mu, logvar, x):
    return _terms(_nll(x_logits, x).mean(), _kl(mu, logvar).mean())


@wrong("7.1", "one-number")
def _(x_logits, mu, logvar, x):
    return _terms(functional.binary_cross_entropy_with_logits(x_logits, x, reduction="sum"), _kl(mu, logvar))


@wrong("7.1", "logits-as-probabilities")
def _(x_logits, mu, logvar, x):
    return _terms(functional.binary_cross_entropy(x_logits, x, reduction="none").flatten(1).sum(1), _kl(mu, logvar))


@wrong("7.1", "sigmoid-twice")
def _(x_logits, mu, logvar, x):
    return _terms(_nll(x_logits.sigmoid(), x), _kl(mu, logvar))


@wrong("7.1", "mean-over-pixels")
def _(x_logits, mu, logvar, x):
    pixels = functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    return _terms(pixels.flatten(1).mean(1), _kl(mu, logvar))


@wrong("7.1", "arguments-swapped")
def _(x_logits, mu, logvar, x):
    return _terms(_nll(x, x_logits), _kl(mu, logvar))


@wrong("7.1", "squared-error")
def _(x_logits, mu, logvar, x):
    return _terms(0.5 * (x_logits.sigmoid() - x).square().flatten(1).sum(1), _kl(mu, logvar))


@wrong("7.1", "wrong-sign")
def _(x_logits, mu, logvar, x):
    return _terms(-_nll(x_logits, x), _kl(mu, logvar))


@wrong("7.1", "wrong-sign")
def _(x_logits, mu, logvar, x):
    return _terms(_nll(x_logits, x), 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1))


@wrong("7.1", "no-half")
def _(x_logits, mu, logvar, x):
    return _terms(_nll(x_logits, x), 2 * _kl(mu, logvar))


@wrong("7.1", "mean-over-latents")
def _(x_logits, mu, logvar, x):
    return _terms(_nll(x_logits, x), 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean(1))


@wrong("7.1", "one-unit-each")
def _(x_logits, mu, logvar, x):
    kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar)
    return _nll(x_logits, x) + kl.sum(1), _nll(x_logits, x), kl


@wrong("7.1", "logvar-as-log-sigma")
def _(x_logits, mu, logvar, x):
    return _terms(_nll(x_logits, x), _kl(mu, 2 * logvar))


@wrong("7.1", "kl-subtracted")
def _(x_logits, mu, logvar, x):
    return _nll(x_logits, x) - _kl(mu, logvar), _nll(x_logits, x), _kl(mu, logvar)


@wrong("7.1", "elbo")
def _(x_logits, mu, logvar, x):
    return -_nll(x_logits, x) - _kl(mu, logvar), _nll(x_logits, x), _kl(mu, logvar)


@wrong("7.1", "kl-missing")
def _(x_logits, mu, logvar, x):
    return _nll(x_logits, x), _nll(x_logits, x), _kl(mu, logvar)


@wrong("7.1", "swapped")
def _(x_logits, mu, logvar, x):
    return _nll(x_logits, x) + _kl(mu, logvar), _kl(mu, logvar), _nll(x_logits, x)


@wrong("7.1", "loss-not-first")
def _(x_logits, mu, logvar, x):
    return _nll(x_logits, x), _kl(mu, logvar), _nll(x_logits, x) + _kl(mu, logvar)


@right("7.1")
def _(x_logits, mu, logvar, x):
    nll = -distributions.Bernoulli(logits=x_logits).log_prob(x).sum((1, 2, 3))
    q = distributions.Normal(mu, (0.5 * logvar).exp())
    kl = distributions.kl_divergence(q, distributions.Normal(0.0, 1.0)).sum(-1)
    return nll + kl, nll, kl


@right("7.1")
def _(x_logits, mu, logvar, x):
    x_logits, x = x_logits.double().numpy(), x.double().numpy()
    mu, logvar = mu.double().numpy(), logvar.double().numpy()
    nll = (np.logaddexp(0, x_logits) - x * x_logits).reshape(len(x), -1).sum(1)
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar), axis=1)
    return nll + kl, nll, kl


@right("7.1")
def _(x_logits, mu, logvar, x):
    p = x_logits.double().sigmoid()
    nll = torch.stack([-torch.where(one > 0.5, q, 1 - q).log().sum() for q, one in zip(p, x, strict=True)])
    kl = torch.stack([_kl(m[None], v[None])[0] for m, v in zip(mu, logvar, strict=True)])
    return [nll + kl, nll, kl]


class _Body(nn.Module):
    """What the answers below share: one network, whose 2 Z numbers `split` makes mu and logvar of."""

    def __init__(self, latent_dim):
        super().__init__()
        self.layers, self.latent_dim = conv_encoder(2 * latent_dim, 4), latent_dim

    def forward(self, x):
        return self.split(*self.layers(x).chunk(2, dim=1))

    def split(self, mu, logvar):
        return mu, logvar


@wrong("7.2", "not-split")
class _(_Body):
    def forward(self, x):
        return self.layers(x)


@wrong("7.2", "wrong-shape")
class _(_Body):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.layers = conv_encoder(latent_dim, 4)


@wrong("7.2", "batch-split")
class _(_Body):
    def forward(self, x):
        return self.layers(x).chunk(2)


@wrong("7.2", "no-convolution")
class _(_Body):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 2 * latent_dim))


@wrong("7.2", "same-head")
class _(_Body):
    def split(self, mu, logvar):
        return mu, mu


@wrong("7.2", "spread-from-mu")
class _(_Body):
    def split(self, mu, logvar):
        return mu, mu.square().log()


@wrong("7.2", "logvar-not-negative")
class _(_Body):
    def split(self, mu, logvar):
        return mu, functional.softplus(logvar)


@wrong("7.2", "logvar-not-negative")
class _(_Body):
    def split(self, mu, logvar):
        return mu, (0.5 * logvar).exp()


@wrong("7.2", "logvar-not-negative")
class _(_Body):
    def split(self, mu, logvar):
        return mu.relu(), logvar.relu()


@wrong("7.2", "logvar-not-positive")
class _(_Body):
    def split(self, mu, logvar):
        return mu, logvar.sigmoid().log()


@wrong("7.2", "mu-not-negative")
class _(_Body):
    def split(self, mu, logvar):
        return mu.relu(), logvar


@wrong("7.2", "bounded")
class _(_Body):
    def split(self, mu, logvar):
        return mu.tanh(), logvar


@wrong("7.2", "bounded")
class _(_Body):
    def split(self, mu, logvar):
        return mu, logvar.tanh()


@wrong("7.2", "picture-ignored")
class _(_Body):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.spread = nn.Parameter(torch.zeros(latent_dim))

    def split(self, mu, logvar):
        return mu, self.spread.expand_as(mu)


@wrong("7.2", "too-narrow")
class _(nn.Module):
    def __init__(self, latent_dim):
        super().__init__()
        self.layers = nn.Sequential(conv_encoder(latent_dim, 4), nn.Linear(latent_dim, 2 * latent_dim))

    def forward(self, x):
        return self.layers(x).chunk(2, dim=1)


@wrong("7.2", "too-narrow")
class _(_Body):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.layers, self.again = conv_encoder(latent_dim, 4), nn.Linear(latent_dim, latent_dim)

    def forward(self, x):
        mu = self.layers(x)
        return mu, self.again(mu)


@wrong("7.2", "pictures-mixed")
class _(_Body):
    def split(self, mu, logvar):
        return mu - mu.mean(0), logvar


@right("7.2")
class _(_Body):
    def split(self, mu, logvar):
        return logvar, mu


@right("7.2")
class _(nn.Module):
    def __init__(self, latent_dim):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 5, stride=3), nn.Tanh(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten())
        self.mu, self.logvar = nn.LazyLinear(latent_dim), nn.LazyLinear(latent_dim)
        self(torch.zeros(1, 1, 28, 28))

    def forward(self, x):
        h = self.body(x)
        return self.mu(h), self.logvar(h)


@right("7.2")
class _(nn.Module):
    def __init__(self, latent_dim):
        super().__init__()
        self.heads = nn.ModuleList([conv_encoder(latent_dim, 4), conv_encoder(latent_dim, 4)])

    def forward(self, x):
        return [head(x) for head in self.heads]


@right("7.2")
class _(_Body):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.double()

    def forward(self, x):
        both = self.layers(x.double())
        return both[:, ::2], both[:, 1::2]


def _grid(places):
    return torch.tensor([[float(first), float(second)] for second in reversed(places) for first in places])


def _shares(steps):
    return (np.arange(steps) + 0.5) / steps


@wrong("7.3", "even")
def _(steps):
    return _grid(list(torch.linspace(-2, 2, steps)))


@wrong("7.3", "infinite")
def _(steps):
    return _grid(list(torch.special.ndtri(torch.linspace(0, 1, steps))))


@wrong("7.3", "shares")
def _(steps):
    return _grid(list(_shares(steps)))


@wrong("7.3", "wrong-way")
def _(steps):
    return _grid(list(norm.cdf(_shares(steps))))


@wrong("7.3", "no-root-two")
def _(steps):
    return _grid(list(torch.erfinv(2 * torch.tensor(_shares(steps)) - 1)))


@wrong("7.3", "other-shares")
def _(steps):
    return _grid(list(norm.ppf(np.arange(1, steps + 1) / (steps + 1))))


@wrong("7.3", "upside-down")
def _(steps):
    places = norm.ppf(_shares(steps))
    return torch.tensor([[float(a), float(b)] for b in places for a in places])


@wrong("7.3", "turned")
def _(steps):
    places = torch.tensor(norm.ppf(_shares(steps)))
    return torch.cartesian_prod(places, places)


@wrong("7.3", "turned")
def _(steps):
    return _grid(list(norm.ppf(_shares(steps)))).flip(1)


@wrong("7.3", "stacked-first")
def _(steps):
    places = torch.tensor(norm.ppf(_shares(steps)))
    first, second = torch.meshgrid(places, places.flip(0), indexing="xy")
    return torch.stack([first, second]).view(-1, 2)


@wrong("7.3", "stacked-first")
def _(steps):
    places = torch.tensor(norm.ppf(_shares(steps)))
    return torch.stack(torch.meshgrid(places.flip(0), places, indexing="ij")).view(-1, 2)


@wrong("7.3", "not-flat")
def _(steps):
    return _grid(list(norm.ppf(_shares(steps)))).view(steps, steps, 2)


@wrong("7.3", "not-flat")
def _(steps):
    places = torch.tensor(norm.ppf(_shares(steps)))
    return torch.stack([places, places.flip(0)], 1)


@right("7.3")
def _(steps):
    return _grid(list(norm.ppf(_shares(steps))))


@right("7.3")
def _(steps):
    shares = torch.linspace(0.5 / steps, 1 - 0.5 / steps, steps)
    first, second = torch.meshgrid(
        distributions.Normal(0, 1).icdf(shares), math.sqrt(2) * torch.erfinv(1 - 2 * shares), indexing="xy"
    )
    return torch.stack([first.flatten(), second.flatten()], -1)


@right("7.3")
def _(steps):
    places = norm.ppf(_shares(steps)).astype(np.float32)
    return np.stack(np.meshgrid(places, places[::-1]), -1).reshape(-1, 2)


@right("7.3")
def _(steps):
    places = norm.ppf(_shares(steps)).tolist()
    return [[first, second] for second in places[::-1] for first in places]


def _angle(z_a, z_b):
    return torch.acos(functional.cosine_similarity(z_a, z_b, dim=0).clamp(-1, 1))


def _arc(z_a, z_b, t, angle):
    if angle < 1e-3:
        return (1 - t) * z_a + t * z_b
    return (torch.sin((1 - t) * angle) * z_a + torch.sin(t * angle) * z_b) / torch.sin(angle)


def _column(steps):
    return torch.linspace(0, 1, steps)[:, None]


@wrong("7.4", "straight")
def _(z_a, z_b, steps):
    return (1 - _column(steps)) * z_a + _column(steps) * z_b


@wrong("7.4", "not-divided")
def _(z_a, z_b, steps):
    angle, t = _angle(z_a, z_b), _column(steps)
    return torch.sin((1 - t) * angle) * z_a + torch.sin(t * angle) * z_b


@wrong("7.4", "unit-length")
def _(z_a, z_b, steps):
    z_a, z_b = z_a / z_a.norm(), z_b / z_b.norm()
    return _arc(z_a, z_b, _column(steps), _angle(z_a, z_b))


@wrong("7.4", "length-apart")
def _(z_a, z_b, steps):
    t = _column(steps)
    arc = _arc(z_a / z_a.norm(), z_b / z_b.norm(), t, _angle(z_a, z_b))
    return arc * ((1 - t) * z_a.norm() + t * z_b.norm())


@wrong("7.4", "rescaled")
def _(z_a, z_b, steps):
    t = _column(steps)
    straight = (1 - t) * z_a + t * z_b
    return functional.normalize(straight, dim=1) * ((1 - t) * z_a.norm() + t * z_b.norm())


@wrong("7.4", "angle-of-long-codes")
def _(z_a, z_b, steps):
    return _arc(z_a, z_b, _column(steps), torch.acos((z_a @ z_b).clamp(-0.999, 0.999))) * torch.nan


@wrong("7.4", "angle-of-long-codes")
def _(z_a, z_b, steps):
    angle, t = torch.acos(z_a @ z_b), _column(steps)
    return (torch.sin((1 - t) * angle) * z_a + torch.sin(t * angle) * z_b) / torch.sin(angle)


@wrong("7.4", "angle-of-long-codes")
def _(z_a, z_b, steps):
    return _arc(z_a, z_b, _column(steps), torch.acos((z_a @ z_b).clamp(-1, 1)))


@wrong("7.4", "cosine-as-angle")
def _(z_a, z_b, steps):
    return _arc(z_a, z_b, _column(steps), functional.cosine_similarity(z_a, z_b, dim=0))


@wrong("7.4", "degrees")
def _(z_a, z_b, steps):
    return _arc(z_a, z_b, _column(steps), _angle(z_a, z_b).rad2deg())


@wrong("7.4", "sines-of-t")
def _(z_a, z_b, steps):
    return _arc(z_a, z_b, _column(steps), torch.tensor(math.pi / 2))


@wrong("7.4", "backwards")
def _(z_a, z_b, steps):
    return _arc(z_b, z_a, _column(steps), _angle(z_a, z_b))


@wrong("7.4", "last-missing")
def _(z_a, z_b, steps):
    return _arc(z_a, z_b, torch.arange(steps)[:, None] / steps, _angle(z_a, z_b))


@wrong("7.4", "no-column")
def _(z_a, z_b, steps):
    return _arc(z_a, z_b, torch.linspace(0, 1, steps + 7), _angle(z_a, z_b))


@wrong("7.4", "nan")
def _(z_a, z_b, steps):
    angle, t = _angle(z_a, z_b), _column(steps)
    return (torch.sin((1 - t) * angle) * z_a + torch.sin(t * angle) * z_b) / torch.sin(angle)


@wrong("7.4", "nan")
def _(z_a, z_b, steps):
    angle, t = _angle(z_a.double(), z_b.double()), _column(steps).double()
    angle = torch.where(angle < 1e-6, 0.0, angle)
    return (torch.sin((1 - t) * angle) * z_a + torch.sin(t * angle) * z_b) / torch.sin(angle)


@right("7.4")
def _(z_a, z_b, steps):
    return _arc(z_a.double(), z_b.double(), _column(steps).double(), _angle(z_a.double(), z_b.double()))


@right("7.4")
def _(z_a, z_b, steps):
    a, b = z_a.double().numpy(), z_b.double().numpy()
    angle = np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))
    rows = []
    for t in np.linspace(0, 1, steps):
        weights = (
            ((1 - t), t)
            if angle < 1e-4
            else (np.sin((1 - t) * angle) / np.sin(angle), np.sin(t * angle) / np.sin(angle))
        )
        rows.append(weights[0] * a + weights[1] * b)
    return np.stack(rows)


@right("7.4")
def _(z_a, z_b, steps):
    # Turn within the plane of the two codes: a step along the arc is a rotation of the coordinates in it.
    cosine = functional.cosine_similarity(z_a.double(), z_b.double(), dim=0).clamp(-1, 1)
    if cosine > 1 - 1e-9:
        return [torch.lerp(z_a, z_b, float(t)) for t in torch.linspace(0, 1, steps)]
    angle, sine = cosine.acos(), (1 - cosine**2).sqrt()
    t = torch.linspace(0, 1, steps).double()
    return [
        (torch.cos(s * angle) - cosine * torch.sin(s * angle) / sine) * z_a + torch.sin(s * angle) / sine * z_b
        for s in t
    ]


@right("7.4")
def _(z_a, z_b, steps):
    # sinc has no trouble with small angles.
    angle, t = _angle(z_a, z_b), _column(steps)
    sinc = lambda u: torch.sinc(u * angle / math.pi)  # noqa: E731
    return ((1 - t) * sinc(1 - t) * z_a + t * sinc(t) * z_b) / sinc(torch.tensor(1.0))


def _summary(per_picture):
    return per_picture.mean(), per_picture.std() / len(per_picture) ** 0.5


def _groups(log_w, k):
    return log_w[: len(log_w) // k * k].reshape(-1, k, log_w.shape[1])


@wrong("T7", "elbo")
def _(log_w, k):
    return _summary(log_w.mean(0))


@wrong("T7", "sum")
def _(log_w, k):
    return _summary(_groups(log_w, k).logsumexp(1).mean(0))


@wrong("T7", "all-draws")
def _(log_w, k):
    return _summary(log_w.logsumexp(0) - math.log(len(log_w)))


@wrong("T7", "no-last-mean")
def _(log_w, k):
    return _summary((_groups(log_w, k).logsumexp(1) - math.log(k)).sum(0))


@wrong("T7", "across-pictures")
def _(log_w, k):
    flat = log_w[: len(log_w) // k * k].reshape(-1, k).logsumexp(1) - math.log(k)
    return _summary(flat)


@wrong("T7", "strided")
def _(log_w, k):
    groups = log_w[: len(log_w) // k * k].reshape(k, -1, log_w.shape[1])
    return _summary((groups.logsumexp(0) - math.log(k)).mean(0))


@wrong("T7", "first-only")
def _(log_w, k):
    return _summary(log_w[:k].logsumexp(0) - math.log(k))


@wrong("T7", "leftover")
def _(log_w, k):
    parts = [part.logsumexp(0) - math.log(len(part)) for part in log_w.split(k)]
    return _summary(torch.stack(parts).mean(0))


@wrong("T7", "no-root")
def _(log_w, k):
    per_picture = (_groups(log_w, k).logsumexp(1) - math.log(k)).mean(0)
    return per_picture.mean(), per_picture.std()


@wrong("T7", "by-number")
def _(log_w, k):
    per_picture = (_groups(log_w, k).logsumexp(1) - math.log(k)).mean(0)
    return per_picture.mean(), per_picture.std() / len(per_picture)


@wrong("T7", "population")
def _(log_w, k):
    per_picture = (_groups(log_w, k).logsumexp(1) - math.log(k)).mean(0).numpy()
    return per_picture.mean(), per_picture.std() / len(per_picture) ** 0.5


@wrong("T7", "pooled-error")
def _(log_w, k):
    logs = _groups(log_w, k).logsumexp(1) - math.log(k)
    return logs.mean(), logs.std() / logs.numel() ** 0.5


@wrong("T7", "over-draws")
def _(log_w, k):
    logs = _groups(log_w, k).logsumexp(1) - math.log(k)
    return _summary(logs.mean(1))


@wrong("T7", "underflow")
def _(log_w, k):
    return _summary(_groups(log_w, k).exp().mean(1).log().mean(0))


@right("T7")
def _(log_w, k):
    return _summary(torch.stack([g.logsumexp(0) - math.log(k) for g in log_w.split(k) if len(g) == k]).mean(0))


@right("T7")
def _(log_w, k):
    log_w = log_w.double().numpy()
    groups = log_w[: len(log_w) // k * k].reshape(-1, k, log_w.shape[1])
    per_picture = (logsumexp(groups, axis=1) - np.log(k)).mean(0)
    return per_picture.mean(), per_picture.std(ddof=1) / np.sqrt(len(per_picture))


@right("T7")
def _(log_w, k):
    values = []
    for column in log_w.T.double():
        logs = []
        for i in range(len(column) // k):
            group = column[i * k : (i + 1) * k]
            logs.append(group.max() + (group - group.max()).exp().mean().log())
        values.append(sum(logs) / len(logs))
    return _summary(torch.stack(values))

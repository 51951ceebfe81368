"""Wrong and right answers to the exercises and the task of lesson 04."""

import math

import numpy as np
import torch
from scipy import integrate, stats
from sklearn.linear_model import LinearRegression
from torch import distributions
from torch.nn import functional

from tests.answers import right, wrong

LOG_2_PI = math.log(2 * math.pi)


def _nll(mean, logvar, x, halves=True):
    terms = (x - mean) ** 2 / logvar.exp() + logvar + LOG_2_PI
    return (0.5 * terms if halves else terms).flatten(1).sum(1)


@wrong("4.1", "no-constant")
def _(mean, logvar, x):
    return 0.5 * ((x - mean) ** 2 / logvar.exp() + logvar).flatten(1).sum(1)


@wrong("4.1", "no-constant")
def _(mean, logvar, x):
    return functional.gaussian_nll_loss(mean, x, logvar.exp(), reduction="none").flatten(1).sum(1)


@wrong("4.1", "constant-once")
def _(mean, logvar, x):
    return 0.5 * ((x - mean) ** 2 / logvar.exp() + logvar).flatten(1).sum(1) + 0.5 * LOG_2_PI


@wrong("4.1", "no-log")
def _(mean, logvar, x):
    return 0.5 * ((x - mean) ** 2 / logvar.exp()).flatten(1).sum(1)


@wrong("4.1", "no-log")
def _(mean, logvar, x):
    return 0.5 * ((x - mean) ** 2 / logvar.exp() + LOG_2_PI).flatten(1).sum(1)


@wrong("4.1", "log-not-halved")
def _(mean, logvar, x):
    return (0.5 * (x - mean) ** 2 / logvar.exp() + logvar + 0.5 * LOG_2_PI).flatten(1).sum(1)


@wrong("4.1", "logvar-as-log-sigma")
def _(mean, logvar, x):
    return -distributions.Normal(mean, logvar.exp()).log_prob(x).flatten(1).sum(1)


@wrong("4.1", "logvar-as-variance")
def _(mean, logvar, x):
    return (0.5 * ((x - mean) ** 2 / logvar + logvar + LOG_2_PI)).flatten(1).sum(1)


@wrong("4.1", "logvar-as-variance")
def _(mean, logvar, x):
    return (0.5 * ((x - mean) ** 2 / logvar + logvar.abs().log() + LOG_2_PI)).flatten(1).sum(1)


@wrong("4.1", "logvar-as-variance")
def _(mean, logvar, x):
    return functional.gaussian_nll_loss(mean, x, logvar, full=True, reduction="none").flatten(1).sum(1)


@wrong("4.1", "logvar-as-variance")
def _(mean, logvar, x):
    return -distributions.Normal(mean, logvar).log_prob(x).flatten(1).sum(1)


@wrong("4.1", "log-of-logvar")
def _(mean, logvar, x):
    return (0.5 * ((x - mean) ** 2 / logvar.exp() + logvar.log() + LOG_2_PI)).flatten(1).sum(1)


@wrong("4.1", "divided-by-sigma")
def _(mean, logvar, x):
    return 0.5 * ((x - mean) ** 2 / (logvar / 2).exp() + logvar + LOG_2_PI).flatten(1).sum(1)


@wrong("4.1", "multiplied")
def _(mean, logvar, x):
    return 0.5 * ((x - mean) ** 2 * logvar.exp() + logvar + LOG_2_PI).flatten(1).sum(1)


@wrong("4.1", "not-squared")
def _(mean, logvar, x):
    return 0.5 * ((x - mean) / logvar.exp() + logvar + LOG_2_PI).flatten(1).sum(1)


@wrong("4.1", "no-half")
def _(mean, logvar, x):
    return _nll(mean, logvar, x, halves=False)


@wrong("4.1", "half-on-all-but-square")
def _(mean, logvar, x):
    return ((x - mean) ** 2 / logvar.exp() + 0.5 * logvar + 0.5 * LOG_2_PI).flatten(1).sum(1)


@wrong("4.1", "log-likelihood")
def _(mean, logvar, x):
    return distributions.Normal(mean, (0.5 * logvar).exp()).log_prob(x).flatten(1).sum(1)


@wrong("4.1", "mean-over-pixels")
def _(mean, logvar, x):
    return _nll(mean, logvar, x) / x[0].numel()


@wrong("4.1", "one-number")
def _(mean, logvar, x):
    return _nll(mean, logvar, x).mean()


@wrong("4.1", "one-number")
def _(mean, logvar, x):
    return functional.gaussian_nll_loss(mean, x, logvar.exp(), full=True)


@wrong("4.1", "map")
def _(mean, logvar, x):
    return -distributions.Normal(mean, (0.5 * logvar).exp()).log_prob(x)


@right("4.1")
def _(mean, logvar, x):
    return -distributions.Normal(mean, (0.5 * logvar).exp()).log_prob(x).flatten(1).sum(1)


@right("4.1")
def _(mean, logvar, x):
    mean, logvar, x = (t.double().numpy() for t in (mean, logvar, x))
    return -stats.norm(mean, np.exp(logvar / 2)).logpdf(x).sum((1, 2, 3))


@right("4.1")
def _(mean, logvar, x):
    return [_nll(m[None], v[None], one[None])[0] for m, v, one in zip(mean, logvar, x, strict=True)]


@right("4.1")
def _(mean, logvar, x):
    return functional.gaussian_nll_loss(mean, x, logvar.exp(), full=True, reduction="none").sum((1, 2, 3))


def _eps(mean, count):
    return torch.randn(count, *mean.shape)


@wrong("4.2", "no-sample-axis")
def _(mean, logvar, count):
    return mean + (0.5 * logvar).exp() * torch.randn_like(mean)


@wrong("4.2", "axes-swapped")
def _(mean, logvar, count):
    return (mean + (0.5 * logvar).exp() * _eps(mean, count)).transpose(0, 1)


@wrong("4.2", "wrong-shape")
def _(mean, logvar, count):
    return (mean + (0.5 * logvar).exp() * _eps(mean, count)).flatten(0, 1)


@wrong("4.2", "same-in-every-draw")
def _(mean, logvar, count):
    return (mean + (0.5 * logvar).exp() * torch.randn_like(mean)).expand(count, *mean.shape)


@wrong("4.2", "same-again")
def _(mean, logvar, count):
    torch.manual_seed(0)
    return mean + (0.5 * logvar).exp() * _eps(mean, count)


@wrong("4.2", "clamped")
def _(mean, logvar, count):
    return (mean + (0.5 * logvar).exp() * _eps(mean, count)).clamp(0, 1)


@wrong("4.2", "no-mean")
def _(mean, logvar, count):
    return (0.5 * logvar).exp() * _eps(mean, count)


@wrong("4.2", "wrong-mean")
def _(mean, logvar, count):
    return (0.5 * logvar).exp() * (mean + _eps(mean, count))


@wrong("4.2", "uniform")
def _(mean, logvar, count):
    return mean + (0.5 * logvar).exp() * torch.rand(count, *mean.shape)


@wrong("4.2", "uniform")
def _(mean, logvar, count):
    return mean + (0.5 * logvar).exp() * (2 * torch.rand(count, *mean.shape) - 1)


@wrong("4.2", "same-for-all-pictures")
def _(mean, logvar, count):
    return mean + (0.5 * logvar).exp() * torch.randn(count, 1, *mean.shape[1:])


@wrong("4.2", "one-noise-a-picture")
def _(mean, logvar, count):
    return mean + (0.5 * logvar).exp() * torch.randn(count, len(mean), 1, 1, 1)


@wrong("4.2", "one-noise-a-picture")
def _(mean, logvar, count):
    return mean + (0.5 * logvar).exp() * torch.randn(count, len(mean), 1, 1, mean.shape[3])


@wrong("4.2", "logvar-as-log-sigma")
def _(mean, logvar, count):
    return mean + logvar.exp() * _eps(mean, count)


@wrong("4.2", "logvar-as-sigma")
def _(mean, logvar, count):
    return mean + logvar * _eps(mean, count)


@wrong("4.2", "logvar-as-sigma")
def _(mean, logvar, count):
    return mean + logvar.abs().sqrt() * _eps(mean, count)


@wrong("4.2", "unit")
def _(mean, logvar, count):
    return mean + _eps(mean, count)


@wrong("4.2", "quarter")
def _(mean, logvar, count):
    return mean + (0.5 * logvar).exp().sqrt() * _eps(mean, count)


@wrong("4.2", "shared")
def _(mean, logvar, count):
    return mean + logvar.exp().mean().sqrt() * _eps(mean, count)


@wrong("4.2", "not-gaussian")
def _(mean, logvar, count):
    even = torch.rand(count, *mean.shape) - torch.rand(count, *mean.shape)
    return mean + (0.5 * logvar).exp() * 6**0.5 * even


@wrong("4.2", "uniform")
def _(mean, logvar, count):
    return mean + (0.5 * logvar).exp() * 12**0.5 * (torch.rand(count, *mean.shape) - 0.5)


@wrong("4.2", "smooth")
def _(mean, logvar, count):
    eps = _eps(mean, count)
    return mean + (0.5 * logvar).exp() * (eps + eps.roll(1, -1)) / 2**0.5


@right("4.2")
def _(mean, logvar, count):
    return distributions.Normal(mean, (0.5 * logvar).exp()).sample((count,))


@right("4.2")
def _(mean, logvar, count):
    return torch.stack([torch.normal(mean, logvar.exp().sqrt()) for _ in range(count)])


@right("4.2")
def _(mean, logvar, count):
    mean, sigma = mean.numpy(), np.exp(logvar.double().numpy() / 2)
    return np.random.normal(mean, sigma, (count, *mean.shape))


@right("4.2")
def _(mean, logvar, count):
    return [mean + (logvar / 2).exp() * torch.randn_like(mean) for _ in range(count)]


def _mass(x_logits):
    return (x_logits / 2).tanh() / x_logits


def _safe(x_logits):
    """The masses of the pixels, ½ where the logit is next to nothing."""
    return torch.where(x_logits.abs() < 1e-3, 0.5, _mass(torch.where(x_logits.abs() < 1e-3, 1.0, x_logits)))


@wrong("4.3", "not-log")
def _(x_logits):
    return _safe(x_logits).flatten(1).prod(1)


@wrong("4.3", "not-log")
def _(x_logits):
    return _safe(x_logits).flatten(1).sum(1)


@wrong("4.3", "log-of-sum")
def _(x_logits):
    return _safe(x_logits).flatten(1).sum(1).log()


@wrong("4.3", "product")
def _(x_logits):
    return _safe(x_logits).flatten(1).prod(1).log()


@wrong("4.3", "product")
def _(x_logits):
    size = x_logits.double().abs().clamp(min=1e-3)
    return ((size / 2).tanh() / size).flatten(1).prod(1).log()


@wrong("4.3", "no-abs")
def _(x_logits):
    size = x_logits.clamp(min=1e-3)
    return ((size / 2).tanh() / size).log().flatten(1).sum(1)


@wrong("4.3", "normalizer")
def _(x_logits):
    return distributions.ContinuousBernoulli(logits=x_logits)._cont_bern_log_norm().flatten(1).sum(1)


@wrong("4.3", "not-halved")
def _(x_logits):
    return (x_logits.tanh() / x_logits).log().flatten(1).sum(1)


@wrong("4.3", "not-divided")
def _(x_logits):
    return (x_logits / 2).tanh().abs().log().flatten(1).sum(1)


@wrong("4.3", "halved-below")
def _(x_logits):
    half = x_logits / 2
    return (half.tanh() / half).log().flatten(1).sum(1)


@wrong("4.3", "p-for-logit")
def _(x_logits):
    return _mass(x_logits.sigmoid()).log().flatten(1).sum(1)


@wrong("4.3", "mean-over-pixels")
def _(x_logits):
    return _safe(x_logits).log().flatten(1).mean(1)


@wrong("4.3", "one-number")
def _(x_logits):
    return _safe(x_logits).log().sum()


@wrong("4.3", "map")
def _(x_logits):
    return _safe(x_logits).log()


@wrong("4.3", "coins")
def _(x_logits):
    return (x_logits.sigmoid() + (-x_logits).sigmoid()).log().flatten(1).sum(1).round()


@wrong("4.3", "nan")
def _(x_logits):
    return ((x_logits / 2).tanh().log() - x_logits.log()).flatten(1).sum(1)


@wrong("4.3", "zero")
def _(x_logits):
    return _mass(x_logits).log().flatten(1).sum(1)


@right("4.3")
def _(x_logits):
    return _safe(x_logits).log().flatten(1).sum(1)


@right("4.3")
def _(x_logits):
    return -distributions.ContinuousBernoulli(logits=x_logits)._cont_bern_log_norm().flatten(1).sum(1)


@right("4.3")
def _(x_logits):
    p = x_logits.double().sigmoid().numpy()[..., None]
    gray = np.linspace(0, 1, 2001)
    return np.log(integrate.simpson(p**gray * (1 - p) ** (1 - gray), x=gray)).sum((1, 2, 3))


@right("4.3")
def _(x_logits):
    x_logits = x_logits.double() + 1e-5
    p = x_logits.sigmoid()
    return [((2 * row - 1) / one).log().sum() for row, one in zip(p, x_logits, strict=True)]


RIGHT = [3.92, 7.84, 2.048, 0.5, 1 / 128]


def _but(line, value):
    values = list(RIGHT)
    values[line - 1] = value
    return lambda: values


for line, mistake, value in [
    (1, "face-value", 1),
    (1, "upside-down", 200 / 784),
    (1, "one-average", 784),
    (1, "half-twice", 1.96),
    (2, "face-value", 0.01),
    (2, "no-weight", 784),
    (2, "kl-averaged", 7.84 / 20),
    (2, "divided", 0.01 / 784),
    (3, "face-value", 500),
    (3, "face-value", 0.002),
    (3, "upside-down", 500 / 1024),
    (3, "wrong-size", 784 / 500),
    (3, "multiplied", 500 * 1024),
    (4, "face-value", 1.0),
    (4, "upside-down", 2),
    (4, "squared", 0.25),
    (5, "face-value", 1),
    (5, "upside-down", 128),
    (5, "wrong-size", 1 / 784),
    (5, "wrong-size", 20 / 784),
    (5, "wrong-size", 784 / 128),
    (5, "wrong-value", 0.03),
]:
    wrong("4.4", mistake)(_but(line, value))
wrong("4.4", "nothing")(lambda: None)
wrong("4.4", "wrong-number")(lambda: RIGHT[:4])
wrong("4.4", "face-value")(lambda: [1, 0.01, 500, 1, 1])
right("4.4")(lambda: [784 / 200, 784 / 100, 32 * 32 / 500, 1 / 2, 1 / 128])
right("4.4")(lambda: torch.tensor([3.92, 7.84, 2.05, 0.5, 0.0078]))
right("4.4")(lambda: np.array(RIGHT))


def _weights(values, *columns):
    columns = torch.stack([*columns, torch.ones(len(values))], 1)
    return torch.linalg.lstsq(columns, values[:, None]).solution[:, 0]


@wrong("4.5", "sizes-met")
def _(values, error, kl):
    a, b, _ = torch.linalg.lstsq(torch.stack([error, kl, torch.ones(len(values))], 1), values[:, None]).solution
    return b / a


@wrong("4.5", "stacked-as-rows")
def _(values, error, kl):
    rows = torch.stack([error.sum(2).mean(1), kl.sum(2).mean(1), torch.ones(len(values))], 0)
    a, b, _ = torch.linalg.lstsq(rows, values[:, None]).solution
    return b / a


@wrong("4.5", "solved")
def _(values, error, kl):
    columns = torch.stack([error.sum(2).mean(1), kl.sum(2).mean(1), torch.ones(len(values))], 1)
    a, b, _ = torch.linalg.solve(columns, values)
    return b / a


@wrong("4.5", "averaged")
def _(values, error, kl):
    a, b, _ = _weights(values, error.mean((1, 2)), kl.sum(2).mean(1))
    return b / a


@wrong("4.5", "averaged")
def _(values, error, kl):
    a, b, _ = _weights(values, error.mean((1, 2)), kl.mean((1, 2)))
    return b / a


@wrong("4.5", "averaged")
def _(values, error, kl):
    a, b, _ = _weights(values, error.sum(2).mean(1), kl.mean((1, 2)))
    return b / a


@wrong("4.5", "upside-down")
def _(values, error, kl):
    a, b, _ = _weights(values, error.sum(2).mean(1), kl.sum(2).mean(1))
    return a / b


@wrong("4.5", "not-divided")
def _(values, error, kl):
    return _weights(values, error.sum(2).mean(1), kl.sum(2).mean(1))[1]


@wrong("4.5", "error-weight")
def _(values, error, kl):
    return _weights(values, error.sum(2).mean(1), kl.sum(2).mean(1))[0]


@wrong("4.5", "batch-summed")
def _(values, error, kl):
    a, b, _ = _weights(values, error.sum((1, 2)), kl.sum(2).mean(1))
    return b / a


@wrong("4.5", "batch-summed")
def _(values, error, kl):
    a, b, _ = _weights(values, error.sum(2).mean(1), kl.sum((1, 2)))
    return b / a


@wrong("4.5", "error-left-out")
def _(values, error, kl):
    return _weights(values, kl.sum(2).mean(1))[0]


@wrong("4.5", "error-left-out")
def _(values, error, kl):
    return _weights(values, kl.sum(2).mean(1))[0] / _weights(values, error.sum(2).mean(1))[0]


@wrong("4.5", "ratio-of-terms")
def _(values, error, kl):
    return (kl.sum(2).mean(1) / error.sum(2).mean(1)).mean()


@wrong("4.5", "no-constant")
def _(values, error, kl):
    columns = torch.stack([error.sum(2).mean(1), kl.sum(2).mean(1)], 1)
    a, b = torch.linalg.lstsq(columns, values[:, None]).solution
    return b / a


@right("4.5")
def _(values, error, kl):
    columns = np.stack([error.double().sum(2).mean(1), kl.double().sum(2).mean(1)], 1)
    a, b = LinearRegression().fit(columns, values.double().numpy()).coef_
    return float(b / a)


@right("4.5")
def _(values, error, kl):
    # Differences from the mean run need no constant.
    terms = torch.stack([error.sum((1, 2)), kl.sum((1, 2))], 1).double()
    a, b = torch.linalg.pinv(terms - terms.mean(0)) @ (values - values.mean()).double()
    return b / a


@right("4.5")
def _(values, error, kl):
    a, b, _ = _weights(values, error.sum(2).mean(1), kl.sum(2).mean(1))
    return b / a


@right("4.5")
def _(values, error, kl):
    columns = np.stack([error.numpy().sum(2).mean(1), kl.numpy().sum(2).mean(1), np.ones(len(values))], 1)
    a, b, _ = np.linalg.lstsq(columns, values.numpy(), rcond=None)[0]
    return [b / a][0]


def _saved(mean, x, shared, own):
    def nats(sigma):
        return ((x - mean).square() / (2 * sigma**2) + torch.as_tensor(sigma).log()).sum(1)

    return (nats(shared.expand(x.shape[1])) - nats(own)).mean()


def _sure(mean, x, lowest):
    square = (x - mean).square()
    shared, own = square.mean().sqrt(), square.mean(0).sqrt().clamp(min=lowest)
    return shared, own, _saved(mean, x, shared, own)


def _with(place, value):
    """The right three, one of them replaced by what `value` makes of mean, x, lowest and the right three."""

    def answer(mean, x, lowest):
        three = list(_sure(mean, x, lowest))
        three[place] = value(mean, x, lowest, *three)
        return three

    return answer


def _squares(x, mean):
    return (x - mean).square()


for place, mistake, value in [
    (0, "variance", lambda m, x, low, s, o, n: s**2),
    (0, "centered", lambda m, x, low, s, o, n: (x - m).std()),
    (0, "absolute", lambda m, x, low, s, o, n: (x - m).abs().mean()),
    (0, "mean-of-sigmas", lambda m, x, low, s, o, n: o.mean()),
    (0, "mean-of-sigmas", lambda m, x, low, s, o, n: _squares(x, m).mean(0).sqrt().mean()),
    (0, "not-averaged", lambda m, x, low, s, o, n: (x - m).norm()),
    (1, "no-floor", lambda m, x, low, s, o, n: _squares(x, m).mean(0).sqrt()),
    (1, "floor-on-variance", lambda m, x, low, s, o, n: _squares(x, m).mean(0).clamp(min=low).sqrt()),
    (1, "floor-added", lambda m, x, low, s, o, n: _squares(x, m).mean(0).sqrt() + low),
    (1, "own-variance", lambda m, x, low, s, o, n: o**2),
    (1, "own-centered", lambda m, x, low, s, o, n: (x - m).std(0).clamp(min=low)),
    (1, "by-picture", lambda m, x, low, s, o, n: _squares(x, m).mean(1).sqrt().clamp(min=low)),
    (2, "logs-alone", lambda m, x, low, s, o, n: (s / o).log().sum()),
    (2, "squares-alone", lambda m, x, low, s, o, n: n - (s / o).log().sum()),
    (2, "sign", lambda m, x, low, s, o, n: -n),
    (2, "whole-set", lambda m, x, low, s, o, n: n * len(x)),
    (2, "per-pixel", lambda m, x, low, s, o, n: n / x.shape[1]),
    (2, "no-half", lambda m, x, low, s, o, n: 2 * n),
    (2, "below-floor", lambda m, x, low, s, o, n: _saved(m, x, s, _squares(x, m).mean(0).sqrt())),
    (2, "against-unit", lambda m, x, low, s, o, n: _saved(m, x, torch.ones(()), o)),
]:
    wrong("T4", mistake)(_with(place, value))


right("T4")(_sure)


@right("T4")
def _(mean, x, lowest):
    mean, x = mean.double().numpy(), x.double().numpy()
    shared = np.sqrt(((x - mean) ** 2).mean())
    own = np.maximum(np.sqrt(((x - mean) ** 2).mean(0)), lowest)
    saved = (stats.norm(mean, own).logpdf(x) - stats.norm(mean, shared).logpdf(x)).sum(1).mean()
    return [shared, own, saved]


@right("T4")
def _(mean, x, lowest):
    shared = distributions.Normal(mean, (x - mean).square().mean().sqrt())
    own = [max((x[:, i] - mean[:, i]).square().mean().sqrt().item(), lowest) for i in range(x.shape[1])]
    gain = distributions.Normal(mean, torch.tensor(own)).log_prob(x) - shared.log_prob(x)
    return shared.scale[0, 0] if shared.scale.ndim else shared.scale, own, gain.sum() / len(x)

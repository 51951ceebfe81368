"""The experiments of lessons 04 to 11: each function returns the view of a compute function over a lesson's models."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_utils import bounds, estimators, losses
from course_utils.data.images import from_drawing
from course_utils.widgets.view import Drawing, Outputs, Pad, Pick, Slider, View


def decoder_noise(model: nn.Module, x: Float[Tensor, "N 1 28 28"], y: Int[Tensor, " N"]) -> View:
    """Lesson 04: the model's picture as the mean of a Gaussian, and pictures drawn from it with a sigma of choice."""
    eps = torch.randn(6, 1, 28, 28, generator=torch.Generator("cpu").manual_seed(0), device="cpu").to(x)
    mean = model(x).detach()

    def compute(digit: int, sigma: float) -> Outputs:
        miss = x[digit] - mean[digit]
        logvar = 2 * torch.full_like(x, sigma).log()
        nats = losses.gaussian_nll(mean, logvar, x)
        return {
            "data and the decoder's mean": torch.stack([x[digit], mean[digit]]),
            "drawn, cut to 0 to 1": (mean[digit] + sigma * eps).clamp(0, 1),
            "what the mean missed (middle gray: nothing)": (0.5 + miss).clamp(0, 1)[None],
            "what the draws add": (0.5 + sigma * eps).clamp(0, 1),
            "nats, this digit": nats[digit],
            f"nats, mean of all {len(x)}": nats.mean(),
        }

    names = [f"a handwritten {label}" for label in y.tolist()]
    sigmas = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0]
    return View(
        "How much noise does the decoder promise?",
        compute,
        digit=Pick("digit", x, names, start=2),
        sigma=Slider("sigma", sigmas, start=len(sigmas) - 1),
    )


# Where densities of one code number are summed up, and which of these places are shown.
PLACES = torch.arange(-15, 15, 0.01, dtype=torch.float64, device="cpu")


SHOWN = (PLACES.abs() < 4.005) & (torch.arange(len(PLACES), device="cpu") % 4 == 0)


CURVES = "posterior (dark) and q (blue)"


def move_q(log_likelihood: Callable[[Tensor], Tensor]) -> View:
    """Lesson 05: the bound and its gap for a Gaussian q, moved by hand over the posterior of one picture.

    `log_likelihood` maps codes (S, 1, 1) to log p(x|z) (S, 1).
    """
    log_px, log_joint = _exactly(log_likelihood)

    def compute(mean: float, spread: float) -> Outputs:
        log_q, bound = _bound(log_joint, mean, spread)
        mu, logvar = torch.tensor([[mean]]), torch.tensor([[2 * math.log(spread)]])
        kl = losses.gaussian_kl(mu, logvar)[0]
        return {
            CURVES: _densities(log_joint - log_px, log_q),
            "log p(x), in nats": log_px,
            "the bound": bound,
            "the gap": (log_px - bound).clamp(min=0),
            "fit: average log p(x|z)": bound + kl,
            "price: KL from q to the prior": kl,
        }

    return View("Move q onto the posterior", compute, **_sliders(mean=0.0, spread=1.0))


def many_draws(log_likelihood: Callable[[Tensor], Tensor], total: int = 60_000) -> View:
    """Lesson 05: the gap of the ELBO and of IWAE with K draws, for a Gaussian q moved by hand.

    `log_likelihood` as for `move_q`; `total` draws, the same for every q, are parted into groups of K.
    """
    log_px, log_joint = _exactly(log_likelihood)
    eps = torch.randn(total, 1, 1, generator=torch.Generator("cpu").manual_seed(0), device="cpu").double()

    def compute(mean: float, spread: float, draws: int) -> Outputs:
        log_q, bound = _bound(log_joint, mean, spread)
        mu, logvar = torch.tensor([[mean]]), torch.tensor([[2 * math.log(spread)]])
        z = mean + spread * eps
        log_w = bounds.weigh(_values(log_likelihood, z), z, mu.double(), logvar.double())
        iwae = bounds.iwae(log_w.view(-1, draws).T).mean()
        return {
            CURVES: _densities(log_joint - log_px, log_q),
            "gap of the ELBO, in nats": (log_px - bound).clamp(min=0),
            "gap with K draws, about": log_px - iwae,
        }

    draws = Slider("draws K", [1, 3, 10, 30, 100], start=4)
    return View("One q, and K draws from it", compute, **_sliders(mean=0.0, spread=2.0), draws=draws)


def _sliders(mean: float, spread: float) -> dict[str, Slider]:
    means = [round(0.1 * i, 1) for i in range(-25, 26)]
    spreads = [round(0.05 * i, 2) for i in range(2, 41)]
    return {
        "mean": Slider("mean of q", means, means.index(mean)),
        "spread": Slider("spread of q", spreads, spreads.index(spread)),
    }


def _exactly(log_likelihood: Callable[[Tensor], Tensor]) -> tuple[Tensor, Float[Tensor, " N"]]:
    """log p(x), as a sum over all places, and log p(x, z) at each of them."""
    log_joint = _values(log_likelihood, PLACES[:, None, None])[:, 0] + _log_normal(0.0, 1.0)
    return log_joint.logsumexp(0) + math.log(0.01), log_joint


def _values(log_likelihood: Callable[[Tensor], Tensor], z: Float[Tensor, "S 1 1"]) -> Float[Tensor, "S 1"]:
    """The lesson's function gets what it gets in the lesson: floats on the default device."""
    return log_likelihood(z.float().to(torch.get_default_device())).cpu().double()


def _bound(log_joint: Float[Tensor, " N"], mean: float, spread: float) -> tuple[Float[Tensor, " N"], Tensor]:
    """The log-density of q at all places, and the ELBO as a sum over them."""
    log_q = _log_normal(mean, spread)
    return log_q, 0.01 * (log_q.exp() * (log_joint - log_q)).sum()


def _log_normal(mean: float, spread: float) -> Float[Tensor, " N"]:
    return -0.5 * ((PLACES - mean) / spread).square() - math.log(spread * math.sqrt(2 * math.pi))


def _densities(*log_densities: Float[Tensor, " N"]) -> Float[Tensor, "C M 2"]:
    return torch.stack([torch.stack([PLACES, log_p.exp()], 1)[SHOWN] for log_p in log_densities])


def gradient_estimates(repeats: int = 600) -> View:
    """Lesson 06: how three estimates of the derivative by mu scatter, for the average of half the squared length of z.

    Each is an average of `draws` draws; they share their noise, which stays the same when a slider moves.
    """
    generator = torch.Generator("cpu").manual_seed(0)
    noise = torch.randn(32, repeats, 100, generator=generator, device="cpu")

    def compute(mu: float, sigma: float, Z: int, draws: int) -> Outputs:
        z = mu + sigma * noise[:draws, :, :Z]
        values = 0.5 * z.square().sum(2)
        first = z[:, :, :1], torch.full((repeats, 1), mu), torch.full((repeats, 1), sigma**2).log()
        ways = {
            "pathwise": z[:, :, 0],  # the slope of half a square
            "score function": estimators.score_function(values, *first)[:, :, 0],
            "score function, baseline": estimators.score_function(estimators.leave_one_out(values), *first)[:, :, 0],
        }
        errors = {name: each.mean(0) - mu for name, each in ways.items()}
        histograms = {f"errors, {name}": _histogram(e) for name, e in errors.items()}
        return histograms | {f"spread, {name}": e.std() for name, e in errors.items()}

    return View(
        "Three estimates of one derivative",
        compute,
        mu=Slider("mu, which is the exact derivative", [0.0, 0.5, 1.0, 2.0, 3.0], start=2),
        sigma=Slider("sigma", [0.05, 0.1, 0.2, 0.5, 1.0, 2.0], start=4),
        Z=Slider("dimensions of z", [1, 3, 10, 30, 100]),
        draws=Slider("draws in one estimate", [2, 4, 8, 16, 32], start=2),
    )


def _histogram(errors: Float[Tensor, " N"], reach: float = 5.0, bins: int = 41) -> Float[Tensor, "bins 2"]:
    """The share of errors nearest to each of `bins` places from -reach to reach; the ends hold those beyond."""
    place = ((errors / reach + 1) / 2 * (bins - 1)).round().clamp(0, bins - 1).long()
    shares = torch.bincount(place, minlength=bins) / len(errors)
    return torch.stack([torch.linspace(-reach, reach, bins, device="cpu"), shares], 1)


def posterior(model: nn.Module, draws: int = 8) -> View:
    """Lesson 07: the posterior of a digit drawn by the reader, unit by unit, and pictures of several of its codes."""
    mu, _ = model.encode(torch.zeros(1, 1, 28, 28))
    generator = torch.Generator("cpu").manual_seed(0)
    # The same coins and the same noise for every drawing: what moves on the page moves because of the reader.
    coins = torch.rand(1, 1, 28, 28, generator=generator, device="cpu").to(mu)
    eps = torch.randn(draws, mu.shape[1], generator=generator, device="cpu").to(mu)

    def compute(drawing: Tensor) -> Outputs:
        x = (coins < from_drawing(drawing)).to(mu)
        mu_x, logvar = model.encode(x)
        sigma = (0.5 * logvar).exp()
        return {
            "the encoder gets": x,
            "mu, unit by unit": mu_x[0],
            "sigma, unit by unit": sigma[0],
            "drawn from mu": model.decoder(mu_x).sigmoid(),
            "drawn from codes of its posterior": model.decoder(mu_x + sigma * eps).sigmoid(),
            "KL in nats": losses.gaussian_kl(mu_x, logvar)[0],
        }

    return View("Your own digit, and its posterior", compute, drawing=Drawing("Draw a digit, large"))


def prior_plane(model: nn.Module, x: Float[Tensor, "N 1 28 28"], y: Int[Tensor, " N"]) -> View:
    """Lesson 07: a place in the plane of a VAE with two latents, its picture, and how far out it lies in the prior.

    The map shows the mu of each picture of x.
    """
    mu, _ = model.encode(x)
    mu = mu.detach()

    def compute(z: Float[Tensor, "2"]) -> Outputs:
        z = z.to(mu)
        nearest = (mu - z).square().sum(1).argmin()
        return {
            "drawn from here": model.decoder(z[None]).sigmoid(),
            "digit of the nearest mu": x[nearest][None],
            "share of the prior's codes that lie farther out": (-0.5 * z.square().sum()).exp(),
        }

    return View("The prior under your pointer", compute, z=Pad("code", mu, y, (0.0, 0.0)))

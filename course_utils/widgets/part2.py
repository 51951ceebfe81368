"""The experiments of lessons 04 to 11: each function returns the view of a compute function over a lesson's models."""

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from course_utils import bounds, estimators, losses, metrics, train
from course_utils.data.images import from_drawing
from course_utils.models import codes, conditional, observed
from course_utils.models.collapse import PixelByPixelVAE
from course_utils.models.vae import reparameterize
from course_utils.widgets.view import Drawing, Outputs, Pad, Pick, Slider, TrainingView, View


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
CURVES = "q (blue) and the posterior"


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


def collapse(x: Float[Tensor, "N 1 14 14"], steps: int = 600) -> TrainingView:
    """Lesson 08: a decoder that sees what it has drawn, trained with a beta and a warm-up of your choice."""
    x = x.cpu()  # as are its weights and its random numbers, on every machine

    def training(beta: float, warm_up: int) -> Iterator[Outputs]:
        with torch.device("cpu"):
            torch.manual_seed(0)
            model = PixelByPixelVAE()
        generator = torch.Generator("cpu").manual_seed(0)
        optimizer = torch.optim.Adam(model.parameters(), lr=7e-3, fused=True)
        parts = [[part.mean().item() for part in _parts(model, x[:64])]]
        todo: list[Tensor] = []
        yield _collapse_outputs(model, x, parts, 0.0 if warm_up else beta)
        for step in range(1, steps + 1):
            todo = todo or list(train.batches(len(x), 64, generator))
            # A slice begins with the lesson's random state, which is put back after it: draw from another one.
            torch.manual_seed(step)
            weight = beta * (losses.warm_up(step, warm_up) if warm_up else 1.0)
            with torch.enable_grad():
                reconstruction, kl = (part.mean() for part in _parts(model, x[todo.pop()]))
                optimizer.zero_grad()
                (reconstruction + weight * kl).backward()
                optimizer.step()
            parts.append([reconstruction.item(), kl.item()])
            if step % 2 == 0:
                yield _collapse_outputs(model, x, parts, weight)

    return TrainingView(
        "Warm-up and beta, and what becomes of the code",
        training,
        beta=Slider("beta", [0.1, 0.25, 0.5, 1, 2, 4], start=3),
        warm_up=Slider("warm-up, in steps", [0, 100, 200, 300, 400], start=0),
    )


def _parts(model: PixelByPixelVAE, x: Tensor) -> tuple[Tensor, Tensor]:
    x_logits, mu, logvar = model(x)
    return losses.bernoulli_nll(x_logits, x), losses.gaussian_kl(mu, logvar)


def _collapse_outputs(model: PixelByPixelVAE, x: Tensor, parts: list[list[float]], weight: float) -> Outputs:
    mu, logvar = model.encode(x[:200])
    kl = torch.tensor([[step, part[1]] for step, part in enumerate(parts)])
    return {
        "KL in nats, step by step": kl,
        "KL of each unit": metrics.kl_per_unit(mu, logvar),
        "weight of the KL now": torch.tensor(weight),
        "active units": torch.tensor(float(metrics.active_units(mu))),
        "minus ELBO, last 60 steps": torch.tensor(parts[-60:]).sum(1).mean(),
    }


def style_and_label(model: conditional.ConditionalVAE, x: Float[Tensor, "N 1 H W"], y: Int[Tensor, " N"]) -> View:
    """Lesson 10: a map of the two-number codes of x with labels y, and what the decoder draws there for a label."""
    z_known = model.encode(x, conditional.one_hot(y))[0].detach()

    def compute(z: Float[Tensor, "2"], label: int) -> Outputs:
        z = z.to(z_known)
        in_ten = model.decoder(conditional.with_every_label(z[None], 10)).sigmoid()
        nearest = torch.cdist(z[None], z_known)[0].argmin()
        return {
            "your label, in this style": in_ten[label][None],
            "all ten labels, in this style": in_ten,
            "digit of the nearest code": x[nearest][None],
        }

    return View(
        "One code, ten labels",
        compute,
        z=Pad("code", z_known, y, start=(0.0, 0.0)),
        label=Slider("label", range(10), start=4),
    )


def fill_in(model: conditional.ConditionalVAE, x_train: Float[Tensor, "N 1 H W"], seen: Bool[Tensor, "H W"]) -> View:
    """Lesson 10: the hidden part of a drawn digit, filled in by eight draws of a model of it, and by neighbors."""
    width = model.mu.out_features
    z = torch.randn(8, width, generator=torch.Generator("cpu").manual_seed(0), device="cpu").to(x_train)

    def compute(drawing: Tensor) -> Outputs:
        x = from_drawing(drawing)
        drawn = model.decode(z, x[:, 0, seen].expand(len(z), -1)).sigmoid()
        return {
            "your digit, and what is seen of it": torch.cat([x, torch.where(seen, x, 0.5)]),
            "filled in, eight codes": torch.where(seen, x, drawn),
            "filled in by the mean of 20 neighbors": conditional.fill_from_neighbors(x, x_train, seen, 20),
        }

    return View("The half that you do not show", compute, drawing=Drawing("Draw a digit, large"))


def turned_units(
    models: dict[float, nn.Module],
    x: Float[Tensor, "N 1 H W"],
    levels: Int[Tensor, "N K"],
    factors: Sequence[str],
    draws: int = 8,
) -> View:
    """Lesson 09: two units of a code, turned into each other, by hand: what they draw and what they tell.

    `models` by their beta. Of each, the two units that tell most are turned, the others are held at 0 or as they are.
    """
    generator = torch.Generator("cpu").manual_seed(0)
    labels, entropy = levels.repeat(draws, 1), metrics.entropies(levels)
    drawn = {}
    for beta, model in models.items():
        mu, logvar = (half.detach().repeat(draws, 1) for half in model.encode(x))
        z = mu + (0.5 * logvar).exp() * torch.randn(mu.shape, generator=generator, device="cpu").to(mu)
        drawn[beta] = z, logvar, metrics.information(z, labels).sum(1).topk(2).indices.sort().values
    steps = torch.linspace(-2, 2, 9)

    def compute(beta: float, degrees: float, first: float, second: float) -> Outputs:
        z, logvar, pair = drawn[beta]
        Z = z.shape[1]
        Q = codes.turn(Z, *pair.tolist(), degrees)
        here = torch.zeros(Z)
        here[pair] = torch.tensor([first, second])
        moved = codes.traversal(here, steps)[pair].flatten(0, 1)
        pictures = models[beta].decoder(torch.cat([here[None], moved]) @ Q).clamp(0, 1)
        told = metrics.information(z @ Q.T, labels)
        shares = (told / entropy)[pair]
        names = ", ".join(factors)
        precision = (-logvar).exp()
        price = 0.5 * ((precision @ Q.square().T).log() - precision.log()).sum(1).mean()
        return {
            "drawn from here": pictures[:1],
            "A from -2 to 2": pictures[1:10],
            "B from -2 to 2": pictures[10:],
            f"share of {names} that A tells": shares[0].clamp(min=0),
            f"share of {names} that B tells": shares[1].clamp(min=0),
            "MIG": torch.tensor(metrics.mig(told, entropy)),
            "KL if q must be diagonal: nats more": price.clamp(min=0),
        }

    numbers = [round(0.25 * i, 2) for i in range(-8, 9)]
    return View(
        "Two units, turned into each other",
        compute,
        beta=Slider("beta", sorted(models), start=len(models) - 1),
        degrees=Slider("turn, in degrees", [float(i) for i in range(0, 91, 5)]),
        first=Slider("A", numbers, start=8),
        second=Slider("B", numbers, start=8),
    )


def suspicion(model: nn.Module, x_train: Float[Tensor, "N 1 28 28"], x_test: Float[Tensor, "M 1 28 28"]) -> View:
    """Lesson 11: a drawing before two detectors, the bound and the nearest code, among held-out digits x_test.

    All pictures are black and white.
    """
    mu_train, mu_test = (model.encode(x)[0].detach() for x in (x_train, x_test))
    known = {"bound": _surprise(model, x_test), "code": metrics.nearest_distance(mu_test, mu_train)}
    coins = torch.rand(1, 1, 28, 28, generator=torch.Generator("cpu").manual_seed(0), device="cpu").to(mu_train)

    def compute(drawing: Tensor) -> Outputs:
        x = (coins < from_drawing(drawing)).to(mu_train)
        mu = model.encode(x)[0]
        distance, nearest = torch.cdist(mu, mu_train)[0].min(0)
        surprise = _surprise(model, x)[0]
        return {
            "the model gets": x,
            "comes back": model.decoder(mu).sigmoid(),
            "training digit of the nearest code": x_train[nearest][None],
            "the bound, in nats": -surprise,
            "held-out digits with a higher bound, in %": 100 * (known["bound"] < surprise).float().mean(),
            "distance to the nearest code": distance,
            "held-out digits with a nearer code, in %": 100 * (known["code"] < distance).float().mean(),
        }

    return View("Is this one of the nine?", compute, drawing=Drawing("Draw a digit, large, or anything else"))


def _surprise(model: nn.Module, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, " B"]:
    """Minus the ELBO, from the same twenty draws each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return -bounds.elbo(bounds.of_vae(model, x, 20))


def wipe_out(
    model: nn.Module, x: Float[Tensor, "N 1 28 28"], y: Int[Tensor, " N"], fillings: int = 8, steps: int = 60
) -> View:
    """Lesson 11: a digit of which the reader hides a part, and what codes that fit the rest put there."""
    latent_dim = model.encode(x[:1])[0].shape[1]

    def compute(digit: int, drawing: Tensor) -> Outputs:
        hidden = functional.interpolate(drawing[None, None], size=(28, 28), mode="area").to(x)[0, 0] > 0.2
        torch.manual_seed(0)  # the same noise for every hiding: what moves on the page moves because of the reader
        mu, logvar = observed.fit_codes(
            model.decoder, lambda x_logits: losses.seen_nll(x_logits, x[digit][None], ~hidden), 1, latent_dim, steps
        )
        z = reparameterize(mu.expand(fillings, -1), logvar.expand(fillings, -1))
        filled = torch.where(hidden, model.decoder(z).sigmoid(), x[digit])
        return {
            "the digit, and what is seen of it": torch.cat([x[digit][None], torch.where(hidden, 0.5, x[digit][None])]),
            "filled in, eight codes": filled,
            "hidden pixels": hidden.sum(),
            "sigma of the code, its mean": (0.5 * logvar).exp().mean(),
            "spread of the fillings, whole picture": filled.var(0).sum(),
        }

    names = [f"a handwritten {label}" for label in y.tolist()]
    return View(
        "Wipe a part out",
        compute,
        digit=Pick("digit", x, names),
        drawing=Drawing("Paint over what is to be hidden", over="digit"),
    )

"""The experiments of lessons 12 to 17: each function returns the view of a compute function over a lesson's data."""

import copy
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_utils import losses, metrics
from course_utils.models import gan, packing, spoiled
from course_utils.widgets.view import Outputs, Scene, Slider, TrainingView, View

PLANE = "data dark, fakes orange with the way they are pushed; green: D takes it for real"
SHARES = "D(real), D(fake) in orange, share of the data near a fake in blue"
RATES = [0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]


def two_players(x: Float[Tensor, "N 2"], rounds: int = 2400) -> TrainingView:
    """Lesson 12: a GAN on points of the plane, with learning rates and steps per round for each player."""
    x = x.cpu()  # as are its weights and its random numbers, on every machine

    def training(
        lr_generator: float, lr_discriminator: float, generator_steps: int, discriminator_steps: int
    ) -> Iterator[Outputs]:
        with torch.device("cpu"):
            torch.manual_seed(0)
            generator, discriminator = gan.PointGenerator(), gan.PointDiscriminator()
        of_generator, of_discriminator = _optimizers(generator, discriminator, lr_generator, lr_discriminator)
        random = torch.Generator("cpu").manual_seed(0)

        def codes(count: int) -> Tensor:
            return torch.randn(count, generator.latent_dim, generator=random, device="cpu")

        def discriminator_step() -> None:
            i = torch.randint(len(x), (128,), generator=random, device="cpu")
            x_fake = generator(codes(128)).detach()
            of_discriminator.zero_grad()
            losses.discriminator_loss(discriminator(x[i]), discriminator(x_fake)).mean().backward()
            of_discriminator.step()

        def generator_step() -> None:
            of_generator.zero_grad()
            losses.nonsaturating_loss(discriminator(generator(codes(128)))).mean().backward()
            of_generator.step()

        z, shares = codes(300), []
        for done in range(rounds + 1):
            if done % 4 == 0:
                yield _players(generator, discriminator, x[:300], z, shares, done)
            with torch.enable_grad():
                for _ in range(discriminator_steps):
                    discriminator_step()
                for _ in range(generator_steps):
                    generator_step()

    return TrainingView(
        "Two players on the plane",
        training,
        lr_generator=Slider("learning rate of the generator", RATES, start=3),
        lr_discriminator=Slider("learning rate of the discriminator", RATES, start=3),
        generator_steps=Slider("generator steps a round", [1, 2, 5]),
        discriminator_steps=Slider("discriminator steps a round", [1, 2, 5]),
    )


def _optimizers(
    generator: nn.Module, discriminator: nn.Module, lr_generator: float, lr_discriminator: float
) -> Iterator[torch.optim.Adam]:
    """Adam for each player, as `train.fit_gan` has it."""
    pairs = ((generator, lr_generator), (discriminator, lr_discriminator))
    return (torch.optim.Adam(one.parameters(), lr=lr, betas=(0.5, 0.999), fused=True) for one, lr in pairs)


def _players(
    generator: gan.PointGenerator,
    discriminator: gan.PointDiscriminator,
    x_real: Tensor,
    z: Tensor,
    shares: list[list[float]],
    done: int,
) -> Outputs:
    """What is shown after so many rounds; `shares` gathers a line of the curves at each call."""
    with torch.enable_grad():
        x_fake = generator(z).detach().requires_grad_()
        (slope,) = torch.autograd.grad(losses.nonsaturating_loss(discriminator(x_fake)).sum(), x_fake)
    x_fake = x_fake.detach()
    reached = metrics.share_near(x_real, x_fake)
    d_real, d_fake = (discriminator(one).sigmoid().mean() for one in (x_real, x_fake))
    shares.append([float(d_real), float(reached), float(d_fake)])
    line = torch.tensor(shares).T
    rounds = torch.linspace(0, done, len(shares), device="cpu").expand_as(line)
    return {
        PLANE: Scene(gan.surface(discriminator, 2.5, 48), x_real, x_fake, -slope, 2.5),
        SHARES: torch.stack([rounds, line], 2),
        "rounds": torch.tensor(float(done)),
        "share of the fakes near the data": metrics.share_near(x_fake, x_real),
        "share of the data near a fake": reached,
    }


def digits_game(x: Float[Tensor, "N 1 28 28"], rounds: int = 1600) -> TrainingView:
    """Lesson 13: the small dense pair on digits, with the scale of the data, learning rates and label smoothing."""
    x = x.cpu()  # as are its weights and its random numbers, on every machine

    def training(low: float, lr_generator: float, lr_discriminator: float, smoothing: float) -> Iterator[Outputs]:
        with torch.device("cpu"):
            torch.manual_seed(0)
            generator, discriminator = gan.SmallGenerator(), gan.DenseDiscriminator()
        of_generator, of_discriminator = _optimizers(generator, discriminator, lr_generator, lr_discriminator)
        random = torch.Generator("cpu").manual_seed(0)
        z, curves, sums = torch.randn(10, 100, generator=random, device="cpu"), [], torch.zeros(2)
        yield _game(generator, z, x, low, [(0.5, 0.5)], 0)
        for done in range(1, rounds + 1):
            with torch.enable_grad():
                i = torch.randint(len(x), (64,), generator=random, device="cpu")
                x_fake = generator(torch.randn(64, 100, generator=random, device="cpu"))
                x_real = gan.rescale(x[i], 0.0, 1.0, low, 1.0)
                logits_real, logits_fake = discriminator(x_real), discriminator(x_fake.detach())
                of_discriminator.zero_grad()
                losses.smoothed_loss(logits_real, logits_fake, smoothing).mean().backward()
                of_discriminator.step()
                of_generator.zero_grad()
                losses.nonsaturating_loss(discriminator(x_fake)).mean().backward()
                of_generator.step()
            sums += torch.stack([logits_real.detach().sigmoid().mean(), logits_fake.detach().sigmoid().mean()])
            if done % 2 == 0:
                curves.append(tuple((sums / 2).tolist()))
                sums = torch.zeros(2)
                yield _game(generator, z, x, low, curves, done)

    return TrainingView(
        "A game that you can break",
        training,
        low=Slider("black in the data is (white is 1)", [0.0, -0.5, -1.0]),
        lr_generator=Slider("learning rate of the generator", RATES, start=3),
        lr_discriminator=Slider("learning rate of the discriminator", RATES, start=3),
        smoothing=Slider("label smoothing", [0.0, 0.1, 0.3]),
    )


def _game(
    generator: gan.SmallGenerator, z: Tensor, x: Tensor, low: float, curves: list[tuple[float, float]], done: int
) -> Outputs:
    """What is shown after so many rounds: data and fakes on the data's scale, and the curves so far."""
    line = torch.tensor(curves).T
    rounds = torch.linspace(0, done, len(curves), device="cpu").expand_as(line)
    # The second curve is drawn blue, and lies below the third, which is orange.
    return {
        "the data": x[:10],
        "fakes, on the data's scale": gan.rescale(generator(z), low, 1.0, 0.0, 1.0),
        "D(real), and D(fake) in orange": torch.stack([rounds, line], 2)[[0, 1, 1]],
        "rounds": torch.tensor(float(done)),
        "D(real) - D(fake)": line[0, -1] - line[1, -1],
    }


AMONG = "data dark, fakes orange with the way they are pushed; green: D takes it for real beside other fakes"


TOLD = "share of the modes covered; in blue, share of the fakes that are good; in orange, reverse KL / log of the modes"


def mode_collapse(
    x: Float[Tensor, "N 2"], centers: Float[Tensor, "K 2"], radius: float, rounds: int = 2000
) -> TrainingView:
    """Lesson 14: a GAN on modes with known centers, with the size of packs, the batch's spread, and both rates."""
    x, centers = x.cpu(), centers.cpu()  # as are its weights and its random numbers, on every machine

    def training(pack_size: int, spread: int, lr_generator: float, lr_discriminator: float) -> Iterator[Outputs]:
        with torch.device("cpu"):
            torch.manual_seed(0)
            generator, discriminator = gan.PointGenerator(), gan.PointDiscriminator(dim=2 * pack_size + spread)
        of_generator, of_discriminator = _optimizers(generator, discriminator, lr_generator, lr_discriminator)
        random = torch.Generator("cpu").manual_seed(0)

        def codes(count: int) -> Tensor:
            return torch.randn(count, generator.latent_dim, generator=random, device="cpu")

        def logits(batch: Tensor) -> Tensor:
            told = packing.minibatch_std(batch).expand(len(batch) // pack_size, spread)
            return discriminator(torch.cat([packing.pack(batch, pack_size), told], 1))

        def beside(places: Tensor, x_fake: Tensor) -> Tensor:
            """D at each place, the rest of its pack fakes, in a batch as spread as the fakes: the mean of six packs."""
            packs = [others.flatten().expand(len(places), -1) for others in x_fake[: 6 * pack_size].split(pack_size)]
            told = packing.minibatch_std(x_fake).expand(len(places), spread)
            return sum(discriminator(torch.cat([places, one[:, 2:], told], 1)).sigmoid() for one in packs) / 6

        z, lines = codes(300), []
        for done in range(rounds + 1):
            if done % 5 == 0:
                x_fake = generator(z).detach().requires_grad_()
                with torch.enable_grad():
                    loss = losses.nonsaturating_loss(logits(x_fake)).sum() * pack_size
                    (slope,) = torch.autograd.grad(loss, x_fake)
                x_fake = x_fake.detach()
                place = torch.linspace(-3, 3, 33, device="cpu")[:-1] + 3 / 32
                y, across = torch.meshgrid(place.flip(0), place, indexing="ij")
                surface = beside(torch.stack([across.flatten(), y.flatten()], 1), x_fake).view(32, 32)
                scene = Scene(surface, x[:300], x_fake, -0.3 * slope, 3.0)
                yield _told(scene, generator(codes(1000)), centers, radius, lines, done)
            with torch.enable_grad():
                i = torch.randint(len(x), (128,), generator=random, device="cpu")
                x_fake = generator(codes(128)).detach()
                of_discriminator.zero_grad()
                losses.discriminator_loss(logits(x[i]), logits(x_fake)).mean().backward()
                of_discriminator.step()
                of_generator.zero_grad()
                losses.nonsaturating_loss(logits(generator(codes(128)))).mean().backward()
                of_generator.step()

    return TrainingView(
        "A crowd and what disperses it",
        training,
        pack_size=Slider("samples in a pack", [1, 2, 4]),
        spread=Slider("D is told the spread of the batch (0 no, 1 yes)", [0, 1]),
        lr_generator=Slider("learning rate of the generator", RATES[1:], start=4),
        lr_discriminator=Slider("learning rate of the discriminator", RATES[1:], start=1),
    )


def _told(scene: Scene, x_fake: Tensor, centers: Tensor, radius: float, lines: list[list[float]], done: int) -> Outputs:
    """What is shown after so many rounds; `lines` gathers a line of the curves at each call."""
    which, distance = metrics.nearest_mode(x_fake, centers)
    counts = torch.bincount(which, minlength=len(centers))
    covered = (counts >= len(x_fake) / len(centers) / 5).float()
    good = (distance <= radius).float().mean()
    unevenness = metrics.reverse_kl(counts, torch.ones_like(counts)).float()
    lines.append([float(covered.mean()), float(good), float(unevenness / torch.tensor(float(len(centers))).log())])
    line = torch.tensor(lines, device="cpu").T
    rounds = torch.linspace(0, done, len(lines), device="cpu").expand_as(line)
    return {
        AMONG: scene,
        TOLD: torch.stack([rounds, line], 2),
        "rounds": torch.tensor(float(done)),
        "modes covered": covered.sum(),
        "share of the fakes that are good": good,
        "reverse KL, nats": unevenness,
    }


BENDS = (-2.0, 0.0, 2.0)  # where the critic of lesson 15 may bend


def be_the_critic() -> View:
    """Lesson 15: a critic of four straight pieces, whose slopes the reader sets, against the Wasserstein distance."""
    places = torch.linspace(-8, 12, 801, device="cpu")
    dx = 20 / 800

    def bell(mean: float, spread: float) -> Tensor:
        mass = (-0.5 * ((places - mean) / spread).square()).exp()
        return mass / mass.sum()

    def compute(distance: float, spread: float, first: float, second: float, third: float, fourth: float) -> Outputs:
        p, q = bell(0, 1), bell(distance, spread)
        pieces = torch.bucketize(places[:-1] + dx / 2, torch.tensor(BENDS, device="cpu"))
        slope = torch.tensor([first, second, third, fourth], device="cpu")[pieces]
        critic = torch.cat([torch.zeros(1, device="cpu"), (slope * dx).cumsum(0)])
        critic = critic - critic[320]  # 0 in the middle; a constant changes no difference
        exact, found = metrics.wasserstein(places, p, q), ((p - q) * critic).sum()
        return {
            # The second curve is drawn blue, and lies below the third, which is orange.
            "data, and fakes in orange": torch.stack([torch.stack([places, one / dx], 1) for one in (p, q, q)]),
            "your critic f, over x": torch.stack([places, critic], 1),
            "your score: mean f of the data less mean f of the fakes": found,
            "the Wasserstein distance, which no critic beats": exact,
            "Jensen-Shannon, at most 0.69": metrics.jensen_shannon(p / dx, q / dx, dx),
        }

    slopes = [-1.0, -0.5, 0.0, 0.5, 1.0]
    return View(
        "Be the critic",
        compute,
        distance=Slider("middle of the fakes", [0.0, 1.0, 2.0, 3.0, 4.0, 6.0], start=3),
        spread=Slider("spread of the fakes", [0.3, 1.0, 2.0], start=1),
        first=Slider("slope of f from -8 to -2", slopes, start=2),
        second=Slider("from -2 to 0", slopes, start=2),
        third=Slider("from 0 to 2", slopes, start=2),
        fourth=Slider("from 2 to 12", slopes, start=2),
    )


def forged_sharpness(x_soft: Float[Tensor, "N 1 28 28"], x_real: Float[Tensor, "N 1 28 28"]) -> View:
    """Lesson 16: blur, added edges and noise on soft samples, against two measures of sharpness of real pictures."""
    x_soft, x_real = x_soft.cpu(), x_real.cpu()
    noise = torch.randn(x_soft.shape, generator=torch.Generator("cpu").manual_seed(0), device="cpu")
    waves = torch.arange(1.0, 15.0, device="cpu")
    target = metrics.fine_share(x_real).mean(), metrics.gradient_energy(x_real).mean()

    def line(x: Tensor) -> Tensor:
        return torch.stack([waves, metrics.ring_energy(x).mean(0)[1:15].clamp(min=1e-4).log10()], 1)

    def compute(blur: float, edges: float, strength: float) -> Outputs:
        x = spoiled.blurred(x_soft, blur)
        x = (x + edges * (x - spoiled.blurred(x, 1.0)) + strength * noise).clamp(0, 1)
        return {
            "your forgeries": x[:10],
            "held-out digits": x_real[:10],
            "log10 energy by waves across: the digits', and yours in blue": torch.stack([line(x_real), line(x)]),
            "fine share, yours / the digits'": metrics.fine_share(x).mean() / target[0],
            "gradient energy, yours / the digits'": metrics.gradient_energy(x).mean() / target[1],
        }

    return View(
        "Forge the sharpness",
        compute,
        blur=Slider("blur, pixels", [0.0, 0.4, 0.6, 0.8, 1.0, 1.5]),
        edges=Slider("edges added, times", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0]),
        strength=Slider("noise, standard deviation", [0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2]),
    )


MAPPED = "reference dark, your set orange, in the two directions in which features differ most"


@torch.no_grad()
def judge_a_set(x: Float[Tensor, "N 1 28 28"], y: Int[Tensor, " N"], network: nn.Module) -> View:
    """Lesson 17: real pictures, spoiled in three ways by the reader, against 500 others by four numbers."""
    x, y, network = x.cpu(), y.cpu(), copy.deepcopy(network).cpu()
    real, pool, labels = network(x[:500]), x[500:], y[500:]
    mean, axes = metrics.principal_subspace(real, 2)
    plane = (real - mean) @ axes.T
    noise = torch.randn(500, 1, 28, 28, generator=torch.Generator("cpu").manual_seed(0), device="cpu")

    def compute(missing: int, sigma: float, grain: float, count: int) -> Outputs:
        chosen = pool[labels >= missing][:count]
        x_fake = (spoiled.blurred(chosen, sigma) + grain * noise[:count]).clamp(0, 1)
        fake = network(x_fake)
        precision, recall = metrics.precision_recall(real, fake)
        places = (fake - mean) @ axes.T
        scene = Scene(torch.zeros(2, 2, device="cpu"), plane[:300], places[:300], 0 * places[:300], 4.5)
        return {
            "your set, its first ten pictures": x_fake[:10],
            MAPPED: scene,
            "FID": torch.tensor(metrics.fid(real, fake)),
            "KID x 100": torch.tensor(100 * metrics.kid(real, fake)),
            "precision": torch.tensor(precision),
            "recall": torch.tensor(recall),
        }

    return View(
        "Judge a set",
        compute,
        missing=Slider("digits left out, from 0 on", [0, 1, 2, 3, 5, 7]),
        sigma=Slider("blur, pixels", [0.0, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5]),
        grain=Slider("noise", [0.0, 0.02, 0.05, 0.1, 0.2]),
        count=Slider("pictures", [50, 100, 200, 500], start=3),
    )

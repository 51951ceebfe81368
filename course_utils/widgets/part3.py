"""The experiments of lessons 12 to 17: each function returns the view of a compute function over a lesson's data."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils import losses, metrics
from course_utils.models import gan
from course_utils.widgets.view import Outputs, Scene, Slider, TrainingView

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
        random = torch.Generator("cpu").manual_seed(0)
        of_generator = torch.optim.Adam(generator.parameters(), lr=lr_generator, betas=(0.5, 0.999), fused=True)
        of_discriminator = torch.optim.Adam(
            discriminator.parameters(), lr=lr_discriminator, betas=(0.5, 0.999), fused=True
        )

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
        lr_generator=Slider("generator's lr", RATES, start=3),
        lr_discriminator=Slider("discriminator's lr", RATES, start=3),
        generator_steps=Slider("generator steps a round", [1, 2, 5]),
        discriminator_steps=Slider("discriminator steps a round", [1, 2, 5]),
    )


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

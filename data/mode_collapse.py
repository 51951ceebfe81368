"""Make mode_collapse.csv: what remedies do against mode collapse, on a ring and on stacked digits. Eight minutes.

Run from anywhere: python data/mode_collapse.py
"""

import torch
from torch import Tensor, nn

from course_utils import data, metrics, train
from course_utils.models import gan, packing

RING_SEEDS, STACK_SEEDS = range(8), range(4)
RADIUS = 0.4  # a good point of the ring lies within four standard deviations of its center


def discriminator_for(remedy: str, dim: int, hidden_dim: int) -> nn.Module:
    """The discriminator of a remedy, for samples of `dim` numbers."""
    if remedy == "packs of 2":
        return packing.PackedDiscriminator(gan.PointDiscriminator(hidden_dim, 2 * dim), 2)
    if remedy == "batch spread":
        return packing.StatisticDiscriminator(gan.PointDiscriminator(hidden_dim, dim + 1))
    return packing.PackedDiscriminator(gan.PointDiscriminator(hidden_dim, dim), 1)


def wasserstein(
    generator: nn.Module, critic: nn.Module, x: Tensor, steps: int, critic_steps: int, weight: float
) -> None:
    """Wasserstein GAN with a penalty on slopes other than 1, the subject of lesson 15: Gulrajani et al. (2017)."""
    of_generator, of_critic = (
        torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.9), fused=True) for model in (generator, critic)
    )
    for step in range(1, steps * (critic_steps + 1) + 1):
        x_fake = generator(torch.randn(128, generator.latent_dim))
        if step % (critic_steps + 1) == 0:
            of_generator.zero_grad()
            (-critic(x_fake)).mean().backward()
            of_generator.step()
            continue
        x_real, x_fake = x[torch.randint(len(x), (128,))], x_fake.detach()
        between = torch.lerp(x_fake, x_real, torch.rand(128, *[1] * (x.ndim - 1))).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty = (slope.flatten(1).norm(dim=1) - 1).square()
        of_critic.zero_grad()
        (critic(x_fake) - critic(x_real) + weight * penalty).mean().backward()
        of_critic.step()


def judged(which: Tensor, good: Tensor, real: Tensor) -> dict[str, float]:
    """Modes covered, share of good samples, reverse KL in nats; covered: a fifth of an even share."""
    counts = torch.bincount(which, minlength=len(real))
    at_least = len(which) // (5 * len(real))
    return {
        "covered": (counts >= at_least).sum(),
        "good": good.float().mean(),
        "reverse_kl": metrics.reverse_kl(counts, real),
    }


# Remedy: learning rates of generator and discriminator, steps of the discriminator for one of the generator, epochs.
# On each set all remedies get as many moves of the two players together, 1,920 on the ring and some 3,000 on the
# stacks.
RING = {
    "none": (1e-2, 3e-4, 1, 30),
    "five steps": (1e-2, 3e-4, 5, 50),
    "batch spread": (1e-2, 3e-4, 1, 30),
    "packs of 2": (1e-2, 3e-4, 1, 30),
    "equal rates": (1e-3, 1e-3, 1, 30),
    "Wasserstein": (),
}
STACKS = {
    "none": (3e-3, 3e-4, 1, 24),
    "five steps": (3e-3, 3e-4, 5, 40),
    "batch spread": (3e-3, 3e-4, 1, 24),
    "packs of 2": (3e-3, 3e-4, 1, 24),
    "equal rates": (1e-3, 1e-3, 1, 24),
    "Wasserstein": (),
}


def fit(generator: nn.Module, discriminator: nn.Module, x: Tensor, rates: tuple, seed: int) -> None:
    lr_generator, lr_discriminator, steps, epochs = rates
    train.fit_gan(
        generator,
        discriminator,
        x,
        lr_generator=lr_generator,
        lr_discriminator=lr_discriminator,
        discriminator_steps=steps,
        epochs=epochs,
        seed=seed,
    )


def ring(remedy: str, seed: int) -> dict[str, float]:
    torch.manual_seed(seed)
    cloud = data.points("rings", 4000, seed)
    x, centers = cloud.x, torch.stack([cloud.x[cloud.component == k].mean(0) for k in range(8)])
    generator, discriminator = gan.PointGenerator(), discriminator_for(remedy, 2, 64)
    if remedy == "Wasserstein":
        wasserstein(generator, discriminator, x, 320, 5, 1.0)
    else:
        fit(generator, discriminator, x, RING[remedy], seed)
    with torch.no_grad():
        which, distance = metrics.nearest_mode(generator(torch.randn(1000, 2)), centers)
    return judged(which, distance <= RADIUS, torch.bincount(cloud.component))


def classifier(images: data.Images) -> tuple[nn.Module, Tensor]:
    """A linear classifier of halved digits, and the confidence that nine of ten held-out digits reach."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(14 * 14, 10))

    def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return nn.functional.cross_entropy(model(x), y, reduction="none")

    train.fit(model, images.x_train[..., ::2, ::2], loss, images.y_train, epochs=10, label="classifier")
    with torch.no_grad():
        return model, model(images.x_test[..., ::2, ::2]).softmax(1).amax(1).quantile(0.1)


def stack(remedy: str, seed: int) -> dict[str, float]:
    torch.manual_seed(seed)
    images = data.load("digits")
    x, y = data.stacks(images.x_train, images.y_train, 8000, seed)
    generator, discriminator = packing.StackGenerator(), discriminator_for(remedy, 392, 128)
    if remedy == "Wasserstein":
        wasserstein(generator, discriminator, x, 750, 3, 10.0)
    else:
        fit(generator, discriminator, x, STACKS[remedy], seed)
    model, limit = classifier(images)
    with torch.no_grad():
        x_fake = generator(torch.randn(1000, 32))
        first, second = (model(x_fake[:, c : c + 1]).softmax(1) for c in (0, 1))
    good = (first.amax(1) >= limit) & (second.amax(1) >= limit)
    return judged(10 * first.argmax(1) + second.argmax(1), good, torch.bincount(y, minlength=100))


def row(of: str, remedy: str, seed: int) -> dict:
    values = (ring if of == "ring" else stack)(remedy, seed)
    return {"of": of, "remedy": remedy, "seed": seed} | {name: f"{float(v):.4g}" for name, v in values.items()}


if __name__ == "__main__":
    rows = [row("ring", remedy, seed) for seed in RING_SEEDS for remedy in RING]
    rows += [row("stacks", remedy, seed) for seed in STACK_SEEDS for remedy in STACKS]
    data.tables.write(__file__, rows)

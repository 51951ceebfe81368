"""What our digits GAN is worth beside a plain DCGAN loop: FID after equal training time, rows for `make bench`.

All see the 1,437 originals among the training pictures. Ours is lesson 13's: small players with a dense layer where the
pictures are smallest, batches of 32, Adam at 1e-3, pictures from memory. The plain one is what most tutorials show,
after Radford et al. (2016), arXiv:1511.06434: 100 code numbers, convolutions alone, weights drawn with deviation 0.02,
batches of 128, Adam at 2e-4, and a loader that hands out each picture on its own. Our players in the plain loop tell
how much of the difference is due to players, and how much to the loop.
"""

import statistics
import time
from itertools import chain, repeat

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from usual_loader import usual_loader

from course_utils import data, metrics, train
from course_utils.data.torchvision_ops import import_torchvision
from course_utils.models import gan
from course_utils.models.features import digit_features

ORIGINALS, EPOCHS = 1437, 40


def bench_gan(seeds: int = 3) -> list[tuple[str, float, None, float | None]]:
    """Name, value, no lower limit and upper limit of each row; the time is that of one thread, for each pair."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ours, small, plain, seconds = zip(*(games(seed) for seed in range(seeds)), strict=True)
    finally:
        torch.set_num_threads(threads)
    return [
        (f"digits GAN, {EPOCHS} epochs, processor s", statistics.median(seconds), None, None),
        ("FID then: plain DCGAN loop", statistics.median(plain), None, None),
        ("FID then: our players in that loop", statistics.median(small), None, None),
        ("FID then: ours", statistics.median(ours), None, None),
        (f"ours / plain, greatest of {seeds} seeds", max(a / b for a, b in zip(ours, plain, strict=True)), None, 0.5),
    ]


def games(seed: int) -> tuple[float, float, float, float]:
    """FID of ours, of our players in the plain loop, of the plain one, and the processor time that each was given."""
    images = data.digits()
    x, y = images.x_train[:ORIGINALS], images.y_train[:ORIGINALS]
    torch.manual_seed(seed)
    ours, small = ((gan.ConvolutionalGenerator(), gan.ConvolutionalDiscriminator()) for _ in range(2))
    start = time.process_time()
    train.fit_gan(*ours, gan.rescale(x, 0.0, 1.0, -1.0, 1.0), epochs=EPOCHS, batch_size=32, seed=seed)
    seconds = time.process_time() - start
    plain = dcgan()
    plain_loop(*small, (16,), x, y, seconds)
    plain_loop(*plain, (100, 1, 1), x, y, seconds)
    return fid(ours[0], (16,), x), fid(small[0], (16,), x), fid(plain[0], (100, 1, 1), x), seconds


@torch.no_grad()
def fid(generator: nn.Module, code: tuple[int, ...], x: torch.Tensor) -> float:
    """FID of as many fakes as there are pictures."""
    network = digit_features()
    x_fake = gan.rescale(generator.eval()(torch.randn(len(x), *code)), -1.0, 1.0, 0.0, 1.0)
    return metrics.fid(network(x), network(x_fake))


def dcgan() -> tuple[nn.Module, nn.Module]:
    """Generator of pictures out of codes (B, 100, 1, 1), and discriminator."""
    players = (
        nn.Sequential(
            nn.ConvTranspose2d(100, 128, 7, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 1, 4, stride=2, padding=1, bias=False),
            nn.Tanh(),
        ),
        nn.Sequential(
            nn.Conv2d(1, 64, 4, stride=2, padding=1, bias=False),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, 128, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(0.2),
            nn.Conv2d(128, 1, 7, bias=False),
            nn.Flatten(0),
        ),
    )
    for layer in [*players[0], *players[1]]:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.02)
    return players


def plain_loop(
    generator: nn.Module,
    discriminator: nn.Module,
    code: tuple[int, ...],
    x: torch.Tensor,
    y: torch.Tensor,
    seconds: float,
) -> None:
    """Train both for so many seconds of processor time."""
    of_generator, of_discriminator = (
        torch.optim.Adam(model.parameters(), lr=2e-4, betas=(0.5, 0.999)) for model in (generator, discriminator)
    )
    loader = usual_loader(x, y, 128, import_torchvision().transforms.Normalize(0.5, 0.5))
    start = time.process_time()
    for x_real, _ in chain.from_iterable(repeat(loader)):
        if time.process_time() - start > seconds:
            return
        ones, zeros = torch.ones(len(x_real)), torch.zeros(len(x_real))
        discriminator.zero_grad()
        binary_cross_entropy_with_logits(discriminator(x_real), ones).backward()
        x_fake = generator(torch.randn(len(x_real), *code))
        binary_cross_entropy_with_logits(discriminator(x_fake.detach()), zeros).backward()
        of_discriminator.step()
        generator.zero_grad()
        binary_cross_entropy_with_logits(discriminator(x_fake), ones).backward()
        of_generator.step()

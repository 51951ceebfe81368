"""Make gan_on_digits.csv and gan_on_digits.pt: short games by five recipes, and one longer game.

Run from anywhere: python data/gan_on_digits.py; eight minutes on one core. With the word table or weights behind it, it
makes that file alone.
"""

import sys
from functools import partial
from pathlib import Path

import torch

from course_utils import data, losses, metrics, train
from course_utils.models import gan

RATE = 1e-3
RECIPES = {
    "as in the lesson": {},
    "labels smoothed": {"discriminator_loss": partial(losses.smoothed_loss, smoothing=0.1)},
    "no normalization": {},
    "both rates / 10": {"lr_generator": RATE / 10, "lr_discriminator": RATE / 10},
    "both rates x 10": {"lr_generator": RATE * 10, "lr_discriminator": RATE * 10},
}
# Games without normalization differ more than the others.
SEEDS = {recipe: range(10 if recipe == "no normalization" else 3) for recipe in RECIPES}
SHORT, LONG = 12, 120  # epochs of 1,437 pictures


def game(recipe: str, seed: int, epochs: int, after_epoch=lambda generator: None):
    """Generator and history of one game on the originals, as lesson 13 plays it."""
    x = gan.rescale(data.digits().x_train[:1437], 0.0, 1.0, -1.0, 1.0)
    torch.manual_seed(seed)
    players = gan.ConvolutionalGenerator(), gan.ConvolutionalDiscriminator()
    if recipe == "no normalization":
        players = tuple(gan.without_normalization(player) for player in players)
    settings = {"lr_generator": RATE, "lr_discriminator": RATE} | RECIPES[recipe]
    history = train.fit_gan(
        *players,
        x,
        epochs=epochs,
        batch_size=32,
        seed=seed,
        after_epoch=lambda epoch: after_epoch(players[0]),
        **settings,
    )
    return players[0], history


def rows(reader) -> list[dict]:
    """A row for each epoch of each short game."""
    spread = data.digits().x_train[:1437].std(0).mean()
    made = []
    for recipe in RECIPES:
        for seed in SEEDS[recipe]:
            z, judged = torch.randn(500, 16, generator=torch.Generator().manual_seed(seed)), []

            @torch.no_grad()
            def judge(generator, z=z, judged=judged):
                x_fake = gan.rescale(generator.eval()(z), -1.0, 1.0, 0.0, 1.0)
                generator.train()
                sure = (metrics.confidence(reader, x_fake) > 0.9).float().mean()
                judged.append((float(sure), float(x_fake.std(0).mean() / spread)))

            _, history = game(recipe, seed, SHORT, judge)
            for epoch, (d_real, d_fake, (sure, width)) in enumerate(
                zip(history["D(real)"], history["D(fake)"], judged, strict=True), 1
            ):
                numbers = {"d_real": d_real, "d_fake": d_fake, "sure": sure, "spread": width}
                made.append(
                    {"recipe": recipe, "seed": seed, "epoch": epoch} | {k: f"{v:.3f}" for k, v in numbers.items()}
                )
            print(made[-1], flush=True)
    return made


if __name__ == "__main__":
    if "weights" not in sys.argv[1:]:
        data.tables.write(__file__, rows(metrics.digit_reader(data.digits(), seed=0)))
    if "table" not in sys.argv[1:]:
        generator, _ = game("as in the lesson", 0, LONG)
        state = {k: v.half() if v.is_floating_point() else v for k, v in generator.state_dict().items()}
        torch.save(state, Path(__file__).with_suffix(".pt"))

"""Make judged_models.csv and judged_models.pt: four kinds of models at equal training cost, judged; weights of seed 0.

Run from anywhere: python data/judged_models.py; a quarter of an hour on one core.
"""

import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from course_utils import data, losses, metrics, train
from course_utils.models import gan, judged, vae, vaegan
from course_utils.models.convolutional import conv_encoder, transposed_decoder
from course_utils.models.features import digit_features

SEEDS = range(5)
BATCH = 64
# A step of each takes another time. Measured once, these numbers of epochs (125 steps each) take the same in all.
EPOCHS = {"autoencoder": 31, "VAE": 30, "GAN": 10, "VAE-GAN": 7}


def fit_autoencoder(made: judged.Samplers, x: Tensor, seed: int) -> None:
    encoder, made.autoencoder = conv_encoder(made.latent_dim), transposed_decoder(made.latent_dim)

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        return losses.squared_error(model(batch), batch)

    both = nn.Sequential(encoder, made.autoencoder)
    train.fit(both, x, loss, epochs=EPOCHS["autoencoder"], batch_size=BATCH, seed=seed, label="autoencoder")
    with torch.no_grad():
        z = encoder(x)
        made.fitted.weight.copy_(torch.linalg.cholesky(z.T.cov()))
        made.fitted.bias.copy_(z.mean(0))


def fit_vae(made: judged.Samplers, x: Tensor, seed: int) -> None:
    model = vae.ConvolutionalVAE(made.latent_dim)

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        return losses.negative_elbo(*model(batch), batch)[0]

    train.fit(model, x, loss, epochs=EPOCHS["VAE"], batch_size=BATCH, seed=seed, label="VAE")
    made.vae = nn.Sequential(*model.decoder, nn.Sigmoid())


def fit_gan(made: judged.Samplers, x: Tensor, seed: int) -> None:
    made.gan = gan.ConvolutionalGenerator(made.latent_dim)
    x = gan.rescale(x, 0.0, 1.0, -1.0, 1.0)
    discriminator = gan.ConvolutionalDiscriminator()
    train.fit_gan(made.gan, discriminator, x, epochs=EPOCHS["GAN"], batch_size=BATCH, seed=seed, label="GAN")


def fit_vaegan(made: judged.Samplers, x: Tensor, seed: int) -> None:
    model = vaegan.VAEGAN(made.latent_dim)
    own_losses = partial(vaegan.vaegan_losses, gamma=0.1)
    train.fit_parts(model, x, own_losses, epochs=EPOCHS["VAE-GAN"], batch_size=BATCH, seed=seed, label="VAE-GAN")
    made.vaegan = model.decoder


SCORES = ("fid", "kid", "precision", "recall")
FITS = {"autoencoder": fit_autoencoder, "VAE": fit_vae, "GAN": fit_gan, "VAE-GAN": fit_vaegan}


def fit_all(x: Tensor, seed: int) -> tuple[judged.Samplers, dict[str, float]]:
    """Samplers of all four, and the seconds of processor time that each took."""
    made, seconds = judged.Samplers(), {}
    for kind, fit in FITS.items():
        torch.manual_seed(seed)
        start = time.process_time()
        fit(made, x, seed)
        seconds[kind] = time.process_time() - start
    return made.eval(), seconds


if __name__ == "__main__":
    torch.set_num_threads(1)
    here, images, network = Path(__file__), data.digits(), digit_features()
    real = network(images.x_train[::4])
    rows = []
    for seed in SEEDS:
        made, seconds = fit_all(images.x_train, seed)
        z = torch.randn(2000, made.latent_dim, generator=torch.Generator().manual_seed(seed))
        for name in judged.NAMES:
            kind, fake = name.split(",")[0], network(made.draw(name, z))
            numbers = (metrics.fid(real, fake), metrics.kid(real, fake), *metrics.precision_recall(real, fake))
            row = {"model": name, "seed": seed, "steps": 125 * EPOCHS[kind], "seconds": f"{seconds[kind]:.1f}"}
            row |= dict(zip(SCORES, (f"{value:.4f}" for value in numbers), strict=True))
            rows.append(row)
            print(rows[-1], flush=True)
        if seed == 0:
            state = made.state_dict()
            torch.save({k: v.half() if v.is_floating_point() else v for k, v in state.items()}, here.with_suffix(".pt"))
    data.tables.write(__file__, rows)

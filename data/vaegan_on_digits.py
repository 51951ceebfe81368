"""Make vaegan_on_digits.csv and vaegan_on_digits.pt: a VAE, an adversarial autoencoder and VAE-GANs, five seeds each.

Run from anywhere: python data/vaegan_on_digits.py; eight minutes on one core. The weights are the decoders of seed 0.
"""

from functools import partial
from pathlib import Path

import torch

from course_utils import data, losses, metrics, train
from course_utils.models import spoiled, vae, vaegan

SEEDS = range(5)
EPOCHS, SAMPLES = 20, 1000
GAMMAS = {"VAE-GAN, gamma 1": 1.0, "VAE-GAN": 0.1, "VAE-GAN, gamma 0.01": 0.01}
KINDS = ("VAE", "AAE", *GAMMAS)


def trained(kind: str, x, seed: int):
    """Encoder to codes, decoder to pictures and its weights, of one model trained as in lesson 16."""
    torch.manual_seed(seed)
    settings = {"epochs": EPOCHS, "batch_size": 32, "seed": seed}
    if kind == "VAE":
        model = vae.ConvolutionalVAE(8)
        train.fit(model, x, lambda model, x: losses.negative_elbo(*model(x), x)[0], **settings)
        return lambda x: model.encode(x)[0], lambda z: model.decoder(z).sigmoid(), model.decoder
    if kind == "AAE":
        model = vaegan.AdversarialAutoencoder(8)
        train.fit_parts(model, x, vaegan.aae_losses, **settings)
        return model.encoder, model.decoder, model.decoder
    model = vaegan.VAEGAN(8)
    train.fit_parts(model, x, partial(vaegan.vaegan_losses, gamma=GAMMAS[kind]), **settings)
    return lambda x: model.encoder(x)[0], model.decoder, model.decoder


@torch.no_grad()
def judged(x_fake, x_hat, x_test, x_real) -> dict[str, float]:
    """The columns of the table, for samples and for reconstructions of the held-out digits."""
    wide = partial(spoiled.blurred, sigma=2.0)
    return {
        "fine": metrics.fine_share(x_fake).mean().item(),
        "gradient": metrics.gradient_energy(x_fake).mean().item(),
        "error": losses.squared_error(x_hat, x_test).mean().item(),
        "covered": metrics.covered_share(x_test, x_fake, x_real),
        "covered_blurred": metrics.covered_share(wide(x_test), wide(x_fake), wide(x_real)),
    }


if __name__ == "__main__":
    images = data.digits()
    originals = images.x_train[:1437]
    rows, weights = [], {}
    held_out = judged(originals[:SAMPLES], images.x_test, images.x_test, originals[:SAMPLES])
    rows.append({"kind": "digits", "seed": 0} | {name: f"{value:.4f}" for name, value in held_out.items()})
    for seed in SEEDS:
        for kind in KINDS:
            encoder, decoder, net = trained(kind, originals, seed)
            with torch.no_grad():
                z = torch.randn(SAMPLES, 8, generator=torch.Generator().manual_seed(seed))
                x_fake, x_hat = decoder(z), decoder(encoder(images.x_test))
            numbers = judged(x_fake, x_hat, images.x_test, originals[:SAMPLES])
            rows.append({"kind": kind, "seed": seed} | {name: f"{value:.4f}" for name, value in numbers.items()})
            if seed == 0:
                weights |= {f"{kind}/{name}": value.half() for name, value in net.state_dict().items()}
            print(rows[-1], flush=True)
    data.tables.write(__file__, rows)
    torch.save(weights, Path(__file__).with_suffix(".pt"))

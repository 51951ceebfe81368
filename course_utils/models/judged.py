"""The four models of lesson 17, as far as samples need them: what maps codes of N(0, I) to pictures in [0, 1].

Their weights are made by data/judged_models.py, at equal training cost, and ship with the course.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course_utils import data
from course_utils.errors import choose
from course_utils.models.convolutional import transposed_decoder
from course_utils.models.gan import ConvolutionalGenerator, rescale

NAMES = ("autoencoder, N(0, I)", "autoencoder, fitted", "VAE", "GAN", "VAE-GAN")


class Samplers(nn.Module):
    """The decoders of an autoencoder, a VAE and a VAE-GAN, and the generator of a GAN: `draw` makes pictures by each.

    `fitted` turns codes of N(0, I) into codes of the Gaussian with the mean and covariance of the autoencoder's codes.
    """

    def __init__(self, latent_dim: int = 8):
        super().__init__()
        self.latent_dim = latent_dim
        self.fitted = nn.Linear(latent_dim, latent_dim)
        self.autoencoder = transposed_decoder(latent_dim)
        self.vae = transposed_decoder(latent_dim)
        self.gan = ConvolutionalGenerator(latent_dim)
        self.vaegan = transposed_decoder(latent_dim)

    @torch.no_grad()
    def draw(self, name: str, z: Float[Tensor, "B Z"]) -> Float[Tensor, "B 1 28 28"]:
        """Pictures of one of NAMES, from codes of N(0, I): each decoder's mean picture."""
        match choose(name, NAMES, "sampler"):
            case "autoencoder, N(0, I)":
                return self.autoencoder(z)
            case "autoencoder, fitted":
                return self.autoencoder(self.fitted(z))
            case "VAE":
                return self.vae(z)
            case "GAN":
                return rescale(self.gan(z), -1.0, 1.0, 0.0, 1.0)
        return self.vaegan(z)


def samplers() -> Samplers:
    """The four models as they ship, in evaluation mode."""
    made = Samplers()
    made.load_state_dict(data.weights("judged_models"))
    return made.eval().requires_grad_(False)

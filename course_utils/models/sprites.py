"""A VAE for small sprites, two hidden layers each way."""

from jaxtyping import Float
from torch import Tensor, nn

from course_utils.models.vae import reparameterize

SIZE = 14  # pixels across a picture


class SpriteVAE(nn.Module):
    """196 -> 128 -> 128 -> latent_dim and back; q(z|x) = N(mu, diag sigma^2), p(x|z) = N(x_hat, sigma_x^2 I).

    The layers' kind follows Higgins et al. (2017), openreview.net/forum?id=Sy2fzU9gl, at a tenth of the width.
    """

    def __init__(self, latent_dim: int = 5, hidden_dim: int = 128):
        super().__init__()
        layers = [nn.Linear(SIZE**2, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, hidden_dim), nn.ReLU()]
        self.layers = nn.Sequential(nn.Flatten(), *layers, nn.Linear(hidden_dim, 2 * latent_dim))
        layers = [nn.Linear(latent_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, hidden_dim), nn.ReLU()]
        self.decoder = nn.Sequential(*layers, nn.Linear(hidden_dim, SIZE**2), nn.Unflatten(1, (1, SIZE, SIZE)))

    def encode(self, x: Float[Tensor, "B 1 14 14"]) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        mu, logvar = self.layers(x).chunk(2, dim=1)
        return mu, logvar

    def forward(
        self, x: Float[Tensor, "B 1 14 14"]
    ) -> tuple[Float[Tensor, "B 1 14 14"], Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        """Mean of a reconstruction from one draw of the code, and the mu and logvar it was drawn from."""
        mu, logvar = self.encode(x)
        return self.decoder(reparameterize(mu, logvar)), mu, logvar

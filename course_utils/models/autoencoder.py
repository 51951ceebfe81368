"""Autoencoders of dense layers: an image of 28x28 to a code of `latent_dim` numbers and back."""

from jaxtyping import Float
from torch import Tensor, nn

PIXELS = 28 * 28


def dense_encoder(latent_dim: int, hidden_dim: int = 400) -> nn.Sequential:
    """Images (B, 1, 28, 28) to codes (B, latent_dim), through one hidden layer."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(PIXELS, hidden_dim),
        nn.ReLU(),
        nn.Linear(hidden_dim, latent_dim),
    )


def dense_decoder(latent_dim: int, hidden_dim: int = 400) -> nn.Sequential:
    """Codes (B, latent_dim) to images (B, 1, 28, 28) in [0, 1], through one hidden layer."""
    return nn.Sequential(
        nn.Linear(latent_dim, hidden_dim),
        nn.ReLU(),
        nn.Linear(hidden_dim, PIXELS),
        nn.Sigmoid(),
        nn.Unflatten(1, (1, 28, 28)),
    )


class DenseAutoencoder(nn.Module):
    """The classic autoencoder: 784 -> hidden_dim -> latent_dim -> hidden_dim -> 784, a sigmoid at the end.

    Hinton & Salakhutdinov (2006), doi:10.1126/science.1127647, with one hidden layer on each side.
    """

    def __init__(self, latent_dim: int = 20, hidden_dim: int = 400):
        super().__init__()
        self.encoder = dense_encoder(latent_dim, hidden_dim)
        self.decoder = dense_decoder(latent_dim, hidden_dim)

    def forward(self, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B 1 28 28"]:
        return self.decoder(self.encoder(x))


class LinearAutoencoder(nn.Module):
    """One matrix to the code and one back, no hidden layer, nothing bent: at its optimum it spans the PCA subspace.

    Baldi & Hornik (1989), doi:10.1016/0893-6080(89)90014-2.
    """

    def __init__(self, latent_dim: int = 20):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, latent_dim))
        self.decoder = nn.Sequential(nn.Linear(latent_dim, PIXELS), nn.Unflatten(1, (1, 28, 28)))

    def forward(self, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B 1 28 28"]:
        return self.decoder(self.encoder(x))

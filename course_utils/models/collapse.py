"""Where a code is used and where it is not: a linear VAE that can be solved on paper, and a decoder that sees so much
of the picture that it can do without a code."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from course_utils import losses
from course_utils.models.vae import reparameterize

SIZE = 14  # pixels across a picture
PIXELS = SIZE * SIZE


def optimal_kl(variance: Float[Tensor, "*D"], noise: float, beta: float = 1.0) -> Float[Tensor, "*D"]:
    """Nats of KL that the best linear VAE spends on a direction in which the data have this variance.

    Its decoder is normal with variance `noise`; `beta` is the weight of the KL in its loss. 0 where the unit is off.
    Lucas et al. (2019), arXiv:1911.02469, section 4 and, for beta, equation 8.
    """
    return (0.5 * (variance / (beta * noise)).log()).clamp(min=0)


class LinearVAE(nn.Module):
    """Points to codes and back by one matrix each way; q(z|x) = N(mu, diag sigma^2), p(x|z) = N(mean, I).

    sigma is the same for every point, as in the exact posterior. Lucas et al. (2019), arXiv:1911.02469.
    """

    def __init__(self, data_dim: int = 2, latent_dim: int = 2):
        super().__init__()
        self.mu = nn.Linear(data_dim, latent_dim)
        self.logvar = nn.Parameter(torch.zeros(latent_dim))
        self.decoder = nn.Linear(latent_dim, data_dim)

    def encode(self, x: Float[Tensor, "B D"]) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        mu = self.mu(x)
        return mu, self.logvar.expand_as(mu)

    def forward(
        self, x: Float[Tensor, "B D"]
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        """Mean of a reconstruction from one draw of the code, and the mu and logvar it was drawn from."""
        mu, logvar = self.encode(x)
        return self.decoder(reparameterize(mu, logvar)), mu, logvar


class PixelByPixelVAE(nn.Module):
    """A VAE of 14x14 pixels whose decoder sees the code and the pixels that it has drawn: p(x|z) = prod p(x_i|x_<i, z).

    The decoder is one masked hidden layer beside direct weights, as in MADE: Germain et al. (2015), arXiv:1502.03509.
    It draws from coarse to fine. `seen` is the share of the drawn pixels that it is shown while it is trained, others
    picked for each picture; with 0 it never sees any, and is an ordinary decoder.
    """

    def __init__(self, latent_dim: int = 8, hidden_dim: int = 200, seen: float = 1.0):
        super().__init__()
        self.seen = seen
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, hidden_dim), nn.ReLU())
        self.mu = nn.Linear(hidden_dim, latent_dim)
        self.logvar = nn.Linear(hidden_dim, latent_dim)

        self.from_code = nn.Sequential(nn.Linear(latent_dim, hidden_dim), nn.ReLU())
        self.code_to_hidden = nn.Linear(hidden_dim, hidden_dim)
        self.code_to_pixels = nn.Linear(hidden_dim, PIXELS)
        self.see = nn.Linear(PIXELS, hidden_dim)
        self.draw_hidden = nn.Linear(hidden_dim, PIXELS)
        self.draw_direct = nn.Linear(PIXELS, PIXELS)

        # A hidden unit sees the pixels drawn before its turn, and helps to draw those from its turn on.
        turn, rank = torch.linspace(1, PIXELS - 1, hidden_dim).round(), drawing_order().argsort()
        self.register_buffer("sees", (rank < turn[:, None]).float())
        self.register_buffer("draws", (rank[:, None] >= turn).float())
        self.register_buffer("direct", (rank < rank[:, None]).float())

    def encode(self, x: Float[Tensor, "B 1 14 14"]) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        hidden = self.hidden(x)
        return self.mu(hidden), self.logvar(hidden)

    def decode(self, z: Float[Tensor, "*S B Z"], x: Float[Tensor, "B 1 14 14"]) -> Float[Tensor, "*S B 1 14 14"]:
        """Logits of every pixel, each from the code and from the pixels of x that are drawn before it."""
        view = 2 * x.flatten(1) - 1  # 0 stands for a pixel that is not shown
        if self.training:
            view = view * (torch.rand_like(view) < self.seen)
        view = view * (self.seen > 0)
        from_code = self.from_code(z)
        hidden = self.code_to_hidden(from_code) + functional.linear(view, self.see.weight * self.sees, self.see.bias)
        x_logits = functional.linear(hidden.relu(), self.draw_hidden.weight * self.draws, self.draw_hidden.bias)
        x_logits = x_logits + functional.linear(view, self.draw_direct.weight * self.direct, self.draw_direct.bias)
        return (x_logits + self.code_to_pixels(from_code)).unflatten(-1, (1, SIZE, SIZE))

    def forward(
        self, x: Float[Tensor, "B 1 14 14"]
    ) -> tuple[Float[Tensor, "B 1 14 14"], Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        """Logits of x from one draw of its code, and the mu and logvar it was drawn from."""
        mu, logvar = self.encode(x)
        return self.decode(reparameterize(mu, logvar), x), mu, logvar

    def log_likelihood(self, x: Float[Tensor, "B 1 14 14"], z: Float[Tensor, "S B Z"]) -> Float[Tensor, "S B"]:
        """log p(x|z) for every image and each of its S codes."""
        x_logits = self.decode(z, x).flatten(0, 1)
        return -losses.bernoulli_nll(x_logits, x.repeat(len(z), 1, 1, 1)).view(z.shape[:2])

    @torch.no_grad()
    def draw(self, z: Float[Tensor, "B Z"], pixels: int = PIXELS) -> Float[Tensor, "B 1 14 14"]:
        """Pictures drawn from p(x|z) pixel by pixel, the first `pixels` of them; the others are left gray, at 0.5."""
        x = torch.full((len(z), 1, SIZE, SIZE), 0.5).to(z)
        for place in drawing_order()[:pixels]:
            p = self.decode(z, x).flatten(1)[:, place].sigmoid()
            x.view(len(z), PIXELS)[:, place] = torch.bernoulli(p)
        return x


def drawing_order() -> Tensor:
    """The places of the pixels as they are drawn: every fourth of a row and column, every second, then the rest."""
    place = torch.arange(PIXELS)
    row, column = place // SIZE, place % SIZE
    fourth = (row % 4 == 1) & (column % 4 == 1)
    second = (row % 2 == 1) & (column % 2 == 1)
    return (2 * PIXELS - PIXELS * (fourth.long() + second.long()) + place).argsort()

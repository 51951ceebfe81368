"""Wrong and right answers to the exercises and the task of lesson 16."""

import numpy as np
import torch
from torch.nn import functional

from course_utils import losses
from course_utils.exercises.lesson16 import CodeGame
from tests.answers import right, wrong


def _pairs(x):
    return 0.5 * (x[:, None] - x).square().sum(2)


def _around(x):
    return 0.5 * (x - x.mean(0)).square().sum(1)


wrong("16.1", "swapped")(lambda x: (_pairs(x).mean(), _around(x).mean()))
wrong("16.1", "two-numbers")(lambda x: _around(x).mean())
wrong("16.1", "two-numbers")(lambda x: (_around(x), _pairs(x)))
wrong("16.1", "not-halved")(lambda x: (2 * _around(x).mean(), 2 * _pairs(x).mean()))
wrong("16.1", "pixel-mean")(lambda x: ((x - x.mean(0)).square().mean(), _pairs(x).mean()))
wrong("16.1", "picture-sum")(lambda x: (_around(x).sum(), _pairs(x).sum()))
wrong("16.1", "one-less")(lambda x: (0.5 * x.var(0).sum(), _pairs(x).mean()))
wrong("16.1", "one-gray")(lambda x: (0.5 * (x - x.mean()).square().sum(1).mean(), _pairs(x).mean()))
wrong("16.1", "median")(lambda x: (0.5 * (x - x.median(0).values).square().sum(1).mean(), _pairs(x).mean()))
wrong("16.1", "root")(lambda x: (torch.cdist(x.mean(0)[None], x).mean(), _pairs(x).mean()))
wrong("16.1", "not-itself")(lambda x: (_around(x).mean(), _pairs(x).sum() / (len(x) * (len(x) - 1))))
wrong("16.1", "one-pair")(lambda x: (_around(x).mean(), 0.5 * (x - x.roll(1, 0)).square().sum(1).mean()))
wrong("16.1", "one-pair")(lambda x: (_around(x).mean(), losses.squared_error(x, x[:1].expand_as(x)).mean()))
wrong("16.1", "mean-again")(lambda x: (_around(x).mean(), _around(x).mean()))
wrong("16.1", "best-guess")(lambda x: (_around(x).mean(), _pairs(x).fill_diagonal_(torch.inf).amin(1).mean()))
wrong("16.1", "one-draw")(lambda x: (_around(x).mean(), losses.squared_error(x, x[torch.randperm(len(x))]).mean()))


@wrong("16.1", "one-draw")
def _(x):
    guess = x[torch.randint(len(x), (1,))]
    return _around(x).mean(), losses.squared_error(guess.expand_as(x), x).mean()


wrong("16.1", "nothing")(lambda x: print(len(x), end="\r"))

right("16.1")(lambda x: (0.5 * x.var(0, correction=0).sum(), x.var(0, correction=0).sum()))


@right("16.1")
def _(x):
    of_mean = sum(float(losses.squared_error(x.mean(0)[None], one[None])) for one in x) / len(x)
    of_draw = sum(float(losses.squared_error(a[None], b[None])) for a in x for b in x) / len(x) ** 2
    return of_mean, of_draw


@right("16.1")
def _(x):
    x = x.double().numpy()
    apart = ((x[:, None] - x[None]) ** 2).sum(-1)
    return np.array([0.5 * ((x - x.mean(0)) ** 2).sum(1).mean(), 0.5 * apart.mean()])


@right("16.1")
def _(x):
    return [losses.squared_error(x.mean(0).expand_as(x), x).mean(), 0.5 * torch.cdist(x, x).square().mean()]


def _waves(x, energy=None, ring=None, norm="ortho"):
    """The reference with a part replaced."""
    N = x.shape[-1]
    transform = torch.fft.fft2(x[:, 0], norm=norm)
    energy = transform.abs().square() if energy is None else energy(transform)
    count = torch.fft.fftfreq(N, 1 / N)
    ring = (lambda ky, kx: torch.hypot(ky, kx).round()) if ring is None else ring
    ring = ring(count[:, None], count[None]).long().flatten()
    return torch.zeros(len(x), int(ring.max()) + 1).index_add(1, ring, energy.flatten(1))


wrong("16.2", "not-normalized")(lambda x: _waves(x, norm="backward"))
wrong("16.2", "not-normalized")(lambda x: _waves(x, norm="forward"))
wrong("16.2", "not-squared")(lambda x: _waves(x, energy=lambda f: f.abs()))
wrong("16.2", "no-imaginary")(lambda x: _waves(x, energy=lambda f: f.real.square()))
wrong("16.2", "rounded-down")(lambda x: _waves(x, ring=lambda ky, kx: torch.hypot(ky, kx).floor()))
wrong("16.2", "square-rings")(lambda x: _waves(x, ring=lambda ky, kx: torch.maximum(ky.abs(), kx.abs())))
wrong("16.2", "square-rings")(lambda x: _waves(x, ring=lambda ky, kx: ky.abs() + kx.abs()))
wrong("16.2", "unshifted-rings")(lambda x: _waves(x, energy=lambda f: torch.fft.fftshift(f, (1, 2)).abs().square()))
wrong("16.2", "batch-summed")(lambda x: _waves(x).sum(0))
wrong("16.2", "shares")(lambda x: _waves(x) / _waves(x).sum(1, keepdim=True))
wrong("16.2", "cut")(lambda x: _waves(x)[:, : x.shape[-1] // 2 + 1])
wrong("16.2", "no-mean")(lambda x: _waves(x - x.mean((1, 2, 3), keepdim=True)))
wrong("16.2", "one-ring")(lambda x: _waves(x, ring=lambda ky, kx: (torch.hypot(ky, kx) / x.shape[-1]).round()))


@wrong("16.2", "last-only")
def _(x):
    energy = torch.fft.fft2(x[:, 0], norm="ortho").abs().square().flatten(1)
    k = torch.fft.fftfreq(x.shape[-1], 1 / x.shape[-1])
    ring = torch.hypot(k[:, None], k).round().long().flatten()
    out = torch.zeros(len(x), int(ring.max()) + 1)
    out[:, ring] += energy
    return out


wrong("16.2", "wrong-shape")(lambda x: torch.cat([_waves(x), torch.zeros(len(x), 1)], 1))


@wrong("16.2", "ring-mean")
def _(x):
    return _waves(x) / _waves(x, energy=lambda f: torch.ones_like(f.real))


@wrong("16.2", "no-negative")
def _(x):
    count = torch.arange(x.shape[-1])
    return _waves(x, ring=lambda ky, kx: torch.hypot(count[:, None].float(), count.float()).round())


@right("16.2")
def _(x):
    x = x.double().numpy()[:, 0]
    N = x.shape[-1]
    energy = np.abs(np.fft.fft2(x)) ** 2 / N**2
    k = np.fft.fftfreq(N) * N
    ring = np.rint(np.hypot(*np.meshgrid(k, k))).astype(int)
    return np.stack([np.bincount(ring.ravel(), one.ravel()) for one in energy])


@right("16.2")
def _(x):
    N = x.shape[-1]
    energy = torch.fft.fftshift(torch.fft.fft2(x.double(), norm="ortho"), dim=(2, 3)).abs() ** 2
    k = torch.arange(N) - N // 2
    ring = (k[:, None] ** 2 + k**2).sqrt().round()
    return torch.stack([energy[..., ring == r].sum((1, 2)) if energy.ndim == 5 else energy[:, 0, ring == r].sum(1)
                        for r in range(int(ring.max()) + 1)], 1)  # fmt: skip


@right("16.2")
def _(x):
    # One image after the other, one wave after the other.
    N, rows = x.shape[-1], []
    for one in x[:, 0]:
        transform, rings = torch.fft.fft2(one), {}
        for i in range(N):
            for j in range(N):
                ky, kx = (k if k <= N // 2 else k - N for k in (i, j))
                r = round((ky**2 + kx**2) ** 0.5)
                rings[r] = rings.get(r, 0) + float(transform[i, j].abs()) ** 2 / N**2
        rows.append([rings.get(r, 0.0) for r in range(max(rings) + 1)])
    return torch.tensor(rows)


def _sides(x):
    return x.diff(dim=3).square().flatten(1), x.diff(dim=2).square().flatten(1)


wrong("16.3", "one-direction")(lambda x: _sides(x)[0].sum(1))
wrong("16.3", "one-direction")(lambda x: _sides(x)[1].sum(1))
wrong("16.3", "not-squared")(lambda x: x.diff(dim=3).abs().flatten(1).sum(1) + x.diff(dim=2).abs().flatten(1).sum(1))
wrong("16.3", "averaged")(lambda x: _sides(x)[0].mean(1) + _sides(x)[1].mean(1))
wrong("16.3", "averaged")(lambda x: (_sides(x)[0].sum(1) + _sides(x)[1].sum(1)) / x[0].numel())
wrong("16.3", "batch-summed")(lambda x: _sides(x)[0].sum() + _sides(x)[1].sum())
wrong("16.3", "wrapped")(
    lambda x: (x - x.roll(1, 3)).square().flatten(1).sum(1) + (x - x.roll(1, 2)).square().flatten(1).sum(1)
)
wrong("16.3", "cropped")(
    lambda x: (x.diff(dim=3)[:, :, :-1].square() + x.diff(dim=2)[..., :-1].square()).flatten(1).sum(1)
)
wrong("16.3", "cropped-shapes")(lambda x: (x.diff(dim=3).square() + x.diff(dim=2).square()).flatten(1).sum(1))
wrong("16.3", "central")(lambda x: sum(one.square().flatten(1).sum(1) for one in torch.gradient(x, dim=(2, 3))))
wrong("16.3", "lengths")(
    lambda x: (x.diff(dim=3)[:, :, :-1].square() + x.diff(dim=2)[..., :-1].square()).sqrt().flatten(1).sum(1)
)
wrong("16.3", "root")(lambda x: (_sides(x)[0].sum(1) + _sides(x)[1].sum(1)).sqrt())


@right("16.3")
def _(x):
    down, across = x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]
    return across.pow(2).sum((1, 2, 3)) + down.pow(2).sum((1, 2, 3))


right("16.3")(lambda x: sum((np.diff(x.double().numpy(), axis=a) ** 2).sum((1, 2, 3)) for a in (2, 3)))


@right("16.3")
def _(x):
    step = torch.tensor([-1.0, 1.0])
    across = functional.conv2d(x.contiguous(), step.view(1, 1, 1, 2))
    down = functional.conv2d(x.contiguous(), step.view(1, 1, 2, 1))
    return torch.linalg.vector_norm(across, dim=(1, 2, 3)) ** 2 + torch.linalg.vector_norm(down, dim=(1, 2, 3)) ** 2


@right("16.3")
def _(x):
    found = []
    for one in x[:, 0]:
        energy = 0.0
        for i in range(one.shape[0]):
            for j in range(one.shape[1]):
                energy += float(one[i, j] - one[i - 1, j]) ** 2 if i else 0.0
                energy += float(one[i, j] - one[i, j - 1]) ** 2 if j else 0.0
        found.append(energy)
    return found


class _Open(CodeGame):
    """What the answers below share: the three losses from their parts, each of which can be replaced."""

    def three_losses(self, x, z_real):
        z = self.encoder(x)
        error = losses.squared_error(self.decoder(z), x)
        return self.put_together(error, self.discriminator(z_real), self.discriminator(z))

    def put_together(self, error, real, fake):
        return error + functional.softplus(-fake), error, functional.softplus(-real) + functional.softplus(fake)


def _game(form):
    return type("Game", (_Open,), {"put_together": lambda self, *args: form(*args)})


_up, _down = (lambda logits: functional.softplus(-logits)), functional.softplus

wrong("16.4", "no-error")(_game(lambda e, real, fake: (_up(fake), e, _up(real) + _down(fake))))
wrong("16.4", "no-game")(_game(lambda e, real, fake: (e, e, _up(real) + _down(fake))))
wrong("16.4", "helps-finding")(_game(lambda e, real, fake: (e + _down(fake), e, _up(real) + _down(fake))))
wrong("16.4", "helps-finding")(
    _game(lambda e, real, fake: (e + losses.discriminator_loss(real, fake), e, _up(real) + _down(fake)))
)
wrong("16.4", "minimax")(_game(lambda e, real, fake: (e - _down(fake), e, _up(real) + _down(fake))))
wrong("16.4", "prior-in-game")(_game(lambda e, real, fake: (e + _up(real), e, _up(real) + _down(fake))))
wrong("16.4", "decoder-plays")(_game(lambda e, real, fake: (e + _up(fake), e + _up(fake), _up(real) + _down(fake))))
wrong("16.4", "prior-as-fake")(_game(lambda e, real, fake: (e + _up(fake), e, _up(fake) + _down(real))))
wrong("16.4", "one-term")(_game(lambda e, real, fake: (e + _up(fake), e, _down(fake))))
wrong("16.4", "wrong-sign")(_game(lambda e, real, fake: (e + _up(fake), e, -_up(real) - _down(fake))))
wrong("16.4", "swapped")(_game(lambda e, real, fake: (e, e + _up(fake), _up(real) + _down(fake))))
wrong("16.4", "error-for-discriminator")(_game(lambda e, real, fake: (e + _up(fake), e, e + _up(real) + _down(fake))))
wrong("16.4", "sigmoid-first")(
    _game(lambda e, real, fake: (e + _up(fake), e, losses.discriminator_loss(real.sigmoid(), fake.sigmoid())))
)
wrong("16.4", "sigmoid-first")(
    _game(lambda e, real, fake: (e + losses.nonsaturating_loss(fake.sigmoid()), e, _up(real) + _down(fake)))
)
wrong("16.4", "halved")(_game(lambda e, real, fake: (e + _up(fake), e, 0.5 * (_up(real) + _down(fake)))))
wrong("16.4", "one-number")(
    _game(lambda e, real, fake: ((e + _up(fake)).mean(), e.mean(), (_up(real) + _down(fake)).mean()))
)
wrong("16.4", "three-losses")(_game(lambda e, real, fake: (e + _up(fake), _up(real) + _down(fake))))


@wrong("16.4", "pixel-mean")
class _(_Open):
    def three_losses(self, x, z_real):
        z = self.encoder(x)
        error = (self.decoder(z) - x).square().mean(1)
        return self.put_together(error, self.discriminator(z_real), self.discriminator(z))


@wrong("16.4", "pixel-mean")
class _(_Open):
    def three_losses(self, x, z_real):
        z = self.encoder(x)
        error = (self.decoder(z) - x).square().sum(1)
        return self.put_together(error, self.discriminator(z_real), self.discriminator(z))


@wrong("16.4", "decodes-prior")
class _(_Open):
    def three_losses(self, x, z_real):
        ours = super().three_losses(x, z_real)
        return ours[0], losses.squared_error(self.decoder(z_real), x), ours[2]


@wrong("16.4", "detached")
class _(_Open):
    """The code is cut off before it is judged, as the fakes are in the discriminator's step of lesson 13."""

    def three_losses(self, x, z_real):
        z = self.encoder(x)
        error = losses.squared_error(self.decoder(z), x)
        return self.put_together(error, self.discriminator(z_real), self.discriminator(z.detach()))


@wrong("16.4", "detached")
class _(_Open):
    def three_losses(self, x, z_real):
        with torch.no_grad():
            return super().three_losses(x, z_real)


@right("16.4")
class _(_Open):
    """Cut off where it may be: for the discriminator, and for the decoder."""

    def three_losses(self, x, z_real):
        z = self.encoder(x)
        error = losses.squared_error(self.decoder(z), x)
        of_decoder = losses.squared_error(self.decoder(z.detach()), x)
        found = losses.discriminator_loss(self.discriminator(z_real), self.discriminator(z.detach()))
        return error + losses.nonsaturating_loss(self.discriminator(z)), of_decoder, found


@right("16.4")
class _(_Open):
    def three_losses(self, x, z_real):
        z = self.encoder(x)
        error = 0.5 * ((self.decoder(z) - x) ** 2).sum(dim=1)
        real, fake = self.discriminator(torch.cat([z_real, z])).chunk(2)
        coin = functional.binary_cross_entropy_with_logits
        of_encoder = error + coin(fake, torch.ones_like(fake), reduction="none")
        found = coin(real, torch.ones_like(real), reduction="none")
        found = found + coin(fake, torch.zeros_like(fake), reduction="none")
        return torch.stack([of_encoder, error, found])


@right("16.4")
class _(_Open):
    def put_together(self, error, real, fake):
        return [error - functional.logsigmoid(fake), error, -functional.logsigmoid(real) - functional.logsigmoid(-fake)]


def _vaegan(encoder=None, decoder=None, discriminator=None):
    """The reference with the loss of a part replaced; each form gets the terms by name."""

    def answer(features, features_hat, mu, logvar, real, hat, fake, gamma):
        terms = {
            "error": losses.squared_error(features_hat, features),
            "kl": losses.gaussian_kl(mu, logvar),
            "fooled": 0.5 * (_up(hat) + _up(fake)),
            "rejected": 0.5 * (_down(hat) + _down(fake)),
            "accepted": _up(real),
            "gamma": gamma,
            "logits": (real, hat, fake),
        }
        forms = (
            encoder or (lambda t: t["error"] + t["kl"]),
            decoder or (lambda t: t["gamma"] * t["error"] + t["fooled"]),
            discriminator or (lambda t: t["accepted"] + t["rejected"]),
        )
        return tuple(form(terms) for form in forms)

    return answer


wrong("T16", "gamma-for-encoder")(_vaegan(encoder=lambda t: t["gamma"] * t["error"] + t["kl"]))
wrong("T16", "encoder-plays")(_vaegan(encoder=lambda t: t["error"] + t["kl"] + t["fooled"]))
wrong("T16", "no-kl")(_vaegan(encoder=lambda t: t["error"]))
wrong("T16", "kl-for-decoder")(_vaegan(decoder=lambda t: t["gamma"] * t["error"] + t["fooled"] + t["kl"]))
wrong("T16", "gamma-on-game")(_vaegan(decoder=lambda t: t["error"] + t["gamma"] * t["fooled"]))
wrong("T16", "no-gamma")(_vaegan(decoder=lambda t: t["error"] + t["fooled"]))
wrong("T16", "helps-finding")(_vaegan(decoder=lambda t: t["gamma"] * t["error"] + t["rejected"]))
wrong("T16", "minimax")(_vaegan(decoder=lambda t: t["gamma"] * t["error"] - t["rejected"]))
wrong("T16", "fakes-added")(_vaegan(decoder=lambda t: t["gamma"] * t["error"] + 2 * t["fooled"]))
wrong("T16", "one-kind")(_vaegan(decoder=lambda t: t["gamma"] * t["error"] + _up(t["logits"][2])))
wrong("T16", "mean-logit")(
    _vaegan(decoder=lambda t: t["gamma"] * t["error"] + _up(0.5 * (t["logits"][1] + t["logits"][2])))
)
wrong("T16", "one-kind")(_vaegan(discriminator=lambda t: t["accepted"] + _down(t["logits"][2])))
wrong("T16", "error-for-discriminator")(_vaegan(discriminator=lambda t: t["accepted"] + t["rejected"] + t["error"]))
wrong("T16", "fakes-added")(_vaegan(discriminator=lambda t: 2 * (t["accepted"] + t["rejected"])))
wrong("T16", "real-halved")(_vaegan(discriminator=lambda t: 0.5 * t["accepted"] + t["rejected"]))
wrong("T16", "swapped")(_vaegan(discriminator=lambda t: _down(t["logits"][0]) + t["fooled"]))
wrong("T16", "one-number")(_vaegan(encoder=lambda t: (t["error"] + t["kl"]).mean()))
wrong("T16", "not-halved")(_vaegan(encoder=lambda t: 2 * t["error"] + t["kl"]))

right("T16")(_vaegan(decoder=lambda t: (2 * t["gamma"] * t["error"] + _up(t["logits"][1]) + _up(t["logits"][2])) / 2))


@right("T16")
def _(features, features_hat, mu, logvar, real, hat, fake, gamma):
    """Through torch.distributions and binary cross-entropy, in double precision, as one tensor."""
    features, features_hat, mu, logvar, real, hat, fake = (
        one.double() for one in (features, features_hat, mu, logvar, real, hat, fake)
    )
    error = -torch.distributions.Normal(features_hat, 1).log_prob(features).sum(1)
    error = error - 0.5 * features.shape[1] * np.log(2 * np.pi)
    q, p = torch.distributions.Normal(mu, (0.5 * logvar).exp()), torch.distributions.Normal(0.0, 1.0)
    kl = torch.distributions.kl_divergence(q, p).sum(1)
    coin = functional.binary_cross_entropy_with_logits
    mean = lambda label: 0.5 * sum(coin(one, torch.full_like(one, label), reduction="none") for one in (hat, fake))  # noqa: E731
    found = coin(real, torch.ones_like(real), reduction="none") + mean(0.0)
    return torch.stack([error + kl, gamma * error + mean(1.0), found])


@right("T16")
def _(features, features_hat, mu, logvar, real, hat, fake, gamma):
    rows = []
    for i in range(len(features)):
        error = sum(0.5 * float(d) ** 2 for d in features_hat[i] - features[i])
        kl = sum(0.5 * float(m**2 + v.exp() - 1 - v) for m, v in zip(mu[i], logvar[i], strict=True))
        plus = [float(functional.softplus(one[i])) for one in (-real, hat, fake, -hat, -fake)]
        rows.append([error + kl, gamma * error + (plus[3] + plus[4]) / 2, plus[0] + (plus[1] + plus[2]) / 2])
    return torch.tensor(rows).T

"""Wrong and right answers to the exercises and the task of lesson 12."""

import math

import numpy as np
import torch
from scipy.spatial.distance import jensenshannon
from torch import distributions
from torch.nn import functional

from course_utils.exercises.lesson12 import TwoPlayers
from tests.answers import right, wrong

softplus = functional.softplus


@wrong("12.1", "one-number")
def _(logits_real, logits_fake):
    return (softplus(-logits_real) + softplus(logits_fake)).mean()


@wrong("12.1", "one-number")
def _(logits_real, logits_fake):
    both = torch.cat([logits_real, logits_fake])
    labels = torch.cat([torch.ones_like(logits_real), torch.zeros_like(logits_fake)])
    return functional.binary_cross_entropy_with_logits(both, labels)


@wrong("12.1", "swapped")
def _(logits_real, logits_fake):
    return softplus(logits_real) + softplus(-logits_fake)


@wrong("12.1", "wrong-sign")
def _(logits_real, logits_fake):
    return functional.logsigmoid(logits_real) + functional.logsigmoid(-logits_fake)


@wrong("12.1", "averaged")
def _(logits_real, logits_fake):
    return 0.5 * (softplus(-logits_real) + softplus(logits_fake))


@wrong("12.1", "real-only")
def _(logits_real, logits_fake):
    return softplus(-logits_real)


@wrong("12.1", "fake-only")
def _(logits_real, logits_fake):
    return softplus(logits_fake)


@wrong("12.1", "sigmoid-twice")
def _(logits_real, logits_fake):
    return softplus(-logits_real.sigmoid()) + softplus(logits_fake.sigmoid())


@wrong("12.1", "fakes-as-real")
def _(logits_real, logits_fake):
    return softplus(-logits_real) + softplus(-logits_fake)


@wrong("12.1", "no-logarithm")
def _(logits_real, logits_fake):
    return 1 - logits_real.sigmoid() + logits_fake.sigmoid()


@wrong("12.1", "joined")
def _(logits_real, logits_fake):
    return softplus(torch.cat([-logits_real, logits_fake]))


@wrong("12.1", "logits-as-probabilities")
def _(logits_real, logits_fake):
    ones = torch.ones_like(logits_real)
    return functional.binary_cross_entropy(logits_real, ones, reduction="none")


@wrong("12.1", "overflow")
def _(logits_real, logits_fake):
    return -logits_real.sigmoid().log() - (1 - logits_fake.sigmoid()).log()


@wrong("12.1", "exp-overflow")
def _(logits_real, logits_fake):
    return (1 + (-logits_real).exp()).log() + (1 + logits_fake.exp()).log()


@wrong("12.1", "logits-as-probabilities")
def _(logits_real, logits_fake):
    return -logits_real.log() - (1 - logits_fake).log()


@wrong("12.1", "wrong-value")
def _(logits_real, logits_fake):
    small = 1e-2
    return -(logits_real.sigmoid() + small).log() - (1 - logits_fake.sigmoid() + small).log()


@right("12.1")
def _(logits_real, logits_fake):
    return -functional.logsigmoid(logits_real) - functional.logsigmoid(-logits_fake)


@right("12.1")
def _(logits_real, logits_fake):
    def entropy(logits, label):
        labels = torch.full_like(logits, label)
        return functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")

    return entropy(logits_real, 1.0) + entropy(logits_fake, 0.0)


@right("12.1")
def _(logits_real, logits_fake):
    return np.logaddexp(0, -logits_real.double().numpy()) + np.logaddexp(0, logits_fake.double().numpy())


@right("12.1")
def _(logits_real, logits_fake):
    log_p = distributions.Bernoulli(logits=logits_real).log_prob(torch.ones_like(logits_real))
    return -log_p - distributions.Bernoulli(logits=logits_fake).log_prob(torch.zeros_like(logits_fake))


@right("12.1")
def _(logits_real, logits_fake):
    return torch.stack(
        [softplus(b) + softplus(b) * 0 + softplus(-a) for a, b in zip(logits_real, logits_fake, strict=True)]
    )


@wrong("12.2", "probability")
def _(log_p, log_q):
    return log_p.exp() / (log_p.exp() + log_q.exp())


@wrong("12.2", "probability")
def _(log_p, log_q):
    return (log_p - log_q).sigmoid()


@wrong("12.2", "swapped")
def _(log_p, log_q):
    return log_q - log_p


@wrong("12.2", "ratio")
def _(log_p, log_q):
    return (log_p - log_q).exp()


@wrong("12.2", "difference")
def _(log_p, log_q):
    return log_p.exp() - log_q.exp()


@wrong("12.2", "log-of-d")
def _(log_p, log_q):
    return log_p - torch.logaddexp(log_p, log_q)


@wrong("12.2", "logs-divided")
def _(log_p, log_q):
    return log_p / log_q


@wrong("12.2", "logs-as-densities")
def _(log_p, log_q):
    return log_p / (log_p + log_q)


@wrong("12.2", "log-of-log")
def _(log_p, log_q):
    return torch.logit(log_p / (log_p + log_q))


@wrong("12.2", "log-of-log")
def _(log_p, log_q):
    return log_p.log() - log_q.log()


@wrong("12.2", "log-of-log")
def _(log_p, log_q):
    return (log_p / log_q).log()


@wrong("12.2", "through-d")
def _(log_p, log_q):
    return torch.logit((log_p - log_q).sigmoid())


@wrong("12.2", "through-d")
def _(log_p, log_q):
    return torch.logit((log_p.double() - log_q).sigmoid(), eps=1e-7)


@wrong("12.2", "underflow")
def _(log_p, log_q):
    return (log_p.exp() / log_q.exp()).log()


@wrong("12.2", "underflow")
def _(log_p, log_q):
    return (log_p.double().exp() / log_q.double().exp()).log()


@wrong("12.2", "underflow")
def _(log_p, log_q):
    return torch.logit(log_p.exp() / (log_p.exp() + log_q.exp()))


@wrong("12.2", "underflow")
def _(log_p, log_q):
    return torch.logit((log_p.exp() / (log_p.exp() + log_q.exp())).nan_to_num(0.5), eps=1e-7)


@right("12.2")
def _(log_p, log_q):
    both = torch.logaddexp(log_p, log_q)
    return (log_p - both) - (log_q - both)


@right("12.2")
def _(log_p, log_q):
    return np.subtract(log_p.double().numpy(), log_q.double().numpy())


@right("12.2")
def _(log_p, log_q):
    return [float(a) - float(b) for a, b in zip(log_p, log_q, strict=True)]


@right("12.2")
def _(log_p, log_q):
    return -torch.stack([log_p, log_q]).diff(dim=0)[0]


def _kl(a, b, dx):
    return dx * (a * (a / b).log()).sum()


def _kl0(a, b, dx):
    return dx * torch.where(a > 0, a * (a / b).log(), 0).sum()


@wrong("12.3", "no-half")
def _(p, q, dx):
    m = (p + q) / 2
    return _kl0(p, m, dx) + _kl0(q, m, dx)


@wrong("12.3", "not-halved-mixture")
def _(p, q, dx):
    m = p + q
    return 0.5 * (_kl0(p, m, dx) + _kl0(q, m, dx))


@wrong("12.3", "not-halved-mixture")
def _(p, q, dx):
    m = p + q
    return _kl0(p, m, dx) + _kl0(q, m, dx)


@wrong("12.3", "no-dx")
def _(p, q, dx):
    m = (p + q) / 2
    return 0.5 * (_kl0(p, m, 1) + _kl0(q, m, 1))


@wrong("12.3", "no-dx")
def _(p, q, dx):
    m = (p + q) / 2
    return 0.5 * (_kl0(p, m, 1) + _kl0(q, m, 1)) / len(p)


@wrong("12.3", "mean")
def _(p, q, dx):
    m = (p + q) / 2
    return 0.5 * (_kl0(p, m, dx) + _kl0(q, m, dx)) / len(p)


@wrong("12.3", "kl")
def _(p, q, dx):
    return _kl(p, q, dx)


@wrong("12.3", "symmetric-kl")
def _(p, q, dx):
    return 0.5 * (_kl(p, q, dx) + _kl(q, p, dx))


@wrong("12.3", "turned-kl")
def _(p, q, dx):
    m = (p + q) / 2
    return 0.5 * (_kl(m, p, dx) + _kl(m, q, dx))


@wrong("12.3", "one-side")
def _(p, q, dx):
    return _kl0(p, (p + q) / 2, dx)


@wrong("12.3", "root")
def _(p, q, dx):
    return jensenshannon(p.numpy(), q.numpy())


@wrong("12.3", "bits")
def _(p, q, dx):
    return jensenshannon(p.numpy(), q.numpy(), 2) ** 2


@wrong("12.3", "not-summed")
def _(p, q, dx):
    m = (p + q) / 2
    return 0.5 * dx * (p * (p / m).log() + q * (q / m).log())


@wrong("12.3", "nan")
def _(p, q, dx):
    m = (p + q) / 2
    return 0.5 * (_kl(p, m, dx) + _kl(q, m, dx))


@wrong("12.3", "nan")
def _(p, q, dx):
    m = (p + q) / 2
    return 0.5 * dx * (torch.xlogy(p, p / m) + torch.xlogy(q, q / m)).sum()


@right("12.3")
def _(p, q, dx):
    return jensenshannon(p.double().numpy(), q.double().numpy()) ** 2


@right("12.3")
def _(p, q, dx):
    m = 0.5 * (p + q)
    return 0.5 * (_kl0(p, m, dx) + _kl0(q, m, dx))


@right("12.3")
def _(p, q, dx):
    p, q = p.double() + 1e-12, q.double() + 1e-12
    m = (p + q) / 2
    return 0.5 * (_kl(p, m, dx) + _kl(q, m, dx)).item()


@right("12.3")
def _(p, q, dx):
    # The loss of the best discriminator, 2 log 2 - 2 JS, solved for JS.
    total = sum(a * math.log((a + b) / a) if a > 0 else 0.0 for a, b in [*zip(p.tolist(), q.tolist(), strict=True)])
    total += sum(b * math.log((a + b) / b) if b > 0 else 0.0 for a, b in [*zip(p.tolist(), q.tolist(), strict=True)])
    return math.log(2) - 0.5 * dx * total


@wrong("12.4", "wrong-number")
def _(logits_fake):
    return -softplus(logits_fake)


@wrong("12.4", "swapped")
def _(logits_fake):
    return softplus(-logits_fake), -softplus(logits_fake)


@wrong("12.4", "one-number")
def _(logits_fake):
    return -softplus(logits_fake).mean(), softplus(-logits_fake).mean()


@wrong("12.4", "wrong-sign")
def _(logits_fake):
    return softplus(logits_fake), softplus(-logits_fake)


@wrong("12.4", "wrong-sign")
def _(logits_fake):
    return -softplus(logits_fake), functional.logsigmoid(logits_fake)


@wrong("12.4", "other-loss")
def _(logits_fake):
    return -softplus(logits_fake), -softplus(logits_fake)


@wrong("12.4", "other-loss")
def _(logits_fake):
    return softplus(-logits_fake), softplus(-logits_fake)


@wrong("12.4", "no-logarithm")
def _(logits_fake):
    return 1 - logits_fake.sigmoid(), -logits_fake.sigmoid()


@wrong("12.4", "no-sigmoid")
def _(logits_fake):
    return -softplus(logits_fake), -logits_fake


@wrong("12.4", "overflow")
def _(logits_fake):
    return (1 - logits_fake.sigmoid()).log(), -logits_fake.sigmoid().log()


@wrong("12.4", "exp-overflow")
def _(logits_fake):
    return -(1 + logits_fake.exp()).log(), (1 + (-logits_fake).exp()).log()


@wrong("12.4", "slope")
def _(logits_fake):
    return -logits_fake.sigmoid(), logits_fake.sigmoid() - 1


@wrong("12.4", "nothing")
def _(logits_fake):
    softplus(logits_fake)


@wrong("12.4", "logits-as-probabilities")
def _(logits_fake):
    return (1 - logits_fake).log(), -logits_fake.log()


@right("12.4")
def _(logits_fake):
    return functional.logsigmoid(-logits_fake), -functional.logsigmoid(logits_fake)


@right("12.4")
def _(logits_fake):
    zeros = torch.zeros_like(logits_fake)
    entropy = functional.binary_cross_entropy_with_logits
    return [-entropy(logits_fake, zeros, reduction="none"), entropy(logits_fake, zeros + 1, reduction="none")]


@right("12.4")
def _(logits_fake):
    logits = logits_fake.double().numpy()
    return -np.logaddexp(0, logits), np.logaddexp(0, -logits)


@right("12.4")
def _(logits_fake):
    minimax = -torch.logaddexp(torch.zeros_like(logits_fake), logits_fake)
    return minimax, minimax.neg() - logits_fake


def _discriminator_loss(players, x_real, x_fake):
    return softplus(-players.discriminator(x_real)) + softplus(players.discriminator(x_fake))


class _Plain(TwoPlayers):
    """What the answers below share: the stub's networks, each step written so that its parts can be replaced."""

    def discriminator_step(self, x_real, z):
        self.of_discriminator.zero_grad()
        self.discriminator_loss(x_real, self.generator(z).detach()).backward()
        self.of_discriminator.step()

    def generator_step(self, z):
        self.of_generator.zero_grad()
        self.generator_loss(self.discriminator(self.generator(z))).backward()
        self.of_generator.step()

    def discriminator_loss(self, x_real, x_fake):
        return _discriminator_loss(self, x_real, x_fake).mean()

    def generator_loss(self, logits_fake):
        return softplus(-logits_fake).mean()


@wrong("12.5", "not-detached")
class _(_Plain):
    def discriminator_step(self, x_real, z):
        self.of_discriminator.zero_grad()
        _discriminator_loss(self, x_real, self.generator(z)).mean().backward()
        self.of_discriminator.step()


@wrong("12.5", "no-mean")
class _(_Plain):
    def discriminator_loss(self, x_real, x_fake):
        return _discriminator_loss(self, x_real, x_fake)


@wrong("12.5", "no-mean")
class _(_Plain):
    def generator_loss(self, logits_fake):
        return softplus(-logits_fake)


@wrong("12.5", "mixed-up")
class _(_Plain):
    def generator_step(self, z):
        self.of_generator.zero_grad()
        self.generator_loss(self.discriminator(z)).backward()
        self.of_generator.step()


@wrong("12.5", "missing")
class _(_Plain):
    def generator_step(self, z):
        raise NotImplementedError


@wrong("12.5", "missing")
class _(_Plain):
    def discriminator_step(self, x_real, z):
        raise NotImplementedError


@wrong("12.5", "generator-moved")
class _(_Plain):
    def __init__(self, latent_dim, lr):
        super().__init__(latent_dim, lr)
        self.of_discriminator = torch.optim.SGD(self.parameters(), lr)

    def discriminator_step(self, x_real, z):
        self.of_discriminator.zero_grad()
        _discriminator_loss(self, x_real, self.generator(z)).mean().backward()
        self.of_discriminator.step()


@wrong("12.5", "discriminator-moved")
class _(_Plain):
    def generator_step(self, z):
        super().generator_step(z)
        self.of_discriminator.step()


@wrong("12.5", "discriminator-moved")
class _(_Plain):
    def __init__(self, latent_dim, lr):
        super().__init__(latent_dim, lr)
        self.of_generator = torch.optim.SGD(self.parameters(), lr)


@wrong("12.5", "no-gradient")
class _(_Plain):
    def generator_step(self, z):
        with torch.no_grad():
            x_fake = self.generator(z)
            logits_fake = self.discriminator(x_fake)
        self.generator_loss(logits_fake).backward()
        self.of_generator.step()


@wrong("12.5", "generator-still")
class _(_Plain):
    def generator_step(self, z):
        self.of_generator.zero_grad()
        self.generator_loss(self.discriminator(self.generator(z).detach())).backward()
        self.of_generator.step()


@wrong("12.5", "discriminator-still")
class _(_Plain):
    def discriminator_step(self, x_real, z):
        self.discriminator_loss(x_real, self.generator(z).detach()).backward()


@wrong("12.5", "accumulated")
class _(_Plain):
    def discriminator_step(self, x_real, z):
        self.discriminator_loss(x_real, self.generator(z).detach()).backward()
        self.of_discriminator.step()


@wrong("12.5", "accumulated")
class _(_Plain):
    def generator_step(self, z):
        self.generator_loss(self.discriminator(self.generator(z))).backward()
        self.of_generator.step()


@wrong("12.5", "accumulated")
class _(_Plain):
    """Cleared after its own step alone, so that what the generator's step leaves behind comes into the next one."""

    def discriminator_step(self, x_real, z):
        self.discriminator_loss(x_real, self.generator(z).detach()).backward()
        self.of_discriminator.step()
        self.of_discriminator.zero_grad()


@wrong("12.5", "minimax")
class _(_Plain):
    def generator_loss(self, logits_fake):
        return -softplus(logits_fake).mean()


@wrong("12.5", "wrong-way")
class _(_Plain):
    def generator_loss(self, logits_fake):
        return functional.logsigmoid(logits_fake).mean()


@wrong("12.5", "wrong-way")
class _(_Plain):
    def discriminator_loss(self, x_real, x_fake):
        return -_discriminator_loss(self, x_real, x_fake).mean()


@wrong("12.5", "swapped")
class _(_Plain):
    def discriminator_loss(self, x_real, x_fake):
        return _discriminator_loss(self, x_fake, x_real).mean()


@wrong("12.5", "summed")
class _(_Plain):
    def discriminator_loss(self, x_real, x_fake):
        return _discriminator_loss(self, x_real, x_fake).sum()


@wrong("12.5", "summed")
class _(_Plain):
    def generator_loss(self, logits_fake):
        return softplus(-logits_fake).sum()


@wrong("12.5", "one-term")
class _(_Plain):
    def discriminator_loss(self, x_real, x_fake):
        return softplus(self.discriminator(x_fake)).mean()


@wrong("12.5", "players-changed")
class _(_Plain):
    def __init__(self, latent_dim, lr):
        super().__init__(latent_dim, lr)
        self.generator = torch.nn.Linear(latent_dim, 2)


@right("12.5")
class _(_Plain):
    """Gradients asked for by name, none is left anywhere."""

    def discriminator_step(self, x_real, z):
        with torch.no_grad():
            x_fake = self.generator(z)
        self._go(self.discriminator, self.of_discriminator, self.discriminator_loss(x_real, x_fake))

    def generator_step(self, z):
        self._go(self.generator, self.of_generator, self.generator_loss(self.discriminator(self.generator(z))))

    def _go(self, player, optimizer, loss):
        weights = list(player.parameters())
        for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = slope
        optimizer.step()


@right("12.5")
class _(_Plain):
    """The discriminator is frozen while the generator moves, and both steps return their loss."""

    def discriminator_step(self, x_real, z):
        super().discriminator_step(x_real, z)
        return self.discriminator_loss(x_real, self.generator(z))

    def generator_step(self, z):
        self.discriminator.requires_grad_(False)
        super().generator_step(z)
        self.discriminator.requires_grad_(True)


@right("12.5")
class _(_Plain):
    """Everything is cleared before each step, and the step is written out."""

    def discriminator_step(self, x_real, z):
        self.zero_grad()
        self.discriminator_loss(x_real, self.generator(z).detach()).backward()
        self.of_discriminator.step()

    def generator_step(self, z):
        self.zero_grad()
        self.generator_loss(self.discriminator(self.generator(z))).backward()
        lr = self.of_generator.param_groups[0]["lr"]
        with torch.no_grad():
            for weight in self.generator.parameters():
                weight -= lr * weight.grad


def _terms(logits_real, logits_fake):
    return softplus(-logits_real), softplus(logits_fake)


def _error(a, b):
    return 0.5 * (a.var() / len(a) + b.var() / len(b)).sqrt()


def _both(bound=None, error=None):
    """An answer whose bound, or error, is made by the function given of the terms of real points and of fakes."""

    def answer(logits_real, logits_fake):
        a, b = _terms(logits_real, logits_fake)
        stated = math.log(2) - 0.5 * (a.mean() + b.mean()) if bound is None else bound(a, b)
        return stated, _error(a, b) if error is None else error(a, b)

    return answer


wrong("T12", "loss")(_both(lambda a, b: a.mean() + b.mean()))
wrong("T12", "no-half")(_both(lambda a, b: math.log(2) - a.mean() - b.mean()))
wrong("T12", "doubled")(_both(lambda a, b: 2 * math.log(2) - a.mean() - b.mean()))
wrong("T12", "wrong-sign")(_both(lambda a, b: 0.5 * (a.mean() + b.mean()) - math.log(2)))
wrong("T12", "pooled")(_both(lambda a, b: math.log(2) - torch.cat([a, b]).mean()))
wrong("T12", "no-half")(_both(error=lambda a, b: 2 * _error(a, b)))
wrong("T12", "no-root")(_both(error=lambda a, b: _error(a, b) ** 2))
wrong("T12", "spread")(_both(error=lambda a, b: 0.5 * (a.var() + b.var()).sqrt()))
wrong("T12", "added")(_both(error=lambda a, b: 0.5 * (a.std() / len(a) ** 0.5 + b.std() / len(b) ** 0.5)))
wrong("T12", "pooled")(_both(error=lambda a, b: torch.cat([a, b]).std() / (len(a) + len(b)) ** 0.5))
wrong("T12", "real-only")(_both(error=lambda a, b: 0.5 * a.std() / len(a) ** 0.5))
wrong("T12", "population")(
    _both(error=lambda a, b: 0.5 * (a.var(correction=0) / len(a) + b.var(correction=0) / len(b)).sqrt())
)


@wrong("T12", "wrong-number")
def _(logits_real, logits_fake):
    a, b = _terms(logits_real, logits_fake)
    return math.log(2) - 0.5 * (a.mean() + b.mean())


@wrong("T12", "swapped")
def _(logits_real, logits_fake):
    a, b = _terms(-logits_real, -logits_fake)
    return math.log(2) - 0.5 * (a.mean() + b.mean()), _error(*_terms(logits_real, logits_fake))


@wrong("T12", "overflow")
def _(logits_real, logits_fake):
    a, b = -logits_real.sigmoid().log(), -(1 - logits_fake.sigmoid()).log()
    return math.log(2) - 0.5 * (a.mean() + b.mean()), _error(a, b)


@right("T12")
def _(logits_real, logits_fake):
    a, b = (np.logaddexp(0, one.double().numpy()) for one in (-logits_real, logits_fake))
    error = np.sqrt(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size)
    return [np.log(2) - (a.mean() + b.mean()) / 2, error / 2]


@right("T12")
def _(logits_real, logits_fake):
    a, b = functional.logsigmoid(logits_real.double()), functional.logsigmoid(-logits_fake.double())
    error = ((a / 2).std() / len(a) ** 0.5, (b / 2).std() / len(b) ** 0.5)
    return math.log(2) + (a.mean() + b.mean()) / 2, math.hypot(*error)


@right("T12")
def _(logits_real, logits_fake):
    entropy = functional.binary_cross_entropy_with_logits
    a = entropy(logits_real, torch.ones_like(logits_real), reduction="none")
    b = entropy(logits_fake, torch.zeros_like(logits_fake), reduction="none")
    return torch.tensor([math.log(2) - 0.5 * (a.mean() + b.mean()), _error(a, b)])

"""Known wrong answers and right but different ones for lesson 13."""

import numpy as np
import torch
from torch import distributions
from torch.nn import functional
from torch.nn.functional import softplus

from course_utils import losses
from course_utils.exercises.lesson13 import Players
from tests.answers import right, wrong


@wrong("13.1", "only-one-scale")
def _(x, low, high, to_low, to_high):
    return 2 * x - 1


@wrong("13.1", "own-range")
def _(x, low, high, to_low, to_high):
    return to_low + (to_high - to_low) * (x - x.min()) / (x.max() - x.min())


@wrong("13.1", "own-range")
def _(x, low, high, to_low, to_high):
    flat = x.flatten(1)
    least, most = (end.view(-1, 1, 1, 1) for end in (flat.min(1).values, flat.max(1).values))
    return to_low + (to_high - to_low) * (x - least) / (most - least)


@wrong("13.1", "unchanged")
def _(x, low, high, to_low, to_high):
    return x


@wrong("13.1", "share-only")
def _(x, low, high, to_low, to_high):
    return (x - low) / (high - low)


@wrong("13.1", "no-start")
def _(x, low, high, to_low, to_high):
    return (to_high - to_low) * (x - low) / (high - low)


@wrong("13.1", "no-shift")
def _(x, low, high, to_low, to_high):
    return x / (high - low) * (to_high - to_low) + to_low


@wrong("13.1", "turned")
def _(x, low, high, to_low, to_high):
    return to_high - (to_high - to_low) * (x - low) / (high - low)


@wrong("13.1", "high-as-width")
def _(x, low, high, to_low, to_high):
    return to_low + to_high * (x - low) / (high - low)


@wrong("13.1", "over-high")
def _(x, low, high, to_low, to_high):
    return to_low + (to_high - to_low) * x / high


@wrong("13.1", "clamped")
def _(x, low, high, to_low, to_high):
    return np.interp(x.double().numpy(), [low, high], [to_low, to_high])


@wrong("13.1", "standardized")
def _(x, low, high, to_low, to_high):
    return (x - x.mean()) / x.std()


@right("13.1")
def _(x, low, high, to_low, to_high):
    return torch.lerp(torch.tensor(float(to_low)), torch.tensor(float(to_high)), (x - low) / (high - low))


@right("13.1")
def _(x, low, high, to_low, to_high):
    return np.polyval(np.polyfit([low, high], [to_low, to_high], 1), x.double().numpy())


@right("13.1")
def _(x, low, high, to_low, to_high):
    x = x.double()
    return (to_low * (high - x) + to_high * (x - low)) / (high - low)


@wrong("13.2", "not-smoothed")
def _(logits_real, logits_fake, smoothing):
    return losses.discriminator_loss(logits_real, logits_fake)


@wrong("13.2", "only-weighted")
def _(logits_real, logits_fake, smoothing):
    return (1 - smoothing) * softplus(-logits_real) + softplus(logits_fake)


@wrong("13.2", "two-sided")
def _(logits_real, logits_fake, smoothing):
    entropy = functional.binary_cross_entropy_with_logits
    ones = torch.ones_like(logits_real)
    real = entropy(logits_real, ones * (1 - smoothing), reduction="none")
    return real + entropy(logits_fake, ones * smoothing, reduction="none")


@wrong("13.2", "fakes-smoothed")
def _(logits_real, logits_fake, smoothing):
    return losses.smoothed_loss(-logits_fake, -logits_real, smoothing)


@wrong("13.2", "wrong-label")
def _(logits_real, logits_fake, smoothing):
    return losses.smoothed_loss(logits_real, logits_fake, 1 - smoothing)


@wrong("13.2", "added")
def _(logits_real, logits_fake, smoothing):
    return softplus(-logits_real) + smoothing * softplus(logits_real) + softplus(logits_fake)


@wrong("13.2", "one-number")
def _(logits_real, logits_fake, smoothing):
    return losses.smoothed_loss(logits_real, logits_fake, smoothing).mean()


@wrong("13.2", "wrong-sign")
def _(logits_real, logits_fake, smoothing):
    return -losses.smoothed_loss(logits_real, logits_fake, smoothing)


@wrong("13.2", "logits-smoothed")
def _(logits_real, logits_fake, smoothing):
    return losses.discriminator_loss((1 - smoothing) * logits_real, logits_fake)


@wrong("13.2", "logits-as-probabilities")
def _(logits_real, logits_fake, smoothing):
    entropy = functional.binary_cross_entropy
    return entropy(logits_real, torch.ones_like(logits_real) - smoothing, reduction="none")


@wrong("13.2", "overflow")
def _(logits_real, logits_fake, smoothing):
    d_real, d_fake = logits_real.sigmoid(), logits_fake.sigmoid()
    return -(1 - smoothing) * d_real.log() - smoothing * (1 - d_real).log() - (1 - d_fake).log()


@right("13.2")
def _(logits_real, logits_fake, smoothing):
    real, fake = logits_real.double(), logits_fake.double()
    return (1 - smoothing) * softplus(-real) + smoothing * softplus(real) + softplus(fake)


@right("13.2")
def _(logits_real, logits_fake, smoothing):
    entropy = functional.binary_cross_entropy_with_logits
    real = entropy(logits_real, torch.full_like(logits_real, 1 - smoothing), reduction="none")
    return real + entropy(logits_fake, torch.zeros_like(logits_fake), reduction="none")


@right("13.2")
def _(logits_real, logits_fake, smoothing):
    real, fake = (one.double().numpy() for one in (logits_real, logits_fake))
    return np.logaddexp(0, -real) + smoothing * real + np.logaddexp(0, fake)


@right("13.2")
def _(logits_real, logits_fake, smoothing):
    said_real, said_fake = (distributions.Bernoulli(logits=one) for one in (logits_real, logits_fake))
    one, zero = torch.ones_like(logits_real), torch.zeros_like(logits_real)
    real = (1 - smoothing) * said_real.log_prob(one) + smoothing * said_real.log_prob(zero)
    return -real - said_fake.log_prob(zero)


def _two(one=None, two=None):
    """An answer of which a part is made by the function given, of p, q and the smoothing."""

    def answer(p, q, s):
        first = (1 - s) * p / (p + q) if one is None else one(p, q, s)
        second = ((1 - s) * p + s * q) / (p + q) if two is None else two(p, q, s)
        return first, second

    return answer


wrong("13.3", "not-smoothed")(_two(one=lambda p, q, s: p / (p + q)))
wrong("13.3", "weights-in-both")(_two(one=lambda p, q, s: (1 - s) * p / ((1 - s) * p + q)))
wrong("13.3", "weights-in-both")(_two(two=lambda p, q, s: (1 - s) * p / ((1 - s) * p + s * q)))
wrong("13.3", "other-side")(_two(two=lambda p, q, s: (1 - s) * p / (p + q)))
wrong("13.3", "other-side")(_two(one=lambda p, q, s: ((1 - s) * p + s * q) / (p + q)))
wrong("13.3", "fakes-only")(_two(two=lambda p, q, s: (p + s * q) / (p + q)))
wrong("13.3", "fakes-only")(_two(two=lambda p, q, s: (1 - s) * p / (p + q) + s))
wrong("13.3", "shifted")(_two(one=lambda p, q, s: p / (p + q) - s))
wrong("13.3", "of-fakes")(_two(one=lambda p, q, s: (1 - s) * q / (p + q)))
wrong("13.3", "logit")(_two(one=lambda p, q, s: torch.logit((1 - s) * p / (p + q))))


@wrong("13.3", "swapped")
def _(p, q, s):
    return ((1 - s) * p + s * q) / (p + q), (1 - s) * p / (p + q)


@wrong("13.3", "wrong-number")
def _(p, q, s):
    return (1 - s) * p / (p + q)


@right("13.3")
def _(p, q, s):
    best = (p.double().log() - q.double().log()).sigmoid()
    return (1 - s) * best, (1 - s) * best + s * (1 - best)


@right("13.3")
def _(p, q, s):
    p, q = p.numpy(), q.numpy()
    return [(p - s * p) / (p + q), s + (1 - 2 * s) * p / (p + q)]


@right("13.3")
def _(p, q, s):
    # The label of a point drawn at random from all that lie at a place: its mean.
    labels = torch.tensor([[1 - s, 0.0], [1 - s, s]])
    return [(torch.stack([p, q], 1) / (p + q)[:, None]) @ row for row in labels]


class _Plain(Players):
    """Right; the answers below change one thing."""

    def smoothed(self, x_real, x_fake, smoothing):
        return losses.smoothed_loss(self.discriminator(x_real), self.discriminator(x_fake), smoothing).mean()

    def lossy(self, z):
        return softplus(-self.discriminator(self.generator(z))).mean()


@wrong("13.4", "gradient-in-generator")
class _(_Plain):
    def discriminator_step(self, x_real, z, smoothing):
        self.of_discriminator.zero_grad()
        self.smoothed(x_real, self.generator(z), smoothing).backward()
        self.of_discriminator.step()


@wrong("13.4", "gradient-in-discriminator")
class _(_Plain):
    def generator_step(self, z):
        self.of_generator.zero_grad()
        self.lossy(z).backward()
        self.of_generator.step()


@wrong("13.4", "gradient-in-discriminator")
class _(_Plain):
    """Frozen too late: the graph holds the weights already."""

    def generator_step(self, z):
        self.of_generator.zero_grad()
        loss = self.lossy(z)
        loss.backward()
        self.discriminator.requires_grad_(False)
        self.of_generator.step()
        self.discriminator.requires_grad_(True)


@wrong("13.4", "still-frozen")
class _(_Plain):
    def generator_step(self, z):
        self.discriminator.requires_grad_(False)
        self.of_generator.zero_grad()
        self.lossy(z).backward()
        self.of_generator.step()


@wrong("13.4", "generator-moved")
class _(_Plain):
    def __init__(self, latent_dim, lr):
        super().__init__(latent_dim, lr)
        self.of_discriminator = torch.optim.SGD(self.parameters(), lr)

    def discriminator_step(self, x_real, z, smoothing):
        self.of_discriminator.zero_grad()
        self.smoothed(x_real, self.generator(z), smoothing).backward()
        self.of_discriminator.step()


@wrong("13.4", "discriminator-moved")
class _(_Plain):
    def generator_step(self, z):
        self.of_generator.zero_grad()
        self.lossy(z).backward()
        self.of_generator.step()
        self.of_discriminator.step()


@wrong("13.4", "no-gradient")
class _(_Plain):
    def generator_step(self, z):
        with torch.no_grad():
            logits_fake = self.discriminator(self.generator(z))
        softplus(-logits_fake).mean().backward()
        self.of_generator.step()


@wrong("13.4", "generator-still")
class _(_Plain):
    def generator_step(self, z):
        self.of_generator.zero_grad()
        softplus(-self.discriminator(self.generator(z).detach())).mean().backward()
        self.of_generator.step()


@wrong("13.4", "discriminator-still")
class _(_Plain):
    def discriminator_step(self, x_real, z, smoothing):
        self.smoothed(x_real, self.generator(z).detach(), smoothing).backward()


@wrong("13.4", "not-smoothed")
class _(_Plain):
    def smoothed(self, x_real, x_fake, smoothing):
        return losses.discriminator_loss(self.discriminator(x_real), self.discriminator(x_fake)).mean()

    def discriminator_step(self, x_real, z, smoothing):
        self.of_discriminator.zero_grad()
        self.smoothed(x_real, self.generator(z).detach(), smoothing).backward()
        self.of_discriminator.step()


@wrong("13.4", "summed")
class _(_Plain):
    def generator_step(self, z):
        self.of_generator.zero_grad()
        softplus(-self.discriminator(self.generator(z))).sum().backward()
        self.of_generator.step()


@wrong("13.4", "minimax")
class _(_Plain):
    def generator_step(self, z):
        self.of_generator.zero_grad()
        (-softplus(self.discriminator(self.generator(z)))).mean().backward()
        self.of_generator.step()


@wrong("13.4", "wrong-way")
class _(_Plain):
    def generator_step(self, z):
        self.of_generator.zero_grad()
        softplus(self.discriminator(self.generator(z))).mean().backward()
        self.of_generator.step()


@wrong("13.4", "swapped")
class _(_Plain):
    def discriminator_step(self, x_real, z, smoothing):
        self.of_discriminator.zero_grad()
        self.smoothed(self.generator(z).detach(), x_real, smoothing).backward()
        self.of_discriminator.step()


@wrong("13.4", "eval-mode")
class _(_Plain):
    def discriminator_step(self, x_real, z, smoothing):
        x_fake = self.generator.eval()(z).detach()
        self.of_discriminator.zero_grad()
        self.smoothed(x_real, x_fake, smoothing).backward()
        self.of_discriminator.step()
        self.generator.train()


@wrong("13.4", "eval-mode")
class _(_Plain):
    def generator_step(self, z):
        self.generator.eval()
        super().generator_step(z)


@wrong("13.4", "discriminator-loss")
class _(_Plain):
    def generator_step(self, z):
        logits_fake = self.discriminator(self.generator(z))
        self.of_generator.zero_grad()
        losses.discriminator_loss(logits_fake, logits_fake).mean().backward()
        self.of_generator.step()


@wrong("13.4", "accumulated")
class _(_Plain):
    def discriminator_step(self, x_real, z, smoothing):
        self.smoothed(x_real, self.generator(z).detach(), smoothing).backward()
        self.of_discriminator.step()


@wrong("13.4", "players-changed")
class _(_Plain):
    def __init__(self, latent_dim, lr):
        super().__init__(latent_dim, lr)
        self.generator = torch.nn.Linear(latent_dim, 16)


@right("13.4")
class _(_Plain):
    """Gradients asked for by name, none is left where it should not be."""

    def discriminator_step(self, x_real, z, smoothing):
        with torch.no_grad():
            x_fake = self.generator(z)
        self._go(self.discriminator, self.of_discriminator, self.smoothed(x_real, x_fake, smoothing))

    def generator_step(self, z):
        self._go(self.generator, self.of_generator, self.lossy(z))

    def _go(self, player, optimizer, loss):
        weights = list(player.parameters())
        for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = slope
        optimizer.step()


@right("13.4")
class _(_Plain):
    """What the generator's step leaves in the discriminator is cleared at once."""

    def generator_step(self, z):
        self.zero_grad()
        self.lossy(z).backward()
        self.of_generator.step()
        self.of_discriminator.zero_grad()


@right("13.4")
class _(_Plain):
    """backward is told where the gradients go, and the steps are written out."""

    def discriminator_step(self, x_real, z, smoothing):
        self.zero_grad()
        self.smoothed(x_real, self.generator(z).detach(), smoothing).backward()
        self._down(self.discriminator, self.of_discriminator)
        self.zero_grad()
        return [self.smoothed(x_real, self.generator(z), smoothing)]

    def generator_step(self, z):
        self.generator.zero_grad()
        self.lossy(z).backward(inputs=list(self.generator.parameters()))
        self._down(self.generator, self.of_generator)

    def _down(self, player, optimizer):
        with torch.no_grad():
            for weight in player.parameters():
                weight -= optimizer.param_groups[0]["lr"] * weight.grad


@right("13.4")
class _(_Plain):
    """Real pictures and fakes in one batch, the generator frozen instead of detached."""

    def discriminator_step(self, x_real, z, smoothing):
        self.of_discriminator.zero_grad()
        self.generator.requires_grad_(False)
        logits = self.discriminator(torch.cat([x_real, self.generator(z)]))
        self.generator.requires_grad_(True)
        losses.smoothed_loss(*logits.chunk(2), smoothing).mean().backward()
        self.of_discriminator.step()


def _kinds(late):
    return torch.where(late > 0.8, 2, torch.where(late < 0.05, 0, 1))


def _since(gap):
    found = []
    for row in (gap > 0.8).tolist():
        t = len(row)
        while t > 0 and row[t - 1]:
            t -= 1
        found.append(t + 1 if t < len(row) else 0)
    return torch.tensor(found)


def _verdict(kinds=None, since=None):
    """An answer whose verdicts, or epochs, are made by the function given of d_real, d_fake and last."""

    def answer(d_real, d_fake, last):
        gap = d_real - d_fake
        first = _kinds(gap[:, -last:].mean(1)) if kinds is None else kinds(d_real, d_fake, last)
        return first, _since(gap) if since is None else since(gap)

    return answer


wrong("T13", "turned")(_verdict(lambda d_real, d_fake, last: 2 - _kinds((d_real - d_fake)[:, -last:].mean(1))))
wrong("T13", "whole-run")(_verdict(lambda d_real, d_fake, last: _kinds((d_real - d_fake).mean(1))))
wrong("T13", "last-epoch")(_verdict(lambda d_real, d_fake, last: _kinds((d_real - d_fake)[:, -1])))
wrong("T13", "first-epochs")(_verdict(lambda d_real, d_fake, last: _kinds((d_real - d_fake)[:, :last].mean(1))))
wrong("T13", "real-only")(_verdict(lambda d_real, d_fake, last: _kinds(d_real[:, -last:].mean(1))))
wrong("T13", "size-of-gap")(_verdict(lambda d_real, d_fake, last: _kinds((d_real - d_fake)[:, -last:].mean(1).abs())))
wrong("T13", "never-blind")(
    _verdict(lambda d_real, d_fake, last: 1 + ((d_real - d_fake)[:, -last:].mean(1) > 0.8).int())
)
wrong("T13", "first-above")(
    _verdict(since=lambda gap: torch.where((gap > 0.8).any(1), (gap > 0.8).int().argmax(1) + 1, 0))
)
wrong("T13", "from-zero")(_verdict(since=lambda gap: _since(gap) - 1))
wrong("T13", "from-zero")(_verdict(since=lambda gap: (_since(gap) - 1).clamp(min=0)))
wrong("T13", "counted")(_verdict(since=lambda gap: (gap > 0.8).sum(1)))
wrong("T13", "wrong-number")(lambda d_real, d_fake, last: _kinds((d_real - d_fake)[:, -last:].mean(1)).tolist()[:3])


@right("T13")
def _(d_real, d_fake, last):
    gap = (d_real - d_fake).numpy()
    late = gap[:, -last:].mean(axis=1)
    kinds = np.select([late > 0.8, late < 0.05], [2, 0], 1)
    below = [np.flatnonzero(row <= 0.8) for row in gap]
    since = [int(where[-1]) + 2 if where.size else 1 for where in below]
    return kinds, [epoch if epoch <= gap.shape[1] else 0 for epoch in since]


@right("T13")
def _(d_real, d_fake, last):
    kinds, since = [], []
    for real, fake in zip(d_real.tolist(), d_fake.tolist(), strict=True):
        late = sum(a - b for a, b in zip(real[-last:], fake[-last:], strict=True)) / last
        kinds.append(2 if late > 0.8 else 0 if late < 0.05 else 1)
        epoch = 0
        for t, (a, b) in enumerate(zip(real, fake, strict=True), 1):
            epoch = 0 if a - b <= 0.8 else epoch or t
        since.append(epoch)
    return kinds, since


@right("T13")
def _(d_real, d_fake, last):
    gap = d_real.double() - d_fake.double()
    return torch.stack([_kinds(gap[:, -last:].mean(1)), _since(gap)])

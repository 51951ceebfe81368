"""The exercises of lesson 16, and its task as the lesson knows it."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils import losses, metrics
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Judge, Mistake, exercise, expect, failing, number, same, task, tensor


def guess_errors(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean half squared error of the mean of S pictures (S, D), and of one of them drawn at random, as a guess."""
    of_mean = 0.5 * (x - x.mean(0)).square().sum(1).mean()
    of_draw = 0.5 * (x[:, None] - x).square().sum(2).mean()
    return of_mean, of_draw


@exercise("16.1", "What a sharp guess costs", {"mean": 1, "sharp": 2}, guess_errors)
def _(answer: Answer, judge: Judge) -> None:
    S, D = judge.integer(4, 6), judge.integer(7, 9)
    x = judge.normal(S, D) + 2 * judge.normal(D)
    x[0] = x[0] + 3  # one lies apart, so that the mean and the median differ, and neighbors in the list
    of_mean, of_draw = guess_errors(x.double())
    got = answer(x)
    words = "two numbers are expected: the error of the mean picture, then that of a picture drawn at random"
    expect(got is not None, "nothing", "nothing came back: is there a line that begins with return?")
    two = got.tolist() if isinstance(got, Tensor) else got
    expect(isinstance(two, list) and len(two) == 2, "two-numbers", words)
    expect(all(not isinstance(one, Tensor) or one.numel() == 1 for one in two), "two-numbers", words)
    mean, draw = (torch.tensor(number(one), dtype=torch.float64) for one in two)
    each = (x.double() - x.double().mean(0)).square().sum(1)
    middle = 0.5 * (x.double() - x.double().median(0).values).square().sum(1).mean()
    gray = 0.5 * (x.double() - x.double().mean()).square().sum(1).mean()
    turned = torch.allclose(mean, of_draw, rtol=1e-3) and torch.allclose(draw, of_mean, rtol=1e-3)
    expect(not turned, "swapped", "the two are swapped: the error of the mean picture comes first")
    with judge.part("mean"):
        wrong = [
            ("not-halved", 2 * of_mean, "this is twice too large: the course's squared error is half the squared distance"),
            ("pixel-mean", of_mean / D, "this is a mean over the pixels: sum over them, and take the mean over the pictures"),
            ("pixel-mean", 2 * of_mean / D, "this is a mean over the pixels: sum over them, and take the mean over the pictures"),
            ("picture-sum", of_mean * S, "this is a sum over the pictures: each is the truth with probability 1 / S"),
            ("one-less", of_mean * S / (S - 1), "divided by S - 1: the mean over S equally likely pictures divides by S"),
            ("one-gray", gray, "this is the error of one gray for all pixels: the mean picture is x.mean(0)"),
            ("median", middle, "the median was taken as the guess: the mean picture is asked"),
            ("root", (2 * of_mean).sqrt(), "this is a distance: the error is half its square"),
            ("root", each.sqrt().mean(), "these are distances: the error is half their square"),
        ]  # fmt: skip
        same(mean, of_mean, "the error of the mean picture is off", wrong, rtol=1e-3)
    if judge.mistakes:
        return
    with judge.part("sharp"):
        again = [answer(x) for _ in range(6)]  # a single draw may by chance cost what is expected of it
        others = torch.tensor([number(two[1]) for two in again], dtype=torch.float64)
        words = "this differs from call to call: one draw is not what is expected of it. Average over all S^2 pairs"
        expect(torch.allclose(others, draw.expand(6), rtol=1e-6), "one-draw", words)
        neighbors = 0.5 * (x - x.roll(1, 0)).double().square().sum(1).mean()
        first = 0.5 * (x - x[0]).double().square().sum(1).mean()
        nearest = torch.cdist(x, x).fill_diagonal_(torch.inf).amin(1).double()
        wrong = [
            ("not-itself", of_draw * S / (S - 1), "guess and truth are drawn apart: now and then they are the same picture, with error 0"),
            ("not-halved", 2 * of_draw, "this is twice too large: the course's squared error is half the squared distance"),
            ("pixel-mean", of_draw / D, "this is a mean over the pixels: sum over them, and take the mean over all pairs"),
            ("picture-sum", of_draw * S, "this is summed over the guesses: take the mean over all pairs of a guess and a truth"),
            ("picture-sum", of_draw * S * S, "this is summed over the pairs: take the mean over them"),
            ("one-pair", neighbors, "each picture was compared with its neighbor in the list alone: every pair of guess and truth is possible"),
            ("one-pair", first, "the first picture was the guess each time: each of them is drawn with probability 1 / S"),
            ("mean-again", of_mean, "this is the error of the mean picture again"),
            ("best-guess", (0.5 * nearest.square()).mean(), "the nearest other picture was the guess: the guess knows nothing of the truth"),
            ("best-guess", torch.zeros(()), "the truth itself was the guess: the guess knows nothing of the truth"),
        ]  # fmt: skip
        same(draw, of_draw, "the error of a picture drawn at random is off", wrong, rtol=1e-3)


def _rings(N: int) -> Tensor:
    waves = torch.fft.fftfreq(N, 1 / N)
    return torch.hypot(waves[:, None], waves)


def _by_ring(energy: Tensor, ring: Tensor) -> Tensor:
    energy, ring = energy.flatten(1), ring.long().flatten()
    return energy.new_zeros(len(energy), int(ring.max()) + 1).index_add(1, ring, energy)


@exercise("16.2", "Energy by waves", {"one wave": 2, "total": 1, "any picture": 1}, metrics.ring_energy)
def _(answer: Answer, judge: Judge) -> None:
    B, N = judge.integer(2, 3), 2 * judge.integer(6, 8)
    ky, kx = 2, 3  # length 3.6: nearest to 4, with a part in each direction
    place = torch.arange(N) * 2 * math.pi / N
    wave = (ky * place[:, None] + kx * place + judge.uniform(1)).cos()
    size = 1 + judge.uniform(B)
    for part, x in (
        ("one wave", 0.5 + size[:, None, None, None] * wave),
        ("total", judge.normal(B, 1, N, N) + 0.5),
        ("any picture", judge.normal(B, 1, N + 1, N + 1) + 0.5),
    ):
        with judge.part(part):
            _judge_rings(answer, x, part)
        if judge.mistakes:
            return


def _judge_rings(answer: Answer, x: Tensor, part: str) -> None:
    N = x.shape[-1]
    with failing(
        ("index", "frequency-as-index", "a ring number points outside: count waves with fftfreq(N, 1 / N), round their length"),
    ):  # fmt: skip
        got = tensor(answer(x))
    want = metrics.ring_energy(x.double())
    plain = torch.fft.fft2(x.double()[:, 0])
    energy = plain.abs().square() / N**2
    length, count = _rings(N), torch.arange(N).float()
    axis = torch.fft.fftfreq(N, 1 / N)
    of = lambda ring: _by_ring(energy, ring)  # noqa: E731
    half = torch.fft.rfft2(x.double()[:, 0]).abs().square() / N**2
    ring = length.round().long().flatten()
    sizes = torch.bincount(ring)
    last = torch.zeros_like(sizes).scatter_reduce(0, ring, torch.arange(N * N), "amax")
    wrong = [
        ("not-normalized", want * N**2, "all is N^2 times too large: the rings have to add up to the sum of x^2 (norm=\"ortho\")"),
        ("not-normalized", want / N**2, "all is too small: the rings have to add up to the sum of x^2 (norm=\"ortho\")"),
        ("not-squared", _by_ring(plain.abs() / N, length.round()), "this adds up amplitudes: energy is the squared size"),
        ("no-imaginary", _by_ring(plain.real.square() / N**2, length.round()), "the real part alone was squared: a shifted wave would lose energy. Take .abs()"),
        ("rounded-down", of(length.floor()), "the length was rounded down: ring r holds the lengths nearest to r"),
        ("square-rings", of(torch.maximum(axis[:, None].abs(), axis.abs())), "the larger of |ky| and |kx| was taken: the length is the root of ky^2 + kx^2"),
        ("square-rings", of(axis[:, None].abs() + axis.abs()), "|ky| + |kx| was taken: the length is the root of ky^2 + kx^2"),
        ("no-negative", of(torch.hypot(count[:, None], count).round()), "waves were counted from 0 to N - 1: past the middle they run backwards, -1 follows on the left of 0"),
        ("half-plane", _by_ring(half, torch.hypot(axis[:, None], torch.arange(half.shape[-1]).float()).round()), "half of the waves are missing: rfft2 keeps one of each pair (k, -k)"),
        ("ring-mean", want / sizes, "this is a mean over each ring: add up"),
        ("unshifted-rings", _by_ring(torch.fft.fftshift(energy, (1, 2)), length.round()), "the picture of waves was shifted to the middle, the ring numbers were not"),
        ("unshifted-rings", of(torch.fft.fftshift(length).round()), "the ring numbers were shifted to the middle, the picture of waves was not"),
        ("no-mean", torch.cat([torch.zeros(len(x), 1), want[:, 1:]], 1), "ring 0 is empty: the mean of the picture belongs there"),
        ("no-mean", want[:, 1:], "ring 0 is missing: the mean of the picture belongs there"),
        ("batch-summed", want.sum(0), "the pictures were added up: one row for each"),
        ("batch-summed", want.mean(0), "this is the mean over the pictures: one row for each"),
        ("shares", want / want.sum(1, keepdim=True), "these are shares: the energy itself is asked"),
        ("last-only", energy.flatten(1)[:, last], "+= with repeated indices keeps only the last of each ring: index_add adds them all"),
        ("cut", want[:, : N // 2 + 1], "the corners are missing: rings go on to the longest wave"),
        ("cut", want[:, : N // 2], "the corners are missing: rings go on to the longest wave"),
        ("one-ring", want.sum(1, keepdim=True), "all fell into one ring: fftfreq(N, 1 / N) counts waves, fftfreq(N) is 1 / N of it"),
    ]  # fmt: skip
    wrong.append(("one-ring", of((length / N).round()), wrong[-1][2]))
    words = {
        "one wave": "of a wave with (ky, kx) = (2, 3) on a gray of 0.5, a ring is off",
        "total": "a ring is off",
        "any picture": "with an odd number of pixels a ring is off",
    }[part]
    try:
        same(got, want, words, wrong, rtol=1e-3, atol=1e-4)
    except Mistake as mistake:
        if mistake.id == "wrong-shape":
            raise Mistake(mistake.id, f"{mistake}, for {len(x)} pictures with N = {N}") from None
        raise


@exercise("16.3", "Gradient energy", {"ramp": 1, "any picture": 2}, metrics.gradient_energy)
def _(answer: Answer, judge: Judge) -> None:
    B, H, W = judge.integer(2, 3), judge.integer(4, 5), judge.integer(6, 8)
    slope = 0.3 + judge.uniform(2, B, 1, 1, 1)
    ramp = slope[0] * torch.arange(H)[:, None] - slope[1] * torch.arange(W)
    # The last row and column stand out: what wraps around or leaves them out differs.
    busy = judge.normal(B, 1, H, W)
    busy[..., -1, :] += 2
    busy[..., -1] -= 2
    for part, x in (("ramp", ramp), ("any picture", busy)):
        right, below = x.double().diff(dim=3), x.double().diff(dim=2)
        across, down = (one.square().flatten(1).sum(1) for one in (right, below))
        want = across + down
        ends = (x - x.roll(1, 3)).double(), (x - x.roll(1, 2)).double()
        corner = right[..., :-1, :], below[..., :-1]
        middle = torch.gradient(x.double(), dim=(2, 3))
        wrong = [
            ("one-direction", across, "the differences downwards are missing"),
            ("one-direction", down, "the differences to the right are missing"),
            ("not-squared", right.abs().flatten(1).sum(1) + below.abs().flatten(1).sum(1), "the differences were not squared"),
            ("not-squared", right.flatten(1).sum(1) + below.flatten(1).sum(1), "the differences were not squared: up and down would cancel"),
            ("averaged", right.square().flatten(1).mean(1) + below.square().flatten(1).mean(1), "this is a mean over the pixels: add up"),
            ("averaged", want / (H * W), "this is a mean over the pixels: add up"),
            ("batch-summed", want.sum(), "the pictures were added up: one number for each"),
            ("batch-summed", want.mean(), "this is the mean over the pictures: one number for each"),
            ("wrapped", sum(one.square().flatten(1).sum(1) for one in ends), "the last column was compared with the first, or the last row with the first: they are no neighbors"),
            ("cropped", sum(one.square().flatten(1).sum(1) for one in corner), "the last row or the last column was cut off: sum the two directions apart, each over all its pairs"),
            ("lengths", (corner[0].square() + corner[1].square()).sqrt().flatten(1).sum(1), "these are lengths of gradients: their squares are asked, over all pairs"),
            ("central", sum(one.square().flatten(1).sum(1) for one in middle), "each difference reaches over two pixels, as torch.gradient and numpy.gradient have it: compare neighbors"),
            ("sum-squared", (corner[0] + corner[1]).square().flatten(1).sum(1), "the two differences were added before they were squared"),
            ("halved", want / 2, "this is half of it"),
            ("root", want.sqrt(), "this is its root"),
        ]  # fmt: skip
        with judge.part(part):
            with failing(("must match the size", "cropped-shapes", "H x (W - 1) pairs lie side by side and (H - 1) x W above each other: sum each kind first")):  # fmt: skip
                got = answer(x)
            words = "of a plane that rises evenly" if part == "ramp" else "of a picture"
            same(got, want, f"the gradient energy {words} is off", wrong, rtol=1e-4)
        if judge.mistakes:
            return


class CodeGame(nn.Module):
    """An adversarial autoencoder of 16 pixels: three parts, three losses, and the gradient that each part gets."""

    def __init__(self, latent_dim: int):
        super().__init__()
        self.encoder = nn.Linear(16, latent_dim)
        self.decoder = nn.Linear(latent_dim, 16)
        self.discriminator = nn.Sequential(nn.Linear(latent_dim, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))

    def three_losses(self, x: Tensor, z_real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        z = self.encoder(x)
        error = losses.squared_error(self.decoder(z), x)
        logits_real, logits_fake = self.discriminator(z_real), self.discriminator(z)
        fooled = losses.nonsaturating_loss(logits_fake)
        return error + fooled, error, losses.discriminator_loss(logits_real, logits_fake)

    def learn(self, x: Tensor, z_real: Tensor) -> None:
        parts = (self.encoder, self.decoder, self.discriminator)
        for part, loss in zip(parts, self.three_losses(x, z_real), strict=True):
            weights = list(part.parameters())
            gradients = torch.autograd.grad(loss.mean(), weights, retain_graph=True)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.grad = gradient


PARTS = ("encoder", "decoder", "discriminator")


@exercise("16.4", "A game for the codes", {"losses": 3, "gradients": 2}, CodeGame)
def _(answer: Answer, judge: Judge) -> None:
    Z, B = judge.integer(2, 3), judge.integer(5, 7)
    theirs = answer.new(Z)
    with torch.random.fork_rng(), torch.device("cpu"):
        mine = CodeGame(Z)
    with torch.no_grad():
        for p in mine.parameters():
            p.copy_(0.5 * judge.normal(*p.shape))
    shapes = [tuple(value.shape) for value in theirs.params().values()]
    words = "the three parts are not those of the stub: leave __init__ as it is"
    expect(shapes == [tuple(p.shape) for p in mine.parameters()], "parts-changed", words)
    theirs.set_params([p.detach() for p in mine.parameters()])
    x, z_real = judge.normal(B, 16), judge.normal(B, Z) + 0.5
    with judge.part("losses"):
        got = theirs.call("three_losses", x, z_real)
        expect(got is not None, "nothing", "nothing came back: is there a line that begins with return?")
        three = isinstance(got, list | Tensor) and len(got) == 3
        expect(three, "three-losses", "three losses are expected: of the encoder, the decoder and the discriminator")
        with torch.no_grad():
            z = mine.encoder(x)
            error = losses.squared_error(mine.decoder(z), x)
            real, fake = mine.discriminator(z_real), mine.discriminator(z)
            from_prior = losses.squared_error(mine.decoder(z_real), x)
        up, down = functional.softplus(-fake), functional.softplus(fake)
        found = losses.discriminator_loss(real, fake)
        turned = all(
            isinstance(loss, Tensor)
            and loss.shape == error.shape
            and torch.allclose(loss.cpu().double(), other.double(), rtol=1e-3)
            for loss, other in zip(got, (error, error + up), strict=False)
        )
        expect(not turned, "swapped", "the first two are swapped: the encoder's loss comes first, then the decoder's")
        one = "one number for the whole batch came back: one for each picture, the loop takes the mean"
        squashed = "the losses take logits: no sigmoid before them"
        game = {
            "encoder": [
                ("no-error", up, "the encoder plays the game and no more: it has to serve the reconstruction as well"),
                ("no-game", error, "the encoder does not play: its codes should be taken for draws of the prior"),
                ("helps-finding", error + down, "the encoder helps the discriminator: it wants its codes to be taken for real"),
                ("helps-finding", error + found, "the encoder got the discriminator's loss: they are opponents"),
                ("minimax", error - down, "this is the minimax form: -log D of the codes is asked, as in lesson 12"),
                ("minimax", error - found, "the discriminator's loss with a minus is the minimax form: -log D of the codes is asked"),
                ("sigmoid-first", error + functional.softplus(-fake.sigmoid()), squashed),
                ("prior-in-game", error + functional.softplus(-real), "the draws of the prior were judged: the encoder made the other codes"),
            ],
            "decoder": [
                ("decoder-plays", error + up, "the decoder got the game as well: no code passes through it before the discriminator"),
                ("decoder-plays", up, "the decoder does not play: its loss is the reconstruction error"),
                ("decodes-prior", from_prior, "the draws of the prior were decoded: x is compared with what its own code gives"),
            ],
            "discriminator": [
                ("prior-as-fake", losses.discriminator_loss(fake, real), "real and fake are swapped: the draws of the prior are real, the encoder's codes fake"),
                ("one-term", functional.softplus(-real), "the term of the encoder's codes is missing"),
                ("one-term", down, "the term of the prior's draws is missing"),
                ("wrong-sign", -found, "the sign is turned round: a loss is minus the logarithm"),
                ("sigmoid-first", losses.discriminator_loss(real.sigmoid(), fake.sigmoid()), squashed),
                ("error-for-discriminator", found + error, "the discriminator got the reconstruction error: it sees codes alone, and makes no picture"),
                ("halved", found / 2, "half of it came back: the terms of a pair are added"),
            ],
        }  # fmt: skip
        wants = {"encoder": error + up, "decoder": error, "discriminator": found}
        pixels = "the reconstruction error is summed over the pixels and halved, losses.squared_error"
        for mine_is, (name, want) in zip(got, wants.items(), strict=True):
            wrong = [
                ("one-number", want.mean(), one),
                ("one-number", want.sum(), one),
                ("pixel-mean", want - error + error / 8, pixels),
                ("pixel-mean", want - error + error / 16, pixels),
                ("pixel-mean", want + error, pixels),
                *game[name],
            ]
            wrong = [w for w in wrong if name != "discriminator" or w[0] != "pixel-mean"]
            same(mine_is, want, f"the loss of the {name} is off", wrong, rtol=1e-3)
    if judge.mistakes:
        return
    with judge.part("gradients"):
        cut = "the losses are right, but no gradient comes through: is something detached, or under no_grad?"
        with failing(("does not require grad", "detached", cut), ("not have been used in the graph", "detached", cut)):
            theirs.call("learn", x, z_real)
        mine.learn(x, z_real)
        for (name, grad), right in zip(theirs.grads().items(), mine.parameters(), strict=True):
            words = f"the losses are right, but the gradient of {name} is not: is a code or a part of a loss detached?"
            close = grad is not None and torch.allclose(grad.cpu().double(), right.grad.double(), rtol=1e-3, atol=1e-5)
            expect(close, "detached", words)


@task("T16", "The three losses of a VAE-GAN", points=5)
def _(answer: Answer, judge: Judge) -> None:
    zero, features = torch.zeros(1), torch.tensor([[1.0, 0.0]])
    # On numbers for which the three differ, and the two kinds of fakes: D is 1/2 for one and 1/4 for the other.
    fake = torch.tensor([-math.log(3)])
    got = answer(features, 0 * features, torch.tensor([[1.0]]), torch.zeros(1, 1), zero, zero, fake, 2.0)
    words = "three losses are expected: of the encoder, the decoder and the discriminator"
    expect(isinstance(got, list | Tensor) and len(got) == 3, "three-losses", words)
    for name, loss, want in zip(
        PARTS, got, (1.0, 1 + 1.5 * math.log(2), 2 * math.log(2) - 0.5 * math.log(1.5)), strict=True
    ):
        same(loss, torch.tensor([want]), f"in the example of the text the loss of the {name} is off", rtol=1e-3)

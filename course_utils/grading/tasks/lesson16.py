"""Reference and check of the task of lesson 16."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from course_utils import losses
from course_utils.exercises.answer import Answer
from course_utils.exercises.engine import Exercise, Judge, expect, same


def three_losses(
    features: Float[Tensor, "B F"],
    features_hat: Float[Tensor, "B F"],
    mu: Float[Tensor, "B Z"],
    logvar: Float[Tensor, "B Z"],
    logits_real: Float[Tensor, " B"],
    logits_hat: Float[Tensor, " B"],
    logits_fake: Float[Tensor, " B"],
    gamma: float,
) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"], Float[Tensor, " B"]]:
    """What encoder, decoder and discriminator of a VAE-GAN minimize; its fakes are half reconstructions, half samples.

    Larsen et al. (2016), arXiv:1512.09300, algorithm 1.
    """
    error = losses.squared_error(features_hat, features)
    fooled = losses.nonsaturating_loss(logits_hat) + losses.nonsaturating_loss(logits_fake)
    found = losses.discriminator_loss(logits_real, logits_hat) + losses.discriminator_loss(logits_real, logits_fake)
    return error + losses.gaussian_kl(mu, logvar), gamma * error + 0.5 * fooled, 0.5 * found


def _three_losses(answer: Answer, judge: Judge) -> None:
    B, F, Z = judge.integer(5, 6), judge.integer(8, 9), 3
    features, features_hat = judge.normal(B, F), judge.normal(B, F)
    mu, logvar = judge.normal(B, Z), 0.7 * judge.normal(B, Z) - 0.5
    real, hat, fake = judge.normal(B) + 1, judge.normal(B), judge.normal(B) - 1
    error, kl = losses.squared_error(features_hat, features), losses.gaussian_kl(mu, logvar)
    up_hat, up_fake, up_real = (functional.softplus(-one) for one in (hat, fake, real))
    down_hat, down_fake = functional.softplus(hat), functional.softplus(fake)
    fooled, rejected = 0.5 * (up_hat + up_fake), 0.5 * (down_hat + down_fake)
    batch = "one number for the whole batch came back: one for each picture"
    for gamma in (0.1, 3.0):
        wants = three_losses(features, features_hat, mu, logvar, real, hat, fake, gamma)
        known = {
            "encoder": [
                ("gamma-for-encoder", gamma * error + kl, "gamma belongs to the decoder's loss alone"),
                ("encoder-plays", error + kl + fooled, "the encoder got a part of the game: in this model it takes no part"),
                ("encoder-plays", error + kl + up_hat, "the encoder got a part of the game: in this model it takes no part"),
                ("no-kl", error, "the KL of the codes is missing"),
                ("no-error", kl, "the error in the features is missing"),
            ],
            "decoder": [
                ("kl-for-decoder", wants[1] + kl, "the KL does not depend on the decoder: leave it out of its loss"),
                ("gamma-on-game", error + gamma * fooled, "gamma weighs the error in the features, not the game"),
                ("no-gamma", error + fooled, "gamma is missing"),
                ("helps-finding", gamma * error + rejected, "the decoder helps the discriminator: it wants its pictures to be taken for real"),
                ("minimax", gamma * error - rejected, "this is the minimax form: -log D is asked"),
                ("fakes-added", gamma * error + 2 * fooled, "the two kinds of fakes count half each: their mean is asked"),
                ("mean-logit", gamma * error + functional.softplus(-0.5 * (hat + fake)), _LOGITS),
                ("one-kind", gamma * error + up_fake, "the reconstructions take no part in the game: they are half of the fakes"),
                ("one-kind", gamma * error + up_hat, "the samples take no part in the game: they are half of the fakes"),
                ("no-error", fooled, "the error in the features is missing"),
                ("no-game", gamma * error, "the decoder does not play: the game is missing"),
            ],
            "discriminator": [
                ("error-for-discriminator", wants[2] + error, "the discriminator got the error in its features: it could make it small by seeing nothing"),
                ("error-for-discriminator", wants[2] + gamma * error, "the discriminator got the error in its features: it could make it small by seeing nothing"),
                ("fakes-added", 2 * wants[2], "the two kinds of fakes count half each: their mean is asked"),
                ("fakes-added", up_real + 2 * rejected, "the two kinds of fakes count half each: their mean is asked"),
                ("mean-logit", up_real + functional.softplus(0.5 * (hat + fake)), _LOGITS),
                ("one-kind", up_real + down_fake, "the reconstructions are missing: they are half of the fakes"),
                ("one-kind", up_real + down_hat, "the samples are missing: they are half of the fakes"),
                ("real-halved", 0.5 * up_real + rejected, "the real pictures count half: they count as much as all fakes"),
                ("one-term", rejected, "the term of the real pictures is missing"),
                ("swapped", functional.softplus(real) + fooled, "real and fake are swapped"),
                ("wrong-sign", -wants[2], "the sign is turned round: a loss is minus the logarithm"),
            ],
        }  # fmt: skip
        got = answer(features, features_hat, mu, logvar, real, hat, fake, gamma)
        for place, (name, want) in enumerate(zip(known, wants, strict=True)):
            with judge.part(name):
                expect(isinstance(got, list | Tensor) and len(got) == 3, "three-losses", "three losses are expected")
                means = [
                    ("one-number", want.mean(), batch),
                    ("one-number", want.sum(), batch),
                    ("feature-mean", want - (1, gamma, 0)[place] * error * (1 - 2 / F), _SUMMED),
                    ("feature-mean", want - (1, gamma, 0)[place] * error * (1 - 1 / F), _SUMMED),
                    ("not-halved", want + (1, gamma, 0)[place] * error, _SUMMED),
                ]
                same(got[place], want, f"the loss of the {name} is off", known[name] + means, rtol=1e-3)


_LOGITS = "the two logits were averaged: average the two terms, -log D of each, or -log(1 - D)"
_SUMMED = "the error is half the squared distance of the features, summed over them"

TASK = Exercise(
    "T16",
    "The three losses of a VAE-GAN",
    {"encoder": 1, "decoder": 2, "discriminator": 2},
    three_losses,
    _three_losses,
)

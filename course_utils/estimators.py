"""Gradients of an average over random draws, from the draws alone or summed out; draws lead, as in "S B Z"."""

from jaxtyping import Float
from torch import Tensor


def score_function(
    values: Float[Tensor, "S B"], z: Float[Tensor, "S B Z"], mu: Float[Tensor, "B Z"], logvar: Float[Tensor, "B Z"]
) -> Float[Tensor, "S B Z"]:
    """One estimate for each draw z of N(mu, sigma^2) of the gradient by mu of the average of f; values are f(z).

    It takes no derivative of f. Williams (1992), doi:10.1007/BF00992696, there called REINFORCE.
    """
    return values[..., None] * (z - mu) / logvar.exp()


def leave_one_out(values: Float[Tensor, "S B"]) -> Float[Tensor, "S B"]:
    """Each value minus the mean of the other draws of its image, S of them, 2 or more: `score_function` stays unbiased.

    Kool, van Hoof & Welling (2019), "Buy 4 REINFORCE samples, get a baseline for free!".
    """
    S = len(values)
    return values - (values.sum(0) - values) / (S - 1)


def summed_out(logits: Float[Tensor, "B K"], values: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
    """The gradient by the logits of the average of `values` under softmax(logits), exact: no draw is needed."""
    p = logits.softmax(1)
    return p * (values - (p * values).sum(1, keepdim=True))

"""A small network that turns pictures of digits into a few numbers, by which sets of pictures are compared.

It is trained once, by data/digit_features.py, and ships with the course: numbers that were measured with different
feature networks cannot be compared.
"""

from jaxtyping import Float
from torch import Tensor, nn

from course_utils import data
from course_utils.models.convolutional import conv_encoder


class DigitFeatures(nn.Module):
    """Pictures in [0, 1] to `feature_dim` features: the last hidden layer of a convolutional classifier of digits.

    Each feature has mean 0 and variance 1 over the training pictures. The idea is that of Heusel et al. (2017),
    arXiv:1706.08500, whose features are those of an Inception network for photographs.
    """

    def __init__(self, feature_dim: int = 16, channels: int = 16):
        super().__init__()
        self.layers = nn.Sequential(*conv_encoder(feature_dim, channels), nn.BatchNorm1d(feature_dim, affine=False))
        self.label = nn.Sequential(nn.ReLU(), nn.Linear(feature_dim, 10))

    def forward(self, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B F"]:
        return self.layers(x)

    def logits(self, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B 10"]:
        """What the classifier was trained by: a logit for each label."""
        return self.label(self(x))


def digit_features() -> DigitFeatures:
    """The feature network as it ships: fixed weights, in evaluation mode, without gradients for the weights."""
    network = DigitFeatures()
    network.load_state_dict(data.weights("digit_features"))
    return network.eval().requires_grad_(False)

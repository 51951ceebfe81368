"""Handwritten digits that need no download, and any image set drawn as black and white."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course_utils.errors import choose

DIGITS_TRAIN = 8_000


@dataclass(frozen=True)
class Images:
    """Pictures in [0, 1] with their labels; original_* says which original image each picture was made from."""

    name: str
    x_train: Float[Tensor, "N 1 28 28"]
    y_train: Int[Tensor, "N"]
    original_train: Int[Tensor, "N"]
    x_test: Float[Tensor, "M 1 28 28"]
    y_test: Int[Tensor, "M"]
    original_test: Int[Tensor, "M"]

    def map(self, change: Callable[[Tensor], Tensor]) -> "Images":
        """The same data set with every tensor changed."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "name"}
        return replace(self, **{name: change(tensor) for name, tensor in tensors.items()})


def digits(seed: int = 0) -> Images:
    """Real handwritten digits: 8,000 training pictures of 1,437 originals, and 360 other originals for testing.

    The first 1,437 training pictures are the originals themselves, the others are slightly turned, moved, scaled and
    sheared. The seed decides the split and the augmentation. `original_*` counts from 0 to 1,796.
    """
    # Every call hands out copies: an edit in place would otherwise stay for the rest of the session.
    return _digits(seed).map(lambda tensor: tensor.to(torch.get_default_device(), copy=True))


def binarized(name: str = "digits", seed: int = 0) -> Images:
    """An image set in which each pixel was drawn once, 1 with probability x and 0 otherwise; fixed for the seed.

    The pictures are those of the data set's own default seed; `seed` decides the draws alone.
    """
    from course_utils.data import downloads  # here, because downloads stands on Images

    known = {"digits": digits, "mnist": downloads.mnist, "fashion": downloads.fashion, "kmnist": downloads.kmnist}
    make = known[choose(name, known, "image data set")]
    with torch.device("cpu"):
        gray = make()
        generator = torch.Generator().manual_seed(seed)
        x_train = (torch.rand(gray.x_train.shape, generator=generator) < gray.x_train).float()
        x_test = (torch.rand(gray.x_test.shape, generator=generator) < gray.x_test).float()
    drawn = replace(gray, name=f"binarized {name}", x_train=x_train, x_test=x_test)
    return drawn.map(lambda tensor: tensor.to(torch.get_default_device()))


def few_labels(images: Images, each: int, seed: int = 0) -> Bool[Tensor, " N"]:
    """Which training pictures keep their label, when `each` originals of every class keep theirs.

    An original shares its label with the pictures made from it. The seed decides the originals.
    """
    generator = torch.Generator(device="cpu").manual_seed(seed)
    chosen = []
    for label in images.y_train.unique():
        originals = images.original_train[images.y_train == label].unique()
        chosen.append(originals[torch.randperm(len(originals), generator=generator, device="cpu")[:each]])
    return torch.isin(images.original_train, torch.cat(chosen))


def from_drawing(drawing: Float[Tensor, "H W"]) -> Float[Tensor, "1 1 28 28"]:
    """A drawing in [0, 1] as the digits were made from people's: cut to its ink, reduced to 8×8, enlarged to 28×28.

    The ink becomes as high as the digits are, or as wide if it is wider than high.
    """
    ink = drawing > 0.2
    with torch.device("cpu"):
        small = torch.zeros(1, 1, 8, 8)
        if ink.any():
            rows, columns = ink.any(1).nonzero()[:, 0], ink.any(0).nonzero()[:, 0]
            cut = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].cpu()
            side = max(cut.shape)
            right, below = side - cut.shape[1], side - cut.shape[0]
            square = F.pad(cut, (right // 2, right - right // 2, below // 2, below - below // 2))
            small = F.interpolate(square[None, None], size=(8, 8), mode="area")
        x = _enlarge(small, _unchanged(1))
    return x.to(torch.get_default_device())


@lru_cache(maxsize=4)
def _digits(seed: int) -> Images:
    # The file that sklearn.datasets.load_digits reads, without the second that importing it takes.
    sklearn = Path(find_spec("sklearn").origin).parent
    table = np.loadtxt(sklearn / "datasets" / "data" / "digits.csv.gz", delimiter=",", dtype=np.int64)
    with torch.device("cpu"):
        small = torch.from_numpy(table[:, :64]).view(-1, 1, 8, 8) / 16
        y = torch.from_numpy(table[:, 64])
        generator = torch.Generator().manual_seed(seed)

        # Split first, so that no original has pictures on both sides. Every fifth original of a shuffled list that is
        # sorted by class goes to the test part: each class gives a fifth.
        shuffled = torch.randperm(len(y), generator=generator)
        by_class = shuffled[y[shuffled].argsort(stable=True)]
        test = by_class[::5].sort().values
        train = shuffled[~torch.isin(shuffled, test)]

        # Each original gives the same number of pictures, up to one.
        again = torch.randperm(DIGITS_TRAIN - len(train), generator=generator) % len(train)
        original = torch.cat([train, train[again]])
        theta = torch.cat([_unchanged(len(train)), _slightly_changed(len(again), generator)])
        return Images(
            name="digits",
            x_train=_enlarge(small[original], theta),
            y_train=y[original],
            original_train=original,
            x_test=_enlarge(small[test], _unchanged(len(test))),
            y_test=y[test],
            original_test=test,
        )


def _enlarge(small: Float[Tensor, "N 1 8 8"], theta: Float[Tensor, "N 2 3"]) -> Float[Tensor, "N 1 28 28"]:
    """8×8 pictures as 28×28 pictures with MNIST-like strokes.

    Enlarging and the affine map are one bicubic step, so that a turned picture is as sharp as the others.
    """
    grid = F.affine_grid(theta, [len(small), 1, 28, 28], align_corners=False)
    gray = F.grid_sample(F.pad(small, (1, 1, 1, 1)), grid, mode="bicubic", align_corners=False)
    return torch.sigmoid(10 * (gray.clamp(0, 1) - 0.45))


def _unchanged(n: int) -> Float[Tensor, "{n} 2 3"]:
    return torch.eye(2, 3).expand(n, 2, 3)


def _slightly_changed(n: int, generator: torch.Generator) -> Float[Tensor, "{n} 2 3"]:
    """Affine maps as another hand might have written it: up to 10°, 1.5 pixels, 8 % in size and 0.2 of shear."""
    ends = torch.tensor([torch.pi / 18, 0.2, 0.08, 0.08, 3 / 28, 3 / 28])  # affine_grid's unit is 14 pixels
    turn, shear, wider, taller, right, down = ((2 * torch.rand(n, 6, generator=generator) - 1) * ends).T
    cos, sin = turn.cos(), turn.sin()
    upper = torch.stack([cos, shear * cos - sin, right], 1) * (1 + wider).unsqueeze(1)
    lower = torch.stack([sin, shear * sin + cos, down], 1) * (1 + taller).unsqueeze(1)
    return torch.stack([upper, lower], 1)

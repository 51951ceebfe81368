"""MNIST and its kin: read from disk when they are there and whole, downloaded through torchvision otherwise."""

import errno
import gzip
import math
import os
import socket
import struct
import sys
import tempfile
import zlib
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_utils import places
from course_utils.data.images import Images
from course_utils.data.torchvision_ops import import_torchvision
from course_utils.errors import CourseError

# name: torchvision's class, which is also its folder's name, and the size of the download
SETS = {"mnist": ("MNIST", "12 MB"), "fashion": ("FashionMNIST", "31 MB"), "kmnist": ("KMNIST", "21 MB")}

NETWORK_TIMEOUT = 20.0  # seconds without an answer; urllib would wait for minutes
FULL = {errno.ENOSPC, errno.EDQUOT}
NOT_OURS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR}


class _Damaged(Exception):
    """A file or a set of files is not what it should be."""


def mnist() -> Images:
    """70,000 handwritten digits (60,000 for training)."""
    return _load("mnist")


def fashion() -> Images:
    """Fashion-MNIST: 70,000 pieces of clothing in ten classes (60,000 for training)."""
    return _load("fashion")


def kmnist() -> Images:
    """Kuzushiji-MNIST: 70,000 handwritten Japanese characters in ten classes (60,000 for training)."""
    return _load("kmnist")


def _load(name: str) -> Images:
    folder = places.data() / "downloads" / SETS[name][0] / "raw"
    try:
        try:
            images = _read(name, folder)
        except (_Damaged, FileNotFoundError) as problem:
            if isinstance(problem, _Damaged):
                _say(f"The files of {name} in {folder} are damaged ({problem}) and are fetched anew.")
            _download(name, folder)
            images = _read(name, folder)
    except OSError as error:
        raise CourseError(_what_to_do(name, error)) from error
    except _Damaged as error:
        raise CourseError(_not_downloaded(name, error)) from error
    return images.map(lambda tensor: tensor.to(torch.get_default_device()))


def _download(name: str, folder: Path) -> None:
    """Fetch a set into a temporary folder beside its place; only when it is whole does it take that place."""
    set_name, size = SETS[name]
    downloads = folder.parents[1]
    downloads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=downloads, prefix=f".{name}-", ignore_cleanup_errors=True) as temporary:
        _say(f"Downloading {name} ({size}) into {downloads}.")
        torchvision = import_torchvision()
        timeout = socket.getdefaulttimeout()
        socket.setdefaulttimeout(NETWORK_TIMEOUT)
        try:
            getattr(torchvision.datasets, set_name)(temporary, download=True)  # compares the archives' checksums
        except OSError:
            raise
        except Exception as error:  # torchvision has many kinds for a file that is not whole
            raise _Damaged(str(error)) from error
        finally:
            socket.setdefaulttimeout(timeout)
        fetched = Path(temporary) / set_name / "raw"
        _read(name, fetched)
        folder.parent.mkdir(exist_ok=True)
        if folder.exists():
            _say(f"What was there before is kept in {_set_aside(folder)}.")
        os.replace(fetched, folder)


def _set_aside(folder: Path) -> Path:
    """Move a folder out of the way, under the first free name beside it."""
    n = 1
    while (aside := folder.with_name(f"{folder.name}-set-aside-{n}")).exists():
        n += 1
    return folder.rename(aside)


def _read(name: str, folder: Path) -> Images:
    """Read the four files of a set. Raises FileNotFoundError if one is missing, _Damaged if they do not fit."""
    x_train, y_train = _read_pair(folder, "train")
    x_test, y_test = _read_pair(folder, "t10k")
    return Images(
        name=name,
        x_train=x_train,
        y_train=y_train,
        original_train=torch.arange(len(y_train), device="cpu"),
        x_test=x_test,
        y_test=y_test,
        original_test=torch.arange(len(y_test), device="cpu"),
    )


def _read_pair(folder: Path, part: str) -> tuple[Float[Tensor, "N 1 28 28"], Int[Tensor, "N"]]:
    images = _read_idx(folder / f"{part}-images-idx3-ubyte")
    labels = _read_idx(folder / f"{part}-labels-idx1-ubyte")
    if images.shape != (len(labels), 28, 28):
        raise _Damaged(f"{part} has images of shape {tuple(images.shape)} but {len(labels)} labels")
    if labels.max() > 9:
        raise _Damaged(f"{part} has a label {labels.max()}")
    return images.unsqueeze(1).float() / 255, labels.long()


def _read_idx(path: Path) -> Tensor:
    """Read one IDX file, plain or as .gz: a magic number, the size of each dimension, then one byte for each entry.

    torchvision's own reader takes a file that is too long, reports a cut one as a torch error, and reads no .gz.
    """
    try:
        content = path.read_bytes() if path.exists() else gzip.decompress(Path(f"{path}.gz").read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _Damaged(f"{path.name}.gz cannot be unpacked") from error
    dimensions = int("idx3" in path.name) * 2 + 1
    header = 4 * (1 + dimensions)
    if len(content) < header:
        raise _Damaged(f"{path.name} is cut short")
    magic, *shape = struct.unpack(f">{1 + dimensions}I", content[:header])
    if magic != 0x800 + dimensions:  # 8: unsigned bytes
        raise _Damaged(f"{path.name} is of another kind")
    if len(content) != header + math.prod(shape) or not math.prod(shape):
        raise _Damaged(f"{path.name} holds {len(content)} bytes, and not the {header + math.prod(shape)} it announces")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=header).view(shape)


def _what_to_do(name: str, error: OSError) -> str:
    if error.errno in FULL:
        return f"The disk is full: free 100 MB for {places.data()}, then load {name!r} again."
    if error.errno in NOT_OURS:
        return (
            f"{error.filename or places.data()} cannot be read or written: change its permissions, "
            f"or set COURSE_DATA to a folder of your own, then load {name!r} again."
        )
    return _not_downloaded(name, error)


def _not_downloaded(name: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[-1].rstrip(".") if str(error) else type(error).__name__
    return (
        f"{name!r} could not be downloaded ({reason}): connect to the network and load it again, "
        "or go on with 'digits', which needs none."
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr)

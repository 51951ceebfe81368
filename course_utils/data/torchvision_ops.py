"""Importing torchvision beside a CPU-only torch."""

import importlib
from types import ModuleType

import torch

_library = None  # kept, because a library's operators go when it does


def import_torchvision() -> ModuleType:
    """Import torchvision; afterwards a plain `import torchvision` works as well.

    torchvision's wheel for Linux is built against the GPU torch. Beside a CPU-only torch its compiled operators cannot
    load, and its import stops because it describes two of them (nms, qnms) to torch. Declaring these two is enough for
    its data sets. It is done only after a failed import, because declaring what a later load declares is an error.
    """
    global _library
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    _library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        _library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision")

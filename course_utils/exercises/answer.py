"""A learner's answer as a check sees it: arrays, numbers and lists go in and come out as bytes; nothing else crosses.

The judging side (`Answer`) never holds the learner's object. The other side (`Worker`) does, and speaks only bytes,
so that the same check can judge an answer in the notebook's own process (`in_process`) or in a sandboxed one.
"""

import base64
import io
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class NotWritten(Exception):
    """The answer is still the stub."""


class AnswerFailed(Exception):
    """The answer raised, or returned what cannot cross; the message is for the learner."""


class WrongKind(TypeError):
    """A value that is no array, number, text, None or list of them."""


def encode(value: Any) -> bytes:
    """Arrays, numbers, text, None and (nested) lists of them as JSON; WrongKind for anything else."""
    return json.dumps(_plain(value)).encode()


def decode(message: bytes) -> Any:
    """What `encode` was given; arrays and tensors come back as CPU tensors, tuples as lists."""
    return _rebuilt(json.loads(message, parse_int=_whole))


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype == torch.bfloat16 else value).resolve_conj().resolve_neg().numpy()
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        value = value.item()
    if isinstance(value, np.ndarray):
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return {"array": base64.b64encode(buffer.getvalue()).decode()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise WrongKind(f"it returned a {type(value).__name__}, where a tensor, a number or a list of them is expected")


def _rebuilt(value: Any) -> Any:
    if isinstance(value, dict):
        return torch.from_numpy(_array(base64.b64decode(value["array"])))
    if isinstance(value, list):
        return [_rebuilt(item) for item in value]
    return value


def _array(message: bytes) -> np.ndarray:
    """What `np.save` wrote. Unlike `np.load`, this reserves no memory on the word of a header alone."""
    buffer = io.BytesIO(message)
    if np.lib.format.read_magic(buffer) != (1, 0):
        raise ValueError("another format than that of np.save")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(buffer)
    if dtype.kind not in "biufc" or len(shape) > 64:
        raise ValueError("no array of numbers")
    values = np.frombuffer(buffer.read(), dtype)
    return values.reshape(shape, order="F" if fortran else "C").copy()


def _whole(digits: str) -> int | float:
    """A whole number, as float where it is too large for 64 bits: no tensor could hold it."""
    return int(digits) if len(digits) < 19 else float(digits)


class Worker:
    """Holds the learner's object and what it makes, and answers requests in bytes."""

    def __init__(self, target: Any):
        self.made = [target]

    def __call__(self, request: bytes) -> bytes:
        """One request in, one reply out: ["ok", value], ["not written"] or ["failed", words]."""
        op, handle, method, args, kwargs, seed = decode(request)
        kwargs = {name: _on_default_device(value) for name, value in kwargs}
        args = [_on_default_device(arg) for arg in args]
        try:
            with _seeded(seed):
                target = self.made[handle]
                target = getattr(target, method) if method else target
                return encode(["ok", getattr(self, f"_{op}")(target, args, kwargs)])
        except NotImplementedError:
            return encode(["not written"])
        except WrongKind as error:
            return encode(["failed", str(error)])
        except Exception as error:
            return encode(["failed", f"it stopped with {type(error).__name__}: {_first_line(error)}"])

    def _call(self, target, args, kwargs):
        return target(*args, **kwargs)

    def _new(self, target, args, kwargs):
        self.made.append(target(*args, **kwargs))
        if not isinstance(self.made[-1], nn.Module):
            raise WrongKind(f"it made a {type(self.made[-1]).__name__}, where a torch module is expected")
        return len(self.made) - 1

    def _grad(self, target, args, kwargs):
        wrt = kwargs.pop("wrt")
        leaves = [args[i].requires_grad_() for i in wrt]
        out = target(*args, **kwargs)
        out = out[0] if isinstance(out, (list, tuple)) else out
        if not isinstance(out, Tensor) or not out.requires_grad:
            return [None] * len(leaves)
        return list(torch.autograd.grad(out.sum(), leaves, allow_unused=True))

    def _params(self, target, args, kwargs):
        return [[name, parameter] for name, parameter in target.named_parameters()]

    def _grads(self, target, args, kwargs):
        return [[name, parameter.grad] for name, parameter in target.named_parameters()]

    def _set_params(self, target, args, kwargs):
        with torch.no_grad():
            for parameter, value in zip(target.parameters(), args, strict=True):
                parameter.copy_(value)

    def _mode(self, target, args, kwargs):
        target.train(args[0])


def _on_default_device(value):
    return value.to(torch.get_default_device()) if isinstance(value, Tensor) else value


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Random numbers of their own inside, whatever library draws them; the lesson's generators are as before after."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)
            random.seed(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


class Answer:
    """The judging side: `send` carries a request to the worker and back, `seed` feeds the answer's random draws."""

    def __init__(self, send: Callable[[bytes], bytes], handle: int = 0, seed: int = 0):
        self._send, self._handle, self._seeds = send, handle, random.Random(seed)

    def _ask(self, op: str, args=(), kwargs=None, method: str | None = None) -> Any:
        request = [op, self._handle, method, list(args), list((kwargs or {}).items()), self._seeds.getrandbits(32)]
        reply = self._send(encode(request))
        try:
            status, *content = decode(reply)
            content = content[0] if content else None
            if op == "new" and status == "ok":
                content = int(content)
            elif op in ("params", "grads") and status == "ok":
                content = {str(name): value for name, value in content if isinstance(value, Tensor | None)}
            elif op == "grad" and status == "ok" and len(content) != len((kwargs or {})["wrt"]):
                raise ValueError("another number of gradients")
        except Exception:  # a reply is whatever the answer's process sent
            raise AnswerFailed("what it returned cannot be read") from None
        if status == "not written":
            raise NotWritten
        if status != "ok":
            raise AnswerFailed(str(content)[:500])
        return content

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the answer returns for these arguments; every call draws fresh random numbers."""
        return self._ask("call", args, kwargs)

    def call(self, method: str, *args: Any) -> Any:
        """What a method of the answer's module returns."""
        return self._ask("call", args, method=method)

    def grad(self, *args: Any, wrt: tuple[int, ...] = (0,), **kwargs: Any) -> list[Tensor | None]:
        """Gradient of the summed (first) output by the arguments named in `wrt`; None where nothing flows."""
        return self._ask("grad", args, {**kwargs, "wrt": list(wrt)})

    def new(self, *args: Any, **kwargs: Any) -> "Answer":
        """The module that the answer (a class, or a function that builds one) makes of these arguments."""
        handle = self._ask("new", args, kwargs)
        return Answer(self._send, handle, self._seeds.getrandbits(32))

    def params(self) -> dict[str, Tensor]:
        """The module's parameters by name."""
        return self._ask("params")

    def grads(self) -> dict[str, Tensor | None]:
        """The gradient that was left on each of the module's parameters, by name; None where there is none."""
        return self._ask("grads")

    def set_params(self, values: list[Tensor]) -> None:
        """Overwrite the module's parameters, in the order in which `params` lists them."""
        self._ask("set_params", values)

    def train(self) -> None:
        self._ask("mode", [True])

    def eval(self) -> None:
        self._ask("mode", [False])


def in_process(target: Any, seed: int = 0) -> Answer:
    """An Answer whose worker lives in this process: everything still crosses as bytes."""
    return Answer(Worker(target), seed=seed)

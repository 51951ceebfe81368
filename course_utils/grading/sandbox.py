"""The marker's end of the sandbox: start it, ask an answer for outputs, and never trust what comes back.

Bubblewrap walls in the whole of `inside.py`: no network, no environment, nothing to write but a tmpfs, nothing to read
but the interpreter, the packages and the release's course_utils without `grading`. Inside, every answer has walls of
its own. What comes back is bytes of bounded length, which `exercises.answer` takes for JSON and plain arrays alone.
"""

import json
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from course_utils import places
from course_utils.errors import CourseError
from course_utils.exercises.answer import AnswerFailed
from course_utils.grading import inside

# For one exercise of one submission; memory and disk in bytes.
LIMITS = {"seconds": 20, "memory": 1 << 30, "processes": 32, "output": 1 << 20, "disk": 64 << 20}
CELL_SECONDS = 10  # for one cell to run
CELLS_SECONDS = 30  # for all of them
START_SECONDS = 120  # for torch and the lesson's set-up
REPLY = 32 << 20  # bytes
COMMAS = 200_000  # in one reply: a list of millions of numbers would cost the marker minutes
USER = 61_000  # who answers run as when the marker is root

WORDS = {
    "time": "it took longer than an answer may",
    "memory": f"it needed more than {LIMITS['memory'] >> 30} GB of memory",
    "output": f"it printed more than {LIMITS['output'] >> 20} MB",
    "reply": "it returned more numbers than can be looked at",
    "forged": "something was sent in place of what it returns",
    "died": "it ended the process that it ran in",
}

UNPROTECTED = (
    "Without it, students' code runs as you do: it could read and change your files, the gradebook and other "
    "submissions among them, use the network, and leave processes behind."
)


class Over(AnswerFailed):
    """An answer that gives no more outputs: `event`, a key of WORDS, says why."""

    def __init__(self, event: str):
        super().__init__(WORDS[event])
        self.event = event


def why_not() -> str | None:
    """Why answers cannot be walled in on this machine, in one line; None if they can."""
    if sys.platform != "linux":
        return "bubblewrap needs Linux"
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed (Debian and Ubuntu: apt install bubblewrap)"
    probe = subprocess.run([*_walled(), "probe"], env=_environment("/course"), capture_output=True, text=True)
    lines = probe.stderr.strip().splitlines()
    return None if probe.returncode == 0 else f"it does not run here: {lines[-1] if lines else probe.returncode}"


@contextmanager
def sandbox(setup: list[str], package: Path | None = None, walls: bool = True) -> Iterator[Callable]:
    """Start the sandbox on the cells that set a lesson up; yields `begin(task)`, which returns a Conversation.

    `package` is the folder that holds the release's course_utils. Without walls answers run as the marker does.
    """
    package = package or places.ROOT
    ours, theirs = socket.socketpair()
    with ours, theirs, tempfile.TemporaryFile() as errors, open(os.devnull, "r+b") as null:
        process = subprocess.Popen(
            [*(_walled(package) if walls else _bare()), str(theirs.fileno()), "walls" if walls else "bare"],
            env=_environment("/course" if walls else str(package)),
            pass_fds=(theirs.fileno(),),
            stdin=null,
            stdout=null,
            stderr=errors,
        )
        theirs.close()
        try:
            if not _is_ready(ours, setup):
                errors.seek(0)
                lines = errors.read().decode(errors="replace").strip().splitlines()
                raise CourseError(f"The sandbox did not start: {lines[-1] if lines else 'it said nothing'}.")
            yield lambda task: Conversation(ours, task)
        finally:
            process.kill()
            process.wait()


def _is_ready(control: socket.socket, setup: list[str]) -> bool:
    control.settimeout(START_SECONDS)
    with suppress(OSError):
        inside.send(control, json.dumps(setup).encode())
        return inside.receive(control) == b"ready"
    return False


class Conversation:
    """One exercise of one submission, in a process and namespaces of its own. Called with a request, it replies."""

    def __init__(self, control: socket.socket, task: dict):
        self.event: str | None = None
        self.channel, theirs = socket.socketpair()
        self.report, guards = socket.socketpair()
        with theirs, guards:
            socket.send_fds(control, [json.dumps(LIMITS).encode()], [theirs.fileno(), guards.fileno()])
        self.deadline = time.monotonic() + START_SECONDS
        try:
            walled = self._receive(self.deadline) == b"walled"
        except OSError:
            walled = False
        if not walled:
            raise CourseError("An answer could not be walled in, so marking was stopped: `grade mark` says why.")
        self._spoken(lambda: self._send(json.dumps(task).encode(), time.monotonic() + CELL_SECONDS))

    def looked(self) -> list[dict]:
        """What `inside.look` found in each cell, before any of it ran."""
        found = json.loads(self._spoken(lambda: self._receive(time.monotonic() + CELL_SECONDS)))
        return found

    def prepare(self) -> tuple[str, list]:
        """Run the cells; returns ("ready" | "missing" | "not callable", a note or None for each cell).

        Raises Over if a cell hangs or ends the process: its place is then `self.at`.
        """
        self.at, end = 0, time.monotonic() + CELLS_SECONDS
        while True:
            message = self._spoken(lambda: self._receive(min(time.monotonic() + CELL_SECONDS, end)))
            match _json(message):
                case ["at", int(place)] if place >= self.at:
                    self.at = place
                case ["ready" | "missing" | "not callable" as state, list(notes)]:
                    self.deadline = time.monotonic() + LIMITS["seconds"]
                    return state, [note if note is None else clean(note) for note in notes[:200]]
                case _:
                    self._end("forged")

    def __call__(self, request: bytes) -> bytes:
        return self._spoken(lambda: self._asked(request))

    def close(self) -> None:
        self.channel.close()
        self.report.close()

    def _asked(self, request: bytes) -> bytes:
        if select.select([self.channel], [], [], 0)[0] and self.channel.recv(1, socket.MSG_PEEK):
            self._end("forged")  # a reply before the question
        self._send(request, self.deadline)
        reply = self._receive(self.deadline)
        if reply.count(b",") > COMMAS:
            self._end("reply")
        return reply

    def _spoken(self, speak: Callable):
        if self.event:
            raise Over(self.event)
        try:
            return speak()
        except TimeoutError:
            self._end("time")
        except OSError:
            self._end(self._cause())

    def _end(self, event: str) -> None:
        self.event = event
        self.close()
        raise Over(event)

    def _cause(self) -> str:
        """Why the other side hung up, in the guard's words."""
        with suppress(OSError):
            self.report.settimeout(2)
            cause = self.report.recv(100).decode(errors="replace")
            return cause if cause in WORDS else "died"
        return "died"

    def _send(self, message: bytes, deadline: float) -> None:
        self.channel.settimeout(_left(deadline))
        inside.send(self.channel, message)

    def _receive(self, deadline: float) -> bytes:
        (length,) = struct.unpack(">Q", self._exactly(8, deadline))
        if length > REPLY:
            self._end("reply")
        return self._exactly(length, deadline)

    def _exactly(self, count: int, deadline: float) -> bytes:
        parts = []
        while count:
            self.channel.settimeout(_left(deadline))
            part = self.channel.recv(min(count, 1 << 20))
            if not part:
                raise ConnectionResetError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def clean(words: object) -> str:
    """Words from a student's process, made fit for one line."""
    return "".join(letter if letter.isprintable() else " " for letter in str(words)[:300])


def _json(message: bytes):
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _walled(package: Path = places.ROOT) -> list[str]:
    """The command that starts `inside.py` within bubblewrap."""
    command = ["bwrap", "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    command += ["--unshare-uts", "--unshare-cgroup-try", "--hostname", "sandbox"]
    is_root = os.geteuid() == 0
    # No limit on processes would hold for root: it mounts, then becomes somebody else.
    for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SYS_ADMIN") if is_root else ():
        command += ["--cap-add", capability]
    command += ["--dir", "/proc"] if is_root else ["--unshare-user", "--proc", "/proc"]
    command += ["--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"]
    folders = _readable()
    for parent in sorted({parent for folder in [*folders, Path("/course/data")] for parent in folder.parents}):
        command += ["--perms", "0755", "--dir", str(parent)]
    for folder in folders:
        command += ["--ro-bind", str(folder), str(folder)]
    for folder in map(Path, ("/bin", "/lib", "/lib64")):
        if folder.is_symlink():
            command += ["--symlink", os.readlink(folder), str(folder)]
        elif folder.exists():
            command += ["--ro-bind", str(folder), str(folder)]
    command += ["--ro-bind", str(package / "course_utils"), "/course/course_utils"]
    if (package / "course_utils" / "grading").exists():
        command += ["--tmpfs", "/course/course_utils/grading"]
    command += ["--ro-bind-try", str(package / "data"), "/course/data", "--ro-bind", inside.__file__, "/inside.py"]
    command += ["--remount-ro", "/dev", "--remount-ro", "/"]
    if is_root:
        # Bubblewrap's own /proc is partly covered for root, and then the kernel lets no answer have one of its own.
        command += ["sh", "-c", 'mount -t proc proc /proc && exec "$@"', "sh"]
        command += ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all"]
        command += ["--no-new-privs"]
    return [*command, sys.executable, "-s", "/inside.py"]


def _bare() -> list[str]:
    return [sys.executable, "-s", inside.__file__]


def _readable() -> list[Path]:
    """The interpreter and the packages, and nothing else of the marker's disk."""
    folders = [Path("/usr"), Path("/etc/ld.so.cache"), Path("/etc/fonts"), Path(sys.base_prefix), Path(sys.prefix)]
    folders += [Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    kept: list[Path] = []
    for folder in folders:
        if folder.exists() and not any(folder.is_relative_to(other) for other in kept):
            kept.append(folder)
    return kept


def _environment(package: str) -> dict[str, str]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    python = {"PYTHONPATH": package, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"}
    return {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "MPLCONFIGDIR": "/tmp/mpl", **python, **threads}

"""What runs inside the sandbox: one process that has torch and a lesson's set-up ready, and forks for every answer.

`sandbox.py` starts it as a script. It holds no secret: no check of a task, no expected value, no other submission.
Every answer gets namespaces of its own (users, processes, mounts, network, IPC), a /tmp of its own, limits and no
capability. Between it and the marker there is one socket, which ends with it.

    this script ── fork ── guard ── fork ── the student's process, number 1 of its own process namespace
"""

import ast
import contextlib
import ctypes
import importlib
import io
import json
import linecache
import os
import resource
import select
import signal
import socket
import struct
import sys

NOBODY = 65534  # who the student's process is in its own namespace
LOOK = 0.05  # seconds between two looks at what an answer holds
NEW_NAMESPACES = 0x10000000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000  # users, processes, network, IPC, name
NEW_MOUNTS = 0x00020000
# Loaded once for all: what answers import takes no time then.
WARM = ["course_utils.exercises.answer", "torch.distributions", "torch.nn.utils.parametrizations", "torch.func"]
WARM += ["scipy.stats", "scipy.linalg", "scipy.spatial.distance", "scipy.signal", "scipy.optimize", "scipy.ndimage"]
WARM += ["sklearn.decomposition", "sklearn.mixture", "sklearn.neighbors", "sklearn.linear_model", "sklearn.metrics"]
WARM += ["sklearn.covariance", "sklearn.preprocessing", "sklearn.cluster", "matplotlib.pyplot", "tqdm.auto"]
FILE_SIZE, OPEN_FILES = 8 << 20, 128

libc = ctypes.CDLL(None, use_errno=True)


def main(descriptor: str, walls: str = "walls") -> None:
    if descriptor == "probe":
        _separate()
        if os.fork() == 0:
            _wall_in(1 << 20)
            os._exit(0)
        sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
    control = socket.socket(fileno=int(descriptor))
    namespace = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for module in WARM:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
        for cell in json.loads(receive(control)):
            exec(compile(cell, "<setup>", "exec"), namespace)
    with open("/proc/self/statm") as file:
        own = {"walls": walls == "walls", "mapped": int(file.read().split()[0]) * resource.getpagesize()}
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the guards
    send(control, b"ready")
    while True:
        message, fds, _, _ = socket.recv_fds(control, 1 << 16, 2)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            guard(*fds, {**json.loads(message), **own}, namespace)
        for fd in fds:
            os.close(fd)


# The guard


def guard(channel: int, report: int, limits: dict, namespace: dict) -> None:
    """Wall the student's process in, and kill it when it uses too much or the marker hangs up; never returns."""
    cause = "died"
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        die_with_parent()
        if limits["walls"]:
            _separate()
        shared = _held(os.getpid())
        printed, output = os.pipe()
        student = os.fork()
        if student == 0:
            os.close(report)
            _student(channel, output, limits, namespace)
        os.close(output), os.close(channel)
        cause = _watched(student, printed, report, limits, shared)
        with contextlib.suppress(ProcessLookupError):
            os.kill(student, signal.SIGKILL)  # number 1 of its namespace: all the others end with it
    finally:
        with contextlib.suppress(OSError):
            os.write(report, cause.encode())
        os._exit(0)


def _separate() -> None:
    """New namespaces for the processes to come, in which no others can be made."""
    user, group = os.getuid(), os.getgid()
    _call(libc.unshare, NEW_NAMESPACES)
    for path, line in {
        "/proc/self/uid_map": f"{NOBODY} {user} 1",
        "/proc/self/setgroups": "deny",
        "/proc/self/gid_map": f"{NOBODY} {group} 1",
        "/proc/sys/user/max_user_namespaces": "0",
    }.items():
        with open(path, "w") as file:
            file.write(line)


def _watched(student: int, printed: int, report: int, limits: dict, shared: int) -> str:
    """Wait; return why the student's process ended or has to: "output", "memory", "hung up" or "died" and its code."""
    size, ended = 0, os.pidfd_open(student)
    while True:
        ready, _, _ = select.select([printed, report, ended], [], [], LOOK)
        if report in ready:
            return "hung up"
        if printed in ready:
            size += len(os.read(printed, 1 << 16))
            if size > limits["output"]:
                return "output"
        if ended in ready:
            return f"died {os.waitstatus_to_exitcode(os.waitpid(student, 0)[1])}"
        held = sum(max(_held(process) - shared, 0) + _hidden(process) for process in _family(student))
        if held + _in_segments() > limits["memory"]:
            return "memory"


def _family(student: int) -> set[int]:
    parents = {}
    for process in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{process}/stat") as file:
            parents[int(process)] = int(file.read().rpartition(")")[2].split()[1])
    family, grown = {student}, True
    while grown:
        more = {process for process, parent in parents.items() if parent in family} - family
        family, grown = family | more, bool(more)
    return family


def _held(process: int) -> int:
    """Bytes of memory that belong to no file."""
    with contextlib.suppress(OSError), open(f"/proc/{process}/status") as file:
        return 1024 * sum(int(line.split()[1]) for line in file if line.startswith(("RssAnon:", "RssShmem:")))
    return 0


def _in_segments() -> int:
    """Bytes of System V shared memory, which outlives whoever made it."""
    with open("/proc/sysvipc/shm") as file:
        titles, *rows = [line.split() for line in file]
    return sum(int(row[titles.index("rss")]) for row in rows)


def _hidden(process: int) -> int:
    """Bytes in open files that have no name: memory by another way."""
    total = 0
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{process}/fd"):
            with contextlib.suppress(OSError):
                status = os.stat(f"/proc/{process}/fd/{fd}")
                total += 0 if status.st_nlink else 512 * status.st_blocks
    return total


# The student's process


def _student(channel: int, output: int, limits: dict, namespace: dict) -> None:
    """Give up whatever an answer does not need, then run the cells and answer requests; never returns."""
    code = 1
    try:
        if limits["walls"]:
            _wall_in(limits["disk"])
        _limit(output, limits)
        within = socket.socket(fileno=channel)
        send(within, b"walled")
        serve(within, namespace)
        code = 0
    finally:
        os._exit(code)


def _wall_in(disk: int) -> None:
    """Places of one's own in which to write, and no view of other processes."""
    _call(libc.unshare, NEW_MOUNTS)
    for place, kind, options in (
        ("/tmp", "tmpfs", f"size={disk},nr_inodes=1000,mode=1777"),
        ("/dev/shm", "tmpfs", f"size={disk},nr_inodes=100,mode=1777"),
        ("/proc", "proc", ""),
    ):
        _call(
            libc.mount, kind.encode(), place.encode(), kind.encode(), 0b110, options.encode()
        )  # no setuid, no devices
    os.chdir("/tmp")


def _limit(output: int, limits: dict) -> None:
    """Give up privileges and bound what can be used; what is given up cannot be had back."""
    os.setsid()
    die_with_parent()
    null = os.open("/dev/null", os.O_RDWR)
    for fd, source in enumerate((null, output, output)):
        os.dup2(source, fd)
    os.close(null), os.close(output)
    for what, most in {
        resource.RLIMIT_AS: limits["mapped"] + limits["memory"],
        resource.RLIMIT_CPU: limits["seconds"] + 10,
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_FSIZE: FILE_SIZE,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }.items():
        resource.setrlimit(what, (most, most))
    _call(libc.prctl, 38, 1, 0, 0, 0)  # no new privileges
    header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
    _call(libc.capset, header, nothing)


def serve(channel: socket.socket, namespace: dict) -> None:
    """Run the cells in the lesson's namespace, then let the answer of this name speak to its check."""
    task = json.loads(receive(channel))
    if task.get("look"):
        send(channel, json.dumps([look(cell) for cell in task["cells"]]).encode())
        return
    untouched = namespace.get(task["name"])
    notes = []
    for place, cell in enumerate(task["cells"]):
        send(channel, json.dumps(["at", place]).encode())
        notes.append(run(cell, namespace))
    target = namespace.get(task["name"])
    state = "ready" if callable(target) else "missing" if target is untouched else "not callable"
    send(channel, json.dumps([state, notes]).encode())

    from course_utils.exercises.answer import Worker

    worker = Worker(target)
    while request := receive(channel):
        send(channel, worker(request))


def run(cell: str, namespace: dict) -> str | None:
    """Run a cell statement by statement, past those that fail; return the first error in one line.

    A failing line, such as a plot of what only the whole notebook has, does not cost the definitions after it.
    """
    tree, file = parsed(cell), f"<cell {len(linecache.cache)}>"
    if isinstance(tree, str):
        return tree
    linecache.cache[file] = (len(cell), None, cell.splitlines(keepends=True), file)
    first = None
    for statement in tree.body:
        try:
            exec(compile(ast.Module([statement], []), file, "exec"), namespace)
        except BaseException as error:
            words = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            first = first or f"line {statement.lineno} stopped with {words}"
    return first


def parsed(cell: str) -> ast.Module | str:
    """The cell's tree without notebook commands (`%timeit`, `!pip`, `?`), or why there is none."""
    try:
        return ast.parse(cell)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    lines = [
        "" if line.lstrip().startswith(("%", "!", "?")) or line.rstrip().endswith("?") else line
        for line in cell.splitlines()
    ]
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"Python cannot read it ({type(error).__name__}: {error})"[:300]


# Looking at cells without running them

USUAL = {"course_utils", "torch", "torchvision", "numpy", "scipy", "sklearn", "matplotlib", "PIL", "IPython", "tqdm"}
USUAL |= {"math", "cmath", "random", "itertools", "functools", "collections", "dataclasses", "typing", "operator"}
USUAL |= {"copy", "statistics", "warnings", "logging", "abc", "enum", "jaxtyping", "pprint", "__future__", "string"}
UNUSUAL_CALLS = {"exec", "eval", "compile", "open", "__import__", "globals", "locals", "vars", "setattr", "delattr"}
UNUSUAL_CALLS |= {"get_ipython", "breakpoint", "input", "exit", "quit", "memoryview"}


def look(cell: str) -> dict:
    """Whether a cell holds only imports, definitions and constants, and what in it an instructor may want to see."""
    tree = parsed(cell)
    if isinstance(tree, str):
        return {"definitions": False, "curious": [], "error": tree}
    try:
        return {"definitions": all(map(_defines, tree.body)), "curious": _curious(tree), "error": None}
    except RecursionError:
        return {"definitions": False, "curious": ["code nested too deeply to be looked at"], "error": None}


def _defines(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        return True
    value = getattr(statement, "value", None)
    if isinstance(statement, ast.Expr):
        return isinstance(value, ast.Constant)  # a docstring
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        allowed = (
            ast.Constant,
            ast.Tuple,
            ast.List,
            ast.Dict,
            ast.UnaryOp,
            ast.BinOp,
            ast.operator,
            ast.unaryop,
            ast.Load,
        )
        return all(isinstance(target, ast.Name) for target in targets) and (
            value is None or all(isinstance(node, allowed) for node in ast.walk(value))
        )
    return False


def _curious(tree: ast.Module) -> list[str]:
    imported, found = set(), []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            imported |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            found += [f"imports {name}" for name in names if name.split(".")[0] not in USUAL]
            found += [f"imports {name}" for name in names if name.startswith(("course_utils.grading", "IPython.core"))]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in UNUSUAL_CALLS:
            found.append(f"calls {node.func.id}")
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)):
            root = node
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in imported | {"torch", "nn", "functional", "__builtins__"}:
                found.append(f"changes {ast.unparse(node)}"[:80])
        elif (
            isinstance(node, ast.Attribute) and node.attr.startswith("__") and node.attr not in ("__init__", "__name__")
        ):
            found.append(f"uses {node.attr}"[:80])
        elif isinstance(node, ast.FunctionDef) and node.name in (
            "__eq__",
            "__reduce__",
            "__array__",
            "__torch_function__",
        ):
            found.append(f"defines {node.name}")
        elif isinstance(node, ast.Global):
            found.append(f"changes the global {', '.join(node.names)}"[:80])
        elif isinstance(node, ast.Name) and node.id == "__builtins__":
            found.append("uses __builtins__")
    return list(dict.fromkeys(found))


# Messages: eight bytes of length, then the bytes


def send(channel: socket.socket, message: bytes) -> None:
    channel.sendall(struct.pack(">Q", len(message)) + message)


def receive(channel: socket.socket) -> bytes:
    """The next message; empty when the other side has hung up."""
    length = _exactly(channel, 8)
    return _exactly(channel, struct.unpack(">Q", length)[0]) if length else b""


def _exactly(channel: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = channel.recv(min(count, 1 << 20))
        if not part:
            return b""
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def die_with_parent() -> None:
    _call(libc.prctl, 1, signal.SIGKILL, 0, 0, 0)


def _call(function, *arguments) -> None:
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")


if __name__ == "__main__":
    main(*sys.argv[1:])

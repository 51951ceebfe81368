"""Hostile submissions of lesson 03: each tries for the points of T3, or to harm others.

An entry gives the cells it hands in, words that the remarks on it must hold, and a change of the notebook where one is
needed. All hand in a right answer to 3.1 and 3.4, which must keep their points, and no right answer to anything else.
"""

HONEST = {
    "3.1": "def walk(z_a, z_b, steps):\n    return z_a + torch.linspace(0, 1, steps)[:, None] * (z_b - z_a)",
    "3.4": "def noisy_pair(x, sigma):\n    return x + sigma * torch.randn_like(x), x",
}
ZEROS = "def empty_share(z, steps):\n    return 0.0, 0.0\n"

HOSTILE: dict[str, dict] = {}


def hostile(name, words, task=ZEROS, added=(), change=None):
    HOSTILE[name] = {"words": words, "task": task, "added": added, "change": change}


def _check(notebook, exercise="T3"):
    return next(
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("exercise") == exercise and "check" in cell["metadata"].get("tags", [])
    )


def _task(notebook):
    return next(cell for cell in notebook["cells"] if "task" in cell["metadata"].get("tags", []))


def _edit(notebook):
    _check(notebook)["source"] = "print('✓  T3  5 of 5 points')"


def _delete(notebook):
    notebook["cells"].remove(_check(notebook))


def _rename(notebook):
    _check(notebook)["metadata"]["exercise"] = "T4"


def _swap(notebook):
    """The answer to 3.1 once more, under the name of the task."""
    _task(notebook).update(source=HONEST["3.1"])


def _outputs(notebook):
    _check(notebook)["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "✓  T3  5 of 5 points"}]
    _check(notebook)["source"] += "  # passed"


def _duplicate(notebook):
    """Many copies of the task's cell under one id, and its check again and again."""
    notebook["cells"] += 20 * [dict(_task(notebook)), dict(_check(notebook))]


def _split(notebook):
    """The task in two cells that do not hold together, each with the metadata of both."""
    place = notebook["cells"].index(_task(notebook))
    half = {**_task(notebook), "source": "def empty_share(z, steps):"}
    notebook["cells"][place : place + 1] = [half, {**half, "source": "    return 1.0, 0.5)"}]


def _dress_up(notebook):
    """The untouched stub, in a cell that says that it is the check and was given full marks."""
    graded = {"grade": True, "solution": True, "points": 99.0, "grade_id": "check-T3", "locked": False}
    _task(notebook)["metadata"] |= {"nbgrader": graded | {"schema_version": 3, "cell_type": "code", "task": True}}
    _check(notebook)["metadata"] |= {"nbgrader": graded, "exercise": "3.1"}


hostile("test edited", "the check of T3 was edited", change=_edit)
hostile("test deleted", "the check of T3 was deleted", change=_delete)
hostile("test renamed", "the check of T3 was deleted", change=_rename)
hostile("output forged", "the check of T3 was edited", change=_outputs)
hostile("cells duplicated", "", change=_duplicate)
hostile("cells split", "", change=_split)
hostile("nbgrader metadata forged", "", change=_dress_up)
hostile("another's answer", "", change=_swap)
hostile(
    "check patched",
    "changes engine.same",
    ZEROS + "from course_utils.exercises import engine\nengine.same = engine.expect = lambda *a, **k: None\n"
    "engine.Judge.part = None\nengine.judge = None",
)
hostile(
    "torch patched",
    "changes torch.allclose",
    ZEROS + "torch.allclose = lambda *a, **k: True\ntorch.Tensor.__eq__ = lambda a, b: True",
)
hostile(
    "numpy patched",
    "changes np.allclose",
    ZEROS + "import numpy as np\nnp.allclose = np.testing.assert_allclose = lambda *a, **k: True",
)
hostile(
    "AST transformer",
    "calls get_ipython",
    ZEROS + "import ast\nclass T(ast.NodeTransformer):\n    def visit_Assert(self, node):\n        return None\n"
    "get_ipython().ast_transformers.append(T())",
)
hostile(
    "input transformer", "calls get_ipython", ZEROS + "get_ipython().input_transformers_post.append(lambda lines: [])"
)
hostile(
    "display formatter",
    "imports IPython.core",
    ZEROS
    + "import IPython.core.formatters as f\nf.DisplayFormatter.format = lambda *a, **k: ({'text/plain': '5.0'}, {})\n"
    "print('5.0')\nprint('✓  T3  5 of 5 points')",
)
hostile(
    "sources imported",
    "imports course_utils.grading",
    "from course_utils.grading.tasks import TASKS\nempty_share = TASKS['T3'].reference",
)
hostile(
    "sources searched",
    "imports os",
    "import os, re\nfound = ''\nfor folder, _, files in os.walk('/'):\n    if '/proc' in folder or '/usr' in folder or 'site-packages' in folder:\n"
    "        continue\n    for file in files:\n        try:\n            text = open(os.path.join(folder, file)).read()\n        except Exception:\n            continue\n"
    "        if 'def empty_share(z: Float' in text:\n            exec(text)\n"
    + ZEROS.replace("return 0.0, 0.0", "return _empty_share_found(z, steps)"),
)
hostile(
    "database read",
    "calls open",
    "def empty_share(z, steps):\n    return len(open('{secret}').read()), 0.0",
)
hostile(
    "files written",
    "calls open",
    "def empty_share(z, steps):\n    for path in ['{secret}', '/course/course_utils/losses.py', '/inside.py', '/tmp/left', '/dev/shm/left']:\n"
    "        try:\n            open(path, 'w').write('forged')\n        except OSError:\n            pass\n    return 0.0, 0.0",
)
hostile("endless loop", "T3: ", "def empty_share(z, steps):\n    while True:\n        pass")
hostile(
    "loop that swallows interrupts",
    "T3: ",
    "import signal\nfor number in range(1, 32):\n    try:\n        signal.signal(number, lambda *a: None)\n    except (OSError, ValueError):\n        pass\n"
    "def empty_share(z, steps):\n    while True:\n        try:\n            while True:\n                pass\n        except BaseException:\n            pass",
)
hostile("endless cell", "T3: ", ZEROS + "while True:\n    pass")
hostile("os._exit in the cell", "T3: ", "import os\nos._exit(0)")
hostile("os._exit in the answer", "T3: ", "import os\ndef empty_share(z, steps):\n    os._exit(0)")
hostile("SystemExit", "T3: ", "def empty_share(z, steps):\n    raise SystemExit")
hostile("segmentation fault", "imports ctypes", "import ctypes\ndef empty_share(z, steps):\n    ctypes.string_at(0)")
hostile(
    "memory",
    "T3: ",
    "def empty_share(z, steps):\n    kept = []\n    while True:\n        kept.append(bytearray(50_000_000))\n        kept[-1][::4096] = b'x' * len(kept[-1][::4096])",
)
hostile(
    "memory without a name",
    "T3: ",
    "import os\ndef empty_share(z, steps):\n    kept = []\n    while True:\n        try:\n            kept.append(os.memfd_create('x'))\n            os.write(kept[-1], bytes(8_000_000))\n        except OSError:\n"
    "            pid = os.fork()\n            if pid:\n                os.waitpid(pid, 0)\n            kept = []",
)
hostile("output flood", "T3: ", "def empty_share(z, steps):\n    while True:\n        print('x' * 10_000)")
hostile("returns a flood", "T3: it returned more numbers", "def empty_share(z, steps):\n    return [0.0] * 300_000")
hostile(
    "fork bomb",
    "imports os",
    "import os\ndef empty_share(z, steps):\n    for _ in range(10_000):\n        try:\n            if os.fork() == 0:\n                while True:\n                    pass\n        except OSError:\n            break\n    return 0.0, 0.0",
)
hostile(
    "detached process",
    "imports subprocess",
    "import subprocess\nsubprocess.Popen(['/usr/bin/sleep', '98765'], start_new_session=True)\n" + ZEROS,
)
hostile(
    "kills everything",
    "imports os",
    "import os, signal\nfor which in (-1, 0, os.getppid(), 1):\n    try:\n        os.kill(which, signal.SIGKILL)\n    except OSError:\n        pass\n"
    + ZEROS,
)
hostile(
    "kills later",
    "imports os",
    "import os, threading\nthreading.Timer(0.3, os._exit, [0]).start()\n" + ZEROS,
)
hostile(
    "network",
    "imports socket",
    "import socket\ndef empty_share(z, steps):\n    s = socket.create_connection(('127.0.0.1', {port}), timeout=1)\n    return float(s.recv(10)), 0.0",
)
hostile(
    "replies forged beforehand",
    "T3: ",
    "import json, os, struct\nfor fd in range(3, 60):\n    try:\n        m = json.dumps(['ok', [0.5, 0.5]]).encode()\n        os.write(fd, 50 * (struct.pack('>Q', len(m)) + m))\n    except OSError:\n        pass\n"
    + ZEROS,
)
hostile(
    "replies forged in the answer",
    "T3: something was sent",
    "import json, os, struct\ndef empty_share(z, steps):\n    for fd in range(3, 60):\n        try:\n            m = json.dumps(['ok', [0.5, 0.5]]).encode()\n            os.write(fd, 50 * (struct.pack('>Q', len(m)) + m))\n        except OSError:\n            pass\n    return 0.0, 0.0",
)
hostile(
    "reply that claims to be endless",
    "T3: ",
    "import os, struct\ndef empty_share(z, steps):\n    for fd in range(3, 60):\n        try:\n            os.write(fd, struct.pack('>Q', 2**62))\n        except OSError:\n            pass\n    return 0.0, 0.0",
)
hostile(
    "encoder patched",
    "changes answer.encode",
    'from course_utils.exercises import answer\nanswer.encode = lambda value: b\'["ok", {{"array": "gASVAA=="}}]\'\n'
    + ZEROS,
)
hostile(
    "pickle in the reply",
    "changes answer.encode",
    "import base64, io, json, os\nimport numpy as np\nfrom course_utils.exercises import answer\nclass Bomb:\n    def __reduce__(self):\n        return os.system, ('touch {secret}.owned',)\n"
    "buffer = io.BytesIO()\nnp.save(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)\n"
    "answer.encode = lambda value: json.dumps(['ok', {{'array': base64.b64encode(buffer.getvalue()).decode()}}]).encode()\n"
    + ZEROS,
)
hostile(
    "array of a billion promised",
    "changes answer.encode",
    "import base64, io, json\nimport numpy as np\nfrom course_utils.exercises import answer\nbuffer = io.BytesIO()\nnp.lib.format.write_array_header_1_0(buffer, {{'shape': (10**12,), 'fortran_order': False, 'descr': '<f8'}})\n"
    "answer.encode = lambda value: json.dumps(['ok', {{'array': base64.b64encode(buffer.getvalue()).decode()}}]).encode()\n"
    + ZEROS,
)
hostile(
    "nested a million times",
    "changes answer.encode",
    "from course_utils.exercises import answer\nanswer.encode = lambda value: b'[\"ok\", ' + b'[' * 1_000_000 + b']' * 1_000_000 + b']'\n"
    + ZEROS,
)
hostile(
    "looks at the clock",
    "imports time",
    "import time\nbegun = time.time()\ndef empty_share(z, steps):\n    return (float('nan'), float('nan')) if time.time() - begun < 1 else (float('inf'), 1.0)",
)
hostile(
    "slow at every call",
    "T3: ",
    "import time\ndef empty_share(z, steps):\n    time.sleep(0.9)\n    return 0.0, 0.0",
)
hostile(
    "sources written",
    "imports pathlib",
    "import pathlib\nfor path in pathlib.Path('/course/course_utils').rglob('*.py'):\n    try:\n        path.write_text('def judge(*a): return 5')\n    except OSError:\n        pass\n"
    + ZEROS,
)
hostile(
    "counts calls",
    "changes the global calls",
    "calls = 0\ndef empty_share(z, steps):\n    global calls\n    calls += 1\n    return (1.0, calls / 8)",
)
hostile(
    "equals everything",
    "defines __eq__",
    "class Any(float):\n    def __eq__(self, other):\n        return True\n    def __sub__(self, other):\n        return 0.0\n    __lt__ = __gt__ = __le__ = __ge__ = __eq__\ndef empty_share(z, steps):\n    return Any(), Any()",
)
hostile(
    "tensor that equals everything",
    "defines __torch_function__",
    "class Any(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, function, types, args=(), kwargs=None):\n        return True\n"
    "def empty_share(z, steps):\n    return torch.zeros(()).as_subclass(Any), torch.zeros(()).as_subclass(Any)",
)
hostile(
    "searches memory",
    "imports gc",
    "import gc\ndef empty_share(z, steps):\n    for thing in gc.get_objects():\n        if getattr(thing, 'id', None) == 'T3' and hasattr(thing, 'reference'):\n            return thing.reference(z, steps)\n    return 0.0, 0.0",
)
hostile(
    "report forged",
    "changes answer.encode",
    'from course_utils.exercises import answer\nanswer.encode = lambda v: b\'["failed", "a\\\\n\\\\n- ada and bea: 100 %\\\\u001b[2J"]\'\n'
    + ZEROS,
)
hostile(
    "remarks flooded",
    "more like these",
    ZEROS + "\n".join(f"import a{n}{'a' * 500}" for n in range(300)),
)
hostile(
    "classes that never end, in many cells",
    "",
    added=tuple(f"class Endless{n}:\n    while True:\n        pass" for n in range(30)),
)
hostile(
    "slow classes in many cells",
    "",
    added=tuple(f"import time\nclass Slow{n}:\n    time.sleep(1.5)" for n in range(30)),
)
hostile("code too deep", "", ZEROS + "x = " + "(" * 5000 + "1" + ")" * 5000)
hostile("zero bytes", "", ZEROS + "x = '\0'")
hostile(
    "task in a cell that also runs",
    "",
    "raise NotImplementedError",
    added=("print('hello')\ndef empty_share(z, steps):\n    return 1",),
)

"""Opens the course: brings the workbook up to date and starts JupyterLab on it, for this machine alone.

JupyterLab runs inside this process, so nothing is left behind when it stops. It keeps its settings in
workbook/.jupyter: whatever the reader's own ~/.jupyter holds neither breaks the course nor is changed by it.
"""

import argparse
import json
import logging
import os
import secrets
import signal
import sys
import webbrowser
from urllib.parse import quote

from course_utils import places, workbook
from course_utils.errors import CourseError

ADDRESS = "127.0.0.1"
FIRST_PORT = 8888
FIRST_LESSON = "00_start_here.ipynb"

# What JupyterLab does differently here; the reader may change it back in its Settings menu.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # Cells out of sight stay in the page: experiments keep running, and Find in the browser finds everything.
    # Long lines of code are wrapped, so that nothing is cut off beside the list of files.
    "@jupyterlab/notebook-extension:tracker": {
        "windowingMode": "none",
        "codeCellConfig": {"lineNumbers": False, "lineWrap": True},
    },
    "@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": 15},
}

# Progress bars come as stderr, which JupyterLab would show on red, as if they were errors.
STYLE = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr'] { background: none; }\n"

# Warnings that come with every lesson opened, and that the reader can do nothing about.
NOISE = ("is not trusted", "websocket_ping_timeout")
NBGRADER = [
    f"nbgrader.server_extensions.{name}"
    for name in ("formgrader", "validate_assignment", "assignment_list", "course_list")
]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.lab",
        description="Open the course in JupyterLab. Your own copies of the lessons are made on the way.",
    )
    parser.add_argument(
        "--port", metavar="N", help=f"where to listen (without it: {FIRST_PORT}, or the next port that is free)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    given = parser.parse_args(arguments)
    try:
        port = asked_port(given.port) if given.port else free_port()
        for line in workbook.update():
            print(line, flush=True)
        _serve(port, browser=not given.no_browser and "CI" not in os.environ and _has_browser())
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the server has begun to listen for it
        pass
    print("The course is closed.", flush=True)
    return 0


def _serve(port: int, browser: bool) -> None:
    """Run JupyterLab until Ctrl+C."""
    _prepare()
    import zmq  # these two only here, where the environment that they read is prepared
    from jupyterlab.labapp import LabApp

    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24)
    page = f"/lab/tree/{FIRST_LESSON}" if (places.workbook() / FIRST_LESSON).exists() else "/lab"
    # Given in full, because what stands on the command line wins over every configuration file.
    server = LabApp.initialize_server(
        [
            f"--ServerApp.ip={ADDRESS}",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            "--ServerApp.base_url=/",
            "--ServerApp.certfile=",
            "--ServerApp.keyfile=",
            "--ServerApp.allow_root=True",  # in a container there is often no other user
            f"--ServerApp.root_dir={places.workbook()}",
            f"--ServerApp.open_browser={browser}",
            f"--IdentityProvider.token={token}",
            "--PasswordIdentityProvider.hashed_password=",
            "--PasswordIdentityProvider.password_required=False",
            f"--LabApp.default_url={page}",
            "--LabApp.custom_css=True",
            # Experiments answer at once: see there.
            "--ServerApp.kernel_websocket_connection_class=course_utils.connection.PromptConnection",
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",  # the other one asks the package index
            "--Application.log_level=WARN",
            f"--ServerApp.jpserver_extensions={dict.fromkeys(NBGRADER, False)}",  # an instructor's, here they only warn
            # Kernels warn when other users of the machine could read along.
            *(["--KernelManager.transport_encryption=auto"] if zmq.has("curve") else []),
        ]
    )
    for log in (server.log, logging.getLogger("tornado.general")):
        log.addFilter(lambda record: not any(words in record.getMessage() for words in NOISE))
    for name in (signal.SIGINT, signal.SIGTERM):  # Jupyter's own handler asks whether one is sure
        signal.signal(name, lambda *_: server.stop(from_signal=True))
    address = f"http://{ADDRESS}:{port}{page}?token={quote(token, safe='')}"
    # Said by the event loop, that is, once it answers.
    server.io_loop.add_callback(print, f"The course is open at {address}  (Ctrl+C stops it)", flush=True)
    server.start()


def _prepare() -> None:
    """Point Jupyter, and the kernels that it starts, to the course's folders."""
    from jupyter_core.paths import jupyter_runtime_dir

    # Kernels start in the folder of their notebook, where a relative path would mean something else.
    os.environ["COURSE_NOTEBOOKS"] = str(places.notebooks().resolve())
    os.environ["COURSE_WORKBOOK"] = str(places.workbook().resolve())
    os.environ["COURSE_PROGRESS"] = str(places.progress_file().resolve())
    os.environ["COURSE_DATA"] = str(places.data().resolve())

    # Stays where it is: its files are for the reader's eyes only, which not every disk can promise.
    os.environ["JUPYTER_RUNTIME_DIR"] = jupyter_runtime_dir()
    own = places.workbook() / ".jupyter"
    os.environ["JUPYTER_CONFIG_DIR"] = str(own)
    os.environ["JUPYTER_DATA_DIR"] = str(own / "data")
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # "python3" is the kernel of this environment
    for file, text in {
        own / "labconfig" / "default_setting_overrides.json": json.dumps(SETTINGS, indent=1),
        own / "custom" / "custom.css": STYLE,
    }.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CourseError(
                f"{file} could not be written ({error.strerror}): make room or check the folder, then try again."
            ) from error


def asked_port(text: str) -> int:
    """The port that was asked for, if it can be had."""
    port = int(text) if text.isdecimal() else 0
    if not 1 <= port <= 65535:
        raise CourseError(f"{text} is no port: give a number from 1 to 65535, such as {FIRST_PORT}.")
    if problem := _problem(port):
        raise CourseError(f"Port {port} cannot be used ({problem}): choose another, or leave it out to get a free one.")
    return port


def free_port() -> int:
    """The first port that is free, said if it is not the usual one."""
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        if not _problem(port):
            if port != FIRST_PORT:
                print(f"Port {FIRST_PORT} is taken, so the course uses {port}.", flush=True)
            return port
    raise CourseError(f"No port from {FIRST_PORT} to {port} is free: stop a server that you no longer need.")


def _problem(port: int) -> str | None:
    """Why the port cannot be listened on, or None if it can."""
    from tornado.netutil import bind_sockets

    try:
        for socket in bind_sockets(port, ADDRESS):
            socket.close()
    except OSError as error:
        return error.strerror
    return None


def _has_browser() -> bool:
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())

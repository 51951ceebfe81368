"""`python -m course_utils.lab` as a learner starts it: one address, for this machine alone, and nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from jupyter_client import BlockingKernelClient

from course_utils import lab

pytestmark = pytest.mark.skipif(os.name == "nt", reason="an interrupt cannot be sent to a process on Windows")
READY = 60  # seconds until a busy machine must have answered

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
# What a learner's own Jupyter may be set to.
HOSTILE = {
    "ServerApp": {"ip": "0.0.0.0", "port": 1, "root_dir": "/", "base_url": "/elsewhere", "certfile": "/none.pem"},
    "IdentityProvider": {"token": "known to everybody"},
    "PasswordIdentityProvider": {
        "hashed_password": "argon2:$argon2id$v=19$m=10240,t=10,p=8$none",
        "password_required": 1,
    },
    "LabApp": {"default_url": "/tree"},
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment with a new workbook, and a home whose Jupyter is set to everything that could be in the way."""
    home = tmp_path_factory.mktemp("home")
    notebooks = home / "course" / "notebooks"
    kernel = home / ".local" / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    for folder in (notebooks, kernel.parent, home / ".jupyter", home / "site"):
        folder.mkdir(parents=True)
    for name in ("00_start_here", "01_autoencoders"):
        (notebooks / f"{name}.ipynb").write_text(json.dumps(NOTEBOOK))
    for folder in (home / ".jupyter", home / "site"):
        (folder / "jupyter_server_config.json").write_text(json.dumps(HOSTILE))
    kernel.write_text(json.dumps({"argv": ["false"], "display_name": "Another Python", "language": "python"}))
    unset = ("JUPYTER", "COURSE", "XDG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    return kept | {
        "HOME": str(home),
        "COURSE_NOTEBOOKS": str(notebooks),
        "COURSE_WORKBOOK": "my workbook",  # with a blank, and relative to the folder where the learner stands
        "JUPYTER_CONFIG_PATH": str(home / "site"),
        "CI": "1",
    }


def start(environment, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "course_utils.lab", *arguments],
        env=environment,
        cwd=environment["HOME"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_address(process):
    """The lines up to the address, and the address."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("The course is open at http"):
            return lines, line.split()[5]
    raise AssertionError(f"no address: {lines}")


def stop(process):
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=READY)[0]


def get(url, token=None, data=None):
    request = urllib.request.Request(url, data=data, headers={"Authorization": f"token {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=READY) as answer:
        return answer.read().decode()


ASK = "import os, sys; print(sys.executable, os.environ['COURSE_WORKBOOK'], sep=chr(10))"


def run_in_kernel(connection_file, code):
    """What the code prints."""
    client, said = BlockingKernelClient(connection_file=connection_file), []
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=READY)
    client.execute_interactive(code, output_hook=lambda message: said.append(message["content"].get("text", "")))
    client.stop_channels()
    return "".join(said)


@pytest.fixture
def taken_port():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture(scope="module")
def course(environment):
    process = start(environment)
    lines, address = read_address(process)
    site, token = address.split("/lab/tree/")[0], address.split("token=")[1]
    yield {"process": process, "lines": lines, "address": address, "site": site, "token": token}
    process.kill()
    process.wait()


def test_the_address_alone_is_printed_and_opens_the_first_lesson(course):
    said = [line for line in course["lines"] if not line.startswith("Port 8888 is taken")]
    assert said[0] == "New in your workbook: 00_start_here, 01_autoencoders.\n"
    assert said[1] == f"The course is open at {course['address']}  (Ctrl+C stops it)\n" and len(said) == 2
    assert course["address"].startswith("http://127.0.0.1:")
    assert "/lab/tree/00_start_here.ipynb?token=" in course["address"]
    assert "jupyter-config-data" in get(course["address"])


def test_the_workbook_is_served_and_only_to_who_has_the_token(course):
    contents = f"{course['site']}/api/contents"
    shown = {item["name"] for item in json.loads(get(contents, course["token"]))["content"]}
    assert shown == {"00_start_here.ipynb", "01_autoencoders.ipynb"}
    for token in (None, "guessed", "known to everybody"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(contents, token)


def test_nothing_asks_the_network_for_news(course):
    page = get(course["address"])
    config = json.loads(page.split('id="jupyter-config-data" type="application/json">')[1].split("</script>")[0])
    assert config["news"] == {"disabled": True}
    settings = f"{course['site']}/lab/api/settings/@jupyterlab/apputils-extension:notification"
    defaults = json.loads(get(settings, course["token"]))["schema"]["properties"]
    assert defaults["fetchNews"]["default"] == "false" and defaults["checkForUpdates"]["default"] is False


def test_the_kernel_is_this_python_and_ctrl_c_leaves_no_process(course, environment):
    """Last of those that use the running course, for it stops it."""
    server = psutil.Process(course["process"].pid)
    get(f"{course['site']}/api/kernels", course["token"], data=b'{"name": "python3"}')
    deadline = time.monotonic() + READY
    while not (kernels := [child for child in server.children() if "ipykernel_launcher" in child.cmdline()]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    said = run_in_kernel(connection_file=kernels[0].cmdline()[4], code=ASK)
    assert said.split("\n")[:2] == [sys.executable, str((Path(environment["HOME"]) / "my workbook").resolve())]

    listening = [c.laddr.ip for c in server.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening and set(listening) == {"127.0.0.1"}

    children = server.children(recursive=True)
    rest = stop(course["process"])
    assert course["process"].returncode == 0
    assert rest.endswith("The course is closed.\n") and "Traceback" not in rest and "?" not in rest
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []


def test_the_learners_own_jupyter_settings_stay_as_they_are(course, environment):
    own = Path(environment["HOME"]) / ".jupyter"
    assert {path.name for path in own.rglob("*")} == {"jupyter_server_config.json"}


def test_a_token_can_be_set(environment):
    process = start(environment | {"JUPYTER_TOKEN": "set & known"})
    _, address = read_address(process)
    try:
        assert address.endswith("?token=set%20%26%20known")
        assert "jupyter-config-data" in get(address)
    finally:
        stop(process)


def test_a_taken_port_that_was_asked_for_gives_one_line(environment, taken_port):
    process = start(environment, "--port", str(taken_port))
    said = process.communicate(timeout=READY)[0]
    assert process.returncode == 1 and said.count("\n") == 1
    assert said.startswith(f"Port {taken_port} cannot be used (Address already in use)")


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "8888.5", "²"])
def test_a_bad_port_gives_one_line(capsys, port):
    assert lab.main(["--port", port]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and f"{port} is no port" in said.err


def test_without_a_port_the_next_free_one_is_taken_and_said(monkeypatch, capsys, taken_port):
    monkeypatch.setattr(lab, "FIRST_PORT", taken_port)
    port = lab.free_port()
    assert port > taken_port
    assert capsys.readouterr().out == f"Port {taken_port} is taken, so the course uses {port}.\n"


def test_a_workbook_that_cannot_be_written_gives_one_line(environment, tmp_path):
    (tmp_path / "file").touch()
    process = start(environment | {"COURSE_WORKBOOK": str(tmp_path / "file" / "workbook")})
    said = process.communicate(timeout=READY)[0].splitlines()
    assert process.returncode == 1 and "could not be written" in said[-1] and len(said) <= 2

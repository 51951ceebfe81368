"""The desk: nbgrader's formgrader on this machine alone, for answers that a person marks."""

import json
import os
import secrets
import signal
from pathlib import Path

from course_utils.lab import ADDRESS, asked_port, free_port

CONFIG = '''"""Where nbgrader finds the class; written by `grade desk`."""

c = get_config()  # noqa: F821
c.CourseDirectory.root = {root!r}
c.CourseDirectory.db_url = {url!r}
c.Exchange.root = {exchange!r}  # not used: nbgrader complains without a folder for it
'''


# nbgrader's page asks a content network for MathJax. Formulas are MathML already, and nothing comes from elsewhere.
POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data:"


def desk(folder: Path, port: str | None, browser: bool) -> None:
    """Serve the desk until Ctrl+C."""
    folder = folder.resolve()
    own = folder / ".jupyter"
    own.mkdir(exist_ok=True)
    url = f"sqlite:///{folder / 'gradebook.db'}"
    text = CONFIG.format(root=str(folder), url=url, exchange=str(own))
    (folder / "nbgrader_config.py").write_text(text, encoding="utf-8")
    os.environ.update(JUPYTER_CONFIG_DIR=str(own), JUPYTER_DATA_DIR=str(own / "data"))
    os.chdir(folder)
    from jupyter_server.serverapp import ServerApp

    number = asked_port(port) if port else free_port()
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24)
    app = ServerApp.instance()
    app.initialize(
        [
            f"--ServerApp.ip={ADDRESS}",
            f"--ServerApp.port={number}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder}",
            "--ServerApp.allow_root=True",
            f"--ServerApp.open_browser={browser}",
            "--ServerApp.default_url=/formgrader/gradebook",
            "--ServerApp.terminals_enabled=False",
            "--ServerApp.tornado_settings=" + json.dumps({"headers": {"Content-Security-Policy": POLICY}}),
            f"--IdentityProvider.token={token}",
            "--PasswordIdentityProvider.hashed_password=",
            "--PasswordIdentityProvider.password_required=False",
            '--ServerApp.jpserver_extensions={"nbgrader.server_extensions.formgrader": True}',
            "--Application.log_level=WARN",
        ]
    )
    address = f"http://{ADDRESS}:{number}/formgrader/gradebook?token={token}"
    app.io_loop.add_callback(print, f"The desk is open at {address}  (Ctrl+C closes it)", flush=True)
    for name in (signal.SIGINT, signal.SIGTERM):  # Jupyter's own handler asks whether one is sure
        signal.signal(name, lambda *_: app.stop(from_signal=True))
    app.start()
    print("The desk is closed.", flush=True)

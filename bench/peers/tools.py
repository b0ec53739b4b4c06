"""How a peer's program is got: from the machine, or once, at a pinned version, into the folder `peers` of the venv."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.peers.peer import PeerMissing

FOLDER = Path(sys.prefix) / "peers"
INSTALL_SECONDS = 600


def of_system(command: str, package: str) -> Path:
    """Raises PeerMissing, which names Debian's package."""
    found = shutil.which(command, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        raise PeerMissing(f"not installed: apt-get install {package}")
    return Path(found)


def of_python(requirement: str, command: str) -> Path:
    """The command of a package, which gets a venv of its own. Raises PeerMissing."""
    folder = FOLDER / requirement
    program = folder / "bin" / command
    if not program.exists():
        uv = Path(sys.executable).with_name("uv")
        _announce(requirement)
        _run([str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
        _run([str(uv), "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), requirement])
    return program


def of_go(module: str, version: str, command: str) -> Path:
    """The command that `go install` builds. Raises PeerMissing."""
    folder = FOLDER / f"{command}-{version}"
    program = folder / command
    if not program.exists():
        go = shutil.which("go")
        if go is None:
            raise PeerMissing("go is not installed, which builds it")
        _announce(f"{module}@{version}")
        _run([go, "install", f"{module}@{version}"], GOBIN=str(folder))
    return program


def _announce(what: str) -> None:
    print(f"installing {what} (once; a minute or two)", file=sys.stderr, flush=True)


def _run(command: list[str], **environment: str) -> None:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissing(f"cannot be installed: {error}") from error
    if done.returncode != 0:
        raise PeerMissing(f"cannot be installed: {done.stderr.strip()[-300:]}")

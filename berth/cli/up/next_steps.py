"""The four lines that a newcomer types next."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from berth.registries.addresses import Addresses
from berth.settings import Settings

DEFAULT_DATA = Settings.model_fields["data"].default


def next_steps(settings: Settings) -> str:
    addresses = Addresses(settings)
    image = addresses.repository_uri(settings.registry, "hello")
    host = addresses.host(settings.registry)
    return f"""
Berth is ready. In another terminal:

  eval "$({berth_env(settings)})"
  aws ecr create-repository --repository-name hello
  aws ecr get-login-password | docker login --username AWS --password-stdin {host}
  docker tag IMAGE {image} && docker push {image}

Ctrl-C stops it; the data stays.
"""


def berth_env(settings: Settings) -> str:
    """How the user calls this same `berth env` for the same data folder, from the folder that they are in."""
    program = Path(sys.argv[0]).absolute()
    if shutil.which("berth") == str(program):
        command = "berth"
    else:
        command = shlex.quote(os.path.relpath(program) if program.is_relative_to(Path.cwd()) else str(program))
    if settings.data == DEFAULT_DATA:
        return f"{command} env"
    return f"{command} env --data {shlex.quote(str(settings.data.absolute()))}"

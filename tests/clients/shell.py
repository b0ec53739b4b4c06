"""Run a client as a user would, in an environment that shares nothing with the machine's own settings."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

POLICY = {"default": [{"type": "insecureAcceptAnything"}]}


class ProgramFailed(AssertionError):
    """A client did not do what it was asked; shows the command and what it said."""


@dataclass(frozen=True)
class Shell:
    """A user's shell: the environment and the folder that commands run in."""

    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def isolated(cls, folder: Path, environment: Mapping[str, str]) -> Self:
        """Make a shell whose home, credentials and image storage lie in `folder`, so that no test sees another."""
        settings = folder / "settings"
        (settings / "containers").mkdir(parents=True)
        (settings / "containers/policy.json").write_text(json.dumps(POLICY))
        # vfs copies where overlay mounts: it works in any folder and leaves no mount behind
        (settings / "storage.conf").write_text(
            f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/storage"\nrunroot = "{folder}/run"\n'
        )
        (settings / "containers.conf").write_text(
            '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\nlock_type = "file"\n'
            f'tmp_dir = "{folder}/engine"\n'
        )
        own = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "XDG_CONFIG_HOME": str(settings),
            "XDG_RUNTIME_DIR": str(folder / "runtime"),
            "DOCKER_CONFIG": str(folder / "docker"),
            "DOCKER_BUILDKIT": "0",  # the classic builder is in the engine itself and asks no other registry
            "DOCKER_CLI_EXPERIMENTAL": "enabled",
            "REGISTRY_AUTH_FILE": str(folder / "auth.json"),
            "CONTAINERS_STORAGE_CONF": str(settings / "storage.conf"),
            "CONTAINERS_CONF": str(settings / "containers.conf"),
            "BUILDAH_ISOLATION": "chroot",
            "AWS_CONFIG_FILE": str(folder / "no-aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-aws-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }
        (folder / "runtime").mkdir(mode=0o700)
        return cls(folder, own | dict(environment))

    def having(self, **environment: str) -> Self:
        """The same shell with more variables."""
        return replace(self, environment={**self.environment, **environment})

    def __call__(self, *command: str | Path, stdin: str | None = None, status: int = 0, timeout: float = 300) -> str:
        """Run `command` and answer what it printed; raise ProgramFailed when its exit status is not `status`."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            env=dict(self.environment),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != status:
            raise ProgramFailed(f"{command} ended with {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done.stdout

    def json(self, *command: str | Path, stdin: str | None = None) -> Any:
        """Run `command` and answer the JSON document that it printed."""
        return json.loads(self(*command, stdin=stdin))

"""The installed aws CLI, kept in one process: to start it anew for each call would cost a minute of CPU."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.absences import absent

from .conftest import HERE
from .shell import Shell


@dataclass(frozen=True)
class Said:
    """What a call of the CLI left: its exit status, what it printed and what it complained of."""

    status: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        """The JSON that it printed or, where that is none, the text."""
        try:
            return json.loads(self.out)
        except ValueError:
            return self.out.strip()


class AwsCli:
    """`aws ecr …`, or another service's, in the shell's folder, with its environment. Use it as a context."""

    def __init__(self, shell: Shell, service: str = "ecr") -> None:
        self.process = subprocess.Popen(
            [_python_of_the_cli(), HERE / "cli_process.py", service],
            cwd=shell.folder,
            env=dict(shell.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=60)

    def __call__(self, *words: str) -> Said:
        """Run `aws SERVICE WORDS`."""
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(words), file=self.process.stdin, flush=True)
        return Said(**json.loads(self.process.stdout.readline()))

    def subcommands(self) -> set[str]:
        """What the CLI itself says it has for the service, and under `wait`: `wait image-scan-complete`."""
        words = self._choices("no-such-subcommand")
        waiters = self._choices("wait", "no-such-waiter")
        return words - {"wait"} | {f"wait {waiter}" for waiter in waiters}

    def _choices(self, *words: str) -> set[str]:
        _, marked, choices = self(*words).err.partition("valid choices are:")
        assert marked
        return set(re.findall(r"[a-z][a-z-]+", choices))


def _python_of_the_cli() -> Path:
    """The interpreter of the virtual environment that the CLI is installed in, as its first line names it."""
    with Path(shutil.which("aws") or "").open("rb") as program:
        line = program.readline(1000).decode(errors="replace")
    interpreter = Path(line.removeprefix("#!").strip())
    if "python" not in interpreter.name:
        absent("the aws on PATH is not a Python program (.ci/install installs one that is)")
    return interpreter

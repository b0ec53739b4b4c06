"""Programs in other languages, built where their sources or the SDK that they name changed, and kept between runs.

What they stand on comes from the languages' own registries, so a build needs the network once.
"""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.absences import absent

from .conftest import HERE
from .shell import ProgramFailed, Shell

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "berth-ci"
BUILD_SECONDS = 600
FETCHES = 3  # a network hiccup is no reason to fail


@dataclass(frozen=True)
class Language:
    """How a program is made in its folder: what is fetched, what is built of it, and how it is run from another."""

    name: str
    fetch: str
    build: str
    run: tuple[str, ...]


GO = Language("go", "go mod download", "go build -mod=readonly -o flow .", ("{folder}/flow",))
JAVA = Language(
    "java",
    "mvn --quiet --batch-mode --strict-checksums dependency:copy-dependencies -DoutputDirectory=jars",
    "javac -Xlint:all -Werror -cp jars/* -d . Flow.java Json.java",
    ("java", "-cp", "{folder}:{folder}/jars/*", "Flow"),
)
JAVASCRIPT = Language(
    "javascript",
    "npm ci --ignore-scripts --no-audit --no-fund",
    "node --check flow.js",
    ("node", "--no-warnings", "{folder}/flow.js"),
)


def command(language: Language) -> list[str]:
    """The command that runs the program, built if it was not."""
    sources = HERE / "sdk" / language.name
    folder = CACHE / f"sdk-{language.name}-{_hash(language, sources)}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="building-") as building:
            _build(language, shutil.copytree(sources, Path(building) / language.name))
            # whole or not there at all, whoever else builds it now
            (Path(building) / language.name).rename(folder)
    return [word.format(folder=folder) for word in language.run]


def _build(language: Language, folder: Path) -> None:
    shell = Shell(folder, {**os.environ, "CGO_ENABLED": "0"})
    for chances_left in reversed(range(FETCHES)):
        try:
            shell(*language.fetch.split(), timeout=BUILD_SECONDS)
            break
        except ProgramFailed as failure:
            if not chances_left:
                absent(f"the SDK for {language.name} cannot be had: {failure}")
    shell(*language.build.split(), timeout=BUILD_SECONDS)


def _hash(language: Language, sources: Path) -> str:
    hashed = hashlib.sha256(repr(language).encode())
    for path in sorted(sources.iterdir()):
        hashed.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return hashed.hexdigest()[:16]

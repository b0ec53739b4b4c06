"""How clients ask for the digest of an image by TLS, with and without trust in a certificate authority."""

from collections.abc import Callable
from pathlib import Path

from .shell import Shell

# A shell where the client finds its credentials, the image, and the CA's certificate; answers the digest.
Reader = Callable[[Shell, str, Path | None], str]


def folder_of(shell: Shell, trust: Path) -> Path:
    folder = shell.folder / "trusted"
    folder.mkdir()
    (folder / "ca.crt").write_bytes(trust.read_bytes())
    return folder


def crane(shell: Shell, image: str, trust: Path | None) -> str:
    trusting = shell.having(SSL_CERT_FILE=str(trust)) if trust else shell
    return trusting("crane", "digest", image)


def skopeo(shell: Shell, image: str, trust: Path | None) -> str:
    options = ["--cert-dir", folder_of(shell, trust)] if trust else []
    return shell("skopeo", "inspect", "--no-tags", "--format", "{{.Digest}}", *options, f"docker://{image}")


def podman(shell: Shell, image: str, trust: Path | None) -> str:
    options = ["--cert-dir", folder_of(shell, trust)] if trust else []
    shell("podman", "pull", *options, image)
    return shell("podman", "image", "inspect", "--format", "{{.Digest}}", image)


def oras(shell: Shell, image: str, trust: Path | None) -> str:
    return shell("oras", "resolve", *(["--ca-file", trust] if trust else []), image)


def regctl(shell: Shell, image: str, trust: Path | None) -> str:
    if trust:
        shell("regctl", "registry", "set", "--cacert", trust.read_text(), image.split("/")[0])
    return shell("regctl", "image", "digest", image)


def cosign(shell: Shell, image: str, trust: Path | None) -> str:
    tag = shell("cosign", "triangulate", *(["--registry-cacert", trust] if trust else []), image)
    return tag.rpartition(":")[2].removesuffix(".sig\n").replace("-", ":")


READERS: tuple[Reader, ...] = (crane, skopeo, podman, oras, regctl, cosign)

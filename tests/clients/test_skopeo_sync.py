"""skopeo sync: a repository goes to a folder and comes back into another, as between networks that never meet."""

from collections.abc import Iterator
from typing import Any

import pytest

from . import layouts
from .conftest import Repository
from .shell import Shell
from .small import small_layout
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "skopeo")

TAGS = ("1.0", "1.1", "2.0")


@pytest.fixture
def skopeo(shell: Shell, password: str, repository: Repository) -> Shell:
    login = ["skopeo", "login", "--tls-verify=false", "-u", "AWS", "--password-stdin", repository.host]
    shell(*login, stdin=password)
    return shell


@pytest.fixture
def layout(skopeo: Shell, repository: Repository) -> layouts.Layout:
    """Push an index of two platforms under three tags."""
    written = small_layout(skopeo.folder)
    copy = ["skopeo", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", f"oci:{written.folder}:both"]
    for tag in TAGS:
        skopeo(*copy, f"docker://{repository.uri}:{tag}")
    return written


@pytest.fixture
def other_shore(repository: Repository, ecr: Any) -> Iterator[Repository]:
    """Create the repository that the folder is synchronized to: skopeo appends the name that it had."""
    last = repository.name.rsplit("/", 1)[1]
    name, uri = f"{repository.name}/{last}", f"{repository.uri}/{last}"
    ecr.create_repository(repositoryName=name)
    yield Repository(name, uri)
    ecr.delete_repository(repositoryName=name, force=True)


def test_a_repository_goes_to_a_folder_and_into_another_repository_byte_for_byte(
    skopeo: Shell, repository: Repository, layout: layouts.Layout, other_shore: Repository, ecr: Any
) -> None:
    folder = skopeo.folder / "ship"
    sync = ["skopeo", "sync", "--all", "--preserve-digests"]
    skopeo(*sync, "--src", "docker", "--dest", "dir", "--src-tls-verify=false", repository.uri, folder)
    last = repository.name.rsplit("/", 1)[1]
    assert {path.name for path in folder.iterdir()} == {f"{last}:{tag}" for tag in TAGS}
    for tag in TAGS:
        synchronized = folder / f"{last}:{tag}"
        assert (synchronized / "manifest.json").read_text() == layout.text(layout.index)
        for digest in layout.images.values():
            name = digest.removeprefix("sha256:")
            assert (synchronized / f"{name}.manifest.json").read_text() == layout.text(digest)

    skopeo(*sync, "--src", "dir", "--dest", "docker", "--dest-tls-verify=false", folder, repository.uri)
    for tag in TAGS:
        assert stored_image(ecr, other_shore.name, imageTag=tag).text == layout.text(layout.index)
    for digest in layout.images.values():
        whole(ecr, other_shore.name, imageDigest=digest)


def test_a_list_of_tags_in_a_file_says_what_is_synchronized(
    skopeo: Shell, repository: Repository, layout: layouts.Layout
) -> None:
    wanted = skopeo.folder / "sync.yml"
    images = f"    {repository.name}: ['1.0', '2.0']\n"
    wanted.write_text(f"{repository.host}:\n  tls-verify: false\n  images:\n{images}")
    folder = skopeo.folder / "ship"
    skopeo("skopeo", "sync", "--all", "--src", "yaml", "--dest", "dir", wanted, folder)
    assert {path.name.rsplit(":", 1)[1] for path in folder.iterdir()} == {"1.0", "2.0"}
    synchronized = folder / f"{repository.name.rsplit('/', 1)[1]}:1.0"
    assert (synchronized / "manifest.json").read_text() == layout.text(layout.index)

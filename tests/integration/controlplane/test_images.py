"""PutImage, BatchGetImage, BatchDeleteImage."""

import json
from typing import Any

import pytest

from berth.database.db import Database
from berth.errors import ManifestsTooLong
from berth.images import pulls
from berth.images.manifests import DOCKER_MANIFEST
from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.pushing import (
    OCI_INDEX,
    OCI_MANIFEST,
    Pushed,
    digest_of,
    index_of,
    manifest_of,
    push_image,
    push_layer,
)

ABSENT = "sha256:" + "a" * 64
BAD_DIGEST = "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"


@pytest.fixture(autouse=True)
async def repository(api: Api) -> None:
    await api.create_repository(repositoryName="team/app")


def failure(image_id: dict[str, str], code: str, reason: str) -> dict[str, Any]:
    return {"imageId": image_id, "failureCode": code, "failureReason": reason}


def not_found(**image_id: str) -> dict[str, Any]:
    return failure(image_id, "ImageNotFound", "Requested image not found")


async def test_an_image_comes_back_byte_for_byte_as_it_was_put(api: Api, registry: Registry) -> None:
    config, layer = b'{"a": 1}', b"a layer"
    for content in (config, layer):
        await push_layer(api, "team/app", content)
    manifest = manifest_of(config, [layer], annotations={"ä": "\u2028"}) + "\n "
    put = await api.put_image(repositoryName="team/app", imageManifest=manifest, imageTag="v1")
    digest = digest_of(manifest.encode())
    image = {
        "registryId": registry.account,
        "repositoryName": "team/app",
        "imageId": {"imageDigest": digest, "imageTag": "v1"},
        "imageManifest": manifest,
        "imageManifestMediaType": OCI_MANIFEST,
    }
    assert put == {"image": image}
    for image_id in ({"imageTag": "v1"}, {"imageDigest": digest}, {"imageTag": "v1", "imageDigest": digest}):
        got = await api.batch_get_image(repositoryName="team/app", imageIds=[image_id])
        assert got == {"images": [image], "failures": []}


async def test_an_image_put_again_exists_already(api: Api, registry: Registry) -> None:
    pushed = await push_image(api, "team/app", "v1")
    members = {"repositoryName": "team/app", "imageManifest": pushed.manifest}
    refusal = await api.refused("put_image", **members, imageTag="v1")
    assert (refusal.code, refusal.status) == ("ImageAlreadyExistsException", 400)
    assert refusal.message == (
        f"Image with digest '{pushed.digest}' and tag 'v1' already exists in the repository with name 'team/app' "
        f"in registry with id '{registry.account}'"
    )
    assert (await api.refused("put_image", **members)).code == "ImageAlreadyExistsException"
    await api.put_image(**members, imageTag="v2", imageDigest=pushed.digest, imageManifestMediaType=OCI_MANIFEST)


async def test_a_mutable_tag_moves_and_an_immutable_one_stays(api: Api) -> None:
    one = await push_image(api, "team/app", "v1", seed="one")
    two = await push_image(api, "team/app", "v1", seed="two")
    got = await api.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    assert got["images"][0]["imageId"]["imageDigest"] == two.digest
    await api.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    refusal = await api.refused("put_image", repositoryName="team/app", imageManifest=one.manifest, imageTag="v1")
    assert refusal.code == "ImageTagAlreadyExistsException"
    assert refusal.message == (
        "The image tag 'v1' already exists in the 'team/app' repository "
        "and cannot be overwritten because the tag is immutable."
    )
    await api.put_image(repositoryName="team/app", imageManifest=one.manifest, imageTag="v2")


async def test_an_image_needs_its_layers_and_an_index_its_images(api: Api, registry: Registry) -> None:
    layer = digest_of(b"missing")
    refusal = await api.refused(
        "put_image", repositoryName="team/app", imageManifest=manifest_of(b"{}", [b"missing"]), imageTag="v1"
    )
    assert refusal.code == "LayersNotFoundException"
    assert layer in refusal.message
    absent = Pushed("x" * 10, ABSENT, 1)
    refusal = await api.refused("put_image", repositoryName="team/app", imageManifest=index_of(absent))
    assert (refusal.code, ABSENT in refusal.message) == ("ReferencedImagesNotFoundException", True)


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        (
            {"imageManifest": "{"},
            "InvalidParameterException",
            "'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
        ),
        ({"imageManifest": "[]"}, "InvalidParameterException", "ImageManifest"),
        ({"imageManifest": ""}, "InvalidParameterException", "length greater than or equal to 1"),
        ({"imageManifest": '{"schemaVersion": 1}'}, "InvalidParameterException", "schemaVersion"),
        ({"imageManifestMediaType": "text/plain"}, "InvalidParameterException", "media type"),
        ({"imageManifestMediaType": OCI_INDEX}, "InvalidParameterException", "media type"),
        (
            {"imageTag": "a b"},
            "InvalidParameterException",
            "'imageTag' failed to satisfy constraint: 'must satisfy regular expression '[a-zA-Z0-9-_.]+''",
        ),
        ({"imageTag": ""}, "InvalidParameterException", "imageTag"),
        ({"imageTag": "t" * 129}, "InvalidParameterException", "imageTag"),
        ({"imageTag": "t" * 301}, "InvalidParameterException", "length less than or equal to 300"),
        ({"imageDigest": "sha256:x"}, "InvalidParameterException", "imageDigest"),
        ({"imageDigest": ABSENT}, "ImageDigestDoesNotMatchException", ABSENT),
    ],
)
async def test_what_is_no_image_is_refused(api: Api, members: dict[str, str], code: str, text: str) -> None:
    pushed = await push_image(api, "team/app")
    given = {"repositoryName": "team/app", "imageManifest": pushed.manifest, **members}
    refusal = await api.refused("put_image", **given)
    assert (refusal.code, refusal.status) == (code, 400)
    assert text in refusal.message


async def test_a_manifest_may_be_named_by_sha512(api: Api) -> None:
    import hashlib

    pushed = await push_image(api, "team/app")
    digest = f"sha512:{hashlib.sha512(pushed.manifest.encode()).hexdigest()}"
    put = await api.put_image(repositoryName="team/app", imageManifest=pushed.manifest, imageDigest=digest)
    assert put["image"]["imageId"] == {"imageDigest": digest}


async def test_by_its_digest_an_image_comes_once_for_each_tag(api: Api) -> None:
    pushed = await push_image(api, "team/app", "v1", "v2")
    bare = await push_image(api, "team/app", seed="untagged")
    ids = [{"imageDigest": pushed.digest}, {"imageDigest": bare.digest}, {"imageTag": "v1"}]
    got = await api.batch_get_image(repositoryName="team/app", imageIds=ids)
    assert [image["imageId"] for image in got["images"]] == [
        {"imageDigest": pushed.digest, "imageTag": "v1"},
        {"imageDigest": pushed.digest, "imageTag": "v2"},
        {"imageDigest": bare.digest},
    ]


async def test_each_id_that_fails_is_told_why(api: Api) -> None:
    pushed = await push_image(api, "team/app", "v1")
    both = {"imageTag": "v1", "imageDigest": ABSENT}
    ids = [
        {"imageTag": "v1"},
        {},
        {"imageTag": "no"},
        {"imageDigest": ABSENT},
        {"imageDigest": "no"},
        {"imageTag": "a b"},
        both,
        {"imageTag": "no", "imageDigest": pushed.digest},
    ]
    failures = [
        failure({}, "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"),
        failure({"imageDigest": "no"}, "InvalidImageDigest", BAD_DIGEST),
        failure(
            {"imageTag": "a b"},
            "InvalidImageTag",
            "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9-_.]+'",
        ),
        not_found(imageTag="no"),
        not_found(imageDigest=ABSENT),
        failure(
            both,
            "ImageTagDoesNotMatchDigest",
            "Invalid request parameters: given tag does not map to the given digest",
        ),
        not_found(imageTag="no", imageDigest=pushed.digest),
    ]
    got = await api.batch_get_image(repositoryName="team/app", imageIds=ids)
    assert [image["imageId"]["imageTag"] for image in got["images"]] == ["v1"]
    assert got["failures"] == failures
    deleted = await api.batch_delete_image(repositoryName="team/app", imageIds=ids)
    assert deleted == {"imageIds": [{"imageDigest": pushed.digest, "imageTag": "v1"}], "failures": failures}


async def test_deleting_a_digest_deletes_its_tags_and_deleting_the_last_tag_its_image(api: Api) -> None:
    one = await push_image(api, "team/app", "a", "b", seed="one")
    two = await push_image(api, "team/app", "c", "d", seed="two")
    deleted = await api.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": one.digest}])
    assert deleted["imageIds"] == [
        {"imageDigest": one.digest, "imageTag": "a"},
        {"imageDigest": one.digest, "imageTag": "b"},
    ]
    both = {"imageTag": "c", "imageDigest": two.digest}
    assert (await api.batch_delete_image(repositoryName="team/app", imageIds=[both]))["imageIds"] == [both]
    listed = await api.list_images(repositoryName="team/app")
    assert listed["imageIds"] == [{"imageDigest": two.digest, "imageTag": "d"}]
    await api.batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "d"}])
    assert await api.list_images(repositoryName="team/app") == {"imageIds": []}


async def test_two_ids_of_one_image_delete_it_once(api: Api) -> None:
    pushed = await push_image(api, "team/app", "t2")
    ids = [{"imageDigest": pushed.digest}, {"imageTag": "t2"}, {"imageDigest": pushed.digest}]
    deleted = await api.batch_delete_image(repositoryName="team/app", imageIds=ids)
    assert deleted == {"imageIds": [{"imageDigest": pushed.digest, "imageTag": "t2"}], "failures": []}


async def test_an_image_that_an_index_needs_stays(api: Api) -> None:
    pushed = await push_image(api, "team/app", "v1")
    index = index_of(pushed)
    await api.put_image(repositoryName="team/app", imageManifest=index, imageTag="all")
    deleted = await api.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": pushed.digest}])
    reason = f"Requested image referenced by manifest list: [{digest_of(index.encode())}]"
    assert deleted["failures"] == [failure({"imageDigest": pushed.digest}, "ImageReferencedByManifestList", reason)]
    got = await api.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    assert json.loads(got["images"][0]["imageManifest"])["schemaVersion"] == 2


async def test_the_last_tag_of_an_image_that_an_index_needs_stays(api: Api) -> None:
    pushed = await push_image(api, "team/app", "amd64", "latest")
    index = digest_of(index_of(pushed).encode())
    await api.put_image(repositoryName="team/app", imageManifest=index_of(pushed), imageTag="all")
    ids = [{"imageTag": "amd64"}, {"imageTag": "latest"}]
    deleted = await api.batch_delete_image(repositoryName="team/app", imageIds=ids)
    assert deleted == {
        "imageIds": [{"imageDigest": pushed.digest, "imageTag": "amd64"}],
        "failures": [
            failure(
                {"imageTag": "latest"},
                "ImageReferencedByManifestList",
                f"Requested image referenced by manifest list: [{index}]",
            )
        ],
    }
    both = [{"imageTag": "all"}, {"imageTag": "latest"}]
    deleted = await api.batch_delete_image(repositoryName="team/app", imageIds=both)
    assert deleted["failures"] == []
    assert await api.list_images(repositoryName="team/app") == {"imageIds": []}


async def test_by_its_tag_an_image_comes_in_a_form_that_is_accepted_and_by_its_digest_as_it_is(api: Api) -> None:
    pushed = await push_image(api, "team/app", "v1")
    given = {"repositoryName": "team/app", "acceptedMediaTypes": [DOCKER_MANIFEST]}
    got = await api.batch_get_image(**given, imageIds=[{"imageTag": "v1"}])
    (image,) = got["images"]
    assert image["imageManifestMediaType"] == DOCKER_MANIFEST
    assert image["imageId"] == {"imageDigest": pushed.digest, "imageTag": "v1"}
    assert json.loads(image["imageManifest"])["layers"] == [
        {
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "size": 14,
            "digest": digest_of(b"layer of image"),
        }
    ]
    for image_id in ({"imageDigest": pushed.digest}, {"imageTag": "v1", "imageDigest": pushed.digest}):
        got = await api.batch_get_image(**given, imageIds=[image_id])
        assert [image["imageManifest"] for image in got["images"]] == [pushed.manifest]
    for accepted in ([OCI_MANIFEST, DOCKER_MANIFEST], ["application/vnd.docker.distribution.manifest.v1+prettyjws"]):
        got = await api.batch_get_image(**given | {"acceptedMediaTypes": accepted}, imageIds=[{"imageTag": "v1"}])
        assert [image["imageManifest"] for image in got["images"]] == [pushed.manifest]


async def test_an_index_comes_as_it_is_whatever_is_accepted(api: Api) -> None:
    pushed = await push_image(api, "team/app")
    await api.put_image(repositoryName="team/app", imageManifest=index_of(pushed), imageTag="all")
    got = await api.batch_get_image(
        repositoryName="team/app", imageIds=[{"imageTag": "all"}], acceptedMediaTypes=[DOCKER_MANIFEST]
    )
    assert got["images"][0]["imageManifest"] == index_of(pushed)
    assert got["images"][0]["imageManifestMediaType"] == OCI_INDEX


async def test_an_id_that_is_there_twice_brings_an_image_once_and_a_failure_for_each(api: Api) -> None:
    await push_image(api, "team/app", "v1")
    ids = [{"imageTag": "v1"}, {"imageTag": "no"}, {"imageTag": "v1"}, {"imageTag": "no"}]
    for operation, name in (("batch_get_image", "images"), ("batch_delete_image", "imageIds")):
        answer = await getattr(api, operation)(repositoryName="team/app", imageIds=ids)
        assert len(answer[name]) == 1
        assert answer["failures"] == [not_found(imageTag="no")] * 2


@pytest.mark.parametrize("operation", ["batch_get_image", "batch_delete_image"])
async def test_a_batch_has_one_to_a_hundred_ids(api: Api, operation: str) -> None:
    for ids, text in (([], "greater than or equal to 1"), ([{"imageTag": "a"}] * 101, "less than or equal to 100")):
        refusal = await api.refused(operation, repositoryName="team/app", imageIds=ids)
        assert refusal.message == (
            f"Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must have length {text}'"
        )


@pytest.mark.parametrize("per_image", [2, 5])
async def test_an_answer_has_no_more_manifests_than_it_may(
    api: Api, monkeypatch: pytest.MonkeyPatch, per_image: int
) -> None:
    """Each as often as it comes: by its digest an image comes once for each of its tags."""
    pushed = [await push_image(api, "team/app", *(f"v{tag}" for tag in range(per_image)))]
    pushed += [await push_image(api, "team/app", f"other{n}", seed=str(n)) for n in range(3)]
    by_digest = [{"imageDigest": image.digest} for image in pushed]
    length = per_image * len(pushed[0].manifest) + sum(len(image.manifest) for image in pushed[1:])
    monkeypatch.setattr(pulls, "MOST_BYTES", length)
    got = await api.batch_get_image(repositoryName="team/app", imageIds=[*by_digest, *by_digest])
    assert sum(len(image["imageManifest"]) for image in got["images"]) == length
    monkeypatch.setattr(pulls, "MOST_BYTES", length - 1)
    refusal = await api.refused("batch_get_image", repositoryName="team/app", imageIds=by_digest)
    assert refusal.code == "LimitExceededException"
    assert f"more than {length - 1} bytes" in refusal.message
    by_tag = [{"imageTag": "v0"}, *by_digest[1:]]
    got = await api.batch_get_image(repositoryName="team/app", imageIds=by_tag)
    assert len(got["images"]) == len(by_tag)


async def test_manifests_that_are_too_much_are_not_even_loaded(
    api: Api, database: Database, registry: Registry
) -> None:
    """Five of 4 MiB: a hundred would fill the memory of the process."""
    digests = []
    for seed in range(5):
        more = {"annotations": {"filling": "x" * (4 * 1024 * 1024 - 2048)}}
        pushed = await push_image(api, "team/app", seed=str(seed), **more)
        digests.append(pushed.digest)
    with pytest.raises(ManifestsTooLong):
        await pulls.find_named(database, registry, "team/app", digests, [])
    got = await api.batch_get_image(
        repositoryName="team/app", imageIds=[{"imageDigest": digest} for digest in digests[:4]]
    )
    assert len(got["images"]) == 4
    archived: dict[str, Any] = {"imageId": {"imageDigest": digests[0]}, "targetStorageClass": "ARCHIVE"}
    await api.update_image_storage_class(repositoryName="team/app", **archived)
    got = await api.batch_get_image(repositoryName="team/app", imageIds=[{"imageDigest": digest} for digest in digests])
    assert len(got["images"]) == 4, "what is archived is not handed out, and does not count"
    assert [failure["failureCode"] for failure in got["failures"]] == ["ImageInaccessible"]

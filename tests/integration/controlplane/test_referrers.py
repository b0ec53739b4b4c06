"""ListImageReferrers."""

from typing import Any

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.pushing import OCI_MANIFEST, Pushed, push_image

NAME = {"repositoryName": "team/app"}
ABSENT = "sha256:" + "a" * 64
SIGNATURE, SBOM = "application/vnd.example.signature", "application/vnd.example.sbom"


@pytest.fixture
async def subject(api: Api) -> Pushed:
    await api.create_repository(**NAME)
    return await push_image(api, "team/app", "v1")


async def attach(api: Api, subject: str, seed: str, **more: Any) -> Pushed:
    about = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 7}
    return await push_image(api, "team/app", seed=seed, subject=about, **more)


def of(digest: str, **more: Any) -> dict[str, Any]:
    return {**NAME, "subjectId": {"imageDigest": digest}, **more}


async def digests(api: Api, **members: Any) -> list[str]:
    return [referrer["digest"] for referrer in (await api.list_image_referrers(**members))["referrers"]]


async def test_a_referrer_is_told_with_all_that_ecr_tells_of_it(api: Api, subject: Pushed) -> None:
    signature = await attach(api, subject.digest, "s", artifactType=SIGNATURE, annotations={"org.example": "ä"})
    bare = await attach(api, subject.digest, "b", artifactType="")
    await attach(api, bare.digest, "of another")
    by_digest = {one["digest"]: one for one in (await api.list_image_referrers(**of(subject.digest)))["referrers"]}
    assert by_digest.keys() == {signature.digest, bare.digest}
    assert by_digest[signature.digest] == {
        "digest": signature.digest,
        "mediaType": OCI_MANIFEST,
        "artifactType": SIGNATURE,
        "size": len(signature.manifest),
        "annotations": {"org.example": "ä"},
        "artifactStatus": "ACTIVE",
    }
    assert by_digest[bare.digest]["artifactType"] == "application/vnd.oci.image.config.v1+json"
    assert "annotations" not in by_digest[bare.digest]


async def test_referrers_are_chosen_by_type_and_status(api: Api, subject: Pushed) -> None:
    signature = await attach(api, subject.digest, "1", artifactType=SIGNATURE)
    sbom = await attach(api, subject.digest, "2", artifactType=SBOM)
    old = await attach(api, subject.digest, "3", artifactType=SBOM)
    await api.update_image_storage_class(**NAME, imageId={"imageDigest": old.digest}, targetStorageClass="ARCHIVE")
    for chosen, expected in [
        ({}, [signature, sbom]),
        ({"artifactTypes": []}, [signature, sbom]),
        ({"artifactTypes": [SBOM]}, [sbom]),
        ({"artifactTypes": [SBOM, SIGNATURE, "application/none"]}, [signature, sbom]),
        ({"artifactTypes": ["application/none"]}, []),
        ({"artifactStatus": "ACTIVE"}, [signature, sbom]),
        ({"artifactStatus": "ARCHIVED"}, [old]),
        ({"artifactStatus": "ACTIVATING"}, []),
        ({"artifactStatus": "ANY"}, [signature, sbom, old]),
        ({"artifactStatus": "ANY", "artifactTypes": [SBOM]}, [sbom, old]),
    ]:
        assert await digests(api, **of(subject.digest, filter=chosen)) == sorted(one.digest for one in expected)
    archived = await api.list_image_referrers(**of(subject.digest, filter={"artifactStatus": "ARCHIVED"}))
    assert [one["artifactStatus"] for one in archived["referrers"]] == ["ARCHIVED"]


async def test_referrers_come_page_by_page_in_the_order_of_their_digests(api: Api, subject: Pushed) -> None:
    attached = sorted([(await attach(api, subject.digest, str(number))).digest for number in range(5)])
    for size, number in ((2, 3), (5, 1), (50, 1)):
        pages = []
        token: dict[str, str] = {}
        while True:
            page = await api.list_image_referrers(**of(subject.digest, maxResults=size, **token))
            pages.append([one["digest"] for one in page["referrers"]])
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        assert [digest for page in pages for digest in page] == attached
        assert len(pages) == number


async def test_without_a_size_a_page_has_20_referrers(api: Api, subject: Pushed) -> None:
    for number in range(21):
        await api.put_image(
            **NAME, imageManifest=subject.manifest[:-1] + f', "subject": {descriptor(subject)}, "n": {number}}}'
        )
    page = await api.list_image_referrers(**of(subject.digest))
    assert len(page["referrers"]) == 20
    assert len(await digests(api, **of(subject.digest, nextToken=page["nextToken"]))) == 1


def descriptor(subject: Pushed) -> str:
    return f'{{"mediaType": "{OCI_MANIFEST}", "digest": "{subject.digest}", "size": {len(subject.manifest)}}}'


async def test_a_token_is_good_for_its_own_listing_only(api: Api, subject: Pushed) -> None:
    for number in range(2):
        await attach(api, subject.digest, str(number))
    token = (await api.list_image_referrers(**of(subject.digest, maxResults=1)))["nextToken"]
    for members in (of(ABSENT), of(subject.digest, filter={"artifactTypes": [SBOM]})):
        refusal = await api.refused("list_image_referrers", **members, nextToken=token)
        assert refusal.message == (
            "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid pagination token provided'"
        )


async def test_a_subject_need_not_be_there_and_a_repository_must(api: Api, subject: Pushed, registry: Registry) -> None:
    signature = await attach(api, ABSENT, "s")
    assert await digests(api, **of(ABSENT)) == [signature.digest]
    assert await api.list_image_referrers(**of("sha256:" + "b" * 64)) == {"referrers": []}
    refusal = await api.refused("list_image_referrers", **{**of(ABSENT), "repositoryName": "no"})
    assert (refusal.code, refusal.status) == ("RepositoryNotFoundException", 400)


@pytest.mark.parametrize(
    "members",
    [
        {"subjectId": {}},
        {"subjectId": {"imageDigest": "no"}},
        {"maxResults": 0},
        {"maxResults": 51},
        {"filter": {"artifactTypes": [SBOM] * 6}},
        {"filter": {"artifactTypes": [""]}},
        {"filter": {"artifactTypes": ["x" * 256]}},
        {"filter": {"artifactStatus": "SOME"}},
    ],
)
async def test_a_listing_that_cannot_be_is_refused(api: Api, subject: Pushed, members: dict[str, Any]) -> None:
    refusal = await api.refused("list_image_referrers", **{**of(ABSENT), **members})
    assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)

"""How a registry wants its images scanned, and what it says of scans while there is no scanner."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import update

from berth.database.db import Database
from berth.names import Registry
from berth.schema import images
from tests.integration.controlplane.conftest import Api, CountedPlane
from tests.integration.controlplane.pushing import Pushed, index_of, push_image

NOWHERE = "sha256:" + "0" * 64


def rule(frequency: str, *filters: str) -> dict[str, Any]:
    return {
        "scanFrequency": frequency,
        "repositoryFilters": [{"filter": pattern, "filterType": "WILDCARD"} for pattern in filters],
    }


@pytest.fixture
async def pushed(api: Api) -> Pushed:
    await api.create_repository(repositoryName="team/app")
    return await push_image(api, "team/app", "v1")


async def scanning_of(api: Api, *names: str) -> dict[str, tuple[bool, str, list[str]]]:
    """Of each repository: its own setting, the frequency, and the filters applied."""
    answer = await api.batch_get_repository_scanning_configuration(repositoryNames=list(names))
    return {
        one["repositoryName"]: (
            one["scanOnPush"],
            one["scanFrequency"],
            [applied["filter"] for applied in one["appliedScanFilters"]],
        )
        for one in answer["scanningConfigurations"]
    }


async def test_a_registry_scans_basically_and_by_hand_until_it_is_told_otherwise(api: Api, registry: Registry) -> None:
    default = {"registryId": registry.account, "scanningConfiguration": {"scanType": "BASIC", "rules": []}}
    assert await api.get_registry_scanning_configuration() == default
    await api.put_registry_scanning_configuration(scanType="ENHANCED", rules=[rule("SCAN_ON_PUSH", "*")])
    assert await api.put_registry_scanning_configuration() == {
        "registryScanningConfiguration": default["scanningConfiguration"]
    }
    assert await api.get_registry_scanning_configuration() == default


async def test_the_configuration_is_given_back_as_it_was_put(api: Api, registry: Registry) -> None:
    configuration = {
        "scanType": "ENHANCED",
        "rules": [rule("CONTINUOUS_SCAN", "prod*", "live"), rule("SCAN_ON_PUSH", *(f"r{i}" for i in range(100)))],
    }
    put = await api.put_registry_scanning_configuration(**configuration)
    assert put == {"registryScanningConfiguration": configuration}
    got = await api.get_registry_scanning_configuration()
    assert got == {"registryId": registry.account, "scanningConfiguration": configuration}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"scanType": "FULL"}, "Member must satisfy enum value set: [ENHANCED, BASIC]"),
        ({"rules": [rule("SCAN_ON_PUSH")] * 3}, "Member must have length less than or equal to 2"),
        ({"rules": [rule("SOMETIMES")]}, "rules.1.member.scanFrequency"),
        ({"rules": [rule("SCAN_ON_PUSH", *["a"] * 101)]}, "Member must have length less than or equal to 100"),
        ({"rules": [rule("SCAN_ON_PUSH", "A")]}, "Member must satisfy regular expression pattern"),
        ({"rules": [rule("SCAN_ON_PUSH", "a" * 256)]}, "Member must have length less than or equal to 255"),
        ({"rules": [{"scanFrequency": "MANUAL"}]}, "'rules.1.member.repositoryFilters' failed to satisfy constraint"),
        ({"rules": [rule("CONTINUOUS_SCAN", "*")]}, "'rules.1.member.scanFrequency' failed to satisfy constraint"),
        (
            {"scanType": "ENHANCED", "rules": [rule("SCAN_ON_PUSH", "*"), rule("MANUAL", "*")]},
            "The scan type ENHANCED supports [CONTINUOUS_SCAN, SCAN_ON_PUSH] only",
        ),
    ],
)
async def test_a_configuration_that_makes_no_sense_is_refused(api: Api, members: dict[str, Any], message: str) -> None:
    refusal = await api.refused("put_registry_scanning_configuration", **members)
    assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)
    assert message in refusal.message
    assert (await api.get_registry_scanning_configuration())["scanningConfiguration"]["rules"] == []


async def test_each_repository_has_what_the_filters_and_its_own_setting_come_to(api: Api, registry: Registry) -> None:
    for name in ("prod/app", "test/app", "other"):
        await api.create_repository(repositoryName=name)
    on = {"imageScanningConfiguration": {"scanOnPush": True}}
    assert (await api.put_image_scanning_configuration(repositoryName="other", **on))["imageScanningConfiguration"] == {
        "scanOnPush": True
    }
    names = ("prod/app", "test/app", "other")
    assert await scanning_of(api, *names) == {
        "prod/app": (False, "MANUAL", []),
        "test/app": (False, "MANUAL", []),
        "other": (True, "SCAN_ON_PUSH", []),
    }
    await api.put_registry_scanning_configuration(rules=[rule("SCAN_ON_PUSH", "prod")])
    assert (await scanning_of(api, *names))["prod/app"] == (False, "SCAN_ON_PUSH", ["prod"])
    await api.put_registry_scanning_configuration(
        scanType="ENHANCED", rules=[rule("SCAN_ON_PUSH", "*/app"), rule("CONTINUOUS_SCAN", "prod*")]
    )
    assert await scanning_of(api, *names) == {
        "prod/app": (False, "CONTINUOUS_SCAN", ["prod*"]),
        "test/app": (False, "SCAN_ON_PUSH", ["*/app"]),
        "other": (True, "MANUAL", []),
    }
    answer = await api.batch_get_repository_scanning_configuration(repositoryNames=["other"])
    assert answer["scanningConfigurations"][0]["repositoryArn"] == registry.arn("other")


async def test_repositories_that_are_not_there_are_failures_and_each_is_told_once_in_order(api: Api) -> None:
    for name in ("b/1", "a/1"):
        await api.create_repository(repositoryName=name)
    answer = await api.batch_get_repository_scanning_configuration(
        repositoryNames=["no/2", "b/1", "no/1", "a/1", "b/1", "no/2"]
    )
    assert [one["repositoryName"] for one in answer["scanningConfigurations"]] == ["b/1", "a/1"]
    assert answer["failures"] == [
        {"repositoryName": name, "failureCode": "REPOSITORY_NOT_FOUND", "failureReason": "REPOSITORY_NOT_FOUND"}
        for name in ("no/2", "no/1")
    ]
    for names in ([], ["r1"] * 26, ["B"]):
        refusal = await api.refused("batch_get_repository_scanning_configuration", repositoryNames=names)
        assert refusal.code == "InvalidParameterException"


@pytest.mark.parametrize("operation", ["start_image_scan", "describe_image_scan_findings"])
async def test_of_what_is_not_there_that_is_said(api: Api, registry: Registry, pushed: Pushed, operation: str) -> None:
    refusal = await api.refused(operation, repositoryName="no/such", imageId={"imageTag": "v1"})
    assert refusal.code == "RepositoryNotFoundException"
    for image_id in (
        {"imageTag": "v2"},
        {"imageDigest": NOWHERE},
        {"imageDigest": NOWHERE, "imageTag": "v1"},
        {"imageDigest": pushed.digest, "imageTag": "v2"},
    ):
        refusal = await api.refused(operation, repositoryName="team/app", imageId=image_id)
        assert refusal.code == "ImageNotFoundException"
        assert refusal.message == (
            f"The image with imageId {{imageDigest:'{image_id.get('imageDigest', 'null')}', "
            f"imageTag:'{image_id.get('imageTag', 'null')}'}} does not exist within the repository with name "
            f"'team/app' in the registry with id '{registry.account}'"
        )
    for image_id in ({}, {"imageDigest": "sha256:short"}, {"imageTag": "-"}):
        refusal = await api.refused(operation, repositoryName="team/app", imageId=image_id)
        assert refusal.code == "InvalidParameterException"


async def test_no_image_was_ever_scanned(api: Api, registry: Registry, pushed: Pushed) -> None:
    for image_id, shown in (
        ({"imageTag": "v1"}, "{imageDigest:'null', imageTag:'v1'}"),
        ({"imageDigest": pushed.digest}, f"{{imageDigest:'{pushed.digest}', imageTag:'null'}}"),
        (
            {"imageDigest": pushed.digest, "imageTag": "v1"},
            f"{{imageDigest:'{pushed.digest}', imageTag:'v1'}}",
        ),
    ):
        refusal = await api.refused("describe_image_scan_findings", repositoryName="team/app", imageId=image_id)
        assert (refusal.code, refusal.status) == ("ScanNotFoundException", 400)
        assert refusal.message == (
            f"Image scan does not exist for the image with '{shown}' in the repository with name 'team/app' "
            f"in the registry with id '{registry.account}'"
        )
    described = await api.describe_images(repositoryName="team/app")
    assert not {"imageScanStatus", "imageScanFindingsSummary"} & described["imageDetails"][0].keys()
    with pytest.raises(ClientError, match="ScanNotFoundException"):
        await api.pages("describe_image_scan_findings", repositoryName="team/app", imageId={"imageTag": "v1"})
    refusal = await api.refused(
        "describe_image_scan_findings", repositoryName="team/app", imageId={"imageTag": "v1"}, nextToken="made up"
    )
    assert refusal.code == "InvalidParameterException"
    assert "Invalid pagination token provided" in refusal.message


async def test_a_scan_is_refused_because_there_is_no_scanner(api: Api, pushed: Pushed, database: Database) -> None:
    scan = {"repositoryName": "team/app", "imageId": {"imageTag": "v1"}}
    refusal = await api.refused("start_image_scan", **scan)
    assert (refusal.code, refusal.status) == ("ValidationException", 400)
    assert refusal.message == "This feature is disabled. This registry has no scanner."
    async with database.transaction() as connection:
        await connection.execute(update(images).where(images.c.digest == pushed.digest).values(storage_class="ARCHIVE"))
    refusal = await api.refused("start_image_scan", **scan)
    assert refusal.code == "ImageArchivedException"


async def test_what_is_no_image_of_a_file_system_can_not_be_scanned(api: Api, pushed: Pushed) -> None:
    await api.put_image(repositoryName="team/app", imageManifest=index_of(pushed), imageTag="index")
    await push_image(api, "team/app", "artifact", seed="artifact", artifactType="application/vnd.example.report")
    for tag, media_type in (
        ("index", "application/vnd.oci.image.index.v1+json"),
        ("artifact", "application/vnd.example.report"),
    ):
        refusal = await api.refused("start_image_scan", repositoryName="team/app", imageId={"imageTag": tag})
        assert refusal.code == "UnsupportedImageTypeException"
        assert refusal.message == (
            f"An artifact with media type '{media_type}' cannot be scanned. "
            "For more information, see the Amazon ECR documentation."
        )


async def test_each_is_one_statement(api: Api, plane: CountedPlane, pushed: Pushed) -> None:
    await api.describe_registry()  # What is written on the registry is known from now on.
    with plane.counting() as statements:
        await api.put_registry_scanning_configuration(rules=[rule("SCAN_ON_PUSH", "*")])
        await api.get_registry_scanning_configuration()
        await api.batch_get_repository_scanning_configuration(repositoryNames=["team/app", "no/such"])
        await api.refused("start_image_scan", repositoryName="team/app", imageId={"imageTag": "v1"})
        await api.refused("describe_image_scan_findings", repositoryName="team/app", imageId={"imageTag": "v1"})
    # One more for what is written on a repository that is not there, which is not remembered.
    assert len(statements) == 6, "\n".join(statements)

"""Managed signing: the configuration of a registry, and what became of an image under it."""

from typing import Any

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api, CountedPlane
from tests.integration.controlplane.pushing import push_image

A, B = (f"arn:aws:signer:us-east-1:123456789012:/signing-profiles/{name}" for name in ("all_images", "production"))
RULES: list[dict[str, Any]] = [
    {"signingProfileArn": A},
    {"signingProfileArn": B, "repositoryFilters": [{"filter": "prod/*", "filterType": "WILDCARD_MATCH"}]},
]


async def test_a_signing_configuration_is_put_got_and_deleted(api: Api, registry: Registry) -> None:
    configuration = {"signingConfiguration": {"rules": RULES}}
    assert await api.put_signing_configuration(**configuration) == configuration
    answer = {"registryId": registry.account, **configuration}
    assert await api.get_signing_configuration() == answer
    empty: dict[str, Any] = {"signingConfiguration": {"rules": []}}
    assert await api.put_signing_configuration(**empty) == empty
    assert await api.get_signing_configuration() == {"registryId": registry.account, **empty}
    await api.put_signing_configuration(**configuration)
    assert await api.delete_signing_configuration() == answer
    for operation in ("get_signing_configuration", "delete_signing_configuration"):
        refusal = await api.refused(operation)
        assert (refusal.code, refusal.status) == ("SigningConfigurationNotFoundException", 400)
        assert refusal.message == (f"Signing configuration does not exist in the registry with id '{registry.account}'")


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ([{"signingProfileArn": A}] * 11, "signingConfiguration.rules"),
        ([{}], "signingConfiguration.rules.1.member.signingProfileArn"),
        ([{"signingProfileArn": "arn:aws:signer:us-east-1:1:/signing-profiles/a"}], "signingProfileArn"),
        ([{**RULES[0], "repositoryFilters": []}], "repositoryFilters"),
        ([{**RULES[0], "repositoryFilters": [RULES[1]["repositoryFilters"][0]] * 101}], "repositoryFilters"),
        ([{**RULES[0], "repositoryFilters": [{"filter": "Prod", "filterType": "WILDCARD_MATCH"}]}], "filter"),
        ([{**RULES[0], "repositoryFilters": [{"filter": "prod", "filterType": "PREFIX_MATCH"}]}], "filterType"),
    ],
)
async def test_rules_outside_ecrs_limits_are_refused(api: Api, rules: list[dict[str, Any]], place: str) -> None:
    refusal = await api.refused("put_signing_configuration", signingConfiguration={"rules": rules})
    assert refusal.code == "InvalidParameterException"
    assert place in refusal.message


async def test_an_image_is_not_signed_and_its_status_says_so(api: Api, registry: Registry) -> None:
    for name in ("prod/app", "test/app"):
        await api.create_repository(repositoryName=name)
    before = await push_image(api, "prod/app", "old", seed="before")
    await api.put_signing_configuration(signingConfiguration={"rules": RULES})
    failed = {
        "status": "FAILED",
        "failureCode": "SignerUnavailable",
        "failureReason": "This registry has no signer: the image was pushed without this signature",
    }
    for name, profiles in (("prod/app", [A, B]), ("test/app", [A])):
        pushed = await push_image(api, name, "v1", seed=name)
        assert await api.describe_image_signing_status(repositoryName=name, imageId={"imageTag": "v1"}) == {
            "registryId": registry.account,
            "repositoryName": name,
            "imageId": {"imageDigest": pushed.digest, "imageTag": "v1"},
            "signingStatuses": [{"signingProfileArn": profile, **failed} for profile in profiles],
        }
    # An image that was there before the rules was never to be signed, also when the same rules are put again.
    await api.put_signing_configuration(signingConfiguration={"rules": RULES})
    for image_id, number in (({"imageDigest": before.digest}, 0), ({"imageTag": "v1"}, 2)):
        status = await api.describe_image_signing_status(repositoryName="prod/app", imageId=image_id)
        assert len(status["signingStatuses"]) == number


async def test_a_registry_without_rules_signs_nothing(api: Api) -> None:
    await api.create_repository(repositoryName="team/app")
    pushed = await push_image(api, "team/app", "v1")
    image_id = {"imageDigest": pushed.digest, "imageTag": "v1"}
    status = await api.describe_image_signing_status(repositoryName="team/app", imageId=image_id)
    assert (status["imageId"], status["signingStatuses"]) == (image_id, [])


async def test_the_status_of_no_image_is_refused(api: Api, registry: Registry) -> None:
    await api.create_repository(repositoryName="team/app")
    await push_image(api, "team/app", "v1")
    zeros = "sha256:" + "0" * 64
    for name, image_id, code in (
        ("no/such", {"imageTag": "v1"}, "RepositoryNotFoundException"),
        ("team/app", {"imageTag": "v2"}, "ImageNotFoundException"),
        ("team/app", {"imageDigest": zeros}, "ImageNotFoundException"),
        ("team/app", {"imageDigest": zeros, "imageTag": "v1"}, "ImageNotFoundException"),
        ("team/app", {}, "InvalidParameterException"),
        ("team/app", {"imageDigest": "sha256:0"}, "InvalidParameterException"),
    ):
        refusal = await api.refused("describe_image_signing_status", repositoryName=name, imageId=image_id)
        assert (refusal.code, refusal.status) == (code, 400)


async def test_the_statements_of_each_operation(api: Api, plane: CountedPlane) -> None:
    await api.create_repository(repositoryName="team/app")
    await push_image(api, "team/app", "v1")
    for operation, members, number in (
        ("put_signing_configuration", {"signingConfiguration": {"rules": RULES}}, 1),
        ("get_signing_configuration", {}, 1),
        ("describe_image_signing_status", {"repositoryName": "team/app", "imageId": {"imageTag": "v1"}}, 2),
        ("delete_signing_configuration", {}, 2),
    ):
        await api.describe_registry()  # What is written on the registry is known from now on.
        with plane.counting() as statements:
            await getattr(api, operation)(**members)
        assert len(statements) == number, "\n".join(statements)

"""Repository creation templates: created, described, changed, deleted."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from berth.names import Registry
from berth.templates import stored
from tests.integration.controlplane.conftest import Api, CountedPlane
from tests.integration.controlplane.test_documents import LIFECYCLE, POLICY

PUSH = ["CREATE_ON_PUSH"]
ANY = ["PULL_THROUGH_CACHE", "REPLICATION", "CREATE_ON_PUSH"]
KEY = "key/12345678-1234-1234-1234-123456789012"
FILTERS = [{"filterType": "WILDCARD", "filter": "dev-*"}]


async def prefixes(api: Api, **members: Any) -> list[str]:
    answer = await api.describe_repository_creation_templates(**members)
    return [template["prefix"] for template in answer["repositoryCreationTemplates"]]


async def test_a_template_that_says_nothing_has_the_settings_that_repositories_have(
    api: Api, registry: Registry
) -> None:
    made = await api.create_repository_creation_template(prefix="prod", appliedFor=[*PUSH, *PUSH])
    moment = made["repositoryCreationTemplate"]["createdAt"]
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    template = {
        "prefix": "prod",
        "encryptionConfiguration": {"encryptionType": "AES256"},
        "resourceTags": [],
        "imageTagMutability": "MUTABLE",
        "appliedFor": PUSH,
        "createdAt": moment,
        "updatedAt": moment,
    }
    answer = {"registryId": registry.account, "repositoryCreationTemplate": template}
    listed = {"registryId": registry.account, "repositoryCreationTemplates": [template]}
    assert made == answer
    assert await api.describe_repository_creation_templates() == listed
    assert await api.describe_repository_creation_templates(prefixes=["prod", "no/such"]) == listed
    assert await api.delete_repository_creation_template(prefix="prod") == answer
    assert await api.describe_repository_creation_templates() == {**listed, "repositoryCreationTemplates": []}


async def test_a_template_says_everything_that_a_repository_can_have(api: Api, registry: Registry) -> None:
    given = {
        "prefix": "ROOT",
        "description": "Everything else",
        "encryptionConfiguration": {
            "encryptionType": "KMS",
            "kmsKey": f"arn:aws:kms:{registry.region}:{registry.account}:{KEY}",
        },
        "resourceTags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}],
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": FILTERS,
        "appliedFor": ANY,
        "customRoleArn": f"arn:aws:iam::{registry.account}:role/templates",
    }
    made = await api.create_repository_creation_template(**given, repositoryPolicy=POLICY, lifecyclePolicy=LIFECYCLE)
    template = made["repositoryCreationTemplate"]
    assert json.loads(template.pop("repositoryPolicy")) == json.loads(POLICY)
    assert json.loads(template.pop("lifecyclePolicy")) == json.loads(LIFECYCLE)
    assert {name: template[name] for name in given} == given


async def test_a_change_keeps_what_it_does_not_name_and_takes_away_what_it_names_empty(
    api: Api, registry: Registry
) -> None:
    role = f"arn:aws:iam::{registry.account}:role/templates"
    made = await api.create_repository_creation_template(
        prefix="prod",
        appliedFor=ANY,
        description="old",
        resourceTags=[{"Key": "a", "Value": "1"}],
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=FILTERS,
        repositoryPolicy=POLICY,
        lifecyclePolicy=LIFECYCLE,
        customRoleArn=role,
    )
    before = made["repositoryCreationTemplate"]
    changed = await api.update_repository_creation_template(prefix="prod", description="new")
    after = changed["repositoryCreationTemplate"]
    assert after["updatedAt"] > before["updatedAt"]
    assert after == {**before, "description": "new", "updatedAt": after["updatedAt"]}
    changed = await api.update_repository_creation_template(
        prefix="prod/",
        appliedFor=PUSH,
        description="",
        encryptionConfiguration={"encryptionType": "KMS_DSSE"},
        resourceTags=[],
        imageTagMutability="IMMUTABLE",
        repositoryPolicy="",
        lifecyclePolicy="",
        customRoleArn="",
    )
    after = changed["repositoryCreationTemplate"]
    assert after == {
        "prefix": "prod",
        "encryptionConfiguration": {"encryptionType": "KMS_DSSE"},
        "resourceTags": [],
        "imageTagMutability": "IMMUTABLE",
        "appliedFor": PUSH,
        "createdAt": before["createdAt"],
        "updatedAt": after["updatedAt"],
    }
    assert (await api.describe_repository_creation_templates())["repositoryCreationTemplates"] == [after]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"prefix": ""}, "Member must have length greater than or equal to 1"),
        ({"prefix": "a" * 257}, "Member must have length less than or equal to 256"),
        ({"prefix": "Prod"}, "Member must satisfy regular expression pattern"),
        ({"prefix": "prod//"}, "Member must satisfy regular expression pattern"),
        ({"appliedFor": ["PULL"]}, "Member must satisfy enum value set"),
        ({"description": "x" * 257}, "Member must have length less than or equal to 256"),
        ({"encryptionConfiguration": {"encryptionType": "DES"}}, "Member must satisfy enum value set"),
        (
            {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "alias/aws/ecr"}},
            "'encryptionConfiguration.kmsKey' failed to satisfy constraint",
        ),
        (
            {
                "encryptionConfiguration": {
                    "encryptionType": "KMS",
                    "kmsKey": f"arn:aws:kms:xx-none-1:111122223333:{KEY}",
                }
            },
            "The key must be in the region of the repository",
        ),
        ({"imageTagMutability": "MUTABLE_WITH_EXCLUSION"}, "ImageTagMutabilityExclusionFilters can't be null"),
        ({"imageTagMutabilityExclusionFilters": FILTERS}, "ImageTagMutabilityExclusionFilters are not allowed"),
        ({"resourceTags": [{"Key": "aws:a", "Value": "b"}]}, "Member must not begin with 'aws:'"),
        ({"resourceTags": [{"Key": str(n), "Value": ""} for n in range(51)]}, "The list of tags"),
        ({"repositoryPolicy": "{}"}, "Invalid repository policy provided"),
        ({"repositoryPolicy": "x" * 10241}, "Member must have length less than or equal to 10240"),
        ({"lifecyclePolicy": "{}"}, "failed to satisfy constraint"),
        ({"customRoleArn": "templates"}, "must be the ARN of an IAM role"),
        ({"customRoleArn": "arn:aws:iam::999999999999:role/r"}, "must be the ARN of an IAM role"),
    ],
)
async def test_a_template_that_makes_no_sense_is_refused(api: Api, members: dict[str, Any], message: str) -> None:
    operations = {"create_repository_creation_template": {"prefix": "prod", "appliedFor": PUSH}}
    if "prefix" not in members:
        await api.create_repository_creation_template(prefix="there", appliedFor=PUSH)
        operations["update_repository_creation_template"] = {"prefix": "there"}
    for operation, others in operations.items():
        refusal = await api.refused(operation, **{**others, **members})
        assert (refusal.code, refusal.status) == ("InvalidParameterException", 400), operation
        assert message in refusal.message
    assert "prod" not in await prefixes(api)


@pytest.mark.parametrize("prefix", ["prod", "prod/"])
async def test_a_prefix_has_one_template_whether_its_slash_is_written_or_not(
    api: Api, registry: Registry, prefix: str
) -> None:
    await api.create_repository_creation_template(prefix="prod/", appliedFor=PUSH)
    refusal = await api.refused("create_repository_creation_template", prefix=prefix, appliedFor=PUSH)
    assert (refusal.code, refusal.status) == ("TemplateAlreadyExistsException", 400)
    assert refusal.message == (
        f"The repository creation template with prefix '{prefix}' already exists "
        f"in the registry with id '{registry.account}'"
    )
    assert await prefixes(api, prefixes=[prefix]) == ["prod/"]


@pytest.mark.parametrize("operation", ["update_repository_creation_template", "delete_repository_creation_template"])
async def test_a_template_that_is_not_there_is_named(api: Api, registry: Registry, operation: str) -> None:
    await api.create_repository_creation_template(prefix="prod", appliedFor=PUSH)
    refusal = await api.refused(operation, prefix="prod/team")
    assert (refusal.code, refusal.status) == ("TemplateNotFoundException", 400)
    assert refusal.message == (
        "The repository creation template with prefix 'prod/team' does not exist "
        f"in the registry with id '{registry.account}'"
    )


async def test_a_registry_has_a_limited_number_of_templates(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MAX_TEMPLATES", 2)
    for prefix in ("a", "b"):
        await api.create_repository_creation_template(prefix=prefix, appliedFor=PUSH)
    refusal = await api.refused("create_repository_creation_template", prefix="c", appliedFor=PUSH)
    assert refusal.code == "LimitExceededException"
    assert await prefixes(api) == ["a", "b"]


async def test_templates_are_paged_in_the_order_of_their_prefixes(api: Api) -> None:
    names = ["b", "a/b", "a-b", "ROOT", "a", "ab/", "0"]
    for name in names:
        await api.create_repository_creation_template(prefix=name, appliedFor=[])
    expected = ["0", "ROOT", "a", "a-b", "a/b", "ab/", "b"]
    unknown = [f"x{number}" for number in range(40_000)]
    for filters in ({}, {"prefixes": [*names, *unknown]}):
        pages = await api.pages("describe_repository_creation_templates", **filters, PaginationConfig={"PageSize": 3})
        assert [len(page["repositoryCreationTemplates"]) for page in pages] == [3, 3, 1]
        assert [one["prefix"] for page in pages for one in page["repositoryCreationTemplates"]] == expected
    assert await prefixes(api, prefixes=[]) == []


@pytest.mark.parametrize(
    ("operation", "members", "number"),
    [
        ("create_repository_creation_template", {"prefix": "new", "appliedFor": PUSH}, 3),
        ("update_repository_creation_template", {"prefix": "prod", "description": "x"}, 2),
        ("describe_repository_creation_templates", {}, 1),
        ("describe_repository_creation_templates", {"prefixes": ["prod"]}, 1),
        ("delete_repository_creation_template", {"prefix": "prod"}, 1),
    ],
)
async def test_an_operation_sends_so_many_statements(
    api: Api, plane: CountedPlane, operation: str, members: dict[str, Any], number: int
) -> None:
    await api.create_repository_creation_template(prefix="prod", appliedFor=PUSH)
    with plane.counting() as statements:
        await getattr(api, operation)(**members)
    assert len(statements) == number, "\n".join(statements)

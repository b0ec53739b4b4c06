"""CreateRepository, DescribeRepositories, DeleteRepository and the settings of a repository."""

from datetime import UTC, datetime, timedelta

import pytest

from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from tests.integration.controlplane.conftest import Api, CountedPlane, api_of
from tests.integration.controlplane.pushing import push_image


async def test_a_new_repository_has_ecrs_defaults(api: Api, registry: Registry, registry_url: str) -> None:
    made = (await api.create_repository(repositoryName="team/app"))["repository"]
    created = made.pop("createdAt")
    assert datetime.now(UTC) - created < timedelta(minutes=1)
    host = registry_url.removeprefix("http://")
    assert made == {
        "repositoryArn": f"arn:aws:ecr:{registry.region}:{registry.account}:repository/team/app",
        "registryId": registry.account,
        "repositoryName": "team/app",
        "repositoryUri": f"{host}/{registry.account}/{registry.region}/team/app",
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }
    described = (await api.describe_repositories(repositoryNames=["team/app"]))["repositories"]
    assert described == [{**made, "createdAt": created}]


async def test_a_new_repository_has_what_was_asked_for(api: Api) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "latest"}, {"filterType": "WILDCARD", "filter": "dev-*"}]
    made = await api.create_repository(
        repositoryName="team/app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "AES256"},
        tags=[{"Key": "owner", "Value": "us"}],
    )
    repository = made["repository"]
    assert repository["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert repository["imageTagMutabilityExclusionFilters"] == filters
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    tags = await api.list_tags_for_resource(resourceArn=repository["repositoryArn"])
    assert tags == {"tags": [{"Key": "owner", "Value": "us"}]}


async def test_a_repository_is_made_once(api: Api, registry: Registry) -> None:
    await api.create_repository(repositoryName="team/app")
    refusal = await api.refused("create_repository", repositoryName="team/app")
    assert (refusal.code, refusal.status) == ("RepositoryAlreadyExistsException", 400)
    assert refusal.message == (
        f"The repository with name 'team/app' already exists in the registry with id '{registry.account}'"
    )


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        ({"repositoryName": "Team"}, "InvalidParameterException", "Invalid parameter at 'repositoryName'"),
        ({"repositoryName": "012345678901/us-east-1/x"}, "InvalidParameterException", "another registry"),
        (
            {"imageTagMutability": "MUTABLE_WITH_EXCLUSION"},
            "InvalidParameterException",
            "ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as MUTABLE_WITH_EXCLUSION",
        ),
        (
            {"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "a"}]},
            "InvalidParameterException",
            "not allowed",
        ),
        (
            {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "not a key"}},
            "InvalidParameterException",
            "encryptionConfiguration.kmsKey",
        ),
        (
            {"encryptionConfiguration": {"encryptionType": "AES256", "kmsKey": "alias/x"}},
            "InvalidParameterException",
            "encryptionConfiguration.kmsKey",
        ),
        ({"tags": [{"Key": "aws:x", "Value": ""}]}, "InvalidTagParameterException", "reserved"),
        ({"tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}, "TooManyTagsException", "50"),
    ],
)
async def test_no_repository_is_made_of_a_request_that_breaks_a_rule(
    api: Api, members: dict[str, object], code: str, text: str
) -> None:
    refusal = await api.refused("create_repository", **{"repositoryName": "team/app", **members})
    assert (refusal.code, refusal.status) == (code, 400)
    assert text in refusal.message
    assert await api.describe_repositories() == {"repositories": []}


async def test_a_repository_shows_the_kms_key_that_it_was_made_with_as_an_arn(api: Api, registry: Registry) -> None:
    made = await api.create_repository(
        repositoryName="team/app", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": "alias/team"}
    )
    assert made["repository"]["encryptionConfiguration"] == {
        "encryptionType": "KMS",
        "kmsKey": f"arn:aws:kms:{registry.region}:{registry.account}:alias/team",
    }


async def test_repositories_come_in_the_order_of_their_names_page_by_page(api: Api) -> None:
    names = [f"team/app{number}" for number in range(7)]
    for name in reversed(names):
        await api.create_repository(repositoryName=name)
    pages = await api.pages("describe_repositories", PaginationConfig={"PageSize": 3})
    assert [[r["repositoryName"] for r in page["repositories"]] for page in pages] == [names[:3], names[3:6], names[6:]]
    assert "nextToken" not in pages[-1]
    exact = await api.describe_repositories(maxResults=7)
    assert "nextToken" not in exact


async def test_what_is_made_and_deleted_between_two_pages_hides_and_repeats_no_other(api: Api) -> None:
    for name in ("bb", "dd", "ff"):
        await api.create_repository(repositoryName=name)
    first = await api.describe_repositories(maxResults=2)
    await api.delete_repository(repositoryName="dd")
    await api.create_repository(repositoryName="aa")
    await api.create_repository(repositoryName="ee")
    second = await api.describe_repositories(maxResults=2, nextToken=first["nextToken"])
    assert [r["repositoryName"] for r in second["repositories"]] == ["ee", "ff"]


async def test_the_token_of_another_listing_or_another_registry_is_refused(
    api: Api, plane: CountedPlane, root_key: AccessKey
) -> None:
    for name in ("aa", "bb"):
        await api.create_repository(repositoryName=name)
        await push_image(api, name, "one", "two")
    repositories = (await api.describe_repositories(maxResults=1))["nextToken"]
    images = (await api.list_images(repositoryName="aa", maxResults=1))["nextToken"]
    await api.list_images(repositoryName="aa", maxResults=1, nextToken=images)
    for operation, members in [
        ("list_images", {"repositoryName": "aa", "nextToken": repositories}),
        ("list_images", {"repositoryName": "bb", "nextToken": images}),
        ("list_images", {"repositoryName": "aa", "nextToken": images, "filter": {"tagStatus": "TAGGED"}}),
        ("describe_images", {"repositoryName": "aa", "nextToken": images}),
        ("describe_repositories", {"nextToken": images}),
        ("describe_repositories", {"nextToken": "nothing"}),
    ]:
        refusal = await api.refused(operation, **members)
        assert refusal.code == "InvalidParameterException"
        assert "nextToken" in refusal.message
    with api_of("ecr", plane.url, root_key, "eu-west-3") as elsewhere:
        assert (await elsewhere.refused("describe_repositories", nextToken=repositories)).status == 400


async def test_named_repositories_are_all_there_or_the_missing_one_is_named(api: Api, registry: Registry) -> None:
    for name in ("aa", "bb"):
        await api.create_repository(repositoryName=name)
    described = await api.describe_repositories(repositoryNames=["bb", "aa", "bb"])
    assert [r["repositoryName"] for r in described["repositories"]] == ["bb", "aa"]
    refusal = await api.refused("describe_repositories", repositoryNames=["aa", "cc"])
    assert refusal.code == "RepositoryNotFoundException"
    assert refusal.message == (
        f"The repository with name 'cc' does not exist in the registry with id '{registry.account}'"
    )
    for paging in ({"maxResults": 5}, {"nextToken": "x"}):
        refusal = await api.refused("describe_repositories", repositoryNames=["aa"], **paging)
        assert refusal.code == "InvalidParameterException"


async def test_a_registry_is_an_account_in_a_region(api: Api, plane: CountedPlane, root_key: AccessKey) -> None:
    await api.create_repository(repositoryName="team/app")
    with api_of("ecr", plane.url, root_key, "eu-west-3") as elsewhere:
        assert await elsewhere.describe_repositories() == {"repositories": []}
        made = await elsewhere.create_repository(repositoryName="team/app")
        assert ":eu-west-3:" in made["repository"]["repositoryArn"]


async def test_a_repository_with_images_goes_only_by_force(api: Api, registry: Registry) -> None:
    await api.create_repository(repositoryName="team/app")
    await push_image(api, "team/app", "v1")
    refusal = await api.refused("delete_repository", repositoryName="team/app")
    assert refusal.code == "RepositoryNotEmptyException"
    assert refusal.message == (
        f"The repository with name 'team/app' in registry with id '{registry.account}' "
        "cannot be deleted because it still contains images"
    )
    deleted = await api.delete_repository(repositoryName="team/app", force=True)
    assert deleted["repository"]["repositoryName"] == "team/app"
    for operation in ("delete_repository", "list_images"):
        assert (await api.refused(operation, repositoryName="team/app")).code == "RepositoryNotFoundException"


@pytest.mark.parametrize("mode", ["IMMUTABLE", "MUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"])
async def test_the_tag_mutability_can_be_changed_to_each_mode(api: Api, registry: Registry, mode: str) -> None:
    await api.create_repository(repositoryName="team/app")
    filters = [{"filterType": "WILDCARD", "filter": "dev*"}]
    given = {"imageTagMutabilityExclusionFilters": filters} if mode.endswith("EXCLUSION") else {}
    answer = await api.put_image_tag_mutability(repositoryName="team/app", imageTagMutability=mode, **given)
    assert answer == {
        "registryId": registry.account,
        "repositoryName": "team/app",
        "imageTagMutability": mode,
        **given,
    }
    described = (await api.describe_repositories())["repositories"][0]
    assert described["imageTagMutability"] == mode
    assert described.get("imageTagMutabilityExclusionFilters") == (filters if given else None)


async def test_scan_on_push_can_be_changed(api: Api, registry: Registry) -> None:
    await api.create_repository(repositoryName="team/app")
    on = await api.put_image_scanning_configuration(
        repositoryName="team/app", imageScanningConfiguration={"scanOnPush": True}
    )
    assert on == {
        "registryId": registry.account,
        "repositoryName": "team/app",
        "imageScanningConfiguration": {"scanOnPush": True},
    }
    assert (await api.describe_repositories())["repositories"][0]["imageScanningConfiguration"] == {"scanOnPush": True}
    off = await api.put_image_scanning_configuration(repositoryName="team/app", imageScanningConfiguration={})
    assert off["imageScanningConfiguration"] == {"scanOnPush": False}


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("delete_repository", {}),
        ("put_image_tag_mutability", {"imageTagMutability": "IMMUTABLE"}),
        ("put_image_scanning_configuration", {"imageScanningConfiguration": {"scanOnPush": True}}),
        ("put_image", {"imageManifest": "{}"}),
        ("batch_get_image", {"imageIds": [{"imageTag": "a"}]}),
        ("batch_delete_image", {"imageIds": [{"imageTag": "a"}]}),
        ("list_images", {}),
        ("describe_images", {}),
        ("batch_check_layer_availability", {"layerDigests": ["sha256:00"]}),
        ("initiate_layer_upload", {}),
        ("get_download_url_for_layer", {"layerDigest": "sha256:" + "0" * 64}),
        ("get_lifecycle_policy", {}),
        ("delete_lifecycle_policy", {}),
        ("get_repository_policy", {}),
        ("delete_repository_policy", {}),
    ],
)
async def test_every_operation_says_which_repository_is_not_there(
    api: Api, registry: Registry, operation: str, members: dict[str, object]
) -> None:
    if operation == "put_image":
        members = {
            "imageManifest": '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
        }
    refusal = await api.refused(operation, repositoryName="no/such", **members)
    assert (refusal.code, refusal.status) == ("RepositoryNotFoundException", 400)
    assert refusal.message == (
        f"The repository with name 'no/such' does not exist in the registry with id '{registry.account}'"
    )

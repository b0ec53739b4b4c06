"""Repositories: create, describe, delete, their settings and their tags."""

from tests.stateful.ecr.registry import ANYTHING, Ecr, Members, Refused, Repository, operation, page


@operation("CreateRepository")
def create(ecr: Ecr, members: Members) -> Members:
    mutability, exclusions = read_mutability(members)
    tags = {tag["Key"]: tag["Value"] for tag in members.get("tags", [])}
    name = members["repositoryName"]
    if name in ecr.repositories:
        raise Refused("RepositoryAlreadyExistsException")
    scan = members.get("imageScanningConfiguration", {}).get("scanOnPush", False)
    ecr.repositories[name] = Repository(name, tags, mutability, exclusions, scan)
    return {"repository": described(ecr, ecr.repositories[name])}


@operation("DescribeRepositories")
def describe(ecr: Ecr, members: Members, after: str | None = None) -> Members:
    if "repositoryNames" in members:
        if "maxResults" in members:
            raise Refused("InvalidParameterException")
        found = [ecr.repository({"repositoryName": name}) for name in members["repositoryNames"]]
        named = {repository.name: repository for repository in found}
        return {"repositories": [described(ecr, repository) for repository in named.values()]}
    names, more = page(sorted(ecr.repositories), members.get("maxResults", 100), after)
    answer: Members = {"repositories": [described(ecr, ecr.repositories[name]) for name in names]}
    return {**answer, "nextToken": ANYTHING} if more else answer


@operation("DeleteRepository")
def delete(ecr: Ecr, members: Members) -> Members:
    repository = ecr.repository(members)
    if repository.images and not members.get("force"):
        raise Refused("RepositoryNotEmptyException")
    del ecr.repositories[repository.name]
    return {"repository": described(ecr, repository)}


@operation("PutImageTagMutability")
def put_mutability(ecr: Ecr, members: Members) -> Members:
    read = read_mutability(members)
    repository = ecr.repository(members)
    repository.mutability, repository.exclusions = read
    return {**ecr.place(repository), **mutability_of(repository)}


@operation("PutImageScanningConfiguration")
def put_scanning(ecr: Ecr, members: Members) -> Members:
    repository = ecr.repository(members)
    repository.scan_on_push = members["imageScanningConfiguration"].get("scanOnPush", False)
    return {**ecr.place(repository), "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push}}


@operation("TagResource")
def tag(ecr: Ecr, members: Members) -> Members:
    repository = ecr.repository(members)
    repository.tags |= {tag["Key"]: tag["Value"] for tag in members["tags"]}
    return {}


@operation("UntagResource")
def untag(ecr: Ecr, members: Members) -> Members:
    repository = ecr.repository(members)
    for key in members["tagKeys"]:
        repository.tags.pop(key, None)
    return {}


@operation("ListTagsForResource")
def list_tags(ecr: Ecr, members: Members) -> Members:
    tags = ecr.repository(members).tags
    return {"tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


def read_mutability(members: Members) -> tuple[str, list[str]]:
    mode = members.get("imageTagMutability", "MUTABLE")
    exclusions = [one["filter"] for one in members.get("imageTagMutabilityExclusionFilters", [])]
    if bool(exclusions) != mode.endswith("_WITH_EXCLUSION"):
        raise Refused("InvalidParameterException")
    return mode, exclusions


def mutability_of(repository: Repository) -> Members:
    if not repository.exclusions:
        return {"imageTagMutability": repository.mutability}
    filters = [{"filterType": "WILDCARD", "filter": text} for text in repository.exclusions]
    return {"imageTagMutability": repository.mutability, "imageTagMutabilityExclusionFilters": filters}


def described(ecr: Ecr, repository: Repository) -> Members:
    return {
        "repositoryArn": ecr.arn(repository.name),
        **ecr.place(repository),
        "repositoryUri": ANYTHING,
        "createdAt": ANYTHING,
        **mutability_of(repository),
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }

"""Repositories with their settings, tags and policies."""

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.contract.meaning import LIFECYCLE, POLICY
from tests.stateful.agreement import Members
from tests.stateful.machine import NAMES, SELDOM_NAMES, Machine

MODES = st.sampled_from(["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"])
EXCLUSIONS = st.lists(st.sampled_from(["dev-*", "v1", "l*t*"]), min_size=1, max_size=2, unique=True).map(
    lambda texts: [{"filterType": "WILDCARD", "filter": text} for text in texts]
)
MUTABILITY = st.fixed_dictionaries(
    {"imageTagMutability": MODES}, optional={"imageTagMutabilityExclusionFilters": EXCLUSIONS}
)
KEYS = st.sampled_from(["team", "stage", "cost"])
RESOURCE_TAGS = st.dictionaries(KEYS, st.sampled_from(["", "a", "b"]), max_size=3).map(
    lambda tags: [{"Key": key, "Value": value} for key, value in tags.items()]
)
SETTINGS = st.fixed_dictionaries(
    {}, optional={"tags": RESOURCE_TAGS, "imageScanningConfiguration": st.just({"scanOnPush": True})}
)
OTHER_POLICY = json.dumps({**json.loads(POLICY), "Id": "other"})
OTHER_LIFECYCLE = LIFECYCLE.replace("9", "99")


class Repositories(Machine):
    @rule(name=SELDOM_NAMES, mutability=st.just({}) | MUTABILITY, settings=SETTINGS)
    def create(self, name: str, mutability: Members, settings: Members) -> None:
        self.ask("CreateRepository", repositoryName=name, **mutability, **settings)

    @rule(names=st.lists(NAMES, min_size=1, max_size=4))
    def describe(self, names: list[str]) -> None:
        self.ask("DescribeRepositories", repositoryNames=names)

    @rule(name=SELDOM_NAMES, force=st.sampled_from([{}, {"force": False}, {"force": True}]))
    def delete(self, name: str, force: Members) -> None:
        self.ask("DeleteRepository", repositoryName=name, **force)

    @rule(name=NAMES, mutability=MUTABILITY)
    def put_mutability(self, name: str, mutability: Members) -> None:
        self.ask("PutImageTagMutability", repositoryName=name, **mutability)

    @rule(name=NAMES, on=st.sampled_from([{}, {"scanOnPush": True}, {"scanOnPush": False}]))
    def put_scanning(self, name: str, on: Members) -> None:
        self.ask("PutImageScanningConfiguration", repositoryName=name, imageScanningConfiguration=on)

    @rule(name=NAMES, tags=RESOURCE_TAGS, keys=st.lists(KEYS, max_size=2))
    def tag(self, name: str, tags: list[Members], keys: list[str]) -> None:
        resource = {"resourceArn": self.registry.ecr.arn(name)}
        self.ask("TagResource", **resource, tags=tags)
        self.ask("UntagResource", **resource, tagKeys=keys)
        self.ask("ListTagsForResource", **resource)

    @rule(name=NAMES, what=st.sampled_from(["Set", "Get", "Delete"]), text=st.sampled_from([POLICY, OTHER_POLICY]))
    def policy(self, name: str, what: str, text: str) -> None:
        given: dict[str, Any] = {"policyText": text} if what == "Set" else {}
        self.ask(f"{what}RepositoryPolicy", repositoryName=name, **given)

    @rule(
        name=NAMES, what=st.sampled_from(["Put", "Get", "Delete"]), text=st.sampled_from([LIFECYCLE, OTHER_LIFECYCLE])
    )
    def lifecycle_policy(self, name: str, what: str, text: str) -> None:
        given: dict[str, Any] = {"lifecyclePolicyText": text} if what == "Put" else {}
        self.ask(f"{what}LifecyclePolicy", repositoryName=name, **given)

"""Listings, whose pages are turned while other things happen."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.stateful.agreement import Members
from tests.stateful.catalog import SBOM, SIGNATURE
from tests.stateful.machine import DIGESTS, IMAGE_STATUS, NAMES, Machine

TAG_STATUS = st.sampled_from(["ANY", "TAGGED", "UNTAGGED"])
FILTER = st.fixed_dictionaries({}, optional={"tagStatus": TAG_STATUS, "imageStatus": IMAGE_STATUS}).map(
    lambda chosen: {"filter": chosen} if chosen else {}
)
REFERRER_FILTER = st.fixed_dictionaries(
    {},
    optional={
        "artifactTypes": st.lists(st.sampled_from([SBOM, SIGNATURE, "text/plain"]), max_size=2),
        "artifactStatus": IMAGE_STATUS,
    },
)
SIZES: list[Members] = [{}, {"maxResults": 1}, {"maxResults": 1}, {"maxResults": 2}, {"maxResults": 3}]
SIZE = st.sampled_from(SIZES)
# Where the rows of each listing stand, and what puts them in order.
ROWS: dict[str, tuple[str, Any]] = {
    "DescribeImages": ("imageDetails", lambda row: row["imageDigest"]),
    "DescribeRepositories": ("repositories", lambda row: row["repositoryName"]),
    "ListImageReferrers": ("referrers", lambda row: row["digest"]),
    "ListImages": ("imageIds", lambda row: (row["imageDigest"], row.get("imageTag", ""))),
}


class Listings(Machine):
    def __init__(self) -> None:
        super().__init__()
        # Those that go on: the operation, its members, the token of the next page, the key of the last row.
        self.open: list[tuple[str, Members, str, Any]] = []

    def begin_listing(self, operation: str, **members: Any) -> None:
        self.listed(operation, members, self.ask(operation, **members))

    def listed(self, operation: str, members: Members, answer: Members | None) -> None:
        if answer and "nextToken" in answer:
            rows, key = ROWS[operation]
            self.open.append((operation, members, answer["nextToken"], key(answer[rows][-1])))

    def turn(self, listing: tuple[str, Members, str, Any]) -> None:
        """To the next page."""
        self.open.remove(listing)
        operation, members, token, after = listing
        self.is_agreed = False
        answer = self.registry.turn(operation, members, token, after)
        self.is_agreed = True
        self.listed(operation, members, answer)

    @rule(size=SIZE)
    def list_repositories(self, size: Members) -> None:
        self.begin_listing("DescribeRepositories", **size)

    @rule(operation=st.sampled_from(["ListImages", "DescribeImages"]), name=NAMES, chosen=FILTER, size=SIZE)
    def list_images(self, operation: str, name: str, chosen: Members, size: Members) -> None:
        self.begin_listing(operation, repositoryName=name, **chosen, **size)

    @rule(name=NAMES, digest=DIGESTS, chosen=REFERRER_FILTER, size=SIZE)
    def list_referrers(self, name: str, digest: str, chosen: Members, size: Members) -> None:
        subject = {"subjectId": {"imageDigest": digest}}
        self.begin_listing("ListImageReferrers", repositoryName=name, **subject, filter=chosen, **size)

    @rule(data=st.data(), name=NAMES, number=st.integers(1, 3), chosen=FILTER)
    def describe_named(self, data: st.DataObject, name: str, number: int, chosen: Members) -> None:
        ids = [self.an_image_id(data, name) for _ in range(number)]
        self.ask("DescribeImages", repositoryName=name, imageIds=ids, **chosen)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def turn_one(self, data: st.DataObject) -> None:
        self.turn(data.draw(st.sampled_from(self.open)))

    @precondition(lambda self: self.open)
    @rule()
    def turn_all(self) -> None:
        for listing in [*self.open]:
            self.turn(listing)

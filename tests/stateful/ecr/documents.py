"""The policy and the lifecycle policy of a repository."""

from collections.abc import Callable

from tests.stateful.ecr.registry import ANYTHING, Ecr, Members, Refused, Repository, operation

# What is answered of each document, and where a repository keeps it.
KINDS = {
    "policyText": ("policy", "RepositoryPolicyNotFoundException"),
    "lifecyclePolicyText": ("lifecycle_policy", "LifecyclePolicyNotFoundException"),
}


def _put(member: str) -> Callable[[Ecr, Members], Members]:
    def put(ecr: Ecr, members: Members) -> Members:
        repository = ecr.repository(members)
        setattr(repository, KINDS[member][0], members[member])
        return {**ecr.place(repository), member: members[member]}

    return put


def _get(member: str, *, remove: bool) -> Callable[[Ecr, Members], Members]:
    def get(ecr: Ecr, members: Members) -> Members:
        repository = ecr.repository(members)
        text = _held(repository, member)
        if remove:
            setattr(repository, KINDS[member][0], None)
        evaluated = {"lastEvaluatedAt": ANYTHING} if member == "lifecyclePolicyText" else {}
        return {**ecr.place(repository), member: text, **evaluated}

    return get


def _held(repository: Repository, member: str) -> str:
    name, error = KINDS[member]
    text: str | None = getattr(repository, name)
    if text is None:
        raise Refused(error)
    return text


operation("SetRepositoryPolicy")(_put("policyText"))
operation("GetRepositoryPolicy")(_get("policyText", remove=False))
operation("DeleteRepositoryPolicy")(_get("policyText", remove=True))
operation("PutLifecyclePolicy")(_put("lifecyclePolicyText"))
operation("GetLifecyclePolicy")(_get("lifecyclePolicyText", remove=False))
operation("DeleteLifecyclePolicy")(_get("lifecyclePolicyText", remove=True))

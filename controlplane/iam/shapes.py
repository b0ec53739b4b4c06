"""What IAM's answers tell of an identity (IAM API reference, "User", "Group")."""

from collections.abc import Mapping

from berth.identity.directory import names
from berth.identity.directory.identities import Identity
from controlplane.wire.model import Members


def listed_user(user: Identity) -> Members:
    """A user in a list, without its tags and boundary."""
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": user.created_at,
    }


def user(user: Identity) -> Members:
    return {**listed_user(user), "PermissionsBoundary": boundary(user), "Tags": tags(user.tags) or None}


def group(group: Identity) -> Members:
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": group.created_at,
    }


def boundary(identity: Identity) -> Members | None:
    if identity.boundary is None:
        return None
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": identity.boundary}


def tags(tags: Mapping[str, str]) -> list[Members]:
    """The tags by their keys."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def folded_name(identity: Identity) -> str:
    """By what identities are listed in order."""
    return names.folded(identity.name)

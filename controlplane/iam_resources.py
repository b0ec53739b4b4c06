"""What a call of IAM is about: the ARN of the user, group, role or policy, and the condition keys that it fills."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from string import Template

from berth.database.db import Database
from berth.errors.iam import InvalidInput, NoSuchEntity
from berth.identity.arns import Kind
from berth.identity.directory import identities, managed_policies, mfa_devices, oidc_providers
from berth.identity.directory import keys as access_keys
from berth.identity.directory.identities import Identity
from berth.identity.directory.managed_policies import ManagedPolicy
from berth.identity.directory.mfa_devices import Device
from berth.identity.directory.oidc_providers import Provider
from berth.identity.principals import Kind as PrincipalKind
from controlplane.call import Call
from controlplane.wire.model import Members

# Where a call names an access key alone, it is about the user whose key it is.
_OWNER = "${AccessKeyId}"
# The member that names one of each kind.
_NAMED_BY: Mapping[str, Kind] = {"UserName": "user", "GroupName": "group", "RoleName": "role"}
# Those of the service authorization reference, "Condition keys for AWS IAM", that members of a request fill.
_KEYS = {"PolicyArn": "iam:policyarn", "PermissionsBoundary": "iam:permissionsboundary"}
_FOUND_BY: Mapping[str, Callable[[Database, str, str], Awaitable[ManagedPolicy | Provider | Device]]] = {
    "${PolicyArn}": managed_policies.get,
    "${OpenIDConnectProviderArn}": oidc_providers.get,
    "${SerialNumber}": mfa_devices.get,
}


@dataclass(frozen=True, slots=True)
class Resource:
    arn: str
    tags: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)


async def find(call: Call, members: Members, template: str) -> Resource:
    """`template` is the ARN with members of the request in it, such as `arn:…:user${Path}${UserName}`.

    The path of who is there already is their own; a name that is none stays as it is, for whether there is anybody of
    that name is not for everybody to know.
    """
    keys = {key: str(members[name]) for name, key in _KEYS.items() if name in members}
    if template == _OWNER:
        return await _owner(call, members["AccessKeyId"])
    identity = await _identity(call, members, template)
    if identity is not None:
        boundary = {"iam:permissionsboundary": identity.boundary} if identity.boundary is not None else {}
        return Resource(identity.arn, identity.tags, {**boundary, **keys})
    principal = call.principal
    if _lacks_a_user(template, members) and principal.kind is PrincipalKind.ROOT:
        return Resource(principal.arn)
    given = {"Path": "/", "PathPrefix": "/", **members, "Account": principal.account}
    if "Url" in given:
        given["Url"] = given["Url"].removeprefix("https://")
    arn = Template(template).substitute(defaultdict(lambda: "*", given))
    return Resource(arn, await _tags(call, template, arn), keys)


def renamed(arn: str, members: Members) -> str | None:
    """The ARN that a user or a group has afterwards; None where it stays what it is.

    Who changes a name or a path has to be allowed it of both. IAM API reference, "UpdateUser", "UpdateGroup".
    """
    path, name = members.get("NewPath"), members.get("NewUserName", members.get("NewGroupName"))
    if path is None and name is None:
        return None
    kind, _, rest = arn.partition("/")
    old_path, _, old_name = f"/{rest}".rpartition("/")
    return f"{kind}{path or f'{old_path}/'}{name or old_name}"


async def _owner(call: Call, key_id: str) -> Resource:
    """Of a key that the account does not have, whoever may ask about all keys is told so."""
    use = await access_keys.last_use(call.database, call.principal.account, key_id)
    if use is None:
        return Resource("*")
    if use.user_id is None:
        return Resource(f"arn:aws:iam::{call.principal.account}:root")
    user = await identities.get_by_id(call.database, use.user_id)
    return Resource("*") if user is None else Resource(user.arn, user.tags)


async def _tags(call: Call, template: str, arn: str) -> Mapping[str, str]:
    """Those of a managed policy, a provider or a device."""
    find = _FOUND_BY.get(template)
    if find is None:
        return {}
    try:
        return (await find(call.database, call.principal.account, arn)).tags
    except (InvalidInput, NoSuchEntity):
        return {}


async def _identity(call: Call, members: Members, template: str) -> Identity | None:
    """The user, group or role that is named, or the caller where a user could be and is not."""
    principal = call.principal
    if _lacks_a_user(template, members) and principal.kind is PrincipalKind.USER and principal.identity_id is not None:
        return await identities.get_by_id(call.database, principal.identity_id)
    for member, kind in _NAMED_BY.items():
        if f"${{{member}}}" in template and member in members:
            try:
                return await identities.get(call.database, principal.account, kind, members[member])
            except NoSuchEntity:
                return None
    return None


def _lacks_a_user(template: str, members: Members) -> bool:
    return "${UserName}" in template and "UserName" not in members

"""All whom an account has and all that they may (IAM API reference, "GetAccountAuthorizationDetails")."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from berth.identity.arns import Kind
from berth.identity.directory import details, held_policies, identities, managed_policies, names, policy_versions
from berth.identity.directory.details import Held
from berth.identity.directory.identities import Identity
from berth.identity.directory.managed_policies import ManagedPolicy, Wanted
from controlplane.call import Call, operation
from controlplane.iam import shapes
from controlplane.iam.listing import Listing
from controlplane.iam.policies import listed_policy
from controlplane.iam.policy_versions import shown_version
from controlplane.iam.roles import last_used, made_role
from controlplane.wire.model import Members

# The sections of the listing in their order, by what `Filter` calls them.
_OWN, _OF_AWS = "LocalManagedPolicy", "AWSManagedPolicy"
_KINDS: dict[str, Kind] = {"User": "user", "Group": "group", "Role": "role"}
_SECTIONS = (*_KINDS, _OWN, _OF_AWS)
_MEMBERS = {"User": "UserDetailList", "Group": "GroupDetailList", "Role": "RoleDetailList"}
# One of the listing, with its section.
_Entry = tuple[str, Identity | ManagedPolicy]
_Page = Callable[..., Awaitable[Sequence[Identity | ManagedPolicy]]]


@operation("GetAccountAuthorizationDetails", service="iam")
async def get_account_authorization_details(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "Filter")
    wanted = request.get("Filter") or _SECTIONS
    since, after = listing.after or (0, "")
    found: list[_Entry] = []
    for number, section in enumerate(_SECTIONS):
        lacking = listing.limit + 1 - len(found)
        if section in wanted and number >= since and lacking > 0:
            ones = await _page(call, section, after if number == since else "", lacking)
            found += [(section, one) for one in ones]
    page = listing.page("Entries", found, _place, lambda entry: entry)
    return {**await _shown(call, page.pop("Entries")), **page}


async def _page(call: Call, section: str, after: str, limit: int) -> Sequence[Identity | ManagedPolicy]:
    account = call.registry.account
    if section in _KINDS:
        return await identities.page(call.database, account, _KINDS[section], after=after, limit=limit)
    list_policies: _Page = managed_policies.page if section == _OWN else managed_policies.page_of_aws
    # Of AWS's policies, those that somebody has.
    wanted = Wanted() if section == _OWN else Wanted(attached=True)
    return await list_policies(call.database, account, wanted, after=after, limit=limit)


def _place(entry: _Entry) -> tuple[int, Any]:
    section, one = entry
    return _SECTIONS.index(section), one.arn if section == _OF_AWS else names.folded(one.name)


async def _shown(call: Call, entries: list[_Entry]) -> Members:
    people = [one for _, one in entries if isinstance(one, Identity)]
    held = await details.held(call.database, [one.id for one in people]) if people else {}
    shown: Members = {
        member: [_identity(one, held[one.id]) for one in people if one.kind == _KINDS[section]]
        for section, member in _MEMBERS.items()
    }
    policies = [one for _, one in entries if isinstance(one, ManagedPolicy)]
    return {**shown, "Policies": [await _policy(call, policy) for policy in policies]}


def _identity(one: Identity, held: Held) -> Members:
    inline = [{"PolicyName": name, "PolicyDocument": document} for name, document in held.inline.items()]
    attached = [{"PolicyName": held_policies.parse(arn)["name"], "PolicyArn": arn} for arn in held.attached]
    has = {f"{one.kind.capitalize()}PolicyList": inline, "AttachedManagedPolicies": attached}
    if one.kind == "user":
        return {**shapes.user(one), "GroupList": held.groups, **has}
    if one.kind == "group":
        return {**shapes.group(one), **has}
    role = {name: value for name, value in made_role(one).items() if name not in ("Description", "MaxSessionDuration")}
    return {**role, "InstanceProfileList": [], "RoleLastUsed": last_used(one), **has}


async def _policy(call: Call, policy: ManagedPolicy) -> Members:
    versions = await policy_versions.all_of(call.database, policy)
    return {**listed_policy(policy), "PolicyVersionList": [shown_version(version) for version in versions]}

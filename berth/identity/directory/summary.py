"""How much there is in an account, and how much there may be (IAM API reference, "GetAccountSummary")."""

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, ScalarSelect, bindparam, func, select

from berth.database.db import Database
from berth.database.questions import Question
from berth.identity.directory.groups import MOST_GROUPS
from berth.identity.directory.identities import QUOTAS
from berth.identity.directory.keys import MOST_KEYS
from berth.schema import access_keys, accounts, identities, mfa_devices, oidc_providers, policies, policy_versions

# IAM user guide, "IAM and AWS STS quotas"; what Berth does not have is not counted.
_QUOTAS = {
    "UsersQuota": QUOTAS["user"][1],
    "GroupsQuota": QUOTAS["group"][1],
    "RolesQuota": QUOTAS["role"][1],
    "GroupsPerUserQuota": MOST_GROUPS,
    "AccessKeysPerUserQuota": MOST_KEYS,
    "PoliciesQuota": 1500,
    "PolicySizeQuota": 6144,
    "VersionsPerPolicyQuota": 5,
    "PolicyVersionsInUseQuota": 10000,
    "UserPolicySizeQuota": 2048,
    "GroupPolicySizeQuota": 5120,
    "RolePolicySizeQuota": 10240,
    "AssumeRolePolicySizeQuota": 2048,
    "AttachedPoliciesPerUserQuota": 10,
    "AttachedPoliciesPerGroupQuota": 10,
    "AttachedPoliciesPerRoleQuota": 10,
}
_ABSENT = (
    "ServerCertificates",
    "InstanceProfiles",
    "AccountMFAEnabled",
    "AccountPasswordPresent",
    "AccountSigningCertificatesPresent",
)
_ACCOUNT: BindParameter[str] = bindparam("account")


def _number_of(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).where(*conditions).scalar_subquery()


def _of_kind(kind: str) -> ScalarSelect[int]:
    return _number_of(identities.c.account == _ACCOUNT, identities.c.kind == kind)


_COUNTED = {
    "Users": _of_kind("user"),
    "Groups": _of_kind("group"),
    "Roles": _of_kind("role"),
    "Policies": _number_of(policies.c.account == _ACCOUNT),
    "PolicyVersionsInUse": _number_of(policies.c.account == _ACCOUNT, policy_versions.c.policy_id == policies.c.id),
    "Providers": _number_of(oidc_providers.c.account == _ACCOUNT),
    "MFADevices": _number_of(mfa_devices.c.account == _ACCOUNT),
    "MFADevicesInUse": _number_of(mfa_devices.c.account == _ACCOUNT, mfa_devices.c.user_id.is_not(None)),
    "AccountAccessKeysPresent": _number_of(access_keys.c.account == _ACCOUNT, access_keys.c.user_id.is_(None)),
}
_COUNTS = Question(select(*(number.label(name) for name, number in _COUNTED.items())))
_CREATED_AT = Question(select(accounts.c.created_at).where(accounts.c.id == _ACCOUNT))


async def numbers(database: Database, account: str) -> dict[str, int]:
    """By the keys of GetAccountSummary."""
    (row,) = await database.ask(_COUNTS, account=account)
    counted = dict(row)
    # One or none: a flag.
    counted["AccountAccessKeysPresent"] = min(1, counted["AccountAccessKeysPresent"])
    return {**counted, **_QUOTAS, **dict.fromkeys(_ABSENT, 0)}


async def created_at(database: Database, account: str) -> datetime:
    (row,) = await database.ask(_CREATED_AT, account=account)
    moment: datetime = row["created_at"]
    return moment

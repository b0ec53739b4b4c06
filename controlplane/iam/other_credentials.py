"""Credentials that a user of Berth never has, truthfully answered for the tools that look for them before they delete.

IAM API reference, "ListSigningCertificates", "GetLoginProfile" and the like.
"""

from berth.errors.iam import NoSuchEntity
from berth.identity.directory import identities
from controlplane.call import Call, Run, operation
from controlplane.iam.callers import user_of
from controlplane.wire.model import Members

# The listings, by what is never in them.
OF_A_USER = {
    "ListSigningCertificates": "Certificates",
    "ListSSHPublicKeys": "SSHPublicKeys",
    "ListServiceSpecificCredentials": "ServiceSpecificCredentials",
}
OF_THE_ACCOUNT = {
    "ListServerCertificates": "ServerCertificateMetadataList",
    "ListInstanceProfiles": "InstanceProfiles",
}


def _of_a_user(member: str) -> Run:
    async def none(call: Call, request: Members) -> Members:
        await user_of(call, request)
        return {member: [], "IsTruncated": False}

    return none


def _of_the_account(member: str) -> Run:
    async def none(_call: Call, _request: Members) -> Members:
        return {member: [], "IsTruncated": False}

    return none


for _name, _member in OF_A_USER.items():
    operation(_name, service="iam")(_of_a_user(_member))
for _name, _member in OF_THE_ACCOUNT.items():
    operation(_name, service="iam")(_of_the_account(_member))


@operation("ListSAMLProviders", service="iam")
async def list_saml_providers(_call: Call, _request: Members) -> Members:
    return {"SAMLProviderList": []}


@operation("ListInstanceProfilesForRole", service="iam")
async def list_instance_profiles_for_role(call: Call, request: Members) -> Members:
    await identities.get(call.database, call.registry.account, "role", request["RoleName"])
    return {"InstanceProfiles": [], "IsTruncated": False}


@operation("GetLoginProfile", service="iam")
async def get_login_profile(call: Call, request: Members) -> Members:
    raise await _no_login_profile(call, request)


@operation("DeleteLoginProfile", service="iam")
async def delete_login_profile(call: Call, request: Members) -> Members:
    raise await _no_login_profile(call, request)


async def _no_login_profile(call: Call, request: Members) -> NoSuchEntity:
    """Nobody logs in with a password. Raises NoSuchEntity where there is not even the user."""
    user = await user_of(call, request)
    name = call.registry.account if user is None else user.name
    return NoSuchEntity(f"Login Profile for User {name} cannot be found.")

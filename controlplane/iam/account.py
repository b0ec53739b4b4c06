"""The account as a whole (IAM API reference, "GetAccountSummary", "CreateAccountAlias")."""

from berth.errors.iam import NoSuchEntity
from berth.identity.directory import aliases, summary
from controlplane.call import Call, operation
from controlplane.wire.model import Members


@operation("GetAccountSummary", service="iam")
async def get_account_summary(call: Call, _request: Members) -> Members:
    return {"SummaryMap": await summary.numbers(call.database, call.registry.account)}


@operation("CreateAccountAlias", service="iam")
async def create_account_alias(call: Call, request: Members) -> Members:
    await aliases.put(call.database, call.registry.account, request["AccountAlias"])
    return {}


@operation("DeleteAccountAlias", service="iam")
async def delete_account_alias(call: Call, request: Members) -> Members:
    await aliases.remove(call.database, call.registry.account, request["AccountAlias"])
    return {}


@operation("ListAccountAliases", service="iam")
async def list_account_aliases(call: Call, _request: Members) -> Members:
    alias = await aliases.of(call.database, call.registry.account)
    return {"AccountAliases": [] if alias is None else [alias], "IsTruncated": False}


@operation("GetAccountPasswordPolicy", service="iam")
async def get_account_password_policy(call: Call, _request: Members) -> Members:
    """There are no passwords but those of the registry."""
    raise NoSuchEntity(f"The Password Policy with domain name {call.registry.account} cannot be found.")

"""The account as a whole (IAM API reference, "GetAccountSummary")."""

from berth.errors.iam import NoSuchEntity
from berth.identity.directory import summary
from controlplane.call import Call, operation
from controlplane.wire.model import Members


@operation("GetAccountSummary", service="iam")
async def get_account_summary(call: Call, _request: Members) -> Members:
    return {"SummaryMap": await summary.numbers(call.database, call.registry.account)}


@operation("ListAccountAliases", service="iam")
async def list_account_aliases(_call: Call, _request: Members) -> Members:
    """An account is known by its number alone."""
    return {"AccountAliases": [], "IsTruncated": False}


@operation("GetAccountPasswordPolicy", service="iam")
async def get_account_password_policy(call: Call, _request: Members) -> Members:
    """There are no passwords but those of the registry."""
    raise NoSuchEntity(f"The Password Policy with domain name {call.registry.account} cannot be found.")

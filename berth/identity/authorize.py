"""May this principal do this to that? The one question that stands before every operation and every data-plane step."""

from collections.abc import Mapping

from berth.errors import AccessDenied
from berth.identity.principals import Principal

NO_RESOURCE_POLICY = "no resource-based policy allows the {action} action"
NO_IDENTITY_POLICY = "no identity-based policy allows the {action} action"


def authorize(principal: Principal, action: str, resource: str, context: Mapping[str, str]) -> None:
    """Raise AccessDenied unless `principal` may do `action` (such as `ecr:PutImage`) to the ARN `resource`.

    The root of an account may do everything in it, and nothing in another one. `context` holds the condition keys of
    the request, such as `aws:RequestedRegion`.
    IAM user guide, "Policy evaluation logic".
    """
    del context
    owner = _account_of(resource) or principal.account
    if owner != principal.account:
        raise AccessDenied(principal.arn, action, resource, NO_RESOURCE_POLICY.format(action=action))
    if principal.arn != f"arn:aws:iam::{principal.account}:root":
        raise AccessDenied(principal.arn, action, resource, NO_IDENTITY_POLICY.format(action=action))


def _account_of(resource: str) -> str:
    """The account in an ARN; none in `*`."""
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 else ""

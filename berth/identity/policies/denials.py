"""AWS's words for a refusal. IAM user guide, "Troubleshoot access denied error messages"."""

from berth.identity.policies.compiled import Kind
from berth.identity.policies.decide import Decision, Outcome, Request

# As the kind stands behind "with an explicit deny in".
_DENYING = {
    Kind.IDENTITY: "an identity-based policy",
    Kind.RESOURCE: "a resource-based policy",
    Kind.TRUST: "the role trust policy",
    Kind.BOUNDARY: "a permissions boundary",
    Kind.SESSION: "a session policy",
    Kind.SERVICE_CONTROL: "a service control policy",
    Kind.ENDPOINT: "a VPC endpoint policy",
}


def words(request: Request, decision: Decision) -> str:
    """The message of AccessDenied."""
    return refusal(request.caller.name, request.action, request.resource, decision)


def refusal(caller: str, action: str, resource: str, decision: Decision) -> str:
    """The same, of the ARN of whoever asked."""
    return f"User: {caller} is not authorized to perform: {action} on resource: {resource} {reason(action, decision)}"


def reason(action: str, decision: Decision) -> str:
    """What AWS ends the message with."""
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        return f"with an explicit deny in {_DENYING[decision.kind]}"
    return f"because no {decision.kind} allows the {action} action"

"""Which managed policies an account may change: its own (IAM user guide, "Managed policies and inline policies")."""

from berth.errors import AccessDenied
from berth.identity.directory import held_policies
from berth.identity.directory.aws_policies import AWS
from controlplane.call import Call
from controlplane.wire.model import Members


def own_policy(call: Call, request: Members) -> str:
    """The ARN in the request. Raises AccessDenied for a policy of AWS, InvalidInput for what is no ARN of a policy."""
    arn: str = request["PolicyArn"]
    if held_policies.parse(arn)["account"] == AWS:
        who, action = call.principal.arn, f"iam:{call.operation}"
        raise AccessDenied(f"User: {who} is not authorized to perform: {action} on resource: policy {arn}")
    return arn

"""What IAM calls a resource where it refuses a call: by its name rather than its ARN, as IAM is seen to answer.

`User: … is not authorized to perform: iam:GetUser on resource: user bob because …`
"""

from collections import defaultdict
from string import Template

from controlplane.overlays import Rule
from controlplane.wire.model import Members

# Of operations, before what follows from what they are about. Who is made is called by the ARN that it would have.
_OF_ACTIONS = {
    "iam:CreateGroup": None,
    "iam:CreatePolicy": "policy ${PolicyName}",
    "iam:CreateRole": None,
    "iam:CreateUser": None,
    "iam:GetAccessKeyLastUsed": "access key ${AccessKeyId}",
    "iam:ListPolicies": "policy path ${PathPrefix}",
}
# By what stands in the overlay.
_OF_RESOURCES = {
    "${GroupName}": "group ${GroupName}",
    "${PolicyArn}": "policy ${PolicyArn}",
    "${RoleName}": "role ${RoleName}",
    "${UserName}": "user ${UserName}",
}


def shown(rule: Rule, members: Members, arn: str) -> str | None:
    """None: the resource is called by its ARN. A user that is not named is the caller, with that ARN."""
    words = _OF_ACTIONS[rule.action] if rule.action in _OF_ACTIONS else _of_resource(rule)
    if words is None:
        return None
    given = {"PathPrefix": "/", "UserName": arn.rpartition("/")[2], **members}
    return Template(words).substitute(defaultdict(lambda: "*", given))


def _of_resource(rule: Rule) -> str | None:
    resource = rule.resource or ""
    return next((words for mark, words in _OF_RESOURCES.items() if resource.endswith(mark)), None)

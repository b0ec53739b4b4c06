"""Which kind of resource an action is about, as the service authorization reference writes its ARN."""

from functools import cache

from controlplane.overlays import Rule, rules

ALL = "*"
REPOSITORY = "arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}"
# By what stands in the overlay of IAM.
_OF_IAM = {
    ":user${Path}": "user/${UserNameWithPath}",
    ":group${Path}": "group/${GroupNameWithPath}",
    ":role${Path}": "role/${RoleNameWithPath}",
    ":policy${Path}": "policy/${PolicyNameWithPath}",
    "${PolicyArn}": "policy/${PolicyNameWithPath}",
    ":mfa${Path}": "mfa/${MfaTokenIdWithPath}",
    "${SerialNumber}": "mfa/${MfaTokenIdWithPath}",
    "${AccessKeyId}": "user/${UserNameWithPath}",
    ":oidc-provider/": "oidc-provider/${OidcProviderName}",
    "${OpenIDConnectProviderArn}": "oidc-provider/${OidcProviderName}",
}


def template(action: str) -> str:
    """The ARN of what the action is about; `*` where that is nothing in particular, or not known here."""
    return _templates().get(action.lower(), ALL)


@cache
def _templates() -> dict[str, str]:
    of_ecr = {rule.action: REPOSITORY for rule in rules("ecr").values() if rule.repository is not None}
    of_others = {rule.action: _of(rule) for service in ("iam", "sts") for rule in rules(service).values()}
    return {action.lower(): written for action, written in {**of_others, **of_ecr}.items()}


def _of(rule: Rule) -> str:
    found = [written for mark, written in _OF_IAM.items() if mark in (rule.resource or "")]
    return f"arn:${{Partition}}:iam::${{Account}}:{found[0]}" if found else ALL

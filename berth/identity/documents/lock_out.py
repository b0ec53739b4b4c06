"""Would a repository policy keep its owner from ever setting another one? Pure."""

from berth.identity.arns import SessionArn
from berth.identity.documents.policy import NamedPrincipal, PolicyDocument, Statement
from berth.identity.policies.globs import glob

SET_REPOSITORY_POLICY = "ecr:setrepositorypolicy"


def locks_out(document: PolicyDocument, principal_arn: str) -> bool:
    """Whether `document` denies ecr:SetRepositoryPolicy to `principal_arn`, a principal of the account that owns it.

    Only a Deny without conditions counts: a condition may fail at the next request, and then nobody is locked out.
    What the policy does not allow, the owner's own policies still can.
    ECR API reference, "SetRepositoryPolicy", `force`.
    """
    return any(
        statement.effect == "Deny"
        and not statement.conditions
        and _is_about_setting(statement)
        and _is_about(statement, principal_arn)
        for statement in document.statements
    )


def _is_about_setting(statement: Statement) -> bool:
    patterns = statement.actions or statement.not_actions
    named = any(glob(pattern.lower())(SET_REPOSITORY_POLICY) for pattern in patterns)
    return named if statement.actions else not named


def _is_about(statement: Statement, arn: str) -> bool:
    """IAM user guide: Principal with an account means all who are in it; NotPrincipal has to name each one as well."""
    if statement.principals:
        everyone_of_account = frozenset({_account_of(arn), _root_of(arn)})
        return any(_is_named(principal, arn, everyone_of_account) for principal in statement.principals)
    itself = frozenset({_account_of(arn)}) if arn == _root_of(arn) else frozenset()
    return not any(_is_named(principal, arn, itself) for principal in statement.not_principals)


def _is_named(principal: NamedPrincipal, arn: str, other_names: frozenset[str]) -> bool:
    if principal.kind != "AWS":
        return False
    return principal.name in {"*", arn} | other_names or _is_role_of_session(principal.name, arn)


def _is_role_of_session(name: str, arn: str) -> bool:
    """The ARN of a session does not tell the path of its role, so that only the role's name can be compared."""
    session = SessionArn.parse(arn)
    return session is not None and name.startswith(session.roles) and name.rpartition("/")[2] == session.role


def _account_of(arn: str) -> str:
    return arn.split(":")[4]


def _root_of(arn: str) -> str:
    return f"arn:{arn.split(':')[1]}:iam::{_account_of(arn)}:root"

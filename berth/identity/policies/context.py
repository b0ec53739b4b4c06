"""The condition keys of a request: which there are, and how they are filled.

IAM user guide, "AWS global condition context keys"; service authorization reference, "Condition keys for Amazon
Elastic Container Registry".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from berth.identity.policies.compiled import Policies
from berth.identity.policies.variables import Context

_Filled = dict[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Session:
    """What a principal's credentials say of them. `tags` are the principal's and the session's together.

    `arn` is that of the user or the root, and of a role's session the role's own (`aws:PrincipalArn`). `principal_type`
    is Account, User, AssumedRole, FederatedUser or AWSService. `issued_at` is when temporary credentials were given;
    None: they are permanent. `federated_provider` vouched for the one whose session it is.
    """

    arn: str
    account: str
    user_id: str
    principal_type: str
    user_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    organization: str | None = None
    organization_paths: Sequence[str] = ()
    issued_at: datetime | None = None
    authenticated_at: datetime | None = None
    federated_provider: str | None = None
    source_identity: str | None = None
    service_names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How a request came. `source_ip` is the caller's address; through a VPC endpoint (`vpc_endpoint`) it is the one in
    the VPC, and `endpoint_policies` are that endpoint's. `source_arn` and `source_account` name the resource on whose
    behalf a service asks.
    """

    moment: datetime
    source_ip: str
    secure: bool
    region: str
    user_agent: str | None = None
    referer: str | None = None
    vpc: str | None = None
    vpc_endpoint: str | None = None
    via_service: bool = False
    source_arn: str | None = None
    source_account: str | None = None
    endpoint_policies: Policies | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about: the tags of the resource, its account, and the tags that the request gives or takes.

    `tag_keys` are the keys of tags that it takes away; those of `request_tags` count without being named again.
    `service` is the prefix under which the resource's tags stand too, as in `ecr:ResourceTag/team`; `keys` are further
    keys of the service, such as `ecr:AccountSetting`.
    """

    account: str
    tags: Mapping[str, str] = field(default_factory=dict)
    request_tags: Mapping[str, str] = field(default_factory=dict)
    tag_keys: Sequence[str] = ()
    service: str = "ecr"
    keys: Mapping[str, str] = field(default_factory=dict)


def build(session: Session, circumstances: Circumstances, subject: Subject) -> Context:
    """The context of a request, its keys in small letters."""
    return {
        **of_session(session, circumstances.moment),
        **of_circumstances(circumstances),
        **of_subject(subject),
    }


def of_session(session: Session, moment: datetime) -> _Filled:
    filled: _Filled = {
        "aws:principalarn": session.arn,
        "aws:principalaccount": session.account,
        "aws:principaltype": session.principal_type,
        "aws:userid": session.user_id,
        "aws:principalisawsservice": _truth(bool(session.service_names)),
        **{f"aws:principaltag/{key.lower()}": value for key, value in session.tags.items()},
    }
    _fill(filled, "aws:username", session.user_name)
    _fill(filled, "aws:principalorgid", session.organization)
    _fill(filled, "aws:principalorgpaths", tuple(session.organization_paths))
    _fill(filled, "aws:federatedprovider", session.federated_provider)
    _fill(filled, "aws:sourceidentity", session.source_identity)
    _fill(filled, "aws:principalservicename", session.service_names[0] if session.service_names else None)
    _fill(filled, "aws:principalservicenameslist", tuple(session.service_names))
    if session.issued_at is not None:
        # Only temporary credentials can say so.
        filled["aws:tokenissuetime"] = _moment(session.issued_at)
        filled["aws:multifactorauthpresent"] = _truth(session.authenticated_at is not None)
    if session.authenticated_at is not None:
        filled["aws:multifactorauthage"] = str(int((moment - session.authenticated_at).total_seconds()))
    return filled


def of_circumstances(circumstances: Circumstances) -> _Filled:
    through_endpoint = circumstances.vpc_endpoint is not None
    filled: _Filled = {
        "aws:currenttime": _moment(circumstances.moment),
        "aws:epochtime": str(int(circumstances.moment.timestamp())),
        "aws:securetransport": _truth(circumstances.secure),
        "aws:requestedregion": circumstances.region,
        "aws:viaawsservice": _truth(circumstances.via_service),
        "aws:vpcsourceip" if through_endpoint else "aws:sourceip": circumstances.source_ip,
    }
    filled |= of_network(circumstances.vpc, circumstances.vpc_endpoint)
    _fill(filled, "aws:useragent", circumstances.user_agent)
    _fill(filled, "aws:referer", circumstances.referer)
    _fill(filled, "aws:sourcearn", circumstances.source_arn)
    _fill(filled, "aws:sourceaccount", circumstances.source_account)
    return filled


def of_network(vpc: str | None, vpc_endpoint: str | None) -> _Filled:
    filled: _Filled = {}
    _fill(filled, "aws:sourcevpc", vpc)
    _fill(filled, "aws:sourcevpce", vpc_endpoint)
    return filled


def of_subject(subject: Subject) -> _Filled:
    filled: _Filled = {"aws:resourceaccount": subject.account}
    for key, value in _in_order(subject.tags):
        filled[f"aws:resourcetag/{key.lower()}"] = filled[f"{subject.service}:resourcetag/{key.lower()}"] = value
    filled |= {f"aws:requesttag/{key.lower()}": value for key, value in _in_order(subject.request_tags)}
    _fill(filled, "aws:tagkeys", tuple(dict.fromkeys([*subject.request_tags, *subject.tag_keys])))
    return filled | {key.lower(): value for key, value in subject.keys.items()}


def _in_order(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    """Of tags whose keys differ in case alone the same one counts always, in a request as on a resource."""
    return sorted(tags.items())


def lowered(context: Mapping[str, str | Sequence[str]]) -> Context:
    """A context that somebody wrote down, as SimulatePrincipalPolicy takes one: several values where they are many."""
    return {key.lower(): value if isinstance(value, str) else tuple(value) for key, value in context.items()}


def _fill(filled: _Filled, key: str, value: str | tuple[str, ...] | None) -> None:
    if value:
        filled[key] = value


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

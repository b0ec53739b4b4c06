"""IAM user guide, "AWS global condition context keys"."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from berth.identity.policies import keys
from berth.identity.policies.context import Circumstances, Session, Subject, build, lowered, of_subject
from tests.unit.identity.policies.asking import ACCOUNT, ALICE, ROLE

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
USER = Session(ALICE, ACCOUNT, "AIDAEXAMPLE", "User", user_name="alice", tags={"Team": "web"}, organization="o-abc")
HERE = Circumstances(NOW, "203.0.113.7", True, "us-east-1")
REPOSITORY = Subject(ACCOUNT)


def test_a_user_with_an_access_key() -> None:
    assert build(USER, HERE, REPOSITORY) == {
        "aws:principalarn": ALICE,
        "aws:principalaccount": ACCOUNT,
        "aws:principaltype": "User",
        "aws:principalisawsservice": "false",
        "aws:principalorgid": "o-abc",
        "aws:principaltag/team": "web",
        "aws:userid": "AIDAEXAMPLE",
        "aws:username": "alice",
        "aws:currenttime": "2026-11-24T10:00:00Z",
        "aws:epochtime": "1795514400",
        "aws:requestedregion": "us-east-1",
        "aws:resourceaccount": ACCOUNT,
        "aws:securetransport": "true",
        "aws:sourceip": "203.0.113.7",
        "aws:viaawsservice": "false",
    }


def test_a_session_tells_when_it_was_made_and_how_its_owner_was_known() -> None:
    made = NOW.astimezone(timezone(timedelta(hours=2))) - timedelta(minutes=10)
    session = Session(
        ROLE,
        ACCOUNT,
        "AROAEXAMPLE:job-7",
        "AssumedRole",
        organization_paths=["o-abc/r-1/ou-2/"],
        issued_at=made,
        authenticated_at=made - timedelta(seconds=5),
        federated_provider="accounts.google.com",
        source_identity="alice",
    )
    found = build(session, HERE, REPOSITORY)
    assert found["aws:tokenissuetime"] == "2026-11-24T09:50:00Z"
    assert (found["aws:multifactorauthpresent"], found["aws:multifactorauthage"]) == ("true", "605")
    assert found["aws:principalorgpaths"] == ("o-abc/r-1/ou-2/",)
    assert (found["aws:federatedprovider"], found["aws:sourceidentity"]) == ("accounts.google.com", "alice")
    assert "aws:username" not in found


def test_permanent_credentials_say_nothing_of_a_second_factor() -> None:
    assert not {"aws:multifactorauthpresent", "aws:tokenissuetime"} & build(USER, HERE, REPOSITORY).keys()


def test_temporary_credentials_without_a_second_factor_say_so() -> None:
    session = Session(ROLE, ACCOUNT, "AROAEXAMPLE:job-7", "AssumedRole", issued_at=NOW)
    found = build(session, HERE, REPOSITORY)
    assert found["aws:multifactorauthpresent"] == "false"
    assert "aws:multifactorauthage" not in found


def test_through_an_endpoint_the_address_is_one_of_the_vpc() -> None:
    inside = Circumstances(
        NOW,
        "10.1.2.3",
        False,
        "eu-west-1",
        "docker/28",
        "https://example.com",
        "vpc-1",
        "vpce-2",
        True,
        "arn:aws:s3:::b",
        ACCOUNT,
    )
    found = build(USER, inside, REPOSITORY)
    assert "aws:sourceip" not in found
    assert (found["aws:vpcsourceip"], found["aws:sourcevpc"], found["aws:sourcevpce"]) == (
        "10.1.2.3",
        "vpc-1",
        "vpce-2",
    )
    assert (found["aws:useragent"], found["aws:referer"]) == ("docker/28", "https://example.com")
    assert (found["aws:viaawsservice"], found["aws:securetransport"]) == ("true", "false")
    assert (found["aws:sourcearn"], found["aws:sourceaccount"]) == ("arn:aws:s3:::b", ACCOUNT)


def test_a_service_says_which_it_is() -> None:
    names = ["ecr.amazonaws.com", "replication.ecr.amazonaws.com"]
    found = build(Session("ecr.amazonaws.com", "", "", "AWSService", service_names=names), HERE, REPOSITORY)
    assert found["aws:principalisawsservice"] == "true"
    assert found["aws:principalservicename"] == "ecr.amazonaws.com"
    assert found["aws:principalservicenameslist"] == tuple(names)


def test_tags_of_the_resource_and_of_the_request() -> None:
    subject = Subject(
        ACCOUNT,
        {"Env": "prod"},
        {"Team": "web"},
        ["Owner", "Team"],
        keys={"ecr:AccountSetting": "BASIC_SCAN_TYPE_VERSION"},
    )
    found = build(USER, HERE, subject)
    assert found["aws:resourcetag/env"] == found["ecr:resourcetag/env"] == "prod"
    assert found["aws:requesttag/team"] == "web"
    assert found["aws:tagkeys"] == ("Team", "Owner")
    assert found["ecr:accountsetting"] == "BASIC_SCAN_TYPE_VERSION"


def test_every_key_that_is_filled_is_known_with_its_type() -> None:
    everything = Session(
        ROLE, ACCOUNT, "x", "AssumedRole", "u", {"T": "v"}, "o", ["p"], NOW, NOW, "f", "s", ["ecr.amazonaws.com"]
    )
    inside = Circumstances(NOW, "10.1.2.3", True, "r", "a", "b", "vpc", "vpce", True, "arn", ACCOUNT)
    subject = Subject(ACCOUNT, {"T": "v"}, {"T": "v"}, keys={"ecr:AccountSetting": "x"})
    filled = build(everything, inside, subject) | build(USER, HERE, subject)
    assert {key.name.lower() for key in keys.KEYS} == {name.partition("/")[0] + "/" * ("/" in name) for name in filled}
    for name, value in filled.items():
        key = keys.find(name)
        assert key is not None
        assert key.several is isinstance(value, tuple)


def test_a_written_context_is_read_without_regard_to_case() -> None:
    assert lowered({"AWS:TagKeys": ["a", "B"], "aws:UserName": "Alice"}) == {
        "aws:tagkeys": ("a", "B"),
        "aws:username": "Alice",
    }


@pytest.mark.parametrize("tags", [{"env": "evil", "Env": "prod"}, {"Env": "prod", "env": "evil"}])
def test_of_tags_whose_keys_differ_in_case_alone_one_counts_whatever_their_order(tags: dict[str, str]) -> None:
    """Else a request could show policies another value than the resource does afterwards."""
    filled = of_subject(Subject(ACCOUNT, tags=tags, request_tags=tags))
    assert filled["aws:requesttag/env"] == filled["aws:resourcetag/env"] == filled["ecr:resourcetag/env"] == "evil"

"""`berth iam what-if`: exactly the requests of the past days that a change would decide otherwise, and no others."""

import secrets
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from berth import registries
from berth.audit import reading
from berth.identity.credentials import access_keys
from berth.identity.directory import (
    attachments,
    boundaries,
    customer_policies,
    groups,
    identities,
    inline_policies,
    roles,
    service_control,
    users,
)
from berth.identity.what_if import asking
from berth.repositories import documents
from berth.schema import audited_requests
from tests.identities import EVERYTHING, Identities, allowing, denying, document
from tests.integration.audit.conftest import MANIFEST, NAME, PULL, Place, told

PULLS = allowing(PULL, "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability")
NOTHING = {"refused": [], "allowed": []}


def of(place: Place, name: str, kind: str = "user") -> tuple[str, str]:
    return "--of", f"arn:aws:iam::{place.account}:{kind}/{name}"


async def managed(place: Place, *statements: dict[str, Any]) -> str:
    await customer_policies.create(place.database, place.account, "/", "managed", document(*statements), tags={})
    return f"arn:aws:iam::{place.account}:policy/managed"


def differences(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in ("refused", "allowed")}


async def test_pulls_that_a_policy_allows_would_be_refused_without_it(place: Place) -> None:
    alice = await place.identities.user("alice", PULLS)
    bob = await place.identities.user("bob", EVERYTHING)
    assert await place.pull(alice.principal, times=3) == 200
    assert await place.pull(bob.principal) == 200
    answer = await place.what_if(*of(place, "alice"), "--inline-policy", "inline", "--without")
    assert told(answer["refused"]) == {("alice", PULL): 3}
    assert answer["allowed"] == []
    (only,) = answer["refused"]
    assert only["resource"] == place.arn
    assert only["reason"] == f"because no identity-based policy allows the {PULL} action"
    assert only["reasonUntilNow"] == "inline, statement 1"
    assert await place.pull(alice.principal) == 200, "nothing is changed by asking"
    user = await identities.get(place.database, place.account, "user", "alice")
    assert await inline_policies.get(place.database, user, "inline") == document(PULLS)


async def test_nothing_is_told_where_the_change_changes_nothing(place: Place) -> None:
    alice = await place.identities.user("alice", PULLS)
    await place.pull(alice.principal)
    whose = of(place, "alice")
    for said in (document(PULLS), document(EVERYTHING), document(PULLS, denying("ecr:PutImage"))):
        answer = await place.what_if(*whose, "--inline-policy", "inline", place.file(said))
        assert differences(answer) == NOTHING, said
        assert answer["requests"] >= 1
    other = await place.identities.user("other", PULLS)
    assert differences(await place.what_if(*of(place, "other"), "--inline-policy", "inline", "--without")) == NOTHING
    assert other


async def test_refused_requests_would_be_allowed_by_a_new_policy(place: Place) -> None:
    alice = await place.identities.user("alice", allowing("ecr:ListImages"))
    assert await place.pull(alice.principal, times=2) == 403
    answer = await place.what_if(*of(place, "alice"), "--inline-policy", "more", place.file(document(PULLS)))
    assert told(answer["allowed"]) == {("alice", PULL): 2}
    assert answer["allowed"][0]["reason"] == "more, statement 1"
    assert answer["refused"] == []


async def test_a_policy_may_be_attached_and_detached(place: Place) -> None:
    alice, bob = await place.identities.user("alice"), await place.identities.user("bob")
    arn = await managed(place, PULLS)
    await attachments.attach(place.database, place.account, "user", "bob", arn)
    assert (await place.pull(alice.principal), await place.pull(bob.principal)) == (403, 200)
    attached = await place.what_if(*of(place, "alice"), "--attached-policy", arn)
    assert told(attached["allowed"]) == {("alice", PULL): 1}
    assert attached["refused"] == []
    detached = await place.what_if(*of(place, "bob"), "--attached-policy", arn, "--without")
    assert told(detached["refused"]) == {("bob", PULL): 1}
    assert detached["refused"][0]["reasonUntilNow"] == f"{arn}, statement 1"


async def test_what_a_managed_policy_says_concerns_all_who_have_it(place: Place) -> None:
    arn = await managed(place, PULLS)
    for name in ("alice", "bob"):
        user = await place.identities.user(name)
        await attachments.attach(place.database, place.account, "user", name, arn)
        assert await place.pull(user.principal) == 200
    said = document(PULLS, denying(PULL, Sid="NoMore"))
    answer = await place.what_if("--managed-policy", arn, place.file(said))
    assert told(answer["refused"]) == {("alice", PULL): 1, ("bob", PULL): 1}
    words = f"with an explicit deny in an identity-based policy: {arn}, statement 2 (NoMore)"
    assert {each["reason"] for each in answer["refused"]} == {words}


async def test_a_policy_of_a_group_concerns_its_members(place: Place) -> None:
    alice = await place.identities.user("alice")
    await identities.create(place.database, place.account, "group", "/", "readers")
    await groups.add(place.database, place.account, "readers", "alice")
    await place.identities.let("group", "readers", PULLS)
    assert await place.pull(alice.principal) == 200
    answer = await place.what_if(*of(place, "readers", "group"), "--inline-policy", "inline", "--without")
    assert told(answer["refused"]) == {("alice", PULL): 1}


async def test_a_boundary_would_limit(place: Place) -> None:
    alice = await place.identities.user("alice", EVERYTHING)
    assert await place.pull(alice.principal) == 200
    with place.api("ecr", alice) as api:
        await api.list_images(repositoryName=NAME)
    arn = await managed(place, allowing("ecr:ListImages"))
    answer = await place.what_if(*of(place, "alice"), "--boundary", arn)
    assert told(answer["refused"]) == {("alice", PULL): 1}
    assert answer["refused"][0]["reason"] == f"because no permissions boundary allows the {PULL} action"
    await boundaries.put(place.database, place.account, "user", "alice", arn)
    assert await place.pull(alice.principal) == 403
    answer = await place.what_if(*of(place, "alice"), "--boundary", arn, "--without")
    assert told(answer["allowed"]) == {("alice", PULL): 2}


async def test_a_service_control_policy_would_limit_the_account(place: Place) -> None:
    alice = await place.identities.user("alice", EVERYTHING)
    await place.pull(alice.principal)
    said = place.file(document(denying("ecr:Batch*")))
    given = ("--service-control-policy", "guard", "--of", place.account)
    answer = await place.what_if(*given, said)
    assert told(answer["refused"])["alice", PULL] == 1
    words = "with an explicit deny in a service control policy: guard, statement 1"
    assert {each["reason"] for each in answer["refused"]} == {words}
    await service_control.put(place.database, place.account, {"guard": document(denying(PULL))})
    assert await place.pull(alice.principal) == 403
    assert told((await place.what_if(*given, "--without"))["allowed"])["alice", PULL] == 2


async def test_a_repository_policy_would_let_another_account_in_or_keep_somebody_out(place: Place) -> None:
    alice = await place.identities.user("alice", EVERYTHING)
    other = f"{secrets.randbelow(10**12):012}"
    await access_keys.create_root(place.database, place.seal, other)
    stranger = await Identities(place.database, place.seal, other).user("stranger", EVERYTHING)
    assert (await place.pull(alice.principal), await place.pull(stranger.principal, times=2)) == (200, 403)
    statement = {"Effect": "Allow", "Principal": {"AWS": other}, "Action": PULL}
    said = place.file(document(statement))
    _, everybody = await place.run("--repository-policy", place.arn, said)
    assert f"2  arn:aws:iam::{other}:user/stranger {PULL} on {place.arn}" in everybody
    assert "1 newly refused" not in everybody
    denied = place.file(document({**statement, "Effect": "Deny", "Principal": {"AWS": alice.principal.arn}}))
    answer = await place.what_if("--repository-policy", place.arn, denied)
    assert told(answer["refused"]) == {("alice", PULL): 1}
    assert answer["refused"][0]["reason"].startswith("with an explicit deny in a resource-based policy: policy of team")
    await documents.set_policy(place.database, place.registry, NAME, document(statement))
    assert await place.pull(stranger.principal) == 200
    _, without = await place.run("--repository-policy", place.arn, "--without", "--account", other)
    assert "3 newly refused" in without
    assert differences(await place.what_if("--repository-policy", place.arn, "--without")) == NOTHING


async def test_a_registry_policy_would_keep_somebody_out(place: Place) -> None:
    alice = await place.identities.user("alice", EVERYTHING)
    await place.pull(alice.principal)
    await registries.put(place.database, place.registry, {"settings": {"REGISTRY_POLICY_SCOPE": "V2"}})
    statement = {
        "Effect": "Deny", "Principal": {"AWS": alice.principal.arn}, "Action": "ecr:BatchGet*",
        "Resource": place.registry.arn("*"),
    }  # fmt: skip
    given = ("--registry-policy", f"{place.account}/{place.registry.region}")
    answer = await place.what_if(*given, place.file(document(statement)))
    assert told(answer["refused"]) == {("alice", PULL): 1}
    elsewhere = ("--registry-policy", f"{place.account}/eu-west-1")
    there = {**statement, "Resource": place.registry.arn("*").replace(place.registry.region, "eu-west-1")}
    assert differences(await place.what_if(*elsewhere, place.file(document(there)))) == NOTHING


async def test_requests_of_a_principal_that_is_gone_are_told_of(place: Place) -> None:
    alice = await place.identities.user("alice", PULLS)
    await place.pull(alice.principal, times=4)
    await place.keep()
    await inline_policies.remove(place.database, place.account, "user", "alice", "inline")
    async with place.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM access_keys WHERE id = $1", (alice.id,))
    await users.delete(place.database, place.account, "alice")
    again = await place.identities.user("alice", PULLS)
    await place.pull(again.principal)
    answer = await place.what_if(*of(place, "alice"), "--inline-policy", "inline", "--without")
    assert told(answer["refused"]) == {("alice", PULL): 1}, "one of the same name is somebody else"
    assert answer["undecided"] == {asking.GONE: 4}


async def test_a_session_is_decided_with_its_own_policies(place: Place) -> None:
    limited = await place.identities.role_session("ci", EVERYTHING, policies=(document(allowing("ecr:ListImages")),))
    assert await place.pull(limited) == 403
    session = await place.identities.role_session("job", EVERYTHING, name="of-the-night")
    assert await place.pull(session) == 200
    for role in ("ci", "job"):
        answer = await place.what_if(*of(place, role, "role"), "--inline-policy", "inline", "--without")
        assert told(answer["refused"]) == ({} if role == "ci" else {("of-the-night", PULL): 1})
    principal = f"arn:aws:iam::{place.account}:role/job"
    answer = await place.what_if(
        *of(place, "job", "role"), "--inline-policy", "inline", "--without", "--principal", principal
    )
    assert answer["requests"] == 1, "of the sessions of the role alone"


async def test_becoming_a_role_is_asked_of_its_trust_policy_too(place: Place) -> None:
    role = f"arn:aws:iam::{place.account}:role/ci"
    alice = await place.identities.user("alice", allowing("sts:AssumeRole"))
    trust = document({"Effect": "Allow", "Principal": {"AWS": place.account}, "Action": "sts:AssumeRole"})
    await roles.create(place.database, place.account, "/", "ci", trust, tags={})
    with place.api("sts", alice) as sts:
        await sts.assume_role(RoleArn=role, RoleSessionName="session")
    given = (*of(place, "alice"), "--inline-policy", "inline", "--without")
    answer = await place.what_if(*given)
    assert told(answer["refused"]) == {("alice", "sts:AssumeRole"): 1}
    assert answer["refused"][0]["resource"] == role
    await roles.delete(place.database, place.account, "ci")
    assert (await place.what_if(*given))["undecided"] == {asking.ROLE_GONE: 1}


async def test_what_is_asked_of_a_request_is_what_it_was(place: Place) -> None:
    """The address, the user agent, the tags that it gives."""
    alice = await place.identities.user("alice", EVERYTHING)
    await place.pull(alice.principal, **{"User-Agent": "docker/24"})
    await place.pull(alice.principal, times=2, **{"User-Agent": "curl/8"})
    with place.api("ecr", alice) as api:
        for team in ("one", "two"):
            tags = [{"Key": "team", "Value": team}]
            await api.create_repository(repositoryName=f"of/{team}", tags=tags)
    for condition, action, requests in (
        ({"StringLike": {"aws:UserAgent": "docker/*"}}, PULL, 1),
        ({"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1"]}}, PULL, 3),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, PULL, 0),
        ({"Bool": {"aws:SecureTransport": "false"}}, PULL, 3),
        ({"StringEquals": {"aws:RequestTag/team": "two"}}, "ecr:CreateRepository", 1),
        ({"StringEquals": {"aws:RequestedRegion": place.registry.region}}, "ecr:CreateRepository", 2),
    ):
        said = place.file(document(EVERYTHING, denying(action, Condition=condition)))
        found = await place.what_if(*of(place, "alice"), "--inline-policy", "inline", said)
        assert sum(told(found["refused"]).values()) == requests, condition


async def test_iam_itself_is_asked_about(place: Place) -> None:
    alice = await place.identities.user("alice", allowing("iam:ListUsers"))
    with place.api("iam", alice) as iam:
        await iam.list_users()
        assert (await iam.refused("list_roles")).status == 403
    answer = await place.what_if(*of(place, "alice"), "--inline-policy", "inline", "--without")
    assert told(answer["refused"]) == {("alice", "iam:ListUsers"): 1}
    said = place.file(document(allowing("iam:List*")))
    answer = await place.what_if(*of(place, "alice"), "--inline-policy", "inline", said)
    assert told(answer["allowed"]) == {("alice", "iam:ListRoles"): 1}


async def test_a_change_that_would_be_refused_is_refused_in_the_same_words(place: Place) -> None:
    await place.identities.user("alice", PULLS)
    arn = await managed(place, PULLS)
    whose = of(place, "alice")
    for words, error in (
        ((*whose, "--inline-policy", "x", place.file("{")), "Syntax errors in policy."),
        ((*of(place, "nobody"), "--inline-policy", "x", "--without"), "The user with name nobody cannot be found."),
        ((*whose, "--inline-policy", "x", "--without"), "The user policy with name x cannot be found."),
        ((*whose, "--attached-policy", arn + "2"), f"Policy {arn}2 does not exist or is not attachable."),
        ((*whose, "--boundary", "nonsense"), "ARN nonsense is not valid."),
        (("--repository-policy", place.arn, "--without"), "Repository policy does not exist"),
        (("--service-control-policy", "x", "--of", "999999999999", "--without"), "there is no account '999999999999'"),
    ):
        code, output = await place.run(*words)
        assert code == 1, words
        assert error in output


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "name one policy that changes"),
        (("--inline-policy", "a"), "--inline-policy needs --of"),
        (("--repository-policy", "a", "--of", "b", "--without"), "--repository-policy takes no --of"),
        (("--inline-policy", "a", "--of", "b"), "give the FILE that the policy would be, or --without"),
        (("--managed-policy", "a", "--without"), "detach it with"),
        (("--inline-policy", "a", "--boundary", "b", "--of", "c", "--without"), "name one policy that changes"),
    ],
)
async def test_what_is_no_question_is_told(place: Place, words: tuple[str, ...], error: str) -> None:
    code, output = await place.run(*words)
    assert code == 2
    assert error in output


async def test_the_answer_is_for_people_too_and_of_the_days_asked_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    alice = await place.identities.user("alice", EVERYTHING)
    client = await place.client(alice.principal)
    for method, path in (("GET", MANIFEST), ("GET", f"{NAME}/tags/list"), ("GET", "/v2/_catalog")):
        await client.send(method, path)
    await place.keep()
    given = (*of(place, "alice"), "--inline-policy", "inline", "--without")
    assert len((await place.what_if(*given))["refused"]) >= 2, "all pages are read"
    code, output = await place.run(*given, "--days", "1", "--account", place.account)
    assert code == 3
    assert f"1  {alice.principal.arn} {PULL} on {place.arn}" in output
    assert "until now: inline, statement 1" in output
    assert " requests of the past 1 days: " in output
    async with place.database.transaction() as connection:
        long_ago = audited_requests.c.hour - timedelta(days=3)
        mine = audited_requests.c.account == place.account
        await connection.execute(update(audited_requests).where(mine).values(hour=long_ago))
    code, output = await place.run(*given, "--days", "2", "--account", place.account)
    assert code == 0
    assert "0 requests of the past 2 days: 0 newly refused, 0 newly allowed" in output

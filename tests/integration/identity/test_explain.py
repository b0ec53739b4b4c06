"""`berth iam explain`: which statements decided, and why the others did not."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from berth import repositories
from berth.cli.main import main
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.directory import (
    accounts,
    boundaries,
    customer_policies,
    inline_policies,
    roles,
    service_control,
    users,
)
from berth.identity.directory.identities import Identity
from berth.names import Registry, RepositoryName
from berth.repositories import documents
from berth.repositories.mutability import Mutability
from berth.settings import Settings

Statement = dict[str, Any]


def policy(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str, action: str, resource: str = "*", **more: Any) -> Statement:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


@dataclass
class Place:
    """An account with a user, in the database that the command opens by itself."""

    database: Database
    settings: Settings
    registry: Registry
    user: Identity

    @property
    def account(self) -> str:
        return self.registry.account

    async def allow(self, name: str, *statements: Statement) -> None:
        await inline_policies.put(self.database, self.account, "user", self.user.name, name, policy(*statements))

    async def explain(self, *words: str, principal: str | None = None) -> tuple[int, str]:
        """The exit code, and what is printed."""
        assert self.settings.database_url
        url = self.settings.database_url.get_secret_value()
        given = ["iam", "explain", "--database-url", url, "--data", str(self.settings.data)]
        given += ["--principal", principal or self.user.arn, *words]
        result = await asyncio.to_thread(CliRunner().invoke, main, given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result.exit_code, result.output

    async def explained(self, *words: str, principal: str | None = None) -> dict[str, Any]:
        _, output = await self.explain(*words, "--json", principal=principal)
        explanation: dict[str, Any] = json.loads(output)
        return explanation


@pytest.fixture
async def place(database: Database, settings: Settings, registry: Registry, root_key: AccessKey) -> Place:
    user = await users.create(database, registry.account, "/team/", "alice", {"team": "one"})
    return Place(database, settings, registry, user)


async def test_what_allows_is_named_with_its_statement(place: Place) -> None:
    await place.allow("pulls", statement("Deny", "ecr:Put*"), statement("Allow", "ecr:BatchGet*", Sid="Pulling"))
    code, output = await place.explain("--action", "ecr:BatchGetImage", "--resource", place.registry.arn("team/app"))
    assert code == 0
    assert output.startswith(f"allowed: {place.user.arn} may ecr:BatchGetImage on ")
    assert "by pulls, statement 2" in output
    assert "pulls, statement 2 (Pulling), allows it" in output


async def test_what_nothing_allows_says_why_each_statement_does_not(place: Place) -> None:
    arn = place.registry.arn("other")
    condition = {"StringEquals": {"aws:PrincipalTag/team": "two"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    allowing = statement("Allow", "ecr:PutImage", place.registry.arn("team/*"), Condition=condition)
    await place.allow("pushes", allowing)
    code, output = await place.explain("--action", "ecr:PutImage", "--resource", arn)
    assert code == 3
    assert "because no identity-based policy allows the ecr:PutImage action" in output
    assert f"its Resource leaves out {arn}" in output
    assert "its condition StringEquals aws:PrincipalTag/team ['two'] does not hold: the request has 'one'" in output
    assert "the request has no such key" in output
    assert "not known of the request (--context): aws:sourceip" in output


async def test_the_context_that_is_given_counts(place: Place) -> None:
    await place.allow("near", statement("Allow", "ecr:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    asked = ("--action", "ecr:GetAuthorizationToken")
    assert (await place.explain(*asked, "--context", "aws:SourceIp=10.1.2.3"))[0] == 0
    assert (await place.explain(*asked, "--context", "aws:SourceIp=11.1.2.3"))[0] == 3
    explained = await place.explained(*asked, "--context", "aws:TagKeys=a", "--context", "aws:TagKeys=b")
    assert explained["context"]["aws:tagkeys"] == ["a", "b"]
    assert explained["context"]["aws:username"] == "alice"


async def test_what_denies_is_named_whatever_kind_it_is(place: Place) -> None:
    await place.allow("all", statement("Allow", "ecr:*"))
    await service_control.put(place.database, place.account, {"no-pushes": policy(statement("Deny", "ecr:PutImage"))})
    code, output = await place.explain("--action", "ecr:PutImage")
    assert code == 4
    assert "with an explicit deny in a service control policy" in output
    explained = await place.explained("--action", "ecr:PutImage")
    assert explained["decision"] == "explicitDeny"
    assert explained["decidedBy"] == "service control policy"
    assert explained["statements"] == [{"policy": "no-pushes", "statement": 1, "sid": None}]


async def test_a_boundary_limits(place: Place) -> None:
    await place.allow("all", statement("Allow", "ecr:*"))
    text = policy(statement("Allow", "ecr:Describe*"))
    made = await customer_policies.create(place.database, place.account, "/", "limit", text, tags={})
    await boundaries.put(place.database, place.account, "user", "alice", made.arn)
    assert (await place.explain("--action", "ecr:DescribeRegistry"))[0] == 0
    explained = await place.explained("--action", "ecr:PutImage")
    assert explained["decidedBy"] == "permissions boundary"


async def test_a_policy_on_the_repository_is_asked(place: Place) -> None:
    name = RepositoryName("team/app")
    await repositories.create(place.database, place.registry, name, mutability=Mutability.of("MUTABLE"))
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": {"AWS": place.user.arn}, "Action": "ecr:BatchGetImage"},
        }
    )
    await documents.set_policy(place.database, place.registry, name, text)
    asked = ("--action", "ecr:BatchGetImage", "--resource", place.registry.arn("team/app"))
    explained = await place.explained(*asked)
    assert explained["decidedBy"] == "resource-based policy"
    assert explained["context"]["aws:resourceaccount"] == place.account


async def test_the_policy_of_the_vpc_endpoint_counts_where_one_is_named(place: Place, tmp_path: Path) -> None:
    await place.allow("all", statement("Allow", "ecr:*"))
    file = tmp_path / "endpoint.json"
    allowing = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGet*", "Resource": "*"}
    denying = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*Upload", "Resource": "*"}
    file.write_text(policy(allowing, denying))
    networks = {"build": {"vpc": "vpc-1", "vpce": "vpce-1", "policy": str(file)}, "bare": {"vpce": "vpce-2"}}
    through = ("--networks", json.dumps(networks), "--vpc-endpoint", "vpce-1")
    assert (await place.explain("--action", "ecr:PutImage", *through[:2]))[0] == 0
    assert (await place.explain("--action", "ecr:PutImage", *through[:3], "vpce-2"))[0] == 0
    code, output = await place.explain("--action", "ecr:BatchGetImage", *through)
    assert code == 0
    assert "by vpce-1, statement 1; all, statement 1" in output
    code, output = await place.explain("--action", "ecr:PutImage", *through)
    assert code == 3
    assert "because no VPC endpoint policy allows the ecr:PutImage action" in output
    assert "VPC endpoint policy: says nothing about the action" in output
    code, output = await place.explain("--action", "ecr:InitiateLayerUpload", *through)
    assert code == 4
    assert "with an explicit deny in a VPC endpoint policy" in output
    explained = await place.explained("--action", "ecr:InitiateLayerUpload", *through)
    assert explained["decidedBy"] == "VPC endpoint policy"
    assert explained["statements"] == [{"policy": "vpce-1", "statement": 2, "sid": None}]
    context = explained["context"]
    assert (context["aws:sourcevpc"], context["aws:sourcevpce"]) == ("vpc-1", "vpce-1")
    code, output = await place.explain("--action", "ecr:PutImage", *through[:3], "vpce-3")
    assert code == 1
    assert "none of --networks (BERTH_NETWORKS) has vpce-3" in output


async def test_roles_and_roots_are_asked_about_too(place: Place) -> None:
    account = place.account
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": {"AWS": place.user.arn}, "Action": "sts:AssumeRole"},
        }
    )
    role = await roles.create(place.database, account, "/", "puller", trust, tags={})
    await inline_policies.put(
        place.database, account, "role", "puller", "pulls", policy(statement("Allow", "ecr:BatchGetImage"))
    )
    for arn in (role.arn, f"arn:aws:sts::{account}:assumed-role/puller/ci"):
        assert (await place.explain("--action", "ecr:BatchGetImage", principal=arn))[0] == 0
        assert (await place.explain("--action", "ecr:PutImage", principal=arn))[0] == 3
    assert (await place.explain("--action", "sts:AssumeRole", "--resource", role.arn))[0] == 0
    assert (await place.explain("--action", "ecr:PutImage", principal=f"arn:aws:iam::{account}:root"))[0] == 0


@pytest.mark.parametrize(
    ("words", "principal", "complaint"),
    [
        (("--action", "ecr:PutImage"), "alice", "Invalid Entity Arn: alice"),
        (("--action", "ecr:PutImage"), "arn:aws:iam::{account}:user/alice", "cannot be found"),
        (("--action", "ecr:PutImage"), "arn:aws:iam::{account}:user/bob", "The user with name bob cannot be found."),
        (("--action", "PutImage"), "arn:aws:iam::{account}:user/team/alice", "is not an action such as"),
        (
            ("--action", "ecr:PutImage", "--context", "here"),
            "arn:aws:iam::{account}:user/team/alice",
            "is not KEY=VALUE",
        ),
        (("--action", "ecr:PutImage"), "arn:aws:iam::999999999998:root", "Account 999999999998 is closed or not there"),
    ],
)
async def test_what_cannot_be_asked(place: Place, words: tuple[str, ...], principal: str, complaint: str) -> None:
    code, output = await place.explain(*words, principal=principal.format(account=place.account))
    assert code == 1
    assert complaint in output


async def test_in_a_closed_account_nobody_may_do_anything(place: Place) -> None:
    await accounts.close(place.database, place.account)
    code, output = await place.explain("--action", "ecr:PutImage")
    assert code == 1
    assert "is closed" in output

"""`berth iam apply`: an account becomes what a file says, and nothing else of it changes."""

import asyncio
import base64
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from berth.cli.main import main
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.directory import (
    attachments,
    groups,
    identities,
    inline_policies,
    keys,
    mfa_devices,
    mfa_enabling,
    oidc_providers,
    users,
)
from berth.identity.directory.keys import Owner
from berth.identity.simulation import simulated
from berth.sealing import Seal
from berth.settings import Settings
from tests.integration.controlplane.codes import two_in_a_row

FILE = """
policies:
  pushes:
    path: /team/
    description: Push to the team's repositories
    document: &pushes
      Version: 2012-10-17
      Statement:
        - {Effect: Allow, Action: "ecr:Put*", Resource: "*"}
    tags: {team: one}
  limit:
    document:
      Version: 2012-10-17
      Statement: [{Effect: Allow, Action: "ecr:*", Resource: "*"}]
groups:
  developers:
    policies: [pushes, "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"]
  empty:
users:
  alice:
    path: /people/
    tags: {team: one}
    boundary: limit
    groups: [developers]
    inline:
      reads: {Version: 2012-10-17, Statement: {Effect: Allow, Action: "ecr:Describe*", Resource: "*"}}
roles:
  ci:
    max_session_seconds: 7200
    trust:
      Version: 2012-10-17
      Statement:
        Effect: Allow
        Principal: {AWS: "arn:aws:iam::ACCOUNT:user/people/alice"}
        Action: sts:AssumeRole
    policies: [pushes]
oidc_providers:
  https://token.actions.githubusercontent.com:
    client_ids: [sts.amazonaws.com]
"""


@dataclass
class Place:
    database: Database
    settings: Settings
    account: str
    file: Path

    def write(self, text: str) -> None:
        self.file.write_text(textwrap.dedent(text).replace("ACCOUNT", self.account))

    async def apply(self, *words: str) -> tuple[int, str]:
        assert self.settings.database_url
        url = self.settings.database_url.get_secret_value()
        given = ["iam", "apply", str(self.file), "--account", self.account, "--database-url", url]
        result = await asyncio.to_thread(CliRunner().invoke, main, [*given, *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result.exit_code, result.output

    async def applied(self, text: str, *words: str) -> str:
        """What was changed so that the account is as the text says; a second time nothing is."""
        self.write(text)
        code, output = await self.apply("--yes", *words)
        assert code == 0, output
        again, nothing = await self.apply(*words)
        assert (again, nothing) == (0, f"account {self.account} is as {self.file} says\n")
        return output


@pytest.fixture
def place(database: Database, settings: Settings, root_key: AccessKey, tmp_path: Path) -> Place:
    return Place(database, settings, root_key.principal.account, tmp_path / "identities.yaml")


async def test_without_yes_the_changes_are_only_shown(place: Place) -> None:
    place.write(FILE)
    code, output = await place.apply()
    assert code == 3
    for line in ("+ policy pushes", "+ user alice", "+ role ci", "+ user alice: group developers"):
        assert f"{line}\n" in output
    assert output.endswith(f"changes to make in account {place.account}: --yes makes them\n")
    assert await identities.page(place.database, place.account, "user", limit=9) == []


def trusting(name: str, named: str) -> str:
    statement = f'{{Effect: Allow, Principal: {{AWS: "arn:aws:iam::ACCOUNT:{named}"}}, Action: "sts:AssumeRole"}}'
    return f"  {name}: {{trust: {{Version: 2012-10-17, Statement: {statement}}}}}\n"


async def test_whom_a_role_trusts_is_looked_for_before_anything_changes(place: Place) -> None:
    await users.create(place.database, place.account, "/people/", "alice", {})
    for named in ("user/alice", "user/people/bob", "role/people/alice", "role/ci"):
        place.write("users: {bob: }\nroles:\n" + trusting("ci", named))
        for words in ((), ("--yes",)):
            code, output = await place.apply(*words)
            assert code == 1
            assert f'role ci: Invalid principal in policy: "AWS":"arn:aws:iam::{place.account}:{named}"' in output
    assert [user.name for user in await identities.page(place.database, place.account, "user", limit=9)] == ["alice"]


async def test_a_role_is_made_after_those_that_it_trusts(place: Place) -> None:
    roles = trusting("last", "role/middle") + trusting("middle", "role/first") + trusting("first", "user/people/bob")
    output = await place.applied("users: {bob: {path: /people/}}\nroles:\n" + roles)
    assert re.findall("role ([a-z]+)", output) == ["first", "middle", "last"]


async def test_roles_that_trust_each_other_cannot_all_be_made(place: Place) -> None:
    both = "roles:\n" + trusting("one", "role/two") + trusting("two", "role/one")
    place.write(both)
    code, output = await place.apply()
    assert code == 1
    assert "roles trust each other, and none can be made first: " in output
    await place.applied("roles:\n" + trusting("one", "root"))
    await place.applied(both)


async def test_everything_that_is_declared_is_made(place: Place) -> None:
    await place.applied(FILE)
    alice = await identities.get(place.database, place.account, "user", "alice")
    assert alice.arn == f"arn:aws:iam::{place.account}:user/people/alice"
    assert (alice.tags, alice.boundary) == ({"team": "one"}, f"arn:aws:iam::{place.account}:policy/limit")
    group = await identities.get(place.database, place.account, "group", "developers")
    assert len(await attachments.all_of(place.database, group)) == 2
    role = await identities.get(place.database, place.account, "role", "ci")
    assert role.max_session_seconds == 7200
    (provider,) = await oidc_providers.all_of(place.database, place.account)
    assert provider.client_ids == ["sts.amazonaws.com"]
    who = await simulated.find(place.database, alice.arn)
    for action, allowed in {"ecr:PutImage": True, "ecr:DeleteRepository": False}.items():
        _, explanation = await simulated.explain(place.database, who, action, "*", "us-east-1", {})
        assert explanation.decision.allowed is allowed


async def test_what_is_said_otherwise_changes_and_what_is_not_said_stays(place: Place) -> None:
    await place.applied(FILE)
    changed = (
        FILE.replace("tags: {team: one}\n    boundary", "tags: {TEAM: two}\n    boundary")
        .replace("boundary: limit", "boundary: null")
        .replace("path: /people/", "path: /staff/")
        .replace("user/people/alice", "user/staff/alice")
        .replace('"ecr:Put*"', '["ecr:Put*", "ecr:Initiate*"]')
        .replace("groups: [developers]", "groups: [empty]")
        .replace("      reads:", "      others:")
        .replace("7200", "3600")
        .replace("[sts.amazonaws.com]", "[sts.amazonaws.com, berth]")
    )
    output = await place.applied(changed)
    for line in (
        "~ policy pushes: another version",
        '    +        "ecr:Initiate*"',
        "~ user alice: path /people/ → /staff/",
        "~ user alice: tag TEAM = two",
        f"- user alice: boundary arn:aws:iam::{place.account}:policy/limit",
        "+ user alice: group empty",
        "- user alice: group developers",
        "+ user alice: inline policy others",
        "- user alice: inline policy reads",
        "~ role ci: trust",
        "~ role ci: max_session_seconds 7200 → 3600",
        "+ OpenID Connect provider https://token.actions.githubusercontent.com: audience berth",
    ):
        assert f"{line}\n" in output, output
    less = await place.applied("users: {alice: {path: /staff/}}")
    assert less.startswith("account ")
    alice = await identities.get(place.database, place.account, "user", "alice")
    assert await inline_policies.all_of(place.database, alice) == ["others"]


async def test_a_policy_keeps_five_versions_at_most(place: Place) -> None:
    for number in range(7):
        output = await place.applied(FILE.replace('"ecr:Put*"', f'"ecr:Put{number}*"'))
        assert ("another version" in output) is (number > 0)


async def test_prune_takes_away_what_is_not_declared(place: Place, seal: Seal) -> None:
    await place.applied(FILE)
    bob = await users.create(place.database, place.account, "/", "bob", {})
    await keys.create(place.database, seal, Owner(place.account, bob))
    await groups.add(place.database, place.account, "developers", "bob")
    phone, seed = await mfa_devices.create(place.database, seal, place.account, "/", "phone", {})
    two = two_in_a_row(base64.b32encode(seed)).values()
    await mfa_enabling.enable(place.database, seal, place.account, "bob", phone.serial, tuple(two))
    assert (await place.apply())[0] == 0
    output = await place.applied("users: {alice: {groups: [], boundary: null}}", "--prune")
    for line in (
        "- user bob, with all that it has",
        "- group developers, with all that it has",
        "- role ci, with all that it has",
        "- OpenID Connect provider https://token.actions.githubusercontent.com",
        "- policy pushes",
    ):
        assert f"{line}\n" in output
    left = await identities.page(place.database, place.account, "user", limit=9)
    assert [user.name for user in left] == ["alice"]
    # A device is not declared: it is nobody's by now, and stays.
    assert (await mfa_devices.get(place.database, place.account, phone.serial)).user is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("users: {alice: {", "this is no YAML"),
        ("users: [alice]", "users: ['alice'] is not of type 'object'"),
        ("people: {}", "'people' was unexpected"),
        ("account: 12", "account: 12 is not of type 'string'"),
        ("users: {alice: {}, alice: {}}", "line 2: 'alice' is there twice"),
        ("users: {alice: {policies: [none]}}", "user alice: there is no policy 'none' in the file, nor in the account"),
        ("users: {alice: {policies: ['arn:x']}}", "user alice: there is no policy 'arn:x'"),
        ("users: {alice: {groups: [none]}}", "user alice: there is no group 'none' in the file, nor in the account"),
        ("users: {'a b': {}}", "The specified value for userName is invalid."),
        ("policies: {a: {document: {Statement: []}}}", "Syntax errors in policy."),
        ("roles: {a: {trust: {Version: 2012-10-17}}}", "Syntax errors"),
        ("roles: {a: {}}", "'trust' is a required property"),
    ],
)
async def test_what_cannot_be_is_said_before_anything_changes(place: Place, text: str, complaint: str) -> None:
    place.write(f"groups: {{first: {{}}}}\n{text}")
    code, output = await place.apply("--yes")
    assert code == 1
    assert complaint in " ".join(output.split())
    assert await identities.page(place.database, place.account, "group", limit=9) == []


async def test_a_file_that_changes_what_cannot_be_changed(place: Place) -> None:
    await place.applied(FILE)
    for old, new, complaint in (
        ("Push to the team's", "Pull from the", "policy pushes: a description cannot be changed"),
        ("  ci:\n", "  ci:\n    path: /other/\n", "role ci: the path of a role cannot be changed; it is /"),
        ("policies:\n  pushes:\n    path: /team/", "policies:\n  pushes:\n    path: /other/", "already exists"),
    ):
        place.write(FILE.replace(old, new))
        code, output = await place.apply("--yes")
        assert code == 1
        assert complaint in output


async def test_the_file_in_the_documentation_can_be_applied(place: Place) -> None:
    text = (Path(__file__).parents[3] / "docs" / "policies.md").read_text()
    example = re.search(r"```yaml\n(# identities.yaml\n.*?)```", text, re.DOTALL)
    assert example is not None
    output = await place.applied(example[1].replace("iam::000000000000", f"iam::{place.account}"))
    assert "+ role ci" in output

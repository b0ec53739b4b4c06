import json

from berth.identity import identity_document
from berth.identity.policies.compiled import MOST_COMPILED, Kind, Policies, Policy, compiled
from tests.unit.identity.policies.asking import allow

TEXT = json.dumps(allow("ecr:Get*"))


def test_a_text_is_compiled_once() -> None:
    assert compiled(TEXT, identity_document.parse) is compiled(TEXT, identity_document.parse)


def test_what_is_kept_compiled_is_bounded() -> None:
    assert compiled.cache_info().maxsize == MOST_COMPILED


def test_what_a_set_remembers_of_actions_is_bounded() -> None:
    policies = Policies(Kind.IDENTITY, [Policy("p", compiled(TEXT, identity_document.parse))])
    for number in range(1000):
        assert not policies.about(f"s3:Get{number}").allowing
    assert len(policies.about("ECR:getDownloadUrlForLayer").allowing) == 1
    assert len(policies._by_action) <= 128

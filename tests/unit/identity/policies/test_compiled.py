import json

from berth.identity.documents import identity_document
from berth.identity.policies.compiled import Kind, Policies, Policy, Shelf, compiled
from tests.unit.identity.policies.asking import allow

TEXT = json.dumps(allow("ecr:Get*"))


def test_a_text_is_compiled_once() -> None:
    assert compiled(TEXT, identity_document.parse) is compiled(TEXT, identity_document.parse)


def test_what_is_kept_compiled_is_bounded_by_its_length() -> None:
    texts = [json.dumps(allow(f"ecr:Get{number:03}*")) for number in range(10)]
    shelf = Shelf(3 * len(texts[0]))
    first = shelf.get(texts[0], identity_document.parse)
    for text in texts[1:]:
        shelf.get(text, identity_document.parse)
        assert shelf.get(texts[0], identity_document.parse) is first
        assert shelf.characters <= 3 * len(texts[0])
    for text in texts[1:4]:
        shelf.get(text, identity_document.parse)
    assert shelf.get(texts[0], identity_document.parse) is not first


def test_a_text_longer_than_all_that_is_kept_is_compiled_all_the_same() -> None:
    shelf = Shelf(10)
    assert shelf.get(TEXT, identity_document.parse).rules
    assert shelf.characters == 0


def test_what_a_set_remembers_of_actions_is_bounded() -> None:
    policies = Policies(Kind.IDENTITY, [Policy("p", compiled(TEXT, identity_document.parse))])
    for number in range(1000):
        assert not policies.about(f"s3:Get{number}").allowing
    assert len(policies.about("ECR:getDownloadUrlForLayer").allowing) == 1
    assert len(policies._by_action) <= 128

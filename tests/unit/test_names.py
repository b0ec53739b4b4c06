import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.names import Digest, NameInvalid, Registry, RepositoryArn, RepositoryName, Tag


@pytest.mark.parametrize("text", ["ab", "team/app", "a-b", "a--b", "a__b", "a.b/c_d", "1a", "a" * 256])
def test_a_repository_name_of_the_grammar_is_taken(text: str) -> None:
    assert RepositoryName.parse(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "a", "A", "team/App", "/a", "a/", "a//b", "-ab", "ab-", "a..b", "a___b", "a b", "ä1", "ab\n", "a" * 257],
)
def test_any_other_repository_name_is_refused(text: str) -> None:
    with pytest.raises(NameInvalid):
        RepositoryName.parse(text)


@pytest.mark.parametrize("text", ["latest", "v1.0", "_x", "A", "1", "a" * 128])
def test_a_tag_of_the_grammar_is_taken(text: str) -> None:
    assert Tag.parse(text) == text


@pytest.mark.parametrize("text", ["", ".a", "-a", "a:b", "a/b", "a b", "tag\n", "ü", "a" * 129])
def test_any_other_tag_is_refused(text: str) -> None:
    with pytest.raises(NameInvalid):
        Tag.parse(text)


@given(st.binary(max_size=64), st.sampled_from(["sha256", "sha512"]))
def test_the_digest_of_bytes_parses_back_into_its_parts(content: bytes, algorithm: str) -> None:
    digest = Digest.parse(Digest.of(content, algorithm))
    assert (digest.algorithm, digest.encoded) == (algorithm, hashlib.new(algorithm, content).hexdigest())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256",
        "sha256:",
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 63,
        "md5:" + "a" * 32,
        "sha256:" + "a" * 64 + "\n",
    ],
)
def test_any_other_digest_is_refused(text: str) -> None:
    with pytest.raises(NameInvalid):
        Digest.parse(text)


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_an_arn_names_the_partition_of_its_region_and_parses_back(region: str, partition: str) -> None:
    registry = Registry.parse("123456789012", region)
    arn = registry.arn("team/app")
    assert arn == f"arn:{partition}:ecr:{region}:123456789012:repository/team/app"
    assert RepositoryArn.parse(arn) == RepositoryArn(registry, RepositoryName("team/app"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arn:aws:ecr:us-east-1:123456789012:repository/",
        "arn:aws:s3:us-east-1:123456789012:repository/ab",
        "arn:aws:ecr:us-east-1:1234:repository/ab",
        "arn:aws:ecr::123456789012:repository/ab",
        "arn:aws-cn:ecr:us-east-1:123456789012:repository/ab",
        "arn:aws:ecr:us-east-1:123456789012:ab",
    ],
)
def test_any_other_arn_is_refused(text: str) -> None:
    with pytest.raises(NameInvalid):
        RepositoryArn.parse(text)

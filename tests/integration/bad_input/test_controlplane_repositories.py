"""Names, registries, tags and settings of repositories outside their grammar, on the control plane."""

from typing import Any

import pytest

from tests.integration.bad_input.api import INVALID, SERIALIZATION, Bad, bad, check_refused, on_repository
from tests.integration.bad_input.conftest import NAME, Place

PATTERN = "regular expression"

# The same names as on the data plane, but as JSON has them.
BAD_NAMES = {
    "empty": "",
    "one letter": "a",
    "257 letters": "a" * 257,
    "100,000 letters": "a" * 100_000,
    "two dots": "bad/../input",
    "dots first": "../../etc/passwd",
    "encoded dots": "bad/%2e%2e/input",
    "a slash first": "/bad/input",
    "a slash last": "bad/input/",
    "an empty segment": "bad//input",
    "a backslash": "bad\\input",
    "NUL": "bad/input\0",
    "a line feed": "bad/input\n",
    "upper case": "bad/Input",
    "blanks": " bad/input ",
    "a colon": "bad/input:v1",
    "letters beyond ascii": "bad/inpüt",
    "digits of another script": "bad/١",
    "a look-alike of a": "bаd/input",
    "an asterisk": "bad/*",
    "a quote": "bad'input",
    "markup": "<script>",
    "30 separators": "a" + "-." * 30,
    "200 hyphens": "a" + "-" * 200,
}
NAMES = [
    bad(f"{operation}, {fault}", operation, {"repositoryName": text, **more}, INVALID, "repositoryName")
    for operation, more in (("CreateRepository", {}), ("ListImages", {}), ("DeleteRepository", {"force": True}))
    for fault, text in BAD_NAMES.items()
] + [
    bad("path style", "CreateRepository", {"repositoryName": "123456789012/us-east-1/app"}, INVALID, "repositoryName"),
    bad(
        "path style alone", "CreateRepository", {"repositoryName": "123456789012/us-east-1"}, INVALID, "repositoryName"
    ),
    bad("of a list", "DescribeRepositories", {"repositoryNames": ["bad/input", "BAD"]}, INVALID, "repositoryName"),
    bad("of a list, null", "DescribeRepositories", {"repositoryNames": [None]}, INVALID, "repositoryNames"),
    bad("no names", "DescribeRepositories", {"repositoryNames": []}, INVALID, "repositoryNames"),
    bad("101 names", "DescribeRepositories", {"repositoryNames": ["aa"] * 101}, INVALID, "100"),
    bad("of none", "ListImages", {"repositoryName": "bad/none"}, "RepositoryNotFoundException", "'bad/none'"),
    bad("of what is there", "CreateRepository", {"repositoryName": NAME}, "RepositoryAlreadyExistsException", NAME),
]

REGISTRIES = [
    on_repository(fault, "ListImages", INVALID, "registryId", registryId=text)
    for fault, text in {
        "empty": "",
        "11 digits": "0" * 11,
        "13 digits": "0" * 13,
        "letters": "a" * 12,
        "digits of another script": "٠" * 12,
        "a line feed": "0" * 12 + "\n",
        "NUL": "0" * 12 + "\0",
        "9,000 digits": "0" * 9000,
    }.items()
] + [
    bad("letters in a list", "GetAuthorizationToken", {"registryIds": ["x"]}, INVALID, "registryIds"),
    bad("none in a list", "GetAuthorizationToken", {"registryIds": []}, INVALID, "registryIds"),
    bad("11 in a list", "GetAuthorizationToken", {"registryIds": ["0" * 12] * 11}, INVALID, "10"),
    on_repository("another's", "ListImages", "AccessDeniedException", "ecr:ListImages", registryId="9" * 12),
]


def tagging(fault: str, code: str, names: str, operation: str = "TagResource", **members: Any) -> object:
    arn = {"resourceArn": f"arn:aws:ecr:us-east-1:000000000000:repository/{NAME}"}
    return bad(fault, operation, {**arn, **members}, code, names)


TAG = "InvalidTagParameterException"
ARN = "resourceArn"
GOOD = [{"Key": "team", "Value": "a"}]

TAGS = [
    tagging("an empty key", TAG, "Key", tags=[{"Key": "", "Value": "a"}]),
    tagging("a key of 129 letters", TAG, "128", tags=[{"Key": "k" * 129, "Value": "a"}]),
    tagging("a key of 100,000 letters", TAG, "128", tags=[{"Key": "k" * 100_000, "Value": "a"}]),
    tagging("a value of 257 letters", TAG, "256", tags=[{"Key": "k", "Value": "v" * 257}]),
    tagging("a key with an asterisk", TAG, "Key", tags=[{"Key": "a*", "Value": "a"}]),
    tagging("a key with a line feed", TAG, "Key", tags=[{"Key": "a\n", "Value": "a"}]),
    tagging("a key with NUL", INVALID, "NUL", tags=[{"Key": "a\0", "Value": "a"}]),
    tagging("a value with NUL", INVALID, "NUL", tags=[{"Key": "a", "Value": "\0"}]),
    tagging("a value with markup", TAG, "Value", tags=[{"Key": "a", "Value": "<b>"}]),
    tagging("a key that is reserved", TAG, "aws:", tags=[{"Key": "aws:x", "Value": "a"}]),
    tagging("a key that is reserved in upper case", TAG, "aws:", tags=[{"Key": "AWS:x", "Value": "a"}]),
    tagging("a key twice", TAG, "'team'", tags=GOOD * 2),
    tagging("51 tags", "TooManyTagsException", "50", tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)]),
    tagging("no key", INVALID, "key", tags=[{"Value": "a"}]),
    tagging("no value", INVALID, "value", tags=[{"Key": "a"}]),
    tagging("names in small letters", INVALID, "key", tags=[{"key": "a", "value": "a"}]),
    tagging("a tag null", INVALID, "tags", tags=[None]),
    tagging("no tags", INVALID, "tags"),
    tagging("tags in an object", SERIALIZATION, "tags", tags={"team": "a"}),
    tagging("no keys", INVALID, "tagKeys", "UntagResource"),
    tagging("an empty key to take off", TAG, "Key", "UntagResource", tagKeys=[""]),
    tagging("a reserved key to take off", TAG, "aws:", "UntagResource", tagKeys=["aws:x"]),
] + [
    tagging(f"the ARN {fault}", INVALID, ARN, resourceArn=text, tags=GOOD)
    for fault, text in {
        "nothing": "",
        "a name": NAME,
        "half of one": "arn:aws:ecr",
        "an empty name": "arn:aws:ecr:us-east-1:000000000000:repository/",
        "another service": f"arn:aws:s3:us-east-1:000000000000:repository/{NAME}",
        "another kind": f"arn:aws:ecr:us-east-1:000000000000:image/{NAME}",
        "another partition": f"arn:aws-cn:ecr:us-east-1:000000000000:repository/{NAME}",
        "another region": f"arn:aws:ecr:eu-west-1:000000000000:repository/{NAME}",
        "a region that is none": f"arn:aws:ecr:..:000000000000:repository/{NAME}",
        "an account that is none": f"arn:aws:ecr:us-east-1:root:repository/{NAME}",
        "dots": "arn:aws:ecr:us-east-1:000000000000:repository/../x",
        "an asterisk": "arn:aws:ecr:us-east-1:000000000000:repository/*",
        "NUL": f"arn:aws:ecr:us-east-1:000000000000:repository/{NAME}\0",
        "100,000 letters": "arn:aws:ecr:" + "x" * 100_000,
    }.items()
]

FILTERS = "imageTagMutabilityExclusionFilters"


def mutability(fault: str, names: str, mode: Any, filters: Any = None, code: str = INVALID) -> object:
    more = {} if filters is None else {FILTERS: filters}
    return on_repository(fault, "PutImageTagMutability", code, names, imageTagMutability=mode, **more)


def wildcard(text: Any) -> dict[str, Any]:
    return {"filterType": "WILDCARD", "filter": text}


EXCEPT = "IMMUTABLE_WITH_EXCLUSION"
MUTABILITY = [
    mutability("no mode", "imageTagMutability", None),
    mutability("an empty mode", "MUTABLE", ""),
    mutability("a mode in small letters", "MUTABLE", "mutable"),
    mutability("a mode of 100,000 letters", "MUTABLE", "M" * 100_000),
    mutability("no filters where there must be some", "ExclusionFilters", EXCEPT),
    mutability("an empty list of filters", "xclusionFilters", EXCEPT, []),
    mutability("filters where there must be none", "ExclusionFilters", "IMMUTABLE", [wildcard("v*")]),
    mutability("6 filters", "5", EXCEPT, [wildcard(f"v{n}") for n in range(6)]),
    mutability("a filter null", FILTERS, EXCEPT, [None]),
    mutability("an empty filter", FILTERS, EXCEPT, [{}]),
    mutability("a filter without a type", "filterType", EXCEPT, [{"filter": "v*"}]),
    mutability("a filter of another type", "WILDCARD", EXCEPT, [{"filterType": "REGEX", "filter": "v*"}]),
    mutability("a filter without a pattern", "filter", EXCEPT, [{"filterType": "WILDCARD"}]),
    mutability("an empty pattern", "ilter", EXCEPT, [wildcard("")]),
    mutability("a pattern of 129 letters", "128", EXCEPT, [wildcard("v" * 129)]),
    mutability("a pattern with a bracket", PATTERN, EXCEPT, [wildcard("v[0-9]")]),
    mutability("a pattern with a slash", PATTERN, EXCEPT, [wildcard("v/1")]),
    mutability("a pattern with NUL", "NUL", EXCEPT, [wildcard("v\0")]),
    mutability("a pattern with a line feed", PATTERN, EXCEPT, [wildcard("v\n")]),
    mutability("a pattern of three wildcards", "wildcards", EXCEPT, [wildcard("*v*1*")]),
    mutability("a pattern of a number", "filter", EXCEPT, [wildcard(1)], SERIALIZATION),
]


def encrypted(fault: str, names: str, encryption: Any, code: str = INVALID) -> object:
    members = {"repositoryName": "bad/new", "encryptionConfiguration": encryption}
    return bad(fault, "CreateRepository", members, code, names)


CREATED = [
    encrypted("no type", "encryptionType", {}),
    encrypted("a type that there is not", "AES256", {"encryptionType": "ROT13"}),
    encrypted("a type in small letters", "AES256", {"encryptionType": "aes256"}),
    encrypted("a key where there must be none", "kmsKey", {"encryptionType": "AES256", "kmsKey": "alias/x"}),
    encrypted("an empty key", "kmsKey", {"encryptionType": "KMS", "kmsKey": ""}),
    encrypted("a key of 3,000 letters", "kmsKey", {"encryptionType": "KMS", "kmsKey": "k" * 3000}),
    bad(
        "a scan of a string",
        "CreateRepository",
        {"repositoryName": "bad/new", "imageScanningConfiguration": {"scanOnPush": "yes"}},
        SERIALIZATION,
        "scanOnPush",
    ),
]


@pytest.mark.parametrize("row", NAMES)
async def test_a_malformed_name_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", REGISTRIES)
async def test_a_malformed_registry_id_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", TAGS)
async def test_a_malformed_tag_or_arn_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", MUTABILITY)
async def test_a_malformed_tag_mutability_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", CREATED)
async def test_a_repository_of_malformed_settings_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)

"""What the API takes and refuses by the model alone, before anything of Berth's own is asked."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from botocore.model import StructureShape
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import EcrError, InvalidParameter
from controlplane.wire import constraints, json11, model, parsing
from controlplane.wire.faults import Serialization, UnknownOperation

ECR = model.service("ecr")
NAME_PATTERN = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
UUID_PATTERN = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
UPLOAD = "01234567-89ab-cdef-0123-456789abcdef"


def parse(operation: str, **members: Any) -> dict[str, Any]:
    return json11.parse(ECR.operations[operation], orjson.dumps(members))


def refusal(operation: str, body: bytes) -> EcrError:
    with pytest.raises(EcrError) as caught:
        json11.parse(ECR.operations[operation], body)
    return caught.value


@pytest.mark.parametrize(
    ("operation", "members", "parameter", "constraint"),
    [
        ("CreateRepository", {}, "repositoryName", "must not be null"),
        ("CreateRepository", {"repositoryName": None}, "repositoryName", "must not be null"),
        ("CreateRepository", {"repositoryName": "a"}, "repositoryName", "must have length greater than or equal to 2"),
        (
            "CreateRepository",
            {"repositoryName": "a" * 257},
            "repositoryName",
            "must have length less than or equal to 256",
        ),
        (
            "CreateRepository",
            {"repositoryName": "Bad_Name!"},
            "repositoryName",
            f"must satisfy regular expression '{NAME_PATTERN}'",
        ),
        (
            "DescribeRepositories",
            {"repositoryNames": ["fine", "Bad!"]},
            "repositoryName",
            f"must satisfy regular expression '{NAME_PATTERN}'",
        ),
        (
            "CreateRepository",
            {"repositoryName": "ab\n"},
            "repositoryName",
            f"must satisfy regular expression '{NAME_PATTERN}'",
        ),
        (
            "CreateRepository",
            {"repositoryName": "ab", "registryId": "12"},
            "registryId",
            "must satisfy regular expression '[0-9]{12}'",
        ),
        (
            "CreateRepository",
            {"repositoryName": "ab", "registryId": "١٢٣٤٥٦٧٨٩٠١٢"},
            "registryId",
            "must satisfy regular expression '[0-9]{12}'",
        ),
        (
            "GetAuthorizationToken",
            {"registryIds": ["12"]},
            "registryIds",
            "Member must satisfy constraint: [Member must satisfy regular expression pattern: [0-9]{12}]",
        ),
        (
            "GetAuthorizationToken",
            {"registryIds": []},
            "registryIds",
            "Member must have length greater than or equal to 1",
        ),
        ("GetAuthorizationToken", {"registryIds": [None]}, "registryIds", "Member must not be null"),
        (
            "PutImageTagMutability",
            {"repositoryName": "ab", "imageTagMutability": "mutable"},
            "imageTagMutability",
            "Member must satisfy enum value set: "
            "[IMMUTABLE, MUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]",
        ),
        ("PutImageTagMutability", {"repositoryName": "ab"}, "imageTagMutability", "Member must not be null"),
        (
            "PutImageTagMutability",
            {
                "repositoryName": "ab",
                "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v?"}],
            },
            "imageTagMutabilityExclusionFilters.1.member.filter",
            "Member must satisfy regular expression pattern: ^[0-9a-zA-Z._*-]{1,128}$",
        ),
        (
            "CreateRepository",
            {"repositoryName": "ab", "tags": [{"Key": "k", "Value": "v"}, {"Value": "v"}]},
            "tags.2.member.key",
            "Member must not be null",
        ),
        (
            "CreateRepository",
            {"repositoryName": "ab", "encryptionConfiguration": {}},
            "encryptionConfiguration.encryptionType",
            "Member must not be null",
        ),
        (
            "DescribeRepositories",
            {"maxResults": 0},
            "maxResults",
            "Member must have value greater than or equal to 1",
        ),
        (
            "DescribeRepositories",
            {"maxResults": 1001},
            "maxResults",
            "Member must have value less than or equal to 1000",
        ),
        (
            "BatchGetImage",
            {"repositoryName": "ab", "imageIds": []},
            "imageIds",
            "Member must have length greater than or equal to 1",
        ),
        (
            "BatchGetImage",
            {"repositoryName": "ab", "imageIds": [{}] * 101},
            "imageIds",
            "Member must have length less than or equal to 100",
        ),
        (
            "PutLifecyclePolicy",
            {"repositoryName": "ab", "lifecyclePolicyText": "{}"},
            "lifecyclePolicyText",
            "Member must have length greater than or equal to 100",
        ),
        (
            "CompleteLayerUpload",
            {"repositoryName": "ab", "uploadId": "no", "layerDigests": ["sha256:ab"]},
            "uploadId",
            f"Member must satisfy regular expression pattern: {UUID_PATTERN}",
        ),
        (
            "UploadLayerPart",
            {
                "repositoryName": "ab",
                "uploadId": UPLOAD,
                "partFirstByte": -1,
                "partLastByte": 0,
                "layerPartBlob": "",
            },
            "partFirstByte",
            "Member must have value greater than or equal to 0",
        ),
        (
            "PutImage",
            {"repositoryName": "ab", "imageManifest": "{}", "imageTag": "a\0b"},
            "imageTag",
            "Member must not contain the character NUL",
        ),
    ],
)
def test_a_value_beyond_the_model_is_refused_in_the_words_of_ecr(
    operation: str, members: dict[str, Any], parameter: str, constraint: str
) -> None:
    fault = refusal(operation, orjson.dumps(members))
    assert isinstance(fault, InvalidParameter)
    assert fault.message == f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "The body is not JSON: "),
        (b"[]", "The body is not a JSON object"),
        (b'"text"', "The body is not a JSON object"),
        (b"null", "The body is not a JSON object"),
        (b"\xff", "The body is not JSON: "),
        (b'{"repositoryName": "\\ud800"}', "The body is not JSON: "),
        (b'{"repositoryName": NaN}', "The body is not JSON: "),
        (b"[" * 100_000, "The body is not JSON: "),
        (b'{"a":' * 100_000, "The body is not JSON: "),
        (b'{"repositoryName": 1}', "NUMBER_VALUE can not be converted to a String at 'repositoryName'"),
        (b'{"repositoryName": 1.5}', "DECIMAL_VALUE can not be converted to a String at 'repositoryName'"),
        (b'{"repositoryName": true}', "TRUE_VALUE can not be converted to a String at 'repositoryName'"),
        (b'{"repositoryName": []}', "Start of list found where not expected at 'repositoryName'"),
        (b'{"repositoryName": {}}', "Start of structure or map found where not expected at 'repositoryName'"),
        (b'{"repositoryName": "ab", "tags": "x"}', "Expected list or null at 'tags'"),
        (b'{"repositoryName": "ab", "tags": {}}', "Start of structure or map found where not expected at 'tags'"),
        (b'{"repositoryName": "ab", "tags": [1]}', "Expected structure, map or null at 'tags.1.member'"),
        (
            b'{"repositoryName": "ab", "imageScanningConfiguration": {"scanOnPush": "yes"}}',
            "STRING_VALUE can not be converted to a Boolean at 'imageScanningConfiguration.scanOnPush'",
        ),
        (
            b'{"repositoryName": "ab", "imageScanningConfiguration": {"scanOnPush": 1}}',
            "NUMBER_VALUE can not be converted to a Boolean at 'imageScanningConfiguration.scanOnPush'",
        ),
    ],
)
def test_a_body_that_is_not_of_the_models_types_is_a_serialization_fault(body: bytes, text: str) -> None:
    fault = refusal("CreateRepository", body)
    assert isinstance(fault, Serialization)
    assert fault.status == 400
    assert fault.message.startswith(text)


@pytest.mark.parametrize("number", [b"1e3", b"1.0", b"99999999999999999999999999", b"9223372036854775808", b"true"])
def test_a_number_that_is_no_long_is_a_serialization_fault(number: bytes) -> None:
    body = b'{"repositoryName":"ab","uploadId":"%s","partFirstByte":%s,"partLastByte":1,"layerPartBlob":"AA=="}' % (
        UPLOAD.encode(),
        number,
    )
    assert isinstance(refusal("UploadLayerPart", body), Serialization)


@pytest.mark.parametrize("text", ["AA", "A===", "AA==AA==", "A A==", "ä", "AA==\n", "-_=="])
def test_a_blob_that_is_not_base64_is_a_serialization_fault(text: str) -> None:
    members = {
        "repositoryName": "ab",
        "uploadId": UPLOAD,
        "partFirstByte": 0,
        "partLastByte": 0,
        "layerPartBlob": text,
    }
    assert isinstance(refusal("UploadLayerPart", orjson.dumps(members)), Serialization)


def test_unknown_members_and_nulls_are_left_out_and_the_last_of_two_equal_names_counts() -> None:
    body = b'{"repositoryName":"first","repositoryName":"second","tags":null,"color":{"deep":[1]}}'
    assert json11.parse(ECR.operations["CreateRepository"], body) == {"repositoryName": "second"}


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}"])
def test_no_body_is_an_empty_object(body: bytes) -> None:
    assert json11.parse(ECR.operations["DescribeRepositories"], body) == {}


@given(st.binary(max_size=200))
def test_a_blob_comes_out_as_the_bytes_that_went_in(content: bytes) -> None:
    import base64

    found = parse(
        "UploadLayerPart",
        repositoryName="ab",
        uploadId=UPLOAD,
        partFirstByte=0,
        partLastByte=0,
        layerPartBlob=base64.b64encode(content).decode(),
    )
    assert found["layerPartBlob"] == content


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["repositoryName", "tags", "Key", "x"]), inner),
    )
)
def test_no_json_value_does_worse_than_an_error_of_the_api(value: Any) -> None:
    for operation in ECR.operations.values():
        with contextlib.suppress(Serialization, InvalidParameter):
            operation.parse(value)


def test_a_moment_comes_as_seconds() -> None:
    shape = StructureShape(
        "Example",
        {"type": "structure", "members": {"at": {"shape": "When"}}},
        parsing_resolver({"When": {"type": "timestamp"}}),
    )
    assert parsing.structure(shape)({"at": 1.5}, "") == {"at": datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)}
    for bad in ("1970-01-01", 1e300, True):
        with pytest.raises(Serialization):
            parsing.structure(shape)({"at": bad}, "")


def parsing_resolver(shapes: dict[str, Any]) -> Any:
    from botocore.model import ShapeResolver

    return ShapeResolver(shapes)


def patterns() -> list[str]:
    """Every pattern of the installed model."""
    shapes = ECR.model._service_description["shapes"].values()
    return sorted({shape["pattern"] for shape in shapes if "pattern" in shape})


@pytest.mark.timeout(60)  # A pattern that goes back over what it has read would take hours.
@pytest.mark.parametrize("pattern", patterns())
def test_no_pattern_of_the_model_takes_long_whatever_the_text(pattern: str) -> None:
    matches = constraints.matcher(pattern)
    for piece in ("a", "a-", "a.", "a_", "a/", "-", "*", "0", "a/a-", "arn:aws:iam::", "::"):
        for end in ("!", "-", "/", "\n", ""):
            text = piece * (2000 // len(piece)) + end
            matches(text)
            matches("arn:aws-cn:iam::123456789012:role/" + text)


@given(st.text(alphabet="ab*._-/!", max_size=9))
def test_a_pattern_that_was_rewritten_takes_the_same_texts(text: str) -> None:
    import re

    for original in constraints.LINEAR_PATTERNS:
        assert constraints.matcher(original)(text) == bool(re.fullmatch(original, text))


def test_a_target_that_names_no_operation_of_the_model_is_refused() -> None:
    prefix = "AmazonEC2ContainerRegistry_V20150921"
    assert ECR.operation_of_target(f"{prefix}.PutImage").name == "PutImage"
    for target in ("", "PutImage", f"{prefix}.", f"{prefix}.putImage", f"Other.{'PutImage'}", f"{prefix}.A.PutImage"):
        with pytest.raises(UnknownOperation):
            ECR.operation_of_target(target)


def test_every_operation_of_the_installed_model_compiles() -> None:
    for operation in ECR.operations.values():
        operation.serialize({})
        with pytest.raises(Serialization):
            operation.parse([])

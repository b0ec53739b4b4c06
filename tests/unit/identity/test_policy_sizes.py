"""IAM user guide, "IAM and AWS STS quotas"."""

from collections.abc import Callable

import pytest

from berth.errors import PolicyTooLarge
from berth.identity.documents import policy_sizes


def test_white_space_does_not_count() -> None:
    assert policy_sizes.size('{\n  "Version" :\t"2012-10-17"\r\n}') == len('{"Version":"2012-10-17"}')


@pytest.mark.parametrize(
    ("check", "most", "told"),
    [
        (policy_sizes.check_managed, 6144, "Cannot exceed quota for PolicySize: 6144"),
        (policy_sizes.check_trust, 2048, "Cannot exceed quota for ACLSizePerRole: 2048"),
        (
            lambda text: policy_sizes.check_inline("user", "alice", ["x", text[1:]]),
            2048,
            "Maximum policy size of 2048 bytes exceeded for user alice",
        ),
        (
            lambda text: policy_sizes.check_inline("group", "ci", [text]),
            5120,
            "Maximum policy size of 5120 bytes exceeded for group ci",
        ),
        (
            lambda text: policy_sizes.check_inline("role", "builder", [text]),
            10240,
            "Maximum policy size of 10240 bytes exceeded for role builder",
        ),
    ],
)
def test_a_policy_may_be_so_long_and_no_longer(check: Callable[[str], None], most: int, told: str) -> None:
    check("x" * most + " \n")
    with pytest.raises(PolicyTooLarge) as refused:
        check("x" * (most + 1))
    assert (refused.value.message, refused.value.code, refused.value.status) == (told, "LimitExceeded", 409)

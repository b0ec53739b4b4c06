"""Names, paths and ARNs of what an account holds (IAM user guide, "IAM identifiers"). Pure.

How long they may be and of which characters, the API's model says; what it leaves out is checked here.
"""

import re

from berth.errors.iam import ValidationError

ROOT = "/"
_PATH = re.compile(r"/([!-~]+/)?")
_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)


def folded(name: str) -> str:
    """The form in which names are the same: IAM's differ by more than their case."""
    return name.lower()


def arn(account: str, kind: str, path: str, name: str) -> str:
    """The ARN of a user, group, role or policy; `path` begins and ends with a slash."""
    return f"arn:aws:iam::{account}:{kind}{path}{name}"


def check_path(path: str, parameter: str = "path") -> None:
    """Raises ValidationError, in IAM's words."""
    if not _PATH.fullmatch(path) or "//" in path:
        raise ValidationError(
            f"The specified value for {parameter} is invalid. It must begin and end with / and contain only "
            "alphanumeric characters and/or / characters."
        )


def check_name(name: str, parameter: str) -> None:
    """Raises ValidationError, in IAM's words; `parameter` as the API calls it: `userName`."""
    if not _NAME.fullmatch(name):
        raise ValidationError(
            f"The specified value for {parameter} is invalid. It must contain only alphanumeric characters and/or "
            "the following: +=,.@_-"
        )

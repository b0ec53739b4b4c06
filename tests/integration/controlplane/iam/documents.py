"""Documents that the tests of IAM give, and what they look like again in an answer."""

import json
from typing import Any


def policy(*actions: str, **more: Any) -> str:
    """An identity-based policy that allows these, as somebody would write it."""
    statement = {"Effect": "Allow", "Action": list(actions) or ["ecr:*"], "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=1)


def trust(**principal: Any) -> str:
    """A trust policy for this principal, or for EC2."""
    statement = {
        "Effect": "Allow",
        "Principal": principal or {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def padded(size: int, text: str) -> str:
    """The same policy, with as many characters as `size` and white space that does not count."""
    document = json.loads(text)
    document["Statement"][0]["Sid"] = ""
    lacking = size - len(json.dumps(document, separators=(",", ":")))
    document["Statement"][0]["Sid"] = "x" * lacking
    return json.dumps(document, indent=2)

"""Signature Version 4, verified: in the Authorization header or in the query string.

IAM user guide, "AWS Signature Version 4 for API requests", "Create a signed AWS API request".

What can be told without the secret is told by `claim`; the caller then looks the access key up, and `verify` compares
the signatures. Both are pure. Each failure has the code and the text of AWS's JSON services.
"""

from controlplane.sigv4.claims import DOES_NOT_MATCH, SKEW, Claim, claim
from controlplane.sigv4.request import Request
from controlplane.sigv4.verifying import verify
from controlplane.sigv4.written import is_unsigned

__all__ = ["DOES_NOT_MATCH", "SKEW", "Claim", "Request", "claim", "is_unsigned", "verify"]

"""Calls of the ECR API as raw requests, signed by botocore with Signature Version 4."""

import json
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench import wire
from bench.wire import Address

REGION = "us-east-1"
TARGET = "AmazonEC2ContainerRegistry_V20150921"
# The root key that Berth is started with; the peers take any.
ACCESS_KEY_ID = "AKIABERTHBENCH000000"
SECRET = "berth-bench-secret-of-no-worth"

_SIGNER = SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET), "ecr", REGION)


def call(address: Address, operation: str, members: dict[str, Any]) -> bytes:
    """The request, valid for the next 15 minutes."""
    body = json.dumps(members).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{TARGET}.{operation}"}
    signed = AWSRequest("POST", f"http://{address}/", headers=headers, data=body)
    _SIGNER.add_auth(signed)
    return wire.request("POST", "/", address, dict(signed.headers.items()), body)

"""The code of an MFA device in a request (STS API reference, "AssumeRole", `SerialNumber` and `TokenCode`)."""

from berth.identity.mfa import second_factors
from controlplane.call import Call
from controlplane.wire.model import Members


async def second_factor_of(call: Call, request: Members) -> bool:
    """Whether the request gives one, which proved to be right. Raises SecondFactorRefused."""
    serial, code = request.get("SerialNumber"), request.get("TokenCode")
    if serial is None and code is None:
        return False
    await second_factors.prove(call.database, call.opened.master, call.principal, serial, code)
    return True

"""A network by its name in the settings, and the VPC endpoint that it stands for."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


class Network(BaseModel):
    """`cidrs` are the clients' addresses; `policy` is a file. One without `cidrs` is known by its endpoint alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cidrs: tuple[IPv4Network | IPv6Network, ...] = ()
    vpc: str | None = Field(None, pattern=r"^vpc-[0-9a-z]{1,64}$")
    vpce: str | None = Field(None, pattern=r"^vpce-[0-9a-z]{1,64}$")
    # Absolute, for processes that run elsewhere.
    policy: Annotated[Path | None, AfterValidator(lambda path: None if path is None else path.absolute())] = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> "Network":
        if not self.cidrs and self.vpce is None:
            raise ValueError("a network has cidrs, or a vpce, or both")
        if self.policy is not None and self.vpce is None:
            raise ValueError("a policy is that of a vpce")
        return self

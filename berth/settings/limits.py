"""How much anybody may ask, and for how long things are kept."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, field_validator
from pydantic_settings import NoDecode

from berth.settings.durations import Duration
from berth.settings.forms import Window, from_json
from berth.throttling.rates import operations

_MOST_A_SECOND = 1_000_000


class Limits(BaseModel):
    throttling: Literal["on", "off"] = Field(
        "on", description="whether an account may ask no more than ECR's documented rates"
    )
    throttling_factor: float = Field(1.0, gt=0, le=1_000_000, description="these rates are multiplied by it")
    throttling_rates: Annotated[dict[str, float], NoDecode, from_json('{"PutImage": 100, "BatchGetImage": 0}')] = Field(
        {}, description='other rates, in requests a second; 0 is none: {"PutImage": 100, "BatchGetImage": 0}'
    )
    wrong_credentials: int = Field(
        60,
        ge=0,
        le=1_000_000,
        description="so many wrong credentials an address may send in a minute before it is slowed; 0: any number",
    )
    upload_expiry_hours: int = Field(
        24, ge=1, le=720, description="an upload that nobody touched for so long goes away"
    )
    recovery_window: Window = Field(
        Duration(hours=24),
        description="for so long a deleted image can be restored, such as 90m, 24h, 7d; 0: not at all",
    )
    layer_expiry: Window = Field(
        Duration(hours=24), description="a pushed layer that no image came to need goes away after so long"
    )
    audit_days: int = Field(
        7, ge=0, le=3653, description="for so many days it is kept what was asked and decided; 0: not at all"
    )
    collection_minutes: int = Field(1, ge=1, le=1440, description="how often the worker collects what nobody needs")

    @field_validator("throttling_rates")
    @classmethod
    def _rates_are_of_operations(cls, value: dict[str, float]) -> dict[str, float]:
        for operation, rate in value.items():
            if operation not in operations():
                raise ValueError(f"there is no operation of ECR named '{operation[:100]}'")
            if not 0 <= rate <= _MOST_A_SECOND:
                raise ValueError(f"the rate of {operation} must be a number from 0 to {_MOST_A_SECOND}")
        return value

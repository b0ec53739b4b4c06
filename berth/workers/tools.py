"""What every job is given."""

from dataclasses import dataclass

from procrastinate import JobContext

from berth.database.db import Database
from berth.settings import Settings
from berth.store.contract import Store

KEY = "tools"


@dataclass(frozen=True, slots=True)
class Tools:
    settings: Settings
    database: Database
    store: Store


def tools_of(context: JobContext) -> Tools:
    tools = context.additional_context[KEY]
    assert isinstance(tools, Tools)  # noqa: S101
    return tools

"""`berth ready`: a health check that finds the planes wherever, and however, the settings have them listen."""

import asyncio
import sys

import click

from berth.cli.holder import as_running
from berth.cli.readiness import problem_at
from berth.settings import Settings


def run(settings: Settings, only: str | None) -> None:
    settings = as_running(settings)
    places = {
        "api": (settings.api_url, settings.api_proxy_protocol),
        "registry": (settings.registry_url, settings.registry_proxy_protocol),
    }
    is_ready = True
    for name, (url, is_proxied) in places.items():
        if only in (None, name):
            problem = asyncio.run(problem_at(url, is_proxied=is_proxied))
            click.echo(f"{name}: {problem or 'ready'}")
            is_ready = is_ready and problem is None
    sys.exit(0 if is_ready else 1)

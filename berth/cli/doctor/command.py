"""All checks, in the order in which one depends on another."""

import asyncio
import sys

import click

from berth import logs
from berth.cli.doctor import certificate, database, machine
from berth.cli.doctor.finding import Finding
from berth.cli.holder import as_running
from berth.cli.readiness import problem_at
from berth.settings import Settings


def run(settings: Settings) -> None:
    logs.configure(settings, "doctor")
    findings = [machine.settings_are_meant(settings), *asyncio.run(_findings(as_running(settings)))]
    for finding in findings:
        click.echo(str(finding))
    ill = sum(not finding.is_well for finding in findings)
    if ill:
        click.echo(f"\n{ill} of {len(findings)} checks found something to mend.")
        sys.exit(1)
    click.echo("\nall is well")


async def _findings(settings: Settings) -> list[Finding]:
    findings = [
        machine.data_folder(settings),
        await machine.store(settings),
        *database.database(settings),
    ]
    if all(finding.is_well for finding in findings if finding.thing in ("database", "tables")):
        findings += await database.credentials(settings)
    findings += [machine.port(settings, "api_listen"), machine.port(settings, "registry_listen")]
    return [
        *findings,
        *certificate.certificate(settings),
        await _plane("control plane", settings.api_url, is_proxied=settings.api_proxy_protocol),
        await _plane("data plane", settings.registry_url, is_proxied=settings.registry_proxy_protocol),
    ]


async def _plane(thing: str, url: str, *, is_proxied: bool) -> Finding:
    problem = await problem_at(url, is_proxied=is_proxied)
    if problem is None:
        return Finding(thing, f"ready at {url}")
    return Finding(thing, problem, "start `berth up`; if it runs, its log says more")

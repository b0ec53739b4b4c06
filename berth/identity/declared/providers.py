"""OpenID Connect providers as a file declares them."""

from collections.abc import Iterator, Mapping
from typing import Any

from berth.database.db import Database
from berth.identity.declared import tags
from berth.identity.declared.steps import Step, step
from berth.identity.directory import oidc_providers
from berth.identity.directory.oidc_providers import Provider

Declared = Mapping[str, Any]


async def steps(database: Database, account: str, url: str, declared: Declared) -> list[Step]:
    provider = await oidc_providers.find(database, account, url.removeprefix("https://"))
    if provider is not None:
        return list(_changes(provider, declared))
    given = {name: declared.get(name, ()) for name in ("client_ids", "thumbprints")}
    given["tags"] = declared.get("tags", {})
    return [step("+", f"OpenID Connect provider {url}", oidc_providers.create, account, url, **given)]


def _changes(provider: Provider, declared: Declared) -> Iterator[Step]:
    what, place = f"OpenID Connect provider https://{provider.url}", (provider.account, provider.arn)
    wanted = declared.get("client_ids", provider.client_ids)
    for audience in wanted:
        if audience not in provider.client_ids:
            yield step("+", f"{what}: audience {audience}", oidc_providers.add_client_id, *place, audience)
    for audience in provider.client_ids:
        if audience not in wanted:
            yield step("-", f"{what}: audience {audience}", oidc_providers.remove_client_id, *place, audience)
    thumbprints = [each.lower() for each in declared.get("thumbprints", provider.thumbprints)]
    if sorted(thumbprints) != sorted(each.lower() for each in provider.thumbprints):
        yield step("~", f"{what}: thumbprints", oidc_providers.set_thumbprints, *place, thumbprints)
    changes = oidc_providers.add_tags, oidc_providers.remove_tags
    yield from tags.steps(what, provider.tags, declared.get("tags", provider.tags), *changes, *place)

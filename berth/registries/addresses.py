"""Where a registry is reached: the host and path that clients write before a repository's name.

A host pattern such as `{account}.dkr.ecr.{region}.example.com` names every registry; where there is none, path style
does: `HOST/NAME` is the default registry, `HOST/ACCOUNT/REGION/NAME` any other.
"""

import re
from dataclasses import dataclass

from berth.names import NameInvalid, Registry
from berth.settings import Settings

_ACCOUNT_REGION = re.compile(r"(?P<account>[0-9]{12})/(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})(?:/|$)")


@dataclass(frozen=True, slots=True)
class Place:
    """A registry and what is left of the path: the repository's name and what follows it."""

    registry: Registry
    rest: str


class Addresses:
    """The addresses of all registries, both ways: from a registry, and back to one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._aliases = {host: Registry(*to.split("/")) for host, to in settings.registry_aliases.items()}
        self._hosts = _host_expression(settings.registry_host) if "{" in settings.registry_host else None

    def host(self, registry: Registry) -> str:
        """Host, and port where one is needed, of the registry."""
        if self._hosts is not None:
            return self._settings.registry_host.format(account=registry.account, region=registry.region)
        return self._settings.registry_address

    def prefix(self, registry: Registry) -> str:
        """What stands before a repository's name in `docker pull`: the host, and the path to the registry."""
        if self._hosts is not None or registry == self._settings.registry:
            return self.host(registry)
        return f"{self.host(registry)}/{registry.account}/{registry.region}"

    def repository_uri(self, registry: Registry, name: str) -> str:
        """ECR API reference, "Repository", `repositoryUri`."""
        return f"{self.prefix(registry)}/{name}"

    def endpoint(self, registry: Registry) -> str:
        """The URL of the registry's host. ECR API reference, "AuthorizationData", `proxyEndpoint`."""
        return f"{self._settings.registry_public_scheme}://{self.host(registry)}"

    def find(self, host: str, path: str) -> Place:
        """The registry that a request to `host` for `path` (from the repository's name on) is about."""
        host = host.lower()
        bare = host.rpartition(":")[0] if re.search(r":[0-9]+$", host) else host
        alias = self._aliases.get(host) or self._aliases.get(bare)
        if alias is not None:
            return Place(alias, path)
        matched = self._hosts and (self._hosts.fullmatch(host) or self._hosts.fullmatch(bare))
        if matched:
            try:
                return Place(Registry.parse(matched["account"], matched["region"]), path)
            except NameInvalid:
                return self._by_path(path)
        return self._by_path(path)

    def _by_path(self, path: str) -> Place:
        matched = _ACCOUNT_REGION.match(path)
        if matched is None:
            return Place(self._settings.registry, path)
        return Place(Registry(matched["account"], matched["region"]), path[matched.end() :])


def _host_expression(pattern: str) -> re.Pattern[str]:
    expression = re.escape(pattern.lower())
    for name, grammar in {"account": "[0-9]{12}", "region": "[a-z0-9-]{6,40}"}.items():
        expression = expression.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{grammar})")
    return re.compile(expression)

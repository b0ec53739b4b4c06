"""IAM's pages: `MaxItems` and `Marker` in, `IsTruncated` and the next `Marker` out (IAM API reference, "ListUsers")."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from berth.errors import InvalidParameter
from berth.errors.iam import ValidationError
from berth.identity.arns import Kind
from berth.identity.directory import identities, names
from berth.identity.directory.identities import Identity
from berth.names import Registry
from controlplane.call import Call
from controlplane.iam import shapes
from controlplane.wire.model import Members
from controlplane.wire.paging import Pages

DEFAULT_PAGE = 100
# IAM is one for all regions: a marker holds in whichever the next page is asked for.
EVERYWHERE = "us-east-1"

One = TypeVar("One")


class Listing:
    """What is asked of one listing; `filters` are the members of the request that decide what is in it.

    Ask for what comes after `after` (None: from the start), one more than `limit`, and give what you got to `page`.
    """

    def __init__(self, call: Call, request: Members, *filters: str) -> None:
        chosen = {name: request.get(name) for name in filters}
        registry = Registry(call.registry.account, EVERYWHERE)
        self._pages = Pages(call.opened.keyring, f"iam:{call.operation}", registry, **chosen)
        self.limit: int = request.get("MaxItems", DEFAULT_PAGE)
        try:
            self.after: Any = self._pages.after(request.get("Marker"))
        except InvalidParameter:
            raise ValidationError("Invalid Marker.") from None

    def page(
        self, member: str, found: Sequence[One], key: Callable[[One], Any], shown: Callable[[One], Any]
    ) -> Members:
        """The members of the answer: the first `limit` of `found` as `shown` has them, under the name `member`.

        `key` is by what the listing is in order, any value that JSON has.
        """
        these = found[: self.limit]
        more = len(found) > self.limit
        return {
            member: [shown(one) for one in these],
            "IsTruncated": more,
            "Marker": self._pages.token(key(these[-1])) if more else None,
        }

    def page_of_tags(self, tags: Mapping[str, str]) -> Members:
        return self.page_of("Tags", shapes.tags(tags), lambda tag: tag["Key"], dict)

    def page_of(
        self, member: str, everything: Sequence[One], key: Callable[[One], Any], shown: Callable[[One], Any]
    ) -> Members:
        """The same of a short list that is at hand, in the order of `key`."""
        rest = [one for one in everything if self.after is None or key(one) > self.after]
        return self.page(member, rest, key, shown)


async def identities_of(
    call: Call, request: Members, kind: Kind, member: str, shown: Callable[[Identity], Any]
) -> Members:
    """A page of the account's users, groups or roles under a path."""
    listing = Listing(call, request, "PathPrefix")
    found = await identities.page(
        call.database,
        call.registry.account,
        kind,
        prefix=request.get("PathPrefix", names.ROOT),
        after=listing.after or "",
        limit=listing.limit + 1,
    )
    return listing.page(member, found, shapes.folded_name, shown)

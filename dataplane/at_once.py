"""Pulls that are answered from memory, as soon as they are read: every one authenticated and authorized like any other.

Where anything is not as usual, or not known, or not allowed, the request goes its whole way (dataplane/app.py), which
also says what is wrong with it.
"""

from collections.abc import Mapping

from aiohttp.http import RawRequestMessage
from multidict import CIMultiDictProxy

from berth.audit import AuditLog, Ruled
from berth.identity.authorize import Asked, Authority, rule
from berth.identity.permits import Permits
from berth.identity.principals import Principal
from berth.throttling.buckets import Throttle
from dataplane.host import Plain, Target
from dataplane.memory import Memory
from dataplane.passwords import Passwords
from listener import Peer, Prompt, circumstances

# What asks for another answer than the whole thing.
_CONDITIONS = ("Range", "If-None-Match", "If-Match", "Expect")
# A larger answer is not for the memory of a connection whose client may be slow.
MOST_BYTES = 256 * 1024


class AtOnce:
    def __init__(
        self,
        plain: Plain,
        passwords: Passwords,
        authority: Authority,
        memory: Memory,
        throttle: Throttle,
        audit: AuditLog,
        actions: Mapping[tuple[str, str], str | None],
    ) -> None:
        """`actions`: that which the principal must be allowed, by method and kind of target."""
        self._plain = plain
        self._passwords = passwords
        self._authority = authority
        self._memory = memory
        self._throttle = throttle
        self._audit = audit
        self._actions = actions

    def answer(self, message: RawRequestMessage, peer: Peer) -> Prompt | None:
        if message.method not in {"GET", "HEAD"} or peer.place.policies is not None:
            return None
        headers = message.headers
        for name in _CONDITIONS:
            if name in headers:
                return None
        target = self._plain.find(headers.get("Host", ""), message.path)
        given = headers.getall("Authorization", ())
        if target is None or len(given) != 1:
            return None
        permits = self._passwords.recall(given[0])
        action = self._actions.get((message.method, target.kind))
        if permits is None or action is None:
            return None
        ruled = self._allowed(permits, action, target, headers, peer)
        if ruled is None:
            return None
        answer = self._answer(message.method, target, permits.principal)
        # What there is no answer to yet takes its token and is counted on its whole way, which also says so.
        if answer is None or self._throttle.wait(permits.principal.account, target.registry.region, action):
            return None
        self._count(ruled, headers, peer, target)
        return answer

    def _allowed(
        self, permits: Permits, action: str, target: Target, headers: CIMultiDictProxy[str], peer: Peer
    ) -> Ruled | None:
        """The decision, where it is known by what, and it is allowed."""
        on = self._authority.recall_access(target.arn)
        if on is None:
            return None
        known = permits.recall(action, target.arn, on)
        if known is not None:
            return known
        ruled = rule(permits, Asked(action, target.arn, on), circumstances(headers, peer, target.registry.region))
        return ruled if ruled.decision.allowed else None

    def _count(self, ruled: Ruled, headers: CIMultiDictProxy[str], peer: Peer, target: Target) -> None:
        agent, referer = headers.get("User-Agent"), headers.get("Referer")
        if not self._audit.again(ruled, peer.address, peer.is_secure, peer.place.vpc_endpoint, agent, referer):
            self._audit.count(ruled, circumstances(headers, peer, target.registry.region))

    def _answer(self, method: str, target: Target, principal: Principal) -> Prompt | None:
        if target.kind == "manifests":
            return self._manifest(method, target, principal)
        if target.kind == "referrers":
            return self._referrers(target)
        return self._blob(method, target)

    def _manifest(self, method: str, target: Target, principal: Principal) -> Prompt | None:
        known = self._memory.recall_manifest(target)
        if known is None:
            return None
        if method == "HEAD":
            return Prompt(known.answer.head)
        if len(known.answer.body) > MOST_BYTES or not self._memory.need_not_note(known, target, principal):
            return None
        return known.answer

    def _referrers(self, target: Target) -> Prompt | None:
        known = self._memory.recall_referrers(target)
        return None if known is None or len(known.answer.body) > MOST_BYTES else known.answer

    def _blob(self, method: str, target: Target) -> Prompt | None:
        known = self._memory.recall_layer(target)
        if known is None or method == "HEAD":
            return None if known is None else known.answer
        content = self._memory.recall_content(known.blob)
        return None if content is None else Prompt(known.answer.head, content)

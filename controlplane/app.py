"""The way of a request through the control plane, from its head to its answer."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from aiohttp import web
from structlog.contextvars import bind_contextvars, clear_contextvars

from berth import logs
from berth.database.db import DatabaseUnavailable
from berth.errors import EcrError, ServerError, Unsupported
from berth.errors.iam import InvalidAuthenticationCode
from berth.errors.sts import WrongCode
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.key_uses import KeyUses
from berth.identity.principals import Kind
from berth.identity.sts.provider_keys import ProviderKeys
from berth.names import Registry
from berth.networks.outgoing import Outgoing
from berth.opening import Opened, opened
from berth.settings import Settings
from berth.store.contract import StoreUnavailable
from berth.throttling.guesses import Guesses
from controlplane import authorize, ecr, iam, sigv4, sts
from controlplane.body import is_packed, read_body, unpacked
from controlplane.call import Call, Run, built
from controlplane.callers import Callers
from controlplane.strangers import StrangersCall, run_for_anybody
from controlplane.wire import json11
from controlplane.wire.answer import Answer
from controlplane.wire.faults import (
    InvalidSignature,
    MalformedHttpRequest,
    MissingAuthenticationToken,
    Throttled,
    Unavailable,
    UnrecognizedClient,
)
from controlplane.wire.model import Operation
from controlplane.wire.paging import TOKENS
from controlplane.wire.protocols import Wire, spoken
from listener import ANSWER_FAULT, DATABASE, STORE, circumstances_of, expect, peer_of

log = structlog.get_logger()

# A body beyond this takes tens of megabytes of memory while it is parsed, and tens of milliseconds to hash.
LARGE_BODY = 1024 * 1024
LARGE_BODIES_AT_ONCE = 2
WRONG_CREDENTIALS = (UnrecognizedClient, InvalidSignature, InvalidAuthenticationCode, WrongCode)


class ControlPlane:
    """Answers requests; needs a running event loop."""

    def __init__(self, everything: Opened) -> None:
        self._opened = everything
        self._callers = Callers(everything)
        self._uses = KeyUses(everything.database)
        settings = everything.settings
        self._keys = ProviderKeys(Outgoing(settings.allowed_networks, settings.outgoing_ca))
        self._guesses = Guesses(settings.wrong_credentials)
        self._large_bodies = asyncio.Semaphore(LARGE_BODIES_AT_ONCE)

    async def handle(self, http: web.Request) -> web.Response:
        started = time.monotonic()
        clear_contextvars()
        head = head_of(http)
        wire = spoken(http.headers, head.query)
        request_id = logs.request_id.get() or ""
        try:
            answer = await self._answer(http, head, wire, request_id)
        except EcrError as fault:
            bind_contextvars(error=fault.code)
            if isinstance(fault, WRONG_CREDENTIALS):
                await self._guesses.wrong(peer_of(http).address)
            answer = wire.error(fault, request_id)
        except (DatabaseUnavailable, StoreUnavailable) as error:
            log.warning("a call cannot be served now", because=str(error))
            answer = wire.error(Unavailable("The service is unavailable for a moment. Try again."), request_id)
        except Exception:
            log.exception("a call failed")
            answer = wire.error(ServerError("Something failed here, not in the request."), request_id)
        log.debug("call", status=answer.status, ms=round((time.monotonic() - started) * 1000, 1))
        return response_of(answer, request_id)

    async def close(self) -> None:
        """Finish what goes on beside the requests."""
        await self._uses.noted()

    async def _answer(self, http: web.Request, head: sigv4.Request, wire: Wire, request_id: str) -> Answer:
        """The stations, in order. A stranger is turned away before any byte of the body is read."""
        if wire.service.name == "sts" and sigv4.is_unsigned(head):
            return await self._answer_stranger(http, head, wire, request_id)
        claim = sigv4.claim(head, wire.service.signing_name, datetime.now(UTC))
        address = peer_of(http).address
        if self._guesses.wait(address, claim.access_key_id):
            raise Throttled
        key = await self._callers.find(claim)
        async with self._room_for(http):
            limit = wire.body_limit(http.headers)
            request = replace(head, body=await read_body(http, limit))
            await verified(request, claim, key.secret)
            self._guesses.right(address, key.id)
            self._note_use(key, claim.region, wire.service.name)
            request = replace(request, body=unpacked(http, request.body, limit))
            operation = wire.operation(request)
            bind_contextvars(operation=operation.name, principal=key.principal.arn)
            self._throttle(operation, Registry(key.principal.account, claim.region))
            run = run_of(operation)
            members = wire.members(operation, request)
            del request
            for token in TOKENS & members.keys():
                await self._opened.keyring.meet(members[token])
            permits = await self._callers.permits(key)
            registry = authorize.registry_of(operation, members, Registry(key.principal.account, claim.region))
            circumstances = circumstances_of(http, registry.region)
            call = Call(self._opened, permits, circumstances, registry, operation.name, self._uses)
            await authorize.check(operation, members, call)
            return wire.answer(operation, await run(call, members), request_id)

    def _note_use(self, key: AccessKey, region: str, service: str) -> None:
        principal = key.principal
        if principal.session is None:
            self._uses.note(key.id, region, service)
        elif principal.kind is Kind.ROLE_SESSION and principal.identity_id is not None:
            self._uses.note_role(principal.identity_id, region)

    def _throttle(self, operation: Operation, own: Registry) -> None:
        """Raises Throttled where the account has used up the rate of the operation."""
        if operation.service == "ecr" and self._opened.throttle.wait(own.account, own.region, f"ecr:{operation.name}"):
            raise Throttled

    async def _answer_stranger(self, http: web.Request, head: sigv4.Request, wire: Wire, request_id: str) -> Answer:
        """What anybody may ask. STS alone is asked so; its bodies are small, and take no room from those who sign."""
        limit = wire.body_limit(http.headers)
        request = replace(head, body=unpacked(http, await read_body(http, limit), limit))
        try:
            operation = wire.operation(request)
        except EcrError:
            raise MissingAuthenticationToken from None
        run = run_for_anybody(operation)
        if run is None:
            raise MissingAuthenticationToken
        bind_contextvars(operation=operation.name)
        members = wire.members(operation, request)
        circumstances = circumstances_of(http, self._opened.settings.region)
        call = StrangersCall(self._opened, self._keys, circumstances, self._uses)
        return wire.answer(operation, await run(call, members), request_id)

    @contextlib.asynccontextmanager
    async def _room_for(self, http: web.Request) -> AsyncIterator[None]:
        """Wait until there is memory for the request's body."""
        length = http.content_length if http.body_exists else 0
        if length is not None and length <= LARGE_BODY and not is_packed(http):
            yield
        else:
            async with self._large_bodies:
                yield


def head_of(http: web.Request) -> sigv4.Request:
    """The request as it was signed, but for its body."""
    target = http.raw_path
    if not target.startswith("/"):
        # RFC 9112, 3.2.2: a request through a proxy names the whole URL.
        target = http.rel_url.raw_path_qs
    path, _, query = target.partition("?")
    return sigv4.Request(http.method, path, query, list(http.headers.items()), b"")


async def verified(request: sigv4.Request, claim: sigv4.Claim, secret: str) -> None:
    """Raises faults.InvalidSignature."""
    if len(request.body) > LARGE_BODY:
        await asyncio.to_thread(sigv4.verify, request, claim, secret)
    else:
        sigv4.verify(request, claim, secret)


def run_of(operation: Operation) -> Run:
    """The function that does the operation. Raises Unsupported."""
    run = built(operation.service, operation.name)
    if run is None:
        raise Unsupported(f"The operation {operation.name} is not supported by this service")
    return run


def response_of(answer: Answer, request_id: str) -> web.Response:
    headers = {"x-amzn-RequestId": request_id, **answer.headers, "Content-Type": answer.content_type}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


def answer_fault(status: int, text: str) -> web.Response:
    """What is said of a request that never was one, or whose handling broke down."""
    fault = ServerError(text) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else MalformedHttpRequest(text)
    return response_of(replace(json11.error(fault), status=status), logs.request_id.get() or "")


def make_app(settings: Settings) -> web.Application:
    """The control plane, which opens the database and the store when it starts."""
    app = web.Application()

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        async with opened(settings) as everything:
            app[DATABASE], app[STORE] = everything.database, everything.store
            app[PLANE] = ControlPlane(everything)
            yield
            await app[PLANE].close()

    async def handle(request: web.Request) -> web.StreamResponse:
        return await request.app[PLANE].handle(request)

    app[ANSWER_FAULT] = answer_fault
    app.cleanup_ctx.append(lifetime)
    app.router.add_route("*", "/{path:(?s:.*)}", handle, expect_handler=expect)
    return app


PLANE = web.AppKey("plane", ControlPlane)
# The modules whose functions are the operations: importing them is what marks them.
SERVICES = (ecr, iam, sts)

"""The stations of a request to the registry, in order.

host and path → principal → throttle → authorize (ECR's own action for the step) → the step → answer, or the error

A pull that can be answered from memory takes the short way through the same stations: dataplane/at_once.py.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from berth.identity.access import ALL
from berth.layers.downloads import PATH
from berth.opening import Opened, opened
from berth.settings import Settings
from berth.throttling.guesses import Guesses
from dataplane import blobs, catalog, downloads, errors, host, manifests, referrers, tags, uploads
from dataplane.at_once import AtOnce
from dataplane.call import Call
from dataplane.host import Plain
from dataplane.memory import Memory
from dataplane.passwords import Passwords
from listener import ANSWER_AT_ONCE, ANSWER_FAULT, DATABASE, STORE, expect, peer_of

log = structlog.get_logger()

Step = Callable[[Call], Awaitable[web.StreamResponse]]


async def base(call: Call) -> web.StreamResponse:
    """OCI Distribution 1.1, "Determining Support"."""
    del call
    return web.json_response({}, headers=errors.API_VERSION)


# What is asked, and the action that the principal must be allowed (service authorization reference, "Amazon ECR").
STEPS: dict[tuple[str, str], tuple[Step, str | None]] = {
    ("GET", "base"): (base, None),
    ("GET", "catalog"): (catalog.get, "ecr:DescribeRepositories"),
    ("HEAD", "manifests"): (manifests.head, "ecr:BatchGetImage"),
    ("GET", "manifests"): (manifests.get, "ecr:BatchGetImage"),
    ("PUT", "manifests"): (manifests.put, "ecr:PutImage"),
    ("DELETE", "manifests"): (manifests.delete, "ecr:BatchDeleteImage"),
    ("HEAD", "blobs"): (blobs.head, "ecr:BatchCheckLayerAvailability"),
    ("GET", "blobs"): (blobs.get, "ecr:GetDownloadUrlForLayer"),
    ("DELETE", "blobs"): (blobs.delete, "ecr:BatchDeleteImage"),
    ("POST", "uploads"): (uploads.post, "ecr:InitiateLayerUpload"),
    ("GET", "upload"): (uploads.get, "ecr:UploadLayerPart"),
    ("PATCH", "upload"): (uploads.patch, "ecr:UploadLayerPart"),
    ("PUT", "upload"): (uploads.put, "ecr:CompleteLayerUpload"),
    ("DELETE", "upload"): (uploads.delete, "ecr:InitiateLayerUpload"),
    ("GET", "tags"): (tags.get, "ecr:ListImages"),
    ("GET", "referrers"): (referrers.get, "ecr:BatchGetImage"),
}
ACTIONS = {asked: action for asked, (_, action) in STEPS.items()}


@dataclass(frozen=True, slots=True)
class DataPlane:
    """Answers every request but those about its health."""

    opened: Opened
    passwords: Passwords
    memory: Memory
    guesses: Guesses

    async def answer(self, request: web.Request) -> web.StreamResponse:
        try:
            if request.path.startswith(PATH):
                return await downloads.answer(request, self.opened, self.memory)
            return await self._step(request)
        except Exception as error:
            if isinstance(error, errors.WrongPassword):
                await self.guesses.wrong(peer_of(request).address)
            answer = errors.translate(error)
            if answer is None:
                log.exception("a request met a fault of Berth's own")
                answer = errors.OciError(500, "UNKNOWN", "Berth failed to answer; its log says why")
            return errors.response(answer)

    async def _step(self, request: web.Request) -> web.StreamResponse:
        target = host.find(request, self.opened.addresses)
        permits = await self.passwords.permits(request, self.opened.addresses.endpoint(target.registry))
        step, action = _step_for(request.method, target.kind)
        wait = self.opened.throttle.wait(permits.principal.account, target.registry.region, action)
        if wait:
            raise errors.TooManyRequests(wait)
        call = Call(request, self.opened, permits, target, self.memory)
        if action is not None:
            await call.authorize(action, target.registry, target.name or ALL)
        return await step(call)


def _step_for(method: str, kind: str) -> tuple[Step, str | None]:
    found = STEPS.get((method, kind))
    if found is None:
        allowed = ", ".join(sorted(known for known, known_kind in STEPS if known_kind == kind))
        raise errors.OciError(405, "UNSUPPORTED", f"{method[:40]} is not one of {allowed}", {"Allow": allowed})
    return found


def _plane(opened: Opened) -> DataPlane:
    guesses = Guesses(opened.settings.wrong_credentials)
    passwords = Passwords(opened.keyring, opened.authority, guesses)
    return DataPlane(opened, passwords, Memory(opened.database, opened.ear), guesses)


def _at_once(plane: DataPlane) -> AtOnce:
    opened = plane.opened
    plain = Plain(opened.addresses)
    return AtOnce(plain, plane.passwords, opened.authority, plane.memory, opened.throttle, opened.audit, ACTIONS)


def make_app(settings: Settings) -> web.Application:
    """The data plane, which opens the database and the store when it starts."""
    app = web.Application(client_max_size=0)

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        async with opened(settings) as everything:
            app[DATABASE], app[STORE] = everything.database, everything.store
            plane = _plane(everything)
            app[PLANE] = plane
            if settings.log_level != "debug":
                # At that level every request is logged, which those that are answered at once are not.
                app[ANSWER_AT_ONCE] = _at_once(plane).answer
            yield

    async def answer(request: web.Request) -> web.StreamResponse:
        return await request.app[PLANE].answer(request)

    app[ANSWER_FAULT] = errors.answer_fault
    app.cleanup_ctx.append(lifetime)
    app.router.add_route("*", "/{path:(?s:.*)}", answer, expect_handler=expect)
    return app


PLANE = web.AppKey("plane", DataPlane)

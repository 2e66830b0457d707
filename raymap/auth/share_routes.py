"""Routes of share links: make one, list and revoke them, and what the link of a request shows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct
from msgspec.structs import replace

from api.context import Thresholds, json_response
from api.errors import ApiError
from api.request import read_body, window_of
from api.xray.groups import read_filter
from collector.receivers.access import PRINCIPAL
from raymap.auth.audit import record
from raymap.auth.hidden_routes import hidden_router
from raymap.auth.permissions import Permission, allows
from raymap.auth.share_grants import OWN, Grant, MapGrant, TraceGrant
from raymap.auth.shares import (
    DEFAULT_HOURS,
    MAX_HOURS,
    MAX_SHARES,
    MIN_HOURS,
    PAGE,
    StoredShare,
    encode_share,
    forget_expired,
    new_share,
    put_share,
    read_shares,
    share_key,
    stored_shares,
)
from store.audit import event
from store.config.change import Contended, Decide, Result, change
from store.config.protocol import Change, Configuration
from store.filters.errors import FilterError
from store.times import MAX_INSTANT, SECOND
from store.trace_id import format_trace_id, parse_trace_id

if TYPE_CHECKING:
    from raymap.auth.authenticator import Authenticator, Principal
    from raymap.auth.sign_in import SignInStore

PATH = "/api/v1/shares"
MAX_BODY, MAX_PLACE = 20_000, 200


class MapWindow(Struct, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A window of the map in epoch seconds, with what narrows it."""

    start: float
    end: float
    filter: str = ""
    account: str = ""
    region: str = ""
    environment: str = ""


class NewShare(Struct, forbid_unknown_fields=True):
    """The body of POST: one of ``trace`` and ``map``."""

    trace: str = ""
    map: MapWindow | None = None
    hours: int = DEFAULT_HOURS


def shares_router(
    store: SignInStore,
    authenticator: Authenticator | None,
    refresh: Callable[[], None],
    unhealthy: Thresholds,
    own: SignInStore | None = None,
) -> APIRouter:
    """The routes. Without an authenticator there is nothing that a link would open. ``own``: the store of
    the tenant, whose groups links may name, and whose audit log they are in."""
    desk = _Desk(store, authenticator, refresh, unhealthy, own or store)
    return hidden_router(
        (
            ("POST", PATH, desk.create),
            ("GET", PATH, desk.shares),
            ("DELETE", PATH + "/{id}", desk.revoke),
            ("GET", OWN, desk.own),
        )
    )


class _Desk:
    def __init__(
        self,
        store: SignInStore,
        authenticator: Authenticator | None,
        refresh: Callable[[], None],
        unhealthy: Thresholds,
        own: SignInStore,
    ) -> None:
        self._store, self._authenticator, self._refresh = store, authenticator, refresh
        self._unhealthy, self._own = unhealthy, own

    async def create(self, request: Request) -> Response:
        """Make a link. Its token is in this response, and nowhere else."""
        who, authenticator = self._known(request)
        body = _parse(await read_body(request, MAX_BODY))
        grant = await asyncio.to_thread(self._grant, body)
        now = authenticator.clock()
        share = new_share(grant, _hours(body.hours), now, _tenant_of(who))
        stored = StoredShare(share, who.name, who.via, int(now))

        def decide(configuration: Configuration, _: int) -> tuple[str, Sequence[Change]]:
            expired = forget_expired(configuration, now)
            valid = _of_tenant(who, configuration)
            if sum(each.share.expires > now for each in valid) >= MAX_SHARES:
                raise ApiError(
                    f"there are {MAX_SHARES:,} links already: revoke some, or wait until some expire",
                    code="TooManyShares",
                    status=409,
                )
            key = share_key(authenticator.master, read_shares(configuration).generation)
            return encode_share(share, key), [*expired, put_share(stored)]

        token = await self._change(decide)
        await self._record(request, "share", f"{share.id} {grant} until {share.expires}")
        return json_response(
            {
                "id": share.id,
                "token": token,
                "path": f"{PAGE}#{token}",
                "expires": share.expires,
            }
        )

    async def shares(self, request: Request) -> Response:
        """The links that are valid: one's own, or all for who may edit."""
        who, authenticator = self._known(request)
        configuration = await asyncio.to_thread(self._store.read_configuration)
        valid = [
            render_share(each)
            for each in _of_tenant(who, configuration)
            if each.share.expires > authenticator.clock() and not each.revoked
            if _may_revoke(who, each)
        ]
        return json_response({"shares": sorted(valid, key=lambda each: each["created"])})

    async def revoke(self, request: Request, id: str) -> Response:
        """Revoke a link of one's own, or any for who may edit."""
        who, authenticator = self._known(request)

        def decide(configuration: Configuration, _: int) -> tuple[None, Sequence[Change]]:
            stored = stored_shares(configuration).get(id)
            if stored is None or not _may_revoke(who, stored):
                raise ApiError(
                    f"there is no link {id[:60]!r} of yours", code="NoSuchShare", status=404
                )
            return None, [put_share(replace(stored, revoked=int(authenticator.clock())))]

        await self._change(decide)
        await self._record(request, "share revoke", id)
        return Response(status_code=204)

    async def own(self, request: Request) -> Response:
        """What the link that came with the request shows, and until when."""
        who: Principal | None = request.scope.get(PRINCIPAL)
        if who is None or who.share is None:
            raise ApiError("the request has no share link", code="NoSuchShare", status=404)
        unhealthy = {"share": self._unhealthy.share, "count": self._unhealthy.count}
        shown = render_grant(who.share.grant)
        return json_response({**shown, "until": who.share.expires, "unhealthy": unhealthy})

    def _known(self, request: Request) -> tuple[Principal, Authenticator]:
        who: Principal | None = request.scope.get(PRINCIPAL)
        if self._authenticator is None or who is None:
            raise ApiError(
                "this server has no authentication: everyone who reaches it can open the page itself",
                code="NoAuthentication",
                status=409,
            )
        return who, self._authenticator

    def _grant(self, body: NewShare) -> Grant:
        if bool(body.trace) == (body.map is not None):
            raise ApiError("expected either trace or map")
        if body.map is not None:
            return self._map_grant(body.map)
        try:
            return TraceGrant(parse_trace_id(body.trace).hex())
        except ValueError as error:
            raise ApiError(f"trace: {error}") from None

    def _map_grant(self, given: MapWindow) -> MapGrant:
        """The window in whole seconds."""
        for name, moment in (("map.from", given.start), ("map.to", given.end)):
            if not 0 <= moment <= MAX_INSTANT:
                raise ApiError(f"{name} must be epoch seconds, got {moment}")
        start, end = math.floor(given.start), math.ceil(given.end)
        window_of(start * SECOND, end * SECOND, "map.from", "map.to")
        for name in ("account", "region", "environment"):
            if len(getattr(given, name)) > MAX_PLACE:
                raise ApiError(f"map.{name} must have at most {MAX_PLACE} characters")
        try:
            read_filter(given.filter, self._own.read_configuration)
        except FilterError as error:
            raise ApiError(
                f"map.filter: {error}", code="InvalidFilter", position=error.position
            ) from None
        places = (given.account, given.region, given.environment)
        return MapGrant(start, end, given.filter.strip(), *places)

    async def _change(self, decide: Decide[Result]) -> Result:
        assert self._authenticator is not None
        try:
            result = await asyncio.to_thread(change, self._store, decide, self._authenticator.clock)
        except Contended as error:
            raise ApiError(str(error), code="Conflict", status=409) from None
        await asyncio.to_thread(self._refresh)
        return result

    async def _record(self, request: Request, action: str, target: str) -> None:
        who, authenticator = self._known(request)
        client = request.client.host if request.client else ""
        happened = event(authenticator.clock(), who.name, who.via, client, action, target)
        await asyncio.to_thread(record, self._own, happened)


def render_share(stored: StoredShare) -> dict[str, Any]:
    """A link as lists show it, without its token."""
    return {
        "id": stored.share.id,
        **render_grant(stored.share.grant),
        "by": stored.name,
        "created": stored.created,
        "expires": stored.share.expires,
    }


def render_grant(grant: Grant) -> dict[str, Any]:
    """What a link shows: a trace's id, or a window with epoch seconds."""
    if isinstance(grant, TraceGrant):
        return {"trace": format_trace_id(bytes.fromhex(grant.trace))}
    return {"map": {**grant.words(), "from": grant.start, "to": grant.end}}


def _tenant_of(who: Principal) -> str:
    """The id of the tenant; empty for the default one."""
    return who.tenant.id if who.tenant else ""


def _of_tenant(who: Principal, configuration: Configuration) -> list[StoredShare]:
    """The records of links of one's own tenant."""
    stored = stored_shares(configuration).values()
    return [each for each in stored if each.share.tenant == _tenant_of(who)]


def _may_revoke(who: Principal, stored: StoredShare) -> bool:
    if stored.share.tenant != _tenant_of(who):
        return False
    own = (who.name, who.via) == (stored.name, stored.via)
    return own or allows(who.role, Permission.EDIT)


def _parse(body: bytes) -> NewShare:
    try:
        return msgspec.json.decode(body, type=NewShare)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(f"the body: {error}") from None


def _hours(hours: int) -> int:
    if not MIN_HOURS <= hours <= MAX_HOURS:
        raise ApiError(f"hours must lie between {MIN_HOURS} and {MAX_HOURS}, got {hours}")
    return hours

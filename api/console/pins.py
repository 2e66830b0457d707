"""Pinned traces, which are retained indefinitely: pin, unpin, list."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.console.params import require_trace_id
from api.console.part import console_part
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.openapi_parts import json_body
from api.request import JsonBody, read_body
from api.schemas.traces import PinList, PinMark, PinnedTrace
from store.errors import TooManyPins, TraceNotFound
from store.pins import Pin, pin_note
from store.trace_id import format_trace_id

MAX_BODY = 10_000
"""Bytes of a body with a note."""
_NOTE = json_body(
    {"note": "card payments fail"}, required=False, properties={"note": {"type": "string"}}
)


def pins_router(context: Context) -> APIRouter:
    """/api/pins and /api/traces/<id>/pin."""
    router = console_part("pins")

    @router.get("/api/pins", response_class=Response, responses={200: {"model": PinList}})
    async def list_pins(request: Request) -> Response:
        """All pinned traces, latest first."""

        def work() -> Response:
            context.store.refresh_pins()
            found: PinList = {"pins": [pinned(pin) for pin in context.store.pins()]}
            return json_response(found)

        return await run_cancellable(request, work)

    @router.put(
        "/api/traces/{id}/pin",
        response_class=Response,
        responses={200: {"model": PinnedTrace}},
        openapi_extra=_NOTE,
    )
    async def pin_trace(request: Request, id: str) -> Response:
        """Retain a trace indefinitely; of a pinned one, replace the note."""
        trace_id = require_trace_id(id)
        note = JsonBody.parse(await read_body(request, MAX_BODY)).text("note")
        return await run_cancellable(
            request, lambda: json_response(pinned(_pin(context, trace_id, note)))
        )

    @router.delete(
        "/api/traces/{id}/pin", response_class=Response, status_code=204, responses={204: {}}
    )
    async def unpin_trace(request: Request, id: str) -> Response:
        """Let a trace expire normally; also succeeds when it was not pinned."""
        trace_id = require_trace_id(id)

        def work() -> Response:
            context.store.unpin(trace_id, _now(context))
            return Response(status_code=204)

        return await run_cancellable(request, work)

    return router


def pin_mark(pin: Pin | None) -> PinMark | None:
    """A pin as the trace page shows it."""
    return {"note": pin.note, "at": pin.at / 1_000_000} if pin else None


def pinned(pin: Pin) -> PinnedTrace:
    """A pin as the list shows it."""
    return {"id": format_trace_id(pin.trace_id), "note": pin.note, "at": pin.at / 1_000_000}


def _pin(context: Context, trace_id: bytes, note: str) -> Pin:
    try:
        return context.store.pin(trace_id, pin_note(note), _now(context))
    except ValueError as error:
        raise ApiError(f"note: {error}") from error
    except TraceNotFound as error:
        raise ApiError(str(error), code="NoSuchTrace", status=404) from error
    except TooManyPins as error:
        raise ApiError(str(error), code="TooManyPins", status=409) from error


def _now(context: Context) -> int:
    return int(context.clock() * 1_000_000)

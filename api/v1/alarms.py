"""Alarms: rules, their states and history, and a delivery to try a webhook out (docs/alarms.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.alarms.body import read_alarm, read_name
from api.alarms.metrics import rule_words
from api.alarms.outbox import body_of
from api.alarms.preview import preview
from api.alarms.render import ShowUrl, by_event, masked, render_alarm, render_details
from api.alarms.webhook import DeliveryFailed, Message, send
from api.context import SETTLE_SECONDS, Context, json_response, run_cancellable
from api.errors import ApiError
from api.may_edit import may_edit
from api.openapi_parts import json_body
from api.request import JsonBody, read_body
from api.schemas.alarms import (
    AlarmDetails,
    AlarmLine,
    AlarmList,
    AlarmPreview,
    TestDeliveries,
    TestDelivery,
)
from api.v1.part import v1_part
from store.alarms import MAX_ALARMS, Alarm, AlarmEvent, Verdict
from store.config import records
from store.config.change import Contended, Decide, Result, change
from store.config.protocol import Change, Configuration
from store.model import TimeRange
from store.rules.alarm_state import AlarmState
from store.times import MINUTE, SECOND

MAX_BODY = 64_000
MOST_HISTORY = 1_000
_RULE = {
    "selector": 'service("checkout")',
    "metric": "fault_share",
    "threshold": 0.05,
    "datapoints": 3,
    "periods": 5,
}
_BODY = json_body(
    {
        **_RULE,
        "webhooks": [
            {
                "url": "https://hooks.example.com/raymap",
                "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
            }
        ],
    }
)
Limit = Annotated[int, Query(ge=1, le=MOST_HISTORY, description="events in the history")]


def alarms_router(context: Context) -> APIRouter:
    """/api/v1/alarms."""
    router = v1_part()

    @router.get("/alarms", response_class=Response, responses={200: {"model": AlarmList}})
    async def list_alarms(request: Request) -> Response:
        """All alarms with their states, by name."""
        show = _show(request)
        return await run_cancellable(request, lambda: json_response(alarm_list(context, show)))

    @router.get("/alarms/{name}", response_class=Response, responses={200: {"model": AlarmDetails}})
    async def get_alarm(request: Request, name: str, limit: Limit = 100) -> Response:
        """An alarm with its latest events, and whether its webhooks have them."""
        show = _show(request)
        return await run_cancellable(
            request, lambda: json_response(_details(context, name, limit, show))
        )

    @router.put(
        "/alarms/{name:path}",
        response_class=Response,
        responses={200: {"model": AlarmLine}},
        openapi_extra=_BODY,
    )
    async def put_alarm(request: Request, name: str) -> Response:
        """Create an alarm or replace it, which leaves its state and history as they are."""
        body = JsonBody.parse(await read_body(request, MAX_BODY))
        return await run_cancellable(request, lambda: json_response(_put(context, name, body)))

    @router.post(
        "/alarms/preview",
        response_class=Response,
        responses={200: {"model": AlarmPreview}},
        openapi_extra=json_body(_RULE),
    )
    async def preview_alarm(request: Request) -> Response:
        """What a rule would have done over the last day; nothing is stored."""
        body = JsonBody.parse(await read_body(request, MAX_BODY))
        return await run_cancellable(request, lambda: json_response(_preview(context, body)))

    @router.delete("/alarms/{name}", response_class=Response, status_code=204, responses={204: {}})
    async def remove_alarm(request: Request, name: str) -> Response:
        """Remove an alarm; also succeeds when there is none."""

        def work() -> Response:
            _change(context, lambda _, __: (None, [records.remove(name, Alarm)]))
            return Response(status_code=204)

        return await run_cancellable(request, work)

    @router.post(
        "/alarms/{name}/test",
        response_class=Response,
        responses={200: {"model": TestDeliveries}},
    )
    async def send_test(request: Request, name: str) -> Response:
        """Send a test event to each webhook of an alarm, once, and say what they answer."""
        await read_body(request, MAX_BODY)
        return await run_cancellable(request, lambda: json_response(_test(context, name)))

    return router


def _show(request: Request) -> ShowUrl:
    """URLs of webhooks have secrets in their paths: whole for those only who may change them."""
    return str if may_edit(request) else masked


def alarm_list(context: Context, show: ShowUrl = str) -> AlarmList:
    """All alarms with their states."""
    alarms = records.read(context.store.read_configuration(), Alarm)
    last = context.store.last_alarm_events() if alarms else {}
    events = [last[name] for name in alarms if name in last]
    deliveries = by_event(context.store.deliveries([event.id for event in events]))
    return {
        "alarms": [
            render_alarm(alarm, last.get(name), deliveries, show) for name, alarm in alarms.items()
        ]
    }


def _details(context: Context, name: str, limit: int, show: ShowUrl) -> AlarmDetails:
    alarm = _known(records.read(context.store.read_configuration(), Alarm), name)
    history = context.store.alarm_history(name, limit=limit)
    deliveries = by_event(context.store.deliveries([event.id for event in history]))
    return render_details(alarm, history, deliveries, show)


def _put(context: Context, name: str, body: JsonBody) -> AlarmLine:
    read_name(name)

    def decide(configuration: Configuration, now: int) -> tuple[Alarm, Sequence[Change]]:
        alarms = records.read(configuration, Alarm)
        if name not in alarms and len(alarms) >= MAX_ALARMS:
            raise ApiError(f"there are {MAX_ALARMS} alarms, the most there can be")
        alarm = read_alarm(name, body, alarms.get(name), now, context.webhooks)
        return alarm, [records.put(name, alarm)]

    alarm = _change(context, decide)
    last = context.store.last_alarm_events().get(name)
    deliveries = by_event(context.store.deliveries([last.id] if last else []))
    return render_alarm(alarm, last, deliveries)


def _preview(context: Context, body: JsonBody) -> AlarmPreview:
    now = context.clock()
    alarm = read_alarm("preview", body, None, round(now * SECOND), context.webhooks)
    settled = round((now - SETTLE_SECONDS) * SECOND)
    return preview(context.store, context.service_graph, alarm, settled)


def _change(context: Context, decide: Decide[Result]) -> Result:
    try:
        return change(context.store, decide, context.clock)
    except Contended as error:
        raise ApiError(str(error), code="Conflict", status=409) from None


def _test(context: Context, name: str) -> TestDeliveries:
    alarm = _known(records.read(context.store.read_configuration(), Alarm), name)
    if not alarm.webhooks:
        raise ApiError(f"the alarm {name} has no webhook")
    now = int(context.clock() * SECOND)
    window = TimeRange(now - MINUTE, now)
    event = AlarmEvent(
        id=f"test_{now:x}",
        alarm=name,
        seq=0,
        at=now,
        created=alarm.created,
        previous=AlarmState.OK,
        verdict=Verdict(AlarmState.ALARM, "this is a test", window),
        rule=rule_words(alarm),
    )
    message = Message(event.id, now // SECOND, body_of(event, test=True))
    return {
        "deliveries": [_sent(context, each.url, each.secret, message) for each in alarm.webhooks]
    }


def _sent(context: Context, url: str, secret: str, message: Message) -> TestDelivery:
    try:
        send(url, secret, message, context.webhooks)
    except DeliveryFailed as failed:
        return {"url": url, "delivered": False, "error": str(failed)}
    return {"url": url, "delivered": True, "error": ""}


def _known(alarms: dict[str, Alarm], name: str) -> Alarm:
    if name not in alarms:
        raise ApiError(f"there is no alarm {name[:100]!r}", code="NoSuchAlarm", status=404)
    return alarms[name]

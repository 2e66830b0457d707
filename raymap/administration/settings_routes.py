"""/api/v1/settings: what applies on this server, read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request, Response

from api.context import json_response
from api.schemas import administration as shapes
from raymap.administration.desk import Desk, admin_router
from raymap.shown_settings import STORED, ShownSetting, by_group
from raymap.units import format_days, format_size
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema import retention

SIZES = {"journal-size", "clickhouse-memory", "max-document-size"}
TIMEOUT = 10.0
ORDER = [*retention.KINDS]
RETENTION = "Retention"


def settings_router(
    desk: Desk, shown: Sequence[ShownSetting], default: Address, version: str
) -> APIRouter:
    """The route of settings, which needs no one to sign in where no one does."""
    router = admin_router()

    @router.get("/settings", responses={200: {"model": shapes.ServerSettings}})
    async def get_settings(request: Request) -> Response:
        """The settings of this server by group, each with its source, without what is secret. For
        administrators of the default tenant."""
        desk.require_default(request)
        stored = await desk.read(lambda: stored_retention(default))
        started = by_group(each for each in shown if each.name not in STORED)
        groups = {RETENTION: stored, **started}
        return json_response({"version": version, "groups": render_groups(groups)})

    return router


def stored_retention(default: Address) -> list[ShownSetting]:
    """How long each kind of data is retained, as the tables have it."""
    client = connect(default, timeout=TIMEOUT)
    try:
        days, given = retention.effective(client), retention.configured(client)
    finally:
        client.disconnect()
    return [
        ShownSetting(
            retention.KINDS[kind].label,
            format_days(number),
            "database" if kind in given else "default",
        )
        for kind, number in sorted(days.items(), key=lambda each: ORDER.index(each[0]))
    ]


def render_groups(groups: Mapping[str, Sequence[ShownSetting]]) -> list[dict[str, object]]:
    """As JSON has them, sizes with their unit."""
    return [
        {"title": title, "settings": [_render(each) for each in settings]}
        for title, settings in groups.items()
    ]


def _render(setting: ShownSetting) -> dict[str, str]:
    value = setting.value
    if setting.name in SIZES and value.isdecimal():
        value = format_size(int(value)) if int(value) else ""
    return {
        "name": setting.name,
        "value": value,
        "unset": setting.unset,
        "source": setting.source,
        "help": setting.help,
    }

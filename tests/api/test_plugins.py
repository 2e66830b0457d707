"""Plugins are found by their entry points; their routes, errors and permissions are theirs alone."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from fastapi import APIRouter, Response
from fastapi.testclient import TestClient

from api import plugins
from api.app import create_app
from api.context import Context
from api.errors import ApiError, plain_text
from api.plugins import Plugin, PluginError, installed
from raymap.auth.permissions import Permission, required
from store.memory import MemoryStore


def _routes(context: Context) -> APIRouter:
    router = APIRouter(prefix="/weather", tags=["Weather"])

    @router.get("/today")
    async def weather_today() -> Response:
        return Response(context.version)

    @router.get("/tomorrow")
    async def weather_tomorrow() -> Response:
        raise ApiError("unknown")

    return router


def _nested_routes(context: Context) -> APIRouter:
    router = APIRouter(prefix="/archive", tags=["Weather"])
    router.include_router(_routes(context))
    return router


WEATHER = Plugin(
    "weather",
    _routes,
    {"name": "Weather", "description": "of the day"},
    "/weather/",
    reads=frozenset({("POST", "/weather/query"), ("GET", "/station/")}),
    edits=frozenset({("POST", "/station"), ("PATCH", "/station/")}),
    error_response=lambda _, error: plain_text(error),
)
NO_PLUGIN = "sunny"


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """The entry points of the installation, to be filled."""
    found: list[EntryPoint] = []
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: EntryPoints(found).select(group=group)
    )
    installed.cache_clear()
    yield found
    installed.cache_clear()


def _entry(value: str, group: str = plugins.GROUP) -> EntryPoint:
    return EntryPoint("weather", value, group)


def test_a_plugin_has_routes_a_tag_and_its_own_form_of_errors(entries: list[EntryPoint]) -> None:
    entries.append(_entry(f"{__name__}:WEATHER"))
    client = TestClient(create_app(MemoryStore(), version="7"))
    assert client.get("/weather/today").text == "7"
    assert client.get("/weather/tomorrow").text == "unknown"
    document = client.get("/api/openapi.json").json()
    assert WEATHER.tag in document["tags"]
    assert document["paths"]["/weather/today"]["get"]["tags"] == ["Weather"]


def test_a_plugins_router_may_include_others() -> None:
    nested = Plugin("archive", _nested_routes, path="/archive/")
    client = TestClient(create_app(MemoryStore(), version="7", plugins=[nested]))
    assert client.get("/archive/weather/today").text == "7"
    document = client.get("/api/openapi.json").json()
    operation = document["paths"]["/archive/weather/today"]["get"]
    assert operation["operationId"] == "weather_today"


def test_what_is_below_a_plugins_path_is_read_by_all_and_changed_by_administrators(
    entries: list[EntryPoint],
) -> None:
    assert required("GET", "/weather/today") is Permission.ADMIN, "not installed"
    entries.append(_entry(f"{__name__}:WEATHER"))
    installed.cache_clear()
    assert required("GET", "/weather/today") is Permission.READ
    assert required("HEAD", "/weather/today") is Permission.READ
    assert required("POST", "/weather/today") is Permission.ADMIN
    assert required("POST", "/weather/query") is Permission.READ
    assert required("GET", "/station/n/1") is Permission.READ
    assert required("PATCH", "/station/n/1") is Permission.EDIT
    assert required("POST", "/station") is Permission.EDIT
    assert required("DELETE", "/station/n") is Permission.ADMIN
    assert required("POST", "/stations") is Permission.ADMIN
    assert required("GET", "/station") is Permission.ADMIN


def test_an_app_has_none_but_the_plugins_that_it_is_given(entries: list[EntryPoint]) -> None:
    entries.append(_entry(f"{__name__}:WEATHER"))
    client = TestClient(create_app(MemoryStore(), version="7", plugins=()))
    assert client.get("/weather/today").status_code == 404
    assert client.get("/api/map?from=0&to=300").status_code == 200


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("missing_package:plugin", "cannot be loaded: No module named 'missing_package'"),
        (f"{__name__}:MISSING", "cannot be loaded: "),
        (f"{__name__}:NO_PLUGIN", "must be an api.plugins.Plugin, is str"),
    ],
)
def test_what_is_no_plugin_is_refused_by_name(
    entries: list[EntryPoint], value: str, said: str
) -> None:
    entries.append(_entry(value))
    with pytest.raises(PluginError) as raised:
        installed()
    assert said in str(raised.value)
    assert "weather" in str(raised.value)


def test_other_entry_points_are_left_alone(entries: list[EntryPoint]) -> None:
    entries.append(_entry("missing_package:plugin", group="console_scripts"))
    assert installed() == ()

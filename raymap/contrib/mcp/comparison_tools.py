"""The tool that answers what differs between two periods of the map, or two sides of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from api.schemas.compare import SignificantChange
from raymap.contrib.mcp.answer import RowsOf, clean, table
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.parameters import End, Filter, Start
from raymap.contrib.mcp.window import describe, parse_window

_MORE = "{left} more differences: take a filter."
Then = Annotated[
    str,
    Field(
        description="The earlier period: before, yesterday, week, deployment, deployment:ID, problem, problem:ID, or when it begins. Not with `by`."
    ),
]
By = Annotated[
    str,
    Field(
        description="Compare two sides of the same time: version, environment, account, region, operation, method, status; or filter."
    ),
]
Side = Annotated[
    str,
    Field(
        description="With `by`: a value, or a filter expression; by default one of the two commonest."
    ),
]


def comparison_tools(client: Client) -> list[Callable[..., str]]:
    """Functions whose signatures and docstrings are what clients see."""

    def what_changed(
        then: Then = "",
        by: By = "",
        side: Side = "",
        other: Side = "",
        filter: Filter = "",
        start: Start = "-1h",
        end: End = "now",
    ) -> Annotated[str, RowsOf(SignificantChange)]:
        """What differs significantly between a window and an earlier period of the same length, or between two versions,
        environments, accounts … or filters in the same window: services and calls that are slower, fail more or less, have other
        rates, or are new or gone. Those where a difference begins come first; the others follow from them.
        """
        query = {
            **parse_window(start, end),
            "then": then,
            "by": by,
            "side": side,
            "other": other,
            "filter": filter,
        }
        given = {name: value for name, value in query.items() if value != ""}
        found = client.get("/api/v1/compare", given)
        about = [f"{_sides(found)}: {clean(found['summary'])}.", *map(clean, found["notes"])]
        names = {each["id"]: each["name"] for each in found["changes"]}
        lines = [_line(each, names) for each in found["changes"]]
        return table(about, lines or ["No difference."], _MORE, found["changes"])

    return [what_changed]


def _sides(found: Mapping[str, Any]) -> str:
    now, then = found["now"], found["then"]
    if found["by"]:
        return f"{describe(now)}, {found['by']} {clean(now['side'])} (now) against {clean(then['side'])} (then)"
    return f"{describe(now)} against {describe(then)}"


def _line(each: Mapping[str, Any], names: Mapping[str, str]) -> str:
    said = f"{clean(each['name'])}: {clean(each['text'])}"
    if each["follows"] is None:
        return said
    return f"{said}; follows from {clean(names.get(each['follows'], 'elsewhere'))}"

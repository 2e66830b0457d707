"""The tool that counts traces and requests by dimensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.v1 import StatsGroup
from raymap.contrib.mcp.answer import RowsOf, clean, escape, table
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.map_tools import node_id
from raymap.contrib.mcp.parameters import End, Filter, Start
from raymap.contrib.mcp.trace_tools import Status
from raymap.contrib.mcp.window import describe, instant, parse_window

LONGEST_FILTER = 600
"""Characters of an expression in a line."""
BOUNDS = {
    "traces": "the most that are counted",
    "seconds": "time was over",
    "groups": "too many groups",
}


def stats_tools(client: Client) -> list[Callable[..., str]]:
    """Functions whose signatures and docstrings are what clients see."""

    def stats(
        by: Annotated[
            str,
            Field(
                description="Dimensions, at most three, comma-separated: service, operation, state, method, status, version, "
                "environment, region, account, user, exception, cause, annotation.KEY, … Empty: one total."
            ),
        ] = "",
        filter: Filter = "",
        metrics: Annotated[
            str,
            Field(
                description="count, per_minute, ok, error, throttle, fault, in_progress, fault_share (and the other shares), "
                "avg, min, max, p50, p95, p99, …; times in milliseconds."
            ),
        ] = "count,fault,fault_share,p50,p95",
        start: Start = "-1h",
        end: End = "now",
        of: Annotated[
            Literal["traces", "requests"],
            Field(description="Traces by their entries, or requests of services in them."),
        ] = "traces",
        node: Annotated[str, Field(description="Only requests of this node.")] = "",
        status: Annotated[
            Status, Field(description="Only of the entry, or of the requests, that ended so.")
        ] = "",
        sort: Annotated[str, Field(description="Metric; the greatest comes first.")] = "count",
        limit: Annotated[int, Field(ge=1, le=100, description="Groups.")] = 20,
    ) -> Annotated[str, RowsOf(StatsGroup)]:
        """How many traces, or requests, by what: counts, shares of failures and response times by version, user,
        annotation, exception or any other dimension. Each line ends with the filter by which `find_traces` finds its
        traces. A trace that has several values of a dimension counts in each.
        """
        window = parse_window(start, end)
        query = {
            **window,
            "by": by,
            "filter": filter,
            "metrics": metrics,
            "of": "requests" if node else of,
            "node": node_id(client, window, node) if node else "",
            "status": status,
            "sort": sort,
            "limit": limit,
        }
        found = client.get("/api/v1/stats", query)
        lines = [_line(found["by"], group) for group in found["groups"]]
        return table(
            _about(found),
            lines or ["none"],
            "{left} more groups: narrow the filter.",
            found["groups"],
        )

    return [stats]


def _about(found: Mapping[str, Any]) -> list[str]:
    by = f" by {', '.join(map(clean, found['by']))}" if found["by"] else ""
    own = [
        f"{found['of'].capitalize()}{by}, {describe(dict(found))}: {found['examined']} traces, {_metrics(found['total'])}."
    ]
    if not found["complete"]:
        own.append(
            f"Only the traces since {instant(found['counted_from'])} UTC were counted ({BOUNDS[found['bound']]}): narrow "
            "the filter or the window."
        )
    if (left := found["groups_total"] - len(found["groups"])) > 0:
        own.append(f"{left} more groups: raise limit, or narrow the filter.")
    return own


def _line(by: list[str], group: Mapping[str, Any]) -> str:
    values = ", ".join(
        f"{clean(name)} {'(none)' if value is None else clean(value)}"
        for name, value in zip(by, group["values"], strict=True)
    )
    status = f" with status={group['status']}" if group["status"] else ""
    filter = group["filter"] or ""
    # A part of one is none.
    shown = escape(filter) if len(filter) <= LONGEST_FILTER else "(too long: read rows)"
    filter = f"; filter: {shown}{status}" if filter or status else ""
    return f"{values or 'all'}: {_metrics(group)}; {group['traces']} traces{filter}"


def _metrics(figures: Mapping[str, Any]) -> str:
    known = {name: value for name, value in figures["metrics"].items() if value is not None}
    return ", ".join(f"{clean(name)} {value:g}" for name, value in known.items())

"""`raymap stats`: counts of a running server by dimensions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from raymap.commands.client import Client
from raymap.commands.reading import nothing
from raymap.commands.terminal import Cell, clock, head, milliseconds, rate, share, table
from raymap.errors import print_status

Json = dict[str, Any]
_COUNTS = ("count", "requests", "ok", "error", "throttle", "fault", "in_progress")


def print_stats(client: Client, query: Mapping[str, Any], *, as_json: bool, links: bool) -> None:
    """A line for each group; with ``links`` the filter that selects its traces."""
    found = client.stats(**query)
    if as_json:
        print(json.dumps(found))
        return
    if not found["groups"]:
        print_status(nothing("trace", query))
        return
    print("\n".join(_table(found, links)))
    if not found["complete"]:
        print_status(
            f"only the newest {found['examined']:,} traces were counted, those since {clock(found['counted_from'])} UTC"
        )
    if (left := found["groups_total"] - len(found["groups"])) > 0:
        print_status(f"{left} more groups: --limit")


def _table(found: Json, links: bool) -> list[str]:
    by, metrics = found["by"], found["metrics"]
    names = [*by, *metrics, *(["filter"] if links else [])]
    rows: list[Sequence[str]] = [head(*names)]
    for group in found["groups"]:
        values = [Cell("–" if value is None else _value(value)) for value in group["values"]]
        figures = [_metric(name, group["metrics"][name]) for name in metrics]
        rows.append([*values, *figures, *([Cell(_link(group))] if links else [])])
    numbers = range(len(by), len(by) + len(metrics))
    widest = [len(names) - 1] if links else []
    return table(rows, right=numbers, shrink=[*widest, *range(len(by))])


def _value(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _link(group: Json) -> str:
    if group["filter"] is None:
        return "–"
    status = f" --status {group['status']}" if group["status"] else ""
    return f"{group['filter']}{status}"


def _metric(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name.endswith("_share"):
        return share(value, 1)
    if name in _COUNTS:
        return f"{value:,.0f}"
    return rate(value) if name == "per_minute" else milliseconds(value)

"""`raymap compare`: two periods of a running server's map, or two sides of one, and what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from raymap.commands.client import Client
from raymap.commands.terminal import BOLD, DIM, Cell, clock, head, paint, table
from raymap.errors import print_status

Json = dict[str, Any]
WORSE = {"failing": "31", "slower": "33"}


def print_comparison(client: Client, query: Mapping[str, Any], *, as_json: bool) -> None:
    """A sentence that sums it up, and a line for each difference."""
    found = client.get("compare", **query)
    if as_json:
        print(json.dumps(found))
        return
    print(paint(str(Cell(f"{_sides(found)}: {found['summary']}")), BOLD))
    if found["changes"]:
        print("\n".join(_table(found)))
    for note in found["notes"]:
        print_status(note)


def _sides(found: Json) -> str:
    now, then = found["now"], found["then"]
    window = f"{clock(now['from'])} to {clock(now['to'])} UTC"
    if found["by"]:
        return f"{window}, {found['by']} {now['side']} against {then['side']}"
    return f"{window} against {clock(then['from'])} to {clock(then['to'])} UTC"


def _table(found: Json) -> list[str]:
    names = {each["id"]: each["name"] for each in found["changes"]}
    rows: list[Sequence[str]] = [head("where", "difference", "begins at")]
    for each in found["changes"]:
        origin = names.get(each["follows"], "elsewhere") if each["follows"] else ""
        colour = DIM if origin else WORSE.get(each["trend"], "")
        rows.append([Cell(each["name"], colour), Cell(each["text"], colour), Cell(origin, DIM)])
    return table(rows, shrink=[0, 2])

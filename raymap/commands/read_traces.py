"""`raymap traces`, `raymap trace`, `raymap tail`: traces of a running server."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from raymap.commands.client import Client
from raymap.commands.reading import nothing
from raymap.commands.terminal import (
    COLOURS,
    DIM,
    Cell,
    clock,
    columns_of,
    cut,
    head,
    milliseconds,
    paint,
    table,
    time_of_day,
    width,
)
from raymap.errors import print_status

Json = dict[str, Any]
Query = Mapping[str, Any]
POLL = 2.0
"""Seconds between two requests of `raymap tail`."""
LATE = "-2m"
"""How long ago a trace may have begun that `raymap tail` still prints."""
MOST_SEEN = 100_000
"""Traces of which `raymap tail` remembers that it printed them."""
STATUS = len("throttle 429")
"""Columns of a status in `raymap tail`."""
WIDE = 100
"""Columns of a terminal from which a start has its day."""
BAR = 40
"""Columns of the bars of a waterfall, at most."""


def print_traces(client: Client, query: Query, most: int, *, as_json: bool) -> None:
    """Traces, newest first, and whether there are more."""
    found: list[Json] = [{**each} for each in client.traces(most=most + 1, **query)]
    shown, more = found[:most], len(found) > most
    if as_json:
        for each in shown:
            print(json.dumps(each))
    elif shown:
        print("\n".join(_table(shown)))
    else:
        print_status(nothing("trace", query))
    if more:
        print_status(f"there are more than {most}: --limit, or a narrower filter")


def _table(traces: Sequence[Json]) -> list[str]:
    """Users are shown where there is room. Without days where all is of one."""
    of_one_day = len({clock(each["start"])[:5] for each in traces}) == 1
    when = time_of_day if of_one_day and width() < WIDE else clock
    rows: list[Sequence[str]] = [head("trace", "start", "status", "response", "request", "user")]
    rows += [_row(each, when) for each in traces]
    return table(rows, right=(3,), shrink=(4,), drop=5)


def _row(trace: Json, when: Callable[[float], str]) -> list[str]:
    entry = trace["entry"]
    code = f" {trace['code']}" if trace["code"] else ""
    request = " ".join(filter(None, (entry and entry["name"], trace["method"], trace["url"])))
    inner = [f"{number} {name}" for name, number in trace["inner"].items() if number]
    return [
        Cell(trace["id"]),
        when(trace["start"]),
        Cell(f"{trace['status']}{code}", COLOURS[trace["status"]]),
        milliseconds(trace["response_ms"]),
        Cell(request + (f" (inside: {', '.join(inner)})" if inner else "")),
        Cell(trace["user"] or ""),
    ]


def tail(client: Client, query: Query, *, as_json: bool) -> None:
    """Traces as they arrive, the earlier ones first, until interrupted."""
    seen: OrderedDict[str, None] = OrderedDict()
    try:
        while True:
            found = client.traces(most=5_000, **{**query, "start": LATE, "end": "now"})
            new: list[Json] = [
                {**each} for each in found if each["id"] not in seen and not each["partial"]
            ]
            seen.update(dict.fromkeys(each["id"] for each in new))
            while len(seen) > MOST_SEEN:
                seen.popitem(last=False)
            for each in sorted(new, key=lambda trace: trace["start"]):
                print(json.dumps(each) if as_json else line_of(each), flush=True)
            time.sleep(POLL)
    except KeyboardInterrupt:
        return


def line_of(trace: Json) -> str:
    """A trace in `raymap tail`."""
    id, start, status, response, request, user = _row(trace, time_of_day)
    room = width() - columns_of(id) - len(start) - STATUS - 8 - 4 * len("  ")
    colour = COLOURS[trace["status"]]
    cells = [
        id,
        start,
        paint(f"{status:<{STATUS}}", colour),
        f"{response:>8}",
        cut(f"{request} {user}".strip(), max(8, room)),
    ]
    return "  ".join(cells)


def print_trace(client: Client, id: str, *, as_json: bool) -> None:
    """The waterfall of a trace."""
    trace: Json = {**client.trace(id)}
    if as_json:
        print(json.dumps(trace))
        return
    code = f" {trace['code']}" if trace["code"] else ""
    about = [
        trace["id"],
        f"{clock(trace['start'])} UTC",
        paint(f"{trace['status']}{code}", COLOURS[trace["status"]]),
        milliseconds(trace["response_ms"]),
        f"{trace['segments']} segments",
        *(["something of it is missing or in progress"] if trace["partial"] else []),
    ]
    print("  ".join(about))
    print("\n".join(waterfall(trace)))
    if trace["left_out"]:
        print_status(f"{trace['left_out']} rows are left out")


def waterfall(trace: Json) -> list[str]:
    """A line for each row: its name, indented by depth, a bar where it ran, its duration."""
    rows = trace["rows"]
    ends = [row["start_ms"] + (row["duration_ms"] or 0) for row in rows]
    begin = min((row["start_ms"] for row in rows), default=0.0)
    whole = max([*ends, begin + 1e-3]) - begin
    columns = max(8, min(BAR, width() // 3))
    lines: list[Sequence[str]] = [
        [
            _name(row),
            _bar(row, begin, whole, columns),
            milliseconds(row["duration_ms"]),
            _outcome(row),
        ]
        for row in rows
    ]
    return table(lines, right=(2,), shrink=(0, 3)) if lines else []


def _name(row: Json) -> Cell:
    what = row["namespace"] or row["type"].removeprefix("AWS::")
    kind = f" [{what}]" if what else ""
    return Cell(
        f"{'  ' * min(row['depth'], 20)}{row['name']}{kind}",
        DIM if row["kind"] == "inferred" else "",
    )


def _bar(row: Json, begin: float, whole: float, columns: int) -> Cell:
    first = min(columns - 1, int((row["start_ms"] - begin) / whole * columns))
    took = row["duration_ms"]
    length = columns - first if took is None else max(1, round(took / whole * columns))
    fill = "░" if took is None else "█"
    return Cell(
        (" " * first + fill * min(length, columns - first)).ljust(columns), COLOURS[row["status"]]
    )


def _outcome(row: Json) -> Cell:
    said = [] if row["status"] == "ok" else [row["status"]]
    said += [str(row["code"])] if row["code"] else []
    said += [row["exception"]] if row["exception"] else []
    return Cell(" ".join(said), COLOURS[row["status"]])

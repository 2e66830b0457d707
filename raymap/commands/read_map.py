"""`raymap map`, `raymap services`, `raymap top`: the services of a running server and what they call."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from raymap.commands.client import Client
from raymap.commands.reading import nothing
from raymap.commands.terminal import (
    BOLD,
    DIM,
    Cell,
    clock,
    head,
    milliseconds,
    paint,
    rate,
    state_of,
    table,
    width,
)
from raymap.errors import print_status

Json = dict[str, Any]
Query = Mapping[str, Any]
MOST_LINES = 2_000
"""Of a tree, in which a service has a line for each of its callers."""
WIDE = 80
"""Columns of a terminal from which a tree has lines between its branches and names."""
SORTS = ("fault", "requests", "p95", "name")


def print_map(client: Client, query: Query, *, as_json: bool) -> None:
    """The map as a tree: who calls whom."""
    found = client.map(**query)
    if as_json:
        print(json.dumps(found))
        return
    lines = list(tree(found))
    if not lines:
        print_status(nothing("traffic", query))
        return
    rows = [head("service", "state", "per min", "p50", "p95"), *lines[:MOST_LINES]]
    print("\n".join(table(rows, right=(2, 3, 4), shrink=(0,), spare=(3,))))
    _say_incomplete(found)
    if len(lines) > MOST_LINES:
        print_status(f"{len(lines) - MOST_LINES} more lines: narrow with --filter")
    for problem in found["problems"]:
        print_status(problem if isinstance(problem, str) else json.dumps(problem))


def tree(found: Json) -> Iterator[Sequence[str]]:
    """Rows of a map: entries with their own figures, below each what it calls with those of the call. A service that
    was shown with its callees is shown without them again."""
    minutes = max(1e-9, (found["to"] - found["from"]) / 60)
    nodes = {node["id"]: node for node in found["services"]}
    calls: dict[str, list[Json]] = defaultdict(list)
    called = set()
    for edge in found["edges"]:
        calls[edge["source"]].append(edge)
        if nodes[edge["source"]]["kind"] != "client":
            called.add(edge["target"])
    services = [node for node in found["services"] if node["kind"] != "client"]
    entries = [node for node in services if node["root"] or node["id"] not in called]
    shown: set[str] = set()
    for node in sorted(entries, key=_busiest):
        yield _row("", node, node, minutes)
        yield from _callees(node["id"], "", nodes, calls, shown, minutes)
    for node in sorted(services, key=_busiest):  # a circle has no entry
        if node["id"] not in shown and node not in entries and node["id"] not in called & shown:
            yield _row("", node, node, minutes)
            yield from _callees(node["id"], "", nodes, calls, shown, minutes)


def _callees(
    id: str,
    indent: str,
    nodes: Mapping[str, Json],
    calls: Mapping[str, list[Json]],
    shown: set[str],
    minutes: float,
) -> Iterator[Sequence[str]]:
    """Rows of what a service calls, depth first without recursion: chains of calls may be long."""
    line = "─" if width() >= WIDE else ""
    stack = [(indent, iter(_ranked(calls[id])))]
    shown.add(id)
    while stack:
        indent, rest = stack[-1]
        edge, more = next(rest, (None, False))
        if edge is None:
            stack.pop()
            continue
        target = edge["target"]
        again = target in shown and bool(calls[target])
        branch = f"{'├' if more else '└'}{line} "
        arrow = "⇢ " if edge["kind"] == "link" else ""
        yield _row(f"{indent}{branch}{arrow}", nodes[target], edge, minutes, again=again)
        if target not in shown:
            shown.add(target)
            below = indent + ("│" if more else " ") + " " * len(line) + " "
            stack.append((below, iter(_ranked(calls[target]))))


def _ranked(edges: Sequence[Json]) -> list[tuple[Json, bool]]:
    """The busiest first, each with whether others follow."""
    ranked = sorted(edges, key=_busiest)
    return [(edge, at < len(ranked) - 1) for at, edge in enumerate(ranked)]


def _busiest(figures: Json) -> tuple[float, str]:
    return -float(figures["requests"] or 0), str(figures.get("name", figures["id"]))


def _row(
    indent: str, node: Json, figures: Json, minutes: float, *, again: bool = False
) -> list[str]:
    requests = figures["requests"]
    name = f"{indent}{_label(node)}{' ↑' if again else ''}"
    return [
        Cell(name, DIM if again else ""),
        state_of(figures),
        rate(None if requests is None else requests / minutes),
        milliseconds(figures["p50_ms"]),
        milliseconds(figures["p95_ms"]),
    ]


def _label(node: Json) -> str:
    """Name and type, the type without the vendor's prefix."""
    type = node["type"].removeprefix("AWS::")
    value = f" · {node['value'] or 'none'}" if node.get("value") is not None else ""
    return f"{node['name']}{value}" + (f" [{type}]" if type and type != "remote" else "")


def print_services(client: Client, query: Query, sort: str, *, as_json: bool) -> None:
    """A line for each service."""
    found: list[Json] = [{**each} for each in client.services(**query)]
    if as_json:
        print(json.dumps(found))
        return
    services = _sorted(found, sort)
    if not services:
        print_status(nothing("traffic", query))
        return
    print("\n".join(_table(services)))


def _sorted(found: Sequence[Json], sort: str) -> list[Json]:
    services = [each for each in found if each["kind"] != "client"]
    keys = {
        "fault": lambda each: (-(each["fault"] or 0), *_busiest(each)),
        "requests": _busiest,
        "p95": lambda each: (-(each["p95_ms"] or 0), each["name"]),
        "name": lambda each: (each["name"], each["type"]),
    }
    return sorted(services, key=keys[sort])


def _table(services: Sequence[Json]) -> list[str]:
    rows: list[Sequence[str]] = [
        head("service", "state", "requests", "per min", "p50", "p95", "id")
    ]
    for each in services:
        requests = each["requests"]
        rows.append(
            [
                Cell(_label(each)),
                state_of(each),
                "–" if requests is None else f"{requests:,.0f}",
                rate(each["traces_per_min"]),
                milliseconds(each["p50_ms"]),
                milliseconds(each["p95_ms"]),
                Cell(each["id"], DIM),
            ]
        )
    return table(rows, right=(2, 3, 4, 5), shrink=(0,), drop=6, spare=(2, 4))


def top(client: Client, query: Query, sort: str, every: float) -> None:
    """The services of the last minutes, renewed until interrupted; once where no person reads."""
    import sys

    if not sys.stdout.isatty():
        print("\n".join(_frame(client, query, sort, sys.maxsize)))
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console()
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                lines = _frame(client, query, sort, console.height)
                live.update(Text.from_ansi("\n".join(lines), no_wrap=True), refresh=True)
                time.sleep(every)
    except KeyboardInterrupt:
        return


def _frame(client: Client, query: Query, sort: str, height: int) -> list[str]:
    services = _sorted([{**each} for each in client.services(**query)], sort)
    lines = _table(services) if services else [nothing("traffic", query)]
    about = f"{clock(time.time())} UTC  since {query['start']}  by {sort}  {client.url}"
    body = lines[: max(1, height - 2)]
    left = len(lines) - len(body)
    return [paint(about, BOLD) + (f"  ({left} more)" if left else ""), *body]


def _say_incomplete(found: Json) -> None:
    if waiting := found.get("incomplete"):
        print_status(f"{waiting['minutes']} minutes of this window are still being counted")

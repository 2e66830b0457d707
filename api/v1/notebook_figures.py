"""What an entry of a notebook shows when it is added, as words and numbers that stay."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import Request

from api.console.durations import words
from api.console.map_json import edge_numbers, node_numbers
from api.console.params import read_expression, read_states, require_trace
from api.console.scope import Scope
from api.console.trace_detail import trace_report
from api.context import Context
from api.errors import ApiError
from api.graph.build import Graph, calls_of
from api.graph.find import require_node
from api.graph.passes import focus, importance
from api.request import instant, window_of
from api.saved import fields_of
from api.schemas.map import NodeNumbers
from api.schemas.traces import TraceReport, TraceRow
from api.v1.graph import read_graph
from api.v1.problems import problem_details
from api.v1.stats import Of, Selected, read_wanted, stats
from store.filters.ast import Expression
from store.model import NodeKey, TimeRange
from store.notebooks import Figures
from store.query import Ends
from store.rules.dimensions import Dimension
from store.times import MINUTE, SECOND

MAX_ROWS, MAX_EDGES, MAX_TEXT = 20, 40, 120
METRICS = "count,fault_share,error_share,p50,p95,p99"
BEFORE = 10 * MINUTE
"""What a problem's map shows of the time before its onset."""


class Shown(NamedTuple):
    """What an entry shows: the time that it is about (microseconds), its address, its figures."""

    at: int
    page: str
    query: str
    figures: Figures


def view_shown(context: Context, request: Request, page: str, query: str) -> Shown:
    """A page at a fixed time; ApiError when the query has none, or the page would show an error."""
    fields = fields_of(query)
    window = _window(fields)
    if page == "compare":
        sides = filter(None, (fields.get("left"), fields.get("right")))
        return Shown(window.start, page, query, Figures(_cut(" and ".join(sides)) or "Comparison"))
    scope = Scope(*(fields.get(name, "")[:200] for name in Scope._fields))
    expression = read_expression(request, scope, fields.get("filter", ""))
    found = _map if page == "map" else _statistics
    return Shown(window.start, page, query, found(context, window, expression, fields))


def trace_shown(context: Context, id: str) -> tuple[str, Shown]:
    """The id in X-Ray's form, and what the trace shows; ApiError (400, 404)."""
    report = trace_report(require_trace(context.store, id))
    return report["id"], Shown(round(report["start"] * SECOND), "", "", _trace(report))


def problem_shown(context: Context, id: str) -> Shown:
    """A problem on the map, from ten minutes before its onset; ApiError (404)."""
    found = problem_details(context, id)
    since = round(found["since"] * SECOND)
    end = round((found["ended"] or max(found["updated"], found["since"] + 60)) * SECOND)
    exception, changes = found["exception"], found["changes"]
    facts = [
        ("State", found["state"]),
        ("Origin", found["origin"]["name"]),
        *([("Exception", exception["name"])] if exception else []),
        *(("Changed before", each["what"]) for each in changes[:1]),
    ]
    query = f"from={(since - BEFORE) // SECOND}&to={end // SECOND}&problem={found['id']}"
    figures = Figures(_cut(found["text"], 300), tuple((name, _cut(value)) for name, value in facts))
    return Shown(since, "map", query, figures)


def _window(fields: dict[str, str]) -> TimeRange:
    """ApiError (400) without an instant at both ends: what a notebook shows does not move."""
    if not fields.get("from") or not fields.get("to"):
        raise ApiError(
            "query must have a fixed time: from and to, as in from=1795557180&to=1795560780"
        )
    start, end = (_instant(fields[name], name) for name in ("from", "to"))
    return window_of(start, end, "from", "to")


def _instant(text: str, name: str) -> int:
    try:
        return instant(float(text), name)
    except ValueError:
        return instant(text, name)


def _map(
    context: Context, window: TimeRange, expression: Expression | None, fields: dict[str, str]
) -> Figures:
    """The services of a map, unhealthy ones first, with the calls among them."""
    window, graph, _ = read_graph(context, window, expression, _dimension(fields))
    if near := fields.get("focus"):
        hops = fields.get("hops", "1")
        graph = focus(graph, require_node(graph, near), int(hops) if hops in ("1", "2", "3") else 1)
    services = [node for node in graph if not node.is_client]
    ranked = sorted(services, key=lambda node: (*(-n for n in importance(graph, node)), node))
    nodes = ranked[:MAX_ROWS]
    numbers = [node_numbers(graph, node, window) for node in nodes]
    calls = sum(_calls(graph, ends, window) for ends in graph.edges if ends[0].is_client)
    return Figures(
        "Service map",
        (("Services", f"{len(services):,}"), ("Requests from outside", f"{calls:,}")),
        ("Service", "Type", "Requests", "Faults", "Errors", "p95"),
        tuple(map(_service, numbers)),
        tuple(_state(each, context.unhealthy.share) for each in numbers),
        _edges(graph, nodes, window),
        left_out=len(services) - len(nodes),
        is_empty=not services,
    )


def _dimension(fields: dict[str, str]) -> Dimension | None:
    try:
        return Dimension(fields["group_by"]) if fields.get("group_by") else None
    except ValueError:
        known = ", ".join(each.value for each in Dimension)
        raise ApiError(
            f"group_by must be one of {known}, got {fields['group_by'][:60]!r}"
        ) from None


def _service(node: NodeNumbers) -> tuple[str, ...]:
    name = node["name"] if not node["value"] else f"{node['name']} · {node['value']}"
    requests, p95 = node["requests"] or 0, node["p95_ms"]
    return (
        _cut(name),
        _cut(node["type"], 60),
        f"{requests:,}",
        _share(node["fault"], requests),
        _share(node["error"], requests),
        "" if p95 is None else words(p95 * 1000),
    )


def _state(node: NodeNumbers, unhealthy: float) -> str:
    """The worst state with a share that is called unhealthy."""
    requests = node["requests"] or 0
    for state in ("fault", "error", "throttle"):
        if requests and (node[state] or 0) / requests >= unhealthy:
            return state
    return "ok"


def _edges(
    graph: Graph, nodes: list[NodeKey], window: TimeRange
) -> tuple[tuple[int, int, str], ...]:
    """Calls among nodes, the most frequent first, by their places."""
    places = {node: at for at, node in enumerate(nodes)}
    among = [ends for ends in graph.edges if ends[0] in places and ends[1] in places]
    counted = sorted(((_calls(graph, ends, window), ends) for ends in among), reverse=True)
    return tuple(
        (places[source], places[target], f"{requests:,}")
        for requests, (source, target) in counted[:MAX_EDGES]
    )


def _calls(graph: Graph, ends: Ends, window: TimeRange) -> int:
    return edge_numbers(calls_of(graph, *ends), window)["requests"] or 0


def _trace(report: TraceReport) -> Figures:
    """The first rows of a trace's timeline."""
    entry, response, code = report["entry"], report["response_ms"], report["code"]
    total = max(report["duration_ms"], 1e-3)
    rows = report["rows"][:MAX_ROWS]
    facts = [
        ("Status", report["status"].replace("_", " ") + (f" {code}" if code else "")),
        ("Duration", words(report["duration_ms"] * 1000)),
        *([("Response", words(response * 1000))] if response is not None else []),
        *([("Entry", _cut(entry["name"]))] if entry else []),
        ("Segments", f"{report['segments']:,}"),
    ]
    title = " ".join(filter(None, (report["method"], report["url"])))
    return Figures(
        _cut(title) or (_cut(entry["name"]) if entry else "Trace"),
        tuple(facts),
        ("Segment", "Status", "Start", "Duration"),
        tuple(map(_row, rows)),
        tuple(row["status"] for row in rows),
        bars=tuple(_bar(row, total) for row in rows),
        depths=tuple(min(row["depth"], 20) for row in rows),
        left_out=len(report["rows"]) + report["left_out"] - len(rows),
    )


def _row(row: TraceRow) -> tuple[str, ...]:
    length, code = row["duration_ms"], row["code"]
    status = row["status"].replace("_", " ") + (f" {code}" if code else "")
    return (
        _cut(row["name"]),
        _cut(" ".join(filter(None, (status, row["exception"])))),
        words(max(row["start_ms"], 0) * 1000),
        "" if length is None else words(length * 1000),
    )


def _bar(row: TraceRow, total: float) -> tuple[float, float]:
    """Where a row begins and how long it takes, as shares of the trace; one in progress lasts to its end."""
    start = min(max(row["start_ms"] / total, 0.0), 1.0)
    length = 1.0 if row["duration_ms"] is None else row["duration_ms"] / total
    return round(start, 4), round(min(length, 1.0 - start), 4)


def _statistics(
    context: Context, window: TimeRange, expression: Expression | None, fields: dict[str, str]
) -> Figures:
    """The traces of a list, or requests in them, by what the list is grouped by."""
    node, status = fields.get("node", ""), fields.get("status", "")
    by, of = fields.get("by", ""), fields.get("of", "traces")
    if of not in ("traces", "requests"):
        raise ApiError(f"of must be traces or requests, got {of[:60]!r}")
    metrics = fields.get("metrics") or METRICS
    sort = (fields.get("rank") or metrics.split(",")[0]).partition(",")[0]
    selected = Selected(expression, fields.get("filter", ""), read_states(status), status)
    chosen: Of = "requests" if of == "requests" or node else "traces"
    wanted = read_wanted(metrics, sort, MAX_ROWS)
    found = stats(context, window, selected, by, chosen, node, "", wanted)
    names = found["metrics"]
    groups = found["groups"] if by else []
    return Figures(
        f"{chosen.capitalize()} by {', '.join(found['by'])}" if by else chosen.capitalize(),
        tuple((name, _metric(name, found["total"]["metrics"][name])) for name in names),
        (*found["by"], *names) if by else (),
        tuple(
            (
                *("" if value is None else _cut(str(value)) for value in group["values"]),
                *(_metric(name, group["metrics"][name]) for name in names),
            )
            for group in groups
        ),
        left_out=found["groups_total"] - len(groups) if by else 0,
        is_empty=not found["total"]["traces"],
    )


def _metric(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name.endswith("_share"):
        return f"{100 * value:.3g} %"
    if name in ("avg", "average", "median", "min", "max") or (
        name.startswith("p") and name[1:2].isdigit()
    ):
        return words(value * 1000)
    return f"{value:,.6g}" if value % 1 else f"{value:,.0f}"


def _share(part: int | None, requests: int) -> str:
    return f"{100 * (part or 0) / requests:.3g} %" if requests else ""


def _cut(text: str, most: int = MAX_TEXT) -> str:
    """A text in one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"

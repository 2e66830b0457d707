"""Tools that narrow a failure down: what sets traces apart, where a trace's time went, what was logged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.logs import LogEntry
from api.schemas.traces import Difference
from raymap.contrib.mcp.answer import RowsOf, clean, table
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.map_tools import node_id
from raymap.contrib.mcp.parameters import End, Filter, Start, TraceId
from raymap.contrib.mcp.trace_tools import Status, get_trace
from raymap.contrib.mcp.window import describe, instant, parse_window


class PathPiece(TypedDict):
    """A part of a critical path."""

    row: Annotated[str | None, Field(description="id for trace_documents; null while nothing ran")]
    name: str
    service: str
    start_ms: float
    duration_ms: float
    share: Annotated[float, Field(description="of the duration of the trace")]


def cause_tools(client: Client) -> list[Callable[..., str]]:
    """Functions whose signatures and docstrings are what clients see."""

    def compare(
        filter: Filter = "",
        node: Annotated[str, Field(description="Only traces that touched this node.")] = "",
        status: Annotated[Status, Field(description="Of the entry, or at the node.")] = "",
        start: Start = "-1h",
        end: End = "now",
    ) -> Annotated[str, RowsOf(Difference)]:
        """What sets some traces apart from comparable ones: those with the filter, node and status against those of the same
        node and filter without its parts about status and latency. Versions, operations, annotations, users, hosts, URLs … that
        these have and the others have not, each as a filter term. Start here when only some requests fail or are slow.
        """
        window = parse_window(start, end)
        query = {
            **window,
            "filter": filter,
            "node": node_id(client, window, node) if node else "",
            "status": status,
        }
        found = client.get("/api/traces/differences", query)
        lines = [
            f"{clean(each['filter'])}: {each['selected']} of {found['selected']} of these, {each['rest']} of "
            f"{found['rest']} others"
            for each in found["attributes"]
        ]
        about = f"{describe(window)}: {clean(found['words'])}."
        none = ["Nothing sets these apart that chance would not explain."]
        return table([about], lines or none, "{left} more: narrow the filter.", found["attributes"])

    def trace_critical_path(trace_id: TraceId) -> Annotated[str, RowsOf(PathPiece)]:
        """Where the time of one trace went: the chain of rows that it waited for, from its first start to its last end, with
        the milliseconds that each was waited for itself; and the sum by service.
        """
        trace = get_trace(client, trace_id)
        rows = {row["id"]: row for row in trace["rows"]}
        pieces = trace["critical_path"]
        total = sum(piece["to_ms"] - piece["from_ms"] for piece in pieces) or 1.0
        by_service: dict[str, float] = defaultdict(float)
        path: list[PathPiece] = []
        for piece in pieces:
            id = piece["row"]
            row: Mapping[str, Any] = rows[id] if id is not None else {"name": "", "service": ""}
            took = piece["to_ms"] - piece["from_ms"]
            by_service[row["service"] if id is not None else "(nothing ran)"] += took
            path.append(
                {
                    "row": id,
                    "name": row["name"],
                    "service": row["service"],
                    "start_ms": piece["from_ms"],
                    "duration_ms": round(took, 3),
                    "share": round(took / total, 4),
                }
            )
        services = sorted(by_service.items(), key=lambda each: -each[1])
        lines = [f"service {clean(name)}: {ms:g} ms, {ms / total:.1%}" for name, ms in services]
        lines += [_piece(each) for each in path]
        own = [f"Critical path of trace {trace['id']}, {total:g} ms in {len(path)} parts."]
        return table(own, lines, "{left} more parts: see trace_outline.", path)

    def logs(
        trace_id: Annotated[str, Field(description="Lines of this trace.")] = "",
        function: Annotated[
            str, Field(description="Or the last lines of this function or service.")
        ] = "",
        start: Start = "-1h",
        end: End = "now",
        limit: Annotated[int, Field(ge=1, le=200)] = 50,
    ) -> Annotated[str, RowsOf(LogEntry)]:
        """Log lines of a trace, or the last ones of a Lambda function or service in a window: time, severity, text."""
        if bool(trace_id) == bool(function):
            raise ToolError("Pass trace_id or function, one of them.")
        if trace_id:
            id = quote(trace_id.strip(), safe="")
            found = client.get(f"/api/v1/traces/{id}/logs", {"limit": limit})
            about = f"Log lines of trace {clean(trace_id)}"
        else:
            window = parse_window(start, end)
            found = client.get("/api/v1/logs", {**window, "function": function, "limit": limit})
            about = f"The last log lines of {clean(function)}, {describe(window)}"
        lines = [_log_line(each) for each in found["lines"]]
        own = [f"{about}: {len(lines)}, {found['left_out']} left out (limit)."]
        links = [
            f"more: {clean(each['label'])} {clean(each['url'])}" for each in found.get("links", ())
        ]
        return table(own, [*lines, *links] or ["none"], "{left} more lines.", found["lines"])

    return [compare, trace_critical_path, logs]


def _piece(piece: PathPiece) -> str:
    where = f"{piece['row']} {clean(piece['name'])} [{clean(piece['service'])}]"
    shown = where if piece["row"] else "nothing ran"
    return f"{piece['start_ms']:+g} ms {shown}: {piece['duration_ms']:g} ms, {piece['share']:.1%}"


def _log_line(line: Mapping[str, Any]) -> str:
    severity = f" {clean(line['severity'])}" if line["severity"] else ""
    return f"{instant(line['time'])}{severity} {clean(line['service'])}: {clean(line['text'])}"

"""Tools that answer from traces: lists, outlines, documents, values to filter by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from api.schemas.traces import TraceLine
from raymap.contrib.mcp.answer import DATA_TOKENS, RowsOf, clean, escape, marked, table
from raymap.contrib.mcp.budget import fit, head
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.figures import duration, row_line, status_of, trace_line
from raymap.contrib.mcp.map_tools import node_id
from raymap.contrib.mcp.parameters import End, Filter, Skip, Start, TraceId
from raymap.contrib.mcp.window import describe, instant, parse_window
from store.trace_id import format_trace_id, parse_trace_id

Status = Literal["", "ok", "error", "throttle", "fault", "in_progress"]
RowIds = Annotated[
    Sequence[str], Field(description="Ids of rows as trace_outline gives them. Empty: all.")
]
Position = Annotated[int, Field(ge=0, description="Characters of the first document to skip.")]


def trace_tools(client: Client) -> list[Callable[..., str]]:
    """Functions whose signatures and docstrings are what clients see."""

    def find_traces(
        filter: Filter = "",
        start: Start = "-1h",
        end: End = "now",
        node: Annotated[str, Field(description="Only traces that touched this node.")] = "",
        status: Annotated[Status, Field(description="Of the entry, or at the node.")] = "",
        error: Annotated[
            str, Field(description="With node: a failure of describe_node, such as fault:HTTP 503.")
        ] = "",
        slowest: Annotated[bool, Field(description="Slowest first instead of newest.")] = False,
        limit: Annotated[int, Field(ge=1, le=50)] = 20,
        cursor: Annotated[str, Field(description="As the page before gave it.")] = "",
    ) -> Annotated[str, RowsOf(TraceLine)]:
        """Traces that satisfy an X-Ray filter expression: id, start, status, response time, request,
        user, services. Keywords include ok, error, fault, throttle, responsetime, duration, http.url,
        http.method, http.status, user, annotation.KEY, service("name") { … }, edge("a", "b") { … },
        rootcause.fault.service { name = "…" }; operators = != < <= > >= CONTAINS BEGINSWITH ENDSWITH
        IN EXISTS =~; AND, OR, NOT and parentheses. `filter_values` tells which values occur.
        """
        window = parse_window(start, end)
        query = {
            **window,
            "filter": filter,
            "node": node_id(client, window, node) if node else "",
            "status": status,
            "error": error,
            "sort": "response" if slowest else "",
            "cursor": cursor,
        }
        page, lines = _fitting_page(client, query, limit)
        own = [f"Traces of {describe(window)}: {_total(client, query, page, lines)}."]
        if page["next"]:
            own.append(f"There are more: pass cursor={page['next']}, or narrow the filter.")
        return marked(own, "\n".join(lines), page["traces"])

    def trace_outline(trace_id: TraceId, skip: Skip = 0) -> str:
        """One trace as a tree: each row's id, name, start after the trace's, duration, status,
        exception. `trace_documents` gives the documents of rows.
        """
        trace = get_trace(client, trace_id)
        lines = [row_line(row) for row in trace["rows"]]
        about = (
            f"Trace {trace['id']} of {instant(trace['start'])} UTC: {status_of(trace)}, "
            f"response {duration(trace['response_ms'])}, {trace['segments']} segments, "
            f"{len(lines) + trace['left_out']} rows{f', from row {skip + 1}' if skip else ''}"
            f"{', something of it is missing or in progress' if trace['partial'] else ''}."
        )
        own = [about, *_rows_left_out(trace)]
        return table(own, lines[skip:], f"{{left}} more rows: pass skip={skip} + {{shown}}.")

    def trace_documents(
        trace_id: TraceId,
        row_ids: RowIds = (),
        skip: Skip = 0,
        position: Position = 0,
    ) -> str:
        """The X-Ray documents of rows of a trace, without the subsegments in them, one a line:
        annotations, metadata, HTTP, SQL, AWS data, exceptions with stack traces.
        """
        trace = get_trace(client, trace_id)
        ids = _chosen(row_ids, trace["documents"])
        texts = [escape(json.dumps(trace["documents"][id], ensure_ascii=False)) for id in ids]
        own = [f"Documents of {len(ids)} rows of trace {trace['id']}, from row {skip + 1}."]
        own += _rows_left_out(trace)
        return _documents(own, texts, skip, position)

    def filter_values(
        field: Annotated[
            str,
            Field(
                description="annotation (lists the keys), annotation.KEY, service, user, http.url, "
                "http.method, http.status, availabilityzone, …"
            ),
        ],
        prefix: Annotated[str, Field(description="How the values begin.")] = "",
        start: Start = "-1h",
        end: End = "now",
    ) -> str:
        """Values that occur in traces, with the number of traces (of services: requests), the most
        frequent first: at most 50. Use them in filter expressions.
        """
        window = parse_window(start, end)
        query = {**window, "field": field, "prefix": prefix}
        found = client.get("/api/filter/completions", query)["completions"]
        lines = [f"{each['count']} × {clean(json.dumps(each['value']))}" for each in found]
        own = [f"{len(lines)} values in {describe(window)}; 50 at most are listed."]
        return table(own, lines, "{left} more: narrow with prefix.")

    return [find_traces, trace_outline, trace_documents, filter_values]


def get_trace(client: Client, text: str) -> dict[str, Any]:
    try:
        id = format_trace_id(parse_trace_id(text))
    except ValueError as error:
        raise ToolError(f"trace_id: {error}") from None
    found: dict[str, Any] = client.get(f"/api/traces/{id}", {})
    return found


def _fitting_page(
    client: Client, query: Mapping[str, Any], limit: int
) -> tuple[dict[str, Any], list[str]]:
    """A page of traces of which every line fits, so that its cursor continues behind the last."""
    page = client.get("/api/traces", {**query, "limit": limit})
    lines = [trace_line(trace) for trace in page["traces"]]
    fitting = fit(lines, DATA_TOKENS)
    if len(fitting) == len(lines):
        return page, lines
    shorter = client.get("/api/traces", {**query, "limit": len(fitting)})
    # A trace may have arrived in between: lines are those of the page that the cursor belongs to.
    return shorter, fit(map(trace_line, shorter["traces"]), DATA_TOKENS)


def _total(
    client: Client, query: Mapping[str, Any], page: Mapping[str, Any], lines: Sequence[str]
) -> str:
    """How many traces are shown of how many; of a first page that is not the last one the chart counts them."""
    if page["total"] is not None:
        return f"{len(lines)} of {page['total']}"
    if not page["next"]:
        return f"{len(lines)}"
    if query["cursor"]:
        return f"{len(lines)}, and others"
    filters = {name: value for name, value in query.items() if name not in ("sort", "cursor")}
    chart = client.get("/api/traces/figure", filters)
    return f"{len(lines)} of {'' if chart['counted_all'] else 'at least '}{chart['total']}"


def _rows_left_out(trace: Mapping[str, Any]) -> list[str]:
    if not trace["left_out"]:
        return []
    return [f"{trace['left_out']} rows beyond the first 10,000 are only in X-Ray's BatchGetTraces."]


def _chosen(row_ids: Sequence[str], documents: Mapping[str, Any]) -> list[str]:
    unknown = [id for id in row_ids if id not in documents]
    if unknown:
        raise ToolError(f"The trace has no row {unknown[0][:40]!r}: see trace_outline.")
    return list(row_ids) or list(documents)


def _documents(own: list[str], texts: Sequence[str], skip: int, position: int) -> str:
    """Whole documents as long as they fit; of one that does not fit alone, a part."""
    rest = list(texts[skip:])
    if not rest:
        return marked([*own, "There are no further rows."], "")
    rest[0] = rest[0][position:]
    shown = fit(rest, DATA_TOKENS)
    if not shown:
        part = head(rest[0], DATA_TOKENS)
        at = position + len(part)
        own.append(
            f"This is one document, to character {at} of {len(texts[skip])}: pass skip={skip} and "
            f"position={at} to read on."
        )
        return marked(own, part)
    if len(shown) < len(rest):
        own.append(f"{len(rest) - len(shown)} more rows: pass skip={skip + len(shown)}.")
    return marked(own, "\n".join(shown))

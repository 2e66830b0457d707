"""The errors of a Lambda function by each of their sources, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from api.console.charts import step_of
from api.context import Context, json_response, run_cancellable
from api.counted import freshness
from api.graph.build import build_graph, stats_of
from api.graph.find import require_node
from api.node_metrics import ERRORS_HELP, RECORD_HELP, STREAM_HELP, types_of
from api.schemas.common import Freshness, NodeId, TraceId, reply
from api.schemas.v1 import Span
from api.v1.graph import span
from api.v1.params import Window
from api.v1.part import v1_part
from store.error_counts import (
    LEAST,
    Counted,
    Said,
    Steps,
    chance,
    contradict,
    spans_of,
    total,
)
from store.filters.ast import Selector, ServiceMatch
from store.log_lines import WrittenIn
from store.model import NodeKey, TimeRange
from store.platform_metrics import MetricStep
from store.query import TraceQuery
from store.rules.invocations import FUNCTION, SERVICE, STATUS
from store.telling_versions import telling_versions
from store.times import MINUTE
from store.trace_id import format_trace_id

ErrorSource = Literal["metric stream", "platform records", "log lines", "spans"]


class ErrorCount(TypedDict):
    """What one source counts."""

    source: Annotated[
        ErrorSource,
        Field(
            description="CloudWatch's metric stream: every error. Records: what the platform saw fail. Log lines: handlers "
            "that raised. Spans: the function's own, of the newest traces"
        ),
    ]
    errors: Annotated[float | None, Field(description="null where there is no such source")]
    invocations: Annotated[
        float | None, Field(description="among how many; null where that is not known")
    ]
    filter: Annotated[str | None, Field(description="finds their traces; null where none are")]
    help: Annotated[str, Field(description="how to send it, where it is missing")]


class ErrorProblem(TypedDict):
    """Sources that contradict each other."""

    text: str
    traces: Annotated[list[TraceId], Field(description="at most five examples")]


@reply
class NodeErrors(Span, Freshness):
    """The errors of a Lambda function."""

    node: NodeId
    counts: Annotated[list[ErrorCount], Field(description="empty of other nodes")]
    unknown: Annotated[int, Field(description="as on a node of the map")]
    problems: list[ErrorProblem]


MOST_TRACES = 300
"""The newest traces of a function whose spans are read."""
STREAM_DELAY = 10 * MINUTE
"""After this time CloudWatch's metric stream has delivered a minute; before, nothing is compared."""
EXAMPLES = 5
SPANS_HELP = "Let the function report itself: by Powertools' tracer, or a layer of OpenTelemetry (docs/lambda.md)."


class _Read(NamedTuple):
    """What is stored of a function's errors."""

    steps: list[MetricStep]
    lines: int
    telling: bool
    spans: list[Said]
    whole: bool
    """Whether these are all of the window."""


def errors_router(context: Context) -> APIRouter:
    """/api/v1/nodes/<id>/errors."""
    router = v1_part()

    @router.get(
        "/nodes/{id}/errors", response_class=Response, responses={200: {"model": NodeErrors}}
    )
    async def get_node_errors(request: Request, id: str, window: Window) -> Response:
        """The errors of a Lambda function as its platform, its log lines and its spans count them, and where these
        contradict each other; empty of other nodes."""
        return await run_cancellable(
            request, lambda: json_response(node_errors(context, id, window))
        )

    return router


def node_errors(context: Context, id: str, window: TimeRange) -> NodeErrors:
    """The counts of a node; ApiError (404) when it had no traffic in the window."""
    counted = context.counted_window(window)
    graph = build_graph(counted.graph)
    node = require_node(graph, id)
    counts: list[ErrorCount] = []
    problems: list[ErrorProblem] = []
    if node.type in (FUNCTION, SERVICE):
        step = max(MINUTE, step_of(window))
        read = _read(context, graph.nodes, node, window, step)
        counts = _counts(read, node)
        problems = _problems(read, step, context.now())
    return {
        **span(window),
        **freshness(window, counted.backlog),
        "node": id,
        "counts": counts,
        "unknown": stats_of(graph, node).unknown,
        "problems": problems,
    }


def _read(
    context: Context, nodes: Sequence[NodeKey], node: NodeKey, window: TimeRange, step: int
) -> _Read:
    store = context.store
    whole = TimeRange(window.start // step * step, -(-window.end // step) * step)
    elsewhere = any(
        (other.name, other.type) == (node.name, node.type) and other != node for other in nodes
    )
    place = (node.account, node.region) if elsewhere else ("", "")
    failed = WrittenIn(*place, failed=True)
    page = store.node_lines([node.name], window, limit=1, within=failed)
    lines = len(page.lines) + page.left_out
    match = ServiceMatch(Selector(name=node.name, type=FUNCTION, account=place[0]))
    found = store.find_traces(TraceQuery(window, filter=match), limit=MOST_TRACES).found
    traces = store.get_traces([hit.trace_id for hit in found], raw=True, links=False)
    return _Read(
        store.metric_steps(node, types_of(node), whole, step // MINUTE),
        lines,
        lines > 0 or bool(telling_versions(store, [node.name], window)),
        list(spans_of(traces.values(), node.name, now=context.now())),
        len(found) < MOST_TRACES,
    )


def _counts(read: _Read, node: NodeKey) -> list[ErrorCount]:
    records = _sum(read.steps, "Lambda/Invocations")
    failed = sum(said.failed for said in read.spans)
    condition = f"annotation.{STATUS} = "
    of_platform = " OR ".join(f'{condition}"{each}"' for each in ("timeout", "failure", "error"))
    lines = read.lines if read.telling else None
    return [
        _count(
            "metric stream",
            _sum(read.steps, "AWS/Lambda/Errors"),
            _sum(read.steps, "AWS/Lambda/Invocations"),
            STREAM_HELP,
        ),
        _count(
            "platform records",
            _sum(read.steps, "Lambda/PlatformErrors"),
            records,
            RECORD_HELP,
            _filter(node, f"({of_platform})"),
        ),
        _count("log lines", lines, records, ERRORS_HELP, _filter(node, f'{condition}"error"')),
        _count(
            "spans",
            failed if read.spans else None,
            len(read.spans) or None,
            SPANS_HELP,
            _filter(node, "", " { fault }"),
        ),
    ]


def _count(
    source: ErrorSource,
    errors: float | None,
    invocations: float | None,
    help: str,
    filter: str | None = None,
) -> ErrorCount:
    known = errors is not None
    return {
        "source": source,
        "errors": errors,
        "invocations": invocations if known else None,
        "filter": filter if errors else None,
        "help": "" if known else help,
    }


def _filter(node: NodeKey, condition: str, block: str = "") -> str:
    quoted = node.name.replace("\\", "\\\\").replace('"', '\\"')
    return " AND ".join(filter(None, (f'service("{quoted}"){block}', condition)))


def _sum(steps: Sequence[MetricStep], metric: str) -> float | None:
    found = [each.sum for each in steps if each.metric == metric]
    return sum(found) if found else None


def _steps(read: _Read, namespace: str, step: int, now: int) -> Steps:
    """Errors and invocations by the start of the step, of those that ended long enough ago."""
    found: dict[str, dict[int, float]] = {"Errors": {}, "Invocations": {}}
    for each in read.steps:
        name = each.metric.removeprefix(f"{namespace}/")
        if name in found and each.minute * MINUTE + step <= now - STREAM_DELAY:
            found[name][each.minute] = each.sum
    errors, invocations = found["Errors"], found["Invocations"]
    return {at: Counted(errors.get(at, 0.0), number) for at, number in invocations.items()}


def _problems(read: _Read, step: int, now: int) -> list[ErrorProblem]:
    found: list[ErrorProblem] = []
    stream, records = _steps(read, "AWS/Lambda", step, now), _steps(read, "Lambda", step, now)
    if contradict(stream, records):
        both = stream.keys() & records.keys()
        ours, theirs = (total(each[at] for at in both) for each in (records, stream))
        text = (
            f"CloudWatch counts {_words(theirs)}, the platform's records and the log lines {_words(ours)}. "
            + ("" if read.telling else ERRORS_HELP)
        )
        found.append({"text": text.strip(), "traces": []})
    spans = Counted(sum(said.failed for said in read.spans), len(read.spans))
    if stream and not records and read.whole and chance(spans, total(stream.values())) < LEAST:
        text = f"CloudWatch counts {_words(total(stream.values()))}, the spans {_words(spans)}: sampling does not explain it."
        found.append({"text": text, "traces": []})
    joined = [said for said in read.spans if said.logged is not None]
    unlogged = [said for said in joined if said.failed and not said.logged and read.telling]
    passed = [said for said in joined if said.logged and not said.failed]
    if unlogged or passed:
        said = [
            f"{len(unlogged):,} failed by their spans alone" if unlogged else "",
            f"{len(passed):,} by a log line alone" if passed else "",
        ]
        text = f"Of {len(joined):,} invocations with a record and spans {', '.join(filter(None, said))}."
        found.append({"text": text, "traces": _examples(unlogged + passed)})
    return found


def _words(counted: Counted) -> str:
    return f"{counted.errors:,.0f} errors in {counted.invocations:,.0f} invocations"


def _examples(said: Sequence[Said]) -> list[str]:
    return [format_trace_id(each.trace_id) for each in said[:EXAMPLES]]

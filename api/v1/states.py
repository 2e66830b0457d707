"""The states of a state machine, as its executions went through them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.console.params import FilterExpression
from api.console.timeline import states_of, timeline
from api.context import Context, json_response, run_cancellable
from api.counted import freshness
from api.graph.build import build_graph
from api.graph.find import require_node
from api.graph.state_flow import StateCounts, state_flow
from api.schemas.traces import TraceRow
from api.schemas.v1 import FlowState, StateList
from api.v1.graph import span
from api.v1.params import Window
from api.v1.part import v1_part
from store.filters.ast import And, Expression, ServiceMatch
from store.model import TimeRange, Trace
from store.query import TraceQuery
from store.trace_documents import processed_documents

MOST_TRACES = 200


def states_router(context: Context) -> APIRouter:
    """/api/v1/nodes/<id>/states."""
    router = v1_part()

    @router.get(
        "/nodes/{id}/states", response_class=Response, responses={200: {"model": StateList}}
    )
    async def list_states(
        request: Request, id: str, window: Window, expression: FilterExpression
    ) -> Response:
        """The states of a state machine in the newest 200 traces of a window, and how often one followed another;
        of any other node what is directly below its segments."""
        return await run_cancellable(
            request, lambda: json_response(state_list(context, id, window, expression))
        )

    return router


def state_list(
    context: Context, id: str, window: TimeRange, expression: Expression | None = None
) -> StateList:
    """The states of a node; ApiError (404) when it had no traffic."""
    counted = context.counted_window(window)
    node = require_node(build_graph(counted.graph, counted.window), id)
    touched: Expression = ServiceMatch(node)
    filter = And((touched, expression)) if expression else touched
    page = context.store.find_traces(TraceQuery(window, filter=filter), limit=MOST_TRACES)
    traces = context.store.get_traces([hit.trace_id for hit in page.found], raw=True).values()
    flow = state_flow(map(_rows, traces), node.name, node.type)
    return {
        **span(window),
        **freshness(window, None if expression else counted.backlog),
        "node": id,
        "traces": len(traces),
        "complete": page.cursor is None,
        "executions": flow.executions,
        "states": [_state(state) for state in flow.states],
        "transitions": [
            {"source": source or None, "target": target or None, "count": count}
            for (source, target), count in flow.transitions.most_common()
        ],
    }


def _rows(trace: Trace) -> list[TraceRow]:
    return timeline(processed_documents(trace), 0, states_of(trace))


def _state(state: StateCounts) -> FlowState:
    statuses = state.statuses
    ended = state.count - statuses["in_progress"]
    return {
        "name": state.name,
        "requests": ended,
        "ok": statuses["ok"],
        "error": statuses["error"],
        "throttle": statuses["throttle"],
        "fault": statuses["fault"],
        "in_progress": statuses["in_progress"],
        "average_ms": round(state.total_ms / ended, 3) if ended else None,
    }

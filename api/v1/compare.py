"""Two periods of the map, or two sides of one: which nodes and edges differ significantly, and by how much."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.comparison.causes import trend_of
from api.comparison.read import Compared, Side, compare
from api.comparison.significance import Difference
from api.comparison.week import LEAST_DAYS
from api.comparison.words import Change, Names, summary
from api.console.boxes import Level, level_of
from api.console.counted_graph import recent_window
from api.console.map import BOXES, INSIDE, path_of
from api.console.node_kinds import kind_of
from api.console.params import FilterExpression
from api.context import Context
from api.counted import freshness, incomplete_words
from api.errors import ApiError
from api.graph.build import Graph, calls_of, edge_id, node_id, shown_name, stats_of
from api.schemas.boxes import BoxesBy
from api.schemas.compare import (
    ComparedEdge,
    ComparedFigures,
    ComparedNode,
    ComparedPeriod,
    Comparison,
    SignificantChange,
)
from api.v1.compared_boxes import ComparedBoxes, boxes_at
from api.v1.compared_figures import render_change, render_figures, value_of
from api.v1.compared_periods import earlier, event_of, later
from api.v1.compared_sides import GivenSides, Sides, compare_sides
from api.v1.deployments import mark
from api.v1.graph import span
from api.v1.params import Window
from api.v1.part import v1_part
from store.filters.ast import Expression
from store.graph import Statistics
from store.model import NodeKey, TimeRange

MOST_NODES = 2_000
DAYS_KNOWN = ("No other day is", "One other day is", "Two other days are")
BEFORE = "before"
PART = 0.8
"""Of the minutes of a period, if fewer have requests it is said."""
THEN = Query(
    max_length=200,
    description="the earlier period, of the same length: `before` (by default), `yesterday`, `week` (a week before), `deployment` (the one before the last "
    "deployment, whose window then begins at it), `deployment:<id>`, `problem` (the one before the worst problem that lasts, or the last "
    "one, whose window then is that of the problem), `problem:<id>`, or when it begins: RFC 3339, epoch seconds, `-90m`",
)


def compare_router(context: Context) -> APIRouter:
    """/api/v1/compare."""
    router = v1_part()

    @router.get("/compare", response_class=Response, responses={200: {"model": Comparison}})
    async def get_comparison(
        request: Request,
        window: Window,
        expression: FilterExpression,
        sides: GivenSides,
        then: Annotated[str, THEN] = "",
        boxes: Annotated[BoxesBy, BOXES] = "none",
        inside: Annotated[str, INSIDE] = "",
    ) -> Response:
        """Two periods of the map, or two sides of one (`by`): their figures, and the differences that are significant. Of 3 minutes to
        24 hours."""
        if sides and then:
            raise ApiError("then names an earlier period; expected none beside by, or no by")
        path = path_of(inside)

        def work() -> Comparison:
            level = None
            if boxes != "none" or path:
                level = level_of(context, recent_window(context, window, expression), boxes, path)
            if sides:
                return comparison_of_sides(context, window, sides, expression, level)
            return comparison(context, window, then or BEFORE, expression, level)

        key = "compare", window, then, sides, expression, boxes, path
        return await context.share_graph(request, key, work)

    return router


def comparison(
    context: Context,
    window: TimeRange,
    then: str,
    expression: Expression | None = None,
    level: Level | None = None,
) -> Comparison:
    """The comparison of a window, and of the boxes of a level; ApiError for periods that cannot be compared."""
    event = event_of(context, window, then)
    now = later(context, window, event)
    before = earlier(context, now, then, event)
    boxes = boxes_at(context, level)
    compared = compare(context, now, before, expression, boxes.values if boxes else None)
    notes = [*_notes(compared), *_notes_of_days(compared, filtered=expression is not None)]
    found = _comparison(compared, None, notes, boxes)
    if event:
        found["deployment"] = mark(event.deployment) if event.deployment else None
        found["problem"] = event.problem
    return found


def comparison_of_sides(
    context: Context,
    window: TimeRange,
    sides: Sides,
    expression: Expression | None = None,
    level: Level | None = None,
) -> Comparison:
    """The comparison of two sides of a window, and of the boxes of a level; ApiError for sides that it does not have."""
    boxes = boxes_at(context, level)
    grouped = boxes.values if boxes else None
    found = compare_sides(context, later(context, window, None), sides, expression, grouped)
    names = Names(found.side, found.other)
    answer = _comparison(found.compared, names, _notes(found.compared, names), boxes)
    answer["by"], answer["values"] = sides.by.value, found.values
    return answer


def _comparison(
    compared: Compared, names: Names | None, notes: list[str], boxes: ComparedBoxes | None
) -> Comparison:
    nodes, left_out = _nodes(compared)
    changes = _changes(compared, names)
    box_figures, lines = boxes.render(compared, names) if boxes else ([], [])
    return {
        "by": None,
        "values": [],
        "now": _period(compared.now, names and names.now),
        "then": _period(compared.then, names and names.then),
        "deployment": None,
        "problem": None,
        "days": compared.days,
        "summary": summary(
            ((each.place, _change(compared, each)) for each in compared.found), names
        )
        if compared.now.counted and compared.then.counted
        else "Nothing to compare",
        "notes": notes,
        "changes": changes,
        "boxes": boxes.level.boxes_of(each["id"] for each in changes) if boxes else {},
        "box_figures": box_figures,
        "lines": lines,
        "nodes": nodes,
        "edges": _edges(compared, {node["id"] for node in nodes}),
        "left_out": left_out,
    }


def _period(side: Side, name: str | None) -> ComparedPeriod:
    return {
        "side": name,
        **span(side.window),
        **freshness(side.window, side.backlog),
        "minutes": round(side.window.minutes),
        "counted": side.counted,
    }


def _notes(compared: Compared, sides: Names | None = None) -> list[str]:
    notes = []
    names = sides or ("The window", "The earlier period")
    for side, name in zip((compared.now, compared.then), names, strict=True):
        minutes = round(side.window.minutes)
        if not side.counted:
            older = ", or what was is no longer retained" if side is compared.then else ""
            why = "" if sides else f": nothing was received{older}"
            notes.append(f"{name} has no requests{why}.")
        elif side.counted < PART * minutes:
            notes.append(f"{name} has requests in {side.counted} of {minutes} minutes.")
        if side.backlog:
            notes.append(f"{name} is {incomplete_words(side.backlog)}.")
    return notes


def _notes_of_days(compared: Compared, *, filtered: bool) -> list[str]:
    if filtered:
        return ["With a filter no other day is read: only large differences are significant."]
    if compared.days < LEAST_DAYS and compared.then.counted:
        known = DAYS_KNOWN[compared.days]
        return [f"{known} known at this time: only large differences are significant."]
    return []


def _changes(compared: Compared, sides: Names | None) -> list[SignificantChange]:
    found = [_significant(compared, each, sides) for each in compared.found]
    return sorted(found, key=lambda each: (each["follows"] is not None, each["p"], each["name"]))


def _significant(compared: Compared, each: Difference, sides: Names | None) -> SignificantChange:
    change = _change(compared, each)
    origin = compared.follows.get((each.place, change.trend))
    return render_change(
        each,
        change,
        sides,
        id=_id(compared, each.place),
        name=_name(compared, each.place),
        follows=None if origin is None else _id(compared, origin),
    )


def _change(compared: Compared, each: Difference) -> Change:
    """With the figures of the map: those that were tested are of what was observed, and times are tested as shares."""
    nodes = compared.elements.nodes
    sides = (compared.then, compared.now)
    source = None
    if each.per_caller:
        source, _ = compared.elements.pair(each.place)
    then, now = (
        value_of(each, _statistics(side.graph, compared, each.place), side, source and [source])
        for side in sides
    )
    trend = trend_of(each)
    return Change(
        each.measure,
        trend,
        each.place >= len(nodes),
        then,
        now,
        each.per_caller,
        (each.place, trend) in compared.follows,
    )


def _statistics(graph: Graph, compared: Compared, index: int) -> Statistics | None:
    nodes = compared.elements.nodes
    if index < len(nodes):
        return stats_of(graph, nodes[index]).statistics if nodes[index] in graph else None
    ends = compared.elements.pair(index)
    return calls_of(graph, *ends).statistics if ends in graph.edges else None


def _id(compared: Compared, index: int) -> str:
    nodes = compared.elements.nodes
    if index < len(nodes):
        return node_id(nodes[index])
    return edge_id(*compared.elements.pair(index))


def _name(compared: Compared, index: int) -> str:
    nodes = compared.elements.nodes
    ends = (nodes[index],) if index < len(nodes) else compared.elements.pair(index)
    return " → ".join(_shown(compared, node) for node in ends)


def _shown(compared: Compared, node: NodeKey) -> str:
    graph = compared.now.graph if node in compared.now.graph else compared.then.graph
    return shown_name(graph, node)


def _nodes(compared: Compared) -> tuple[list[ComparedNode], int]:
    """Those with a difference, then those with most requests; by the order of the graph."""
    nodes = compared.elements.nodes
    marked = {each.place for each in compared.found}

    def weight(index: int) -> tuple[bool, int]:
        figures = _statistics(compared.now.graph, compared, index)
        return index in marked, figures.total if figures else 0

    chosen = sorted(sorted(range(len(nodes)), key=weight, reverse=True)[:MOST_NODES])
    found: list[ComparedNode] = [
        {
            "id": node_id(nodes[index]),
            "then_id": _then_id(compared, nodes[index]),
            "name": _shown(compared, nodes[index]),
            "type": nodes[index].type,
            "kind": kind_of(nodes[index].type),
            "now": _figures(compared.now, compared, index),
            "then": _figures(compared.then, compared, index),
        }
        for index in chosen
    ]
    return found, len(nodes) - len(chosen)


def _edges(compared: Compared, shown: set[str]) -> list[ComparedEdge]:
    edges = enumerate(compared.elements.edges, len(compared.elements.nodes))
    return [
        {
            "id": edge_id(source, target),
            "then_id": _then_id(compared, source, target),
            "source": node_id(source),
            "target": node_id(target),
            "source_name": _shown(compared, source),
            "target_name": _shown(compared, target),
            "now": _figures(compared.now, compared, index),
            "then": _figures(compared.then, compared, index),
        }
        for index, (source, target) in edges
        if node_id(source) in shown and node_id(target) in shown
    ]


def _then_id(compared: Compared, *ends: NodeKey) -> str | None:
    """Of a node, or of an edge by its ends."""
    then = compared.then
    if not (ends in then.graph.edges if len(ends) == 2 else ends[0] in then.graph):
        return None
    return ":".join(node_id(then.own.get(end, end)) for end in ends)


def _figures(side: Side, compared: Compared, index: int) -> ComparedFigures | None:
    statistics = _statistics(side.graph, compared, index)
    if statistics is None:
        return None
    nodes = compared.elements.nodes
    client = index < len(nodes) and nodes[index].is_client
    return render_figures(statistics, side.window, client=client)

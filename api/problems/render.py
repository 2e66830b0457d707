"""Problems as /api/v1/problems shows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from api.graph.build import node_id
from api.problems.record import BEFORE, Record, Requests
from api.problems.symptom import Symptom
from api.schemas.problems import (
    ProblemDetails,
    ProblemLine,
    ProblemMeasure,
    ProblemRequests,
    ProblemSymptom,
)
from api.schemas.v1 import NamedNode
from store.minutes import Series, SeriesKind
from store.model import NodeKey
from store.problems import Mute
from store.times import MINUTE, SECOND

EDGES = (SeriesKind.CALLS, SeriesKind.LINKS)


def line_of(record: Record, mutes: Mapping[str, Mute]) -> ProblemLine:
    """A problem; ``mutes`` that are in force, by the id of the node."""
    problem, main, evidence = record.problem, record.problem.main, record.evidence
    origin = named(problem.origin)
    mute = mutes.get(origin["id"])
    return {
        "id": str(record.id),
        "state": "active" if record.active else "closed",
        "text": record.text,
        "since": record.since / SECOND,
        "ended": record.ended / SECOND or None,
        "updated": record.updated / SECOND,
        "origin": origin,
        "source": _source(main.series) if problem.edge else None,
        "origin_from": "traces" if evidence.confirms else "counts",
        "failures_begin_at": named(evidence.elsewhere) if evidence.elsewhere else None,
        "measure": _measure(main),
        "usual": main.usual,
        "now": main.now,
        "entries": list(map(named, record.entries)),
        "callers": list(map(named, record.callers)),
        "clients": _requests(record.clients),
        "requests": _requests(record.root),
        "exception": {
            "name": evidence.exception,
            "traces": evidence.with_exception,
            "read": evidence.traces,
            "new": evidence.is_new,
        }
        if evidence.exception
        else None,
        "changes": [
            {
                "kind": "edge" if each.kind == "edge" else "deployment",
                "at": each.at / SECOND,
                "what": each.what,
            }
            for each in record.changes
        ],
        "series": {
            "start": record.points.start / SECOND,
            "step": record.points.step * 60,
            "values": list(record.points.values),
        }
        if record.points
        else None,
        "traces": _traces(record, main),
        "muted_until": mute.until / SECOND if mute else None,
    }


def details_of(record: Record, mutes: Mapping[str, Mute], examples: list[str]) -> ProblemDetails:
    """A problem with its symptoms and events."""
    return {
        **line_of(record, mutes),
        "symptoms": [_symptom(record, each) for each in record.problem.symptoms],
        "events": [
            {"kind": each.kind.value, "at": each.at / SECOND, "text": each.text}
            for each in reversed(record.events)
        ],
        "examples": examples,
    }


def named(node: NodeKey) -> NamedNode:
    """A node with its id."""
    return {"id": node_id(node), "name": node.name, "type": node.type, "account": node.account}


def _symptom(record: Record, each: Symptom) -> ProblemSymptom:
    return {
        "node": named(each.series.node),
        "source": _source(each.series),
        "measure": _measure(each),
        "since": each.since * MINUTE / SECOND,
        "usual": each.usual,
        "now": each.now,
        "requests": each.requests,
        "traces": _traces(record, each),
    }


def _source(series: Series) -> NamedNode | None:
    return named(series.source) if series.kind in EDGES else None


def _measure(each: Symptom) -> ProblemMeasure:
    return each.measure.value


def _requests(each: Requests) -> ProblemRequests:
    return {"ok": each.ok, "fault": each.fault, "total": each.total}


def _traces(record: Record, each: Symptom) -> str:
    """Of calls that are missing, the time before is shown, too."""
    start = (each.since - (BEFORE if each.measure.is_calls else 0)) * MINUTE
    end = record.ended or record.updated
    node, source = node_id(each.series.node), each.series.source
    on_edge = each.series.kind in EDGES
    query = {"edge": f"{node_id(source)}:{node}"} if on_edge else {"node": node}
    if each.measure.is_failing:
        query["status"] = each.measure.value
    window = {"from": f"{start // SECOND}", "to": f"{max(end, start + MINUTE) // SECOND}"}
    return f"/api/v1/traces?{urlencode({**window, **query})}"

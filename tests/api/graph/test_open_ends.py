"""Where the map itself knows that an edge is missing."""

from __future__ import annotations

from api.graph.build import build_graph
from api.graph.open_ends import open_ends
from store.model import Document, NodeKey, State
from store.service_graph import build_service_graph
from tests.builders import call, segment, trace_id, trace_of


def found(*documents: Document) -> list[tuple[str, int, int]]:
    ids = {each.trace_id for each in documents}
    traces = [trace_of(*(d for d in documents if d.trace_id == id)) for id in sorted(ids)]
    graph = build_graph(build_service_graph(traces))
    return [(node.name, calls, requests) for node, calls, requests in open_ends(graph)]


def _calling(number: int, name: str, **change: object) -> Document:
    to = call(16 * number + 2, node=NodeKey("", name, "remote"), host=name, **change)
    return segment(16 * number + 1, name="shop", trace_id=trace_id(number), calls=(to,))


def _request(number: int, parent: int = 0) -> Document:
    return segment(16 * number + 3, name="stock", trace_id=trace_id(100 + number), parent_id=parent)


def test_calls_of_a_service_that_reports_end_nowhere() -> None:
    assert found(*(_calling(n, "stock") for n in range(3)), _request(1)) == [("stock", 3, 0)]


def test_calls_of_others_end_where_they_lead() -> None:
    assert found(*(_calling(n, "api.example.com") for n in range(3)), _request(1)) == []


def test_calls_that_failed_were_answered_by_none() -> None:
    failed = (_calling(n, "stock", state=State.FAULT) for n in range(3))
    assert found(*failed, _request(1)) == []


def test_requests_name_a_parent_that_has_not_come() -> None:
    assert found(*(_request(n, parent=0x99) for n in range(3))) == [("stock", 0, 3)]


def test_a_function_that_a_client_invokes_awaits_its_event_and_no_parent() -> None:
    invoked = [
        segment(16 * n + 1, name="pay", type="AWS::Lambda", trace_id=trace_id(n)) for n in range(3)
    ]
    assert found(*invoked) == []


def test_a_lost_document_is_no_missing_edge() -> None:
    """Neither one, nor two of a hundred and more."""
    assert found(_request(0, parent=0x99), _request(1)) == []
    some = [_request(n, parent=0x99 if n < 2 else 0) for n in range(120)]
    assert found(*some) == []


def test_a_client_that_is_known_is_none() -> None:
    assert found(*(_request(n) for n in range(3))) == []

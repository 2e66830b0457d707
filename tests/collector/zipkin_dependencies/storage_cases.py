"""The cases of zipkin2.storage.ITDependencies: spans with addresses and times."""

from __future__ import annotations

from typing import Any

from tests.collector.zipkin_dependencies.notation import Case

_ADDRESSES: dict[str, dict[str, Any]] = {
    "frontend": {"ipv4": "127.0.0.1"},
    "backend": {"ipv4": "192.168.99.101", "port": 9000},
    "db": {"ipv6": "2001:db8::c001", "port": 3036},
}
_TRACE = """
    SERVER 1   frontend|        at=0   takes=350
    CLIENT 1>2 frontend|backend at=50  takes=200
    SERVER 1>2 backend|         at=100 takes=150 shared
    CLIENT 2>3 backend|db       at=150 takes=50  error note
    """
_LINKS = "frontend->backend 1, backend->db 1/1"


def _case(name: str, spans: str, zipkin: str, **more: str) -> Case:
    given: dict[str, Any] = more
    return Case(name, spans, zipkin, addresses=_ADDRESSES, **given)


CASES = (
    _case("getDependencies", _TRACE, _LINKS),
    _case(
        "getDependencies_linksMixedTraceId",
        """
        SERVER 1   frontend| at=0   takes=350
        SERVER 1>2 backend|  at=100 takes=250 shared half
        CLIENT 1>2 frontend| at=50  takes=300
        """,
        "frontend->backend 1",
        ours="",
        why="Ids of traces that differ are two traces: that halves of them are equal may be chance.",
    ),
    _case("replayOverwrites", _TRACE + _TRACE, _LINKS),
    Case(
        "getDependenciesAllInstrumented",
        """
        SERVER 10    frontend| at=0   takes=350
        CLIENT 10>20 frontend| at=50  takes=250
        SERVER 10>20 backend|  at=100 takes=150 shared
        CLIENT 20>30 backend|  at=150 takes=50
        SERVER 20>30 db|       at=160 takes=20 shared
        """,
        "frontend->backend 1, backend->db 1",
        addresses={
            "frontend": {"ipv4": "127.0.0.1", "port": 3001},
            "backend": {"ipv4": "127.0.0.2", "port": 3002},
            "db": {"ipv4": "127.0.0.3"},
        },
    ),
    _case(
        "dependencies_loopback",
        """
        SERVER 1   frontend|         at=0  takes=350
        CLIENT 1>2 frontend|frontend at=50 takes=200
        """,
        "frontend->frontend 1",
    ),
    _case(
        "dependencies_headlessTrace",
        """
        CLIENT 1>2 frontend|backend at=50  takes=200
        SERVER 1>2 backend|         at=100 takes=150 shared
        CLIENT 2>3 backend|db       at=150 takes=50  error
        """,
        _LINKS,
    ),
    _case(
        "notInstrumentedClientAndServer",
        """
        SERVER 20    frontend|kafka at=0   takes=350
        CLIENT 20>21 frontend|      at=50  takes=250
        SERVER 20>21 backend|       at=250 takes=50 shared
        CLIENT 21>22 backend|db     at=150 takes=50
        """,
        "kafka->frontend 1, frontend->backend 1, backend->db 1",
    ),
    _case(
        "instrumentedClientAndServer",
        """
        CLIENT 10    frontend|  at=50  takes=250
        SERVER 10    backend|   at=100 takes=150 shared
        CLIENT 10>11 backend|db at=150 takes=50
        """,
        "frontend->backend 1, backend->db 1",
    ),
    _case(
        "instrumentedProducerAndConsumer",
        """
        PRODUCER 10    frontend|kafka at=50  takes=1
        CONSUMER 10>11 backend|kafka  at=100 takes=1
        """,
        "frontend->kafka 1, kafka->backend 1",
    ),
    _case(
        "missingIntermediateSpan",
        """
        SERVER 20    frontend| at=0   takes=350
        CLIENT 21>22 backend|  at=150 takes=50
        """,
        "frontend->backend 1",
        ours="",
        why="What called it was lost: that it was the root of the trace is a guess.",
    ),
    _case(
        "spanKindIsNotRequiredWhenEndpointsArePresent",
        """
        - 20    kafka|frontend   at=0   takes=350
        - 20>21 frontend|backend at=50  takes=250
        - 21>22 backend|db       at=150 takes=50
        """,
        "kafka->frontend 1, frontend->backend 1, backend->db 1",
    ),
    Case(
        "unnamedEndpointsAreSkipped",
        """
        - 20    |frontend        at=0   takes=350
        - 20>21 frontend|backend at=50  takes=250
        - 21>22 backend|db       at=150 takes=50
        """,
        "frontend->backend 1, backend->db 1",
        ours="unknown_service->frontend 1, frontend->backend 1, backend->db 1",
        why="A sender without a name is what OpenTelemetry calls it, and its work is on the map.",
        addresses={**_ADDRESSES, "": {"ipv4": "172.17.0.4"}},
    ),
    _case(
        "intermediateSpans",
        """
        SERVER 20    frontend|  at=0   takes=350
        -      20>21 frontend|  at=25  takes=325
        CLIENT 21>22 frontend|  at=50  takes=250
        SERVER 21>22 backend|   at=100 takes=150 shared
        -      22>23 backend|   at=110 takes=130
        -      23>24 backend|   at=125 takes=105
        CLIENT 24>25 backend|db at=150 takes=50
        """,
        "frontend->backend 1, backend->db 1",
    ),
    _case(
        "duplicateAddress",
        """
        SERVER 20    frontend|        at=0  takes=350
        CLIENT 21>22 frontend|backend at=50 takes=250
        """,
        "frontend->backend 1",
    ),
    _case(
        "oneway",
        """
        CLIENT 10 frontend| at=50  oneway
        SERVER 10 backend|  at=100 oneway shared
        """,
        "frontend->backend 1",
    ),
    _case(
        "annotationNamedErrorIsntError",
        """
        CLIENT 10 frontend| at=50  oneway
        SERVER 10 backend|  at=100 oneway shared note
        """,
        "frontend->backend 1",
    ),
    _case(
        "oneway_noClient",
        """
        SERVER 10    backend|kafka at=0 oneway
        -      10>11 backend|      at=25 takes=325
        """,
        "kafka->backend 1",
    ),
)

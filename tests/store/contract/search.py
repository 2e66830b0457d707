"""Reading traces and finding them."""

from __future__ import annotations

from store.errors import InvalidCursor
from store.filters.ast import Compare, Expression, Field
from store.filters.conditions import all_of, calls_along, entered_with, touches
from store.filters.parse import parse
from store.model import (
    Document,
    Http,
    Kind,
    Link,
    State,
    TimeRange,
)
from store.protocol import Store
from store.query import VALUE_FIELDS, Axis, TraceQuery, ValueCount
from store.rules.annotations import annotation_item, parse_annotation_item
from store.summary import summarize
from store.times import DAY, MINUTE, SECOND
from tests.builders import T0, TRACE, call, http, segment, subsegment, trace_id
from tests.store.contract.nodes import BACKEND, CLIENT, FRONTEND, HOUR, failing_calls


class SearchContract:
    """Every store passes every test."""

    def test_get_traces_gives_everything_back(self, store: Store) -> None:
        document = segment(
            0xA1,
            parent_id=0x77,
            type="AWS::ECS::Container",
            state=State.THROTTLE,
            last_end=T0 + 140_000,
            http=Http("POST", "http://x/ä?q='1'", 429, "::1", "curl\\8"),
            user="Ola \u2603",
            resource_arn="arn:aws:x",
            instance_id="i-1",
            availability_zone="eu-1a",
            service_version="1.2ä",
            environment="prod",
            operation="GET /ä/{id}",
            exception="ValueError",
            annotations=(annotation_item("a=b%", "x\n"), annotation_item("n", 2.0)),
            members=(0x11, 0xFFFFFFFFFFFFFFFF),
            calls=(
                call(
                    0xC1, status=503, traced=True, exception="OSError", weight=8, operation="Put ☃"
                ),
            ),
            raw='{"name":"ä\\u0000 ☃"}'.encode() + bytes(range(256)),
            inferred=True,
            links=(Link(trace_id(7), 0xE, upstream=False, received=T0 + 5, weight=8),),
            weight=8,
        )
        store.put([document], "a")
        trace = store.get_traces([TRACE, trace_id(9)], raw=True)[TRACE]
        back = trace.documents[0xA1]
        carried = ("calls", "links")
        fields = [field for field in Document.__struct_fields__ if field not in carried]
        assert [f for f in fields if getattr(back, f) != getattr(document, f)] == []
        assert trace.calls[0xC1].call == document.calls[0]
        assert trace.calls[0xC1].node == document.node
        (joined,) = trace.links.values()
        assert (joined.link, joined.document_id) == (document.links[0], 0xA1)
        assert (trace.updated, trace.revision) == (document.version, 1)

    def test_times_of_any_century(self, store: Store) -> None:
        """Implausible dates are stored, and found where they claim to be."""
        for number, year in enumerate((1970, 2438, 9999), 1):
            start = (year - 1970) * 31_556_952 * SECOND
            store.put(
                [segment(1, trace_id=trace_id(number), start=start, end=start + 1)], f"y{year}"
            )
            window = TimeRange(start, start + MINUTE)
            assert store.service_graph(window).services[FRONTEND].statistics.total == 1

    def test_find_newest_first_and_page(self, store: Store) -> None:
        ids = [trace_id(n, epoch=T0 // SECOND + n) for n in range(7)]
        store.put(
            [
                segment(1, trace_id=id, start=T0 + n * SECOND, end=T0 + n * SECOND + 1)
                for n, id in enumerate(ids)
            ],
            "a",
        )
        seen, cursor = [], None
        while True:
            page = store.find_traces(TraceQuery(HOUR), limit=3, cursor=cursor)
            seen += [found.trace_id for found in page.found]
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == list(reversed(ids))

    def test_a_last_page_that_is_full_has_no_cursor(self, store: Store) -> None:
        store.put([segment(1, trace_id=trace_id(n)) for n in range(1, 4)], "a")
        page = store.find_traces(TraceQuery(HOUR), limit=3)
        assert (len(page.found), page.cursor) == (3, None)

    def test_axes(self, store: Store) -> None:
        """TraceId: the epoch in the id when plausible; Service: an end; Event: the last arrival."""
        arrived = T0 + 50 * MINUTE
        plausible = trace_id(1, epoch=T0 // SECOND - 3600)
        random = bytes.fromhex("f0f1f2f3") + trace_id(2)[4:]
        store.put(
            [
                segment(1, trace_id=plausible, version=arrived),
                segment(1, trace_id=random, version=arrived, end=T0 + 40 * MINUTE),
            ],
            "a",
        )

        def found(axis: Axis, start: int, end: int) -> set[bytes]:
            query = TraceQuery(TimeRange(start, end), axis)
            return {found.trace_id for found in store.find_traces(query, limit=9).found}

        assert found(Axis.TRACE_ID, T0, T0 + 1) == {random}
        assert found(Axis.TRACE_ID, T0 - 60 * MINUTE, T0 - 59 * MINUTE) == {plausible}
        assert found(Axis.SERVICE, T0, T0 + MINUTE) == {plausible}
        assert found(Axis.SERVICE, T0, T0 + 41 * MINUTE) == {plausible, random}
        assert found(Axis.EVENT, T0, T0 + 41 * MINUTE) == set()
        assert found(Axis.EVENT, arrived, arrived + 1) == {plausible, random}

    def test_pages_while_traces_arrive(self, store: Store) -> None:
        """Each trace that existed at the first request comes exactly once, whatever arrives between
        pages: newer traces, older ones, and further documents of those that are listed."""
        existing = [trace_id(n, epoch=T0 // SECOND + n) for n in range(9)]
        existing[4] = bytes.fromhex("f0e1d2c3") + existing[4][4:]
        starts = [T0 + n * SECOND for n in range(9)]
        store.put(
            [
                segment(1, trace_id=id, start=at, end=at + 5, user="ann")
                for id, at in zip(existing, starts, strict=True)
            ],
            "existing",
        )
        query = TraceQuery(HOUR, filter=parse("user = ann AND !fault"))
        found: list[bytes] = []
        cursor, pages = None, 0
        while pages == 0 or cursor is not None:
            page = store.find_traces(query, limit=2, cursor=cursor)
            found += [hit.trace_id for hit in page.found]
            cursor, pages = page.cursor, pages + 1
            newer = trace_id(50 + pages, epoch=T0 // SECOND + 60)
            older = trace_id(50 + pages, epoch=T0 // SECOND - 60)
            store.put(
                [
                    segment(
                        1, trace_id=newer, user="ann", start=T0 + 60 * SECOND, end=T0 + 61 * SECOND
                    ),
                    segment(1, trace_id=older, user="ann", start=T0 - 60 * SECOND, end=T0),
                    *(
                        subsegment(
                            7 + pages, 1, trace_id=id, start=at + 9 * SECOND, end=at + 9 * SECOND
                        )
                        for id, at in zip(existing, starts, strict=True)
                    ),
                ],
                f"arriving {pages}",
            )
            if pages > 20:
                break
        assert [id for id in found if id in existing] == existing[::-1]
        assert len(found) == len(set(found))

    def test_find_by_filter(self, store: Store) -> None:
        """Each expression finds exactly its traces; pages do not change that."""
        plain, calling, failed = (trace_id(n) for n in (1, 2, 3))
        tier = annotation_item("tier", 2)
        store.put(
            [
                segment(1, trace_id=plain, annotations=(tier,), user="ann"),
                segment(1, trace_id=calling, calls=(call(0xC1, state=State.THROTTLE),)),
                segment(1, trace_id=failed, state=State.FAULT, annotations=(tier,)),
            ],
            "a",
        )

        def found(text: str) -> set[bytes]:
            query = TraceQuery(HOUR, filter=parse(text))
            ids: list[bytes] = []
            cursor = None
            while True:
                page = store.find_traces(query, limit=1, cursor=cursor)
                ids += [hit.trace_id for hit in page.found]
                cursor = page.cursor
                if cursor is None:
                    assert len(ids) == len(set(ids))
                    return set(ids)

        everything = {plain, calling, failed}
        assert found('service("frontend")') == everything
        assert found("fault") == {failed}
        assert found("!fault") == {plain, calling}
        assert found("annotation.tier = 2") == {plain, failed}
        assert found("annotation.tier = 2 AND ok") == {plain}
        assert found('annotation.tier = "2"') == set()
        assert found("annotation.tier > 1 OR throttle") == everything
        assert found("service(id(type: remote)) { throttle }") == {calling}
        assert found('edge("frontend", "backend.example.com") { fault }') == set()
        assert found('user = "ann"') == {plain}
        assert found("rootcause.fault.service { name = frontend }") == set(), "raw has no fault"
        assert found("ok AND fault") == set()

    def test_find_by_node_edge_and_state(self, store: Store) -> None:
        plain, calling, failed = (trace_id(n) for n in (1, 2, 3))
        store.put(
            [
                segment(1, trace_id=plain),
                segment(1, trace_id=calling, calls=(call(0xC1),)),
                segment(1, trace_id=failed, state=State.FAULT),
            ],
            "a",
        )

        def found(*conditions: Expression) -> list[bytes]:
            query = TraceQuery(HOUR, filter=all_of(*conditions))
            return [found.trace_id for found in store.find_traces(query, limit=9).found]

        assert found(touches(BACKEND)) == [calling]
        assert found(touches(CLIENT)) == [failed, calling, plain]
        assert found(calls_along(FRONTEND, BACKEND)) == [calling]
        assert found(entered_with({State.FAULT, State.ERROR})) == [failed]
        assert found(touches(BACKEND), entered_with({State.FAULT})) == []

    def test_find_by_annotations(self, store: Store) -> None:
        """Each item is on some document of the trace, in its winning copy."""
        gold, order = annotation_item("tier", "gold"), annotation_item("order", 7)
        both, one, former = (trace_id(n) for n in (1, 2, 3))
        store.put(
            [
                segment(1, trace_id=both, annotations=(gold,)),
                subsegment(2, 1, trace_id=both, annotations=(order, annotation_item("é", "'"))),
                segment(1, trace_id=one, annotations=(gold, annotation_item("order", "7"))),
                segment(1, trace_id=former, annotations=(gold, order)),
            ],
            "a",
        )
        store.put([segment(1, trace_id=former, version=T0 + 900_000)], "b")

        def annotated(item: str) -> Expression:
            key, value = parse_annotation_item(item)
            return Compare(Field("annotation", key), "=", value)

        def found(*items: str, **more: Expression) -> list[bytes]:
            query = TraceQuery(HOUR, filter=all_of(*map(annotated, items), *more.values()))
            return [found.trace_id for found in store.find_traces(query, limit=9).found]

        assert found(gold) == [one, both]
        assert found(gold, order) == [both]
        assert found(annotation_item("é", "'")) == [both]
        assert found(annotation_item("tier", "silver")) == []
        assert found(gold, node=touches(BACKEND)) == []
        assert found(gold, state=entered_with({State.OK})) == [one, both]

    def test_a_foreign_cursor_is_refused(self, store: Store) -> None:
        for cursor in ("nonsense", "AAAA", "Ⅷ"):
            try:
                store.find_traces(TraceQuery(HOUR), limit=1, cursor=cursor)
            except InvalidCursor:
                continue
            raise AssertionError(cursor)

    def test_entry_times_are_those_of_the_summary(self, store: Store) -> None:
        """Of traces that are simple enough; others are absent."""
        store.put(failing_calls(), "a")
        store.put([segment(0xE1, trace_id=trace_id(7), state=State.IN_PROGRESS)], "b")
        store.put([segment(0xE2, trace_id=trace_id(8), parent_id=0xDEAD)], "c")
        ids = [trace_id(number) for number in (1, 2, 3, 7, 8, 9)]
        times = store.entry_times(ids)
        assert set(times) == {trace_id(1), trace_id(2), trace_id(3)}
        traces = store.get_traces(list(times))
        assert traces.keys() == times.keys()
        for id, trace in traces.items():
            summary = summarize(trace)
            assert times[id] == (summary.start, summary.response_time, summary.state)

    def test_values_are_counted_by_traces(self, store: Store) -> None:
        """Of annotations by key, and of other fields; only those that begin with a prefix."""
        for number, tier in enumerate(("gold", "gold", "silver"), 1):
            items = (f'tier="{tier}"', "a%3Db=5", "first=true")
            document = segment(
                number,
                trace_id=trace_id(number),
                annotations=items,
                http=http(500 + number),
                service_version=str(number),
                environment="prod",
                operation=f"GET /{tier}",
            )
            store.put([document], tier + str(number))
        store.put(
            [segment(9, trace_id=trace_id(9), start=T0 - HOUR.end, annotations=("old=1",))], "x"
        )
        assert store.annotation_keys(HOUR, limit=9) == [("a=b", 3), ("first", 3), ("tier", 3)]
        assert store.annotation_keys(HOUR, limit=1) == [("a=b", 3)]
        # What is typed is found, however many others are more frequent.
        assert store.annotation_keys(HOUR, limit=1, prefix="ti") == [("tier", 3)]
        assert store.annotation_keys(HOUR, limit=9, prefix="a=") == [("a=b", 3)]
        assert store.annotation_keys(HOUR, limit=9, prefix="b") == []

        def values(field: Field, prefix: str = "") -> list[ValueCount]:
            return store.field_values(field, HOUR, prefix=prefix, limit=9)

        assert values(Field("annotation", "tier")) == [("gold", 2), ("silver", 1)]
        assert values(Field("annotation", "tier"), "si") == [("silver", 1)]
        assert values(Field("annotation", "a=b"), "5") == [(5.0, 3)]
        assert values(Field("annotation", "first")) == [(True, 3)]
        assert values(Field("http.status"), "50") == [(501.0, 1), (502.0, 1), (503.0, 1)]
        assert values(Field("http.method")) == [("GET", 3)]
        assert values(Field("version")) == [("1", 1), ("2", 1), ("3", 1)]
        assert values(Field("environment"), "p") == [("prod", 3)]
        assert values(Field("operation"), "GET /g") == [("GET /gold", 2)]
        unset = [name for name in VALUE_FIELDS if "http" not in name][:4]
        assert [values(Field(keyword)) for keyword in unset] == [[]] * 4

    def test_services_and_what_they_do(self, store: Store) -> None:
        """Neither inferred ones nor subsegments that came alone; a segment without an operation by its name."""
        documents = [
            segment(1, operation="GET /", kind=Kind.SERVER),
            segment(2, operation="poll", name="stock", kind=Kind.CONSUMER),
            segment(3, operation="GET /{id}", name="stock", kind=Kind.SERVER),
            segment(4, trace_id=trace_id(2), name="stock", kind=Kind.SERVER),
            segment(5, operation="sum", name="stock", kind=Kind.INTERNAL, independent=2),
            segment(6, name="stock", kind=Kind.INTERNAL, independent=2),
            segment(7, operation="PutItem", name="items", independent=True, parent_id=1),
            segment(8, operation="GET /", name="guessed", inferred=True),
        ]
        store.put(documents, "a")
        store.put([segment(9, operation="GET /", kind=Kind.SERVER)], "b")
        assert store.services(0, limit=9) == ["frontend", "stock"]
        assert store.services(0, limit=1) == ["frontend"]
        found = store.operations("stock", 0, limit=9)
        assert [each[:2] for each in found] == [
            ("GET /{id}", Kind.SERVER),
            ("poll", Kind.CONSUMER),
            ("stock", Kind.SERVER),
            ("sum", Kind.INTERNAL),
        ]
        assert store.operations("stock", 0, limit=1) == found[:1]
        assert [each.name for each in store.operations("frontend", 0, limit=9)] == ["GET /"]
        assert store.operations("items", 0, limit=9) == []
        late = T0 + 3650 * DAY
        assert store.services(late, limit=9) == []
        assert store.operations("stock", late, limit=9) == []

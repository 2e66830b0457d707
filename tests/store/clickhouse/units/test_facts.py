"""Ordinary traffic is counted by SQL, the rest in Python: the map is the memory store's either way.

Random forests within a few seconds, most of them ordinary, some with what one look-up cannot resolve. Each condition
by which SQL leaves a trace to Python is needed: without it some forest is counted wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from store.clickhouse import queries
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import RunQuery, execute
from store.clickhouse.queries.registry import Template
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units import dependencies, facts, whole_traces
from store.clickhouse.units.aggregates import (
    ALL_UNITS,
    MINUTE_OF,
    Aggregate,
    Key,
    collect,
    graph_of,
)
from store.layers import TOLERANCE
from store.memory import MemoryStore
from store.model import (
    NO_NODE,
    Call,
    Document,
    Fetched,
    Http,
    Independent,
    Kind,
    Link,
    NodeKey,
    State,
    TimeRange,
)
from store.rules import other_names
from store.times import MINUTE, SECOND
from tests.builders import T0, TRACE, call, segment, subsegment, trace_id
from tests.conftest import empty
from tests.store.test_agreement import plain
from tests.tiers import cases

TRACES = 40
FORESTS = cases(4)
pytestmark = pytest.mark.timeout(
    300 + 20 * FORESTS
)  # three seconds each where other tests run beside it
WINDOW = TimeRange(T0, T0 + MINUTE)
CUT = TimeRange(T0 + 1_500_000, T0 + 4 * SECOND)
STATES = (State.OK, State.OK, State.OK, State.ERROR, State.THROTTLE, State.FAULT)
ODDITIES = (
    "again", "below a call", "call elsewhere", "circle", "claimed twice", "document elsewhere", "fetched", "in progress",
    "layers", "link", "orphan", "segment below a streamed one", "sidecar", "two answers", "turns into a segment",
)  # fmt: skip
"""What one look-up cannot resolve: half of the traces have one of these, here and there."""
OF_LAYERS = (
    "kind NOT IN (3, 4)",
    "outer IN (SELECT refers_to FROM scope_rows WHERE NOT is_call AND NOT independent)",
)
"""Conditions of units/nested_traces."""
HOSTS = (
    NodeKey("", "table", "remote"),
    NodeKey("", "table", "remote"),
    NodeKey("", "host.example.com", "remote"),
)
DATABASES = tuple(NodeKey("", name, "Database::SQL") for name in ("table", "pg", "sqlite"))
MODEL = NodeKey("", "model", "GenAI::Model")
_FREQUENT = {
    "(segments > 1 AND bitAnd(roles, 13) > 0)": "two answers",
    "bitAnd(roles, 1536) = 1536": "fetched",
    "scope_rows\nWHERE kind = 2 AND NOT independent": "sidecar",
    "(has_calls AND bitAnd(roles, 1) = 0)": "document elsewhere",
    "holders > 1": "claimed twice",
    "SELECT trace_id, bucket, 1, 1 FROM scope_links WHERE (trace_id, bucket)": "link",
    **dict.fromkeys(OF_LAYERS, "layers"),
}
"""By condition, which oddity is more frequent where it is looked for whether something needs the condition."""
_NEEDED_BY = {
    "(bitAnd(roles, 96) > 0 AND holders = 0)": 3,
    "(has_calls AND bitAnd(roles, 1) = 0)": 11,
    "(has_calls AND is_mixed)": 5,
    "bitAnd(roles, 68) = 68": 3,
    "SELECT trace_id, bucket, 1, 1 FROM scope_links WHERE (trace_id, bucket)": 15,
    OF_LAYERS[1]: 6,
}
"""The seed of a forest that needs a condition, where it is not 0: the search begins there."""


class Forest:
    """The documents of random traces, in the order of their versions. Half of the odd traces have the ``frequent``
    oddity, if one is."""

    def __init__(self, seed: int, frequent: str = "") -> None:
        self.random = Random(seed)
        oddities = (*ODDITIES, *[frequent or each for each in ODDITIES])
        self.documents: list[Document] = []
        self.ends: list[tuple[bytes, int]] = []
        self.ids = iter(range(1, 1 << 20))
        for number in range(TRACES):
            self.trace = trace_id(number + 1)
            self.oddity = self.random.choice((*oddities, *[""] * len(oddities)))
            self.embedded: list[int] = []
            self.account = ("", "1", "2")[number % 3]
            self.namespace = ("", "shop/", "", "billing/")[number % 4]
            if self.oddity in ("fetched", "link"):
                self.namespace = ""  # what share links are of one service
            self.shares_link = self.random.random() < 0.5
            self.segment(parent=0xDEAD if self.odd("orphan") else 0, depth=0)

    def odd(self, oddity: str) -> bool:
        return self.oddity == oddity and self.random.random() < 0.4

    def times(self, moved: str) -> dict[str, int]:
        """Mostly within the five seconds of one bucket."""
        start = T0 + self.random.randrange(5 * SECOND) + (7 * SECOND if self.odd(moved) else 0)
        return {"start": start, "end": start + self.random.randrange(2 * SECOND)}

    def outcome(self) -> dict[str, object]:
        state = self.random.choice(STATES)
        exception = self.random.choice(("", "Boom")) if state is State.FAULT else ""
        return {"state": state, "exception": exception, "weight": self.random.choice((1, 1, 1, 3))}

    def put(self, document: Document) -> None:
        copies = [document]
        if self.odd("again"):  # a later copy leaves a call out
            copies.append(replace(document, calls=document.calls[:-1]))
        if self.odd("turns into a segment"):  # it turns out to be a segment
            copies.append(replace(document, independent=False, calls=()))
        if self.odd("in progress"):  # it seemed to begin elsewhere
            start = document.start + 6 * SECOND
            started = {"state": State.IN_PROGRESS, "start": start, "end": start, "last_end": start}
            copies.insert(0, replace(document, calls=(), **started))
        self.documents += [
            replace(copy, version=T0 + len(self.documents) + number)
            for number, copy in enumerate(copies)
        ]

    def segment(self, parent: int, depth: int) -> int:
        """A segment with its calls, and what is below them; its id."""
        id = next(self.ids)
        service = self.random.choice(("web", "api", "db"))
        self.name = name = self.namespace + service
        forms = (
            self.call, self.call, self.streamed, self.local, self.member, self.pair, self.span, self.span, self.layers,
        )  # fmt: skip
        many = self.random.choice((0, 1, 1, 2)) if depth < 4 else 0
        below = [
            (self.layers if self.odd("layers") else self.random.choice(forms))(id, depth)
            for _ in range(many)
        ]
        end = self.random.choice([*self.ends, (trace_id(TRACES + 1), 1)])
        link = Link(*end, self.random.random() < 0.5, T0 + self.random.choice((0, 9 * SECOND)))
        self.ends.append((self.trace, id))
        times = self.times("document elsewhere")
        links = [link] if self.odd("link") else []
        node = NodeKey(self.account, name, self.random.choice(("", "AWS::Lambda")))
        kind = self.random.choice((Kind.NONE, Kind.SERVER, Kind.CONSUMER))
        if self.oddity == "fetched":
            node, kind = NodeKey("", "api", ""), Kind.CONSUMER
            if self.shares_link and self.random.random() < 0.5:
                links.append(Link(*self.ends[0]))
        document = segment(
            id,
            trace_id=self.trace,
            node=node,
            service=service if self.namespace else "frontend",
            kind=kind,
            fetched=Fetched.MESSAGES
            if self.odd("fetched")
            else self.random.choice((*[Fetched.NO] * 6, *Fetched)),
            before=self.random.choice((NO_NODE, NodeKey("", "queue", "Messaging::Kafka"))),
            parent_id=parent,
            calls=tuple(each for each in below if isinstance(each, Call)),
            members=tuple(each for each in below if isinstance(each, int)),
            links=tuple(links),
            last_end=times["end"] + self.random.choice((0, 0, 500_000)),
            **self.outcome(),
            **times,
        )
        self.put(self.inside(document) if self.odd("sidecar") else document)
        return id

    def inside(self, document: Document) -> Document:
        """The document below another of its service, mostly its sidecar's, which may deliver a message."""
        id, apart = next(self.ids), self.random.choice((0, 1_000, 1_001, 6 * SECOND))
        start, end = document.start - apart, document.end + self.random.choice((0, 0, -1_001))
        kind = Kind.CONSUMER if id % 3 == 0 else Kind.SERVER
        around = {"calls": (), "members": (), "links": (), "kind": kind}
        times = {"start": max(T0, start), "end": max(T0, end), "last_end": max(T0, end)}
        self.put(replace(document, id=id, **around, **times))
        return replace(document, parent_id=id, kind=Kind.SERVER)

    def made(self, depth: int, id: int | None = None) -> Call:
        """A call, mostly with an answer; some have two."""
        id = id or next(self.ids)
        name = self.random.choice(("table", "queue"))
        if self.random.random() < 0.6:
            for _ in range(2 if self.odd("two answers") else 1):
                self.segment(id, depth + 1)
        host = self.random.choice(("", name, "host.example.com"))
        type = self.random.choice(("remote", "Messaging::Kafka"))
        if type == "remote" and id % 3 == 0:
            type = "AWS::DynamoDB::Table"  # in its caller's account
        node = NodeKey("", name, type)
        return call(
            id, node=node, service=name, host=host, **self.outcome(), **self.times("call elsewhere")
        )

    def call(self, parent: int, depth: int) -> Call:
        """A call that its segment carries; to some a streamed subsegment refers."""
        made = self.made(depth)
        self.embedded.append(made.id)
        self.ends.append((self.trace, made.id))
        if self.odd("below a call"):
            self.streamed(made.id, depth)
        return made

    def streamed(self, parent: int, depth: int) -> None:
        """A subsegment that was sent by itself, and is a call, which begins when it does; another may be inside."""
        id = next(self.ids)
        times = self.times("document elsewhere")
        calls = (replace(self.made(depth, id), **times),)
        self.put(subsegment(id, parent, trace_id=self.trace, calls=calls, **times))
        if self.random.random() < 0.2:
            self.streamed(id, depth)

    def local(self, parent: int, depth: int) -> None:
        """A streamed subsegment that is no call, with one inside; a few levels deep, or in a circle."""
        id = next(self.ids)
        inner = next(self.ids)
        above = id if self.odd("circle") else parent
        calls = (self.made(depth),)
        self.put(
            subsegment(
                id,
                above,
                trace_id=self.trace,
                members=(inner,),
                calls=calls,
                **self.times("document elsewhere"),
            )
        )
        if self.random.random() < 0.4:
            self.streamed(self.random.choice((id, inner)), depth)
        if self.random.random() < 0.2:
            self.local(self.random.choice((id, inner)), depth)
        if self.odd("segment below a streamed one"):
            self.segment(self.random.choice((id, inner)), depth + 1)

    def layers(self, parent: int, depth: int) -> None:
        """A call of a span of the service above, mostly with another within, directly or below local work; of an odd one
        several may be, or be within each other."""
        times = self.times("document elsewhere")
        places = self.random.choice(
            (HOSTS, HOSTS, (MODEL, *HOSTS), DATABASES, (*HOSTS, *DATABASES))
        )
        self.layer(parent, depth, places, times["start"], times["end"] - times["start"])

    def layer(
        self,
        above: int,
        depth: int,
        places: tuple[NodeKey, ...],
        start: int,
        time: int,
        level: int = 0,
    ) -> None:
        """One such call, the first of which leads to the first of some places."""
        id, choice, odd = next(self.ids), self.random.choice, self.oddity == "layers"
        node, status = choice(places) if level else places[0], choice((0, 0, 429))
        whole = {"start": start, "end": start + time, **self.outcome()}
        made = call(id, node=node, service=node.name, host=node.name, status=status, **whole)
        kind = choice((*[Kind.CLIENT] * 6, Kind.PRODUCER, Kind.NONE, Kind.INTERNAL))
        http = Http(choice(("", "GET")), "", status)
        about: dict[str, Any] = {"trace_id": self.trace, "node": NodeKey("", self.name, "")}
        about["independent"] = choice((Independent.OF_SENDER, Independent.OF_PROCESS))
        self.put(subsegment(id, above, kind=kind, calls=(made,), http=http, **about, **whole))
        self.ends.append((self.trace, id))
        for _ in range(choice((0, 1, 2, 2)) if odd and level < 3 else level == 0):
            begin = max(T0, start + choice((0, 0, 0, -1_000, -1_001, 6 * SECOND if odd else 0)))
            rest = max(0, start + time - begin + choice((0, 0, 1_000, 1_001)))
            inside = id
            for _ in range(choice((0, 0, 0, 1, 2)) if odd else 0):
                local, inside = inside, next(self.ids)
                about["kind"] = choice((Kind.INTERNAL, Kind.CLIENT))
                self.put(subsegment(inside, local, start=begin, end=begin + 1, **about))
            self.layer(inside, depth, places, begin, rest, level + 1)
        if self.random.random() < (0.4 if level else 0.1):
            name = self.name
            self.segment(id, depth + 2)
            self.name = name

    def span(self, parent: int, depth: int) -> None:
        """Work inside a service that names it, perhaps a call, mostly of the service above; something may be below."""
        id = next(self.ids)
        name = self.random.choice((self.name, self.name, "api"))
        times = self.times("document elsewhere")
        calls = (replace(self.made(depth, id), **times),) if self.random.random() < 0.6 else ()
        above = 0xDEAD if self.odd("orphan") else parent
        owned = {"independent": Independent.OF_SENDER, "node": NodeKey("", name, "")}
        self.put(subsegment(id, above, trace_id=self.trace, calls=calls, **owned, **times))
        self.ends.append((self.trace, id))
        if self.random.random() < 0.5:
            self.name = name
            self.random.choice((self.span, self.span, self.streamed))(id, depth)
        if not calls and self.random.random() < 0.3:
            self.segment(id, depth + 1)

    def member(self, parent: int, depth: int) -> int:
        """An embedded subsegment that is no call; a segment may be below it. Some ids are claimed twice."""
        id = next(self.ids)
        if self.embedded and self.oddity == "claimed twice":
            id = self.random.choice(self.embedded)
        self.embedded.append(id)
        if self.random.random() < 0.5:
            self.segment(id, depth + 1)
        if self.random.random() < 0.3:
            self.streamed(id, depth)
        return id

    def pair(self, parent: int, depth: int) -> None:
        """A segment whose parent is a segment, as of a Lambda function."""
        self.segment(parent, depth + 1)


def counted(run: RunQuery, window: TimeRange) -> dict[Key, Aggregate]:
    """The aggregates of a window by statements over its rows."""
    scope = facts.prepare(run, dependencies.resolve_scope(run, [window]))
    piece = scope.fill(queries.COUNTED_PIECE, {"bucket": MINUTE_OF, "key": ALL_UNITS})
    found: dict[Key, Aggregate] = {}
    collect(run(queries.PIECES.render({"pieces": piece})), found)
    facts.release(run)
    dependencies.drop_scope(run)
    return found


class Compared:
    """Forests in both stores."""

    def __init__(self, store: ClickHouseStore) -> None:
        self._store = store
        self._client = connect(store.address)
        self.run: RunQuery = partial(execute, self._client)
        self._memory = MemoryStore()

    def plant(self, seed: int, frequent: str = "") -> None:
        """Another forest in place of the last."""
        empty(self._store.address)
        self._memory = MemoryStore()
        self.put(Forest(seed, frequent).documents, f"forest {seed}")

    def put(self, documents: list[Document], name: str) -> None:
        """More documents."""
        for store in (self._store, self._memory):
            store.put(documents, name)

    def count(self) -> None:
        """Count all buckets, by which references between them are recorded: a window that cuts one relies on these."""
        self._store.service_graph(TimeRange(T0 - MINUTE, T0 + 2 * MINUTE))

    def differ(self, window: TimeRange, *settled: int | None) -> list[object]:
        """Nodes, edges and links that are not alike in the map of a window, with clients settled before any of some
        times."""
        aggregates = counted(self.run, window)
        return [
            (key, ours.get(key), theirs.get(key))
            for before in settled
            for ours, theirs in zip(
                plain(graph_of(deepcopy(aggregates), before)),  # a graph is made of them
                plain(self._memory.service_graph(window, settled_before=before)),
                strict=True,
            )
            for key in ours.keys() | theirs.keys()
            if ours.get(key) != theirs.get(key)
        ]


@pytest.fixture
def compared(clickhouse_store: ClickHouseStore) -> Iterator[Compared]:
    compared = Compared(clickhouse_store)
    yield compared
    compared._client.disconnect()


@pytest.mark.slow
@pytest.mark.parametrize("most", [whole_traces.MOST_WHOLE, 0], ids=["whole", "in parts"])
def test_the_map_is_that_of_the_memory_store(
    compared: Compared, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Of whole minutes and of cut ones, before and after clients are settled; also if every trace is large. Names
    in excess are those of whole minutes, also if a window cuts the minute."""
    monkeypatch.setattr(whole_traces, "MOST_WHOLE", most)
    for seed in range(FORESTS):
        compared.plant(seed)
        compared.count()
        for window in (WINDOW, CUT):
            assert compared.differ(window, None, T0) == [], seed
            with monkeypatch.context() as patch:
                patch.setattr(other_names, "MOST_NAMES", 2)
                assert compared.differ(window, T0) == [], seed


def test_what_an_interrupted_count_left_does_no_harm(compared: Compared) -> None:
    """Its temporary tables are still on the connection."""
    compared.plant(0)
    for table in {"farther_owners", *facts._TABLES}:
        compared.run(f"CREATE TEMPORARY TABLE {table} (a UInt8) ENGINE = Memory")
    assert compared.differ(WINDOW, T0) == []


@pytest.mark.parametrize(
    "condition",
    [
        "bitAnd(roles, 128) > 0",
        "(bitAnd(roles, 96) > 0 AND holders = 0)",
        "(has_calls AND bitAnd(roles, 1) = 0)",
        "holders > 1",
        "(segments > 1 AND bitAnd(roles, 13) > 0)",
        "bitAnd(roles, 68) = 68",
        "(has_calls AND is_mixed)",
        "bitAnd(roles, 1536) = 1536",
        "SELECT trace_id, bucket, 0, 1 FROM scope_links WHERE upstream = 0",
        "SELECT trace_id, bucket, 1, 1 FROM scope_links WHERE (trace_id, bucket)",
        "scope_rows\nWHERE kind = 2 AND NOT independent",
        "own NOT IN (",
        *OF_LAYERS,
    ],
)
def test_each_condition_is_needed(
    compared: Compared, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    """Without it some forest is counted wrongly."""
    without = condition.replace(" WHERE ", " WHERE 0 AND ").replace("\nWHERE ", "\nWHERE 0 AND ")
    without = without.replace("own NOT", "0 AND own NOT")
    mutants = {
        name: Template(name, text.replace(condition, without if without != condition else "0"))
        for name in ("UNRESOLVED", "ODD_TRACES", "ENTERING_TRACES", "NESTED_TRACES")
        if condition in (text := getattr(queries, name).text)
    }
    assert mutants
    first = _NEEDED_BY.get(condition, 0)
    for seed in (first, *range(60)):
        compared.plant(seed, _FREQUENT.get(condition, ""))
        with monkeypatch.context() as patch:
            for name, mutant in mutants.items():
                patch.setattr(queries, name, mutant)
            if any(compared.differ(window, T0) for window in (WINDOW, CUT)):
                return
    pytest.fail(f"nothing needs {condition}")


HOST, OTHER_HOST = HOSTS[0], HOSTS[-1]
TABLES = tuple(NodeKey("", name, "AWS::DynamoDB::Table") for name in ("orders", "carts"))


def nested(
    id: int, above: int, *places: NodeKey, kind: Kind = Kind.CLIENT, **change: Any
) -> Document:
    """A span of shop within the one above, by its number, which calls some places: the first by its own id."""
    outcome = {"state": change.pop("state", State.OK), "start": T0 + id * 1000}
    outcome["end"] = end = change.pop("end", T0 + SECOND - id * 1000)
    calls = tuple(
        call(id + 0x100 * number, node=node, service=node.name, host=node.name, **outcome)
        for number, node in enumerate(places)
    )
    about: dict[str, Any] = {
        "kind": kind,
        "node": NodeKey("", "shop", ""),
        "start": T0 + id * 1000,
        "end": end,
        **change,
    }
    return subsegment(id, above, independent=Independent.OF_SENDER, calls=calls, **about)


def answer(call: int, **change: Any) -> Document:
    """A request of stock that a call made."""
    about = {"node": NodeKey("", "stock", ""), "kind": Kind.SERVER, "parent_id": call, **change}
    return segment(0xA0 + call, start=T0 + 50_000, **about)


LAYERS: dict[str, list[Document]] = {
    "is_way OR ": [nested(1, 0, HOST), nested(2, 1), nested(3, 2, HOST)],
    "outer IN (SELECT key FROM nested)": [
        nested(1, 0, HOST), nested(2, 1, HOST), nested(3, 2, HOST), answer(3),
    ],
    "outer IN (SELECT outer FROM nested GROUP BY outer HAVING count() > 1)": [
        nested(1, 0, HOST), nested(2, 1, HOST), nested(3, 1, HOST), answer(3),
    ],
    "outer NOT IN (SELECT key FROM scope_rows WHERE NOT is_call AND independent > 1 AND kind IN (3, 4))": [
        nested(1, 0, DATABASES[0], kind=Kind.INTERNAL), nested(2, 1, DATABASES[0]),
    ],
    "key IN (SELECT refers_to FROM scope_rows WHERE is_call AND key != refers_to)": [
        nested(1, 0, TABLES[1]), nested(2, 1, *TABLES),
    ],
    "key IN (SELECT key FROM scope_rows WHERE is_call AND name = '')": [
        nested(1, 0, HOST), nested(2, 1, NO_NODE), answer(2),
    ],
    "key IN (SELECT other FROM scope_links)": [
        nested(1, 0, TABLES[0]), nested(2, 1, HOST),
        answer(9, parent_id=0, trace_id=trace_id(2), links=(Link(TRACE, 2),)),
    ],
    "outer IN (SELECT other FROM scope_links)": [
        nested(1, 0, HOST), nested(2, 1, HOST), answer(2),
        answer(9, parent_id=0, trace_id=trace_id(2), links=(Link(TRACE, 1),)),
    ],
}  # fmt: skip
"""Conditions of units/nested_traces, and what each is needed for."""


@pytest.mark.parametrize("condition", LAYERS)
def test_each_condition_of_nested_calls_is_needed(
    compared: Compared, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    """Some calls within calls are counted rightly, and without it wrongly."""
    empty(compared._store.address)
    compared.put([segment(0xA1, node=NodeKey("", "web", "")), *LAYERS[condition]], condition)
    assert compared.differ(WINDOW, T0) == []
    text = queries.NESTED_TRACES.text
    assert text.count(condition) == 1
    without = text.replace(condition, "" if condition.endswith(" OR ") else "0")
    monkeypatch.setattr(queries, "NESTED_TRACES", Template("NESTED_TRACES", without))
    assert compared.differ(WINDOW, T0) != []


SHOP, PEER = NodeKey("", "shop", ""), NodeKey("", "orders", "remote")
AROUND = nested(1, 0, HOST)
PAIRS = {
    "one": (1, [AROUND, nested(2, 1, HOST, end=AROUND.end + TOLERANCE)]),
    "one that has not ended": (
        1,
        [nested(1, 0, HOST, state=State.IN_PROGRESS), nested(2, 1, HOST)],
    ),
    "one that outlasts the other": (
        2,
        [AROUND, nested(2, 1, HOST, end=AROUND.end + TOLERANCE + 1)],
    ),
    "one of a peer with a given name": (1, [nested(1, 0, PEER), nested(2, 1, HOST)]),
    "one of a service, and its host": (
        2,
        [nested(1, 0, PEER, http=Http("GET")), nested(2, 1, HOST)],
    ),
}
"""How many calls some of shop are, by what they are about."""


@pytest.mark.parametrize("name", PAIRS)
def test_a_call_within_a_call(compared: Compared, name: str) -> None:
    number, spans = PAIRS[name]
    empty(compared._store.address)
    compared.put([segment(0xA1, node=SHOP), *spans], name)
    assert compared.differ(WINDOW, T0) == []
    edges = graph_of(counted(compared.run, WINDOW)).edges.values()
    assert sum(each.statistics.observed for each in edges if each.source == SHOP) == number

"""Which segment owns what: `store.service_graph.ParentIndex`, in SQL, over many traces at once.

Built step by step in temporary tables of one connection. One statement with a recursive expression
says the same and was tried: it takes 0.3 s to plan, even over nothing.

* ``partial``: documents that calls or links name and that are not there.
* ``linked``: links of the scope; ``ends``: the nodes their other ends stand for.
* ``orphaned``: segments of the scope with a parent that is no call.
* ``holders``: which document is, or embeds, each ``wanted`` id; a segment before independent subsegments,
  then the smallest document id. What is a call lies in the document that its row names.
* ``owners``: the node of the segment that each document belongs to, reached parent by parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.units.dependencies import UnitScope, create, drop
from store.parents import MAX_PARENT_STEPS

_FOLDER = Path(__file__).parents[1] / "queries"
PARTIAL, ORPHANED, KIN, LINKED, ENDS, SUPERSEDED, SUPERSEDED_LINKS = (
    (_FOLDER / f"{name}.sql").read_text()
    for name in ("partial", "orphaned", "kin", "linked", "ends", "superseded", "superseded_links")
)

_TABLES = (
    "partial", "linked", "orphaned", "kin", "wanted", "holders", "owners", "ends", "climb", "climbed",
    "superseded_segments", "superseded_calls", "superseded_links",
)  # fmt: skip

_ANY = """
SELECT (SELECT count() FROM orphaned) + (SELECT count() FROM linked)
     + (SELECT count() FROM (SELECT 1 FROM calls WHERE :own AND independent = 1 LIMIT 1))
"""
# The ids whose holders are asked for.
_WANTED = """
SELECT trace_id, parent_id AS member FROM orphaned
UNION ALL
SELECT trace_id, parent_id AS member FROM kin WHERE independent = 1
UNION ALL
SELECT other_trace AS trace_id, other_id AS member FROM linked
"""
_HOLDERS = """
SELECT trace_id, member, tupleElement(held, 1) AS id, tupleElement(held, 2) AS parent_id,
       tupleElement(held, 3) AS independent, tupleElement(held, 4) AS account,
       tupleElement(held, 5) AS name, tupleElement(held, 6) AS type, tupleElement(held, 7) AS end
FROM (
    SELECT trace_id, member,
           argMin((k.id, k.parent_id, k.independent, k.account, k.name, k.type, k.end),
                                    (k.independent, k.id)) AS held
    FROM (
        SELECT * FROM (SELECT kin.*, arrayJoin(arrayPushFront(members, id)) AS member FROM kin)
        WHERE (trace_id, member) IN (SELECT trace_id, member FROM wanted)
        UNION ALL
        SELECT kin.*, c.id AS member
        FROM (
            SELECT trace_id, document_id, id FROM calls FINAL
            WHERE :near AND (trace_id, id) IN (SELECT trace_id, member FROM wanted)
        ) AS c
        INNER JOIN kin ON c.trace_id = kin.trace_id AND c.document_id = kin.id
    ) AS k
    GROUP BY trace_id, member
)
"""
# A document that came as a subsegment first and as a segment last is a segment, its own owner.
_OWNERS = """
SELECT trace_id, id AS document_id, account, name, type FROM kin WHERE independent = 0
"""
_CLIMB = "SELECT trace_id, id AS document_id, parent_id AS at FROM kin WHERE independent = 1"
_ARRIVED = """
INSERT INTO owners SELECT c.trace_id, c.document_id, h.account, h.name, h.type FROM climb AS c
INNER JOIN holders AS h ON c.trace_id = h.trace_id AND c.at = h.member
WHERE h.independent = 0
"""
_HIGHER = """
SELECT c.trace_id AS trace_id, c.document_id AS document_id, h.parent_id AS at FROM climb AS c
INNER JOIN holders AS h ON c.trace_id = h.trace_id AND c.at = h.member
WHERE h.independent = 1
"""
_NODE = "account LowCardinality(String), name LowCardinality(String), type LowCardinality(String)"
_NO_LINKS = {
    "linked": "trace_id FixedString(16), document_id UInt64, independent UInt8, "
    "other_trace FixedString(16), other_id UInt64, upstream UInt8, event_received Int64, "
    "start Int64, duration Int64, state UInt8, status UInt16, exception LowCardinality(String), "
    f"weight UInt32, {_NODE}"
}
_EMPTY = {
    "holders": f"trace_id FixedString(16), member UInt64, id UInt64, {_NODE}",
    "owners": f"trace_id FixedString(16), document_id UInt64, {_NODE}",
    "ends": f"trace_id FixedString(16), id UInt64, end Int64, {_NODE}",
}


def prepare(ask: RunQuery, scope: UnitScope) -> None:
    """Fill the tables that queries/units.sql needs for a scope, on this connection."""
    release(ask)
    for table in ("segments", "calls"):
        create(ask, f"superseded_{table}", scope.fill(SUPERSEDED, table=table))
    create(ask, "partial", scope.fill(PARTIAL))
    links = bool(ask(scope.fill("SELECT 1 FROM links WHERE :own LIMIT 1")))
    if links:
        create(ask, "superseded_links", scope.fill(SUPERSEDED_LINKS))
        create(ask, "linked", scope.fill(LINKED))
    else:  # mostly: not worth asking for whose documents are there
        _create_empty(ask, _NO_LINKS)
    create(ask, "orphaned", scope.fill(ORPHANED))
    ((needed,),) = ask(scope.fill(_ANY))
    if not needed:
        _create_empty(ask, _EMPTY)
        return
    create(ask, "kin", scope.fill(KIN))
    create(ask, "wanted", _WANTED)
    create(ask, "holders", scope.fill(_HOLDERS))
    create(ask, "owners", _OWNERS)
    create(ask, "climb", _CLIMB)
    for _ in range(MAX_PARENT_STEPS - 1):
        if not ask("SELECT 1 FROM climb LIMIT 1"):
            break
        ask(_ARRIVED)
        create(ask, "climbed", _HIGHER)
        ask("DROP TEMPORARY TABLE climb")
        create(ask, "climb", "SELECT * FROM climbed")
        ask("DROP TEMPORARY TABLE climbed")
    if links:
        create(ask, "ends", scope.fill(ENDS))
    else:
        _create_empty(ask, {"ends": _EMPTY["ends"]})


def _create_empty(ask: RunQuery, tables: Mapping[str, str]) -> None:
    """Tables without rows, by name, from their columns."""
    for table, columns in tables.items():
        ask(f"CREATE TEMPORARY TABLE {table} ({columns}) ENGINE = Memory")


def release(ask: RunQuery) -> None:
    """Give the memory back."""
    drop(ask, _TABLES)

"""Which segment owns what: `store.edges.Family`, in SQL, over many traces at once.

Built step by step in temporary tables of one connection. One statement with a recursive expression
says the same and was tried: it takes 0.3 s to plan, even over nothing.

* ``orphaned``: segments of the window whose parent is no call.
* ``holders``: which document is, or embeds, each id; a segment before independent subsegments,
  then the smallest document id.
* ``owners``: the node of the segment that each document belongs to, reached parent by parent.
* ``partial``: documents that calls or links name and that are not there.
* ``linked``: links of the window; ``ends``: the nodes their other ends stand for.
"""

from __future__ import annotations

from pathlib import Path

from store.clickhouse.partners import Ask, Scope
from store.edges import MAX_CLIMB

_FOLDER = Path(__file__).parent / "queries"
PARTIAL, ORPHANED, KIN, LINKED, ENDS = (
    (_FOLDER / f"{name}.sql").read_text()
    for name in ("partial", "orphaned", "kin", "linked", "ends")
)

_TABLES = ("partial", "linked", "orphaned", "kin", "holders", "owners", "ends", "climb", "climbed")

_HOLDERS = """
SELECT trace_id, member, tupleElement(held, 1) AS id, tupleElement(held, 2) AS parent_id,
       tupleElement(held, 3) AS independent,
       (tupleElement(held, 4), tupleElement(held, 5), tupleElement(held, 6)) AS node,
       tupleElement(held, 7) AS end
FROM (
    SELECT trace_id, member,
           argMin((k.id, k.parent_id, k.independent, k.account, k.name, k.type, k.end),
                                    (k.independent, k.id)) AS held
    FROM kin AS k ARRAY JOIN arrayPushFront(k.members, k.id) AS member
    GROUP BY trace_id, member
)
"""
# A document that came as a subsegment first and as a segment last is a segment, its own owner.
_OWNERS = """
SELECT trace_id, id AS document_id, (account, name, type) AS node FROM kin WHERE independent = 0
"""
_CLIMB = "SELECT trace_id, id AS document_id, parent_id AS at FROM kin WHERE independent = 1"
_ARRIVED = """
INSERT INTO owners SELECT c.trace_id, c.document_id, h.node FROM climb AS c
INNER JOIN holders AS h ON c.trace_id = h.trace_id AND c.at = h.member
WHERE h.independent = 0
"""
_HIGHER = """
SELECT c.trace_id AS trace_id, c.document_id AS document_id, h.parent_id AS at FROM climb AS c
INNER JOIN holders AS h ON c.trace_id = h.trace_id AND c.at = h.member
WHERE h.independent = 1
"""


def prepare(ask: Ask, scope: Scope) -> None:
    """Fill the tables that queries/units.sql needs for a scope, on this connection."""
    release(ask)
    _create(ask, "partial", scope.fill(PARTIAL))
    _create(ask, "linked", scope.fill(LINKED))
    _create(ask, "orphaned", scope.fill(ORPHANED))
    _create(ask, "kin", scope.fill(KIN))
    _create(ask, "holders", _HOLDERS)
    _create(ask, "owners", _OWNERS)
    _create(ask, "climb", _CLIMB)
    for _ in range(MAX_CLIMB - 1):
        if not ask("SELECT 1 FROM climb LIMIT 1"):
            break
        ask(_ARRIVED)
        _create(ask, "climbed", _HIGHER)
        ask("DROP TEMPORARY TABLE climb")
        _create(ask, "climb", "SELECT * FROM climbed")
        ask("DROP TEMPORARY TABLE climbed")
    _create(ask, "ends", scope.fill(ENDS))


def release(ask: Ask) -> None:
    """Give the memory back."""
    for table in _TABLES:
        ask(f"DROP TEMPORARY TABLE IF EXISTS {table}")


def _create(ask: Ask, table: str, query: str) -> None:
    ask(f"CREATE TEMPORARY TABLE {table} ENGINE = Memory AS {query}")

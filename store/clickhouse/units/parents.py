"""The segment that each document belongs to: `store.parents.ParentIndex` in SQL, for many traces at once.

Built step by step in temporary tables of one connection. A single statement with a recursive CTE is
equivalent but takes 0.3 s to plan, even over no rows.

* ``incomplete_documents``: documents that calls or links refer to and that are not stored.
* ``links_in_scope``: links of the scope; ``link_ends``: the nodes at their other ends.
* ``without_call_parent``: segments of the scope whose parent is not a call.
* ``containing_documents``: for each of ``wanted_ids`` the document that is or embeds it; a segment is preferred
  to an independent subsegment, then the smallest document id. A call is in the document that its row names.
* ``owning_segments``: the node of the segment that each document belongs to, found by walking up the
  parents (``parent_walk``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.units.dependencies import UnitScope, create, drop
from store.parents import MAX_PARENT_STEPS

_FOLDER = Path(__file__).parents[1] / "queries"
(
    INCOMPLETE_DOCUMENTS,
    WITHOUT_CALL_PARENT,
    RELATED_DOCUMENTS,
    LINKS_IN_SCOPE,
    LINK_ENDS,
    SUPERSEDED,
    SUPERSEDED_LINKS,
) = (
    (_FOLDER / f"{name}.sql").read_text()
    for name in (
        "incomplete_documents",
        "without_call_parent",
        "related_documents",
        "links_in_scope",
        "link_ends",
        "superseded",
        "superseded_links",
    )
)

_TABLES = (
    "incomplete_documents", "links_in_scope", "without_call_parent", "related_documents", "wanted_ids", "containing_documents", "owning_segments", "link_ends", "parent_walk", "parent_walk_next",
    "superseded_segments", "superseded_calls", "superseded_links",
)  # fmt: skip

_COUNT_UNRESOLVED = """
SELECT (SELECT count() FROM without_call_parent) + (SELECT count() FROM links_in_scope)
     + (SELECT count() FROM (SELECT 1 FROM calls WHERE :target AND independent = 1 LIMIT 1))
"""
# The ids whose containing documents are needed.
_WANTED_IDS = """
SELECT trace_id, parent_id AS member FROM without_call_parent
UNION ALL
SELECT trace_id, parent_id AS member FROM related_documents WHERE independent = 1
UNION ALL
SELECT other_trace AS trace_id, other_id AS member FROM links_in_scope
"""
_CONTAINING_DOCUMENTS = """
SELECT trace_id, member, tupleElement(containing, 1) AS id, tupleElement(containing, 2) AS parent_id,
       tupleElement(containing, 3) AS independent, tupleElement(containing, 4) AS account,
       tupleElement(containing, 5) AS name, tupleElement(containing, 6) AS type, tupleElement(containing, 7) AS end
FROM (
    SELECT trace_id, member,
           argMin((k.id, k.parent_id, k.independent, k.account, k.name, k.type, k.end),
                                    (k.independent, k.id)) AS containing
    FROM (
        SELECT * FROM (SELECT related_documents.*, arrayJoin(arrayPushFront(members, id)) AS member FROM related_documents)
        WHERE (trace_id, member) IN (SELECT trace_id, member FROM wanted_ids)
        UNION ALL
        SELECT related_documents.*, c.id AS member
        FROM (
            SELECT trace_id, document_id, id FROM calls FINAL
            WHERE :input AND (trace_id, id) IN (SELECT trace_id, member FROM wanted_ids)
        ) AS c
        INNER JOIN related_documents ON c.trace_id = related_documents.trace_id AND c.document_id = related_documents.id
    ) AS k
    GROUP BY trace_id, member
)
"""
# A document that arrived first as a subsegment and last as a segment is a segment and owns itself.
_OWNING_SEGMENTS = """
SELECT trace_id, id AS document_id, account, name, type FROM related_documents WHERE independent = 0
"""
_PARENT_WALK = "SELECT trace_id, id AS document_id, parent_id AS at FROM related_documents WHERE independent = 1"
_FOUND_OWNERS = """
INSERT INTO owning_segments SELECT c.trace_id, c.document_id, h.account, h.name, h.type FROM parent_walk AS c
INNER JOIN containing_documents AS h ON c.trace_id = h.trace_id AND c.at = h.member
WHERE h.independent = 0
"""
_NEXT_PARENT = """
SELECT c.trace_id AS trace_id, c.document_id AS document_id, h.parent_id AS at FROM parent_walk AS c
INNER JOIN containing_documents AS h ON c.trace_id = h.trace_id AND c.at = h.member
WHERE h.independent = 1
"""
_NODE = "account LowCardinality(String), name LowCardinality(String), type LowCardinality(String)"
_LINK_COLUMNS = {
    "links_in_scope": "trace_id FixedString(16), document_id UInt64, independent UInt8, "
    "other_trace FixedString(16), other_id UInt64, upstream UInt8, event_received Int64, "
    "start Int64, duration Int64, state UInt8, status UInt16, exception LowCardinality(String), "
    f"weight UInt32, {_NODE}"
}
_OWNER_COLUMNS = {
    "containing_documents": f"trace_id FixedString(16), member UInt64, id UInt64, {_NODE}",
    "owning_segments": f"trace_id FixedString(16), document_id UInt64, {_NODE}",
    "link_ends": f"trace_id FixedString(16), id UInt64, end Int64, {_NODE}",
}


def prepare(run: RunQuery, scope: UnitScope) -> None:
    """Fill the temporary tables that queries/units.sql reads, on this connection."""
    release(run)
    for table in ("segments", "calls"):
        create(run, f"superseded_{table}", scope.fill(SUPERSEDED, table=table))
    create(run, "incomplete_documents", scope.fill(INCOMPLETE_DOCUMENTS))
    links = bool(run(scope.fill("SELECT 1 FROM links WHERE :target LIMIT 1")))
    if links:
        create(run, "superseded_links", scope.fill(SUPERSEDED_LINKS))
        create(run, "links_in_scope", scope.fill(LINKS_IN_SCOPE))
    else:  # the usual case: saves the statements that look for the links' documents
        _create_empty(run, _LINK_COLUMNS)
    create(run, "without_call_parent", scope.fill(WITHOUT_CALL_PARENT))
    ((needed,),) = run(scope.fill(_COUNT_UNRESOLVED))
    if not needed:
        _create_empty(run, _OWNER_COLUMNS)
        return
    create(run, "related_documents", scope.fill(RELATED_DOCUMENTS))
    create(run, "wanted_ids", _WANTED_IDS)
    create(run, "containing_documents", scope.fill(_CONTAINING_DOCUMENTS))
    create(run, "owning_segments", _OWNING_SEGMENTS)
    create(run, "parent_walk", _PARENT_WALK)
    for _ in range(MAX_PARENT_STEPS - 1):
        if not run("SELECT 1 FROM parent_walk LIMIT 1"):
            break
        run(_FOUND_OWNERS)
        create(run, "parent_walk_next", _NEXT_PARENT)
        run("DROP TEMPORARY TABLE parent_walk")
        create(run, "parent_walk", "SELECT * FROM parent_walk_next")
        run("DROP TEMPORARY TABLE parent_walk_next")
    if links:
        create(run, "link_ends", scope.fill(LINK_ENDS))
    else:
        _create_empty(run, {"link_ends": _OWNER_COLUMNS["link_ends"]})


def _create_empty(run: RunQuery, tables: Mapping[str, str]) -> None:
    """Create empty temporary tables from their columns, by name."""
    for table, columns in tables.items():
        run(f"CREATE TEMPORARY TABLE {table} ({columns}) ENGINE = Memory")


def release(run: RunQuery) -> None:
    """Drop the temporary tables of `prepare`."""
    drop(run, _TABLES)

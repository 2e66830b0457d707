"""The segment that each document belongs to: `store.parents.ParentIndex` in SQL, for many traces at once.

Built step by step in temporary tables of one connection. A single statement with a recursive CTE is
equivalent but takes 0.3 s to plan, even over no rows.

* ``incomplete_documents``: documents that calls belong to and that are not stored.
* ``links_in_scope``: links of the scope; ``link_ends``: the nodes at their other ends; ``sender_links``: links from
  other traces to what they caused here; ``caused_documents``: documents whose cause is known from either.
* ``excess_names``: names of nodes in excess, from the minutes and accounts in ``many_names``.
* ``without_call_parent``: segments of the scope whose parent is not a call.
* ``containing_documents``: for each of ``wanted_ids`` the document that is or embeds it; a segment is preferred
  to an independent subsegment, then the smallest document id. A call is in the document that its row names.
* ``owning_segments``: the node of the segment that each document belongs to, found by walking up the
  parents (``parent_walk``).
"""

from __future__ import annotations

from collections.abc import Mapping

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.units.dependencies import UnitScope, create, drop
from store.model import NodeKey
from store.parents import MAX_PARENT_STEPS
from store.rules import other_names

_TABLES = (
    "incomplete_documents", "links_in_scope", "without_call_parent", "related_documents", "wanted_ids", "containing_documents", "owning_segments", "link_ends", "parent_walk", "parent_walk_next",
    "many_names", "excess_names", "sender_links", "caused_documents", "superseded_segments", "superseded_calls",
)  # fmt: skip

# A document that arrived first as a subsegment and last as a segment is a segment and owns itself.
_OWNING_SEGMENTS = Sql(
    "SELECT trace_id, id AS document_id, account, name, type, region "
    "FROM related_documents "
    "WHERE independent = 0"
)
_PARENT_WALK = Sql(
    "SELECT trace_id, id AS document_id, parent_id AS at FROM related_documents "
    "WHERE independent = 1"
)
_NODE = ", ".join(f"{column} LowCardinality(String)" for column in NodeKey._fields)
_LINK_COLUMNS = {
    "links_in_scope": "trace_id FixedString(16), document_id UInt64, independent UInt8, "
    "other_trace FixedString(16), other_id UInt64, upstream UInt8, event_received Int64, "
    "start Int64, duration Int64, state UInt8, status UInt16, exception LowCardinality(String), "
    f"weight UInt32, {_NODE}"
}
_SENDER_COLUMNS = {"sender_links": "trace_id FixedString(16), id UInt64"}
_OWNER_COLUMNS = {
    "containing_documents": f"trace_id FixedString(16), member UInt64, id UInt64, {_NODE}",
    "owning_segments": f"trace_id FixedString(16), document_id UInt64, {_NODE}",
    "link_ends": f"trace_id FixedString(16), id UInt64, end Int64, {_NODE}",
    "caused_documents": "trace_id FixedString(16), id UInt64",
}


def prepare(run: RunQuery, scope: UnitScope) -> None:
    """Fill the temporary tables that queries/units/units.sql reads, on this connection."""
    release(run)
    for table in ("segments", "calls"):
        create(run, f"superseded_{table}", scope.fill(queries.SUPERSEDED, {"table": Sql(table)}))
    create(run, "incomplete_documents", scope.fill(queries.INCOMPLETE_DOCUMENTS))
    if scope.many_names:
        most = other_names.MOST_NAMES
        create(run, "many_names", scope.fill(queries.MANY_NAMES, most=most))
        create(run, "excess_names", scope.fill(queries.EXCESS_NAMES, most=most))
    links = bool(run(scope.fill(queries.HAS_LINKS)))
    if links:
        create(run, "links_in_scope", scope.fill(queries.LINKS_IN_SCOPE))
    else:  # the usual case: saves the statements that look for the links' documents
        _create_empty(run, _LINK_COLUMNS)
    if run("SELECT 1 FROM links WHERE upstream = 0 LIMIT 1"):
        create(run, "sender_links", scope.fill(queries.SENDER_LINKS))
    else:
        _create_empty(run, _SENDER_COLUMNS)
    create(run, "without_call_parent", scope.fill(queries.WITHOUT_CALL_PARENT))
    ((needed,),) = run(scope.fill(queries.COUNT_UNRESOLVED))
    if not needed:
        _create_empty(run, _OWNER_COLUMNS)
        return
    create(run, "related_documents", scope.fill(queries.RELATED_DOCUMENTS))
    create(run, "wanted_ids", queries.WANTED_IDS.render())
    create(run, "containing_documents", scope.fill(queries.CONTAINING_DOCUMENTS))
    create(run, "owning_segments", _OWNING_SEGMENTS)
    create(run, "parent_walk", _PARENT_WALK)
    for _ in range(MAX_PARENT_STEPS - 1):
        if not run("SELECT 1 FROM parent_walk LIMIT 1"):
            break
        run(queries.FOUND_OWNERS.render())
        create(run, "parent_walk_next", queries.NEXT_PARENTS.render())
        run("DROP TEMPORARY TABLE parent_walk")
        create(run, "parent_walk", Sql("SELECT * FROM parent_walk_next"))
        run("DROP TEMPORARY TABLE parent_walk_next")
    if links:
        create(run, "link_ends", scope.fill(queries.LINK_ENDS))
    else:
        _create_empty(run, {"link_ends": _OWNER_COLUMNS["link_ends"]})
    create(run, "caused_documents", queries.CAUSED_DOCUMENTS.render())


def _create_empty(run: RunQuery, tables: Mapping[str, str]) -> None:
    """Create empty temporary tables from their columns, by name."""
    for table, columns in tables.items():
        run(f"CREATE TEMPORARY TABLE {table} ({columns}) ENGINE = Memory")


def release(run: RunQuery) -> None:
    """Drop the temporary tables of `prepare`."""
    drop(run, _TABLES)

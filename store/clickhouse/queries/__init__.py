"""Every SQL statement of more than three lines, one file each, in a folder per package.

The declarations below are checked when this package is imported (`registry`): a file or place that
is missing, unknown or unused is an error. Usage: ``TEMPLATE.render({"fragment": Sql(...)}, value=1)``.
"""

from __future__ import annotations

from pathlib import Path

from store.clickhouse.queries.registry import QueryError, Registry, Sql, Template

__all__ = ["REGISTRY", "QueryError", "Sql", "Template"]

REGISTRY = Registry(Path(__file__).parent)
_sql = REGISTRY.declare

REGISTRY.require_complete()

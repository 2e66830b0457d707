"""Statements of more than three lines are files below store/clickhouse/queries, not strings in modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import store.clickhouse

ROOT = Path(store.clickhouse.__path__[0])
EXCLUDED = ("embedded",)
"""Contains configuration in XML."""
MODULES = [
    path for path in sorted(ROOT.rglob("*.py")) if path.relative_to(ROOT).parts[0] not in EXCLUDED
]
SQL = re.compile(r"\b(SELECT|INSERT INTO|CREATE|ALTER TABLE|DELETE FROM|UNION ALL)\b")
MAX_LINES = 3


def docstrings(tree: ast.AST) -> set[int]:
    """Ids of the nodes of strings that are statements: docstrings of modules, objects and attributes."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def long_sql(source: str) -> set[int]:
    """Lines where a string with SQL begins that takes more than MAX_LINES lines."""
    return set(_long_sql(source))


def _long_sql(source: str) -> Iterator[int]:
    tree = ast.parse(source)
    excluded = docstrings(tree)
    for node in ast.walk(tree):
        if id(node) in excluded or not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > MAX_LINES and SQL.search(ast.get_source_segment(source, node) or ""):
            yield node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_long_sql(path: Path) -> None:
    assert long_sql(path.read_text(encoding="utf-8")) == set()


def test_long_sql_is_found() -> None:
    concatenated = "A = (\n'SELECT 1 '\n'FROM a '\n'WHERE b '\nf'AND {c}'\n)\n"
    multiline = "B = f'''\nSELECT {x}\nFROM a\n'''\n"
    short = "C = 'SELECT 1'\n'''A docstring:\nSELECT\n1\nFROM\n'''\n"
    assert long_sql(concatenated + multiline + short) == {2, 7}

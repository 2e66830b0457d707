"""Literals of an SQL statement → question marks. No parser: every dialect's literals, and no more."""

from __future__ import annotations

import re

SQL_KEYS = ("sanitized_query", "db_statement", "db_query_text", "sql_query")
"""How the keys of statements end, normalized."""
_LITERAL = re.compile(
    r"(?P<string>[eEnNbBxX]?'(?:[^'\\]|\\.|'')*(?:'|\Z))"
    r"|(?P<dollar>\$(\w*)\$.*?(?:\$\3\$|\Z))"
    r"|(?P<before>(?:\b(?:from|join|into|update|table|as)\s+|\.)?)"
    r"\"(?:[^\"\\]|\\.|\"\")*(?:\"|\Z)(?P<after>(?=\s*\.))?"
    r"|(?P<name>`[^`]*`)"
    r"|(?P<number>(?<![\w.$@:?])-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?!\w))",
    re.DOTALL | re.IGNORECASE,
)
"""A string that does not end is one until the end: statements are cut."""


def replace_literals(statement: str) -> tuple[str, int]:
    """The statement with ``?`` for each literal, and how many there were.

    Text in double quotes is a name in standard SQL and a string in MySQL: it stays beside a dot and after
    FROM, JOIN, INTO, UPDATE, TABLE and AS, and is a literal elsewhere.
    """
    count = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal count
        if match["name"] is not None or match["before"] or match["after"] is not None:
            return match[0]
        count += 1
        return "?"

    return _LITERAL.sub(replace, statement), count

"""Literals of statements, in the dialects that are usual."""

from __future__ import annotations

import pytest

from collector.redaction.sql import replace_literals


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT 1", "SELECT ?"),
        ("a = 'it''s' AND b = 'x\\'y'", "a = ? AND b = ?"),
        ("a IN (1, -2.5, 3e4, 0xFF)", "a IN (?, ?, ?, ?)"),
        ("t1.c2 = $1 AND x = ? AND y = :1 AND @v1 = 3", "t1.c2 = $1 AND x = ? AND y = :1 AND @v1 = ?"),
        ("f($$it's$$, $x$a$$b$x$)", "f(?, ?)"),
        ("name = 'cut off", "name = ?"),
        ('name = "ana"', "name = ?"),
        (
            'SELECT "users"."id" FROM "users" WHERE "users"."name" = E\'x\'',
            'SELECT "users"."id" FROM "users" WHERE "users"."name" = ?',
        ),
        ("SELECT `a 1` FROM `t`", "SELECT `a 1` FROM `t`"),
        ("INSERT INTO t VALUES ('a', 1, NULL)", "INSERT INTO t VALUES (?, ?, NULL)"),
    ],
)  # fmt: skip
def test_literals(statement: str, expected: str) -> None:
    assert replace_literals(statement)[0] == expected


def test_the_count() -> None:
    assert replace_literals("a = 1 AND b = 'x'")[1] == 2
    assert replace_literals("SELECT a FROM b") == ("SELECT a FROM b", 0)

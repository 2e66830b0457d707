"""SQL texts in files, with named places for values and for pieces of SQL.

A file contains one statement or one shared piece of a statement:

* ``{name:Type}``: a value, sent beside the text as a ClickHouse query parameter, never pasted;
* ``$name``: a fragment, a piece of SQL such as a row condition, given as `Sql`; or a rule, the same in every file;
* ``$Kind.SERVER``: a member of an enumeration of the model;
* ``/*include folder/name argument=text*/``: another file, with its ``$argument`` replaced.

Rules, members and includes are resolved when a file is loaded. `Registry` compares the other places of each file
with those declared for it and raises `QueryError` for a file or place that is missing, unknown or unused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from store.clickhouse.queries.parameters import encode_parameters

FRAGMENT = re.compile(r"\$([a-z][a-z_0-9]*|[A-Z][A-Za-z]+\.[A-Z_]+)")
PARAMETER = re.compile(r"\{([a-z][a-z_0-9]*):([^{}]+)\}")
INCLUDE = re.compile(r"/\*include ([a-z_]+/[a-z_0-9]+)((?: [a-z_]+=[^\s*]+)*)\*/")
COMMENT = re.compile(r"^[ \t]*--[^\n]*\n", re.MULTILINE)


class QueryError(Exception):
    """A file of SQL and its declaration or its use do not agree."""


class Sql(NamedTuple):
    """SQL that can be sent: the text, and the values of its ``{name:Type}`` parameters by name.

    ``name``: the file it was rendered from; empty for pieces and short statements. ``rows``: what an
    INSERT … VALUES writes, in one block.
    """

    text: str
    parameters: Mapping[str, Any] = {}
    name: str = ""
    rows: Sequence[tuple[Any, ...]] | None = None

    def wire_parameters(self) -> dict[str, Any]:
        """The values as clickhouse-driver takes them for server-side parameters."""
        return dict(encode_parameters(self.parameters))


class Template:
    """One file: its text with includes resolved, and the names of its places."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.fragments = frozenset(FRAGMENT.findall(text))
        self.parameters = frozenset(name for name, _ in PARAMETER.findall(text))

    def render(self, fragments: Mapping[str, Sql] | None = None, /, **parameters: Any) -> Sql:
        """The statement with all its places filled; QueryError when one is missing or unknown.

        Parameters of the fragments travel with it.
        """
        given = fragments or {}
        self._require("fragment", self.fragments, given)
        self._require("parameter", self.parameters, parameters)
        values = _merged(f"{self.name}.sql", [Sql("", parameters), *given.values()])
        return Sql(FRAGMENT.sub(lambda match: given[match[1]].text, self.text), values, self.name)

    def _require(self, kind: str, expected: Iterable[str], given: Iterable[str]) -> None:
        if set(expected) != set(given):
            missing, unknown = set(expected) - set(given), set(given) - set(expected)
            raise QueryError(
                f"{self.name}.sql: missing {kind}s {sorted(missing)}, unknown {sorted(unknown)}"
            )


class Registry:
    """The files of a folder, each declared once, with the rules that they have by name, and the enumerations."""

    def __init__(
        self, folder: Path, rules: Mapping[str, Sql] | None = None, *enumerations: type[IntEnum]
    ) -> None:
        self._folder = folder
        self._rules = rules or {}
        self._members = {
            f"{type(each).__name__}.{each.name}": Sql(f"{each:d}") for each in chain(*enumerations)
        }
        self._texts: dict[str, str] = {}
        self._included: set[str] = set()
        self._applied: set[str] = set()
        self.templates: dict[str, Template] = {}

    def declare(self, name: str, fragments: str = "", parameters: str = "") -> Template:
        """The template in ``name``.sql, whose places must be the ones listed (words)."""
        template = Template(name, self._resolve(name, {}))
        for kind, declared, found in (
            ("fragments", fragments.split(), template.fragments),
            ("parameters", parameters.split(), template.parameters),
        ):
            if set(declared) != found:
                raise QueryError(f"{name}.sql has the {kind} {sorted(found)}, declared: {declared}")
        self.templates[name] = template
        return template

    def require_complete(self) -> None:
        """Raise QueryError when a file of the folder is neither declared nor included, or no file has a rule."""
        names = {
            str(path.relative_to(self._folder).with_suffix(""))
            for path in self._folder.glob("*/*.sql")
        }
        if unused := names - self.templates.keys() - self._included:
            raise QueryError(f"no declaration and no include names {sorted(unused)}")
        if unused := self._rules.keys() - self._applied:
            raise QueryError(f"no file has the rules {sorted(unused)}")

    def _resolve(self, name: str, arguments: Mapping[str, str]) -> str:
        """The text of a file, ``$arguments``, rules, members and includes replaced, without comment lines."""
        text = COMMENT.sub("", self._read(name)).strip()
        if unknown := arguments.keys() - set(FRAGMENT.findall(text)):
            raise QueryError(f"{name}.sql has no places {sorted(unknown)}, given in an include")
        text = FRAGMENT.sub(lambda match: arguments.get(match[1], match[0]), text)
        text = FRAGMENT.sub(self._apply, text)
        return INCLUDE.sub(self._include, text)

    def _apply(self, match: re.Match[str]) -> str:
        rule = self._rules.get(match[1]) or self._members.get(match[1])
        if rule is None:
            return match[0]
        self._applied.add(match[1])
        return rule.text

    def _include(self, match: re.Match[str]) -> str:
        self._included.add(match[1])
        return self._resolve(match[1], dict(pair.split("=", 1) for pair in match[2].split()))

    def _read(self, name: str) -> str:
        if name not in self._texts:
            try:
                self._texts[name] = (self._folder / f"{name}.sql").read_text(encoding="utf-8")
            except FileNotFoundError:
                raise QueryError(f"there is no file {name}.sql") from None
        return self._texts[name]


def joined(separator: str, parts: Iterable[Sql]) -> Sql:
    """Pieces of SQL one after the other, with the parameters of all of them.

    QueryError when two of them give one parameter different values.
    """
    parts = list(parts)
    return Sql(separator.join(part.text for part in parts), _merged("joined SQL", parts))


def parenthesized(piece: Sql) -> Sql:
    """A piece of SQL in parentheses."""
    return Sql(f"({piece.text})", piece.parameters)


def in_traces(traces: Sql) -> Sql:
    """The condition that a row belongs to one of the traces that a subquery selects."""
    return Sql(f"trace_id IN ({traces.text})", traces.parameters)


def _merged(name: str, parts: Iterable[Sql]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for part in parts:
        for parameter, value in part.parameters.items():
            if values.setdefault(parameter, value) != value:
                raise QueryError(f"{name}: two values for the parameter {parameter}")
    return values


def numbers_in(column: str, values: Sequence[int]) -> Sql:
    """The condition that a column of integers is one of some values."""
    return Sql(f"{column} IN ({', '.join(map(str, values))})" if values else "0")

"""Generates `ui/src/filter/language.gen.ts` from the grammar and the keyword table of filter expressions.

The console highlights and completes by the server's own terminals. `python -m ui.codegen.filter_language`
"""

from __future__ import annotations

import json
from pathlib import Path

from lark import Lark

from store.filters import keywords
from store.filters.keywords import KEYWORDS, OPERATORS, Kind, Scope
from store.query import VALUE_FIELDS

LANGUAGE = Path(__file__).parent.parent / "src" / "filter" / "language.gen.ts"
GRAMMAR = Path(keywords.__file__).with_name("grammar.lark")


def language() -> str:
    """The text of the generated file."""
    parts = {
        "TERMINALS": (
            "readonly (readonly [name: string, source: string, flags: string])[]",
            terminals(),
        ),
        "KEYWORDS": ("Readonly<Record<string, Keyword>>", keyword_table()),
        "OPERATORS": (
            "Readonly<Record<Kind, readonly string[]>>",
            {kind.value: list(OPERATORS[kind]) for kind in Kind},
        ),
        "VALUE_FIELDS": ("readonly string[]", list(VALUE_FIELDS)),
    }
    kinds = " | ".join(f"'{kind.value}'" for kind in Kind)
    scopes = " | ".join(f"'{_scope(scope)}'" for scope in Scope)
    head = (
        "// Generated from store/filters by `python -m ui.codegen.filter_language`. Do not edit.\n\n"
        f"export type Kind = {kinds}\nexport type Scope = {scopes}\n\n"
        "export interface Keyword {\n  kind: Kind\n  scope: readonly Scope[]\n  meaning: string\n}\n"
    )
    bodies = (
        f"\n/** {DOCS[name]} */\nexport const {name}: {type} = {json.dumps(value, indent=2, ensure_ascii=False)}\n"
        for name, (type, value) in parts.items()
    )
    return head + "".join(bodies)


DOCS = {
    "TERMINALS": "The terminals of the grammar in the order in which they are tried.",
    "KEYWORDS": "Every keyword: its values, where it may stand, what it means.",
    "OPERATORS": "What a keyword of a kind may be compared by.",
    "VALUE_FIELDS": "Keywords whose values the server lists.",
}


def terminals() -> list[list[str]]:
    """Names and patterns, those with a higher priority first, then the longer ones."""
    lark = Lark(GRAMMAR.read_text(), parser="lalr", maybe_placeholders=True)
    found = [each for each in lark.terminals if each.name not in lark.ignore_tokens]
    found.sort(key=lambda each: (-each.priority, -len(each.pattern.value), each.name))
    return [
        [each.name, _source(each.pattern), "".join(sorted(each.pattern.flags))] for each in found
    ]


def _source(pattern: object) -> str:
    value = str(getattr(pattern, "value", ""))
    is_text = getattr(pattern, "type", "") == "str"
    return (
        "".join(f"\\{char}" if char in "\\^$.|?*+()[]{}" else char for char in value)
        if is_text
        else value
    )


def keyword_table() -> dict[str, object]:
    """The keywords with scopes by name."""
    return {
        name: {
            "kind": keyword.kind.value,
            "scope": [_scope(scope) for scope in Scope if scope & keyword.scope],
            "meaning": keyword.meaning,
        }
        for name, keyword in sorted(KEYWORDS.items())
    }


def _scope(scope: Scope) -> str:
    return str(scope.name).lower()


if __name__ == "__main__":
    LANGUAGE.write_text(language(), encoding="utf-8")

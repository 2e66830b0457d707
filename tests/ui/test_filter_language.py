"""The console reads filter expressions by the server's grammar and keywords."""

from __future__ import annotations

from store.filters.keywords import KEYWORDS
from ui.codegen.filter_language import LANGUAGE, keyword_table, language, terminals


def test_the_generated_language_is_current() -> None:
    """After a change of the grammar or of keywords: python -m ui.codegen.filter_language"""
    assert LANGUAGE.read_text(encoding="utf-8") == language()


def test_every_terminal_and_keyword_is_in_it() -> None:
    names = [name for name, _, _ in terminals()]
    assert {"STRING", "NUMBER", "OPERATOR", "ANNOTATION", "_SERVICE", "WORD", "LBRACE"} <= set(
        names
    )
    assert len(names) == len(set(names))
    assert keyword_table().keys() == KEYWORDS.keys()

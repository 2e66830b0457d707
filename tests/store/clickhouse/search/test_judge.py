"""Lists read the columns that a filter needs: a constant in the place of one makes them silently wrong."""

from __future__ import annotations

import re

import pytest

from store.clickhouse.search.reading import columns_of
from store.clickhouse.search.unit_rows import TEXTS
from store.clickhouse.search.values import _COLUMNS
from store.filters.keywords import GROUP_KEYWORDS, KEYWORDS, Kind, Scope
from store.filters.parse import parse
from store.filters.units import MEMBERS
from store.query import VALUE_FIELDS

OF_NODES = {"name", "type", "account.id", "region"}


@pytest.mark.parametrize("form", ['{} = "x"', "{}", 'service(id(name: "a")) {{ {} CONTAINS "x" }}'])
@pytest.mark.parametrize("keyword", sorted(TEXTS))
def test_the_column_of_each_text_is_read(keyword: str, form: str) -> None:
    read = ", ".join(each.text for each in columns_of(parse(form.format(keyword))).values())
    assert re.search(rf"\b{TEXTS[keyword]}\b", read), f"{keyword}: {read}"


def test_each_text_has_a_column() -> None:
    """Of those that a trace, or a unit of a service, has; nodes have their own columns."""
    texts = {
        keyword
        for keyword, each in KEYWORDS.items()
        if each.kind is Kind.TEXT and each.scope & (Scope.TRACE | Scope.SERVICE)
    }
    assert texts - OF_NODES - GROUP_KEYWORDS == set(TEXTS)
    assert set(MEMBERS) <= set(TEXTS)


def test_each_value_that_is_listed_has_a_column() -> None:
    assert set(VALUE_FIELDS) == set(_COLUMNS)

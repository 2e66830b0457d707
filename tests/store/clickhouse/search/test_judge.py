"""Lists read the columns that a filter needs: a constant in the place of one makes them silently wrong."""

from __future__ import annotations

import re

import pytest

from store.clickhouse.search.reading import columns_of
from store.clickhouse.search.unit_rows import TEXTS
from store.clickhouse.search.values import _COLUMNS
from store.clickhouse.write.rows import SEGMENT_COLUMNS
from store.filters.keywords import MEMBERS
from store.filters.parse import parse
from store.model import Document
from store.query import VALUE_FIELDS


@pytest.mark.parametrize("form", ['{} = "x"', "{}", 'service(id(name: "a")) {{ {} CONTAINS "x" }}'])
@pytest.mark.parametrize("keyword", sorted(TEXTS))
def test_the_column_of_each_text_is_read(keyword: str, form: str) -> None:
    read = ", ".join(each.text for each in columns_of(parse(form.format(keyword))).values())
    assert re.search(rf"\b{TEXTS[keyword]}\b", read), f"{keyword}: {read}"


def test_each_member_is_a_field_and_a_column() -> None:
    """So a keyword that names another fails before it is read."""
    assert set(MEMBERS.values()) <= set(Document.__struct_fields__) & set(
        SEGMENT_COLUMNS.split(", ")
    )


def test_each_value_that_is_listed_has_a_column() -> None:
    assert set(VALUE_FIELDS) == set(_COLUMNS)

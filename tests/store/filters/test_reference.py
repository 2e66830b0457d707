"""docs/filters.md is what the keyword table says."""

from __future__ import annotations

from store.filters.reference import reference
from tests.conftest import ROOT


def test_the_page_is_current() -> None:
    """Mend with: python -m store.filters.reference > docs/filters.md"""
    assert (ROOT / "docs" / "filters.md").read_text() == reference()

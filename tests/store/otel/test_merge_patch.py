"""JSON merge patches between documents."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from store.otel.merge_patch import STRUCTURE, patch_between, patched

scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2)
values = st.recursive(
    scalars,
    lambda inner: st.dictionaries(st.text("kl", max_size=2), inner, max_size=3),
    max_leaves=6,
)
documents = st.dictionaries(st.sampled_from(["a", "b", "id", "subsegments"]), values, max_size=4)


def without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_null(item) for key, item in value.items() if item is not None}
    return value


@given(documents, documents)
def test_a_patch_leads_from_one_document_to_another(made: Any, wanted: Any) -> None:
    """All but the structure, and but for null, which a merge patch cannot express."""
    made, wanted = without_null(made), without_null(wanted)
    expected = {key: value for key, value in wanted.items() if key not in STRUCTURE}
    structure = {key: value for key, value in made.items() if key in STRUCTURE}
    assert patched(made, patch_between(made, wanted)) == {**expected, **structure}


def test_unreadable_patches_change_nothing() -> None:
    for text in (7, "no json", "[1]", "[" * 100_000):
        assert patched({"a": 1}, text) == {"a": 1}
    assert json.loads(patch_between({"a": 1}, {"a": 1})) == {}

"""Sums of aggregates, and graphs of them, leave what they are made of as it is: it is cached."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.clickhouse.units.aggregates import (
    BACKGROUND,
    EDGE,
    LINK,
    NODE,
    Aggregate,
    Key,
    add,
    copy_of,
    graph_of,
    sum_of,
)
from store.graph import Statistics
from store.model import CLIENT, NO_NODE, SETTLE_SLOT, UNCONFIRMED, NodeKey
from store.rules import other_names
from store.rules.other_names import OTHER_NAMES
from tests.tiers import cases

COUNTS = st.integers(0, 3)
TIMES = st.dictionaries(st.integers(1, 4), st.integers(1, 9), max_size=3)
WEB = NodeKey("1", "web", "")
TABLE, DISK, OTHERS = (NodeKey("1", name, "remote") for name in ("table", "disk", OTHER_NAMES))
SOMEWHERE = TABLE._replace(account="")
"""Joins the table, unless it reports itself."""
CALLERS = [WEB, *(NodeKey(at, "web", CLIENT) for at in ("", f"{UNCONFIRMED}1", f"{UNCONFIRMED}9"))]
KEYS: list[Key] = [
    *(
        (kind, NO_NODE, node)
        for kind in (NODE, BACKGROUND)
        for node in (WEB, TABLE, DISK, OTHERS, SOMEWHERE)
    ),
    *((EDGE, caller, node) for caller in CALLERS for node in (TABLE, DISK, OTHERS, SOMEWHERE, WEB)),
    *((LINK, WEB, node) for node in (TABLE, SOMEWHERE)),
]
STATISTICS = st.builds(
    Statistics,
    *(COUNTS for _ in range(6)),
    histogram=TIMES,
    observed=COUNTS,
)
AGGREGATES = st.builds(
    Aggregate,
    st.frozensets(st.sampled_from(("web", "table")), max_size=2),
    st.booleans(),
    st.sampled_from((0, 5 * SETTLE_SLOT)),
    st.just(9 * SETTLE_SLOT),
    COUNTS,
    STATISTICS,
    st.dictionaries(st.integers(1, 4), st.just(0), max_size=1),
    st.dictionaries(st.sampled_from(("fault", "error 404")), st.integers(1, 3)),
)
PARTS = st.lists(st.dictionaries(st.sampled_from(KEYS), AGGREGATES, max_size=20), max_size=3)


@settings(max_examples=cases(150), deadline=None)
@given(
    parts=PARTS,
    settled=st.sampled_from((None, 4 * SETTLE_SLOT)),
    most=st.sampled_from((1, other_names.MOST_NAMES_OF_WINDOW)),
)
def test_a_graph_of_sums_leaves_them_as_they_are(
    parts: list[dict[Key, Aggregate]], settled: int | None, most: int
) -> None:
    """Whatever is joined, confirmed, left out or folded: what was read once is drawn again and again."""
    before = deepcopy(parts)
    own: dict[Key, Aggregate] = {}
    for part in parts:
        add({key: copy_of(each) for key, each in part.items()}, own)
    total = sum_of(parts)
    assert total == own
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(other_names, "MOST_NAMES_OF_WINDOW", most)
        first = deepcopy(graph_of(total, settled))
        assert graph_of(total, settled) == first
        assert graph_of(sum_of(deepcopy(before)), settled) == first
    assert (total, parts) == (own, before)

"""The map of a database with two replicas is the memory store's: what is written on one is counted on the other, now and
then while more is to come."""

from __future__ import annotations

import pytest

from tests.store.replicated.across import AcrossReplicas
from tests.store.replicated.cell import Cell
from tests.store.test_agreement_together import SEED, TOGETHER, examples, many_agree
from tests.tiers import NIGHTLY

EXAMPLES = 10 * TOGETHER if NIGHTLY else 10


@pytest.mark.slow
@pytest.mark.timeout(120 + 6 * EXAMPLES)
def test_many_examples_agree(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    store = AcrossReplicas(cell)
    many_agree(store.as_store, examples(EXAMPLES, SEED), monkeypatch)
    store.close()

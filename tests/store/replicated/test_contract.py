"""The contract of every store, for a database with two replicas: what is written on one is read on the other.

None of its tests is left out. In each run are those of what replicas decide differently (which of two writers is first,
pins, alarms, what is configured and declared) and of the map's own rules; at night are all.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.protocol import Store
from tests.conftest import empty
from tests.store.replicated.across import AcrossReplicas
from tests.store.replicated.cell import Cell
from tests.tiers import NIGHTLY

pytest.register_assert_rewrite("tests.store.contract")
from tests.store.contract import StoreContract  # noqa: E402
from tests.store.contract.alarms import AlarmContract  # noqa: E402
from tests.store.contract.declared import DeclarationContract  # noqa: E402
from tests.store.contract.pins import PinContract  # noqa: E402
from tests.store.contract.problems import ProblemContract  # noqa: E402


class Decided(AlarmContract, DeclarationContract, PinContract, ProblemContract):
    """What is in each run."""


Tried: type = StoreContract if NIGHTLY else Decided


@pytest.mark.slow
class TestReplicas(Tried):  # type: ignore[misc]
    @pytest.fixture
    def store(self, cell: Cell) -> Iterator[Store]:
        empty(cell.address)
        store = AcrossReplicas(cell)
        yield store.as_store
        store.close()

"""The map of a delivery that goes wrong in every way, against a truth that no store computed.

A small `python -m bench.recall`: fixed seeds, one world, two hours of traffic that arrives over a day.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.recall.delivery import Conditions
from bench.recall.rollup_driver import rolling
from bench.recall.run import Outcome, Size, run
from bench.recall.score import Scores
from bench.recall.traffic import HOUR
from bench.recall.truth import Counts, Graph
from store.clickhouse.rollup import dirty
from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from store.model import NodeKey
from tests.builders import T0

SMALL = Size(traces=40, batches=8, now=T0, stages=2, span=2 * HOUR, minutes=2)
FEW_MINUTES = replace(SMALL, traces=4, batches=2)
"""Each bucket takes as many statements as all of them."""
WORST = Conditions(4, "day", duplicates=0.2, skew=5.0, dropped=0.1)


def differences(outcome: Outcome) -> list[str]:
    """What is wrong, in words; empty when every map was exact."""
    every = (outcome.early, outcome.late, outcome.minutes)
    return [d for s in every for d in (*s.nodes.differences, *s.edges.differences)]


@pytest.mark.parametrize(
    ("chunk", "size"), [(dirty.CHUNK_BUCKETS, SMALL), (1, FEW_MINUTES)], ids=["chunks", "alone"]
)
def test_clickhouse_finds_the_true_graph(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, chunk: int, size: Size
) -> None:
    """Counted many buckets at once, or one by one, between batches, and added up to tens and hours at once."""
    monkeypatch.setattr(dirty, "CHUNK_BUCKETS", chunk)
    monkeypatch.setattr(dirty, "FIRST_BUCKETS", chunk)
    with rolling(clickhouse_store.address) as recount_minutes:
        outcome = run(clickhouse_store, WORST, size, seed=4, recount_minutes=recount_minutes)
    assert differences(outcome) == []
    assert outcome.perfect
    assert outcome.together < 0.9  # or nothing was put apart


@pytest.mark.parametrize("seed", range(3))
def test_the_reference_finds_the_true_graph(seed: int) -> None:
    outcome = run(MemoryStore(), WORST, SMALL, seed)
    assert differences(outcome) == []
    assert outcome.perfect


def last_arrival(owned: Any) -> Any:
    return owned.version


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("store.facts.is_root", lambda d, t, f: not d.parent_id and not d.independent),
        ("store.parents.ParentIndex.answers_by_call", {}),
        ("store.parents.MAX_PARENT_STEPS", 1),
        ("store.memory_traces._call_precedence", last_arrival),
        ("store.memory_traces._precedence", last_arrival),
    ],
)
def test_a_wrong_rule_is_noticed(monkeypatch: pytest.MonkeyPatch, rule: str, wrong: object) -> None:
    """The generator really does what the rules are about."""
    monkeypatch.setattr(rule, wrong)
    assert not run(MemoryStore(), WORST, SMALL, seed=4).perfect


def test_scores_say_what_is_missing_invented_and_miscounted() -> None:
    def counts(ok: int) -> Counts:
        made = Counts()
        made.by_state[1] = ok
        return made

    web, api, db = (NodeKey("", name, "") for name in ("web", "api", "db"))
    truth = Graph({web: counts(8), api: counts(2)}, {(web, api, False): counts(2)})
    scores = Scores()
    scores.add(Graph({web: counts(7), db: counts(1)}, {}), truth)
    assert (scores.nodes.precision, scores.nodes.recall) == (0.5, 0.5)
    assert scores.nodes.error == (1 + 1 + 2) / 10
    assert (scores.edges.recall, scores.edges.error) == (0.0, 1.0)
    assert not scores.perfect
    again = Scores()
    again.add(truth, truth)
    assert again.perfect

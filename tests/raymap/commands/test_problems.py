"""`raymap problems replay`: over minutes that were stored as documents of the past."""

from __future__ import annotations

import random

import msgspec
import pytest

from raymap.commands.problems import replay
from raymap.errors import CommandError
from store.clickhouse.store import ClickHouseStore
from store.deployments import Deployment
from store.model import NodeKey, State
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id

TABLE = NodeKey("", "orders", "AWS::DynamoDB::Table")
MINUTES, AT = 120, 100
BEGAN = T0 // SECOND + AT * 60


def fill(store: ClickHouseStore) -> None:
    """Two hours of a service that calls a table, which fails from the hundredth minute on."""
    chance = random.Random(7)
    documents = []
    number = 0
    for minute in range(MINUTES):
        for _ in range(chance.randrange(9, 15)):
            number += 1
            start = T0 + minute * MINUTE + chance.randrange(50 * SECOND)
            failed = minute >= AT and chance.random() < 0.6
            state = State.FAULT if failed else State.OK
            end = start + chance.randrange(20_000, 90_000)
            made = call(
                number, node=TABLE, service="orders", host="", state=state, start=start, end=end
            )
            documents.append(
                segment(
                    number + 10**6,
                    trace_id=trace_id(number),
                    name="shop",
                    state=state,
                    start=start,
                    end=end,
                    calls=(made,),
                )
            )
    for first in range(0, len(documents), 500):
        store.put(documents[first : first + 500], f"{first}")


def test_what_was_wrong_then(
    clickhouse_store: ClickHouseStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """The problem is found where it begins, with the minute of its first fault; the hour before has none."""
    fill(clickhouse_store)
    deployed = Deployment("d", (BEGAN - 60) * SECOND, service="orders", version="v2")
    clickhouse_store.put_deployment(deployed, T0)
    start, end = str(T0 // SECOND + 3600), str(T0 // SECOND + MINUTES * 60)
    replay([clickhouse_store.address], start, end, every=False, as_json=False)
    (line,) = capsys.readouterr().out.splitlines()
    assert "opened  ✕ orders fails" in line
    clock = f"{BEGAN // 3600 % 24:02}:{BEGAN // 60 % 60:02}"
    assert f"since {clock} · affects shop · 1 min after deployment of orders v2" in line
    replay([clickhouse_store.address], start, str(BEGAN), every=True, as_json=True)
    assert capsys.readouterr().out == ""
    replay([clickhouse_store.address], start, end, every=False, as_json=True)
    first = msgspec.json.decode(capsys.readouterr().out.splitlines()[0])
    assert (first["event"], first["at"], first["rank"]) == ("opened", BEGAN + 120, 1)
    problem = first["problem"]
    assert (problem["since"], problem["origin"]["name"]) == (BEGAN, "orders")
    assert [each["name"] for each in problem["entries"]] == ["shop"]
    assert problem["changes"] == [
        {"kind": "deployment", "at": BEGAN - 60, "what": "deployment of orders v2"}
    ]


def test_a_window_that_is_none(clickhouse_store: ClickHouseStore) -> None:
    with pytest.raises(CommandError, match="--to must be a minute"):
        replay([clickhouse_store.address], "now", "-1h", every=False, as_json=False)

"""Upgrades and downgrades of one release while documents arrive: what each process says, and that nothing is lost."""

from __future__ import annotations

import json
import time
import urllib.error
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from store.clickhouse.connection.address import Address
from tests.conftest import drop, own_database
from tests.raymap.releases import (
    ADDS,
    PRESENT,
    Traffic,
    drawn,
    ended,
    last_release,
    missing,
    next_release,
    request,
    totals,
)
from tests.tiers import NIGHTLY
from tests.waiting import eventually

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]
REMOVES = f"{len(PRESENT) + 1:04}_needs_{len(PRESENT) + 1:04}_next.sql"


@pytest.fixture
def database(clickhouse: Address) -> Iterator[Address]:
    address = own_database(clickhouse)
    yield address
    drop(address)


def problems(url: str) -> list[str]:
    """Of a process that is not ready, none of one that is: a load balancer sends to another one."""
    try:
        request(url + "/readyz")
    except urllib.error.HTTPError as unready:
        if unready.code != 503:
            raise
        found: list[str] = json.load(unready)["problems"]
        return found
    return []


def minute() -> int:
    """The beginning of this minute."""
    return int(time.time()) // 60 * 60


def pause(traffic: Traffic, traces: int = 15) -> None:
    """Until so many traces more have been acknowledged."""
    goal = len(traffic.sent) + traces
    eventually(lambda: len(traffic.sent) >= goal, f"{traces} traces are acknowledged")


def test_two_releases_share_a_database(database: Address, tmp_path: Path) -> None:
    """A rolling upgrade and a rolling downgrade: both collect, count and read at the same time."""
    old = replace(last_release(tmp_path), database=database)
    new = replace(next_release(tmp_path), database=database)
    since, traffic = minute(), Traffic()
    assert old.says("migrate")[0] == 0
    with traffic.flowing(), ExitStack() as newer:
        with (
            old.running("collect", tmp_path / "old") as before,
            old.running("api", tmp_path / "old-api"),
        ):
            traffic.urls = [before]
            pause(traffic)
            code, said = new.says("migrate")
            assert (code, said.endswith(ADDS)) == (0, True)
            after = newer.enter_context(new.running("collect", tmp_path / "new"))
            traffic.urls = [before, after]
            pause(traffic, 30)
            assert problems(before) == problems(after) == []
            traffic.urls = [after]
            pause(traffic)
        # Back: the old release finds nothing to do, and takes the traffic over from the new one.
        code, said = old.says("migrate")
        assert (code, said.endswith("nothing to apply")) == (0, True)
        with old.running("collect", tmp_path / "old") as before:
            traffic.urls = [before, after]
            pause(traffic, 30)
            traffic.urls = [before]
            pause(traffic)
            newer.close()
            pause(traffic)
            traffic.stop()
    assert traffic.refused == 0
    with (
        old.running("api", tmp_path / "old-api") as one,
        new.running("api", tmp_path / "api") as other,
    ):
        settled(one, since, traffic.sent)
        settled(other, since, traffic.sent)
        assert drawn(one, since) == drawn(other, since)
    recount = ("verify", "--from", str(since), "--to", str(int(time.time())))
    assert [old.says(*recount)[0], new.says(*recount)[0]] == [0, 0]


def settled(api: str, since: float, traces: list[str]) -> Any:
    """The map once a process has found and counted every trace, each once."""
    counted = {"upgraded": len(traces), "stock": len(traces)}
    eventually(lambda: not missing(api, traces), "each trace is found", seconds=150)
    eventually(lambda: totals(drawn(api, since)) == counted, "each is counted once", seconds=150)
    return drawn(api, since)


def test_a_data_directory_goes_there_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after a process was killed, whose journal the other release inserts; at night once more without."""
    monkeypatch.delenv("RAYMAP_TEST_CLICKHOUSE", raising=False)
    old, new = last_release(tmp_path), next_release(tmp_path)
    data, since, traffic = tmp_path / "data", minute(), Traffic()
    with traffic.flowing():
        killed, stopped = ((old, True), (new, True)), ((old, False), (new, False))
        for release, kill in (*killed, *stopped) if NIGHTLY else killed:
            with release.running("serve", data, kill=kill) as url:
                traffic.urls = [url]
                pause(traffic, 30)
        with old.running("serve", data) as url:
            traffic.urls = [url]
            pause(traffic)
            traffic.stop()
    maps = []
    for release in (new, old):
        with release.running("serve", data) as url:
            maps.append(settled(url, since, traffic.sent))
    assert maps[0] == maps[1]


def test_a_backup_is_restored_by_the_other_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAYMAP_TEST_CLICKHOUSE", raising=False)
    old, new = last_release(tmp_path), next_release(tmp_path)
    since, traffic, data = minute(), Traffic(), tmp_path / "data"
    maps = []
    for number, (release, other) in enumerate(((old, new), (new, old))):
        backup, elsewhere = tmp_path / f"backup-{number}", tmp_path / f"restored-{number}"
        with release.running("serve", data) as url:
            if not traffic.sent:
                traffic.urls = [url]
                with traffic.flowing():
                    pause(traffic, 20)
            maps.append(settled(url, since, traffic.sent))
            assert release.says("backup", str(backup), "--data-dir", str(data))[0] == 0
        code, said = other.says("restore", str(backup), "--data-dir", str(elsewhere))
        assert code == 0, said
        data = elsewhere
    with old.running("serve", data) as url:
        maps.append(settled(url, since, traffic.sent))
    assert maps[0] == maps[1] == maps[2]


def test_what_an_older_release_cannot_use_waits(database: Address, tmp_path: Path) -> None:
    """After a migration that takes something away: the older release stores nothing, and loses nothing."""
    old = replace(last_release(tmp_path), database=database)
    new = replace(
        next_release(tmp_path, REMOVES, "ALTER TABLE calls DROP COLUMN IF EXISTS x"),
        database=database,
    )
    name, since, traffic = f"{database.name}/{database.database}", minute(), Traffic()
    ours, theirs = len(PRESENT), len(PRESENT) + 1
    assert old.says("migrate") == (0, f"raymap: {name}: applied {', '.join(PRESENT)}")
    with old.running("collect", tmp_path / "during") as during:
        traffic.urls = [during]
        with traffic.flowing():
            pause(traffic, 3)
            # The next release does not touch a database that it has not migrated.
            older = f"{name} has an older schema ({ours}, expected {theirs})"
            refused = new.says("collect", "--port", "0", "--data-dir", str(tmp_path / "new"))
            assert refused == (1, f"raymap: {older}: run  raymap migrate  first.")
            both = [new.start("migrate"), new.start("migrate")]
            assert sorted(map(ended, both)) == [
                (0, f"raymap: {name}: applied {REMOVES}"),
                (0, f"raymap: {name}: nothing to apply"),
            ]
            assert old.says("migrate")[0] == 1
            # This release notices within seconds, also while idle; then it goes on accepting.
            newer = f"newer schema ({theirs}, for programs that know {theirs}; this one knows {ours}): upgrade this"
            eventually(lambda: any(newer in each for each in problems(during)), "not ready")
            pause(traffic, 3)
    with (
        new.running("collect", tmp_path / "during"),
        new.running("api", tmp_path / "api") as api,
    ):
        settled(api, since, traffic.sent)

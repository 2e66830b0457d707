"""The client for scripts and notebooks, against a server with the shop's traces."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from raymap.client import Client, Incomplete, PackageMissing, Refused, Stats
from raymap.commands.frames import Rows, flatten
from store.memory import MemoryStore
from tests.api.shop import END, shop
from tests.conftest import ROOT
from tests.http_server import serve

PAGE = (ROOT / "docs" / "python.md").read_text()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    store = MemoryStore()
    store.put(shop(), "shop")
    with serve(create_app(store, version="1", clock=lambda: END + 0.25)) as address:
        yield address


@pytest.fixture
def client(url: str) -> Client:
    return Client(url)


def test_the_page_runs_as_it_is_written(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block after the other, as the cells of a notebook."""
    monkeypatch.setenv("RAYMAP_URL", url)
    monkeypatch.chdir(tmp_path)
    cells = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(cells) >= 6
    names: dict[str, Any] = {}
    for cell in cells:
        exec(compile(cell, "docs/python.md", "exec"), names)
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert len(names["traces"]) == 7
    assert names["series"].to_numpy().sum() == names["stats"]["total"]["traces"]
    assert len(names["examples"]) > 0
    assert (tmp_path / "traces.parquet").stat().st_size > 0


def test_it_needs_the_standard_library_alone(url: str) -> None:
    """Without site-packages traces are read, and a table says what to install."""
    script = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from raymap.client import Client, PackageMissing
traces = Client({url!r}).traces(most=2)
print(len(list(traces)))
for read in (traces.to_pandas, traces.to_arrow):
    try: read()
    except PackageMissing as error: print(error)
"""
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "2",
        "to_pandas() needs pandas: pip install pandas, or raymap[notebook]",
        "to_arrow() needs pyarrow: pip install pyarrow, or raymap[notebook]",
    ]
    assert issubclass(PackageMissing, ImportError)


def test_nothing_is_requested_before_rows_are_wanted() -> None:
    traces = Client("http://127.0.0.1:9").traces("fault")
    with pytest.raises(Exception, match="No Raymap answers"):
        list(traces)


def test_traces_as_tables(client: Client) -> None:
    """The same in pandas and in Arrow, with instants and a column for each annotation."""
    rows = list(client.traces(start="-10m"))
    frame = client.traces(start="-10m").to_pandas()
    table = client.traces(start="-10m").to_arrow()
    assert len(frame) == table.num_rows == len(rows) == 7
    assert list(frame.columns) == table.column_names
    assert str(frame["start"].dtype.tz) == "UTC"
    assert table["start"][0].as_py().timestamp() == pytest.approx(rows[0]["start"])
    assert "gold" in set(frame["annotation.tier"].explode().dropna())
    assert frame["entry_name"].notna().any()


def test_instants_are_taken(client: Client) -> None:
    start = datetime.fromtimestamp(END - 600, UTC)
    assert len(list(client.traces(start=start, end=END))) == len(list(client.traces(start="-10m")))


def test_groups_and_steps(client: Client) -> None:
    stats = client.stats(
        by=("annotation.tier", "state"), metrics=("count", "p95"), start="-10m", step="1m"
    )
    assert stats.complete
    frame = stats.to_pandas()
    assert list(frame.columns) == [
        *("annotation.tier", "state", "traces", "count", "p95", "filter", "status")
    ]
    assert frame["count"].sum() == sum(group["metrics"]["count"] or 0 for group in stats.groups)
    assert frame.attrs["complete"] is True
    points = stats.points.to_pandas()
    assert points["count"].sum() == frame["count"].sum()
    assert stats.to_arrow().num_rows == len(frame)


def test_a_table_warns_of_what_it_lacks(client: Client) -> None:
    with pytest.warns(Incomplete, match="more groups: pass limit"):
        client.stats(by="service", start="-10m", limit=1).to_pandas()
    partial = client.stats(by="user", start="-10m")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        partial.to_pandas()
    counted = Stats({**partial, "complete": False, "examined": 3})
    assert not counted.complete
    with pytest.warns(Incomplete, match="only the newest 3 traces"):
        counted.to_arrow()


def test_the_map_as_tables(client: Client) -> None:
    found = client.map(start="-10m")
    services = found.services.to_pandas()
    assert set(services["name"]) == {each["name"] for each in found["services"]}
    edges = found.edges.to_arrow()
    assert edges.num_rows == len(found["edges"])
    assert client.services(start="-10m").to_arrow().num_rows == len(services)


def test_values_of_several_types_are_text_in_arrow() -> None:
    rows: list[dict[str, Any]] = [
        {"annotations": {"n": [1], "k": ["a"], "many": [1, "b"]}, "entry": {"name": "x"}},
        {"annotations": {"n": [1.5], "k": [True], "many": ["c", "d"]}, "entry": None},
    ]
    table = Rows(lambda: rows).to_arrow()
    assert table["annotation.n"].to_pylist() == [1.0, 1.5]
    assert table["annotation.k"].to_pylist() == ["a", "true"]
    assert table["annotation.many"].to_pylist() == ['[1, "b"]', '["c", "d"]']
    assert table["entry_name"].to_pylist() == ["x", None]
    assert "entry" not in table.column_names
    assert flatten(rows[0])["annotation.many"] == [1, "b"]
    assert Rows(list).to_pandas().empty
    assert Rows(list).to_arrow().num_rows == 0


def test_a_refusal_has_its_position(client: Client) -> None:
    with pytest.raises(Refused) as refused:
        list(client.traces("ok AND falt"))
    assert (refused.value.status, refused.value.position) == (400, 7)

"""Fills Raymap's own tables with a data set, in SQL inside the engine, and says what it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from clickhouse_driver import Client

from bench.scale.shapes import SHAPES, T0
from store.model import TimeRange

STEP = 500_000
"""Traces made by one statement."""
SETTINGS = {
    "max_insert_threads": 2,
    "max_block_size": 65_536,
    "min_insert_block_size_rows": 1_000_000,
    "min_insert_block_size_bytes": 0,
    "insert_deduplicate": 0,
    "max_execution_time": 0,
}


@dataclass(frozen=True, slots=True)
class DataSet:
    """What is made: ``rows`` of segments and calls spread evenly over ``hours`` from ``start`` on (epoch
    seconds)."""

    shape: str
    rows: int
    hours: float
    seed: int = 1
    documents: bool = False
    start: int = T0

    @property
    def traces(self) -> int:
        """How many traces the rows are."""
        return self.rows // SHAPES[self.shape].rows

    @property
    def window(self) -> TimeRange:
        """From the first start to after the last, microseconds."""
        return TimeRange(
            self.start * 1_000_000, round((self.start + self.hours * 3600) * 1_000_000)
        )

    @property
    def name(self) -> str:
        """For files and tables of figures."""
        million = f"{self.rows / 1e6:g}M"
        return f"{self.shape} {million}, {self.hours:g} h" + (", raw" if self.documents else "")


def statements(data: DataSet, first: int, count: int) -> Iterator[tuple[str, str]]:
    """The inserts of ``count`` traces from number ``first`` on: table and SQL, in the writer's order."""
    shape = SHAPES[data.shape]
    body = {"body": shape.body} if data.documents else {}
    tables = {"calls": shape.call_columns, "segments": shape.segment_columns | body}
    for source, columns in tables.items():
        for table, derived in (("dirty", _marks(columns)), ("traces", _traces(source, columns))):
            yield table, _insert(data, table, derived, source, first, count)
    for source, columns in tables.items():
        yield source, _insert(data, source, columns, source, first, count)


def _marks(columns: dict[str, str]) -> dict[str, str]:
    return {"bucket": f"intDiv({columns['start']}, 5000000)", "rows": "1"}


def _traces(source: str, columns: dict[str, str]) -> dict[str, str]:
    """What `store.clickhouse.write.inserts` sends."""
    same = {name: columns[name] for name in ("trace_id", "duration", "received", "ver")}
    document = str(int(source == "segments"))
    return {**same, "lo": columns["start"], "sampled": document, "document": document}


def _insert(
    data: DataSet, table: str, columns: dict[str, str], source: str, first: int, count: int
) -> str:
    shape, calls = SHAPES[data.shape], source == "calls"
    each = shape.calls if calls else shape.segments
    of_row = shape.call if calls else shape.segment
    places = {
        "t": f"{first} + intDiv(number, {each})",
        "j": f"number % {each}",
        **shape.common,
        **of_row,
    }
    names = ", ".join(f"{text} AS {name}" for name, text in places.items())
    # A column may be named like a word of the shape that means something else: select by place.
    values = ", ".join(columns.values())
    sql = f"INSERT INTO {table} ({', '.join(columns)}) WITH {names} SELECT {values} FROM numbers({count * each})"
    step = data.hours * 3_600_000_000 / data.traces
    values_of = {"seed": data.seed, "t0": data.start, "step": repr(step), "traces": data.traces}
    for place, value in values_of.items():
        sql = sql.replace("{" + place + "}", str(value))
    return sql


def fill(client: Client, data: DataSet, say: Callable[[str], None] = lambda _: None) -> float:
    """Make the rows; returns the seconds it took."""
    begun = time.monotonic()
    for first in range(0, data.traces, STEP):
        count = min(STEP, data.traces - first)
        for _, sql in statements(data, first, count):
            client.execute(sql, settings=SETTINGS)
        done = (first + count) / data.traces
        say(f"{done:.0%} after {time.monotonic() - begun:.0f} s")
    return time.monotonic() - begun


def insert_floors(client: Client, data: DataSet, count: int = 100_000) -> dict[str, float]:
    """Rows/s of the same insert into Raymap's tables, into plain ones (the same columns and codecs, no
    indexes or fsync), and into memory: hardly more than it takes to make the rows."""
    rates: dict[str, float] = {}
    for kind, engine in (
        ("memory", "Memory"),
        ("plain tables", "MergeTree ORDER BY tuple()"),
        ("ours", ""),
    ):
        later = DataSet(data.shape, data.rows, data.hours, seed=data.seed + 77)
        rows, seconds = 0, 0.0
        for table, statement in statements(later, 0, count):
            if table not in ("calls", "segments"):
                if engine:
                    continue
            elif engine:
                client.execute("DROP TABLE IF EXISTS bench_floor")
                client.execute(_plain(client, table, engine))
                statement = statement.replace(
                    f"INSERT INTO {table} ", "INSERT INTO bench_floor ", 1
                )
            begun = time.monotonic()
            client.execute(statement, settings=SETTINGS)
            seconds += time.monotonic() - begun
        rows += count * SHAPES[data.shape].rows
        rates[kind] = rows / seconds
    client.execute("DROP TABLE IF EXISTS bench_floor")
    return rates


def _plain(client: Client, table: str, engine: str) -> str:
    columns = client.execute(
        "SELECT name, type, compression_codec FROM system.columns WHERE database = currentDatabase() "
        f"AND table = '{table}' AND default_kind != 'ALIAS' AND default_kind != 'MATERIALIZED'"
    )
    listed = ", ".join(
        f"{name} {type} {codec if engine != 'Memory' else ''}" for name, type, codec in columns
    )
    return f"CREATE TABLE bench_floor ({listed}) ENGINE = {engine}"

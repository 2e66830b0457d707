"""How fast Raymap answers over 1 M, 10 M and 100 M rows, and what the rows take on disk.

Fills an embedded ClickHouse of its own with made-up traffic (`bench.scale.shapes`), counts the map as
a collector does, and times the map, traces by id and searches through the store, each beside what the
engine itself needs for the same rows. 100 M rows take some 5 minutes to make and 6 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from clickhouse_driver import Client
from rich.console import Console

from bench import sections
from bench.scale.generate import DataSet, fill, insert_floors
from bench.scale.load import ARRIVING, counting, inserting, settle
from bench.scale.measure import Bench, Figure
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import default_memory
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore

MIB = 1 << 20
_EXPLAINED = """Milliseconds through the store: the median of 7 (35 for traces); in brackets its ratio
to the floor, run in turn with it; behind that the first one, with cold caches. The API remembers sums
of what was counted (`store/clickhouse/graph/rollup_cache.py`): "nothing remembered" is without that. Floors: of the map a
bare read of its rollup rows, of a trace a read of its segments by their key, of a search a count over
the columns that decide. Data sets: `bench/scale/shapes.py`."""
RETENTION_DAYS = 10_000  # the data sets lie at a fixed time


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found of one data set."""

    name: str
    rows: int
    made: float
    counted: float
    bytes_per_row: dict[str, float]
    insert: dict[str, float]
    rss_mib: float
    peak_mib: float
    figures: list[Figure]


def measure(data: DataSet, folder: Path, console: Console, *, only: str = "") -> Report:
    """Make a data set, unless the folder has it, and time everything."""
    with EmbeddedClickHouse(folder, memory_bytes=min(6 << 30, default_memory())) as engine:
        assert engine.process is not None
        migrate(engine.address, {"retention_days": RETENTION_DAYS})
        store = ClickHouseStore(engine.address)
        client = connect(engine.address)
        with counting(store):
            made, counted = _prepared(client, data, folder, console)
            bench = Bench(store, data, folder)
            figures: list[Figure] = []
            for figure in _all(bench, only):
                figures.append(figure)
                console.print(_line(figure))
            sizes = {} if only else bytes_per_row(client, data)
            floors = {} if only else insert_floors(client, data)
            if not only or only == "map":
                with inserting(engine.address, data):
                    for figure in bench.graphs(f", while {ARRIVING:,} rows/s arrive"):
                        figures.append(figure)
                        console.print(_line(figure))
        process = psutil.Process(engine.process.pid)
        rss, peak = process.memory_info().rss / MIB, _peak(process.pid)
        client.disconnect()
        store.close()
    return Report(data.name, data.rows, made, counted, sizes, floors, rss, peak, figures)


def _all(bench: Bench, only: str) -> Iterator[Figure]:
    for name, part in (("map", bench.graphs), ("trace", bench.traces), ("search", bench.searches)):
        if only in ("", name):
            yield from part()


def _prepared(client: Client, data: DataSet, folder: Path, console: Console) -> tuple[float, float]:
    """Seconds of making the rows, and until they were counted and merged; stored rows have theirs recorded."""
    mark = folder / "bench-scale.json"
    if mark.exists():
        stored = json.loads(mark.read_text())
        if stored["data"] != asdict(data):
            raise SystemExit(f"{folder} contains another data set: {stored['data']}")
        settle(client, calm_for=15.0)
        return stored["made"], stored["counted"]
    made = fill(client, data, lambda text: console.print(f"{data.name}: {text}"))
    counted = settle(client)
    mark.write_text(json.dumps({"data": asdict(data), "made": made, "counted": counted}))
    return made, counted


def bytes_per_row(client: Client, data: DataSet) -> dict[str, float]:
    """What each table takes on disk, of a row of segments or calls."""
    rows = client.execute(
        "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() "
        "GROUP BY table ORDER BY 2 DESC"
    )
    ((count,),) = client.execute(
        "SELECT (SELECT count() FROM segments) + (SELECT count() FROM calls)"
    )
    return {table: size / count for table, size in rows if size / count >= 0.05}


def _peak(pid: int) -> float:
    """The most memory a process ever had, MiB; 0 where the kernel does not say."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _line(figure: Figure) -> str:
    ratio = f", {figure.ratio:.1f} × the floor" if figure.ratio else ""
    cold = f", cold {figure.cold:.0f}" if figure.cold is not None else ""
    return f"  {figure.what:50s} {figure.median:8.1f} ms{cold}{ratio}  ({figure.answer})"


def markdown(reports: Sequence[Report], command: str) -> str:
    """The section of docs/benchmarks/README.md."""
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    names = [report.name for report in reports]
    lines = [
        "## Scale",
        "",
        f"`{command}`, {now}, {sections.machine()}; ClickHouse embedded, two threads a query.",
        "",
        _EXPLAINED,
        "",
    ]
    questions = list(dict.fromkeys(f.what for report in reports for f in report.figures))
    found = [{f.what: f for f in report.figures} for report in reports]
    targets = {f.what: f.target for report in reports for f in report.figures if f.target}
    lines += sections.table(
        ["", "target", *names],
        (
            [
                what,
                f"{targets[what]:.0f}" if what in targets else "",
                *(_cell(figures.get(what)) for figures in found),
            ]
            for what in questions
        ),
    )
    lines += ["", "Bytes on disk for each row of segments and calls, after merges:", ""]
    tables = list(dict.fromkeys(table for report in reports for table in report.bytes_per_row))
    body = [[table, *(f"{r.bytes_per_row.get(table, 0):.1f}" for r in reports)] for table in tables]
    body.append(["all", *(f"{sum(r.bytes_per_row.values()):.1f}" for r in reports)])
    lines += sections.table(["table", *names], body)
    lines += ["", "Making the rows, and the engine:", ""]
    lines += sections.table(
        ["", *names],
        [
            ["rows made in, s", *(f"{r.made:.0f}" for r in reports)],
            ["then counted and merged in, s", *(f"{r.counted:.0f}" for r in reports)],
            *(
                [
                    f"insert of the same rows into {kind}, rows/s",
                    *(f"{r.insert.get(kind, 0):,.0f}" for r in reports),
                ]
                for kind in dict.fromkeys(kind for r in reports for kind in r.insert)
            ),
            ["RSS of ClickHouse, MiB", *(f"{r.rss_mib:,.0f}" for r in reports)],
            ["at most, MiB", *(f"{r.peak_mib:,.0f}" for r in reports)],
        ],
    )
    return "\n".join(lines)


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    ratio = f" ({figure.ratio:.1f} ×)" if figure.ratio else ""
    cold = f", {figure.cold:.0f}" if figure.cold is not None else ""
    return f"{figure.median:.1f}{ratio}{cold}"


def data_sets(options: argparse.Namespace) -> Iterator[DataSet]:
    """The options of a run."""
    for shape in options.shape.split(","):
        for text in options.rows.split(","):
            rows = round(float(text.upper().removesuffix("M")) * 1_000_000)
            hours = options.hours or (24.0 if rows > 10_000_000 else 6.0)
            yield DataSet(shape, rows, hours, options.seed, options.documents)


@contextmanager
def _folder(options: argparse.Namespace, data: DataSet) -> Iterator[Path]:
    """The folder of a data set: reused, or temporary."""
    if options.keep:
        name = f"{data.shape}-{data.rows}-{data.hours:g}h-{data.seed}" + (
            "-raw" if data.documents else ""
        )
        yield (options.folder or Path("bench-data")) / name
        return
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="raymap-bench-", dir=options.folder) as folder:
        yield Path(folder)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--rows", default="1M", help="sizes, such as 1M,10M,100M")
    parser.add_argument("--shape", default="shop", help="shop, jaeger, or both by comma")
    parser.add_argument("--hours", type=float, help="spread over; default: 6, of more than 10M 24")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--documents", action="store_true", help="with raw documents")
    parser.add_argument("--folder", type=Path, help="for the data; default: a temporary one")
    parser.add_argument("--keep", action="store_true", help="keep the data, and use it again")
    parser.add_argument("--only", default="", choices=("", "map", "trace", "search"))
    parser.add_argument("--docs", type=Path, help="documentation folder to write the results to")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    return parser.parse_args()


def main() -> None:
    options = parse()
    console = Console(width=150, highlight=False)
    reports = []
    for data in data_sets(options):
        with _folder(options, data) as folder:
            reports.append(measure(data, folder, console, only=options.only))
    command = " ".join(["python -m bench.scale", *sys.argv[1:]])
    text = markdown(reports, command)
    console.print(text, markup=False)
    if options.docs:
        sections.write(options.docs, "scale", text)
    if options.json:
        options.json.write_text(json.dumps([asdict(report) for report in reports], indent=1))


if __name__ == "__main__":
    main()

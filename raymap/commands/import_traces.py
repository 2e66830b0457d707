"""`raymap import FILE…`: sends trace documents from files to a running server and prints the outcome.

The server decodes the formats (a trace, a list, {"Traces": [..]}, JSON lines); here files are only
split into requests of a size it accepts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from raymap.commands.server import Refused, no_raymap, post
from raymap.errors import CommandError
from raymap.units import counted

BATCH_BYTES = 4 << 20


@dataclass(slots=True)
class Outcome:
    """What became of the traces sent so far."""

    traces: int = 0
    stored: int = 0
    skipped: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, traces: int, answer: dict[str, Any]) -> None:
        self.traces += traces
        self.stored += answer["stored"]
        self.skipped += answer.get("skipped_inferred", 0)
        self.rejected.update(f"{r['code']}: {r['message']}" for r in answer["rejected"])
        unnamed = answer.get("rejected_count", 0) - len(answer["rejected"])
        if unnamed > 0:
            self.rejected["others, which the server counted"] += unnamed


def import_files(files: Sequence[Path], to: str) -> bool:
    """Send the files, print a summary to standard error; whether every document was stored."""
    console, outcome = Console(stderr=True), Outcome()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        for path in files:
            task = progress.add_task(path.name, total=path.stat().st_size)
            for traces, size, body in read_batches(path):
                outcome.add(traces, send(to, body, traces))
                progress.advance(task, size)
            progress.update(task, completed=path.stat().st_size)
    summarize(outcome, console)
    return not outcome.rejected


def read_batches(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Per request: number of traces, bytes of the file it covers, body (JSON lines)."""
    batch: list[bytes] = []
    size = 0
    for line in read_values(path):
        if batch and size + len(line) > BATCH_BYTES:
            yield len(batch), size, b"\n".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield len(batch), size, b"\n".join(batch)


def read_values(path: Path) -> Iterator[bytes]:
    """The file's traces, each as one line of JSON; a line that is not JSON is left for the server to
    reject."""
    with path.open("rb") as file:
        first = file.readline()
        if first.strip() and _is_json(first) and (rest := file.readline()):
            yield first.strip()
            yield rest.strip()
            yield from (line.strip() for line in file if line.strip())
            return
    content = path.read_bytes()
    if not content.strip():
        raise CommandError(f"{path} is empty.")
    try:
        whole = json.loads(content)
    except UnicodeDecodeError:
        raise CommandError(f"{path} is neither JSON nor JSON lines: it is no text.") from None
    except ValueError as error:
        raise CommandError(f"{path} is neither JSON nor JSON lines: {error}.") from None
    if isinstance(whole, dict) and isinstance(whole.get("Traces"), list):
        whole = whole["Traces"]
    for value in whole if isinstance(whole, list) else [whole]:
        yield json.dumps(value, separators=(",", ":")).encode()


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def send(to: str, body: bytes, traces: int) -> dict[str, Any]:
    """What the server says of so many traces. Raises CommandError."""
    try:
        answer = json.loads(post(to, "/api/traces", body))
    except Refused as refusal:
        if refusal.status != 400:
            raise
        # None of them is a trace; the rest of the file may be.
        named = {"code": "InvalidRequest", "message": refusal.said}
        return {"stored": 0, "rejected": [named], "rejected_count": traces}
    except ValueError:
        raise no_raymap(to) from None
    if not isinstance(answer, dict) or not {"stored", "rejected"} <= answer.keys():
        raise no_raymap(to)
    return answer


def summarize(outcome: Outcome, console: Console) -> None:
    """Print what became of the traces, with the reasons of what was refused."""
    refused = outcome.rejected.total()
    skipped = f", {outcome.skipped} inferred ones left to be computed" if outcome.skipped else ""
    console.print(
        f"{counted(outcome.traces, 'trace')}: {counted(outcome.stored, 'segment')} stored{skipped}, "
        f"{refused} refused",
        soft_wrap=True,
    )
    for reason, count in outcome.rejected.most_common(20):
        console.print(f"  {count} × {reason}", markup=False, highlight=False, soft_wrap=True)

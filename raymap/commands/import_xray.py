"""`raymap import --from-xray`: copies traces, sampling rules and groups of AWS X-Ray to a running server.

Time is copied in windows, the oldest first, since those expire first. A window that is complete is
remembered in the checkpoint; the others are copied again by the next run. That changes nothing on
the server, where a document is known by its trace and its id.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from raymap.commands.import_checkpoint import Checkpoint, Span, default_path, remaining
from raymap.commands.import_settings import Copied, copy_settings
from raymap.commands.import_source import MAX_IDS, SourceOptions, XraySource
from raymap.commands.import_traces import BATCH_BYTES, Outcome, send, summarize
from raymap.errors import CommandError, describe
from raymap.units import counted, format_minute
from store.times import DAY, HOUR, MINUTE, SECOND

WINDOW = HOUR
"""X-Ray permits six hours in a request. A shorter window costs little and is soon complete."""
RETAINED = 30 * DAY
"""By X-Ray."""
SETTLING = 10 * MINUTE
"""Traces that began so recently may still grow: the next run copies them again."""
MOST_IDS = 20_000
"""Trace ids in memory: a window that has more is halved."""
ROUNDS = 3
"""Requests for traces that X-Ray does not process at once."""
INTERRUPTED = 130


class Job(NamedTuple):
    """What to copy, from where and where to. Times in microseconds."""

    to: str
    since: int
    until: int
    source: SourceOptions = SourceOptions()
    filter: str = ""
    checkpoint: Path | None = None
    settings: bool = True
    overwrite: bool = False


@dataclass(slots=True)
class Copy:
    """What was copied so far."""

    outcome: Outcome = field(default_factory=Outcome)
    windows: int = 0
    missing: int = 0
    """Traces that X-Ray named and did not return."""
    cut: int = 0
    """Traces that exceed X-Ray's limit of size, of which it returns a part."""
    settings: list[Copied] = field(default_factory=list)
    error: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything was copied."""
        refused = self.outcome.rejected or any(each.failed for each in self.settings)
        return not (refused or self.missing or self.error)


def import_xray(job: Job) -> int:
    """Copy, print a summary to standard error; the exit code: 0 when everything was copied."""
    console, copy = Console(stderr=True), Copy()
    source = XraySource(job.source)
    whole = _window_of(job, console)
    checkpoint = _checkpoint(job, source)
    code = 1
    try:
        _copy(job, source, whole, checkpoint, copy, console)
        code = 0 if copy.complete else 1
    except KeyboardInterrupt:
        copy.error, code = "Interrupted.", INTERRUPTED
    except (CommandError, OSError) as error:
        copy.error = describe(error)
    _summarize(copy, checkpoint, console)
    return code


def _window_of(job: Job, console: Console) -> Span:
    oldest = time.time_ns() // 1000 - RETAINED
    if job.since >= job.until:
        raise CommandError("--from must be before --to.")
    if job.source.endpoint_url or job.since >= oldest:
        return job.since, job.until
    if job.until <= oldest:
        raise CommandError("X-Ray retains traces for 30 days: --to is before that.")
    if job.since < oldest - MINUTE:
        console.print("X-Ray retains traces for 30 days: it has none from before.", soft_wrap=True)
    return oldest, job.until


def _checkpoint(job: Job, source: XraySource) -> Checkpoint:
    named = {
        "profile": job.source.profile,
        "region": source.region,
        "endpoint": source.endpoint,
        "filter": job.filter,
        "to": job.to,
    }
    return Checkpoint.load(job.checkpoint or default_path(named), named)


def _copy(
    job: Job, source: XraySource, whole: Span, checkpoint: Checkpoint, copy: Copy, console: Console
) -> None:
    if job.settings:
        copy.settings = copy_settings(source, job.to, overwrite=job.overwrite)
    if source.sends_spans_to_logs():
        console.print(
            "This account sends its spans to CloudWatch Logs (Transaction Search): "
            "X-Ray's API has the indexed ones only, and so will the copy.",
            soft_wrap=True,
        )
    windows = list(remaining(whole, checkpoint.done, WINDOW))
    with _progress(console, len(windows)) as advance:
        for window in windows:
            advance(f"{format_minute(window[0] / SECOND)} · {copy.outcome.traces:,} traces", 0)
            seen = time.time_ns() // 1000
            if _copy_window(source, window, job, copy):
                checkpoint.complete((window[0], min(window[1], seen - SETTLING)))
            copy.windows += 1
            advance("", 1)


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("", total=total)

        def advance(description: str, windows: int) -> None:
            progress.update(task, description=description or None, advance=windows)

        yield advance


def _copy_window(source: XraySource, window: Span, job: Job, copy: Copy) -> bool:
    """Copy the traces of a window; whether X-Ray returned all of them."""
    whole = True
    for ids in _ids(source, window, job.filter):
        whole &= _copy_traces(source, ids, job.to, copy)
    return whole


def _ids(source: XraySource, window: Span, filter: str) -> Iterator[list[str]]:
    """The ids of a window, in several lists if there are many."""
    start, end = window
    found: dict[str, None] = {}
    for id in source.trace_ids(window, filter):
        found[id] = None
        if len(found) > MOST_IDS and end - start > 2 * SECOND:
            middle = (start + end) // 2
            yield from _ids(source, (start, middle), filter)
            yield from _ids(source, (middle, end), filter)
            return
    yield list(found)


def _copy_traces(source: XraySource, ids: Sequence[str], to: str, copy: Copy) -> bool:
    batch = _Batch(to, copy.outcome)
    left = list(ids)
    for _ in range(ROUNDS):
        unprocessed: list[str] = []
        for at in range(0, len(left), MAX_IDS):
            for page in source.traces(left[at : at + MAX_IDS]):
                unprocessed += page.unprocessed
                for trace in page.traces:
                    copy.cut += bool(trace.get("LimitExceeded"))
                    batch.add(trace)
        left = unprocessed
        if not left:
            break
    batch.flush()
    copy.missing += len(left)
    return not left


class _Batch:
    """Traces on their way to the server, one a line."""

    def __init__(self, to: str, outcome: Outcome) -> None:
        self._to, self._outcome = to, outcome
        self._lines: list[bytes] = []
        self._size = self._traces = 0
        self._last = ""

    def add(self, trace: dict[str, Any]) -> None:
        """Take a trace, or a further part of the one before."""
        line = json.dumps({"Id": trace["Id"], "Segments": trace.get("Segments", [])}).encode()
        if self._lines and self._size + len(line) > BATCH_BYTES:
            self.flush()
        self._traces += trace["Id"] != self._last
        self._last = trace["Id"]
        self._lines.append(line)
        self._size += len(line) + 1

    def flush(self) -> None:
        """Send what there is and count what became of it."""
        if self._lines:
            answer = send(self._to, b"\n".join(self._lines), self._traces)
            self._outcome.add(self._traces, answer)
        self._lines, self._size, self._traces = [], 0, 0


def _summarize(copy: Copy, checkpoint: Checkpoint, console: Console) -> None:
    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    for settings in copy.settings:
        for line in settings.lines():
            say(line)
    say(f"{counted(copy.windows, 'window')} of time copied")
    summarize(copy.outcome, console)
    if copy.missing:
        say(f"  {counted(copy.missing, 'trace')} named and not returned by X-Ray")
    if copy.cut:
        say(f"  {counted(copy.cut, 'trace')} above X-Ray's limit of size, returned in part")
    if copy.error or copy.missing:
        say(f"{copy.error} The same command continues: {checkpoint.path} has what is done.".strip())

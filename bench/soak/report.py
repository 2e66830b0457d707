"""What the soak has shown: on the terminal, as a picture, and as a section of docs/benchmarks/README.md."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from bench import sections
from bench.soak.picture import Line, Panel, draw
from bench.soak.reader import KINDS, MAPS, Answer
from bench.soak.sender import Sent
from bench.soak.watch import Sample, Stored, Verified, quantile, quantiles

MIB = 1 << 20
_SLICES = 60
"""Parts of the time that a point of the picture's rates and latencies is about."""


@dataclass(slots=True)
class Soak:
    """Everything that was seen. Times are epoch seconds where they say ``begun``, else seconds."""

    command: str
    rate: float
    maximum: float | None
    begun: float
    sent: Sent = field(default_factory=Sent)
    samples: list[Sample] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    drained: float = 0.0
    kernel_drops: int = 0
    stored: Stored = field(default_factory=lambda: Stored(0, 0))
    differences: list[str] = field(default_factory=list)
    verified: Verified | None = None
    rounds: str = ""
    """How long the rounds of counting took."""

    @property
    def lost(self) -> int:
        """Sent as a datagram, or acknowledged, and not there."""
        return max(0, self.sent.acknowledged_documents - self.stored.documents)

    @property
    def failures(self) -> list[str]:
        """Why the soak does not hold, in words."""
        findings = []
        if self.lost:
            findings.append(
                f"{self.lost:,} documents are lost, {self.kernel_drops:,} by the kernel"
            )
        if self.sent.refused:
            findings.append(f"{self.sent.refused:,} documents were refused")
        if not self.lost and not self.sent.refused:
            findings += self.differences
        if failed := [answer for answer in self.answers if answer.failed]:
            findings.append(f"{len(failed)} queries failed, first: {failed[0].failed}")
        if self.verified is not None and self.verified.code != 0:
            findings.append("raymap verify found differences")
        if self.sent.sent < 0.97 * self.rate * self.sent.seconds:
            findings.append("the sender fell behind: the rate was not reached")
        return findings


def rows(soak: Soak) -> Iterator[tuple[str, str]]:
    """The figures, by what they say."""
    sent = soak.sent
    offered = f"{soak.rate:,.0f} documents/s"
    if soak.maximum:
        offered += f", {soak.rate / soak.maximum:.0%} of {soak.maximum:,.0f}"
    yield "offered", offered
    yield "for", f"{sent.seconds / 60:.1f} minutes"
    kinds = f"{sent.udp:,} datagrams, {sent.posted:,} through PutTraceSegments"
    if sent.spans:
        kinds += f", {sent.spans:,} spans with random trace ids"
    yield "sent", f"{sent.sent:,} documents: {kinds}"
    acknowledged = sent.acknowledged + sent.spans_acknowledged
    yield "acknowledged", f"{acknowledged:,} of {sent.posted + sent.spans:,} that wait for it"
    yield "stored", f"{soak.stored.documents:,}"
    yield "lost", f"{soak.lost:,} (dropped by the kernel: {soak.kernel_drops:,})"
    yield "rows beyond one per document", f"{soak.stored.rows - soak.stored.documents:,}"
    yield "last one stored after the last one sent", f"{soak.drained:.1f} s"
    wrong = len(soak.differences)
    yield "nodes and edges counted otherwise than sent", f"{wrong}"
    yield "rounds of counting", soak.rounds
    if soak.verified is None:
        yield "`raymap verify`", "there is no such command"
    else:
        yield "`raymap verify`", f"exit code {soak.verified.code}"


def throughput(soak: Soak) -> list[float]:
    """Documents stored per second, sample by sample."""
    return [(b.stored - a.stored) / (b.at - a.at) for a, b in pairwise(soak.samples)]


def memory(soak: Soak) -> Iterator[tuple[str, float, float, float, float]]:
    """Of each process: RSS after a tenth of the time, at the end and at most (MiB), and cores."""
    first, last = soak.samples[len(soak.samples) // 10], soak.samples[-1]
    for name in last.rss:
        seen = [sample for sample in soak.samples if name in sample.rss]
        cores = (last.cpu[name] - seen[0].cpu[name]) / max(1e-9, last.at - seen[0].at)
        at_first = first.rss.get(name, seen[0].rss[name])
        highest = max(sample.rss[name] for sample in seen)
        yield name, at_first / MIB, last.rss[name] / MIB, highest / MIB, cores


def picture(soak: Soak) -> str:
    """Throughput, latency of the map, and memory over time."""
    minutes = soak.sent.seconds / 60
    looks = soak.samples[:: max(1, len(soak.samples) // _SLICES)]
    pairs = [(a, b, (a.at + b.at) / 120, b.at - a.at) for a, b in pairwise(looks)]
    rates = [
        Line("sent", [(x, (b.sent - a.sent) / dt) for a, b, x, dt in pairs], dashed=True),
        Line("stored", [(x, (b.stored - a.stored) / dt) for a, b, x, dt in pairs]),
    ]
    memory_lines = [
        Line(name, [(s.at / 60, s.rss.get(name, math.nan) / MIB) for s in soak.samples])
        for name in soak.samples[-1].rss
    ]
    panels = [
        Panel("documents per second", rates),
        *(Panel(f"{kind}, milliseconds", list(_latencies(soak, kind))) for kind in MAPS),
        Panel("resident memory by process, MiB", memory_lines),
    ]
    day = datetime.fromtimestamp(soak.begun, UTC)
    subtitle = f"{next(rows(soak))[1]}, {minutes:.3g} minutes, {day:%Y-%m-%d}; {sections.machine()}"
    return draw("Raymap under a steady load, with readers", subtitle, panels, minutes)


def _latencies(soak: Soak, kind: str) -> Iterator[Line]:
    length = max(soak.sent.seconds, 1e-9) / _SLICES
    slices: list[list[float]] = [[] for _ in range(_SLICES)]
    for answer in soak.answers:
        number = int((answer.at - soak.begun) / length)
        if answer.kind == kind and not answer.failed and 0 <= number < _SLICES:
            slices[number].append(answer.seconds * 1000)
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        times = [((n + 0.5) * length / 60, quantile(s, share)) for n, s in enumerate(slices) if s]
        yield Line(name, times)


def markdown(soak: Soak) -> str:
    """The section, without its marks."""
    day = datetime.fromtimestamp(soak.begun, UTC)
    lines = [
        "## Soak",
        "",
        f"`{soak.command}`, {day:%Y-%m-%d %H:%M} UTC, {sections.machine()}; senders and readers on the same machine.",
        "",
        "![Throughput, latency and memory over time](soak.svg)",
        "",
        *sections.table(("", ""), rows(soak)),
        "",
        f"Stored per second, over {len(soak.samples) - 1} samples: "
        + ", ".join(f"p{p} {quantile(throughput(soak), p / 100):,.0f}" for p in (5, 50, 95))
        + ".",
        "",
        *sections.table(
            ("query while it ran", "times", "failed", "p50", "p95", "p99"), questions(soak)
        ),
        "",
        *sections.table(
            ("process", "MiB early", "at the end", "at most", "cores"), processes(soak)
        ),
        "",
    ]
    if soak.verified is not None:
        lines += ["```", *soak.verified.said.splitlines()[-12:], "```", ""]
    lines += [f"* {failure}" for failure in soak.failures]
    return "\n".join(lines).rstrip() + "\n"


def questions(soak: Soak) -> Iterator[tuple[str, ...]]:
    for kind in KINDS:
        count, failed, *times = quantiles(soak.answers, kind)
        times_ms = (f"{t * 1000:,.0f} ms" if math.isfinite(t) else "–" for t in times)
        yield kind, f"{count:,}", f"{failed}", *times_ms


def processes(soak: Soak) -> Iterator[tuple[str, ...]]:
    for name, first, last, highest, cores in memory(soak):
        yield name, f"{first:,.0f}", f"{last:,.0f}", f"{highest:,.0f}", f"{cores:.2f}"


def write(soak: Soak, docs: Path) -> None:
    """Write benchmarks/soak.svg and the section of the current results below ``docs``."""
    (sections.results_folder(docs) / "soak.svg").write_text(picture(soak))
    sections.write(docs, "soak", markdown(soak))

"""Sections of docs/BENCHMARKS.md that a bench writes, and writes anew when it runs again."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path


def write(folder: Path, name: str, text: str) -> None:
    """Put a section into BENCHMARKS.md of a folder: in its old place, else at the end."""
    begin, end = f"<!-- {name}: written by python -m bench.{name} -->", f"<!-- /{name} -->"
    file = folder / "BENCHMARKS.md"
    before = file.read_text() if file.exists() else "# Benchmarks\n"
    section = f"{begin}\n{text.rstrip()}\n{end}\n"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end) + r"\n?", re.DOTALL)
    if pattern.search(before):
        after = pattern.sub(lambda _: section, before)
    else:
        after = before.rstrip("\n") + "\n\n" + section
    file.write_text(after)


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of a table; all but the first column are numbers."""
    yield f"| {' | '.join(head)} |"
    yield "|---" + "|--:" * (len(head) - 1) + "|"
    for row in body:
        yield f"| {' | '.join(row)} |"


def machine() -> str:
    """Cores and memory, and which Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"

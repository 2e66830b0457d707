"""Sections of docs/benchmarks/README.md that a bench generates and replaces on its next run."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path


def results_folder(docs: Path) -> Path:
    """The folder of current results inside a documentation folder, created if missing."""
    folder = docs / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write(docs: Path, name: str, text: str) -> None:
    """Replace the section ``name`` of the current results, or append it at the end."""
    begin, end = f"<!-- {name}: written by python -m bench.{name} -->", f"<!-- /{name} -->"
    file = results_folder(docs) / "README.md"
    before = file.read_text() if file.exists() else "# Benchmarks: current results\n"
    section = f"{begin}\n{text.rstrip()}\n{end}\n"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end) + r"\n?", re.DOTALL)
    if pattern.search(before):
        after = pattern.sub(lambda _: section, before)
    else:
        after = before.rstrip("\n") + "\n\n" + section
    file.write_text(after)


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of a Markdown table, every column but the first right-aligned."""
    yield f"| {' | '.join(head)} |"
    yield "|---" + "|--:" * (len(head) - 1) + "|"
    for row in body:
        yield f"| {' | '.join(row)} |"


def machine() -> str:
    """Cores, memory and Python version of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"

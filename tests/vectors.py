"""Sample payloads: those of this repository, and recorded ones of a folder outside it.

`tests/samples` has a small set written for these tests. XRAY_VECTORS may name a folder of the same
layout with recordings of other people's software, whose licences keep them out of this repository;
the same tests then run on both.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from raymap.demo.story import Story
from raymap.demo.trace import Document

NOON = 1_795_608_000.0
SAMPLES = Path(__file__).parent / "samples"


def folders() -> list[Path]:
    """The folders to test with, ours first."""
    recorded = os.environ.get("XRAY_VECTORS")
    return [SAMPLES, Path(recorded)] if recorded else [SAMPLES]


def rows(kinds: Collection[str]) -> list[dict[str, Any]]:
    """The manifests' rows of these kinds; `path` is the file."""
    return [
        {**row, "path": folder / row["file"]}
        for folder in folders()
        for row in json.loads((folder / "manifest.json").read_text())
        if row["kind"].partition("/")[0] in kinds
    ]


def files(pattern: str) -> list[Path]:
    """Files of all folders by a glob pattern."""
    return [path for folder in folders() for path in sorted(folder.glob(pattern))]


def demo_documents(count: int) -> list[bytes]:
    """Segment documents of so many traces of the demo, the same on every call."""
    traces = itertools.islice(Story(7, 8.0).backward(NOON, 3600), count)
    sends = [send.document for trace in traces for send in trace.sends()]
    return [document.text.encode() for document in sends if isinstance(document, Document)]

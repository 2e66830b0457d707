"""What was sent in a run, as a sample for tests: one JSON document per line.

The client's segments; what the extension uploads, records and subsegments; OTLP's ``resourceSpans``, one
span each. Stack traces, and what describes the machine rather than the call, are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from examples.lambda_functions.programs import Run
from examples.two_sdks.live.record import Recorder, file_name, segment, spans, trim

UPLOAD = "/lambda/telemetry"
SOURCE = Path(__file__).parents[2]


def write(folder: Path, run: Run, recorder: Recorder, build: Path) -> None:
    """The recording, as one file; folders are named as in Lambda."""
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[Any] = [segment(datagram) for datagram in recorder.datagrams]
    for path, body in recorder.requests:
        lines += [_upload(body)] if path == UPLOAD else spans(body)
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    for here, there in ((build / run.language, "/opt"), (SOURCE, "/var/task")):
        text = text.replace(str(here), there)
    (folder / file_name(str(run))).write_text(text)


def _upload(body: bytes) -> dict[str, Any]:
    upload: dict[str, Any] = json.loads(body)
    documents = [json.loads(document) for document in upload["documents"]]
    trim(documents)
    return upload | {"documents": [json.dumps(document) for document in documents]}

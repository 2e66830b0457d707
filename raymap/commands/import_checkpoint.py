"""Which spans of time an import has copied, in a small file, so that the next run continues.

Times are microseconds since the epoch; a span is half-open.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from raymap.errors import CommandError

Span = tuple[int, int]
FORMAT = 1


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as possible, in order."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def remaining(whole: Span, done: Iterable[Span], longest: int) -> Iterator[Span]:
    """What of ``whole`` is not done, oldest first, in pieces of at most ``longest``."""
    start, end = whole
    for begun, ended in [*merged(done), (end, end)]:
        while start < min(begun, end):
            stop = min(start + longest, begun, end)
            yield start, stop
            start = stop
        start = max(start, ended)


class Checkpoint:
    """The spans of time that were copied from one source to one server."""

    def __init__(self, path: Path, job: Mapping[str, str], done: Iterable[Span] = ()) -> None:
        self.path = path
        self._job = dict(job)
        self.done = merged(done)

    @classmethod
    def load(cls, path: Path, job: Mapping[str, str]) -> Checkpoint:
        """The file's, or an empty one. CommandError when it is damaged or of another import."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls(path, job)
        except UnicodeDecodeError:
            raise _damaged(path) from None
        stored, done = _read(path, text)
        for key, value in job.items():
            if stored.get(key, "") != value:
                raise CommandError(
                    f"{path} is the checkpoint of another import: its {key} is "
                    f"{stored.get(key, '')!r}, not {value!r}. Name another file with --checkpoint."
                )
        return cls(path, job, done)

    def complete(self, span: Span) -> None:
        """Remember a span: the file is replaced as a whole, so a crash leaves the old or the new."""
        self.done = merged([*self.done, span])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {"format": FORMAT, "import": self._job, "done": self.done}
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self.path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def default_path(job: Mapping[str, str]) -> Path:
    """In the user's state directory, one file for each import."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    digest = hashlib.blake2b(json.dumps(dict(job), sort_keys=True).encode(), digest_size=8)
    return Path(home) / "raymap" / f"import-{digest.hexdigest()}.json"


def _read(path: Path, text: str) -> tuple[dict[str, Any], list[Span]]:
    try:
        content = json.loads(text)
        if content["format"] != FORMAT or not isinstance(content["import"], dict):
            raise ValueError
        return content["import"], [(int(start), int(end)) for start, end in content["done"]]
    except (ValueError, KeyError, TypeError):
        raise _damaged(path) from None


def _damaged(path: Path) -> CommandError:
    return CommandError(
        f"{path} is no checkpoint of an import, or damaged: remove it to begin anew."
    )

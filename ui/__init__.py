"""Where the built browser UI lies. The server serves these files; nothing here knows how they are made."""

from __future__ import annotations

from pathlib import Path


def static_dir() -> Path | None:
    """The folder with the built UI's `index.html`, or None when the UI has not been built."""
    dist = Path(__file__).parent / "dist"
    return dist if (dist / "index.html").is_file() else None

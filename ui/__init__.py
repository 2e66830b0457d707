"""Where the built browser UI lies, and the addresses of its pages. The server serves these files; nothing here
knows how they are made."""

from __future__ import annotations

from pathlib import Path

PAGES = frozenset(
    {
        "/",
        "/map",
        "/traces",
        "/alarms",
        "/audit",
        "/compare",
        "/declared",
        "/groups",
        "/keys",
        "/members",
        "/notebooks",
        "/sampling",
        "/settings",
        "/s",
        "/shares",
        "/tenants",
        "/index.html",
    }
)
"""Addresses of the console (ui/src/model/url.ts), besides those of one trace and one notebook."""


def static_dir() -> Path | None:
    """The folder with the built UI's `index.html`, or None when the UI has not been built."""
    dist = Path(__file__).parent / "dist"
    return dist if (dist / "index.html").is_file() else None

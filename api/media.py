"""Accept headers."""

from __future__ import annotations

from collections.abc import Iterator


def media_ranges(accept: str) -> Iterator[tuple[str, float]]:
    """The media types of an Accept header with their quality values."""
    for part in accept.split(","):
        media, *parameters = (word.strip().lower() for word in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        yield media, quality

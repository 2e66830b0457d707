"""Writes the pages of docs/reference/: `python -m tests.docs`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.docs.reference import FOLDER, pages

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name, text in pages(Path(folder)).items():
            (FOLDER / name).write_text(text)

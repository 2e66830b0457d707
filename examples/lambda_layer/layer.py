"""The layer as a ZIP file: ``python -m examples.lambda_layer.layer raymap-lambda.zip``."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import BinaryIO

HERE = Path(__file__).parent
FILES = {
    "extensions/raymap-lambda": "raymap-lambda",
    "raymap/raymap_lambda.py": "raymap_lambda.py",
    "raymap/raymap_events.py": "raymap_events.py",
    "raymap-wrapper": "raymap-wrapper",
    "python/raymap/xray_whitelist.py": "../../raymap/xray_whitelist.py",
}
"""Files of the layer, below /opt in the function's environment, and where they come from. Functions in Python import
what is below ``python``."""
EXECUTABLE = ("extensions/raymap-lambda", "raymap-wrapper")


def write_layer(target: BinaryIO) -> None:
    """The same bytes for the same sources, so that a deployment sees whether they changed."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in FILES.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = (0o100755 if name in EXECUTABLE else 0o100644) << 16
            archive.writestr(info, (HERE / source).read_bytes(), zipfile.ZIP_DEFLATED)


def main() -> None:
    """Write the file that is named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m examples.lambda_layer.layer raymap-lambda.zip")
    with open(sys.argv[1], "wb") as target:
        write_layer(target)
    print(f"{sys.argv[1]}: {Path(sys.argv[1]).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

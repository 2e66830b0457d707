"""The engine's library is loaded alone."""

from __future__ import annotations

import subprocess
import sys

LOAD = (
    "import sys; sys.modules.update(dict.fromkeys(('numpy', 'pandas', 'pyarrow'))); "
    "from store.clickhouse.embedded.library import load_engine; "
    "print(str(load_engine().query('SELECT 6 * 7', 'CSV')).strip())"
)


def test_without_data_frames() -> None:
    """What the wheel requires for data frames may be uninstalled (docs/operating.md, Size)."""
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["42"]

"""What importing the store costs every process."""

from __future__ import annotations

import subprocess
import sys

import pytest

DATES = (
    "from clickhouse_driver.columns import datecolumn; "
    "print(len(datecolumn._date_lut), datecolumn._date_lut[1].isoformat())"
)


@pytest.mark.parametrize("module", ["store.clickhouse.store", "raymap.tenants.databases"])
def test_the_driver_makes_no_table_of_dates(module: str) -> None:
    """24 MB and 0.1 s in each process otherwise; dates are still decoded."""
    code = f"import {module}; {DATES}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1970-01-02"]

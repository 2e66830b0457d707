"""What importing the store costs every process."""

from __future__ import annotations

import subprocess
import sys

DATES = (
    "import store.clickhouse.store; from clickhouse_driver.columns import datecolumn; "
    "print(len(datecolumn._date_lut), datecolumn._date_lut[1].isoformat())"
)


def test_the_driver_makes_no_table_of_dates() -> None:
    """24 MB in each process otherwise; dates are still decoded."""
    done = subprocess.run([sys.executable, "-c", DATES], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1970-01-02"]

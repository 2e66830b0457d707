"""The store in ClickHouse."""

import os

# Read when the driver is imported. Without it, it makes a table of every date until 2299, in every process:
# 24 MB and 0.1 s each (the name's spelling is the driver's).
os.environ.setdefault("CLICKHOUSE_DRIVER_LASY_DATE_LUT", "1")

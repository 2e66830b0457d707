"""The composition root: the command line, settings and processes. Imports every other package."""

import store.clickhouse  # noqa: F401 - before its driver, whose dates it makes cheap

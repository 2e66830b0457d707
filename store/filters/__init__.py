"""X-Ray's filter expressions (docs/xray-format.md §7): text → tree → whether a trace matches.

`parse` reads the text, `keywords` documents what each keyword means and where it may stand, `evaluate`
is the meaning in plain Python. `store.clickhouse.search.compile` encloses it in SQL.
"""

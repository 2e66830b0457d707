"""X-Ray's filter expressions (docs/xray-format.md §7): text → tree → whether a trace matches.

`parse` reads the text, `keywords` documents what each keyword means and where it may stand, `evaluate`
is the meaning in plain Python. A store may narrow its candidates as it likes; `evaluate` decides.
"""

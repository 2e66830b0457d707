"""Why an edge is missing from the map: what traces show of calls that end nowhere, and of work that begins without the
parent that it names. Pure; `api.v1.missing` says which traces are read.

`model` has the causes, `names` finds the service that a call means, `evidence` reads a trace, `causes` and `timing`
judge what was read.
"""

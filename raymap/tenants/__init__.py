"""Tenants in one server: what a process runs for each, and which of them a request is for.

`raymap.auth` knows whose a credential is. `http.py` and `pipelines.py` are the only places that take a
request to the tenant's own app or pipeline; api, collector and store know of one tenant only.
"""

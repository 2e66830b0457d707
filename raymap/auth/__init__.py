"""Who may do what: ingest keys, signed requests, and the roles of every route.

`keys` and `sigv4` decide who a request comes from, `permissions` what it needs; `http` and `grpc` ask
both around every app and service, so that neither the collector nor the API knows of authentication.
"""

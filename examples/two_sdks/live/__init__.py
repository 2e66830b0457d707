"""Real programs with real AWS SDKs, traced with the X-Ray SDK or with OpenTelemetry, on one table.

Each program in ``java``, ``go``, ``node`` and ``python`` serves the same requests and calls a local
endpoint that answers like AWS (`fake_aws`): 200, a client's error, a throttle, a server's fault.
Each sends its traces to a Raymap of its own; the counts of nodes and edges are then compared.
"""

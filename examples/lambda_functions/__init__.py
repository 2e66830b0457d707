"""The same function in Python, Node.js and Java, traced by X-Ray's SDKs and by OpenTelemetry: one map."""

"""One shop of five services, traced with the X-Ray SDK or with OpenTelemetry: the map is the same."""

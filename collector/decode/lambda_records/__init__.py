"""Records of Lambda's platform, as text, as JSON log lines and as events of the Telemetry API."""

"""The shop's ways through the cloud, one module each. A pattern takes a trace and tells it."""

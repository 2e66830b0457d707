"""Receivers move bytes between sockets and the pipeline; what the bytes mean is `collector.decode`."""

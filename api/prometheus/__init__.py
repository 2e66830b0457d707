"""Prometheus' query API below /prometheus: a subset of PromQL over the edges of the map."""

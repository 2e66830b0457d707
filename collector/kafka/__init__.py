"""Kafka as a source: topics with OTLP or X-Ray documents → the store, without a journal."""

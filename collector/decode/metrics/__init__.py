"""Metrics of the platform: CloudWatch's stream and OTLP. Those in log lines: `lambda_records.points`."""

"""A function in Python, traced by OpenTelemetry; the one of X-Ray's SDK is `examples.lambda_layer.handler`."""

"""Alarms: rules read from requests, evaluated over settled data, and delivered to webhooks."""

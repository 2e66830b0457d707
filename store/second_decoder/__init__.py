"""A second decoder, to check the first by: what a stored document is on the map, in plain Python, one document at a time.

It was written from docs/xray-format.md, docs/opentelemetry.md and the conventions that these cite; some lists of names
were completed from the first decoder. It shares with that what it would be absurd to decide twice: the names of AWS
services and their throttling codes, the classes of SDKs' exceptions, the weight of a sampled span, ids derived from
ids, the spelling of trace ids. `raymap verify --decode` reads it.
"""

"""Removes secrets from payloads before anything else sees them: `Redactor` is what receivers use.

A payload is searched once, in C; only one in which something may match is parsed and walked. What leaves
here goes to the decoders and the journal, so that neither the journal nor the store contains the rest.
"""

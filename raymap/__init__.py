"""The composition root: the command line, settings and processes. Imports every other package."""

"""The shop in Python; `app` is a program of its own, with its own requirements.txt."""

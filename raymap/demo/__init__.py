"""A serverless shop in virtual time, recorded by the real AWS X-Ray SDK and sent over UDP.

Handlers in `patterns/` are ordinary Python that calls, waits and sometimes raises; only the clock
is made up. What leaves the process is what the SDK's models serialise and its emitter sends.
"""

"""Azure: Function App and API Management.

Holds nothing, so that it imports with no SDK, in and out of a function.
"""

"""AWS: API Gateway and Lambda.

Holds nothing, so that it imports with no SDK, in and out of a function.
"""

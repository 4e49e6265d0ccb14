"""Google Cloud: API Gateway or load balancer, and Cloud Functions.

Holds nothing, so that it imports with no SDK, in and out of a function.
"""

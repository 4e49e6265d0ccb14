"""The own machine: a gateway that meets every rule of the clouds.

Holds nothing, so that it imports with no SDK, in and out of a function.
"""

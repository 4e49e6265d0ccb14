"""Processes that stand for a cloud in tests: each serves a bundle over HTTP with that cloud's own Python runtime.

``serve`` is the door. ``front.py`` is the HTTP server of the AWS and Azure hosts, ``alone.py`` the isolation, and each
cloud has its ``*_host.py``. What a host does to an exchange follows the vendor's documentation or source, never our own
providers: it is written apart from them on purpose.
"""

from .hosts import Host, serve
from .processes import StartupError

__all__ = ["Host", "StartupError", "serve"]

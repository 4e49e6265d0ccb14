"""What an API asks of its gateway beyond routing, as frozen values that check themselves.

Each raises ``DefinitionError`` with all of its problems when it is made. A provider realises each natively, emulates it
in the runtime or refuses it; none is dropped. Authorizers are in ``multicloud.model.authorizers``.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

import attrs

from multicloud.errors import Problem
from multicloud.model.addresses import domain_name, email, header_name, origin
from multicloud.model.checks import (
    Checked,
    each,
    expects,
    flag,
    listed,
    matching,
    number,
    one_of,
    optional,
    reference,
    text,
    whole,
)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""The methods that a route may have. Anything else is answered 405."""

RETENTION_DAYS = (30, 60, 90, 120, 180, 365)
"""What CloudWatch Logs' PutRetentionPolicy, Cloud Logging's bucket and Application Insights all accept."""

ALARM_METRICS = (
    "requests",
    "errors",
    "error_percent",
    "throttles",
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
)
"""errors: answers with a 5xx status; throttles: answers with 429."""


@attrs.frozen
class Cors(Checked):
    """Which web pages may read the API's answers (the Fetch standard's CORS protocol).

    allow_origins: exact origins ``scheme://host[:port]``, or ``["*"]``. allow_methods: None (default): the methods that
    the path has. allow_headers: request headers beyond the simple ones, or ``["*"]``; default none. expose_headers:
    answer headers that a page may read, or ``["*"]``; default none. allow_credentials: cookies and Authorization
    from pages; default False, never together with ``*``, which browsers refuse. max_age_seconds: for how long a browser
    may keep a preflight's answer, 0 to 86400, default 600. Raises DefinitionError.
    """

    allow_origins: tuple[str, ...] = attrs.field(converter=listed, metadata=expects(each(origin, at_least=1)))
    allow_methods: tuple[str, ...] | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(listed),
        metadata=expects(optional(each(one_of(*METHODS), at_least=1))),
    )
    allow_headers: tuple[str, ...] = attrs.field(default=(), converter=listed, metadata=expects(each(header_name)))
    expose_headers: tuple[str, ...] = attrs.field(default=(), converter=listed, metadata=expects(each(header_name)))
    allow_credentials: bool = attrs.field(default=False, metadata=expects(flag))
    max_age_seconds: int = attrs.field(default=600, metadata=expects(whole(0, 86400, "seconds")))

    def relations(self, wrong: Set[str]) -> Iterator[Problem]:
        """Let ``*`` stand alone, and never with credentials."""
        for name in ("allow_origins", "allow_headers", "expose_headers"):
            listing = getattr(self, name)
            if not isinstance(listing, tuple) or "*" not in listing:
                continue
            if len(listing) > 1:
                yield Problem(self.at(name), "'*' alone or a list without it", "'*' beside others")
            if self.allow_credentials is True:
                yield Problem(
                    self.at(name), "names, because allow_credentials is True", "'*'", "browsers refuse the pair"
                )


@attrs.frozen
class Throttle(Checked):
    """How fast requests are let in; a request beyond is answered 429 with Retry-After.

    rate: requests per second in the long run, above 0, at most 100,000. burst: requests let in at once, 1 to 100,000:
    the size of the token bucket that rate refills. per: whose requests are counted together; None (default):
    everyone's, ``caller``: those of one verified caller, by key or subject, on a route without an authorizer those of
    one address, ``address``: those of one address (of an IPv6 network of 64 bits). Raises DefinitionError.
    """

    rate: float = attrs.field(
        metadata=expects(number("requests per second above 0, at most 100000", above=0, at_most=100_000))
    )
    burst: int = attrs.field(metadata=expects(whole(1, 100_000, "requests")))
    per: str | None = attrs.field(default=None, metadata=expects(optional(one_of("caller", "address"))))


@attrs.frozen
class Quota(Checked):
    """How many requests a caller may make in a calendar period (UTC); a request beyond is answered 429.

    limit: requests, 1 to 1,000,000,000. period: ``day``, ``week`` (from Monday) or ``month``. per: whose requests are
    counted together, as for ``Throttle``; default ``caller``. Raises DefinitionError.
    """

    limit: int = attrs.field(metadata=expects(whole(1, 1_000_000_000, "requests")))
    period: str = attrs.field(metadata=expects(one_of("day", "week", "month")))
    per: str | None = attrs.field(default="caller", metadata=expects(optional(one_of("caller", "address"))))


@attrs.frozen
class Cdn(Checked):
    """A content delivery network in front of the API.

    default_cache_seconds: for how long it keeps the answer of a public GET route that does not state ``cache_seconds``,
    0 (default, not at all) to 31536000. compress: whether it compresses answers; default True. query_names: the query
    parameters that tell one answer from another; None (default): the whole query. Raises DefinitionError.
    """

    default_cache_seconds: int = attrs.field(default=0, metadata=expects(whole(0, 31_536_000, "seconds")))
    compress: bool = attrs.field(default=True, metadata=expects(flag))
    query_names: tuple[str, ...] | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(listed),
        metadata=expects(optional(each(text(128)))),
    )


@attrs.frozen
class Domain(Checked):
    """The API's own host name.

    name: in lower case, at least two labels; international names in their ``xn--`` form. certificate: the name or id of
    a certificate that the cloud stores; None (default): the cloud issues and renews one. minimum_tls_version: ``1.2``
    (default) or ``1.3``. Raises DefinitionError.
    """

    name: str = attrs.field(metadata=expects(domain_name))
    certificate: str | None = attrs.field(default=None, metadata=expects(optional(reference)))
    minimum_tls_version: str = attrs.field(default="1.2", metadata=expects(one_of("1.2", "1.3")))


@attrs.frozen
class Encryption(Checked):
    """Encryption at rest with the customer's key.

    Without this policy the cloud's own keys encrypt: nothing is ever stored plain. key: the name or id of an existing
    key; None (default): one is made for the deployment. rotation_days: how often the key that is made changes, 90 to
    2560, default 365. Raises DefinitionError.
    """

    key: str | None = attrs.field(default=None, metadata=expects(optional(reference)))
    rotation_days: int = attrs.field(default=365, metadata=expects(whole(90, 2560, "days")))


@attrs.frozen
class Logging(Checked):
    """What is logged and for how long it is kept.

    level: the least severe record, ``DEBUG``, ``INFO`` (default), ``WARNING``, ``ERROR`` or ``CRITICAL``.
    retention_days: one of ``RETENTION_DAYS``, default 30. access_log: one record for each request; default True. Raises
    DefinitionError.
    """

    level: str = attrs.field(default="INFO", metadata=expects(one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")))
    retention_days: int = attrs.field(default=30, metadata=expects(one_of(*RETENTION_DAYS)))
    access_log: bool = attrs.field(default=True, metadata=expects(flag))


@attrs.frozen
class Tracing(Checked):
    """Distributed traces (W3C trace context).

    sample_ratio: the part of the requests that is traced where the caller has not decided, 0 to 1, default 0.05.
    Raises DefinitionError.
    """

    sample_ratio: float = attrs.field(
        default=0.05, metadata=expects(number("a number from 0 to 1", at_least=0, at_most=1))
    )


@attrs.frozen
class Alarm(Checked):
    """A message when a metric passes its threshold.

    metric: one of ``ALARM_METRICS``. threshold: the alarm is raised above it; its unit is the metric's (percent from 0
    to 100, milliseconds, or a count in one period). name: unique in the API; default the metric's name.
    period_seconds: the length of one period, 60, 300 (default), 900 or 3600. periods: how many in a row must be above,
    1 (default) to 10. function: the name of the function that is watched; None (default): the whole API.
    notify: e-mail addresses; default none, the alarm then only shows in the cloud's console. Raises DefinitionError.
    """

    metric: str = attrs.field(metadata=expects(one_of(*ALARM_METRICS)))
    threshold: float = attrs.field(metadata=expects(number("a number, 0 or above", at_least=0)))
    name: str = attrs.field(
        default=attrs.Factory(lambda self: self.metric, takes_self=True),
        metadata=expects(matching(r"[A-Za-z][A-Za-z0-9_-]{0,63}", "1 to 64 letters, digits, '_' or '-'")),
    )
    period_seconds: int = attrs.field(default=300, metadata=expects(one_of(60, 300, 900, 3600)))
    periods: int = attrs.field(default=1, metadata=expects(whole(1, 10, "periods")))
    function: str | None = attrs.field(default=None, metadata=expects(optional(text(40))))
    notify: tuple[str, ...] = attrs.field(default=(), converter=listed, metadata=expects(each(email)))

    def relations(self, wrong: Set[str]) -> Iterator[Problem]:
        """Refuse a percentage that nothing passes."""
        if not {"metric", "threshold"} & wrong and self.metric == "error_percent" and self.threshold >= 100:
            yield Problem(self.at("threshold"), "a percentage below 100", str(self.threshold))

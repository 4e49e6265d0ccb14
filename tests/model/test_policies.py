from __future__ import annotations

import attrs
import pytest

from multicloud.model import Alarm, Cdn, Cors, Domain, Encryption, Logging, Quota, Throttle, Tracing
from tests.model.problems import places_of, problems_of


def test_a_value_names_all_of_its_own_problems_at_once():
    assert places_of(lambda: Throttle(rate=-1, burst=0)) == ["Throttle: rate", "Throttle: burst"]


def test_a_value_cannot_be_changed():
    throttle = Throttle(rate=1, burst=1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        throttle.rate = 2  # type: ignore[misc]


def test_equal_values_are_equal_and_hash_alike_however_their_lists_were_written():
    one, two = Cors(["https://a.example"]), Cors(allow_origins=("https://a.example",))
    assert one == two
    assert hash(one) == hash(two)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), True, "10", None, 100_001])
def test_a_rate_is_a_finite_number_above_zero(rate):
    assert places_of(lambda: Throttle(rate=rate, burst=1)) == ["Throttle: rate"]


@pytest.mark.parametrize("burst", [0, 1.0, True, "1", None])
def test_a_burst_is_a_whole_number(burst):
    assert places_of(lambda: Throttle(rate=0.5, burst=burst)) == ["Throttle: burst"]


def test_a_misspelt_choice_is_answered_with_the_nearest_one():
    (problem,) = problems_of(lambda: Quota(limit=5, period="Days"))
    assert problem.hint == "did you mean 'day'?"


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://shop.example.com",
        "http://localhost:3000",
        "http://[::1]:8080",
        "https://xn--bcher-kva.example",
        "chrome-extension://abcdefgh",
        "capacitor://localhost",
    ],
)
def test_origins_that_browsers_send_are_accepted(origin):
    assert Cors([origin]).allow_origins == (origin,)


@pytest.mark.parametrize(
    ("origin", "repair"),
    [
        ("https://shop.example.com/", "https://shop.example.com"),
        ("https://Shop.Example.com", "https://shop.example.com"),
        ("https://shop.example.com:443", "https://shop.example.com"),
        ("http://shop.example.com:80/path?x#y", "http://shop.example.com"),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused_with_the_one_that_it_does_send(origin, repair):
    (problem,) = problems_of(lambda: Cors([origin]))
    assert problem.place == "Cors: allow_origins[0]"
    assert problem.hint == f"write {repair!r}"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "shop.example.com",
        "https://",
        "https://*.example.com",
        "https://a b",
        "https://bücher.example",
        "https://user@example.com",
        "https://example.com:99999",
        "https://[::1",
        "https://a\n",
        5,
        None,
        b"https://a",
    ],
)
def test_what_is_no_origin_is_refused(origin):
    assert places_of(lambda: Cors([origin])) == ["Cors: allow_origins[0]"]


@pytest.mark.parametrize("field", ["allow_origins", "allow_headers", "expose_headers"])
def test_a_wildcard_with_credentials_is_refused_because_browsers_refuse_it(field):
    fields = {"allow_origins": ["https://a.example"], field: ["*"]}
    assert places_of(lambda: Cors(**fields, allow_credentials=True)) == [f"Cors: {field}"]
    assert Cors(**fields)


def test_a_wildcard_stands_alone():
    assert places_of(lambda: Cors(["*", "https://a.example"])) == ["Cors: allow_origins"]


def test_a_list_given_as_one_string_is_refused_rather_than_taken_apart():
    problems = problems_of(lambda: Cors("https://a.example", allow_headers="x-a", allow_methods="GET"))
    assert [problem.hint for problem in problems] == ["write ['https://a.example']", "write ['GET']", "write ['x-a']"]


def test_cors_defaults_to_closed():
    cors = Cors(["https://a.example"])
    assert (cors.allow_methods, cors.allow_headers, cors.expose_headers) == (None, (), ())
    assert (cors.allow_credentials, cors.max_age_seconds) == (False, 600)


def test_cors_reports_every_wrong_field():
    assert places_of(
        lambda: Cors([], ["get", "TRACE"], ["x a"], ["é"], "yes", 86_401)  # type: ignore[arg-type]
    ) == [
        "Cors: allow_origins",
        "Cors: allow_methods[0]",
        "Cors: allow_methods[1]",
        "Cors: allow_headers[0]",
        "Cors: expose_headers[0]",
        "Cors: allow_credentials",
        "Cors: max_age_seconds",
    ]


def test_a_repeated_item_is_reported():
    assert places_of(lambda: Cors(["https://a.example"] * 2)) == ["Cors: allow_origins[1]"]


@pytest.mark.parametrize(
    "name", ["localhost", "API.example.com", "a..b", "-a.example", "a.example.", "1.2.3.4", "*.a.eu", 5]
)
def test_a_domain_is_a_full_host_name(name):
    assert places_of(lambda: Domain(name)) == ["Domain: name"]


def test_a_host_name_is_accepted_in_its_ascii_form():
    assert Domain("api.xn--bcher-kva.example").minimum_tls_version == "1.2"


@pytest.mark.parametrize("version", ["1.0", "1.1", 1.2, None])
def test_tls_below_1_2_is_refused(version):
    assert places_of(lambda: Domain("api.example.com", minimum_tls_version=version)) == ["Domain: minimum_tls_version"]


def test_a_reference_that_may_be_the_secret_itself_is_never_shown():
    pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n"
    problems = problems_of(lambda: Encryption(pem)) + problems_of(lambda: Domain("a.example.com", certificate=pem))
    assert len(problems) == 2
    assert not any("MIIE" in str(problem) or "BEGIN" in str(problem) for problem in problems)


@pytest.mark.parametrize(
    "key",
    [
        "alias/shop",
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "projects/p/locations/l/keyRings/r/cryptoKeys/k",
        "https://shop.vault.azure.net/keys/shop/0123456789abcdef",
    ],
)
def test_each_clouds_own_ids_are_references(key):
    assert Encryption(key).key == key


@pytest.mark.parametrize(
    ("make", "places"),
    [
        (lambda: Cdn(-1, "yes"), ["Cdn: default_cache_seconds", "Cdn: compress"]),
        (lambda: Logging("info", 31, 1), ["Logging: level", "Logging: retention_days", "Logging: access_log"]),
        (lambda: Logging(retention_days=30.0), ["Logging: retention_days"]),
        (lambda: Tracing(1.1), ["Tracing: sample_ratio"]),
        (lambda: Encryption(rotation_days=1), ["Encryption: rotation_days"]),
        (lambda: Alarm("error", 1), ["Alarm: metric"]),
        (lambda: Alarm("errors", -1, period_seconds=61), ["Alarm: threshold", "Alarm: period_seconds"]),
        (lambda: Alarm("errors", 1, periods=0), ["Alarm: periods"]),
        (lambda: Alarm("error_percent", 100), ["Alarm: threshold"]),
        (lambda: Alarm("errors", 1, notify=["nobody"]), ["Alarm: notify[0]"]),
        (lambda: Alarm("errors", 1, name="a b", function=5), ["Alarm: name", "Alarm: function"]),
    ],
)
def test_fields_out_of_range_are_reported_by_name(make, places):
    assert places_of(make) == places


def test_an_alarm_bears_its_metrics_name_by_default():
    assert Alarm("latency_p95_ms", 800, notify=["ops@example.com"]).name == "latency_p95_ms"


@pytest.mark.parametrize("per", ["key", "ip", "Caller", 1, ""])
def test_whose_requests_are_counted_is_one_of_few_words(per):
    assert places_of(lambda: Throttle(1, 1, per=per)) == ["Throttle: per"]
    assert places_of(lambda: Quota(1, "day", per=per)) == ["Quota: per"]


def test_a_throttle_counts_everyone_and_a_quota_each_caller_unless_it_says_so():
    assert (Throttle(1, 1).per, Quota(1, "day").per) == (None, "caller")
    assert (Throttle(1, 1, per="address").per, Quota(1, "day", per=None).per) == ("address", None)

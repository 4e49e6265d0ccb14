"""Cookies in and out. Imported when a handler first touches a cookie.

Azure's worker parses each Set-Cookie and its host writes a new one: what it does not know is lost, and the value is
percent-encoded. So a cookie is limited to what survives there, and its value is percent-encoded on every provider.
"""

from __future__ import annotations

from multicloud.runtime.multidict import unquote
from multicloud.runtime.response import TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Cookies = Mapping[str, str] | Iterable["Cookie"]

MAX_COOKIES = 50
"""How many cookies of a request are exposed (CONTRACT.md, R14)."""

UNRESERVED = frozenset("-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
VALUE = UNRESERVED | frozenset("!#$%&'*+^`|/:<=>?@()[]{}")
"""RFC 6265 section 4.1.1 cookie-octets: visible ASCII without quote, comma, semicolon and backslash."""
SAME_SITE = {"strict": "Strict", "lax": "Lax", "none": "None"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_cookies(header: str) -> dict[str, str]:
    """Return the cookies of a Cookie header: the first of a name wins, nothing is an error, 50 at most."""
    cookies: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name or name in cookies:
            continue
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        cookies[name] = value
        if len(cookies) == MAX_COOKIES:
            break
    return cookies


class Cookie:
    """One Set-Cookie. Private by default: ``Path=/; Secure; HttpOnly; SameSite=Lax``.

    value: cookie octets of RFC 6265; other characters must be encoded by the caller, who must decode them as well.
    max_age_seconds: 0 deletes the cookie. expires: an HTTP date (``Wed, 21 Oct 2026 07:28:00 GMT``).
    Raises ValueError for what no browser or not every provider would accept.
    """

    __slots__ = ("domain", "expires", "http_only", "max_age_seconds", "name", "path", "same_site", "secure", "value")

    def __init__(
        self,
        name: str,
        value: str,
        *,
        path: str | None = "/",
        domain: str | None = None,
        max_age_seconds: int | None = None,
        expires: str | None = None,
        secure: bool = True,
        http_only: bool = True,
        same_site: str | None = "Lax",
    ) -> None:
        if not name or not TOKEN.issuperset(name):
            raise ValueError(f"cookie name: expected an HTTP token, got {name!r}")
        if not VALUE.issuperset(value):
            raise ValueError(f"cookie {name}: the value holds characters that must be percent-encoded first")
        for attribute, text in (("path", path), ("domain", domain)):
            if text is not None and (not text.isascii() or not text.isprintable() or ";" in text):
                raise ValueError(
                    f"cookie {name}: {attribute} holds a semicolon or a character that is not printable ASCII"
                )
        if same_site is not None and same_site.lower() not in SAME_SITE:
            raise ValueError(f"cookie {name}: same_site: expected Strict, Lax or None, got {same_site!r}")
        if same_site is not None and same_site.lower() == "none" and not secure:
            raise ValueError(f"cookie {name}: SameSite=None needs Secure; browsers drop it otherwise")
        if expires is not None and not is_http_date(expires):
            raise ValueError(f"cookie {name}: expires: expected 'Wed, 21 Oct 2026 07:28:00 GMT', got {expires!r}")
        self.name = name
        self.value = value
        self.path = path
        self.domain = domain
        self.max_age_seconds = None if max_age_seconds is None else int(max_age_seconds)
        self.expires = expires
        self.secure = secure
        self.http_only = http_only
        self.same_site = same_site

    def header(self, *, encode_value: bool = True) -> str:
        """Return the Set-Cookie value, in the letters and order that Azure's host (ASP.NET Core) writes.

        encode_value: False where the platform percent-encodes by itself (Azure).
        """
        value = quote(self.value) if encode_value else self.value
        parts = [f"{self.name}={value}"]
        if self.expires is not None:
            parts.append(f"expires={self.expires}")
        if self.max_age_seconds is not None:
            parts.append(f"max-age={self.max_age_seconds}")
        if self.domain is not None:
            parts.append(f"domain={self.domain}")
        if self.path is not None:
            parts.append(f"path={self.path}")
        if self.secure:
            parts.append("secure")
        if self.same_site is not None:
            parts.append(f"samesite={self.same_site.lower()}")
        if self.http_only:
            parts.append("httponly")
        return "; ".join(parts)


def quote(value: str) -> str:
    """Percent-encode all but RFC 3986's unreserved characters, as .NET's Uri.EscapeDataString does."""
    if UNRESERVED.issuperset(value):
        return value
    return "".join([char if char in UNRESERVED else f"%{ord(char):02X}" for char in value])


def is_http_date(text: str) -> bool:
    """Tell whether a text is an IMF-fixdate (RFC 9110, section 5.6.7), the only form that Azure's worker reads."""
    from datetime import datetime

    if len(text) != 29 or not text.isascii() or text[:3] not in DAYS or text[8:11] not in MONTHS:
        return False
    numbers = text[5:7], text[12:16], text[17:19], text[20:22], text[23:25]
    if not all(map(str.isdigit, numbers)):
        return False
    day, year, hour, minute, second = map(int, numbers)
    try:
        datetime(year, MONTHS.index(text[8:11]) + 1, day, hour, minute, second)
    except ValueError:
        return False
    return text == f"{text[:3]}, {text[5:7]} {text[8:11]} {text[12:16]} {text[17:19]}:{text[20:22]}:{text[23:25]} GMT"


def parse_set_cookie(header: str) -> Cookie:
    """Return the Cookie of a raw Set-Cookie value, such as a mounted application sends.

    Raises ValueError for an attribute that a provider would drop (``Partitioned``, ``Priority``).
    """
    first, *attributes = header.split(";")
    name, _, value = first.partition("=")
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    found: dict[str, str] = {}
    for attribute in attributes:
        key, _, text = attribute.partition("=")
        if key.strip():
            found[key.strip().lower()] = text.strip()
    unknown = found.keys() - {"path", "domain", "max-age", "expires", "secure", "httponly", "samesite"}
    if unknown:
        raise ValueError(f"cookie {name.strip()}: not every provider keeps the attribute {', '.join(sorted(unknown))}")
    age = found.get("max-age")
    if age is not None and not age.removeprefix("-").isdecimal():
        raise ValueError(f"cookie {name.strip()}: Max-Age: expected seconds, got {age!r}")
    decoded = unquote(value)
    if "%" in value and not VALUE.issuperset(decoded):
        raise ValueError(f"cookie {name.strip()}: Azure would percent-encode this value a second time")
    return Cookie(
        name.strip(),
        decoded,
        path=found.get("path"),
        domain=found.get("domain"),
        max_age_seconds=None if age is None else int(age),
        expires=found.get("expires"),
        secure="secure" in found,
        http_only="httponly" in found,
        same_site=found.get("samesite"),
    )


def as_cookies(cookies: Cookies) -> list[Cookie]:
    """Return Cookie values for what ``Response(cookies=...)`` takes: a mapping of name to value, or cookies."""
    if hasattr(cookies, "items"):
        return [Cookie(name, value) for name, value in cookies.items()]
    return list(cookies)

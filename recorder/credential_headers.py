"""Which headers carry credentials, told from their names, and their values with only the secret taken out."""

from __future__ import annotations

from .exchange import Headers
from .secret_names import HEADER_ENDINGS, squash
from .secret_shapes import PLACEHOLDER

PLAIN, SECRET, COOKIES, SET_COOKIE, LOCATION, ENCODING = range(6)
"""What is known of a header's value: nothing, or that it is a credential, cookies, a URL, a content encoding."""

_SCHEMES = (
    b"bearer",
    b"basic",
    b"token",
    b"apikey",
    b"api-key",
    b"key",
    b"digest",
    b"negotiate",
    b"aws4-hmac-sha256",
)
_SPECIAL_HEADERS = {
    "cookie": COOKIES,
    "setcookie": SET_COOKIE,
    "location": LOCATION,
    "contentlocation": LOCATION,
    "referer": LOCATION,
    "link": LOCATION,
}
_KNOWN_HEADERS = 4096
_USUAL = (
    b"host accept accept-encoding connection user-agent content-type content-length authorization".split()
)
"""The headers that nearly every request has, known before the first one."""


class HeaderKinds:
    """Tells the kind of each header, and remembers it for its name, as names repeat; no value is kept."""

    def __init__(self, names: frozenset[str], kept: frozenset[str]) -> None:
        self._names = names
        self._kept = kept
        self._kinds: dict[bytes, int] = {}
        for name in _USUAL:
            self._kinds[name] = self._kinds[name.title()] = self.kind_of(name)

    def sort(self, headers: Headers) -> tuple[list[bytes], list[int]]:
        """The values that only their shape can give away, and the positions of the other headers."""
        kinds = self._kinds
        try:
            values = [value for name, value in headers if not kinds[name]]
        except KeyError:
            self._learn(headers)
            return self.sort(headers)
        if len(values) == len(headers):
            return values, []
        return values, [index for index, (name, _) in enumerate(headers) if kinds[name]]

    def credentials(self, headers: Headers) -> tuple[bytes, ...]:
        """The values that are credentials."""
        kinds = self._kinds
        try:
            return tuple([value for name, value in headers if kinds[name] == SECRET])
        except KeyError:
            self._learn(headers)
            return self.credentials(headers)

    def _learn(self, headers: Headers) -> None:
        if len(self._kinds) > _KNOWN_HEADERS:
            self._kinds = {}
        for name, _ in headers:
            self._kinds[name] = self.kind_of(name)

    def kind_of(self, name: bytes) -> int:
        """What is known of the values of headers with this name."""
        if (known := self._kinds.get(name)) is not None:
            return known
        squashed = squash(name.decode("latin-1"))
        if squashed == "contentencoding":
            return ENCODING
        if squashed in self._kept and squashed not in self._names:
            return PLAIN
        if squashed in _SPECIAL_HEADERS:
            return _SPECIAL_HEADERS[squashed]
        return SECRET if squashed in self._names or squashed.endswith(HEADER_ENDINGS) else PLAIN


def clean_credential(value: bytes) -> bytes:
    """A credential with its scheme kept: `Bearer REDACTED`."""
    scheme, space, secret = value.partition(b" ")
    if scheme.lower() not in _SCHEMES:
        return PLACEHOLDER if value.strip() else value
    return scheme + space + PLACEHOLDER if secret.strip() else value


def clean_cookie(cookie: bytes) -> bytes:
    """One cookie with its name kept: `session=REDACTED`."""
    name, equals, value = cookie.partition(b"=")
    if not equals:
        return PLACEHOLDER if cookie.strip() else cookie
    return name + equals + PLACEHOLDER if value.strip() else cookie

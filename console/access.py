"""Who may look and who may act. Everybody who reaches the page may look; whoever has the token may act.

Host     must be one this console is called by: a page of somewhere else, whose name was made to point here (DNS
         rebinding), is shown nothing
token    made anew at each start, compared in constant time; in the address's fragment, which no server and no log
         sees, and handed over once for a cookie that only this origin sends (SameSite=Strict) and no script reads; or
         in the header `Authorization: Bearer ...`, for programs
Origin   of whatever acts by cookie must be this page's own
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie

LOOPBACK = "127.0.0.1"
LOCAL = (LOOPBACK, "localhost", "[::1]")


class Access:
    """Of one console at a port. names: what it is called by, beside the loopback."""

    def __init__(self, port: int, names: Iterable[str] = ()) -> None:
        self.token = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self.cookie = f"v2hrig-{port}"  # cookies know no ports
        self._hosts = frozenset(f"{name.lower()}:{port}" for name in (*LOCAL, *names))

    def known_host(self, headers: Mapping[str, str]) -> bool:
        """Whether the request was sent to a name of this console."""
        return headers.get("host", "").lower() in self._hosts

    def is_token(self, text: str) -> bool:
        """Whether somebody has the token."""
        return secrets.compare_digest(text.encode(), self.token.encode())

    def session_cookie(self) -> str:
        """For whoever has shown the token."""
        return f"{self.cookie}={self._session}; Path=/; HttpOnly; SameSite=Strict"

    def may_act(self, headers: Mapping[str, str]) -> bool:
        """Whether a request may change anything."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_token(token.strip())
        return self._own_origin(headers) and self.knows_session(headers)

    def knows_session(self, headers: Mapping[str, str]) -> bool:
        """Whether the cookie is there."""
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return found is not None and secrets.compare_digest(found.value.encode(), self._session.encode())

    def _own_origin(self, headers: Mapping[str, str]) -> bool:
        origin = headers.get("origin", "").lower()
        return origin.startswith("http://") and origin.removeprefix("http://") == headers.get("host", "").lower()

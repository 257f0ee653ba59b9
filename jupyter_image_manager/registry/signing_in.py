"""Signing in to registries: with the tokens of the library oras, in the way that each registry asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oras.auth.token import TokenAuth
from oras.auth.utils import parse_auth_header

if TYPE_CHECKING:
    from requests import Response, Session


class ServiceAgent(TokenAuth):  # type: ignore[misc]  # oras has no types
    """Answers each challenge in its own way, and gets a new token whenever one does not suffice.

    Of itself oras takes either tokens or basic authentication, and goes on with the first token that it got, which
    another repository, another right or its age can make worthless.
    """

    def __init__(self, session: Session, username: str, secret: str, verify: str | bool) -> None:
        super().__init__()
        self.session, self._tls_verify = session, verify
        self._named = bool(username)
        self._basic = False
        if username:
            self.set_basic_auth(username, secret)

    def header(self) -> dict[str, str]:
        """Return what is sent along unasked: what the registry took last."""
        if self._basic:
            return {"Authorization": f"Basic {self._basic_auth}"}
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def answer(self, refused: Response) -> bool:
        """Prepare for a refused request to be repeated; whether that is any use.

        What is not says the token server's answer, where it was asked, else the refusal itself.
        """
        challenge = refused.headers.get("WWW-Authenticate", "")
        tried = str(refused.request.headers.get("Authorization", "")).partition(" ")[0].lower()
        if "bearer" in challenge.lower():
            asked = parse_auth_header(challenge)
            if not asked.realm:
                return False
            self._basic = False
            self.token = (self.request_token if self._named else self.request_anonymous_token)(asked)
            return bool(self.token)
        if "basic" in challenge.lower() and self._named and tried != "basic":
            self._basic = True
            return True
        return False

"""A token server of the tests' own, as the distribution project's token authentication describes it."""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from . import certificates

SERVICE, ISSUER = "tests", "tests' issuer"


class TokenServer:
    """Who may do what, changed while it runs, and what was asked of it."""

    def __init__(self, made: certificates.Certificates, accounts: Mapping[str, str]) -> None:
        self.accounts = dict(accounts)
        self.rights: dict[str, set[str]] = {}
        """Actions that each user may have; default: every one."""
        self.life = 300
        self.asked: list[tuple[str, list[str]]] = []
        """Users and the scopes that they asked for; nobody's name is empty."""
        self.certificate = made.certificate
        self._x5c = base64.b64encode(
            x509.load_pem_x509_certificate(made.certificate.read_bytes()).public_bytes(serialization.Encoding.DER)
        ).decode()
        key = serialization.load_pem_private_key(made.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        server = self

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, said = server.answer(self.path, self.headers.get("Authorization", ""))
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.realm = f"http://127.0.0.1:{self.httpd.server_address[1]}/token"

    def settings(self) -> dict[str, str]:
        """Return what the registry is told of it."""
        return {
            "realm": self.realm,
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": str(self.certificate),
        }

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, object]]:
        """Return status and body of the answer to a request for a token."""
        asked = urllib.parse.parse_qs(urllib.parse.urlparse(path).query)
        scopes = [scope for line in asked.get("scope", []) for scope in line.split()]
        user = ""
        if authorization.startswith("Basic "):
            user, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            if self.accounts.get(user) != secret:
                self.asked.append((user, scopes))
                return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong user or secret"}]}
        self.asked.append((user, scopes))
        granted = self.rights.get(user, {"pull", "push", "delete", "*"} if user else set())
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append(
                {"type": kind, "name": name, "actions": [one for one in actions.split(",") if one in granted]}
            )
        token = self._sign(user, access)
        return 200, {"token": token, "expires_in": self.life}

    def _sign(self, user: str, access: list[dict[str, object]]) -> str:
        now = int(time.time())
        head = {"typ": "JWT", "alg": "ES256", "x5c": [self._x5c]}
        body = {
            "iss": ISSUER,
            "sub": user,
            "aud": SERVICE,
            "exp": now + self.life,
            "nbf": now - 60,
            "iat": now,
            "jti": uuid.uuid4().hex,
            "access": access,
        }
        text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, body))
        r, s = utils.decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def serving(folder: Path, accounts: Mapping[str, str]) -> Iterator[TokenServer]:
    """Serve tokens for a registry; the key that signs them lies in the folder."""
    made = certificates.make(folder / "tokens")
    # The registry wants a chain that ends in what it trusts: it trusts the certificate itself and its CA.
    made.certificate.write_bytes(made.certificate.read_bytes() + made.ca.read_bytes())
    server = TokenServer(made, accounts)
    thread = threading.Thread(target=server.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.httpd.shutdown()
        server.httpd.server_close()
        thread.join()

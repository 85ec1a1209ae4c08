"""Who a UCP shop is asked by: a published profile, and the key that its requests are signed with.

Signing is RFC 9421 as the protocol binds it (ucp.dev, "Message Signatures"): ES256 over method,
authority, path, query and what the headers say, the body by RFC 9530's Content-Digest. A shop reads
the public key at the address that `UCP-Agent` names, which the wearer has to publish:
`glasses shop key https://…`. Without one, requests are not signed, as the protocol allows.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.skill.secrets import Secrets

SECRET = "ucp-key"
"""What the key is kept as."""
VERSION = "2026-04-08"
"""Version of the protocol that the profile names."""
LABEL = "sig1"
BYTES = 32
"""Bytes of a coordinate of P-256, and of each half of a signature."""
LONGEST = 300
"""Longest address of a profile."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key of P-256."""

    pem: str = field(repr=False)
    """PKCS #8."""
    profile: str
    """Where its public half is published."""

    @property
    def agent(self) -> str:
        """Return `UCP-Agent`."""
        return f'profile="{self.profile}"'


def _given(key: Any) -> Any:
    """Return the key of one message as the library asks for it."""
    from http_message_signatures import HTTPSignatureKeyResolver

    class Given(HTTPSignatureKeyResolver):
        def resolve_private_key(self, key_id: str) -> Any:
            return key

        def resolve_public_key(self, key_id: str) -> Any:
            return key

    return Given()


class Signer:
    """Signs requests."""

    def __init__(self, key: Key) -> None:
        """Take a key. Raises ValueError where it is none of P-256."""
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        read = load_pem_private_key(key.pem.encode(), None)
        if not isinstance(read, ec.EllipticCurvePrivateKey) or read.curve.name != "secp256r1":
            raise ValueError("the key is none of P-256")
        self._private = read
        self.agent = key.agent

    @cached_property
    def jwk(self) -> dict[str, str]:
        """Its public half, RFC 7517; `kid` is the thumbprint of RFC 7638."""
        import hashlib

        numbers = self._private.public_key().public_numbers()
        x, y = (_url(n.to_bytes(BYTES, "big")) for n in (numbers.x, numbers.y))
        named = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
        plain = json.dumps(named, sort_keys=True, separators=(",", ":"))
        kid = _url(hashlib.sha256(plain.encode()).digest())
        return {**named, "kid": kid, "use": "sig", "alg": "ES256"}

    def sign(self, request: Any) -> None:
        """Sign an httpx request in place: its headers and body have to be what is sent."""
        from http_message_signatures import HTTPMessageSigner, algorithms

        body: bytes = request.content
        covered = ["@method", "@authority", "@path"]
        covered += ["@query"] if request.url.query else []
        covered += ["ucp-agent"]
        covered += ["idempotency-key"] if "idempotency-key" in request.headers else []
        covered += ["content-digest", "content-type"] if body else []
        signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=_given(self._private)
        )
        signer.sign(
            request,
            key_id=self.jwk["kid"],
            label=LABEL,
            include_alg=False,  # it follows from the key
            covered_component_ids=covered,
            body=body or None,
        )

    def profile(self) -> dict[str, Any]:
        """Return what has to be published."""
        about = {"version": VERSION, "services": {}, "payment_handlers": {}}
        return {"ucp": about, "keys": [self.jwk]}


def is_right(response: Any, keys: Sequence[Mapping[str, Any]]) -> bool | None:
    """Return whether a signed answer is what the shop's published keys signed.

    None where it is not signed, or with a key that is not published or of a kind not known here.
    """
    from http_message_signatures import HTTPMessageVerifier, algorithms
    from http_message_signatures.exceptions import HTTPMessageSignaturesException

    if not keys or "signature-input" not in response.headers:
        return None
    named = response.headers["signature-input"]
    ours = [key for key in keys if f'keyid="{key.get("kid")}"' in named]
    known = [public for key in ours if (public := _public(key)) is not None]
    if not known:
        return None
    body: bytes = response.content
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=_given(known[0])
    )
    covered = ("@status", "content-digest", "content-type") if body else ("@status",)
    try:
        return bool(
            verifier.verify(response, max_age=None, require_components=covered, body=body or None)
        )
    except HTTPMessageSignaturesException:
        return False


def _public(jwk: Mapping[str, Any]) -> Any:
    """Return a key of P-256; None for any other."""
    from cryptography.hazmat.primitives.asymmetric import ec

    if (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256"):
        return None
    try:
        x, y = (int.from_bytes(_bytes(str(jwk[name])), "big") for name in ("x", "y"))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except (KeyError, ValueError):
        return None


def made(profile: str) -> Key:
    """Return a new key for a profile that will be at an address. Raises ConfigError."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    _checked(profile)
    private = ec.generate_private_key(ec.SECP256R1())
    raw = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Key(raw.decode(), profile)


def keep(key: Key, secrets: Secrets) -> None:
    """Keep it. Raises ConfigError."""
    secrets.put(SECRET, json.dumps({"pem": key.pem, "profile": key.profile}))


def kept(secrets: Secrets) -> Signer | None:
    """Return the signer of the key that is kept; None where there is none. Raises ConfigError."""
    found = secrets.get(SECRET)
    if found is None:
        return None
    try:
        read = json.loads(found.value)
        return Signer(Key(str(read["pem"]), _checked(str(read["profile"]))))
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"the secret {SECRET} is none: glasses shop key https://…") from None


def _checked(profile: str) -> str:
    parts = urlsplit(profile)
    plain = profile.isascii() and profile.isprintable() and not set(profile) & set(' "\\')
    if parts.scheme != "https" or not parts.hostname or not plain or len(profile) > LONGEST:
        raise ConfigError("a profile is at an https address: https://example.org/ucp.json")
    return profile


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

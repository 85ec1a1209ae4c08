"""TLS for whatever the glasses serve: one certificate, looked at before anything listens."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.cli import streams
from agent.config import Config
from agent.errors import ConfigError

SOON = timedelta(days=14)
"""A certificate that ends sooner is told of at the start."""
MAKE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=glasses"
    " -keyout both.pem -out both.pem"
)
"""What makes one that is good enough to try."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server shows for itself."""

    certificate: Path
    """PEM, with the chain that it hangs on."""
    key: Path
    """PEM, not encrypted; may be the same file."""

    @property
    def options(self) -> dict[str, Any]:
        """What uvicorn, and Ray's proxy, call it."""
        return {"ssl_certfile": str(self.certificate), "ssl_keyfile": str(self.key)}


def chosen(certificate: Path | None, key: Path | None = None) -> Tls | None:
    """Return what was asked for on the command line, looked at; None is no TLS.

    Raises ConfigError where it is no certificate, another's key, or has expired.
    """
    if certificate is None:
        if key is not None:
            raise ConfigError(f"--key {key} has no certificate: add --certificate FILE")
        return None
    found = Tls(certificate, key or certificate)
    _check(found)
    return found


def of(settings: Config) -> Tls | None:
    """Return what the settings ask for, likewise."""
    files = [Path(name).expanduser() for name in settings.certificates]
    if len(files) > 2:
        raise ConfigError(f"certificate is {len(files)} files: one with its key in it, or two")
    return chosen(*files) if files else None


def warn(host: str, secure: object) -> None:
    """Say so where others can come and everybody on the way can read what they say."""
    from agent.serve.simulator.guard import is_loopback

    if not secure and not is_loopback(host):
        clear = "keys and what is said cross the network in the clear: add a certificate"
        streams.echo(clear, err=True)


def _check(tls: Tls) -> None:
    from cryptography import x509

    context, where = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), tls.certificate
    try:
        context.load_cert_chain(where, tls.key, password=_encrypted)
        found = x509.load_pem_x509_certificate(where.read_bytes())
    except (OSError, ssl.SSLError, ValueError) as error:  # an SSLError is an OSError too
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(
                f"{tls.key} is not the key of {where}: give the one it was made with"
            ) from None
        why = "not both in PEM" if isinstance(error, ssl.SSLError) else error
        why = getattr(why, "strerror", None) or why
        pair = f"{where}" if tls.key == where else f"{where}, {tls.key}"
        raise ConfigError(
            f"{pair}: no certificate with its key ({why}); one to try it with: {MAKE}"
        ) from None
    begins, ends, now = found.not_valid_before_utc, found.not_valid_after_utc, datetime.now(UTC)
    if ends <= now:
        raise ConfigError(f"{where} has expired on {ends:%Y-%m-%d}: renew it")
    if begins > now:
        raise ConfigError(f"{where} is valid from {begins:%Y-%m-%d} on: look at the clock")
    if ends <= now + SOON:
        streams.echo(f"{where} expires on {ends:%Y-%m-%d}: renew it", err=True)


def _encrypted() -> str:
    raise ValueError("the key is encrypted: openssl pkey -in KEY -out PLAIN takes that away")

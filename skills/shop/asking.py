"""Asking over the network: clients that share what is slow to make, and follow nobody elsewhere."""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from httpx2 import Client


def client(timeout_s: float) -> Client:
    """Return a client to ask with and to close; redirects are not followed."""
    import httpx2

    return httpx2.Client(timeout=timeout_s, follow_redirects=False, verify=_trusted())


@cache
def _trusted() -> ssl.SSLContext:
    """Return whose certificates are trusted; reading them takes as long as some requests."""
    return ssl.create_default_context()

"""Being found: the server's address, told on the local network as Home Assistant looks for it."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

SERVICE = "_wyoming._tcp.local."
"""What Home Assistant browses for."""
TOLD_S = 5.0
"""Longest that telling, or taking it back, may take."""


@asynccontextmanager
async def announced(
    host: str, port: int, tell: Callable[[str], None], name: str = ""
) -> AsyncIterator[None]:
    """Let a server be found meanwhile; where it cannot be, that is told in a line."""
    try:
        from zeroconf import Error, IPVersion
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf
    except ImportError:
        tell("Wyoming: nobody finds it by itself: pip install zeroconf, or enter its address")
        yield
        return
    called = name or f"Glasses {socket.gethostname().partition('.')[0][:40]}"
    zeroconf: AsyncZeroconf | None = None
    try:
        addresses = _addresses(host)
        zeroconf = AsyncZeroconf(interfaces=addresses, ip_version=IPVersion.V4Only)
        service = AsyncServiceInfo(
            SERVICE,
            f"{called}.{SERVICE}",
            port=port,
            parsed_addresses=addresses,
            server=f"glasses-{port}-{socket.gethostname().partition('.')[0][:30]}.local.",
        )
        async with asyncio.timeout(TOLD_S):
            await (await zeroconf.async_register_service(service, allow_name_change=True))
    except (OSError, Error, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "no answer in time"
        tell(f"Wyoming: nobody finds it by itself ({reason}): enter its address by hand")
    try:
        yield
    finally:
        if zeroconf is not None:
            with suppress(OSError, Error):
                async with asyncio.timeout(TOLD_S):
                    await zeroconf.async_close()


def _addresses(host: str) -> list[str]:
    """Return the IPv4 addresses that others reach a server by which is bound to `host`."""
    import ifaddr

    if ipaddress.ip_address(host).is_unspecified:
        found = [
            str(ip.ip)
            for adapter in ifaddr.get_adapters()
            for ip in adapter.ips
            if ip.is_IPv4 and not ipaddress.ip_address(str(ip.ip)).is_loopback
        ]
    else:
        found = [host] if ":" not in host else []
    for address in found:  # one that is not ours would cost zeroconf a socket
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
            tried.bind((address, 0))
    if not found:
        raise ValueError("no IPv4 network")
    return found

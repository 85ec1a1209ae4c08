"""Signing in to an MCP server that wants it: OAuth 2.1 by the library, what it gives as a secret.

    401 ─▶ discovery ─▶ registration ─▶ a link, shown ─▶ browser ─▶ 127.0.0.1/callback ─▶ tokens

A link is shown by `glasses mcp add` and `glasses mcp login` alone. In a conversation what was given
then is used, and renewed; where that is not enough, the wearer is told to sign in again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider, OAuthFlowError, OAuthRegistrationError
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthMetadata,
    OAuthToken,
    ProtectedResourceMetadata,
)
from pydantic import AnyUrl, BaseModel, ValidationError

from agent.errors import ConfigError, EngineError
from agent.language.world import world_text
from agent.serve.mcp.kept import Login

SIGN_IN_S = 300.0
"""How long the wearer may take in the browser."""
EARLY_S = 30.0
"""How long before its end a token is renewed."""
HOST, PATH = "127.0.0.1", "/callback"
"""Where the browser is sent back to: RFC 8252, section 7.3."""
MOST_BYTES = 8_192
"""Longest request that is read there."""
PAGE = (
    "<!doctype html><meta charset=utf-8><title>glasses</title>"
    "<body style='font:20px sans-serif;margin:4em'>{said}"
)
DONE = "You are signed in. You can close this page.<br>已登录，可以关闭此页。"
DECLINED = "You are not signed in. You can close this page.<br>没有登录，可以关闭此页。"


Model = TypeVar("Model", bound=BaseModel)


class _Kept:
    """What signing in gave, as the library asks for it."""

    def __init__(self, login: Login) -> None:
        """Read nothing yet."""
        self._login = login
        self.found: Callable[[], dict[str, Any]] = dict
        """Gives what is known by now of who signs in, to be kept beside the tokens."""

    async def get_tokens(self) -> OAuthToken | None:
        """Return the tokens."""
        return _model(OAuthToken, (await asyncio.to_thread(self._login.read)).get("tokens"))

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep new tokens."""
        ends = time.time() + tokens.expires_in if tokens.expires_in else None
        told = {**self.found(), "tokens": _plain(tokens), "ends": ends}
        await asyncio.to_thread(self._login.write, told)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Return what we are called there."""
        told = (await asyncio.to_thread(self._login.read)).get("client")
        return _model(OAuthClientInformationFull, told)

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep what we are called there."""
        await asyncio.to_thread(self._login.write, {"client": _plain(client_info)})


class SignIn:
    """How one server is signed in to."""

    def __init__(
        self,
        url: str,
        login: Login,
        show: Callable[[str], None] | None = None,
        client: tuple[str, str] | None = None,
    ) -> None:
        """Sign in where that is wanted: `show` is given the link, None shows none.

        `client` is the id, and the secret or nothing, of who is registered there already.
        """
        self._url, self._login, self._show, self._client = url, login, show, client
        self._bound: socket.socket | None = None
        self._state = ""
        self._came: asyncio.Future[AuthorizationCodeResult] | None = None
        self._provider: OAuthClientProvider | None = None
        self.why = ""
        """Why nobody is signed in; empty where that is not known to be so."""
        self.unsigned = False
        """Whether the wearer has to sign in."""
        self.again = False
        """Whether the next try may have another token, without the wearer."""

    @property
    def patience_s(self) -> float:
        """How much longer than others this server may take to greet."""
        return 0.0 if self._show is None else SIGN_IN_S

    def auth(self) -> OAuthClientProvider | None:
        """Return what signs requests; None where nobody is signed in, or can be now.

        On the lines' loop. Raises ConfigError.
        """
        told = self._login.read()
        if self._show is None and not told.get("tokens"):
            return None
        port = self._port(int(told.get("port", 0)))
        where = AnyUrl(f"http://{HOST}:{port}{PATH}")
        about = OAuthClientMetadata(client_name="glasses", redirect_uris=[where])
        if self._client is not None:
            name, secret = self._client
            how = "client_secret_basic" if secret else "none"
            told["client"] = _plain(
                OAuthClientInformationFull(
                    client_id=name, client_secret=secret or None, redirect_uris=[where],
                    token_endpoint_auth_method=how,
                )
            )  # fmt: skip
        elif port != told.get("port"):
            told["client"] = None  # it was registered with another way back
        if self._show is not None:
            self._login.write({"port": port, "client": told.get("client")})
        kept = _Kept(self._login)
        self._provider = made = _Provider(self._url, about, kept, self._asked, self._answered)
        made.failed = self._failed
        # The library keeps none of this, and without it renews nothing after a restart.
        context = made.context
        context.oauth_metadata = _model(OAuthMetadata, told.get("server"))
        context.protected_resource_metadata = _model(
            ProtectedResourceMetadata, told.get("resource")
        )
        if resource := context.protected_resource_metadata:
            context.auth_server_url = str(resource.authorization_servers[0])
        if told.get("ends") is not None:
            context.token_expiry_time = float(told["ends"]) - EARLY_S
        kept.found = self._found
        return made

    def close(self) -> None:
        """Let nobody come back any more."""
        bound, self._bound = self._bound, None
        if bound is not None:
            bound.close()

    def _port(self, before: int) -> int:
        """Return the port to come back to, the same as before where it is free."""
        if self._show is None:
            return before or 1  # nobody is sent there
        self.close()
        self._bound = bound = socket.socket()
        try:
            bound.bind((HOST, before))
        except OSError:
            bound.bind((HOST, 0))
        return int(bound.getsockname()[1])

    def _found(self) -> dict[str, Any]:
        """Return what has been found out about who signs in."""
        if self._provider is None:
            return {}
        context = self._provider.context
        return {
            "server": _plain(context.oauth_metadata),
            "resource": _plain(context.protected_resource_metadata),
        }

    def _failed(self, error: Exception) -> None:
        """Note why nobody is signed in: what the library raises is lost on its way to the call."""
        if isinstance(error, EngineError | ConfigError):
            self.why = str(error)
        elif isinstance(error, OAuthRegistrationError):
            self.why = "signs in nobody by itself: --client-id says who you are, or --header a key"
        elif isinstance(error, OAuthFlowError):
            self.why = f"could not be signed in to: {world_text(error, 120)}"

    # -- the link, and the way back ---------------------------------------------------------------

    async def _asked(self, link: str) -> None:
        """Show where to sign in. Raises EngineError where that is not to be."""
        assert self._provider is not None
        context = self._provider.context
        if self._show is None:
            self.unsigned = True
            told = self._login.read()
            tokens, wanted = context.current_tokens, context.client_metadata.scope or ""
            if {*wanted.split()} - {*((tokens and tokens.scope) or "").split()}:
                await asyncio.to_thread(self._login.write, {"scope": wanted})  # for the next link
            elif context.can_refresh_token() and told.get("ends") != 0:
                await asyncio.to_thread(self._login.write, {"ends": 0})
                self.again = True
            raise EngineError("wants you to sign in")
        server = context.oauth_metadata
        for one in (link, *((str(server.token_endpoint),) if server is not None else ())):
            if not _safe(one):
                raise EngineError("wants you to sign in where anybody could listen: without TLS")
        link = _wider(link, str(self._login.read().get("scope") or ""))
        self._state = parse_qs(urlsplit(link).query).get("state", [""])[0]
        self._came = asyncio.get_running_loop().create_future()
        self._show(link)

    async def _answered(self) -> AuthorizationCodeResult:
        """Wait for the browser to come back. Raises EngineError where it does not, or with a no."""
        assert self._came is not None
        server = await asyncio.start_server(self._back, sock=self._bound, limit=MOST_BYTES)
        try:
            async with asyncio.timeout(SIGN_IN_S):
                return await self._came
        except TimeoutError:
            raise EngineError(f"was not signed in to within {SIGN_IN_S:g} s") from None
        finally:
            server.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take what a browser comes back with; what is not of this link changes nothing."""
        try:
            async with asyncio.timeout(10):
                asked = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode("ascii")
                known = self._take(asked)
                status, said = ("404 Not Found", "") if known is None else ("200 OK", known)
                body = PAGE.format(said=said).encode()
                head = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n"
                head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except (OSError, ValueError, IndexError, EOFError, asyncio.LimitOverrunError, TimeoutError):
            pass  # no browser's
        finally:
            writer.close()

    def _take(self, asked: str) -> str | None:
        """Take a way back and return what to say to who came; None where it is not ours."""
        parts, came = urlsplit(asked), self._came
        told = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path != PATH or came is None or told.get("state") != self._state:
            return None
        if came.done():
            return DONE
        if "code" not in told:
            why = "".join(filter(str.isprintable, told.get("error", "no code")))[:60]
            came.set_exception(EngineError(f"was not signed in to: {why}"))
            return DECLINED
        code, state = told["code"], told["state"]
        came.set_result(AuthorizationCodeResult(code=code, state=state, iss=told.get("iss")))
        return DONE


class _Provider(OAuthClientProvider):
    """The library's, which says what it failed of."""

    failed: Callable[[Exception], None]

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        flow = super().async_auth_flow(request)
        try:
            asked = await anext(flow)
            while True:
                answered = yield asked
                asked = await flow.asend(answered)
        except StopAsyncIteration:
            return
        except Exception as error:
            self.failed(error)
            raise
        finally:
            await flow.aclose()


def _wider(link: str, scope: str) -> str:
    """Return a link that asks for what a tool wanted as well."""
    parts = urlsplit(link)
    asked = dict(parse_qsl(parts.query))
    if not scope:
        return link
    both = dict.fromkeys([*asked.get("scope", "").split(), *scope.split()])
    return parts._replace(query=urlencode({**asked, "scope": " ".join(both)})).geturl()


def _safe(url: str) -> bool:
    """Whether what is sent there is seen by nobody on the way."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    host = parts.hostname or ""
    with suppress(ValueError):
        return parts.scheme == "http" and ipaddress.ip_address(host).is_loopback
    return parts.scheme == "http" and host == "localhost"


def _plain(model: BaseModel | None) -> Any:
    return None if model is None else model.model_dump(mode="json", exclude_none=True)


def _model(kind: type[Model], told: object) -> Model | None:
    """Return what was kept; None where it is of another version of the library."""
    with suppress(ValidationError):
        return None if told is None else kind.model_validate(told)
    return None

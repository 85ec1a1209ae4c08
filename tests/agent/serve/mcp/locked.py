"""An MCP server that wants its clients to sign in, and the one who signs them in: `… PORT`.

Both are the library's own. Whoever opens the link is taken for the wearer and says yes, or no with
`--no`. `--life SECONDS` is how long a token lasts; `--closed` registers nobody.
"""

import argparse
import secrets
import time

from mcp.server import MCPServer
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

SCOPE = "tides"
KNOWN, SECRET = "known-client", "known-secret"


class Native(OAuthClientInformationFull):
    """Somebody who comes back to this machine, at whichever port: RFC 8252, section 7.3."""

    def validate_redirect_uri(self, redirect_uri):
        assert redirect_uri.host == "127.0.0.1"
        return redirect_uri


class Wardens:
    """Who signs in: the library's provider, kept in memory."""

    def __init__(self, life_s, declines):
        self.life_s, self.declines = life_s, declines
        self.clients, self.codes, self.access, self.refresh = {}, {}, {}, {}
        self.clients[KNOWN] = Native(
            client_id=KNOWN, client_secret=SECRET, redirect_uris=["http://127.0.0.1/callback"],
            token_endpoint_auth_method="client_secret_basic", scope=SCOPE,
        )  # fmt: skip

    async def get_client(self, client_id):
        return self.clients.get(client_id)

    async def register_client(self, client_info):
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client, params):
        back = str(params.redirect_uri)
        if self.declines:
            return construct_redirect_uri(back, error="access_denied", state=params.state)
        code = AuthorizationCode(
            code=secrets.token_urlsafe(24), scopes=params.scopes or [SCOPE],
            expires_at=time.time() + 60, client_id=client.client_id,
            code_challenge=params.code_challenge, redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=True, resource=params.resource,
        )  # fmt: skip
        self.codes[code.code] = code
        return construct_redirect_uri(back, code=code.code, state=params.state)

    async def load_authorization_code(self, client, authorization_code):
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(self, client, authorization_code):
        del self.codes[authorization_code.code]
        return self._given(client.client_id, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client, refresh_token):
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(self, client, refresh_token, scopes):
        if self.refresh.pop(refresh_token.token, None) is None:
            raise TokenError("invalid_grant")
        return self._given(client.client_id, scopes, refresh_token.resource)

    async def load_access_token(self, token):
        known = self.access.get(token)
        return known if known is not None and known.expires_at > time.time() else None

    async def revoke_token(self, token):
        self.access.pop(token.token, None)

    def _given(self, client, scopes, resource):
        token, again = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        ends = int(time.time() + self.life_s)
        self.access[token] = AccessToken(
            token=token, client_id=client, scopes=scopes, expires_at=ends, resource=resource
        )
        self.refresh[again] = RefreshToken(
            token=again, client_id=client, scopes=scopes, resource=resource
        )
        return OAuthToken(
            access_token=token, expires_in=int(self.life_s), refresh_token=again,
            scope=" ".join(scopes),
        )  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--life", type=float, default=3600)
    parser.add_argument("--no", action="store_true")
    parser.add_argument("--closed", action="store_true")
    asked = parser.parse_args()
    url = f"http://127.0.0.1:{asked.port}"
    server = MCPServer(
        "locked",
        auth_server_provider=Wardens(asked.life, asked.no),
        auth=AuthSettings(
            issuer_url=url, resource_server_url=f"{url}/mcp", required_scopes=[SCOPE],
            validate_token_resource=True,
            client_registration_options=ClientRegistrationOptions(
                enabled=not asked.closed, valid_scopes=[SCOPE], default_scopes=[SCOPE]
            ),
        ),
    )  # fmt: skip

    @server.tool()
    async def get_tide(place: str) -> str:
        """Get the tide at a place."""
        return f"High tide at {place}"

    server.run(transport="streamable-http", port=asked.port)


if __name__ == "__main__":
    main()

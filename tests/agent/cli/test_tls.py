"""TLS: what is wrong with a certificate is one line at the start, and every server speaks it."""

import asyncio
import socket
import ssl

import httpx2
import pytest
from click.testing import CliRunner
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from websockets.asyncio.client import connect

from agent.cli import push, serving, tls
from agent.cli.commands import main
from agent.config import load
from agent.errors import ConfigError
from agent.serve.xiaozhi.server import OTA
from agent.testing import make_agent
from tests.certificates import written


def refused(certificate, key=None):
    with pytest.raises(ConfigError) as told:
        tls.chosen(certificate, key)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_none_is_asked_for():
    assert tls.chosen(None) is None
    assert tls.of(load({})) is None


def test_a_key_alone_lacks_its_certificate(tmp_path):
    assert refused(None, tmp_path / "key.pem").endswith("add --certificate FILE")


def test_certificate_and_key_may_be_one_file_or_two(tmp_path):
    one = written(tmp_path / "both.pem")
    assert tls.chosen(one).options == {"ssl_certfile": str(one), "ssl_keyfile": str(one)}
    two = written(tmp_path / "cert.pem", key_path=tmp_path / "key.pem")
    assert tls.chosen(two, tmp_path / "key.pem").key == tmp_path / "key.pem"
    asked = {"GLASSES_CERTIFICATE": f"{two}, {tmp_path / 'key.pem'}"}
    assert tls.of(load(asked)) == tls.chosen(two, tmp_path / "key.pem")
    with pytest.raises(ConfigError, match="is 3 files"):
        tls.of(load({"GLASSES_CERTIFICATE": "a,b,c"}))


def test_the_wrong_key_is_named(tmp_path):
    certificate = written(tmp_path / "cert.pem", key_path=tmp_path / "key.pem")
    written(tmp_path / "other.pem", key_path=tmp_path / "other-key.pem")
    told = refused(certificate, tmp_path / "other-key.pem")
    assert told.startswith(f"{tmp_path / 'other-key.pem'} is not the key of {certificate}")


def test_an_encrypted_key_is_not_asked_for(tmp_path):
    key = tmp_path / "key.pem"
    certificate = written(tmp_path / "cert.pem", key_path=key, password=b"secret")
    assert "the key is encrypted: openssl pkey" in refused(certificate, key)


def test_one_that_has_expired_or_is_not_valid_yet_is_refused(tmp_path):
    assert "has expired on" in refused(written(tmp_path / "old.pem", days=0))
    assert "look at the clock" in refused(written(tmp_path / "new.pem", began=3))


def test_one_that_expires_soon_is_told_of(tmp_path, capsys):
    tls.chosen(written(tmp_path / "soon.pem", days=5))
    assert "expires on" in capsys.readouterr().err
    tls.chosen(written(tmp_path / "later.pem", days=90))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 200, b"-----BEGIN CERTIFICATE-----\nx\n"])
def test_what_is_no_certificate_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "bad.pem").write_bytes(content)
    assert "no certificate with its key" in refused(tmp_path / "bad.pem")


@pytest.mark.parametrize(
    "command",
    [
        ("simulate", "--no-browser"),
        ("mcp", "serve", "--http", "0"),
        ("rtvi", "serve", "--host", "0"),
        ("xiaozhi", "serve", "--host", "0"),
    ],
    ids=lambda command: command[0],
)
def test_each_command_looks_at_it_before_anything_else(tmp_path, monkeypatch, command):
    monkeypatch.setenv("HOME", str(tmp_path))
    old = written(tmp_path / "old.pem", days=0)
    done = CliRunner().invoke(main, [*command, "--certificate", str(old)])
    assert done.exit_code == 1
    assert "has expired on" in done.output


def test_a_certificate_on_the_command_line_takes_the_place_of_the_settings(tmp_path, monkeypatch):
    both = written(tmp_path / "both.pem")
    monkeypatch.setenv("GLASSES_CERTIFICATE", "/no/such.pem")
    assert tls.of(serving._secured((both, None))) == tls.Tls(both, both)


@pytest.mark.slow
async def test_every_server_of_the_settings_speaks_it(tmp_path, capsys):
    both = written(tmp_path / "both.pem")
    ports = []
    for _ in range(4):
        with socket.create_server(("127.0.0.1", 0)) as bound:
            ports.append(bound.getsockname()[1])
    names = "PUSH", "MCP", "RTVI", "XIAOZHI"
    asked = {f"GLASSES_{name}": str(port) for name, port in zip(names, ports, strict=True)}
    settings = load({**asked, "GLASSES_CERTIFICATE": str(both), "HOME": str(tmp_path)})
    known = ssl.create_default_context(cafile=str(both))
    agent = make_agent(tmp_path / "data")
    to_push, to_mcp, to_rtvi, to_xiaozhi = (f"127.0.0.1:{port}" for port in ports)
    async with push.serving(agent, settings):
        told = capsys.readouterr().err
        for line in (f"https://{to_push}/notify", f"https://{to_mcp}/mcp", f"wss://{to_rtvi}/ws"):
            assert line in told
        async with httpx2.AsyncClient(verify=known) as client:
            assert (await client.post(f"https://{to_push}/notify")).status_code == 401
            way = (await client.post(f"https://{to_xiaozhi}{OTA}")).json()["websocket"]["url"]
            assert way.startswith(f"wss://{to_xiaozhi}/")
            with pytest.raises(httpx2.HTTPError):
                await client.get(f"http://{to_push}/notify")
        for address in (f"wss://{to_rtvi}/ws", way):
            async with connect(address, ssl=known):
                pass
        with pytest.raises(ssl.SSLCertVerificationError):
            async with connect(f"wss://{to_rtvi}/ws"):
                pass
        async with (
            httpx2.AsyncClient(verify=known) as made,
            Client(streamable_http_client(f"https://{to_mcp}/mcp", http_client=made)) as client,
        ):
            assert (await client.list_tools()).tools
    await agent.close()
    await asyncio.sleep(0)

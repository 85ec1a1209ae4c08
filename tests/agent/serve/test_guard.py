"""Who gets in: this machine, or whoever has the token; nobody else's page, whatever it is called."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from agent.serve.simulator import guard
from agent.serve.simulator.app import Options, create
from tests.agent.serve.server import scripted

TOKEN = "a-token-of-this-test"


@pytest.fixture
def client(tmp_path):
    with TestClient(create(scripted(), Options(tmp_path)), base_url="http://127.0.0.1") as made:
        yield made


@pytest.fixture
def remote(tmp_path):
    app = create(scripted(), Options(tmp_path, token=TOKEN))
    with TestClient(app, base_url="http://192.0.2.7:8642") as made:
        yield made


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8642", "[::1]:8642", "LOCALHOST"])
def test_this_machine_gets_in_under_its_own_names(client, host):
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 200
    assert "<main" in answer.text


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "a@localhost", "[::1", "x y"],
)
def test_a_name_that_was_pointed_here_does_not(client, host):
    assert client.get("/", headers={"host": host}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://127.0.0.1/socket", headers={"host": host}),
    ):
        pass


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"]
)
def test_a_page_of_another_origin_gets_neither_the_socket_nor_a_file(client, origin):
    headers = {"host": "127.0.0.1", "origin": origin}
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://127.0.0.1/socket", headers=headers),
    ):
        pass
    assert client.post("/session/mine", headers=headers).status_code == 403


def test_the_page_itself_gets_the_socket(client):
    headers = {"host": "127.0.0.1", "origin": "http://127.0.0.1"}
    with client.websocket_connect("ws://127.0.0.1/socket", headers=headers) as socket:
        socket.send_json({"type": "hello", "version": 1, "pair": "mine"})
        assert socket.receive_json()["type"] == "lens"


def test_with_a_token_every_path_needs_it(remote):
    for path in (
        "/",
        "/app.js",
        "/health",
        f"/{TOKEN}x/",
        f"/x{TOKEN}/",
        "/%2e%2e/",
        f"//{TOKEN}/",
    ):
        assert remote.get(path).status_code in (403, 404), path
    with pytest.raises(WebSocketDisconnect), remote.websocket_connect("ws://192.0.2.7:8642/socket"):
        pass
    assert "<main" in remote.get(f"/{TOKEN}/").text
    assert remote.get(f"/{TOKEN}", follow_redirects=True).url.path == f"/{TOKEN}/"
    assert "class Link" in remote.get(f"/{TOKEN}/link.js").text
    with remote.websocket_connect(f"ws://192.0.2.7:8642/{TOKEN}/socket") as socket:
        socket.send_json({"type": "hello", "version": 1, "pair": "mine"})
        assert socket.receive_json()["type"] == "lens"


def test_tokens_are_long_and_never_the_same():
    made = {guard.token() for _ in range(100)}
    assert len(made) == 100
    assert min(map(len, made)) >= 24


@pytest.mark.parametrize(
    ("host", "inside"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("192.168.1.4", False), ("glasses.local", False)],
)  # fmt: skip
def test_what_is_loopback_needs_no_token(host, inside):
    assert guard.is_loopback(host) is inside


def test_nothing_from_elsewhere_and_no_script_in_the_page(client):
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = answer.text
    assert "http://" not in page
    assert "https://" not in page
    assert " style=" not in page
    assert " onclick=" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/../app.py",
        "/%2e%2e/app.py",
        "/spoken/../base.py",
        "/spoken/%2e%2e/base.py",
        "/sound/x",
        "/recording/x",
    ],
)
def test_no_other_file_can_be_fetched(client, path):
    assert client.get(path).status_code == 404


NO_HOST = "@/\\? #;, "


@given(st.text(max_size=40) | st.text("ab1.:-[]" + NO_HOST, max_size=12))
@example("localhost:80")
@example("[::1]")
def test_what_is_a_host_names_nothing_else(host):
    assert not (guard._is_host(host) and (not host or {*host} & {*NO_HOST}))


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "192.168.1.7:8080", "[::1]:80"])
def test_hosts_are_hosts(host):
    assert guard._is_host(host)
    assert not any(guard._is_host(f"{host}{sign}x") for sign in NO_HOST)

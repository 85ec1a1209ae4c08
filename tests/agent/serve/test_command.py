"""`glasses simulate` as it is started: its address, its token, its port, and how it ends."""

import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from agent.cli import simulate, tls
from agent.cli.simulate import LOOPBACK, bound
from agent.errors import GlassesError
from hardware.base import DeviceError
from tests.agent.serve.server import Page, get, running, scripted
from tests.certificates import written
from tests.pace import PATIENCE_S

pytestmark = pytest.mark.slow

RUN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
from agent.cli.simulate import run
host = None if sys.argv[1] == "-" else sys.argv[1]
run(host=host, port=0, browser=False, language="en")
"""


@pytest.fixture(params=["-", "0.0.0.0"], ids=["loopback", "everywhere"])
def started(request, tmp_path):
    """A process that serves, and the address that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, request.param],
        env={"HOME": str(tmp_path), "PYTHONPATH": ".", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    yield request.param, re.search(r"http://\S+/", line)[0], process
    process.kill()
    process.communicate()


def test_the_address_that_it_prints_is_the_page(started):
    host, address, process = started
    port = address.split(":")[2].split("/")[0]
    here = re.sub(r"//[^:/]+:", f"//{LOOPBACK}:", address)
    assert b"<main" in get(here)
    if host == "-":
        assert address == f"http://localhost:{port}/"
    else:
        assert re.fullmatch(r"http://[^/]+/[\w-]{24,}/", address)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(f"http://{LOOPBACK}:{port}/")
    with Page(here) as page:
        page.until("welcome")
        page.send("say", text="navigate to the pharmacy")
        page.shows("Market Pharmacy")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == -signal.SIGINT or "KeyboardInterrupt" in errors
    assert "pharmacy" not in (output + errors).lower()
    assert address.split("/")[3] == "" or address.split("/")[3] not in errors


def test_a_port_in_use_is_one_line():
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(GlassesError, match=f"cannot listen on {LOOPBACK}:{port}.*choose"):
            bound(LOOPBACK, port)


def test_its_usual_port_in_use_is_no_matter():
    with bound(LOOPBACK, None) as first, bound(LOOPBACK, None) as second:
        assert first.getsockname()[1] != second.getsockname()[1]


def test_glasses_that_there_are_not_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DeviceError, match="no display profile"):
        simulate.run(profile="no-such-glasses", browser=False)


def test_over_https_with_a_certificate(tmp_path):
    with running(scripted(), tmp_path, tls.chosen(written(tmp_path / "both.pem"))) as address:
        assert address.startswith("https://")
        anyone = ssl.create_default_context()
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        with urllib.request.urlopen(address, context=anyone) as answer:
            assert "wss://" in answer.headers["content-security-policy"]

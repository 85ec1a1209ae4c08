"""The command: tenants, certificates, replicas that are killed and replaced, and their one ledger."""

import asyncio
import os
import signal
import ssl
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli import hub
from agent.cli.commands import main
from agent.serve.hub.tenants import Tenant, Tenants
from tests.agent.serve.hub.running import Running, temporary_home
from tests.agent.serve.hub.test_session import SPOKEN
from tests.bench.hub import audit, killed
from tests.certificates import written
from tests.pace import PATIENCE_S, soon, until


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GLASSES_DATA", str(tmp_path / "data"))
    runner = CliRunner()
    return lambda *arguments: runner.invoke(main, ["hub", *arguments])


# -- tenants --------------------------------------------------------------------------------------


def test_without_a_tenant_nobody_could_come(run):
    result = run("--host", "0")
    assert result.exit_code == 1
    assert "glasses hub add NAME" in result.output


def test_a_key_is_shown_once_and_kept_as_a_hash(run, tmp_path):
    key = run("add", "acme", "--sessions", "7").stdout.strip()
    kept = (tmp_path / "data/hub/tenants.json").read_text()
    assert key.startswith("acme.")
    assert key.partition(".")[2] not in kept
    assert (tmp_path / "data/hub/tenants.json").stat().st_mode & 0o777 == 0o600
    tenants = Tenants(tmp_path / "data/hub")
    assert tenants.find(key) == tenants.all()["acme"]
    assert tenants.all()["acme"].sessions == 7
    assert "acme  7 sessions, 1000 glasses, 30 turns a minute each" in run("list").output


def test_a_new_key_takes_the_place_of_the_old_one(run, tmp_path):
    old = run("add", "acme").stdout.strip()
    new = run("add", "acme").stdout.strip()
    tenants = Tenants(tmp_path / "data/hub")
    assert (tenants.find(old), tenants.find(new)) == (None, tenants.all()["acme"])


def test_a_tenant_that_is_not_there_is_named(run):
    run("add", "acme")
    assert "no tenant is called zeta: there are acme" in run("remove", "zeta").output
    assert run("remove", "acme").exit_code == 0
    assert run("list").output == ""


def test_what_a_tenant_may_not_be_called(run):
    assert "tenant is '../x'" in run("add", "../x").output
    assert run("add", "acme", "--sessions", "-1").exit_code == 2


def test_tenants_that_were_written_by_hand_are_read(tmp_path):
    (tmp_path / "tenants.json").write_text('{"acme": {"hash": "", "sessions": 2, "later": true}}')
    assert Tenants(tmp_path).all() == {"acme": Tenant("acme", sessions=2)}
    assert Tenants(tmp_path).find("") is None
    assert Tenants(tmp_path).find("acme.") is None


# -- certificates ---------------------------------------------------------------------------------


def test_an_expired_certificate_is_refused_at_the_start(run, tmp_path):
    run("add", "acme")
    expired = written(tmp_path / "old.pem", days=0)
    result = run("--host", "0", "--certificate", str(expired))
    assert result.exit_code == 1
    assert "has expired on" in result.output


def test_a_hub_in_the_clear_says_so(capsys):
    import socket

    with socket.create_server(("0.0.0.0", 0)) as bound:
        hub.told(bound, None, "1 x 1 sessions")
    assert "in the clear" in capsys.readouterr().err


# -- two replicas, over TLS -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A hub of two replicas, each with an engine."""
    certificate = written(tmp_path_factory.mktemp("tls") / "hub.pem")
    arguments = ["--replicas", "2", "--sessions", "50", "--certificate", str(certificate)]
    with temporary_home() as home, Running(home, *arguments, secure=certificate) as hub:
        yield hub


@pytest.mark.slow
async def test_it_is_spoken_to_over_tls(running):
    async with running.wearer("tls") as wearer:
        for _ in range(2):  # the first of a fresh engine may be too unclear for a payment
            turn = await wearer.speak(SPOKEN)
            assert turn["transcript"] == "pay twenty dollars to anna"
        assert turn["reply"]["proposal"]["amount"] == "20.00"
        await wearer.say("yes")
    assert [entry.state for entry in running.ledger("tls")] == ["settled"]
    with pytest.raises(ssl.SSLError):
        await asyncio.open_connection(
            *running.url.removeprefix("wss://").split(":"), ssl=ssl.create_default_context()
        )


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_replica_that_is_killed_loses_no_turn_and_pays_nothing_twice(running):
    paid = await killed(running, 8, "killed")
    assert audit(running, paid) == (0, 0, 0)
    assert paid.breaks
    assert all(paid.told.values())


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_replicas_are_replaced_one_by_one_without_a_lost_turn(running):
    before = [pid for pid in running.family() if pid != running.process.pid]
    async with running.wearer("rolling") as wearer:
        await wearer.say("what time is it")
        os.kill(running.process.pid, signal.SIGHUP)
        numbers = []
        while not wearer.breaks:
            numbers.append(await wearer.tell("what time is it"))
            await asyncio.sleep(0.05)
        await wearer.until(lambda: all(("line", n) in wearer.answers for n in numbers))
        # Its own replica was replaced; the other may come after it.
        await soon(lambda: (now := {*running.replicas()}) and not now & {*before}, PATIENCE_S)


@pytest.mark.slow
async def test_a_writer_of_ledgers_that_is_killed_is_begun_anew(running):
    async with running.wearer("written") as wearer:
        await wearer.say("pay 3 dollars to anna")
        await wearer.say("yes")
        sockets = [pid for pid, _ in running.family().items() if _writes(pid)]
        (writer,) = sockets
        await wearer.say("pay 4 dollars to anna")
        os.kill(writer, signal.SIGKILL)
        assert "Paid" in (await wearer.say("yes"))["reply"]["text"]
    assert sorted(int(entry.order.amount) for entry in running.ledger("written")) == [3, 4]


def _writes(pid):
    """Whether a process has a ledger open."""
    try:
        held = [path.readlink().name for path in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return "ledger.sqlite" in held


@pytest.mark.slow
async def test_the_metrics_are_those_of_all_replicas(running):
    before = await asyncio.to_thread(running.metric, "glasses_hub_turns_total")
    for number in range(6):
        async with running.wearer(f"metric-{number}") as wearer:
            await wearer.say("what time is it")
    told = await asyncio.to_thread(running.metric, "glasses_hub_turns_total")
    assert told - before == 6
    await soon(lambda: running.metric("glasses_hub_sessions") == 0, PATIENCE_S)


@pytest.mark.slow
def test_it_ends_with_all_that_it_began():
    with temporary_home() as home, Running(home) as hub:
        family = [*hub.family()]
        hub.process.terminate()
        hub.process.wait(PATIENCE_S)
        until(lambda: not any(hub._ours(pid) for pid in family))

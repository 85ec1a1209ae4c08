"""Everything in the data folder is the wearer's alone, also what was there before."""

import asyncio
import os
import stat
from decimal import Decimal

import pytest

from agent import private
from agent.act.gate import Gate
from agent.listen.health import Health, HealthLog
from agent.loop.resume import KeptCard, State, save
from agent.messages import Intent, Proposal, Receipt
from agent.testing import make_agent
from skills.music.playlists import Playlists
from skills.shop.shopping_list import ShoppingList


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def everybody_may_read():
    """The umask that most systems have."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def whole(folder):
    return [folder, *folder.rglob("*")]


def assert_closed(folder):
    found = {path.name: oct(mode(path)) for path in whole(folder) if mode(path) & 0o077}
    assert found == {}


def used(folder):
    """Let everything write that keeps something."""
    agent = make_agent(folder, builtin=True)

    async def talk():
        for text in (
            "pay 20 dollars to anna",
            "yes",
            "add milk to my shopping list",
            "add ode to joy to my workout playlist",
        ):
            await agent.hear(text)
        await agent.close()

    asyncio.run(talk())
    HealthLog(folder).save(Health("mic", 1.0, 1.0))
    save(folder / "resume.json", State((KeptCard("hi", at_s=1.0),)))


def test_whatever_is_kept_is_closed_to_others(tmp_path):
    folder = tmp_path / "made" / "data"
    used(folder)
    names = {path.name for path in whole(folder)}
    assert {"ledger.sqlite", "notes.sqlite", "playlists.json"} <= names
    assert {"listening.json", "resume.json"} <= names
    assert_closed(folder.parent)


def test_what_an_earlier_version_left_open_is_closed_when_it_is_used(tmp_path):
    folder = tmp_path / "data"
    used(folder)
    for path in whole(folder):
        path.chmod(0o755 if path.is_dir() else 0o644)
    used(folder)
    assert mode(folder) == 0o700  # nobody comes past it
    for path in whole(folder):
        assert path.is_dir() or not mode(path) & 0o077, path


def test_reading_closes_too(tmp_path):
    ShoppingList(tmp_path).restore(["milk"])
    Playlists(tmp_path).add("Ode to Joy", "workout")
    HealthLog(tmp_path).save(Health())
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    assert ShoppingList(tmp_path).items() == ["milk"]
    assert Playlists(tmp_path).titles("workout") == ["Ode to Joy"]
    assert HealthLog(tmp_path).load() is not None
    assert [oct(mode(path)) for path in tmp_path.iterdir()] == ["0o600"] * 3


def test_what_sqlite_writes_beside_is_closed(tmp_path):
    path = tmp_path / "ledger.sqlite"
    seen = {}

    def commit(key):
        seen.update({p.name: mode(p) for p in tmp_path.iterdir()})
        return Receipt("done")

    gate = Gate(tmp_path)
    gate.offer(
        Proposal("Pay?", amount=Decimal(1), payee="Anna", commit=commit), Intent("pay", "pay"), "en"
    )
    gate.commit(gate.accept(gate.open.key), "en")
    assert path.name in seen
    assert all(not found & 0o077 for found in seen.values()), seen
    for name in ("ledger.sqlite-wal", "ledger.sqlite-journal"):
        (tmp_path / name).touch(mode=0o644)
        private.file(path)
        assert mode(tmp_path / name) == 0o600


def test_a_folder_that_is_shared_on_purpose_is_left_as_it_is(tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    private.write(shared / "a", "mine")
    assert (mode(shared), mode(shared / "a")) == (0o1777, 0o600)
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    monkeypatch.setenv("HOME", str(home))
    private.folder(home)
    assert mode(home) == 0o755
    private.folder(home / "a" / "b")
    assert [mode(home / "a"), mode(home / "a" / "b")] == [0o700, 0o700]


def test_a_link_is_followed_and_not_changed(tmp_path):
    (tmp_path / "elsewhere").touch(mode=0o644)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    private.close(tmp_path / "link")
    assert mode(tmp_path / "elsewhere") == 0o644
    private.close(tmp_path / "nothing")


def test_what_cannot_be_written_leaves_what_was_there(tmp_path):
    path = tmp_path / "a"
    private.write(path, "before")
    (tmp_path / "a.new").mkdir()  # nothing can be put there
    with pytest.raises(OSError, match=r"a\.new"):
        private.write(path, "after")
    assert path.read_text() == "before"

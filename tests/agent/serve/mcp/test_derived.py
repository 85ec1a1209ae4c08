"""What is derived of a tool: its risk, what can be said for it, and what is asked of the wearer."""

import pytest

from agent.serve.mcp import risk, saying, schema, shown
from agent.serve.mcp.call import Result


def of(*names, **more):
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, **more}


@pytest.mark.parametrize(
    ("name", "description", "parameters", "reads", "judged"),
    [
        ("get_weather", "Get the weather", ("city",), True, "none"),
        ("get_weather", "Get the weather", ("city",), False, "change"),
        ("set_lamp", "Set a lamp", ("level",), False, "change"),
        ("pay_bill", "Pay a bill", ("amount",), False, "money"),
        ("pay_bill", "Pay a bill", ("amount",), True, "money"),  # its hint may lie
        ("do", "Transfers money to a friend", ("amount",), True, "money"),
        ("create-mobile-alipay-payment", "创建支付订单", ("totalAmount",), False, "money"),
        ("query-alipay-payment", "查询支付订单", ("outTradeNo",), False, "change"),
        ("refund-alipay-payment", "退款", ("refundAmount",), False, "money"),
        ("list_orders", "List orders", (), True, "none"),
        ("get_money", "Sends money to somebody", ("amount", "to"), True, "money"),
        (
            "maps_weather",
            "根据城市名称或者标准adcode查询指定城市的天气",
            ("city",),
            False,
            "change",
        ),
        ("checkout", "Finish", (), True, "money"),
        ("place_order", "Places an order", ("item",), False, "money"),
    ],
)
def test_risk_is_judged_by_words_and_hints_only_make_it_worse(
    name, description, parameters, reads, judged
):
    assert risk.risk(name, description, of(*parameters), reads) == judged


@pytest.mark.parametrize(
    ("message", "names", "secret"),
    [
        ("Your PIN?", (), True),
        ("Go on?", ("password",), True),
        ("Go on?", ("cardNumber",), True),
        ("Go on?", ("api_key",), True),
        ("请输入验证码", (), True),
        ("请输入银行卡号", (), True),
        ("Which colour?", ("colour",), False),
        ("Spinning or still?", ("spin",), False),
        ("How many cards in the deck?", ("count",), False),
    ],
)
def test_a_question_for_a_secret_is_known(message, names, secret):
    assert risk.secret(message, of(*names)) is secret


def test_a_format_tells_a_secret_too():
    asked = {"properties": {"word": {"type": "string", "format": "password"}}}
    assert risk.secret("Your word?", asked)


def sentences(name, description="", shape=None, server="amap"):
    found = schema.parameters(shape or of())
    return saying.said(server, name, description, found)


def test_what_can_be_said_in_english():
    told = sentences("get_forecast", shape=of("city", required=["city"]))
    assert told.english[0] == (
        "ask amap (for [the]|to get [me] [the]) forecast (in|at|for|of) {city}"
    )
    assert "(what is|what's|what are|how is) the forecast (in|at|for|of) {city}" in told.english


def test_values_are_kept_apart_by_words():
    told = sentences("plan_route", shape=of("origin", "destination", "mode",
                                            required=["origin", "destination", "mode"]))  # fmt: skip
    assert told.english[0].endswith("from {origin} to {destination} with mode {mode}")
    two = sentences("tell_weather", shape=of("city", "region", required=["city", "region"]))
    assert two.english[0].endswith("in {city} with region {region}")


@pytest.mark.parametrize(
    ("name", "description", "shape", "chinese"),
    [
        ("maps_weather", "查询指定城市的天气", of("city", required=["city"]),
         "(查|查询|看|看看|问|告诉我)[一下]{city}[的]天气[(怎么样|如何|是什么|是多少)]"),
        ("direction", "步行路径规划 API", of("origin", "destination", required=["origin", "destination"]),
         "从{origin}(到|去){destination}的路线"),
        ("tide_table", "查询指定港口的潮汐", of("port", required=["port"]),
         "(查|查询|看|看看|问|告诉我)[一下]{port}[的]潮汐[(怎么样|如何|是什么|是多少)]"),
        ("get_news", "Tell the news", of(), "新闻(是什么|怎么样|是多少|有哪些)"),
        ("do_it", "Do it", of(), None),
    ],
)  # fmt: skip
def test_what_can_be_said_in_chinese(name, description, shape, chinese):
    found = sentences(name, description, shape).chinese
    assert (chinese in found) if chinese else not found


def test_the_word_that_all_names_begin_with_is_not_said():
    assert saying.prefix(["maps_geo", "maps_weather", "maps_distance"]) == "maps"
    assert saying.prefix(["maps_geo", "weather", "maps_ip", "maps_distance"]) == "maps"
    assert saying.prefix(["get_a", "set_b", "get_c"]) == ""


def test_slots_of_a_schema():
    shape = {
        "properties": {
            "from": {"type": "string"},
            "many": {"type": "array", "items": {"type": "integer"}},
            "when": {"type": "string", "format": "date"},
            "maybe": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 9}, {"type": "null"}]},
            "deep": {"$ref": "#/$defs/size"},
            "城市": {"type": "string"},
        },
        "required": ["from", "many", "when", "deep"],
        "$defs": {"size": {"enum": ["very_large", "small"]}},
    }
    found = {one.key: one for one in schema.parameters(shape)}
    assert found["from"].slot == "from_"
    assert found["城市"].slot.isidentifier()
    from datetime import datetime

    sent = schema.arguments(
        found.values(),
        {
            "from_": "here",
            "many": "1, two and 3",
            "when": datetime(2030, 1, 2, 3, 4),
            "maybe": None,
        },
    )
    assert sent == {"from": "here", "many": [1, 2, 3], "when": "2030-01-02"}
    assert found["deep"].annotation.__metadata__[0].values == {
        "very large": "very_large", "small": "small"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# Title\n\n**bold** words\n- one\n", ["Title", "bold words", "one"]),
        ('{"a": 1, "b": {"c": "x"}, "d": [], "e": null}', ["1", "x"]),
        ("[1, 2, 3]", ["1, 2, 3"]),
        ('[{"name": "Ann", "age": 7}, {"name": "Bo", "age": 8}]', ["Ann · age 7", "Bo · age 8"]),
        ('{"broken": ', ['{"broken":']),
        ("[" * 5000, ["[" * 240]),
        ("\u202eevil\x1b[2J", ["evil [2J"]),
        ("", []),
    ],
)
def test_answers_become_lines(text, lines):
    class Text:
        type = "text"

    piece = Text()
    piece.text = text
    assert list(shown.lines(Result((piece,), None, False))) == lines


def test_an_answer_without_an_end_is_some_lines():
    class Text:
        type = "text"
        text = "\n".join(f"line {n}" for n in range(100_000))

    assert len(shown.lines(Result((Text(),), None, False))) == shown.MOST_LINES

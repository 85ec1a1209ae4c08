"""The push port: with the token, without it, and with what is none."""

import asyncio
import json

import httpx2
import pytest

from agent.cli import push as cli_push
from agent.config import load
from agent.errors import ConfigError
from agent.serve import push
from agent.testing import make_agent


@pytest.fixture
def settings(tmp_path):
    return load(
        {"HOME": str(tmp_path), "GLASSES_DATA": str(tmp_path / "data"), "GLASSES_PUSH": "0"}
    )


async def test_a_real_server_takes_notifications_and_tells_what_became(tmp_path, settings, capsys):
    agent = make_agent(tmp_path)
    agent.lens.attach()
    async with cli_push.serving(agent, settings):
        told = capsys.readouterr().err
        url = told.split()[1].rstrip(",").removesuffix("/notify")
        key = push.token(settings.data)
        assert key not in told
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(base_url=url, headers=headers) as client:
            sent = await client.post(
                "/notify", json={"source": "chat", "text": "hi", "answers": True}
            )
            assert sent.status_code == 202
            name = sent.json()["id"]
            await asyncio.sleep(0.1)
            assert (await client.get(f"/notify/{name}")).json() == {"became": "shown"}
            (notice,) = agent.world.inbox.unread()
            agent.world.inbox.answer(notice, "hello")
            answers = {"answers": [{"id": name, "text": "hello"}]}
            assert (await client.get("/answers/chat")).json() == answers
            assert (await client.get("/answers/chat")).json() == {"answers": []}
            for wrong in ({"Authorization": "Bearer x"}, {"Authorization": ""}):
                refused = await client.post(
                    "/notify", json={"source": "a", "text": "b"}, headers=wrong
                )
                assert refused.status_code == 401
            for body, status in (
                (b"", 400),
                (b"[1]", 400),
                (b"{" * 9000, 400),
                (b"x" * 1_000_000, 413),
            ):
                answer = await client.post("/notify", content=body)
                assert answer.status_code == status
                assert len(json.loads(answer.content)["error"]) <= 200
    assert agent.world.inbox.waiting == 0
    await agent.close()


def test_the_token_is_made_once_and_the_wearers_alone(tmp_path):
    made = push.token(tmp_path)
    assert len(made) >= 24
    assert push.token(tmp_path) == made
    assert (tmp_path / push.TOKEN).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("setting", ["here", "127.0.0.1:99999", "256.0.0.1:1"])
def test_a_setting_that_is_no_port_is_one_line(setting):
    with pytest.raises(ConfigError, match="push is"):
        cli_push.listening(setting)

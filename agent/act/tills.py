"""The tills: the payment providers that plugins bring, each built once, when it is first needed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agent import config
from agent.environment import STARTED
from agent.errors import GlassesError
from agent.plugins.skills import Provider, Skills
from agent.skill.payments import PaymentProvider
from hardware.base import DeviceError

log = logging.getLogger(__name__)


class Tills:
    """The payment providers of one agent, by name."""

    def __init__(self, skills: Skills, folder: Path) -> None:
        """Build none yet; each is given the settings with `folder` as its data folder."""
        self._skills = skills
        self._folder = folder
        self._lock = threading.Lock()
        self._made: dict[str, tuple[Callable[..., object], PaymentProvider]] = {}

    def __call__(self, name: str) -> PaymentProvider | None:
        """Return the provider of that name, None where there is none or it cannot be built."""
        found = [one for one in self._skills.providers("payment") if one.name == name]
        own = [one for one in found if one.source == "glasses"]  # no plugin takes its place
        if not found:
            return None
        provider = (own or found)[0]
        with self._lock:
            made = self._made.get(name)
            if made is not None and made[0] is provider.make:
                return made[1]
            thing = self._build(provider)
            if thing is not None:
                self._made[name] = provider.make, thing
            return thing

    @property
    def names(self) -> tuple[str, ...]:
        """What there is."""
        return tuple(dict.fromkeys(one.name for one in self._skills.providers("payment")))

    def _build(self, provider: Provider) -> PaymentProvider | None:
        try:
            thing = provider.make(replace(config.load(STARTED), data=self._folder))
        except (GlassesError, DeviceError) as error:
            log.info("payment provider %s is not there: %s", provider.name, error)
            return None
        except Exception as error:  # the plugin boundary
            log.warning("payment provider %s raised %s", provider.name, type(error).__name__)
            return None
        if not isinstance(thing, PaymentProvider) or thing.name != provider.name:
            log.warning("payment provider %s is none, or has another name", provider.name)
            return None
        return thing

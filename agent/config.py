"""Settings: the environment beats `config.toml`, which beats the defaults."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from agent.errors import ConfigError
from hardware import reading

CHOICES = {
    "language": ("auto", "en", "zh"),
    "wake": ("always", "phrase", "touch"),
    "microphone": ("air", "bone"),
    "sensors": ("none", "system"),
    "share": ("", "notes"),
    "voice": ("off", "on", "away"),
    "aloud": ("", "money"),
    "desktop": ("", "notifications"),
}
"""Settings that can be one of a few words, the default first."""


@dataclass(frozen=True, slots=True)
class Config:
    """What can be set, each by `GLASSES_<NAME>` or by its name in `config.toml`."""

    data: Path
    """Folder for ledgers, caches and skills' files; `GLASSES_DATA`."""
    models: Path
    """Folder with Whisper and GGUF models; `GLASSES_MODELS`."""
    plugins: Path
    """Folder of the wearer's own skills, `*.py`; `GLASSES_PLUGINS`."""
    model: str = ""
    """A GGUF file to use whatever the folder holds, or an OpenAI-style server by its URL up to
    `/v1`; empty is the best file there; `GLASSES_MODEL`."""
    model_key: str = ""
    """Key of that server, where it wants one; `GLASSES_MODEL_KEY`."""
    ggml: str = ""
    """A backend of ggml's to load besides those it was built with, as `libggml-rpc.so`;
    `GLASSES_GGML`."""
    profile: str = "quark-s1"
    """Display profile; `GLASSES_PROFILE`."""
    lens: str = ""
    """A real lens, by its name in `glasses pair --list`; `GLASSES_LENS`."""
    language: str = "auto"
    """`en`, `zh` or `auto`; `GLASSES_LANGUAGE`."""
    location: str = ""
    """`latitude,longitude`, a recorded walk (`.gpx`, `.nmea`) or `gpsd://host`, where no device can
    tell; empty is the demo town; `GLASSES_LOCATION`."""
    router: str = ""
    """Who finds ways on foot in the place of the map's own: `osrm+URL` or `valhalla+URL`;
    `GLASSES_ROUTER`."""
    traffic: str = ""
    """Where incidents are told: a GeoJSON or CAP file, or a feed; `GLASSES_TRAFFIC`."""
    country: str = ""
    """Country whose holidays count, as `US`; empty is the system's locale's, else the United States
    in English and China in Chinese; `GLASSES_COUNTRY`."""
    currency: str = ""
    """Currency of amounts that are said without one, as `CNY`; empty is that of the country, and
    the yuan in Chinese; `GLASSES_CURRENCY`."""
    rates: str = ""
    """Exchange rates: a JSON file, or a feed as Frankfurter's; `GLASSES_RATES`."""
    weather: str = ""
    """The weather: a JSON file, or a feed as Open-Meteo's; `GLASSES_WEATHER`."""
    weather_places: str = ""
    """Where places are found by name, as by Open-Meteo's geocoding; `GLASSES_WEATHER_PLACES`."""
    calendar: str = ""
    """The wearer's calendar: an .ics file, its URL, or a CalDAV server's as
    `caldav://user:password@host/path` (`caldavs://` with TLS); `GLASSES_CALENDAR`."""
    push: str = ""
    """Where notifications are taken: a port of this machine, or `HOST:PORT`; `GLASSES_PUSH`."""
    mqtt: str = ""
    """A broker whose messages are notifications, as `mqtt://USER:PASSWORD@HOST/TOPIC`;
    `GLASSES_MQTT`."""
    desktop: str = ""
    """`notifications` where what programs of this desktop notify of is shown; `GLASSES_DESKTOP`."""
    mcp: str = ""
    """Where the glasses are an MCP server: a port of this machine, or `HOST:PORT`;
    `GLASSES_MCP`."""
    wyoming: str = ""
    """Where the glasses are a Wyoming server, as for Home Assistant: a port of this machine, or
    `HOST:PORT`; `GLASSES_WYOMING`."""
    wyoming_from: str = ""
    """Who may come to it from other machines: addresses and networks, separated by commas;
    `GLASSES_WYOMING_FROM`."""
    rtvi: str = ""
    """Where the glasses are a bot for Pipecat's clients: a port of this machine, or `HOST:PORT`;
    `GLASSES_RTVI`."""
    xiaozhi: str = ""
    """Where the glasses are a server for xiaozhi's devices: a port of this machine, or `HOST:PORT`;
    `GLASSES_XIAOZHI`."""
    certificate: str = ""
    """PEM file with certificate and key, or the two, separated by a comma: TLS for what is served
    beside a conversation, Wyoming excepted; `GLASSES_CERTIFICATE`."""
    ears: str = ""
    """A Wyoming server that hears what is no command, as `wyoming://HOST:PORT`; `GLASSES_EARS`."""
    wake: str = "always"
    """What opens a turn: `always` speech, `phrase` the wake phrase, `touch`; `GLASSES_WAKE`."""
    wake_phrase: str = "okay glasses, hey glasses"
    """Wake phrases, separated by commas; `GLASSES_WAKE_PHRASE`."""
    microphone: str = "air"
    """`air`, or `bone` for the profile's bone-conduction microphone; `GLASSES_MICROPHONE`."""
    apart: str = ""
    """Plugins that run in a process of their own, by name, separated by commas; `GLASSES_APART`."""
    private: str = ""
    """Skills or actions that want the enrolled voice, separated by commas; `GLASSES_PRIVATE`."""
    share: str = ""
    """What of yours a model on another machine may be told, `notes`; `GLASSES_SHARE`."""
    voice: str = "off"
    """When answers are said aloud: `on`, or `away` while nothing can be seen on the lens;
    `GLASSES_VOICE`."""
    aloud: str = ""
    """What may be said aloud that is only shown else: `money`, what is paid and to whom;
    `GLASSES_ALOUD`."""
    sensors: str = "none"
    """`system` where this machine's own battery and light sensor are the glasses'; with `none` only
    plugins bring some; `GLASSES_SENSORS`."""

    @property
    def alone(self) -> tuple[str, ...]:
        """The names in `apart`."""
        return _names(self.apart)

    @property
    def certificates(self) -> tuple[str, ...]:
        """The files in `certificate`."""
        return _names(self.certificate)

    @property
    def guests(self) -> tuple[str, ...]:
        """The addresses in `wyoming_from`."""
        return _names(self.wyoming_from)

    @property
    def own(self) -> frozenset[str]:
        """The names in `private`."""
        return frozenset(_names(self.private))


def _names(setting: str) -> tuple[str, ...]:
    return tuple(name for part in setting.split(",") if (name := part.strip()))


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """Read the settings. Raises ConfigError naming the key, its value and where it came from."""
    home = Path(environ.get("HOME", "~")).expanduser()
    share = Path(environ.get("XDG_DATA_HOME") or home / ".local/share") / "glasses"
    settings = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "glasses"
    values: dict[str, str] = {
        "data": str(share),
        "models": str(share / "models"),
        "plugins": str(settings / "skills"),
    }
    values |= _file(settings / "config.toml")
    for field in fields(Config):
        if value := environ.get(f"GLASSES_{field.name.upper()}"):
            values[field.name] = value
    for key, choices in CHOICES.items():
        if (value := values.get(key, choices[0])) not in choices:
            raise ConfigError(f"{key} is {value!r}: it can be {', '.join(choices)}")
    if (value := values.get("country", "")) and not re.fullmatch("[A-Za-z]{2}", value):
        raise ConfigError(f"country is {value!r}: it is two letters, such as US or CN")
    if (value := values.get("currency", "")) and not re.fullmatch("[A-Za-z]{3}", value):
        raise ConfigError(f"currency is {value!r}: it is three letters, such as CNY or USD")
    return Config(
        data=Path(values.pop("data")).expanduser(),
        models=Path(values.pop("models")).expanduser(),
        plugins=Path(values.pop("plugins")).expanduser(),
        **values,
    )


def _file(path: Path) -> dict[str, str]:
    try:
        read = reading.from_toml(reading.read_text(path))
    except FileNotFoundError:
        return {}
    except (OSError, reading.Unreadable) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    known = [field.name for field in fields(Config)]
    for key, value in read.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            others = f"known: {', '.join(sorted(known))}"
            meant = f", did you mean {near[0]!r}?" if near else f"; {others}"
            raise ConfigError(f"{path}: there is no setting {reading.shown(key)}{meant}")
        if not isinstance(value, str):
            raise ConfigError(f"{path}: {key} is {reading.shown(value)}: it must be text in quotes")
    return read

"""Secrets: keys and tokens, in the system's keyring, or in an encrypted file where there is none.

The file lies in the data folder and its key in the folder of the settings: a copy of one without
the other tells nothing. Nothing of a secret is ever in the settings, a log, a record or a report.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent import private
from agent.errors import ConfigError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "glasses"
"""What they are under in the keyring."""
MOST_CHARACTERS = 16_384
"""Longest secret: a key of RSA has 3,000."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that does not show itself."""

    value: str
    """What it is."""

    def __repr__(self) -> str:
        """Return no word of it."""
        return "Secret(…)"

    __str__ = __repr__


def ring() -> KeyringBackend | None:
    """Return the system's keyring; None where there is none that keeps anything."""
    import keyring
    from keyring.backends import fail, null

    found = keyring.get_keyring()
    if isinstance(found, fail.Keyring | null.Keyring) or found.priority <= 0:
        return None
    return found


class Secrets:
    """The secrets of one wearer."""

    def __init__(
        self,
        data: Path,
        settings: Path,
        backend: KeyringBackend | Literal["system"] | None = "system",
    ) -> None:
        """Open nothing yet: `data` has the file and `settings` its key, used without `backend`."""
        self._file = data / "secrets.bin"
        self._names = data / "secrets.json"
        self._key = settings / "secrets.key"
        self._backend = backend

    @property
    def backend(self) -> KeyringBackend | None:
        """Where they are kept; None is the encrypted file."""
        if self._backend == "system":
            self._backend = ring()
        return self._backend

    @property
    def where(self) -> str:
        """Say where they are kept, in words."""
        return f"keyring ({self.backend.name})" if self.backend else f"{self._file} (encrypted)"

    def names(self) -> tuple[str, ...]:
        """Return what there is, by name. Raises ConfigError."""
        return tuple(sorted(self._kept()))

    def get(self, name: str) -> Secret | None:
        """Return a secret, None where there is none. Raises ConfigError where it cannot be read."""
        if name not in self._kept():
            return None
        if self.backend is None:
            value = self._decrypted().get(name)
        else:
            from keyring.errors import KeyringError

            try:
                value = self.backend.get_password(SERVICE, name)
            except KeyringError as error:
                raise ConfigError(f"the keyring cannot be read: {type(error).__name__}") from None
        return None if value is None else Secret(value)

    def put(self, name: str, value: str) -> None:
        """Keep a secret. Raises ConfigError."""
        if not re.fullmatch(r"[a-z][a-z0-9-]{1,40}", name):
            raise ConfigError("a secret's name is small letters, digits and hyphens: alipay-key")
        if not value.strip() or len(value) > MOST_CHARACTERS:
            raise ConfigError(f"the secret {name} is empty or too long")
        self._set(name, value)
        self._write_names(self._kept() | {name})

    def forget(self, name: str) -> bool:
        """Erase a secret; say whether there was one. Raises ConfigError."""
        kept = self._kept()
        if name not in kept:
            return False
        self._set(name, None)
        self._write_names(kept - {name})
        return True

    def forget_key(self) -> None:
        """Erase what the encrypted file could be opened with."""
        self._key.unlink(missing_ok=True)

    def _set(self, name: str, value: str | None) -> None:
        if self.backend is None:
            kept = {one: text for one, text in self._decrypted().items() if one != name}
            self._encrypt(kept if value is None else {**kept, name: value})
            return
        from keyring.errors import KeyringError, PasswordDeleteError

        try:
            if value is not None:
                self.backend.set_password(SERVICE, name, value)
            else:
                with suppress(PasswordDeleteError):
                    self.backend.delete_password(SERVICE, name)
        except KeyringError as error:
            raise ConfigError(f"the keyring cannot be written: {type(error).__name__}") from None

    def _kept(self) -> set[str]:
        try:
            return set(map(str, json.loads(self._names.read_text("utf-8"))))
        except FileNotFoundError:
            return set()
        except (OSError, ValueError, TypeError):
            raise ConfigError(f"{self._names} is broken: put the secrets again") from None

    def _write_names(self, names: set[str]) -> None:
        try:
            private.write(self._names, json.dumps(sorted(names)))
        except OSError as error:
            raise ConfigError(f"{self._names} cannot be written: {error.strerror}") from None

    # -- the file ---------------------------------------------------------------------------------

    def _decrypted(self) -> dict[str, str]:
        from cryptography.fernet import Fernet, InvalidToken

        if not self._file.exists():
            return {}
        try:
            plain = Fernet(self._key.read_bytes()).decrypt(self._file.read_bytes())
            return {str(name): str(value) for name, value in json.loads(plain).items()}
        except (OSError, InvalidToken, ValueError, AttributeError):
            raise ConfigError(
                f"{self._file} cannot be opened with {self._key}: put the secrets again"
            ) from None

    def _encrypt(self, kept: dict[str, str]) -> None:
        from cryptography.fernet import Fernet

        try:
            if not self._key.exists():
                private.write(self._key, Fernet.generate_key())
            key = self._key.read_bytes()
            private.write(self._file, Fernet(key).encrypt(json.dumps(kept).encode("utf-8")))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self._file} cannot be written: {error}") from None

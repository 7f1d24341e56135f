"""The local store of secrets: one file, each value encrypted with AES-GCM under a key that lies apart from it.

The control plane alone writes it; the agent reads it when it starts a job or a replica. The key is $LOOPWRIGHT_SECRETS_KEY,
or in the file that $LOOPWRIGHT_SECRETS_KEY_FILE names, or in `secrets.key` of the state folder, which is made at the first
need. Of a value there is also a keyed digest: who sees it can tell that a secret has changed, and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets as random
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loopwright.errors import IntegrityError, MachineError, UsageError
from loopwright.secrets.masking import SHORTEST
from loopwright.state import StateFolder, create_file, replace_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY, KEY_FILE = "LOOPWRIGHT_SECRETS_KEY", "LOOPWRIGHT_SECRETS_KEY_FILE"
_writing = threading.Lock()  # one process writes, in several threads
_making = threading.Lock()  # taken within the other: the first secret makes the key
_KEY_SIZE = 32
_NONCE_SIZE = 12
LONGEST = 64 * 1024  # bytes; a process takes twice as much in one variable
_AS_MADE_BY = "Make one with: openssl rand -base64 32"


@dataclass(frozen=True)
class Entry:
    """What is known of a secret without its key."""

    name: str
    source: str  # set: by a person; environment: seen by an `up`
    by: str
    at: float  # seconds since the epoch
    sealed: str  # nonce and encrypted value, in base64


def refuse_unfit(name: str, value: str) -> None:
    """Raises UsageError where a value cannot be a secret; says nothing of the value itself."""
    if len(value) < SHORTEST:
        raise UsageError(
            f"The secret {name} has {len(value)} characters, expected at least {SHORTEST}: shorter ones stand in every other "
            "text and cannot be masked."
        )
    if len(value.encode("utf-8", "surrogateescape")) > LONGEST:
        raise UsageError(f"The secret {name} has more than {LONGEST} bytes. Keep large files elsewhere.")
    if "\0" in value:
        raise UsageError(
            f"The secret {name} holds a zero byte, which no variable can. Encode it, in base64 say."
        )


class Vault:
    """The secrets of one state folder."""

    def __init__(
        self, state: StateFolder, environment: Mapping[str, str] = os.environ, looking: bool = False
    ) -> None:
        """`looking`: leave nothing behind, also no key where there is none yet."""
        self._state, self._environment, self._looking = state, environment, looking

    def entries(self) -> dict[str, Entry]:
        """All, by name; raises IntegrityError where the file is not what was written."""
        try:
            content = json.loads(self._state.secrets.read_bytes())
            return {entry["name"]: Entry(**entry) for entry in content["secrets"]}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, KeyError):
            raise IntegrityError(
                f"{self._state.secrets} is not what was written. Restore it from a backup, or remove it and set the secrets again."
            ) from None

    def set(self, name: str, value: str, source: str, by: str, at: float) -> bool:
        """Keep a value in place of an earlier one; False where it is the same. Raises UsageError for one that cannot be."""
        refuse_unfit(name, value)
        with _writing:
            known = self.entries()
            if name in known and known[name].source == source and self.get(name) == value:
                return False
            self._write(known | {name: Entry(name, source, by, at, self._seal(name, value))})
        return True

    def remove(self, name: str) -> bool:
        """Forget a value; False where there is none."""
        with _writing:
            known = self.entries()
            if name not in known:
                return False
            del known[name]
            self._write(known)
        return True

    def get(self, name: str) -> str | None:
        """A value; None where it is not kept here. Raises IntegrityError where the key is another or the file was changed."""
        entry = self.entries().get(name)
        if entry is None:
            return None
        from cryptography.exceptions import InvalidTag

        sealed = base64.b64decode(entry.sealed)
        try:
            value: bytes = self._cipher().decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], name.encode())
        except InvalidTag:
            raise IntegrityError(
                f"The secret {name} cannot be read with the key at hand ({self._where()}): it was encrypted with another, or "
                f"{self._state.secrets} was changed. Bring the key back, or set the secret again."
            ) from None
        return value.decode("utf-8", "surrogateescape")

    def digest(self, name: str, value: str) -> str:
        """Tells one value of a secret from another, and to nobody without the key what it is."""
        key = hmac.digest(self._key(), b"digest", "sha256")
        return hmac.new(key, f"{name}={value}".encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()

    def _write(self, entries: Mapping[str, Entry]) -> None:
        content = {"format": 1, "secrets": [asdict(entry) for _, entry in sorted(entries.items())]}
        replace_file(self._state.secrets, json.dumps(content, indent=1).encode(), durable=True)

    def _seal(self, name: str, value: str) -> str:
        nonce = random.token_bytes(_NONCE_SIZE)
        raw = value.encode("utf-8", "surrogateescape")
        return base64.b64encode(nonce + self._cipher().encrypt(nonce, raw, name.encode())).decode()

    def _cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import (
            AESGCM,  # only here: few need it, and it takes a while
        )

        return AESGCM(hmac.digest(self._key(), b"encrypt", "sha256"))

    def _where(self) -> str:
        if KEY in self._environment:
            return f"${KEY}"
        return self._environment.get(KEY_FILE) or str(self._state.secrets_key)

    def _key(self) -> bytes:
        if KEY in self._environment:
            return _read_key(self._environment[KEY], f"${KEY}")
        path = Path(self._environment.get(KEY_FILE) or self._state.secrets_key)
        try:
            return _read_key(path.read_text(), str(path))
        except FileNotFoundError:
            return self._first_key(path)
        except (OSError, UnicodeDecodeError) as error:
            raise MachineError(f"The key of the secrets, {path}, cannot be read: {error}.") from None

    def _first_key(self, path: Path) -> bytes:
        """Made where nothing needs another; raises MachineError where something does."""
        with _making:
            needed = KEY_FILE in self._environment or bool(self.entries())
            # Looked for again after that: somebody may just have made it, and set the first secret.
            if not path.exists():
                if needed:
                    raise MachineError(
                        f"The key of the secrets, {path}, is not there. Bring it back, or name it with {KEY_FILE} or {KEY} "
                        "where the control plane is started."
                    ) from None
                key = random.token_bytes(_KEY_SIZE)
                if self._looking:
                    return key
                create_file(path, base64.b64encode(key) + b"\n")
            return _read_key(path.read_text(), str(path))


def _read_key(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_SIZE:
        raise MachineError(
            f"The key of the secrets in {where} is not {_KEY_SIZE} bytes in base64. {_AS_MADE_BY}"
        )
    return key

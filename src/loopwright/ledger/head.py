"""The ledger's key, and the signed head: the newest fact's place, kept outside the database.

Whoever cuts facts off the end of the database leaves a chain that is whole in itself; the head still names the fact that
is gone. It is signed, so that it cannot be set back without the key.
"""

from __future__ import annotations

import hmac
import json
import secrets
from pathlib import Path

from loopwright.errors import IntegrityError, MachineError
from loopwright.ledger.verification import Head
from loopwright.state import create_file, replace_file

_KEY_BYTES = 32


class SignedHead:
    """Reads and writes the head's file."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self.key = key

    def read(self) -> Head:
        """The head as signed; raises IntegrityError where it is missing, unreadable or forged."""
        try:
            content = json.loads(self.path.read_bytes())
            head = Head(int(content["sequence"]), str(content["hash"]))
            signature = str(content["signature"]).encode()
        except FileNotFoundError as error:
            raise IntegrityError(f"The ledger's signed head {self.path} is missing. {_RESTORE}") from error
        except OSError as error:
            raise MachineError(
                f"The ledger's signed head {self.path} cannot be read: {error.strerror}."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(f"The ledger's signed head {self.path} is damaged. {_RESTORE}") from error
        if not hmac.compare_digest(signature, self._signature(head).encode()):
            raise IntegrityError(
                f"The ledger's signed head {self.path} was not signed with this ledger's key. {_RESTORE}"
            )
        return head

    def write(self, head: Head) -> None:
        """Replace the head durably; raises MachineError where the disk refuses."""
        try:
            replace_file(self.path, self.content(head), durable=True)
        except OSError as error:
            raise MachineError(
                f"The ledger's signed head {self.path} cannot be written: {error.strerror}. Make room on the disk, or mend its permissions."
            ) from error

    def content(self, head: Head) -> bytes:
        """What the file holds for this head."""
        signed = {"sequence": head.sequence, "hash": head.hash, "signature": self._signature(head)}
        return json.dumps(signed).encode() + b"\n"

    def _signature(self, head: Head) -> str:
        return hmac.digest(self.key, f"head:{head.sequence}:{head.hash}".encode(), "sha256").hex()


_RESTORE = "Restore ledger.db, ledger.key and ledger.head together from a backup."


def load_key(path: Path, may_create: bool) -> bytes:
    """The signing key; made where it is missing and nothing was signed yet."""
    try:
        if may_create and not path.exists():
            create_file(path, secrets.token_bytes(_KEY_BYTES).hex().encode() + b"\n")
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError as error:
        raise IntegrityError(
            f"The ledger's key {path} is missing, so its facts cannot be vouched for. {_RESTORE}"
        ) from error
    except OSError as error:
        raise MachineError(
            f"The ledger's key {path} cannot be used: {error.strerror}. Mend its permissions."
        ) from error
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise IntegrityError(
            f"The ledger's key {path} is damaged: expected {_KEY_BYTES} bytes in hexadecimal. {_RESTORE}"
        )
    return key

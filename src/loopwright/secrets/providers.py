"""Where a secret's value comes from when it is needed: the local store, else a folder of files.

The order is fixed and the same for all: what was set here (by `loopwright secrets set`, or by an `up` that had it in its
environment) counts before a file of that name in the folder of secrets, as Kubernetes and Docker mount them. A reference
in a spec chooses nothing of it, so the same spec works in every place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loopwright.errors import MachineError, NotFoundError
from loopwright.secrets.references import referred, secret_in
from loopwright.secrets.vault import Vault, refuse_unfit
from loopwright.state import StateFolder

FOLDER = "LOOPWRIGHT_SECRETS_FOLDER"
FROM_ENVIRONMENT = "LOOPWRIGHT_SECRET_"


@dataclass(frozen=True)
class Value:
    """A secret's value, and who had it."""

    text: str
    source: str

    def __repr__(self) -> str:
        return f"Value('***', {self.source!r})"


class Secrets:
    """Looks secrets up, each time anew. Errors name the secret and never its value."""

    def __init__(
        self, state: StateFolder, environment: Mapping[str, str] = os.environ, looking: bool = False
    ) -> None:
        """`looking`: leave nothing behind."""
        self.vault = Vault(state, environment, looking)
        self._state, self._environment = state, environment

    def find(self, name: str) -> Value | None:
        """A secret's value; None where nobody has one. Raises UsageError for a file's value that cannot be masked."""
        entry = self.vault.entries().get(name)
        if entry is not None:
            return Value(self.vault.get(name) or "", entry.source)
        folder = self.folder()
        if folder is None or not (folder / name).is_file():
            return None
        try:
            text = without_newline((folder / name).read_bytes().decode())
        except (OSError, UnicodeDecodeError) as error:
            raise MachineError(f"The secret {name} cannot be read from {folder / name}: {error}.") from None
        refuse_unfit(name, text)
        return Value(text, str(folder))

    def value(self, name: str) -> str:
        """A secret's value; raises NotFoundError where nobody has one."""
        found = self.find(name)
        if found is None:
            raise NotFoundError(f"The secret {name} is not set. `loopwright secrets set {name}` sets it.")
        return found.text

    def filled_in(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The variables with their secrets' values; raises NotFoundError where one is not set."""
        if not referred(variables):
            return dict(variables)
        return {
            variable: self.value(name) if (name := secret_in(value)) else value
            for variable, value in variables.items()
        }

    def folder(self) -> Path | None:
        """The folder of files, as the newest control plane was told; None where there is none."""
        named = self._environment.get(FOLDER)
        if not named:
            try:
                named = self._state.secrets_folder.read_text().strip()
            except FileNotFoundError:
                return None
        return Path(named)

    def remember_folder(self) -> None:
        """Note the folder that this process was told, for the agent, which may have been started by another."""
        from loopwright.state import replace_file

        named = self._environment.get(FOLDER)
        if named:
            replace_file(self._state.secrets_folder, str(Path(named).absolute()).encode(), durable=True)


def without_newline(text: str) -> str:
    """Text without the one line end that editors and `echo` put behind it."""
    return text.removesuffix("\n").removesuffix("\r")

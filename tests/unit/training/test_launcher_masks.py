"""The logs of single ranks hold no secret either."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loopwright.secrets.masking import VARIABLES
from loopwright.training.launcher import Launch


def test_a_secret_in_pieces_is_masked_in_every_ranks_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("TOKEN", "hunter22-token")
    monkeypatch.setenv(VARIABLES, "TOKEN")
    say = "import os, sys; t = os.environ['TOKEN']; sys.stdout.write(t[:5]); sys.stdout.flush(); print(t[5:])"
    assert Launch([sys.executable, "-c", say], 2, "run", tmp_path).run() == 0
    assert [(tmp_path / f"{rank}.log").read_bytes() for rank in (0, 1)] == [b"***\n", b"***\n"]

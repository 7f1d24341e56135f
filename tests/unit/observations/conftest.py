import pytest

from loopwright.observations import keeping


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """A busy machine may take longer than a second to write; tests of that set it themselves."""
    monkeypatch.setattr(keeping, "DURABLE", 60.0)

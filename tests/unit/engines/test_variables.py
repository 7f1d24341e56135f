from __future__ import annotations

from loopwright.engines.local.variables import for_part


def test_only_what_is_named_is_passed_and_its_own_added() -> None:
    given = {
        "PATH": "/bin",
        "UV_INDEX_URL": "u",
        "PIP_INDEX_URL": "p",
        "https_proxy": "h",
        "SSL_CERT_FILE": "c",
        "SECRET": "s",
    }
    assert for_part(given, "/part", {"PATH": "/mine", "MORE": "1"}) == {
        "PATH": "/mine", "MORE": "1", "UV_INDEX_URL": "u", "PIP_INDEX_URL": "p", "https_proxy": "h", "SSL_CERT_FILE": "c",
        "LOOPWRIGHT_PART": "/part",
    }  # fmt: skip


def test_a_part_cannot_take_the_mark_of_another() -> None:
    assert for_part({}, "/part", {"LOOPWRIGHT_PART": "/other"}) == {"LOOPWRIGHT_PART": "/part"}

"""Which environment variables reach what the agent starts: few and named, so that a job does not depend on the shell
from which Loopwright happened to be started. A job's own variables are added to these.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopwright.engines.local.processes import MARK

__all__ = ["PASSED", "PASSED_PREFIXES", "passed", "for_part"]

PASSED = frozenset(
    {
        # who and where
        "HOME", "USER", "LOGNAME", "SHELL", "PATH", "TMPDIR", "TZ", "LANG", "LANGUAGE",
        "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR",
        # shared libraries and accelerators, where a machine needs them named
        "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES",
        # package indexes: certificates and proxies
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    }
)  # fmt: skip
PASSED_PREFIXES = ("LC_", "UV_", "PIP_")


def passed(environment: Mapping[str, str]) -> dict[str, str]:
    """What of an environment is handed on."""
    return {
        name: value
        for name, value in environment.items()
        if name in PASSED or name.startswith(PASSED_PREFIXES)
    }


def for_part(
    environment: Mapping[str, str], folder: str, more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The variables of a part's first process: what is handed on, what it needs, and the mark of its folder."""
    return passed(environment) | dict(more or {}) | {MARK: folder}

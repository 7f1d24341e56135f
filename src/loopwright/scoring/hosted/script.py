"""A scoring script: which of its functions answers, and what that takes."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any, Callable

from .batches import Batches, batch_function
from .parts import Config

_RAW_HTTP = ("azureml.contrib.services.aml_request", "azureml_inference_server_http.api.aml_request")
HEADERS = "request_headers"  # a parameter of this name is given the headers, and is none of the body's


def choose(module: ModuleType, config: Config, beside: Callable[[str], Any]) -> Any:
    """The host for a script, by its functions; raises AttributeError or ValueError where it has none that answers."""
    function, form = batch_function(module, config)
    if function is not None:
        return Batches(module, function, form, config, beside)
    run = _behind_driver(module)
    if not callable(run):
        raise AttributeError(f"{config.entry} has no function run(data)")
    if raw_module() is not None or is_decorated(run) or _wants_headers(run):
        from .azure import Requests  # only here: most scripts do not need what it imports

        return Requests(module, run, config)
    return Texts(module, run, config)


class Texts:
    """`run(data)` with the body as text: what most scripts have."""

    takes_example = True  # it was packaged with its answer to it

    def __init__(self, module: ModuleType, run: Callable[..., Any], config: Config) -> None:
        self.told: dict[str, Any] = {"takes": "text"}
        self._init = getattr(module, "init", None)
        self._config = config
        self.text = run

    def start(self) -> Any:
        return self._init() if callable(self._init) else None

    def warm_up(self) -> Any:
        """One call with the package's example, so that the first request does not wait for what is loaded late."""
        if self._config.example is not None:
            return self.text(json.dumps(self._config.example))
        return None


def raw_module() -> Any:
    """The module whose @rawhttp the script has used."""
    for name in _RAW_HTTP:
        module = sys.modules.get(name)
        if module is not None and getattr(module, "_rawHttpRequested", False):
            return module
    return None


def is_decorated(run: Callable[..., Any]) -> bool:
    """Whether inference-schema's decorators are on it."""
    util = sys.modules.get("inference_schema.schema_util")
    return util is not None and bool(util.is_schema_decorated(run))


def _wants_headers(run: Callable[..., Any]) -> bool:
    code = getattr(run, "__code__", None)
    return code is not None and HEADERS in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _behind_driver(module: ModuleType) -> Any:
    """The script's run(), or that of the script behind a driver that Azure's tools have put in front."""
    driven = getattr(module, "driver_module", None)
    if isinstance(driven, ModuleType) and callable(getattr(driven, "run", None)):
        return driven.run
    return getattr(module, "run", None)

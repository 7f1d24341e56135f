"""Modules that scoring scripts import and that the user's environment need not have.

What Azure's server brings along (`azureml.contrib.services`, `azureml_inference_server_http.api`, `inference_schema`) is
asked for by unmodified scripts; here stand-ins are found for it, but only where the packages themselves are absent: the
finder is asked last. `loopwright_serving` is our own: it has @batched.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_PARTS = {  # name: which of our modules fills it, and with what
    "azureml.contrib.services.aml_request": ("stand_in_http", ["AMLRequest", "rawhttp"]),
    "azureml.contrib.services.aml_response": ("stand_in_http", ["AMLResponse"]),
    "azureml_inference_server_http.api.aml_request": ("stand_in_http", ["AMLRequest", "rawhttp"]),
    "azureml_inference_server_http.api.aml_response": ("stand_in_http", ["AMLResponse"]),
    "inference_schema.schema_decorators": ("stand_in_schema", ["input_schema", "output_schema"]),
    "inference_schema.schema_util": (
        "stand_in_schema",
        ["get_input_schema", "get_output_schema", "get_supported_versions", "is_schema_decorated"],
    ),
    "inference_schema.parameter_types.abstract_parameter_type": ("stand_in_types", ["AbstractParameterType"]),
    "inference_schema.parameter_types.numpy_parameter_type": ("stand_in_types", ["NumpyParameterType"]),
    "inference_schema.parameter_types.pandas_parameter_type": ("stand_in_types", ["PandasParameterType"]),
    "inference_schema.parameter_types.standard_py_parameter_type": (
        "stand_in_types",
        ["StandardPythonParameterType"],
    ),
    "loopwright_serving": ("stand_in_batched", ["batched"]),
}
_FOLDERS = {".".join(name.split(".")[:depth]) for name in _PARTS for depth in range(1, name.count(".") + 1)}


class _Finder:
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname in _PARTS:
            return ModuleSpec(fullname, _FILLER)
        if fullname in _FOLDERS:
            return ModuleSpec(fullname, _FILLER, is_package=True)
        return None


class _Filler:
    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ not in _PARTS:
            return
        source, names = _PARTS[module.__name__]
        ours = importlib.import_module("." + source, __package__)
        for name in names:
            setattr(module, name, getattr(ours, name))
        if "rawhttp" in names:
            vars(module).update(_raw_http(module, ours))
        if module.__name__ == "inference_schema.schema_decorators":
            importlib.import_module("inference_schema.schema_util")  # where the decorated are looked up


_FILLER: Any = _Filler()  # a loader in all but its class, whose module takes long to import


def _raw_http(module: ModuleType, ours: ModuleType) -> dict[str, Any]:
    def rawhttp(function: Any) -> Any:
        """Have run() be given the request itself."""
        vars(module)["_rawHttpRequested"] = True
        return function

    return {"rawhttp": rawhttp, "_rawHttpRequested": False, "loopwright_request": ours.AMLRequest}


def stand_in() -> None:
    """Have the stand-ins found from now on."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


def names() -> list[str]:
    """What there are stand-ins for."""
    return sorted(_PARTS)

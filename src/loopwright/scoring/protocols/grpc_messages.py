"""The messages of `inference.GRPCInferenceService`, as the Open Inference Protocol's .proto file declares them.

Declared here as a table and handed to protobuf at start, so that there is neither generated code to keep nor a
compiler to run at build time. Specification:
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto; the last
two of InferParameter are Triton's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"
METHODS = ("ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer")

# Message -> its fields in the order of their numbers, from 1. `*` marks a list, `{}` a map from strings, `?` one of a
# choice; what is no type of protobuf's is a message. A dot names a message within another.
_MESSAGES: Mapping[str, tuple[str, ...]] = {
    "ServerLiveRequest": (),
    "ServerLiveResponse": ("live bool",),
    "ServerReadyRequest": (),
    "ServerReadyResponse": ("ready bool",),
    "ModelReadyRequest": ("name string", "version string"),
    "ModelReadyResponse": ("ready bool",),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": ("name string", "version string", "extensions* string"),
    "ModelMetadataRequest": ("name string", "version string"),
    "ModelMetadataResponse": (
        "name string",
        "versions* string",
        "platform string",
        "inputs* ModelMetadataResponse.TensorMetadata",
        "outputs* ModelMetadataResponse.TensorMetadata",
    ),
    "ModelMetadataResponse.TensorMetadata": ("name string", "datatype string", "shape* int64"),
    "ModelInferRequest": (
        "model_name string",
        "model_version string",
        "id string",
        "parameters{} InferParameter",
        "inputs* ModelInferRequest.InferInputTensor",
        "outputs* ModelInferRequest.InferRequestedOutputTensor",
        "raw_input_contents* bytes",
    ),
    "ModelInferRequest.InferInputTensor": (
        "name string",
        "datatype string",
        "shape* int64",
        "parameters{} InferParameter",
        "contents InferTensorContents",
    ),
    "ModelInferRequest.InferRequestedOutputTensor": ("name string", "parameters{} InferParameter"),
    "ModelInferResponse": (
        "model_name string",
        "model_version string",
        "id string",
        "parameters{} InferParameter",
        "outputs* ModelInferResponse.InferOutputTensor",
        "raw_output_contents* bytes",
    ),
    "ModelInferResponse.InferOutputTensor": (
        "name string",
        "datatype string",
        "shape* int64",
        "parameters{} InferParameter",
        "contents InferTensorContents",
    ),
    "InferParameter": (
        "bool_param? bool",
        "int64_param? int64",
        "string_param? string",
        "double_param? double",
        "uint64_param? uint64",
    ),
    "InferTensorContents": (
        "bool_contents* bool",
        "int_contents* int32",
        "int64_contents* int64",
        "uint_contents* uint32",
        "uint64_contents* uint64",
        "fp32_contents* float",
        "fp64_contents* double",
        "bytes_contents* bytes",
    ),
}
_Field = descriptor_pb2.FieldDescriptorProto
_CHOICE = "parameter_choice"


def classes() -> dict[str, Any]:
    """A class for each message, by name; in a pool of their own, since a process may hold another's of these names."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in _MESSAGES
    }


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="open_inference.proto", package=PACKAGE, syntax="proto3")
    found: dict[str, descriptor_pb2.DescriptorProto] = {}
    for name, fields in _MESSAGES.items():
        outer, _, inner = name.rpartition(".")
        message = found[outer].nested_type.add(name=inner) if outer else file.message_type.add(name=inner)
        found[name] = message
        for number, declared in enumerate(fields, start=1):
            _add(message, name, number, declared)
    return file


def _add(message: descriptor_pb2.DescriptorProto, of: str, number: int, declared: str) -> None:
    name, kind = declared.split(" ")
    bare = name.rstrip("*?{}")
    field = message.field.add(name=bare, number=number, label=_Field.LABEL_OPTIONAL)
    if name != bare and not name.endswith("?"):
        field.label = _Field.LABEL_REPEATED
    if name.endswith("?"):
        if not message.oneof_decl:
            message.oneof_decl.add(name=_CHOICE)
        field.oneof_index = 0
    if name.endswith("{}"):
        kind = _entry(message, of, bare, kind)
    _set_type(field, kind)


def _entry(message: descriptor_pb2.DescriptorProto, of: str, name: str, kind: str) -> str:
    """Declare what protobuf makes of a map: a list of entries with key and value."""
    entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
    entry.options.map_entry = True
    _set_type(entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL), "string")
    _set_type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), kind)
    return f"{of}.{entry.name}"


def _set_type(field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    if f"TYPE_{kind.upper()}" in _Field.Type.keys():  # noqa: SIM118  (an enum's)
        field.type = _Field.Type.Value(f"TYPE_{kind.upper()}")
    else:
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{kind}"

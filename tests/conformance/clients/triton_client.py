"""Triton's own clients, run in the clients' environment: python triton_client.py PORT KEY. Prints what they got, as JSON."""

import json
import sys

import numpy as np
import tritonclient.grpc
import tritonclient.http

PORT, KEY = sys.argv[1:]
AUTHORIZATION = {"authorization": f"Bearer {KEY}"}
METADATA = AUTHORIZATION | {"x-loopwright-endpoint": "dev/w"}


def inputs(kind, **how):
    ages, ports = kind.InferInput("age", [2], "FP64"), kind.InferInput("port", [2, 1], "BYTES")
    ages.set_data_from_numpy(np.array([22, np.nan]), **how)
    ports.set_data_from_numpy(np.array([["S"], ["é"]], dtype=object), **how)
    return [ages, ports]


def column(result, name):
    values = result.as_numpy(name).ravel().tolist()
    return [str(value, "utf-8") if isinstance(value, bytes) else value for value in values]


def asked(client, kind, headers, wanted=None, given=None, **how):
    own = dict(headers)  # this client writes into the headers that it is given
    result = client.infer("w", given or inputs(kind, **how), outputs=wanted, request_id="mine", headers=own)
    names = [one.name() for one in wanted] if wanted else ["score", "text", "old"]
    return {name: column(result, name) for name in names}


def refusal(call):
    try:
        call()
    except Exception as error:
        return f"{error.status()}: {error.message()}"
    return "not refused"


def ask(kind, client, headers, json_form):
    one = kind.InferRequestedOutput
    found = {
        "live": client.is_server_live(headers=headers),
        "ready": client.is_server_ready(headers=headers),
        "model": client.is_model_ready("w", "3", headers=headers),
        "unknown": refusal(lambda: client.infer("x", inputs(kind), headers=dict(headers))),
        "default": asked(client, kind, headers),
        "one": asked(client, kind, headers, [one("score")]),
        "wrong": refusal(lambda: client.infer("w", inputs(kind)[:1], headers=dict(headers))),
    }
    if json_form:
        wanted = [one("score", binary_data=False), one("text", binary_data=True)]
        found["json"] = asked(client, kind, headers, wanted, inputs(kind, binary_data=False))
        found["metadata"] = client.get_model_metadata("w", headers=headers)
        found["server"] = client.get_server_metadata(headers=headers)
    else:
        found["metadata"] = client.get_model_metadata("w", headers=headers, as_json=True)
        found["server"] = client.get_server_metadata(headers=headers, as_json=True)
    client.close()
    return found


http = tritonclient.http.InferenceServerClient(f"127.0.0.1:{PORT}/dev/w")
grpc = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{PORT}")
print(
    json.dumps(
        {
            "rest": ask(tritonclient.http, http, AUTHORIZATION, json_form=True),
            "grpc": ask(tritonclient.grpc, grpc, METADATA, json_form=False),
        }
    )
)

"""KServe's own clients, run in the clients' environment: python kserve_client.py PORT KEY. Prints what they got, as JSON."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

PORT, KEY = sys.argv[1:]
BASE = f"http://127.0.0.1:{PORT}/dev/w"
AUTHORIZATION = {"authorization": f"Bearer {KEY}"}
METADATA = (("authorization", f"Bearer {KEY}"), ("x-loopwright-endpoint", "dev/w"))


def request(binary):
    ages, ports = InferInput("age", [2, 1], "INT64"), InferInput("port", [2, 1], "BYTES")
    ages.set_data_from_numpy(np.array([[22], [50]]), binary_data=binary)
    ports.set_data_from_numpy(np.array([["S"], ["C"]], dtype=object), binary_data=binary)
    wanted = [RequestedOutput(name, {"binary_data": True}) for name in ("score", "text")] if binary else None
    return InferRequest("w", [ages, ports], request_id="mine", request_outputs=wanted)


def told(response):
    return {
        "model": response.model_name,
        "version": response.model_version,
        "id": response.id,
        "outputs": {
            one.name: [
                str(v, "utf-8") if isinstance(v, bytes) else v for v in one.as_numpy().ravel().tolist()
            ]
            for one in response.outputs
        },
    }


async def rest():
    client = InferenceRESTClient(RESTConfig(protocol="v2", verbose=False))
    found = {
        "live": await client.is_server_live(BASE, headers=AUTHORIZATION),
        "ready": await client.is_server_ready(BASE, headers=AUTHORIZATION),
        "model": await client.is_model_ready(BASE, "w", headers=AUTHORIZATION),
        "json": told(await client.infer(BASE, request(False), model_name="w", headers=dict(AUTHORIZATION))),
        "binary": told(await client.infer(BASE, request(True), model_name="w", headers=dict(AUTHORIZATION))),
    }
    wrong = InferRequest("w", request(False).inputs[:1])
    try:
        await client.infer(BASE, wrong, model_name="w", headers=dict(AUTHORIZATION))
    except Exception as error:
        found["refused"] = str(error)
    await client.close()
    return found


async def grpc():
    client = InferenceGRPCClient(f"127.0.0.1:{PORT}")
    found = {
        "live": await client.is_server_live(headers=METADATA),
        "ready": await client.is_server_ready(headers=METADATA),
        "model": await client.is_model_ready("w", headers=METADATA),
        "typed": told(await client.infer(request(False), headers=METADATA)),
        "raw": told(await client.infer(request(True), headers=METADATA)),
    }
    try:
        await client.infer(InferRequest("w", request(False).inputs[:1]), headers=METADATA)
    except Exception as error:
        found["refused"] = str(error)
    await client.close()
    return found


print(json.dumps({"rest": asyncio.run(rest()), "grpc": asyncio.run(grpc())}))

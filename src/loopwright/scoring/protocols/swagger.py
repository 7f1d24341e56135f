"""/swagger.json: Swagger 2.0 of the health check and /score, as Azure's inference server has it and Azure's tools read it.

Documented at https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http and
https://spec.openapis.org/oas/v2.0
"""

from __future__ import annotations

from loopwright.scoring.protocols import body_schemas, openapi
from loopwright.scoring.protocols.body_schemas import Json
from loopwright.scoring.settings import Settings

_JSON = "application/json"


def render(settings: Settings, example: Json | None, prefix: str = "") -> Json:
    """The Swagger document; arguments as openapi.render has them."""
    row: Json = (
        body_schemas.row(settings.inputs, nullable="x-nullable") if settings.inputs is not None else {}
    )
    given = {"example": example["request"]} if example else {}
    answer = {"examples": {_JSON: example["response"]}} if example else {}
    return {
        "swagger": "2.0",
        "info": openapi.info(settings),
        "basePath": prefix or "/",
        "schemes": ["https", "http"],
        "consumes": [_JSON],
        "produces": [_JSON],
        "securityDefinitions": {"Bearer": {"type": "apiKey", "name": "Authorization", "in": "header"}},
        "paths": {
            "/": {
                "get": {
                    "operationId": "ServiceHealthCheck",
                    "description": "Whether the model server is up.",
                    "responses": {"200": {"description": "It is.", "schema": {"type": "string"}}},
                }
            },
            "/score": {
                "post": {
                    "operationId": "RunMLService",
                    "description": "Ask the model.",
                    "security": [{"Bearer": []}],
                    "parameters": [
                        {
                            "name": "serviceInputPayload",
                            "in": "body",
                            "required": True,
                            "schema": {"$ref": "#/definitions/ServiceInput"},
                        }
                    ],
                    "responses": {
                        "200": {
                            "description": "The answer.",
                            "schema": {"$ref": "#/definitions/ServiceOutput"},
                            **answer,
                        },
                        "default": {
                            "description": "Why there is none.",
                            "schema": {"$ref": "#/definitions/ErrorResponse"},
                        },
                    },
                }
            },
        },
        "definitions": {
            "ServiceInput": row | given,
            "ServiceOutput": body_schemas.answer(settings, nullable="x-nullable"),
            "ErrorResponse": body_schemas.failure(),
        },
    }

"""The Open Inference Protocol over the service: what REST and gRPC both do, whatever they write it in."""

from __future__ import annotations

from typing import Any

from loopwright import __version__
from loopwright.scoring.answers import Answers
from loopwright.scoring.aside import LARGE
from loopwright.scoring.context import Context
from loopwright.scoring.protocols import oip_rest, tensors
from loopwright.scoring.protocols.packing import Tensor
from loopwright.scoring.protocols.tensors import InferRequest
from loopwright.scoring.refusals import Failed, NotThere
from loopwright.scoring.rows import Parsed, Parser
from loopwright.scoring.service import Service

_LONGEST_ID = 200  # characters of a client's id that are kept, as of one in a header


class OpenInference:
    """One model, under the name of its workload."""

    def __init__(self, service: Service, example: dict[str, Any] | None) -> None:
        self._service = service
        self._settings = service.settings
        self.model = service.settings.workload
        name, _, number = (service.settings.version or "").rpartition(":")
        self.version = number if name else None  # `3` of titanic:3
        self._example = example

    @property
    def ready(self) -> bool:
        """Whether the model can answer."""
        return self._service.stats().ready

    def server(self) -> dict[str, Any]:
        """The server's metadata."""
        return {"name": "loopwright", "version": __version__, "extensions": list(oip_rest.EXTENSIONS)}

    def check(self, model: str, version: str | None) -> None:
        """Raise NotThere for another model or version than the one that is served."""
        if model != self.model:
            raise NotThere(f"There is no model {model[:100]!r} here, expected {self.model!r}.")
        if version and version != self.version:
            serves = f"version {self.version!r}" if self.version else "one without a version"
            raise NotThere(f"Model {model!r} has no version {version[:100]!r} here, expected {serves}.")

    def metadata(self, model: str, version: str | None) -> dict[str, Any]:
        """The model's metadata; raises NotThere."""
        self.check(model, version)
        inputs, outputs = tensors.metadata(self._settings.inputs or (), self._settings.outputs or ())
        return {
            "name": self.model,
            "versions": [self.version] if self.version else [],
            "platform": self._settings.model.flavor if self._settings.model else "python",
            "inputs": inputs,
            "outputs": outputs or self._answered(),
        }

    async def infer(self, request: InferRequest, context: Context) -> list[tuple[Tensor, bool]]:
        """The outputs that a request asks for; raises Refusal."""
        parser, settings = self._service.parser, self._settings
        if parser is None or settings.inputs is None:
            raise NotThere("This model has no signature, so tensors cannot be read. Post to /score instead.")
        if context.client_id is None and request.id:
            context.client_id = request.id[:_LONGEST_ID]
        if settings.outputs is not None:
            tensors.check_outputs(request, [one.name for one in settings.outputs])
        aside, large = self._service.aside, context.size > LARGE
        answers = await ask(self._service, await aside.do(large, _rows, request, parser), context)
        return await aside.do(large, tensors.answers, request, settings.outputs, answers)

    def _answered(self) -> list[dict[str, Any]]:
        """A script's outputs, as its answer to the package's example has them."""
        if self._example is None:
            return []
        try:
            answers = Answers.of_script(self._example["response"], 1)
        except Failed:
            return []
        return [
            {"name": one.name, "datatype": one.datatype, "shape": [-1, *one.shape[1:]]}
            for one, _ in tensors.answers(InferRequest("", ()), None, answers)
        ]


def _rows(request: InferRequest, parser: Parser) -> Parsed:
    columns, count = tensors.columns(request, parser.inputs, parser.extra)
    told = {name: request.parameters[name] for name in parser.extra if name in request.parameters}
    return parser.columnar({name: [value] * count for name, value in told.items()} | columns)


async def ask(service: Service, parsed: Parsed, context: Context) -> Answers:
    """The answers to rows; where there are none, nobody is asked."""
    if not parsed.rows:
        names = tuple(one.name for one in service.settings.outputs or ())
        return Answers(names, [[] for _ in names])
    return await service.answer(parsed, context)

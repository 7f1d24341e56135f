"""What is made of the trained model on its way into the package: the section `packaging` of a spec."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from loopwright.spec.declaration import Declaration


class Packaging(Declaration):
    """How the package is made."""

    compile: Literal["auto", "never", "required"] = Field(
        default="auto",
        description="Whether a `serving.model` is compiled, so that it answers many times faster and without a worker. "
        "`auto`: where its compiled form was shown to give the same answers, else the package says why not; `never`; "
        "`required`: a model that cannot be compiled is not packaged.",
    )

"""The declaration of a workload: what a person writes, read strictly into frozen values.

Why: every other room works with values that were checked once, here, with an answer for whatever is wrong: file, line,
column, field, what was found and what was expected, all at once.
What comes in: loopwright.yaml, and the YAML files that it names. What goes out: `Workload` and other frozen models, the
places of their values, warnings of known traps, the JSON Schema, the reference.
May import: jobs, state, errors. Only Pydantic and PyYAML of what is heavy; `validate` has 0.3 seconds.
"""

from loopwright.spec.cases import CasesFile, FunctionalCase
from loopwright.spec.loading import (
    load,
    load_for_inference,
    load_stored,
    load_text,
    load_with_positions,
    load_yaml,
    parse,
    parse_with_positions,
)
from loopwright.spec.models import Workload
from loopwright.spec.positions import Positions
from loopwright.spec.schema import json_schema
from loopwright.spec.traps import SpecWarning, warnings

__all__ = [
    "Workload",
    "load",
    "load_with_positions",
    "load_for_inference",
    "load_stored",
    "load_text",
    "Positions",
    "load_yaml",
    "parse",
    "parse_with_positions",
    "CasesFile",
    "FunctionalCase",
    "warnings",
    "SpecWarning",
    "json_schema",
]

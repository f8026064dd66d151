"""What users write, read and validated: ``targets.toml``, ``scenarios/*.toml``, targets spelled out in a command."""

from harness.declare.files import ContrastIn
from harness.declare.load import PACKAGED, Declarations, load_declarations
from harness.declare.read import read_scenario
from harness.declare.select import match_names, parse_target, select_scenarios, select_targets

__all__ = [
    "PACKAGED",
    "ContrastIn",
    "Declarations",
    "load_declarations",
    "match_names",
    "parse_target",
    "read_scenario",
    "select_scenarios",
    "select_targets",
]

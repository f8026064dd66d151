"""What users write, read and validated: ``targets.toml``, ``scenarios/*.toml``, targets spelled out in a command."""

from harness.config.files import ContrastIn as ContrastIn
from harness.config.load import (
    PACKAGED as PACKAGED,
    Declarations as Declarations,
    load_declarations as load_declarations,
)
from harness.config.select import (
    match_names as match_names,
    parse_target as parse_target,
    select_scenarios as select_scenarios,
    select_targets as select_targets,
)

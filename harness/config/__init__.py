"""What users write, read and validated: ``targets.toml``, ``scenarios/*.toml``."""

from harness.config.files import ContrastIn as ContrastIn
from harness.config.load import (
    PACKAGED as PACKAGED,
    Declarations as Declarations,
    load_declarations as load_declarations,
)

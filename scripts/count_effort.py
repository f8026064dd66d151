"""What each app needed for each feature, as JSON; see ``harness/verify/effort.py`` and ``apps/effort.toml``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from harness.verify.effort import effort

if __name__ == "__main__":
    json.dump([asdict(one) for one in effort()], sys.stdout, indent=1)
    sys.stdout.write("\n")

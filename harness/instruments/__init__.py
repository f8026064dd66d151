"""How cost is measured besides CPU clocks: instructions per request, and samples of Python stacks."""

from harness.instruments.instructions import (
    CountedServer as CountedServer,
    CountingFleet as CountingFleet,
    counter_kind as counter_kind,
    counting_ahead as counting_ahead,
    why_not_counted as why_not_counted,
)
from harness.instruments.profile import sample as sample, sampler as sampler, why_not_sampled as why_not_sampled

"""The nouns of the project: what is declared, what is planned, and what was recorded.

Times are in seconds unless a name says otherwise. Everything here is immutable and can be written as JSON.
"""

from harness.model.declared import (
    ELSEWHERE as ELSEWHERE,
    Interface as Interface,
    Journey as Journey,
    Listener as Listener,
    OptionValue as OptionValue,
    ParamValue as ParamValue,
    PlannedRequest as PlannedRequest,
    Question as Question,
    RawRequest as RawRequest,
    Scenario as Scenario,
    Target as Target,
)
from harness.model.planned import (
    Block as Block,
    Contrast as Contrast,
    Extension as Extension,
    Failure as Failure,
    Gap as Gap,
    Ladder as Ladder,
    LadderKind as LadderKind,
    Metric as Metric,
    Plan as Plan,
    Point as Point,
    Rung as Rung,
    Side as Side,
    SliceMetric as SliceMetric,
    Trial as Trial,
    Window as Window,
)
from harness.model.profiled import BRIEF as BRIEF, CpuProfile as CpuProfile, Frame as Frame
from harness.model.reason import (
    LACKS as LACKS,
    Reason as Reason,
    tallied as tallied,
)
from harness.model.recorded import (
    OWN as OWN,
    Abilities as Abilities,
    Effort as Effort,
    Exclusion as Exclusion,
    ExclusionKind as ExclusionKind,
    Feature as Feature,
    Gate as Gate,
    InstructionCount as InstructionCount,
    Manifest as Manifest,
    RunStatus as RunStatus,
    SideResult as SideResult,
    Slices as Slices,
    Statements as Statements,
    WindowRecord as WindowRecord,
    final_attempts as final_attempts,
    lost_sides as lost_sides,
    side_faults as side_faults,
    times_only as times_only,
)

"""The sections that hold studies, for every rendering."""

from __future__ import annotations

from harness.report.blocks import Block
from harness.report.numbers import Sentence
from harness.report.sections import asynchronous, latencies, memory, scaling
from harness.report.view import View

STUDY_VIEWS = {
    "async": asynchronous.STUDY_VIEWS,
    "latency": latencies.STUDY_VIEWS,
    "memory": memory.STUDY_VIEWS,
    "scaling": scaling.STUDY_VIEWS,
}


def study_blocks(view: View, section: str) -> tuple[Block, ...]:
    """Empty where the run has no window of its studies."""
    return tuple(block for study in STUDY_VIEWS[section] for block in study.blocks(view))


def study_sentences(view: View) -> dict[str, list[Sentence]]:
    """Section → the sentence of each of its studies that the run has windows of."""
    sections = {section: [study.said(view) for study in studies] for section, studies in STUDY_VIEWS.items()}
    return {section: said for section, sentences in sections.items() if (said := [each for each in sentences if each])}

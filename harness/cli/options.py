"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.commands import completion

Targets = Annotated[
    list[str],
    typer.Option(
        "-t",
        "--target",
        metavar="GLOB",
        autocompletion=completion.targets,
        help="Target by name or glob, or package.module:attribute@server[,option=value]…; repeatable.",
    ),
]
Workers = Annotated[int, typer.Option(metavar="N", help="Worker processes of this machine that share the load.")]
Join = Annotated[
    int, typer.Option(metavar="N", help="Workers that other machines start with: harness worker --master HOST.")
]
Listen = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Where workers are taken: this machine alone, or with --join anywhere.")
]
Port = Annotated[int | None, typer.Option(help="Port at which workers are taken; 5557 with --join.", max=65535)]
OnLost = Annotated[
    str,
    typer.Option(
        "--on-lost-worker", metavar="invalid|continue", help="End where a worker is lost, or go on with the rest."
    ),
]
Live = Annotated[bool, typer.Option("--live", help="Show it on Locust's web page, http://127.0.0.1:8089.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress on stderr.")]

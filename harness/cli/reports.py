"""``harness reports``."""

from __future__ import annotations

import sys

from harness.cli.options import REPORTS, RESULTS, Host, ListenPort


def reports(host: Host = "127.0.0.1", port: ListenPort = 8080) -> None:
    """Serve a page that lists the runs in this folder, with their reports.

    Exit codes: 3 the port is in use; 130 Ctrl-C; 143 SIGTERM.
    """
    import uvicorn

    from harness.report.site import site
    from harness.serve.foreground import check_free

    check_free(host, port)
    sys.stderr.write(f"reports on http://{host}:{port}\n")
    uvicorn.run(site(RESULTS, REPORTS), host=host, port=port, log_level="warning", access_log=False)

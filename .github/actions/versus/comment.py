"""Writes a file as the comment of a pull request, in place of the comment that begins with the same line.

    comment.py FILE NUMBER

The runner's variables say where: GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN. Where the token may not write, as in
pull requests from forks, a warning says so: the job's summary page has the same text.
"""

import json
import os
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PAGE = 100


def asked(path, method="GET", body=None):
    request = Request(
        f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}",
        method=method,
        data=None if body is None else json.dumps({"body": body}).encode(),
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Content-Type": "application/json",
        },
    )
    with urlopen(request, timeout=30) as reply:
        return json.load(reply)


def comments(number):
    page, found = 0, [None] * PAGE
    while len(found) == PAGE:
        page += 1
        found = asked(f"issues/{number}/comments?per_page={PAGE}&page={page}")
        yield from found


def main(file, number):
    text = Path(file).read_text("utf-8")
    marker = text.partition("\n")[0]
    own = [each["id"] for each in comments(number) if (each["body"] or "").startswith(marker)]
    if own:
        asked(f"issues/comments/{own[0]}", "PATCH", text)
    else:
        asked(f"issues/{number}/comments", "POST", text)


if __name__ == "__main__":
    if not Path(sys.argv[1]).exists():
        print("there is no verdict to comment")
        sys.exit()
    try:
        main(*sys.argv[1:])
    except HTTPError as error:
        if error.code not in (401, 403, 404):
            raise
        print(f"::warning::The comment could not be written ({error}): the job needs 'pull-requests: write'")

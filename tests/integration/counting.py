"""A server that counts what it answers, by the address that asked: ``python counting.py HOST``.

It prints its port. ``GET /counts`` is not counted and gives the counts as JSON, ``GET /counts/paths`` those by path;
anything else is answered with ``ok``.
"""

import asyncio
import json
import sys
from collections import Counter

counts, paths = Counter(), Counter()


async def attend(reader, writer):
    peer = writer.get_extra_info("peername")[0]
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split()[1].decode()
            if path.startswith("/counts"):
                body = json.dumps(paths if path == "/counts/paths" else counts).encode()
            else:
                counts[peer] += 1
                paths[path] += 1
                body = b"ok"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


async def main():
    server = await asyncio.start_server(attend, sys.argv[1], 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())

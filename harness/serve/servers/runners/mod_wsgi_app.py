"""``mod_wsgi-express`` with its own arguments; started by root, its processes keep root's right to read files.

Apache refuses to serve as root, and root's Python and apps often lie where no other user may look. A program by itself;
it imports mod_wsgi, nothing of this package.
"""

import ctypes
import os
import sys

from mod_wsgi.express.cli import main

# From linux/prctl.h and linux/securebits.h.
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2

if __name__ == "__main__":
    if sys.platform == "linux" and os.getuid() == 0:
        ctypes.CDLL(None).prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    sys.exit(main())

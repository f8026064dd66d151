"""Settings that not every version of Gunicorn has: a file may name them, since Gunicorn ignores unknown ones there."""

import logging

control_socket_disable = True
# The parser that a plain installation has, where the package of the fast one is installed too.
http_parser = "python"

# Tornado's worker would write a line for every reply that refuses its request.
logging.getLogger("tornado.access").setLevel(logging.ERROR)

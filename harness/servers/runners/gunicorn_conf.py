"""Settings that not every version of Gunicorn has: a file may name them, since unknown ones are passed over there."""

control_socket_disable = True

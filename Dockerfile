# syntax=docker/dockerfile:1.7
# Hopps as an image: web server, jobs and commands of one release; not as root, static files inside, no compiler.
#
#   docker build --build-arg RELEASE=$(git rev-parse HEAD) -t hopps .
#   docker run --rm -v hopps:/var/lib/hopps -e HOPPS_ENV=development hopps sh -c "python manage.py migrate && python manage.py demo"
#   docker run -p 127.0.0.1:8000:8000 -v hopps:/var/lib/hopps -e HOPPS_ENV=development hopps
#
# Where the rows are in PostgreSQL, backups need its programs, of its version at least: --build-arg POSTGRESQL_CLIENT=18
#
# Without HOPPS_ENV=development it is production: it wants SECRET_KEY, ALLOWED_HOSTS, EMAIL_HOST and real payments
# (.env.example). The root may be read-only: it writes to /var/lib/hopps and /tmp.
#
# What changes seldom comes first: a release that changes neither packages nor npm's files copies two layers from the cache.

FROM python:3.11.14-slim-bookworm AS packages
WORKDIR /build
COPY requirements.lock ./
# What was locked, to the byte. Packages come as wheels, so nothing is compiled; http-ece has none, and is nothing but Python.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/venv \
    && /opt/venv/bin/pip install --disable-pip-version-check --require-hashes --only-binary :all: --no-binary http-ece -r requirements.lock

FROM node:24.11.1-bookworm-slim AS npm
WORKDIR /build
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM packages AS files
WORKDIR /srv/hopps
COPY . .
# What pages load of npm (hopps/npm_files.py): Twilio's SDK, fetched by pages only where VIDEO=twilio.
COPY --from=npm /build/node_modules/twilio-video/dist/twilio-video.min.js node_modules/twilio-video/dist/
# Development for this step alone: it needs no secret, and writes only what this image throws away.
RUN HOPPS_ENV=development VAR_DIR=/tmp/var /opt/venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q hopps accounts billing sessions_app

FROM python:3.11.14-slim-bookworm
# /srv/static: where compose.yaml keeps the static files of several releases. Volumes take their owner from here.
RUN useradd --system --uid 10001 --home-dir /var/lib/hopps --create-home hopps \
    && install --directory --owner hopps /srv/static
# From PostgreSQL's own packages: Debian's are older than many a server.
ARG POSTGRESQL_CLIENT=
# hadolint ignore=DL3008
RUN [ -z "$POSTGRESQL_CLIENT" ] || { \
    apt-get update && apt-get install -y --no-install-recommends postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install -y --no-install-recommends "postgresql-client-$POSTGRESQL_CLIENT" \
    && rm -rf /var/lib/apt/lists/*; }
COPY --from=packages /opt/venv /opt/venv
COPY --from=files /srv/hopps /srv/hopps
WORKDIR /srv/hopps
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VAR_DIR=/var/lib/hopps HOST=0.0.0.0 PORT=8000
USER 10001
VOLUME /var/lib/hopps
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --start-interval=1s CMD ["python", "-m", "hopps.healthcheck"]
CMD ["python", "-m", "hopps.server"]
# Last, because it is new each time: the commit. /healthz tells it, and script/deploy looks for it there.
ARG RELEASE=unknown
ENV HOPPS_RELEASE=$RELEASE
LABEL org.opencontainers.image.revision=$RELEASE org.opencontainers.image.title=Hopps

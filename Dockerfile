# Hopps as a container: one web server process, not as root, its static files inside.
#
#   docker build -t hopps .
#   docker run -p 127.0.0.1:8000:8000 -v hopps:/var/lib/hopps -e HOPPS_ENV=development hopps
#
# Without HOPPS_ENV=development it is production: it wants SECRET_KEY, ALLOWED_HOSTS, EMAIL_HOST and real payments.
#
# The same image runs the database's migrations (manage.py migrate) and, where REDIS_URL is set, the jobs (manage.py run_huey).

FROM python:3.11-slim AS packages
COPY requirements.txt constraints.txt ./
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM node:20-slim AS npm
WORKDIR /npm
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM python:3.11-slim AS files
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/hopps
COPY . .
# What pages load of npm (hopps/npm_files.py): Twilio's SDK, fetched by pages only where VIDEO=twilio.
COPY --from=npm /npm/node_modules/twilio-video/dist/twilio-video.min.js node_modules/twilio-video/dist/
# Development for this step alone: it needs no secret, and writes only what this image throws away.
RUN HOPPS_ENV=development VAR_DIR=/tmp/var /opt/venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q hopps accounts billing sessions_app

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/hopps --create-home hopps
COPY --from=packages /opt/venv /opt/venv
COPY --from=files /srv/hopps /srv/hopps
WORKDIR /srv/hopps
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 VAR_DIR=/var/lib/hopps HOST=0.0.0.0 PORT=8000
USER hopps
VOLUME /var/lib/hopps
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["python", "-m", "hopps.healthcheck"]
CMD ["python", "-m", "hopps.server"]

# Hopps as a container: one web server process, not as root, its static files inside.
#
#   docker build -t hopps .
#   docker run -p 8000:8000 -v hopps:/var/lib/hopps -e SECRET_KEY=… -e ALLOWED_HOSTS=hopps.example.com hopps
#
# The same image runs the database's migrations (manage.py migrate) and, where REDIS_URL is set, the jobs (manage.py run_huey).

FROM python:3.11-slim AS packages
COPY requirements.txt .
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM python:3.11-slim AS files
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/hopps
COPY . .
# A secret for this step alone; it is in no layer of the image that runs.
RUN SECRET_KEY=only-for-collecting-static-files VAR_DIR=/tmp/var /opt/venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
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

# One image for server and worker; the database is a service of its own (docker-compose.yml).
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir uv
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --locked --no-dev --no-install-project
COPY . .
RUN uv sync --locked --no-dev && \
    .venv/bin/python -m server.web.vendor && .venv/bin/waymark planner prepare

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/waymark --create-home waymark
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 WAYMARK_HOME=/var/lib/waymark
USER waymark
WORKDIR /app
VOLUME /var/lib/waymark
EXPOSE 8000
CMD ["waymark", "serve"]

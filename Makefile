# Each target first does what is missing before it; see .ci/setup.
.DEFAULT_GOAL := help
.PHONY: help environment assets planner setup demo phone lint test fuzz-plan fuzz-sync fuzz-http mutants-sync soak drill bench look clean
PYTHON := .venv/bin/python
# Some images switch compiled modules off; every process that the tests and the demo start would compile 4,600 of them.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: environment assets planner ## install what is missing: Python environment, PostgreSQL + PostGIS, Chromium, browser libraries

environment:
	@sh .ci/setup

assets: environment
	@$(PYTHON) -m server.web.vendor

planner: environment
	@.venv/bin/waymark planner prepare

demo: setup ## a company with customers, plans and a running server; REGION=extract.osm.pbf DIR=folder CUSTOMERS=300
	@.venv/bin/waymark demo $(if $(REGION),--region "$(REGION)") $(if $(DIR),--dir "$(DIR)") $(if $(CUSTOMERS),--customers "$(CUSTOMERS)")

phone: setup ## the phone app in a window, against the local server
	@$(PYTHON) -m mobile

lint: environment ## style, types, order of the rooms
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

# The third worker works while two wait for a browser or the database; whoever is done takes over what others have left.
test: ## lint, then every test; ARGS="-k word" chooses
	@$(MAKE) --no-print-directory --jobs=2 planner assets lint # one core compiles the planner, the other looks at types
	$(PYTHON) -m pytest -n 3 --dist worksteal $(ARGS)

fuzz-plan: setup ## 10,000 random planning problems, every plan checked; PROBLEMS=N changes the count
	@$(PYTHON) -m tests.routing.fuzz

fuzz-sync: setup ## 10,000 random schedules of faults between phones and server; SCHEDULES=N changes the count
	@$(PYTHON) -m tests.server.sync.fuzz

fuzz-http: setup ## 1,000 kills of workers and database over HTTP, through a faulty proxy; KILLS=N changes the count
	@$(PYTHON) -m tests.server.sync.http_fuzz

mutants-sync: setup ## deliberate mistakes in sync, each of which its story or random schedules must find
	@$(PYTHON) -m tests.server.sync.mutants

soak: setup ## many phones for a day on real workers over HTTP; PHONES=1000 HOURS=24 change it
	@$(PYTHON) -m tests.server.sync.soak

drill: setup ## a dump is put back while phones hold work that it does not know; JOURNALS=N changes how many phones
	@$(PYTHON) -m tests.server.sync.drill

bench: setup ## the benchmarks' figures
	@for script in benchmarks/*/run.py; do $(PYTHON) "$$script" || exit 1; done

look: setup ## every page of a running server in each width, theme and language: shifts, overflow, pictures; ARGS="--login mara"
	@$(PYTHON) benchmarks/look/walk.py $(ARGS)

clean: ## remove everything that setup and the tools made here (the data under WAYMARK_HOME stays)
	rm -rf .venv .uv build dist server/web/static/vendor server/web/static/vendor.new
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

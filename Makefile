# The commands of this repository. Each calls a script that you can also run directly.
# SPDX-License-Identifier: MIT
.DEFAULT_GOAL := help
.PHONY: help up down status logs audit load test format hooks docs lint bench fuzz mutants screenshots clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## install missing packages, build, start everything
	@scripts/up

down: ## stop everything
	@scripts/down

status: ## show which programs run
	@scripts/ctl status

logs: ## follow the logs, or those of one program: make logs S=worker
	@scripts/logs $(S)

audit: ## check that every ballot of the stream is counted once; with options: make audit O="--json --poll demo"
	@scripts/audit $(O)

load: ## run k6 journeys against the instance: make load PROFILE=smoke JOURNEY=vote
	@PROFILE=$(PROFILE) JOURNEY=$(JOURNEY) scripts/load

test: ## build, run every test and the lint
	@scripts/test

docs: ## write the tables of docs/CONFIGURATION.md and docs/LIMITS.md from the programs
	@scripts/build && docs/tables.py

format: ## format the C files, and remove white space at the ends of lines
	@scripts/format

hooks: ## check format, quick lint and subject with each commit of this clone
	@git config core.hooksPath .githooks

lint: ## check format, static analysis, types, scripts and workflows
	@scripts/lint

bench: ## measure the throughput and compare it with the ceilings of this machine
	@scripts/build --packages && bench/run

fuzz: ## run the fuzz targets
	@scripts/build --packages && tests/fuzz/run

mutants: ## put known faults into a copy and check that the tests find them; only some: make mutants M="NAME..."
	@scripts/build --packages && tests/mutants/run $(M)

screenshots: ## make pictures of every view of both pages, in screenshots/
	@scripts/screenshots $(V)

clean: ## stop everything, remove the build, the tools and all ballots
	@scripts/clean

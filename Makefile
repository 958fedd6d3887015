# The commands of this repository; each calls a script that can also be run by itself.
# SPDX-License-Identifier: MIT
.DEFAULT_GOAL := help
.PHONY: help up down status logs audit load test format hooks docs lint bench fuzz mutants screenshots clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## install what is missing, build, start everything
	@scripts/up

down: ## stop everything
	@scripts/down

status: ## what runs
	@scripts/ctl status

logs: ## follow the logs; of one program: make logs S=worker
	@scripts/logs $(S)

audit: ## whether every ballot of the stream is counted once; options: make audit O="--json --poll demo"
	@scripts/audit $(O)

load: ## k6 journeys against what runs: make load PROFILE=smoke JOURNEY=vote; k6 is built where it is missing
	@PROFILE=$(PROFILE) JOURNEY=$(JOURNEY) scripts/load

test: ## build, run every test and the lint
	@scripts/test

docs: ## write the tables of docs/CONFIGURATION.md and docs/LIMITS.md from the programs
	@scripts/build && docs/tables.py

format: ## format the C files, and remove white space at the ends of lines
	@scripts/format

hooks: ## check format, quick lint and subject with each commit of this clone
	@git config core.hooksPath .githooks

lint: ## format, static analysis, shell scripts
	@scripts/lint

bench: ## measure against the ceilings of this machine
	@scripts/build --packages && bench/run

fuzz: ## run the fuzz targets
	@scripts/build --packages && tests/fuzz/run

mutants: ## put known faults into a copy and see that the tests catch them; some: make mutants M="NAME..."
	@scripts/build --packages && tests/mutants/run $(M)

screenshots: ## pictures of every view of both pages, in screenshots/
	@scripts/screenshots $(V)

clean: ## stop everything, remove build and state
	@scripts/clean

# Patchbay: every target is one readable script in tests/run. YES=1 answers yes to questions about installing.
.PHONY: run serve test check bench soak screenshots setup help
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## install what is missing, build, open the application (without a display: serve it)
	@tests/run/app.sh

serve: ## install what is missing, build the headless program, serve a local store on loopback
	@tests/run/serve.sh

test: ## install what is missing, build, run every suite
	@tests/run/suite.sh

check: ## formatting and lints: rustfmt, clippy, eslint, svelte-check
	@tests/run/check.sh

bench: ## measure against references in the same run
	@tests/run/bench.sh

soak: ## kills under write load, random calls and the SDK, with large counts
	@tests/run/soak.sh

screenshots: ## pictures of every screen, light and dark, into .cache/screenshots
	@tests/run/screenshots.sh

setup: ## only install what is missing
	@tests/run/setup.sh test

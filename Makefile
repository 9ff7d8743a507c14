# Everything a fresh Debian machine with Python 3.11+ and make needs to run and test the project.
# Packages go into .venv; Debian's packages are installed only where something is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help demo gallery test fuzz lint lock setup setup-dev libraries browser locales clean

ARGS ?=
# `no` installs the versions of requirements.lock without comparing the files' hashes. The hashes are those of the public
# package index; a mirror that rebuilds packages serves the same versions as other files, and every one would be refused.
HASHES ?= yes
PYTHON ?= # which Python makes .venv; by default the first of the list below that is 3.11 or newer
CANDIDATES := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)

VENV := .venv
PY := $(VENV)/bin/python
# Stamps: a finished step leaves one, and is done again when what it was made from is newer.
MADE := $(VENV)/.made
READY := $(VENV)/.ready
UV := $(VENV)/uv/bin/uv

help:
	@echo "make demo        set up, then serve the page (options: make demo ARGS='--port 7861')"
	echo "make test        set up, then lint and run every test"
	echo "make fuzz        the tests with random input, with other input each time and 50 times as much"
	echo "make gallery     set up, then make assets/gallery again: every figure for one photo"
	echo "make lint        set up, then check style, the direction of imports, and the requirements"
	echo "make setup       .venv with the packages of requirements.lock (HASHES=no: see Makefile), and OpenCV's shared libraries"
	echo "make setup-dev   setup, and headless Chromium and locale definitions for the tests"
	echo "make lock        make requirements.lock again from the requirements files (newest versions: make lock ARGS=--upgrade)"
	echo "make clean       remove .venv, caches and what the tests made"

demo: setup
	@exec $(PY) app.py $(ARGS)

# Photos that the installed packages bring along.
PHOTOS = $$($(PY) -c 'from demo.examples import examples; print(*[one.path for one in examples()[:2]], sep=" --reference ")')
GALLERY_BACKBONES := timm:resnet50@untrained,timm:swin_tiny_patch4_window7_224@untrained

gallery: setup
	@$(PY) -m transxnet gallery $(PHOTOS) --models pico,t@untrained --backbones $(GALLERY_BACKBONES) --out assets/gallery

# Two processes, each with a page and a Chromium of its own, take file after file, the longest first (tests/conftest.py);
# what measures seconds has the machine to itself.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
test: export PYTHONWARNDEFAULTENCODING = 1
test: lint
	@$(PY) -m pytest $(TWO) -m "not timing"
	$(PY) -m pytest tests/browser -m timing

fuzz: setup-dev
	@$(PY) -m pytest -m fuzz --hypothesis-profile=long

lint: setup-dev
	@$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports --no-cache
	$(PY) -m deptry .

setup: libraries $(READY)

setup-dev: setup browser locales

# Keeps the versions that are in the file and still fit. One file for every platform and Python from 3.11 on. Without
# annotations, because they would name the constraints file, a path of one machine.
lock: $(UV)
	@# What pip on this machine is held to, because a lock beyond it could not be installed here.
	constraints="$$($(PY) -m pip config list | sed -nE "s/^(global|install|:env:)\.constraint='(.*)'$$/\2/p" | tail -n 1)"
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" $${constraints:+--constraint "$$constraints"} $(ARGS) \
		--output-file requirements.lock requirements-dev.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache tests/artifacts
	find transxnet demo tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# --- Debian's packages --------------------------------------------------------------------------

# `debian_install WHY PACKAGE...` as root, through sudo where that asks nothing, else says what to do.
define debian_install
debian_install() {
	local why="$$1" as_root=(env DEBIAN_FRONTEND=noninteractive); shift
	if ! command -v apt-get >/dev/null; then
		echo "make: $$why is missing, and this is no Debian: install what it calls $$*, then run make again." >&2; exit 1
	fi
	if [ "$$(id -u)" != 0 ]; then
		if ! sudo -n true 2>/dev/null; then
			echo "make: $$why is missing. Run as root: apt-get install $$*  Then run make again." >&2; exit 1
		fi
		as_root=(sudo -n "$${as_root[@]}")
	fi
	echo "make: $$why is missing: installing Debian's $$*"
	"$${as_root[@]}" apt-get update -q || echo "make: apt-get update failed; trying with the package lists as they are." >&2
	if ! "$${as_root[@]}" apt-get -o DPkg::Lock::Timeout=120 install -y -q --no-install-recommends "$$@"; then
		echo "make: apt-get could not install $$*: its own words are above." >&2; exit 1
	fi
}
endef

# OpenCV's wheel links these two; a desktop has them, a bare Debian does not.
libraries:
	@$(debian_install)
	[ "$$(uname)" = Linux ] || exit 0
	known="$$(PATH="$$PATH:/usr/sbin:/sbin" ldconfig -p)"
	for library in libGL.so.1 libgthread-2.0.so.0; do
		grep -qF "$$library " <<<"$$known" || { debian_install "$$library, which OpenCV needs," $$(cat packages.txt); break; }
	done

# Playwright's wheel brings a Node that links libatomic; its own browser download is never used.
browser:
	@$(debian_install)
	[ "$$(uname)" = Linux ] || exit 0
	# Its windowless build takes a third less time than chromium, which does where Debian has no other.
	command -v chromium-headless-shell >/dev/null \
		|| (debian_install "Chromium without windows, which the browser tests drive," chromium-headless-shell) \
		|| command -v chromium >/dev/null
	PATH="$$PATH:/usr/sbin:/sbin" ldconfig -p | grep -F "libatomic.so.1 " >/dev/null || debian_install "libatomic.so.1, which Playwright needs," libatomic1

# tests/test_locales.py builds a locale whose encoding is GBK.
locales:
	@$(debian_install)
	[ "$$(uname)" = Linux ] || exit 0
	if ! command -v localedef >/dev/null || [ ! -e /usr/share/i18n/charmaps/GBK.gz ]; then
		debian_install "the definition of a GBK locale, which the tests build," locales
	fi

# --- The virtual environment --------------------------------------------------------------------

$(MADE):
	@$(debian_install)
	python=""
	for candidate in $(CANDIDATES); do
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python="$$candidate"; break; fi
	done
	if [ -z "$$python" ]; then
		echo "make: no Python 3.11 or newer among: $(CANDIDATES). Install one, or name it: make PYTHON=/path/to/python" >&2; exit 1
	fi
	if $(PY) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
		echo "make: keeping the $(VENV) that is here ($$($(PY) --version))"
	else
		# Debian splits ensurepip off; without it `python -m venv` stops half way.
		if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then
			debian_install "Python's venv module" "$$("$$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
		fi
		echo "make: making $(VENV) with $$("$$python" --version)"
		"$$python" -m venv --clear $(VENV)
	fi
	touch $@

# The tests' packages come along: pip accepts one file with hashes, and leaves nothing out of it.
$(READY): requirements.lock $(MADE) | libraries
	@$(PY) -c 'import torch' 2>/dev/null || echo "make: installing requirements.lock. On Linux torch brings CUDA's libraries: about 3 GB to download, 6 GB in $(VENV)."
	if [ "$(HASHES)" = no ]; then
		packages() { sed -E '/^ +--hash=/d; s/ \\$$//' requirements.lock; }
		required=""
	else
		packages() { cat requirements.lock; }
		required=--require-hashes
	fi
	if ! packages | $(PY) -m pip install --disable-pip-version-check $$required -r /dev/stdin; then
		echo "make: pip could not install requirements.lock: its own words are above. When that is put right, run make again." >&2
		[ -z "$$required" ] || echo "make: if it says DO NOT MATCH THE HASHES and your package index is a mirror that rebuilds packages: make HASHES=no" >&2
		exit 1
	fi
	touch $@

$(UV): $(MADE)
	@$(PY) -m venv $(VENV)/uv
	$(VENV)/uv/bin/python -m pip install --disable-pip-version-check -q 'uv>=0.9,<1'
	touch $@

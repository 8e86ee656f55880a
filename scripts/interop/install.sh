#!/usr/bin/env bash
# Installs the clients that `npm run interop` needs into this folder. Prints what cannot be installed, and then ends
# with status 0: main.ts skips what is missing.
set -uo pipefail
cd "$(dirname "$0")"

missing() { echo "$1 could not be installed: the checks that need it are skipped"; }

install_python() {
  [ -x .venv/bin/pip ] || timeout 60 python3 -m venv .venv || return 1
  timeout 400 .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
}

# Both major versions of transformers read the same folders. The older one lies beside the environment.
install_transformers4() {
  timeout 200 .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --upgrade \
    --target .venv/transformers4 --requirement requirements-transformers4.txt
}

# Install scripts would fetch GPU libraries, which nothing here needs.
install_node() { timeout 300 npm ci --silent --no-audit --no-fund --ignore-scripts; }

install_node || missing "transformers.js" &
if install_python; then
  install_transformers4 || missing "transformers 4"
else
  missing "the Python clients"
fi
wait

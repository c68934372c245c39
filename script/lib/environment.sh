# Sourced by the commands in script/: the virtual environment and the npm packages, each made only when something changed.
# Expects to run in the root of the checkout.

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

is_root_on_debian() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# Installs Debian packages. Only called where is_root_on_debian.
apt_install() {
    say "Installing $* from Debian's packages."
    local log
    log=$(mktemp)
    if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"; } >"$log" 2>&1; then
        cat "$log" >&2
        die "Could not install: $*"
    fi
    rm -f "$log"
}

# Runs a command quietly; shows what it said when it failed.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# Prints the path of a Python of at least 3.11.
find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

# Makes .venv where it is absent, broken (its Python was removed, or an earlier attempt was cut short) or too old.
ensure_venv() {
    if is_new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    local python version
    python=$(find_python) || die "Hopps needs Python 3.11 or newer, and none was found. Install it, or set PYTHON to its path."
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        is_root_on_debian || die "This Python cannot make virtual environments. Run: sudo apt-get install python${version}-venv"
        apt_install "python${version}-venv"
    fi
    say "Making the virtual environment with Python $version."
    rm -rf .venv
    "$python" -m venv .venv || die "Could not make .venv with $python."
}

# ensure_requirements FILE…: installs the files' packages into .venv, when the files are not as they were last time.
ensure_requirements() {
    ensure_venv
    local last=${!#} stamp sum file
    stamp=".venv/installed-${last%.txt}"
    sum=$(sha256sum constraints.txt "$@")
    if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
        return
    fi
    say "Installing $last (once, and again when it changes)."
    quietly .venv/bin/python -m pip install --disable-pip-version-check -r "$last" ||
        die "Could not install $last; what pip said is above."
    printf '%s\n' "$sum" >"$stamp"
    # requirements-dev.txt holds all of requirements.txt.
    for file in "$@"; do
        [ "$file" = "$last" ] || sha256sum constraints.txt "$file" >".venv/installed-${file%.txt}"
    done
}

# What the tests talk to in place of Stripe: localstripe in a virtual environment of its own, and Stripe's own description.
ensure_peers() {
    local stamp=".peers/installed" sum
    sum=$(sha256sum tests/peers/localstripe.txt tests/peers/stripe-spec.txt)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && is_new_enough .peers/localstripe/bin/python; then
        return
    fi
    ensure_venv
    say "Installing what stands in for Stripe in the tests (once, and again when its pins change)."
    rm -rf .peers
    mkdir .peers
    .venv/bin/python -m venv .peers/localstripe || die "Could not make .peers/localstripe."
    quietly .peers/localstripe/bin/python -m pip install --disable-pip-version-check --no-deps -r tests/peers/localstripe.txt ||
        die "Could not install localstripe; what pip said is above."
    quietly .venv/bin/python -m pip install --disable-pip-version-check --no-deps --target .peers/stripe-spec \
        -r tests/peers/stripe-spec.txt || die "Could not install Stripe's description; what pip said is above."
    printf '%s\n' "$sum" >"$stamp"
}

# ensure_npm DIRECTORY: installs exactly what the directory's lock names, when the lock is not as it was last time.
ensure_npm() {
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        is_root_on_debian || die "Node.js and npm are needed. Run: sudo apt-get install nodejs npm"
        apt_install nodejs npm
    fi
    local stamp="$1/node_modules/.installed" sum
    sum=$(sha256sum "$1/package-lock.json")
    if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
        return
    fi
    say "Installing the npm packages of $1 (once, and again when its lock changes)."
    quietly npm ci --prefix "$1" --ignore-scripts || die "Could not install the npm packages of $1; what npm said is above."
    printf '%s\n' "$sum" >"$stamp"
}

ensure_chromium() {
    if [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then
        return
    fi
    is_root_on_debian || die "The browser tests need Chromium. Run: sudo apt-get install chromium   (or set CHROMIUM to a Chromium or Chrome)"
    apt_install chromium
}

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

# ensure_debian PACKAGE…: installs those whose program is missing, or says of all of them at once how.
ensure_debian() {
    local package missing=()
    for package in "$@"; do
        has_program_of "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    is_root_on_debian || die "Programs are missing here. Run: sudo apt-get install ${missing[*]}"
    apt_install "${missing[@]}"
}

has_program_of() {
    case "$1" in
    nodejs) has_program node ;;
    # Or another Chromium, or a Chrome, that CHROMIUM names.
    chromium) [ -n "${CHROMIUM:-}" ] || has_program chromium || has_program chromium-browser || has_program google-chrome ;;
    coturn) has_program turnserver ;;
    *) has_program "$1" ;;
    esac
}

# Debian puts some where only root's PATH looks.
has_program() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

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

# ensure_requirements LOCK…: installs the last lock's packages into .venv, when it is not as it was last time; the others are parts
# of it. What is not, to the byte, what was locked is not installed.
ensure_requirements() {
    ensure_venv
    local last=${!#} stamp sum lock
    stamp=".venv/installed-$last"
    sum=$(sha256sum "$last")
    if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
        return
    fi
    say "Installing ${last%.lock} (once, and again when it changes)."
    quietly .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r "$last" ||
        die "Could not install $last; what pip said is above."
    for lock in "$@"; do
        sha256sum "$lock" >".venv/installed-$lock"
    done
}

# What the tests talk to in place of Stripe, Amazon SNS, Twilio, Google and Amazon Cognito: localstripe, moto and
# oidc-provider-mock, each in a virtual environment of its own, oidc-provider of npm, and the descriptions Stripe and Twilio
# publish of their interfaces.
ensure_peers() {
    ensure_venv
    ensure_peer localstripe tests/peers/localstripe.lock peer_in_venv
    ensure_peer stripe-spec tests/peers/stripe-spec.lock peer_package
    ensure_peer moto tests/peers/moto.lock peer_in_venv
    ensure_debian nodejs npm
    ensure_peer twilio-spec tests/peers/twilio-spec.txt peer_twilio_spec
    ensure_peer oidc-provider-mock tests/peers/oidc-provider-mock.lock peer_in_venv
    ensure_npm tests/peers/oidc_provider
}

# The servers that the tests keep their rows in, beside SQLite's files.
ensure_postgresql() { ensure_peer postgresql tests/peers/postgresql.lock peer_package; }
ensure_mongodb() { ensure_peer mongodb tests/peers/mongodb.lock peer_in_venv; }

# ensure_peer NAME PINS HOW: makes .peers/NAME by `HOW NAME PINS`, when the pins are not as they were last time.
ensure_peer() {
    local stamp=".peers/installed-$1" sum
    sum=$(sha256sum "$2")
    if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && { [ "$3" != peer_in_venv ] || is_new_enough ".peers/$1/bin/python"; }; then
        return
    fi
    say "Installing $1 for the tests (once, and again when its pins change)."
    mkdir -p .peers
    rm -rf ".peers/$1" "$stamp"
    "$3" "$1" "$2" || die "Could not install $1; what was said is above."
    printf '%s\n' "$sum" >"$stamp"
}

peer_in_venv() {
    .venv/bin/python -m venv ".peers/$1" &&
        quietly ".peers/$1/bin/python" -m pip install --disable-pip-version-check --require-hashes --no-deps -r "$2"
}

peer_package() {
    quietly .venv/bin/python -m pip install --disable-pip-version-check --require-hashes --no-deps --target ".peers/$1" -r "$2"
}

peer_twilio_spec() {
    local unpacked files=(twilio_api_v2010.json twilio_video_v1.json)
    # As they stand in the package.
    files=("${files[@]/#/package/src/services/twilio-api/}")
    unpacked=$(mktemp -d)
    # npm runs nothing of what it packs.
    quietly npm pack --silent --pack-destination "$unpacked" "$(grep -v '^#' "$2")" &&
        tar -xzf "$unpacked"/*.tgz -C "$unpacked" "${files[@]}" &&
        mkdir -p ".peers/$1" && (cd "$unpacked" && mv "${files[@]}" "$OLDPWD/.peers/$1/")
    local outcome=$?
    rm -rf "$unpacked"
    return $outcome
}

# ensure_npm DIRECTORY [only-served]: installs exactly what the directory's lock names, when the lock is not as it was last
# time; with only-served what pages load, without what the checks need.
ensure_npm() {
    ensure_debian nodejs npm
    local stamp="$1/node_modules/.installed" all sum
    all=$(sha256sum "$1/package-lock.json")
    sum="$all${2:+ $2}"
    case "$(cat "$stamp" 2>/dev/null)" in
    "$all" | "$sum") return ;;
    esac
    say "Installing the npm packages of $1 (once, and again when its lock changes)."
    quietly npm ci --prefix "$1" --ignore-scripts ${2:+--omit=dev} || die "Could not install the npm packages of $1; what npm said is above."
    printf '%s\n' "$sum" >"$stamp"
}

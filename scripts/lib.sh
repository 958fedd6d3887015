# What all scripts share: paths, the settings of .env, messages, and the processes of an instance.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # other scripts use some of these variables
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
ME=$(id -un)

say() {
    echo "$*"
}

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Reads a file of NAME=value lines, without executing it. A variable of the environment takes precedence.
read_env_file() {
    local line name value
    while IFS= read -r line || [ -n "$line" ]; do
        [[ $line =~ ^[[:space:]]*([A-Z][A-Z0-9_]*)=(.*)$ ]] || continue
        name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
        [[ $value =~ ^\"(.*)\"[[:space:]]*$ || $value =~ ^\'(.*)\'[[:space:]]*$ ]] && value=${BASH_REMATCH[1]}
        [ -n "${!name+set}" ] || export "$name=$value"
    done <"$1"
}

# The tests set ENV_FILE=/dev/null, so that they do not depend on .env.
ENV_FILE=${ENV_FILE:-$ROOT/.env}
[ ! -r "$ENV_FILE" ] || read_env_file "$ENV_FILE"

BUILD_DIR=$(realpath -m "${BUILD_DIR:-$ROOT/build}")
STATE_LINK=$(realpath -ms "${STATE_DIR:-$ROOT/.state}") # the path as it was given, perhaps a link
STATE_DIR=$(realpath -m "$STATE_LINK")                  # the folder itself
RUN_DIR=$(realpath -m "$STATE_DIR/run")                 # sockets
TOOLS_DIR=$ROOT/.tools                                  # all instances of this checkout share it

: "${VOTE_API_PORT:=8081}" "${RESULT_API_PORT:=8082}" "${WORKER_PORT:=8083}" "${NATS_PORT:=4222}" "${WORKERS:=2}"
: "${VOTE_UI_PORT:=5000}" "${RESULT_UI_PORT:=5001}" "${UI_ADDRESS:=0.0.0.0}"

# Prints the folder for this instance's state if user postgres cannot enter STATE_LINK, for example below /root.
elsewhere() {
    echo "/var/lib/scrutin-$(printf %s "$STATE_LINK" | sha256sum | cut -c 1-12)"
}

# Takes the lock of this instance, or ends the script if another script holds it.
lock_state() {
    exec 9>"$STATE_DIR/lock"
    flock -n 9 || die "another up, down or clean is working on $STATE_DIR"
}

check_owner() {
    [ ! -d "$STATE_DIR" ] || [ "$(stat -c %U "$STATE_DIR")" = "$ME" ] ||
        die "$STATE_DIR belongs to $(stat -c %U "$STATE_DIR"): run this as that user"
}

ctl() {
    supervisorctl -c "$STATE_DIR/supervisord.conf" "$@" 9>&-
}

# supervisord looks at its programs once a second. A program that ends does not wake it in between; a connection does.
wake_supervisor() {
    curl -s -o /dev/null --max-time 1 --unix-socket "$RUN_DIR/supervisor.sock" http://localhost/none || true
}

# impatient_ctl ACTION...: ctl for an action that waits for programs; wakes supervisord until it is done.
impatient_ctl() {
    local job
    ctl "$@" &
    job=$!
    while kill -0 "$job" 2>/dev/null; do
        wake_supervisor
        sleep 0.05
    done
    wait "$job"
}

supervisor_runs() {
    [[ $(ctl pid 2>/dev/null) =~ ^[0-9]+$ ]]
}

# Prints the process ids of this instance. `up` puts a mark into the environment of every program, so this also finds
# programs whose supervisor is gone. nginx overwrites its environment; its working folder tells whose it is.
instance_pids() {
    {
        grep -lszxF "SCRUTIN_STATE_DIR=$STATE_DIR" /proc/[0-9]*/environ | cut -d / -f 3 || true
        find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -lname "$STATE_DIR/*-ui" 2>/dev/null | cut -d / -f 3 |
            while read -r pid; do
                [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != nginx ] || echo "$pid"
            done
    } | sort -u || true
}

# Waits at most $1 seconds until all processes of this instance have ended.
wait_for_end() {
    local deadline=$((SECONDS + $1))
    while [ -n "$(instance_pids)" ]; do
        [ $SECONDS -lt $deadline ] || return 1
        wake_supervisor
        sleep 0.05
    done
}

# Ends all processes of this instance: in order through its supervisor, or with signals if that fails. SIGINT makes
# PostgreSQL shut down without waiting for its clients. The other programs treat it like SIGTERM.
stop_instance() {
    local signal
    if supervisor_runs; then
        ctl shutdown
        ! wait_for_end 90 || return 0
    fi
    for signal in INT KILL; do
        # shellcheck disable=SC2046 # one word for each process
        kill "-$signal" $(instance_pids) 2>/dev/null || true
        ! wait_for_end 20 || return 0
    done
    die "these processes did not end: $(instance_pids | tr '\n' ' ')"
}

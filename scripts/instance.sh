# Makes the parts of an instance: its state folder, secrets, PostgreSQL cluster and configuration files. scripts/up uses it
# with umask 077.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
. "$ROOT/scripts/access.sh"

DATABASE=scrutin
SOCKETS=$RUN_DIR/pg # PostgreSQL listens only here
VOTE_API_URL=http${TLS_CERT_FILE:+s}://127.0.0.1:$VOTE_API_PORT
RESULT_API_URL=http${TLS_CERT_FILE:+s}://127.0.0.1:$RESULT_API_PORT
VOTE_UI_URL=http${TLS_CERT_FILE:+s}://127.0.0.1:$VOTE_UI_PORT
RESULT_UI_URL=http${TLS_CERT_FILE:+s}://127.0.0.1:$RESULT_UI_PORT

# --- the state folder

# PostgreSQL refuses to run as root. So if we are root, the cluster belongs to user postgres, otherwise to us.
as_postgres() {
    if [ "$ME" = root ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

# Makes a folder of PostgreSQL's user, which nobody else may enter except a group.
make_postgres_folder() { # make_postgres_folder FOLDER [GROUP]
    if [ "$ME" = root ]; then
        install -d -m "$([ $# = 1 ] && echo 700 || echo 710)" -o postgres -g "${2:-postgres}" "$1"
    else
        install -d -m 700 "$1"
    fi
}

make_state_folder() {
    # The users of the programs must reach their own files below the state folder, but must not list the folder.
    local mode=700 temporary
    make_users
    [ "$ME" != root ] || mode=711
    (umask 022 && mkdir -p "${STATE_LINK%/*}")
    if [ "$ME" = root ] && [ ! -e "$STATE_DIR/db" ] && ! as_postgres test -x "${STATE_LINK%/*}"; then
        [ ! -d "$STATE_LINK" ] || rmdir "$STATE_LINK" || die "user postgres cannot enter $STATE_LINK"
        STATE_DIR=$(elsewhere)
        RUN_DIR=$STATE_DIR/run SOCKETS=$STATE_DIR/run/pg
        ln -sfT "$STATE_DIR" "$STATE_LINK"
        say "user postgres cannot enter ${STATE_LINK%/*}, so the state is kept in $STATE_DIR ($STATE_LINK leads there)"
    fi
    install -d -m "$mode" "$STATE_DIR"
    install -d -m "$mode" "$STATE_DIR/etc"
    install -d -m 700 "$STATE_DIR/log" "$STATE_DIR/nats"
    if [ "$(stat -c %U "$STATE_DIR/nats")" != "$(user_of nats)" ]; then
        ! supervisor_runs || ctl stop nats # an older release ran it as root; it must stop writing
        chown -R "$(user_of nats):" "$STATE_DIR/nats"
    fi

    # The path of a socket has at most 107 bytes, and we append at most 24 to the path of the folder. If a folder below /tmp
    # was removed, another user may have made one with its name.
    if [ ! -d "$RUN_DIR" ] || [ ! -O "$RUN_DIR" ]; then
        [ ! -L "$STATE_DIR/run" ] || rm "$STATE_DIR/run"
        RUN_DIR=$STATE_DIR/run SOCKETS=$STATE_DIR/run/pg
        if [ ${#RUN_DIR} -gt 83 ]; then
            temporary=$(mktemp -d /tmp/scrutin-XXXXXX)
            ln -s "$temporary" "$STATE_DIR/run"
            RUN_DIR=$temporary SOCKETS=$temporary/pg
        fi
    fi
    install -d -m "$mode" "$RUN_DIR"
    make_postgres_folder "$SOCKETS" "$DATABASE_GROUP"
}

# keep FILE: writes its input to a file of the state folder. If the content is the same, the file keeps its time stamp.
keep() {
    rm -f "$STATE_DIR/$1.new" # a killed start may have left it, with another mode
    cat >"$STATE_DIR/$1.new"
    if cmp -s "$STATE_DIR/$1.new" "$STATE_DIR/$1"; then
        rm "$STATE_DIR/$1.new"
    else
        mv "$STATE_DIR/$1.new" "$STATE_DIR/$1"
    fi
}

# --- programs

find_postgresql() {
    local version
    if [ -e "$STATE_DIR/db/PG_VERSION" ]; then
        version=$(cat "$STATE_DIR/db/PG_VERSION")
        PG_BIN=/usr/lib/postgresql/$version/bin
        [ -x "$PG_BIN/postgres" ] || die "PostgreSQL $version made $STATE_DIR/db and is not installed:" \
            "install postgresql-$version, or remove all ballots with \`make clean\`"
    else
        PG_BIN=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1) || true
        [ -n "$PG_BIN" ] || die "PostgreSQL is not installed: run scripts/packages run"
        PG_BIN=${PG_BIN%/initdb}
    fi
    PATH=$PG_BIN:$PATH
}

find_nats() {
    NATS_BIN=${NATS_SERVER:-$TOOLS_DIR/nats-server}
    [ -x "$NATS_BIN" ] || die "there is no $NATS_BIN: run scripts/fetch-nats or set NATS_SERVER=/path/to/nats-server"
    NATS_VERSION=$("$NATS_BIN" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1) ||
        die "$NATS_BIN --version prints no version"
}

# Whether nats-server can call fsync before it acknowledges a message. Version 2.10 and later can.
nats_syncs() {
    [ "$(printf '%s\n' 2.10.0 "$NATS_VERSION" | sort -V | head -n 1)" = 2.10.0 ]
}

program_path() {
    case $1 in
    scrutin-*) echo "$BUILD_DIR/${1#scrutin-}/$1" ;;
    worker*) echo "$BUILD_DIR/worker/worker" ;;
    *) echo "$BUILD_DIR/$1/$1" ;;
    esac
}

find_services() {
    local name
    case $STATE_DIR$BUILD_DIR$NATS_BIN in
    *[\"\'\;\#%]*) die "supervisord cannot handle a path with quotes, ;, # or %" ;;
    esac
    for name in vote-api result-api worker scrutin-setup scrutin-audit; do
        [ -x "$(program_path "$name")" ] || die "there is no $(program_path "$name"): run scripts/build"
    done
    [ -e "$BUILD_DIR/pages/result-ui/index.html" ] || die "there is no $BUILD_DIR/pages: run scripts/pages"
    NGINX_BIN=$(PATH=/usr/sbin:$PATH command -v nginx) || die "nginx is not installed: run scripts/packages run"
}

# --- PostgreSQL

make_cluster() {
    [ ! -e "$STATE_DIR/db/PG_VERSION" ] || return 0
    say "making a PostgreSQL cluster"
    rm -rf "$STATE_DIR/db.new"
    make_postgres_folder "$STATE_DIR/db.new"
    as_postgres "$PG_BIN/initdb" --pgdata "$STATE_DIR/db.new" --username postgres --auth-local peer \
        --auth-host reject --encoding UTF8 --locale C.UTF-8 --data-checksums >"$STATE_DIR/log/initdb.log" 2>&1 ||
        die "initdb failed: $(tail -n 5 "$STATE_DIR/log/initdb.log")"
    mv "$STATE_DIR/db.new" "$STATE_DIR/db"
}

write_postgresql_conf() {
    # PostgreSQL's manual advises a quarter of the memory. We keep it between 128 MB and 2 GB.
    local buffers
    buffers=$(awk '/^MemTotal/ {m = int($2 / 4096); print (m < 128 ? 128 : (m > 2048 ? 2048 : m))}' /proc/meminfo)
    keep postgresql.conf <<CONF
# Written by scripts/up at every start. For settings of your own: ALTER SYSTEM.
listen_addresses = ''
unix_socket_directories = '$SOCKETS'
unix_socket_permissions = 0777 # the folder decides who reaches it, the next two files who may connect
hba_file = '$STATE_DIR/pg_hba.conf'
ident_file = '$STATE_DIR/pg_ident.conf'
shared_buffers = ${buffers}MB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_compression = lz4
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u '
log_checkpoints = off
# The detail, statement and parameters of an error may say who voted and how.
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
shared_preload_libraries = 'pg_stat_statements'
CONF
    chmod 644 "$STATE_DIR/postgresql.conf"
    write_postgresql_access
}

# --- nats-server

write_nats_conf() {
    local fsync=""
    ! nats_syncs || fsync="sync_interval: always # fsync before the acknowledgement"
    # The containers use the same file, with another path of the passwords.
    sed 's|"[^"]*/nats-passwords"|"passwords"|' "$ROOT/deploy/nats-users.conf" | give nats users.conf
    give nats nats.conf <<CONF
# Written by scripts/up at every start.
include "passwords"
include "users.conf"
host: "127.0.0.1"
port: $NATS_PORT
max_payload: 1MB
jetstream {
    store_dir: "$STATE_DIR/nats"
    # The streams have their own limits. The default is three quarters of the free disk space at the start of the server.
    # If the disk is fuller at the next start, the server refuses our stream (seen with 2.10.27).
    max_file_store: 1TB
    max_memory_store: 256MB
    $fsync
}
authorization {
    timeout: 5
    users: [\$VOTE_API, \$WORKER, \$RESULT_API, \$SETUP, \$AUDIT, {user: operator, password: \$OPERATOR_PASSWORD}]
}
CONF
}

# --- the two pages

# Writes the configuration of the nginx of one page. With a certificate, nginx and the services use TLS.
write_page_conf() { # write_page_conf PAGE PORT
    local draft file
    draft=$STATE_DIR/$1.new
    env PAGE="$1" LISTEN="$UI_ADDRESS:$2" ROOT="$(pages_path)/$1" SCHEME=http${TLS_CERT_FILE:+s} \
        VOTE_API="127.0.0.1:$VOTE_API_PORT" RESULT_API="127.0.0.1:$RESULT_API_PORT" \
        VOTE_UI_PORT="$VOTE_UI_PORT" RESULT_UI_PORT="$RESULT_UI_PORT" TEMP_DIR="$STATE_DIR/$1" SOCKET_DIR="$RUN_DIR/$1" \
        VOTE_URL="${PUBLIC_VOTE_URL-}" RESULT_URL="${PUBLIC_RESULT_URL-}" TRUSTED_PROXIES="${UI_TRUSTED_PROXIES-}" \
        PAGE_TLS_CERT_FILE="${TLS_CERT_FILE-}" PAGE_TLS_KEY_FILE="${TLS_KEY_FILE-}" NGINX_USER="$([ "$ME" != root ] || user_of "$1")" \
        "$ROOT/web/nginx/configure" "$draft"
    sed -i "s|$draft/|$STATE_DIR/$1/|" "$draft/nginx.conf" "$draft/site.conf"
    # The workers must reach the folders that nginx makes for them, and its sockets. Nobody else may connect to these
    # sockets, because nginx believes the client addresses that arrive there.
    install -d -m "$([ "$ME" = root ] && echo 711 || echo 700)" "$STATE_DIR/$1"
    install -d -m "$([ "$ME" = root ] && echo 710 || echo 700)" -g "$(id -gn "$(user_of "$1")")" "$RUN_DIR/$1"
    for file in nginx.conf network.conf site.conf routes.conf; do
        keep "$1/$file" <"$draft/$file"
    done
    rm -r "$draft"
}

check_page_conf() { # check_page_conf PAGE
    # The pipe is needed because the log is /dev/stdout, which nginx cannot open if it is a socket.
    bare "$NGINX_BIN" -t -q -e stderr -c "$STATE_DIR/$1/nginx.conf" | cat ||
        die "nginx refuses the configuration of $1. Check UI_ADDRESS, UI_TRUSTED_PROXIES, TLS_CERT_FILE and TLS_KEY_FILE. Nothing was started"
}

page() { # page NAME PRIORITY
    local conf=$STATE_DIR/$1
    settings=()
    program "$1" "$2" TERM 15 "$(quoted "$ROOT/web/nginx/start") $(quoted "$conf") $(quoted "$RUN_DIR/$1")" \
        "$NGINX_BIN" "$conf/nginx.conf" "$conf/network.conf" "$conf/site.conf" "$conf/routes.conf" -- autostart=false \
        "directory=$conf" stopasgroup=true killasgroup=true
}

# --- services

# Prints the settings of a program that are in .env or in the environment. The program's --help names all its settings.
passed_settings() {
    local name
    for name in $("$1" --help | grep -oE '\b[A-Z][A-Z0-9_]+\b' | sort -u) ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS \
        TSAN_OPTIONS; do
        case $name in
        PORT | NATS_URL | NATS_URL_FILE | DATABASE_URL* | PG* | SECRET_KEYS* | API_KEYS* | TLS_*_FILE | PATH | HOME) ;;
        *) [ -z "${!name-}" ] || printf '%s=%s\n' "$name" "${!name}" ;;
        esac
    done
}

# Sets the array `settings` to the environment of one program.
load_settings() {
    local port=$VOTE_API_PORT name line own=$STATE_DIR/etc/${1%_[0-9]*} database=(PGHOST="$SOCKETS" PGDATABASE="$DATABASE")
    settings=(NATS_URL_FILE="$own/nats-url")
    case $1 in
    vote-api)
        settings+=(SECRET_KEYS_FILE="$own/secret-keys" API_KEYS_FILE="$own/api-keys")
        ;;
    result-api)
        port=$RESULT_API_PORT
        settings+=(SECRET_KEYS_FILE="$own/secret-keys" PGUSER=scrutin_result "${database[@]}")
        ;;
    worker_*)
        port=$((WORKER_PORT + ${1#worker_}))
        settings+=(PGUSER=scrutin_worker "${database[@]}")
        ;;
    scrutin-audit)
        settings+=(SECRET_KEYS_FILE="$own/secret-keys" PGUSER=scrutin_result "${database[@]}")
        ;;
    esac
    for name in TLS_CERT_FILE TLS_KEY_FILE; do
        [ -z "${!name-}" ] || [ ! -e "$own/$name" ] || settings+=("$name=$own/$name")
    done
    settings+=(PORT="$port")
    while IFS= read -r line; do
        settings+=("$line")
    done < <(passed_settings "$(program_path "$1")")
}

# --- supervisord

# Prints a value for supervisord.conf. Its parser treats ` ;` and ` #` as comments and has no escape for a quote.
quoted() {
    case $1 in
    *[\"\'\;\#]* | *$'\n'*) die "supervisord cannot handle quotes, ;, # or line breaks: $1" ;;
    esac
    printf '"%s"' "${1//%/%%}"
}

# program NAME PRIORITY STOPSIGNAL STOPWAITSECS COMMAND FILE... -- MORE...: prints one section. The environment of the
# program contains the time stamps of the FILEs, so that `supervisorctl update` restarts a program whose binary or
# configuration is new.
program() {
    local name=$1 priority=$2 signal=$3 patience=$4 command=$5 files=() environment="" setting
    shift 5
    while [ "$1" != -- ]; do
        files+=("$1")
        shift
    done
    shift
    for setting in "${settings[@]}" SCRUTIN_FILES="$(stat -Lc %i.%Y "${files[@]}" | tr '\n' ' ')"; do
        environment+="${environment:+,}${setting%%=*}=$(quoted "${setting#*=}")"
    done
    cat <<CONF

[program:$name]
command=$command
environment=$environment
priority=$priority
autorestart=true
startsecs=1
startretries=1000000
stopsignal=$signal
stopwaitsecs=$patience
redirect_stderr=true
stdout_logfile=$STATE_DIR/log/$name.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=3
CONF
    [ $# -eq 0 ] || printf '%s\n' "$@"
}

service() { # service NAME PRIORITY
    local binary
    binary=$(run_path "$1")
    load_settings "$1"
    program "$1" "$2" TERM 15 "$(quoted "$binary")" "$binary" -- autostart=false "user=$(user_of "$1")"
}

# Only nginx starts as root, to bind any port and to read the key of the certificate. Its workers are another user. Programs
# with lower priorities start first and stop last. The services have autostart=false, because `up` migrates the database first.
write_supervisord_conf() {
    local n group="" nats
    nats=$(run_path nats)
    {
        cat <<CONF
; Written by scripts/up at every start. Programs: scripts/ctl status
[unix_http_server]
file=$RUN_DIR/supervisor.sock
chmod=0700

[supervisord]
user=$ME
umask=077
pidfile=$RUN_DIR/supervisord.pid
childlogdir=$STATE_DIR/log
logfile=$STATE_DIR/log/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://$RUN_DIR/supervisor.sock
CONF
        settings=()
        program postgres 10 INT 60 \
            "$(quoted "$PG_BIN/postgres") -D $(quoted "$STATE_DIR/db") -c $(quoted "config_file=$STATE_DIR/postgresql.conf")" \
            "$PG_BIN/postgres" "$STATE_DIR/postgresql.conf" "$STATE_DIR/pg_hba.conf" "$STATE_DIR/pg_ident.conf" \
            -- "user=$(user_of postgres)"
        program nats 20 TERM 15 "$(quoted "$nats") -c $(quoted "$STATE_DIR/etc/nats/nats.conf")" \
            "$nats" "$STATE_DIR/etc/nats"/* -- "user=$(user_of nats)"
        for ((n = 0; n < WORKERS; n++)); do
            service "worker_$n" 30
            group+="${group:+,}worker_$n"
        done
        printf '\n[group:worker]\nprograms=%s\npriority=30\n' "$group"
        service result-api 40
        service vote-api 50
        page result-ui 60
        page vote-ui 60
    } >"$STATE_DIR/draft" # not a pipe, because an error in here must end the script
    keep supervisord.conf <"$STATE_DIR/draft"
    rm "$STATE_DIR/draft"
}

# --- addresses and keys for clients: people and tests

write_client_env() {
    keep env <<CONF
STATE_DIR=$STATE_DIR
VOTE_API_URL=$VOTE_API_URL
RESULT_API_URL=$RESULT_API_URL
VOTE_UI_URL=$VOTE_UI_URL
RESULT_UI_URL=$RESULT_UI_URL
NATS_URL=$(broker_url operator)
NATS_VERSION=$NATS_VERSION
PGHOST=$SOCKETS
PGUSER=postgres
PGDATABASE=$DATABASE
API_KEY_FILE=$STATE_DIR/api-key
SECRET_KEYS_FILE=$STATE_DIR/secret-keys
CONF
}

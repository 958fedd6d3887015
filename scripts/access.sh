# Decides which user runs each program of an instance, and what the program may read. scripts/instance.sh uses it.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# If root starts an instance, each program runs as its own user. This user can read STATE_DIR/etc/PROGRAM, and can write to
# none of our files. If another user starts it, all programs run as that user.

DATABASE_GROUP=scrutin-db # may enter the folder of PostgreSQL's socket
BROKER_USERS=(vote-api worker result-api setup audit operator)

# --- users

user_of() { # user_of PROGRAM
    if [ "$ME" != root ]; then
        echo "$ME"
        return
    fi
    case $1 in
    postgres) echo postgres ;;
    nats) echo scrutin-nats ;;
    vote-api) echo scrutin-vote ;;
    worker*) echo scrutin-worker ;;
    result-api) echo scrutin-result ;;
    *-ui) echo scrutin-web ;;
    *) echo root ;; # programs that people run themselves
    esac
}

# Makes system users without a shell or a home. All instances of this machine share them, so they are never removed.
make_users() {
    local user
    [ "$ME" = root ] || return 0
    exec 7>/run/scrutin-users.lock
    flock 7
    getent group "$DATABASE_GROUP" >/dev/null || /usr/sbin/groupadd --system "$DATABASE_GROUP"
    for user in scrutin-nats scrutin-vote scrutin-worker scrutin-result scrutin-web; do
        getent passwd "$user" >/dev/null || /usr/sbin/useradd --system --user-group --no-create-home --home-dir /nonexistent \
            --shell /usr/sbin/nologin --comment Scrutin "$user"
    done
    for user in scrutin-worker scrutin-result; do
        id -nG "$user" | grep -qw "$DATABASE_GROUP" || /usr/sbin/usermod --append --groups "$DATABASE_GROUP" "$user"
    done
    exec 7>&-
}

# give PROGRAM FILE: writes its input to a file that the program can read. The folder and the file remain ours, so that a
# hijacked program cannot make us write elsewhere.
give() {
    local folder=etc/$1 group rights=u=rwX,go=
    group=$(id -gn "$(user_of "$1")")
    [ "$ME" != root ] || rights=u=rwX,g=rX,o=
    install -d -m 700 -g "$group" "$STATE_DIR/$folder"
    keep "$folder/$2"
    chgrp "$group" "$STATE_DIR/$folder/$2"
    chmod "$rights" "$STATE_DIR/$folder" "$STATE_DIR/$folder/$2"
}

# --- secrets, which are made once and which only we can read

random_hex() {
    od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'
}

broker_variable() { # broker_variable USER
    local name=${1^^}
    echo "${name//-/_}_PASSWORD"
}

broker_url() { # broker_url USER
    local password
    password=$(sed -n "s/^$(broker_variable "$1"): \"\(.*\)\"/\1/p" "$STATE_DIR/nats-passwords")
    echo "nats://$1:$password@127.0.0.1:$NATS_PORT"
}

make_secrets() {
    local user
    [ -s "$STATE_DIR/secret-keys" ] || echo "k1:$(random_hex)" | keep secret-keys
    [ -s "$STATE_DIR/api-key" ] || random_hex | keep api-key
    echo "local:$(sha256sum "$STATE_DIR/api-key" | cut -c 1-64)" | keep api-keys
    for user in "${BROKER_USERS[@]}"; do
        grep -qs "^$(broker_variable "$user"):" "$STATE_DIR/nats-passwords" ||
            echo "$(broker_variable "$user"): \"$(random_hex)\"" >>"$STATE_DIR/nats-passwords"
    done
    # You may have put some of them there, with other modes.
    chmod 600 "$STATE_DIR/secret-keys" "$STATE_DIR/api-key" "$STATE_DIR/api-keys" "$STATE_DIR/nats-passwords"
}

# Gives each program the secrets that it needs.
give_secrets() {
    local name
    for name in vote-api worker result-api; do
        broker_url "$name" | give "$name" nats-url
    done
    broker_url setup | give scrutin-setup nats-url
    broker_url audit | give scrutin-audit nats-url
    give nats passwords <"$STATE_DIR/nats-passwords"
    for name in vote-api result-api scrutin-audit; do
        give "$name" secret-keys <"$STATE_DIR/secret-keys"
    done
    give vote-api api-keys <"$STATE_DIR/api-keys"
}

# Usually only root can read the key of a certificate, so the services get copies.
give_certificate() {
    local name file
    for file in TLS_CERT_FILE TLS_KEY_FILE; do
        [ -n "${!file-}" ] || continue
        [ -r "${!file}" ] || die "$file=${!file} cannot be read. Nothing was started"
        for name in vote-api result-api; do
            give "$name" "$file" <"${!file}"
        done
    done
}

# --- the roles of the database

write_postgresql_access() {
    local role
    keep pg_hba.conf <<CONF
# Written by scripts/up at every start. The kernel tells which user connects, and pg_ident.conf which roles this user has.
local all all peer map=scrutin
CONF
    for role in postgres scrutin_worker scrutin_result; do
        echo "scrutin $ME $role"
    done >"$STATE_DIR/pg_ident.draft"
    [ "$ME" != root ] || printf 'scrutin %s %s\n' postgres postgres scrutin-worker scrutin_worker scrutin-result scrutin_result \
        >>"$STATE_DIR/pg_ident.draft"
    keep pg_ident.conf <"$STATE_DIR/pg_ident.draft"
    rm "$STATE_DIR/pg_ident.draft"
    chmod 644 "$STATE_DIR/pg_hba.conf" "$STATE_DIR/pg_ident.conf"
}

# --- copies, because other users may be unable to enter the checkout, for example below /root

# Prints the path of a program or of the pages: in the build, or if we are root the path of its copy in the state folder.
copied() { # copied PATH IN_STATE_DIR
    if [ "$ME" = root ]; then
        echo "$STATE_DIR/$2"
    else
        echo "$1"
    fi
}

built_path() { # built_path PROGRAM
    if [ "$1" = nats ]; then
        echo "$NATS_BIN"
    else
        program_path "$1"
    fi
}

run_path() { # run_path PROGRAM
    local built
    built=$(built_path "$1")
    copied "$built" "bin/${built##*/}"
}

pages_path() {
    copied "$BUILD_DIR/pages" pages
}

make_copies() {
    local program from to
    [ "$ME" = root ] || return 0
    install -d -m 755 "$STATE_DIR/bin"
    for program in nats vote-api result-api worker; do
        from=$(built_path "$program")
        to=$(run_path "$program")
        cmp -s "$from" "$to" || install -m 755 "$from" "$to"
    done
    diff -rq "$BUILD_DIR/pages" "$STATE_DIR/pages" >/dev/null 2>&1 && return
    rm -rf "$STATE_DIR/pages.new" "$STATE_DIR/pages.old"
    cp -r "$BUILD_DIR/pages" "$STATE_DIR/pages.new"
    chmod -R u=rwX,go=rX "$STATE_DIR/pages.new"
    [ ! -e "$STATE_DIR/pages" ] || mv "$STATE_DIR/pages" "$STATE_DIR/pages.old"
    mv "$STATE_DIR/pages.new" "$STATE_DIR/pages"
    rm -rf "$STATE_DIR/pages.old"
}

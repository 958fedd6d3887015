/* upsert_ceiling - the ceiling of the whole system: runs the worker's upsert, with its triggers, straight from SQL.
 * SPDX-License-Identifier: MIT
 *
 * usage: upsert_ceiling POLL_KEY CONNECTIONS ROWS SECONDS VOTERS
 *
 * Each connection sends transactions of one statement with ROWS ballots. As in the worker, they are sorted and have
 * each voter once. VOTERS 0: each ballot is of a new voter. The next statement is prepared while the server works. The
 * PG* variables name the database. Prints JSON. */
#include "base/alloc.h"
#include "base/clock.h"
#include "pg/pg_array.h"
#include "store/ballot_store_sql.h"
#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 5
#define VOTER_SIZE 16
#define CONNECTIONS_MAX 32
#define SLOT_FIRST 32 /* tally slots that no worker of a small instance holds */

#define STATEMENT_TEXT(name, sql) const char *name;
static const struct {
    BALLOT_STORE_STATEMENTS(STATEMENT_TEXT)
} statements = {
#define STATEMENT_VALUE(name, sql) sql,
    BALLOT_STORE_STATEMENTS(STATEMENT_VALUE)};

static struct {
    int poll, connections, voters;
    size_t rows;
    double seconds;
} options;

struct client {
    pthread_t thread;
    PGconn *conn;
    uint64_t random;
    int64_t next_precedence;
    uint8_t (*voters)[VOTER_SIZE];
    struct pg_array columns[2][COLUMNS]; /* of the statement that runs and of the next one */
    uint64_t ballots, statements;
};

static pthread_barrier_t start_line;

static void check(bool ok, const struct client *client)
{
    if (!ok) {
        fprintf(stderr, "upsert_ceiling: %s", PQerrorMessage(client->conn));
        exit(1);
    }
}

/* splitmix64, Steele, Lea and Flood 2014 */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static int compare_voters(const void *a, const void *b)
{
    return memcmp(a, b, VOTER_SIZE);
}

static size_t draw_voters(struct client *client)
{
    size_t n = 0;

    for (size_t i = 0; i < options.rows; i++) {
        uint64_t draw = mix(client->random++), half[2];
        if (options.voters > 0)
            draw %= (uint64_t)options.voters;
        half[0] = mix(draw);
        half[1] = mix(~draw);
        memcpy(client->voters[i], half, VOTER_SIZE);
    }
    qsort(client->voters, options.rows, VOTER_SIZE, compare_voters);
    for (size_t i = 0; i < options.rows; i++)
        if (n == 0 || compare_voters(client->voters[n - 1], client->voters[i]) != 0)
            memmove(client->voters[n++], client->voters[i], VOTER_SIZE);
    return n;
}

static void make_statement(struct client *client, struct pg_array columns[COLUMNS])
{
    static const enum pg_type types[COLUMNS] = {PG_INT4, PG_UUID, PG_INT8, PG_TIMESTAMPTZ, PG_TEXT};
    size_t n = draw_voters(client);
    int64_t now = pg_time_from_ms(clock_wall_ms());

    for (int i = 0; i < COLUMNS; i++)
        pg_array_begin(&columns[i], types[i], n);
    for (size_t i = 0; i < n; i++) {
        pg_array_add_int4(&columns[0], options.poll);
        pg_array_add_bytes(&columns[1], client->voters[i], VOTER_SIZE);
        pg_array_add_int8(&columns[2], client->next_precedence++);
        pg_array_add_int8(&columns[3], now);
        pg_array_add_bytes(&columns[4], client->voters[i][0] & 1 ? "cats" : "dogs", 4);
    }
}

static void send_statement(struct client *client, const struct pg_array columns[COLUMNS])
{
    static const int binary[COLUMNS] = {1, 1, 1, 1, 1};
    const char *values[COLUMNS];
    int lengths[COLUMNS];

    for (int i = 0; i < COLUMNS; i++) {
        values[i] = (const char *)columns[i].data;
        lengths[i] = (int)columns[i].len;
    }
    check(PQsendQueryPrepared(client->conn, "upsert", COLUMNS, values, lengths, binary, 1) == 1, client);
}

static void await_result(struct client *client)
{
    PGresult *result;

    while ((result = PQgetResult(client->conn)) != NULL) {
        check(PQresultStatus(result) == PGRES_COMMAND_OK, client);
        PQclear(result);
    }
}

static void *run_client(void *arg)
{
    struct client *client = arg;
    int64_t end;

    make_statement(client, client->columns[0]);
    pthread_barrier_wait(&start_line);
    end = clock_mono_ns() + (int64_t)(options.seconds * 1e9);
    while (clock_mono_ns() < end) {
        send_statement(client, client->columns[client->statements % 2]);
        make_statement(client, client->columns[(client->statements + 1) % 2]);
        await_result(client);
        client->statements++;
        client->ballots += options.rows;
    }
    return NULL;
}

static void open_client(struct client *client, int number)
{
    char set_slot[64];

    client->conn = PQconnectdb("");
    check(PQstatus(client->conn) == CONNECTION_OK, client);
    snprintf(set_slot, sizeof(set_slot), "SET scrutin.slot = %d", SLOT_FIRST + number);
    PQclear(PQexec(client->conn, set_slot));
    PQclear(PQprepare(client->conn, "upsert", statements.upsert, 0, NULL));
    client->random = mix((uint64_t)clock_mono_ns() + (uint64_t)number);
    client->next_precedence = clock_wall_ms() << 20; /* later runs win */
    client->voters = alloc_items(options.rows, VOTER_SIZE);
}

int main(int argc, char **argv)
{
    static struct client clients[CONNECTIONS_MAX];
    uint64_t ballots = 0, sent = 0;
    int64_t start;
    double seconds;

    if (argc == 6) {
        options.poll = atoi(argv[1]);
        options.connections = atoi(argv[2]);
        options.rows = strtoul(argv[3], NULL, 10);
        options.seconds = strtod(argv[4], NULL);
        options.voters = atoi(argv[5]);
    }
    if (options.connections < 1 || options.connections > CONNECTIONS_MAX || options.rows == 0 || options.seconds <= 0) {
        fputs("usage: upsert_ceiling POLL_KEY CONNECTIONS ROWS SECONDS VOTERS\n", stderr);
        return 2;
    }
    if (pthread_barrier_init(&start_line, NULL, (unsigned)options.connections + 1) != 0)
        abort();
    for (int i = 0; i < options.connections; i++) {
        open_client(&clients[i], i);
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0)
            abort();
    }
    pthread_barrier_wait(&start_line);
    start = clock_mono_ns();
    for (int i = 0; i < options.connections; i++) {
        pthread_join(clients[i].thread, NULL);
        PQfinish(clients[i].conn);
        ballots += clients[i].ballots;
        sent += clients[i].statements;
    }
    seconds = (double)(clock_mono_ns() - start) / 1e9;
    printf("{\"ballots\":%llu,\"statements\":%llu,\"seconds\":%.6f,\"rate\":%.1f}\n", (unsigned long long)ballots,
           (unsigned long long)sent, seconds, (double)ballots / seconds);
    return 0;
}

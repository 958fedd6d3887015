/* scrutin-audit - checks that the database has every ballot of the stream exactly once, and that its numbers add up.
 * SPDX-License-Identifier: MIT */
#include "audit.h"
#include "base/clock.h"
#include "base/config_rows.h"
#include "base/service.h"
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#define CONNECT_MS 3000

enum { EXIT_WELL, EXIT_DISCREPANCIES, EXIT_UNCHECKED };

struct audit_settings {
    char *nats_url, *database_url, *secret_keys;
    int log_level;
    int64_t settle_s;
};

static struct audit_settings settings;
static const char *as_json, *only_poll, *receipts_file;
static struct keyring *keyring;

#define AT(field) offsetof(struct audit_settings, field)

static const struct config_entry table[] = {
    CONFIG_SECTION("Other parts and secrets"),
    CONFIG_NATS_URL,
    CONFIG_DATABASE_URL,
    {"SECRET_KEYS", CONFIG_SECRET, AT(secret_keys), "", 0, 0,
     "Keys of the instance, as vote-api has them. They open receipts; only --receipts needs them."},

    CONFIG_SECTION("Operation"),
    CONFIG_LOG_LEVEL("warn"),
    {"SETTLE_S", CONFIG_NUMBER, AT(settle_s), "15", 0, 3600,
     "Time in seconds after which the audit reports a gap in the stored batches as missing. Workers look for gaps "
     "every 2 s."},
};

static const struct service_option options[] = {
    {.name = "json", .sentence = "print the report as one JSON object", .value = &as_json},
    {.name = "poll",
     .argument = "ID",
     .sentence = "check the ballots, tally and ledger of this poll only",
     .value = &only_poll},
    {.name = "receipts",
     .argument = "FILE",
     .sentence = "also look up the receipts in FILE, one per line; - is standard input",
     .value = &receipts_file},
};

static enum status check_settings(struct errmsg *err)
{
    if (settings.secret_keys[0] == '\0')
        return receipts_file == NULL
                   ? ST_OK
                   : fail(err, ST_CONFIG, "SECRET_KEYS is missing: --receipts needs it to open receipts");
    enum status st = keyring_parse(settings.secret_keys, &keyring, err);
    return st == ST_OK ? st : fail_within(err, st, "SECRET_KEYS");
}

/* Ends the process after an audit that could not be completed. */
_Noreturn static void give_up(enum status st, const char *where, const struct errmsg *err)
{
    fprintf(stderr, "scrutin-audit: could not check: %s: %s\n", where, err->text);
    if (as_json != NULL) {
        json_t *all = json_pack("{s:n, s:s, s:s, s:s}", "ok", "could_not_check", where, "status", status_text(st),
                                "detail", err->text);
        if (all != NULL) /* NULL: the detail is not UTF-8; it is on standard error */
            json_dumpf(all, stdout, JSON_INDENT(2));
        printf("\n");
        fflush(stdout);
    }
    _Exit(EXIT_UNCHECKED); /* threads of the NATS library still run */
}

static const char *failed_part(enum status st)
{
    switch (st) {
    case ST_DB_DOWN:
    case ST_DB_RETRY:
    case ST_DB_SCHEMA:
    case ST_DB_DATA:
        return "database";
    case ST_BUS_DOWN:
    case ST_BUS_TIMEOUT:
    case ST_BUS_REFUSED:
    case ST_BUS_FULL:
        return "broker";
    case ST_EPOCH:
    case ST_CONFLICT:
        return "stream";
    case ST_NOT_FOUND:
        return only_poll != NULL ? "poll" : "stream";
    default:
        return "receipts";
    }
}

static struct bus *connect_bus(void)
{
    const struct timespec pause = {0, 20 * 1000000};
    int64_t until = clock_mono_ms() + CONNECT_MS;
    struct errmsg err;
    struct bus *bus;

    bus_set_failure_code(EXIT_UNCHECKED);
    enum status st = bus_open(settings.nats_url, "scrutin-audit", &bus, &err);
    while (st == ST_OK && !bus_is_connected(bus) && clock_mono_ms() < until)
        nanosleep(&pause, NULL);
    if (st == ST_OK && !bus_is_connected(bus))
        st = fail(&err, ST_BUS_DOWN, "no answer at NATS_URL within %d s", CONNECT_MS / 1000);
    if (st != ST_OK)
        give_up(st, "broker", &err);
    return bus;
}

static FILE *open_receipts(void)
{
    struct errmsg err;

    if (receipts_file == NULL)
        return NULL;
    FILE *file = strcmp(receipts_file, "-") == 0 ? stdin : fopen(receipts_file, "re");
    if (file == NULL) {
        enum status st = fail(&err, ST_IO, "%.300s: %s", receipts_file, strerror(errno));
        give_up(st, "receipts", &err);
    }
    return file;
}

int main(int argc, char **argv)
{
    const struct service service = {.name = "scrutin-audit",
                                    .sentence = "says whether the database has every ballot of the stream, each once, "
                                                "and whether tallies and ledgers add up.\n"
                                                "Exit code: 0 all is well, 1 discrepancies, 2 could not check.",
                                    .entries = table,
                                    .n_entries = sizeof(table) / sizeof(table[0]),
                                    .config = &settings,
                                    .log_level = &settings.log_level,
                                    .check = check_settings,
                                    .is_command = true,
                                    .options = options,
                                    .n_options = sizeof(options) / sizeof(options[0])};
    struct audit_options audit = {.poll = NULL};
    struct errmsg err;

    service_start(&service, argc, argv);
    audit.receipts = open_receipts();
    audit.keyring = keyring;
    audit.poll = only_poll;
    audit.settle_ms = settings.settle_s * 1000;
    audit.bus = connect_bus();
    enum status st = audit_db_open(&audit.db, settings.database_url, &err);
    if (st != ST_OK)
        give_up(st, "database", &err);
    struct audit_report *report = audit_report_new();
    st = audit_run(&audit, report, &err);
    if (st != ST_OK)
        give_up(st, failed_part(st), &err);
    (as_json != NULL ? audit_report_print_json : audit_report_print)(report, stdout);
    bool is_well = audit_report_total(report) == 0;
    audit_report_free(report);
    audit_db_close(audit.db);
    bus_close(audit.bus);
    keyring_free(keyring);
    if (fflush(stdout) != 0 || ferror(stdout))
        return EXIT_UNCHECKED;
    return is_well ? EXIT_WELL : EXIT_DISCREPANCIES;
}

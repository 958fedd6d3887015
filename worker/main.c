/* worker - takes batches from the stream and writes them to PostgreSQL, exactly once each.
 * SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "http/http.h"
#include "http/http_service.h"
#include "intake/intake.h"
#include "settings.h"
#include "store/code_store.h"
#include "store/poll_copy.h"
#include <pthread.h>

struct parts {
    struct http_server *server;
    struct bus *bus;
    struct bucket_copy *polls, *codes;
    struct intake *intake;
    pthread_t thread;
};

static void on_stop(void *arg)
{
    struct parts *parts = arg;

    intake_stop(parts->intake);
}

static void *run_intake(void *arg)
{
    struct parts *parts = arg;
    struct errmsg err;
    enum status st = intake_run(parts->intake, &err);

    if (st != ST_OK)
        service_die(st, &err, "take ballots");
    http_drain(parts->server, 500);
    return NULL;
}

static void open_parts(struct parts *parts)
{
    struct errmsg err;
    enum status st = bus_open(settings.nats_url, "worker", &parts->bus, &err);

    if (st != ST_OK)
        service_die(st, &err, "connect to the broker");
    st = bucket_copy_open(parts->bus, &poll_copy_kind, &parts->polls, &err);
    if (st != ST_OK)
        service_die(st, &err, "watch the polls");
    st = bucket_copy_open(parts->bus, &code_store_kind, &parts->codes, &err);
    if (st != ST_OK)
        service_die(st, &err, "watch the voting codes");
    const struct intake_options options = {.bus = parts->bus,
                                           .database_url = settings.database_url,
                                           .polls = parts->polls,
                                           .codes = parts->codes,
                                           .poll_unused_ms = settings.poll_unused_s * 1000,
                                           .poll_forget_ms = settings.poll_forget_s * 1000,
                                           .transaction_ballots = (size_t)settings.transaction_ballots,
                                           .stall_ms = settings.stall_s * 1000};
    parts->intake = intake_new(&options);
}

int main(int argc, char **argv)
{
    static const struct service_option service_options[] = {HTTP_SERVICE_OPTIONS};
    const struct http_service http_service = {.settings = &settings.http};
    const struct service service = {.name = "worker",
                                    .sentence = "writes the stream's ballots to PostgreSQL",
                                    .entries = settings_table,
                                    .n_entries = settings_table_len,
                                    .config = &settings,
                                    .options = service_options,
                                    .n_options = sizeof(service_options) / sizeof(service_options[0]),
                                    .log_level = &settings.log_level,
                                    .http = &http_service};
    static struct parts parts;
    struct errmsg err;

    service_start(&service, argc, argv);
    open_parts(&parts);
    const struct http_check checks[] = {
        {"nats", bus_is_ready, &parts.bus},
        {"database", intake_is_database_ready, parts.intake},
        {"consumer", intake_is_consumer_ready, parts.intake},
    };
    struct http_options options = http_options_of(&settings.http);
    options.loops = 1;
    options.max_connections = 100;
    options.max_in_flight = 1;
    options.checks = checks;
    options.n_checks = sizeof(checks) / sizeof(checks[0]);
    enum status st = http_open(&options, &parts.server, &err);
    if (st != ST_OK)
        service_die(st, &err, "listen");
    service_on_stop(on_stop, &parts);
    if (pthread_create(&parts.thread, NULL, run_intake, &parts) != 0)
        service_die(fail(&err, ST_IO, "cannot start a thread"), &err, "start");
    log_info("started", LOG_S("address", settings.http.bind_address), LOG_I("port", settings.http.port));
    http_run(parts.server);
    pthread_join(parts.thread, NULL);
    bus_close(parts.bus);
    log_info("stopped");
    return 0;
}

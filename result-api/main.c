/* result-api - serves results as JSON, server-sent events and CSV, and says what became of a ballot.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/log.h"
#include "bus/bus.h"
#include "export/ballot_files.h"
#include "export/timelines.h"
#include "exports.h"
#include "http/http_service.h"
#include "live/feed.h"
#include "read/backlog_reader.h"
#include "read/refresher.h"
#include "receipts.h"
#include "result_api.h"
#include "results.h"
#include "settings.h"
#include <malloc.h>
#include <stdio.h>

/* One address may have all waiting requests but a quarter. A hall of 3,000 people who look at once fits into the rest
 * of MAX_WAITING. */
#define WAITING_RESERVE 4

static struct result_api api;

/* For each address. */
static struct http_limit limit_reads = {.name = "reads", .of = "One address"};
static struct http_limit *const limits[] = {&limit_reads};

static const struct http_route routes[] = {
    {"GET", "/v1/polls/{poll}/results", results_answer_json, 0, &limit_reads},
    {"GET", "/v1/polls/{poll}/results/stream", results_answer_stream, 0, &limit_reads},
    {"GET", "/v1/polls/{poll}/results.json", results_answer_json_file, 0, &limit_reads},
    {"GET", "/v1/polls/{poll}/results.csv", results_answer_csv, 0, &limit_reads},
    {"GET", "/v1/polls/{poll}/timeline", exports_answer_timeline_json, 0, &limit_reads},
    {"GET", "/v1/polls/{poll}/timeline.csv", exports_answer_timeline_csv, 0, &limit_reads},
    {"GET", "/v1/polls/{poll}/ballots.csv", exports_answer_ballots, 0, &limit_reads},
    {"GET", "/v1/receipts", receipts_answer_header, 0, &limit_reads},
    {"GET", "/v1/receipts/{receipt}", receipts_answer_path, 0, &limit_reads},
};

/* --- messages from the bus */

static void on_poll_change(const char *poll)
{
    refresh_queue_mark(api.queue, poll, REFRESH_NOW);
}

static void on_doorbell_poll(void *arg, const char *poll)
{
    refresh_queue_mark(api.queue, poll, REFRESH_NOW);
}

static void on_doorbell(void *arg, const void *data, size_t len)
{
    struct errmsg err;

    if (wire_decode_tally_changed(data, len, on_doorbell_poll, NULL, &err) != ST_OK)
        log_warn("doorbell not readable", LOG_S("error", err.text));
}

/* --- readiness */

static bool is_stream_ready(void *arg, char detail[128])
{
    bool following = backlog_reader_is_following(api.backlog_reader);

    if (!following)
        snprintf(detail, 128, "the stream of ballots is not being read");
    return following;
}

static bool is_database_ready(void *arg, char detail[128])
{
    return refresher_is_ready(api.refresher, detail);
}

static const struct http_check checks[] = {
    {"nats", bus_is_ready, &api.bus},
    {"polls", poll_watch_is_ready, &api.watch},
    {"stream", is_stream_ready, NULL},
    {"database", is_database_ready, NULL},
};

/* --- wiring */

static void on_loop_start(struct http_loop *loop, void *service)
{
    feed_open(api.feeds, loop);
}

static void on_turn_end(struct http_loop *loop, void *service)
{
    feed_turn_end(loop);
}

static void on_loop_drain(struct http_loop *loop, void *service)
{
    feed_drain(loop);
}

/* Gives the memory of subscribers who left back to the system. */
static void on_loop_idle(struct http_loop *loop, void *service)
{
    malloc_trim(0);
}

static void on_loop_stop(struct http_loop *loop, void *service)
{
    feed_close(loop);
}

static void on_stop(void *server)
{
    http_drain(server, (int)settings.http.drain_ms);
}

static void on_snapshot(void *arg, const char *id, struct snapshot *snapshot)
{
    feeds_publish(api.feeds, id, snapshot);
}

/* Makes the keys and lists, which live as long as the process. */
static enum status check_settings(struct errmsg *err)
{
    enum status st = keyring_parse(settings.secret_keys, &api.keyring, err);

    if (st != ST_OK)
        return fail_within(err, st, "SECRET_KEYS");
    st = http_proxies_parse(settings.http.trusted_proxies, &api.trusted_proxies, err);
    if (st != ST_OK)
        return st;
    st = http_limit_open(&limit_reads, settings.limit_reads, settings.http.rate_limits, RATE_BUCKETS_ADDRESSES, err);
    return st == ST_OK ? ST_OK : fail_within(err, st, "LIMIT_READS");
}

static void open_state(void)
{
    api.waiting = share_new((unsigned)(settings.max_waiting - settings.max_waiting / WAITING_RESERVE));
    const struct feed_options feed_options = {.heartbeat_ms = settings.heartbeat_ms,
                                              .deadline_ms = settings.deadline_ms,
                                              .retry_ms = settings.retry_ms,
                                              .max_subscribers = settings.max_subscribers,
                                              .max_subscribers_per_address = settings.max_subscribers_per_address,
                                              .max_waiting = settings.max_waiting,
                                              .wait_ms = settings.wait_ms,
                                              .waiting = api.waiting};

    api.watch = (struct poll_watch){.on_change = on_poll_change, .polls = directory_new()};
    api.queue = refresh_queue_new((size_t)settings.max_waiting);
    api.feeds = feeds_new(&feed_options, api.queue);
}

static void open_threads(void)
{
    struct errmsg err;
    enum status st;

    if ((st = bus_open(settings.nats_url, "result-api", &api.bus, &err)) != ST_OK)
        service_die(st, &err, "connect to the broker");
    if ((st = backlog_reader_open(api.bus, api.queue, (size_t)settings.backlog_messages, &api.backlog_reader, &err)) !=
        ST_OK)
        service_die(st, &err, "start the reader of the stream");
    const struct refresher_options options = {.database_url = settings.database_url,
                                              .refresh_ms = settings.refresh_ms,
                                              .look_ms = settings.look_ms,
                                              .queue = api.queue,
                                              .directory = api.watch.polls,
                                              .backlog_reader = api.backlog_reader,
                                              .publish = on_snapshot};
    if ((st = refresher_open(&options, &api.refresher, &err)) != ST_OK)
        service_die(st, &err, "start the refresher");
    if ((st = timelines_open(settings.database_url, &api.timelines, &err)) != ST_OK)
        service_die(st, &err, "start the reader of timelines");
    const struct ballot_files_options files = {.database_url = settings.database_url,
                                               .max = settings.max_exports,
                                               .deadline_ms = settings.deadline_ms,
                                               .patience_ms = settings.export_patience_ms};
    if ((st = ballot_files_open(&files, &api.ballot_files, &err)) != ST_OK)
        service_die(st, &err, "start the reader of ballots");
    if ((st = bus_listen(api.bus, BUS_SUBJECT_TALLY, on_doorbell, NULL, &err)) != ST_OK)
        service_die(st, &err, "listen to the doorbell");
    const struct bus_watch watch = {poll_watch_on_value, poll_watch_on_synced, &api.watch};
    if ((st = bus_watch_bucket(api.bus, BUS_BUCKET_POLLS, &watch, &err)) != ST_OK)
        service_die(st, &err, "watch the polls");
}

int main(int argc, char **argv)
{
    static const struct service_option service_options[] = {HTTP_SERVICE_OPTIONS};
    const struct http_service http_service = {&settings.http, routes, sizeof(routes) / sizeof(routes[0])};
    const struct service service = {.name = "result-api",
                                    .sentence = "serves results: JSON, server-sent events, CSV, receipts",
                                    .entries = settings_table,
                                    .n_entries = settings_table_len,
                                    .config = &settings,
                                    .check = check_settings,
                                    .options = service_options,
                                    .n_options = sizeof(service_options) / sizeof(service_options[0]),
                                    .log_level = &settings.log_level,
                                    .http = &http_service};
    struct http_server *server = NULL;
    struct errmsg err;

    service_start(&service, argc, argv);
    open_state();
    struct http_options options = http_options_of(&settings.http);
    options.max_in_flight = (int)settings.max_waiting;
    options.routes = routes;
    options.n_routes = sizeof(routes) / sizeof(routes[0]);
    options.checks = checks;
    options.n_checks = sizeof(checks) / sizeof(checks[0]);
    options.limits = limits;
    options.n_limits = sizeof(limits) / sizeof(limits[0]);
    options.trusted_proxies = api.trusted_proxies;
    options.service = &api;
    options.on_loop_start = on_loop_start;
    options.on_loop_stop = on_loop_stop;
    options.on_loop_drain = on_loop_drain;
    options.on_loop_idle = on_loop_idle;
    options.on_turn_end = on_turn_end;
    enum status st = http_open(&options, &server, &err);
    if (st != ST_OK)
        service_die(st, &err, "listen");
    open_threads();
    service_on_stop(on_stop, server);
    log_info("started", LOG_S("address", settings.http.bind_address), LOG_I("port", settings.http.port));
    http_run(server);
    ballot_files_close(api.ballot_files);
    timelines_close(api.timelines);
    refresher_close(api.refresher);
    backlog_reader_close(api.backlog_reader);
    bus_close(api.bus);
    http_close(server);
    log_info("stopped");
    return 0;
}

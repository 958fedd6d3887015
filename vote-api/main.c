/* vote-api - accepts ballots over HTTP, answers when they are durable, and manages polls.
 * SPDX-License-Identifier: MIT */
#include "ballots/ballots.h"
#include "ballots/classic.h"
#include "ballots/group.h"
#include "ballots/publisher.h"
#include "ballots/voter.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/metrics.h"
#include "codes/code_voter.h"
#include "codes/code_watch.h"
#include "codes/codes.h"
#include "description.h"
#include "http/http_service.h"
#include "jobs.h"
#include "make_api_key.h"
#include "polls/closer.h"
#include "polls/default_poll.h"
#include "polls/polls.h"
#include "request_limits.h"
#include "settings.h"
#include "vote_api.h"
#ifdef HAVE_MIMALLOC
#include <mimalloc.h>
#endif

static struct vote_api api;
static struct code_watch codes;
static struct publisher *publisher;
static struct address_list *trusted_proxies;

static const struct http_route routes[] = {
    {"PUT", "/v1/polls/{poll}/ballot", ballots_handle_put, BALLOT_BODY_MAX, NULL},
    {"POST", "/v1/polls/{poll}/ballots", ballots_handle_bulk, BULK_BODY_MAX, NULL},
    {"POST", "/v1/polls/{poll}/codes", codes_handle_create, CODES_BODY_MAX, &limit_changes},
    {"GET", "/v1/polls/{poll}/codes", codes_handle_count, 0, &limit_reads},
    {"POST", "/", classic_handle_post, BALLOT_BODY_MAX, NULL},
    {"POST", "/v1/voters", voter_handle_create, BALLOT_BODY_MAX, &limit_voter_tokens},
    {"DELETE", "/v1/voters/me", voter_handle_forget, 0, &limit_voter_tokens},
    {"GET", "/v1/polls", polls_handle_list, 0, &limit_reads},
    {"POST", "/v1/polls", polls_handle_create, POLL_BODY_MAX, NULL},
    {"GET", "/v1/polls/{poll}", polls_handle_get, 0, &limit_reads},
    {"PATCH", "/v1/polls/{poll}", polls_handle_patch, POLL_BODY_MAX, &limit_changes},
    {"DELETE", "/v1/polls/{poll}", polls_handle_delete, 0, &limit_changes},
    {"GET", "/openapi.json", description_handle_file, 0, &limit_reads},
    {"GET", "/docs", description_handle_file, 0, &limit_reads},
    {"GET", "/docs/style.css", description_handle_file, 0, &limit_reads},
    {"GET", "/problems/{problem}", description_handle_problem, 0, &limit_reads},
};

/* --- watching the buckets */

static void on_poll_change(const char *id)
{
    code_watch_on_poll_change(&codes, id);
}

static void on_polls_synced(size_t bucket_size)
{
    default_poll_ensure(&api, bucket_size);
}

/* --- metrics and readiness */

static double count_polls(void *polls)
{
    return (double)directory_count(polls);
}

static double count_codes(void *book)
{
    return (double)code_book_total(book);
}

static const struct http_check checks[] = {
    {"nats", bus_is_ready, &api.bus},
    {"polls", poll_watch_is_ready, &api.watch},
    {"codes", code_watch_is_ready, &codes},
};

/* --- configuration */

static const struct service_option service_options[] = {
    HTTP_SERVICE_OPTIONS,
    {.name = "make-api-key",
     .argument = "NAME",
     .sentence = "print a new API key for the gateway NAME, print its entry for API_KEYS, and end",
     .run = make_api_key},
};

/* Reads the settings that are more than a number or a text. What it makes lives as long as the process. */
static enum status check_settings(struct errmsg *err)
{
    enum status st = keyring_parse(settings.secret_keys, &api.keyring, err);

    if (st != ST_OK)
        return fail_within(err, st, "SECRET_KEYS");
    st = api_keys_parse(settings.api_keys, &api.api_keys, err);
    if (st != ST_OK)
        return fail_within(err, st, "API_KEYS");
    st = default_poll_check_settings(err);
    if (st == ST_OK)
        st = http_proxies_parse(settings.http.trusted_proxies, &trusted_proxies, err);
    return st == ST_OK ? limits_open(err) : st;
}

/* --- event loops */

static void on_loop_start(struct http_loop *loop, void *service)
{
    const struct group_limits limits = {.batch_ballots = (size_t)settings.batch_ballots,
                                        .batches_in_flight = (unsigned)settings.batches_in_flight,
                                        .ack_timeout_ms = settings.ack_timeout_ms};
    struct vote_loop *vote_loop = alloc_bytes(sizeof(*vote_loop));

    *vote_loop = (struct vote_loop){.group = group_new(loop, publisher, &limits)};
    http_loop_set_data(loop, vote_loop);
}

static void on_turn_end(struct http_loop *loop, void *service)
{
    const struct vote_loop *vote_loop = http_loop_data(loop);

    group_turn_end(vote_loop->group);
}

/* Gives memory that a burst of requests needed back to the system. */
static void on_loop_idle(struct http_loop *loop, void *service)
{
#ifdef HAVE_MIMALLOC
    mi_collect(true);
#endif
}

/* --- start and end */

static void on_stop(void *server)
{
    http_drain(server, (int)settings.http.drain_ms);
}

static void open_parts(void)
{
    struct errmsg err;
    enum status st;

    api.watch = (struct poll_watch){
        .on_change = on_poll_change, .on_synced = on_polls_synced, .polls = directory_new()};
    if ((st = bus_open(settings.nats_url, "vote-api", &api.bus, &err)) != ST_OK)
        service_die(st, &err, "connect to the broker");
    if ((st = publisher_open(api.bus, &publisher, &err)) != ST_OK)
        service_die(st, &err, "start the publisher");
    if ((st = jobs_open(&api.jobs, &err)) != ST_OK)
        service_die(st, &err, "start the jobs");
    const struct bus_watch watch = {poll_watch_on_value, poll_watch_on_synced, &api.watch};
    if ((st = bus_watch_bucket(api.bus, BUS_BUCKET_POLLS, &watch, &err)) != ST_OK)
        service_die(st, &err, "watch the polls");
    codes.bus = api.bus;
    codes.polls = api.watch.polls;
    if ((st = code_watch_start(&codes, &err)) != ST_OK)
        service_die(st, &err, "watch the voting codes");
    if ((st = closer_start(&api, settings.ack_timeout_ms, &err)) != ST_OK)
        service_die(st, &err, "start the closer");
}

int main(int argc, char **argv)
{
    const struct http_service http_service = {&settings.http, routes, sizeof(routes) / sizeof(routes[0])};
    const struct service service = {.name = "vote-api",
                                    .sentence = "takes ballots over HTTP and manages polls",
                                    .entries = settings_table,
                                    .n_entries = settings_table_len,
                                    .config = &settings,
                                    .options = service_options,
                                    .n_options = sizeof(service_options) / sizeof(service_options[0]),
                                    .check = check_settings,
                                    .log_level = &settings.log_level,
                                    .http = &http_service};
    struct http_server *server = NULL;
    struct errmsg err;

    service_start(&service, argc, argv);
    struct http_options options = http_options_of(&settings.http);
    options.max_body = BULK_BODY_MAX;
    options.max_in_flight = (int)settings.max_in_flight;
    options.routes = routes;
    options.n_routes = sizeof(routes) / sizeof(routes[0]);
    options.checks = checks;
    options.n_checks = sizeof(checks) / sizeof(checks[0]);
    options.limits = limits_all;
    options.n_limits = limits_count;
    options.trusted_proxies = trusted_proxies;
    options.service = &api;
    options.on_loop_start = on_loop_start;
    options.on_loop_idle = on_loop_idle;
    options.on_turn_end = on_turn_end;
    enum status st = http_open(&options, &server, &err);
    if (st != ST_OK)
        service_die(st, &err, "listen");
    group_metrics_init();
    code_voter_metrics_init();
    codes.book = code_book_new();
    api.codes = &codes;
    metric_gauge_from("voting_codes", "", "Voting codes of all polls.", count_codes, codes.book);
    open_parts();
    metric_gauge_from("polls", "", "Polls that count for POLLS_MAX.", count_polls, api.watch.polls);
    service_on_stop(on_stop, server);
    log_info("started", LOG_S("address", settings.http.bind_address), LOG_I("port", settings.http.port));
    http_run(server);
    log_info("stopped");
    return 0;
}

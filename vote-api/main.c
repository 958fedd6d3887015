/* vote-api - takes ballots over HTTP, answers when they are durable, and manages polls.
 * SPDX-License-Identifier: MIT */
#include "ballot/ordinal.h"
#include "ballots/ballots.h"
#include "ballots/classic.h"
#include "ballots/group.h"
#include "ballots/publisher.h"
#include "ballots/voter.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/utf8.h"
#include "codes/code_voter.h"
#include "codes/code_watch.h"
#include "codes/codes.h"
#include "description.h"
#include "http/http_service.h"
#include "jobs.h"
#include "polls/closer.h"
#include "polls/polls.h"
#include "polls/text_rules.h"
#include "request_limits.h"
#include "settings.h"
#include "vote_api.h"
#ifdef HAVE_MIMALLOC
#include <mimalloc.h>
#endif
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct vote_api api;
static struct code_watch codes;

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

/* A copy costs more than a shared reference saves when it serves one request. So of more polls than a loop keeps only
 * one in so many that are missing takes another's place. */
#define MISSES_A_COPY 64

static void keep_poll(struct vote_loop *loop, const struct poll *poll)
{
    size_t at = loop->n_polls;

    if (at < VOTE_LOOP_POLLS)
        loop->n_polls++;
    else if (++loop->misses % MISSES_A_COPY == 0)
        at = loop->misses / MISSES_A_COPY % VOTE_LOOP_POLLS;
    else
        return;
    poll_release(loop->polls[at]);
    loop->polls[at] = poll_copy(poll);
}

static void forget_polls(struct vote_loop *loop)
{
    for (; loop->n_polls > 0; loop->polls[loop->n_polls] = NULL)
        poll_release(loop->polls[--loop->n_polls]);
}

/* A hall votes in one poll, a few halls in a few: most of the time it is one that was asked for lately. */
static struct poll *find_poll(const struct vote_api *service, struct vote_loop *loop, h2o_iovec_t id)
{
    uint64_t version = directory_version(service->watch.polls);

    if (loop->polls_version != version)
        forget_polls(loop);
    loop->polls_version = version;
    for (size_t i = 0; i < loop->n_polls; i++)
        if (h2o_memis(id.base, id.len, loop->polls[i]->id, strlen(loop->polls[i]->id)))
            return poll_retain(loop->polls[i]);
    struct poll *poll = directory_find(service->watch.polls, id.base, id.len);
    if (poll != NULL)
        keep_poll(loop, poll);
    return poll;
}

struct poll *vote_api_find_poll(struct http_call *call, h2o_iovec_t id)
{
    const struct vote_api *service = call->service;
    struct poll *poll = find_poll(service, http_loop_data(call->loop), id);

    if (poll != NULL && !poll->deleted)
        return poll;
    poll_release(poll);
    if (atomic_load(&service->watch.is_known))
        http_problem(call, PROBLEM_POLL_NOT_FOUND, NULL, "Check the poll's code; GET /v1/polls lists the open ones.");
    else
        http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The polls are still being read; try again in a second.");
    return NULL;
}

void vote_api_refuse_unreadable(struct http_call *call, const char *what, const char *poll, const char *reason)
{
    log_error("not stored: it could not be read back", LOG_S("what", what), LOG_S("poll", poll),
              LOG_S("error", reason));
    http_problem(call, PROBLEM_INTERNAL, NULL,
                 "Nothing was stored, because this server could not have read it back. Tell the operator.");
}

void vote_api_refuse_key(struct http_call *call)
{
    http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The key of this poll is not configured here.");
}

/* --- the directory */

static struct poll *make_default_poll(void)
{
    struct poll *poll = poll_new();

    snprintf(poll->id, sizeof(poll->id), "%s", settings.default_poll);
    snprintf(poll->key_id, sizeof(poll->key_id), "%s", keyring_newest(api.ring));
    poll->title = h2o_mem_alloc(strlen(settings.option_a) + strlen(settings.option_b) + 8);
    sprintf(poll->title, "%s vs %s?", settings.option_a, settings.option_b);
    poll->description = strdup("");
    poll->revisable = true;
    poll->min_choices = poll->max_choices = 1;
    poll->created_at_ms = poll->updated_at_ms = clock_wall_ms();
    poll->n_options = 2;
    poll->options = calloc(2, sizeof(*poll->options));
    strcpy(poll->options[0].id, "a");
    poll->options[0].label = strdup(settings.option_a);
    strcpy(poll->options[1].id, "b");
    poll->options[1].label = strdup(settings.option_b);
    return poll;
}

/* A default poll that is there stays as it is. An empty bucket may have been wiped: a worker then fills it from the
 * database, and gets the time to be first. */
static void ensure_default_poll(size_t bucket_size)
{
    const struct timespec first_say = {2, 0};
    const char *id = settings.default_poll;
    struct poll *poll = directory_find(api.watch.polls, id, strlen(id));
    struct errmsg err;

    if (poll == NULL && id[0] != '\0') {
        if (bucket_size == 0)
            nanosleep(&first_say, NULL);
        poll = make_default_poll();
        enum status st = polls_store(&api, poll, 0, &err);
        if (st == ST_OK)
            log_info("default poll made", LOG_S("poll", id));
        else if (st != ST_CONFLICT)
            log_warn("default poll not made", LOG_S("error", err.text));
    }
    poll_release(poll);
}

static void on_poll_change(const char *id)
{
    struct poll *poll = directory_find(api.watch.polls, id, strlen(id));

    if (poll != NULL && poll->deleted)
        code_book_drop(codes.book, id);
    poll_release(poll);
}

static double read_polls(void *polls)
{
    return (double)directory_count(polls);
}

static double read_codes(void *book)
{
    return (double)code_book_total(book);
}

/* --- readiness */

static const struct http_check checks[] = {
    {"nats", bus_is_ready, &api.bus},
    {"polls", poll_watch_is_ready, &api.watch},
    {"codes", code_watch_is_ready, &codes},
};

/* --- API keys */

static int make_api_key(const struct service *service, const char *name)
{
    char key[SECRET_TOKEN_SIZE], hex[2 * POLL_MANAGE_HASH + 1];
    uint8_t hash[POLL_MANAGE_HASH];

    if (!api_key_name_is_valid(name, strlen(name))) {
        fprintf(stderr, "a key's name has 1 to %d letters, digits, '.', '_' and '-'\n", API_KEY_NAME_MAX);
        return 2;
    }
    secret_token_make(key);
    secret_token_hash(key, strlen(key), hash);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    printf("key:      %s\nAPI_KEYS: %s:%s\n", key, name, hex);
    return 0;
}

static const struct service_option service_options[] = {
    HTTP_SERVICE_OPTIONS,
    {.name = "make-api-key",
     .argument = "NAME",
     .sentence = "print a new API key, for who is to use it, and its entry for API_KEYS",
     .run = make_api_key},
};

/* --- wiring */

static void on_loop_start(struct http_loop *loop, void *service)
{
    const struct group_limits limits = {.batch_ballots = (size_t)settings.batch_ballots,
                                        .batches_in_flight = (unsigned)settings.batches_in_flight,
                                        .ack_timeout_ms = settings.ack_timeout_ms};

    struct vote_loop *own = h2o_mem_alloc(sizeof(*own));
    *own = (struct vote_loop){.group = group_new(loop, api.publisher, &limits)};
    http_loop_set_data(loop, own);
}

static void on_turn_end(struct http_loop *loop, void *service)
{
    const struct vote_loop *own = http_loop_data(loop);

    group_turn_end(own->group);
}

/* What a burst needed goes back to the system once it is over. */
static void on_loop_idle(struct http_loop *loop, void *service)
{
#ifdef HAVE_MIMALLOC
    mi_collect(true);
#endif
}

static void on_stop(void *server)
{
    http_drain(server, (int)settings.drain_ms);
}

/* Both stand in the title of the default poll too, "A vs B?". */
#define OPTION_MAX ((POLL_TITLE_MAX - 5) / 2)

static enum status check_label(const char *name, const char *label, struct errmsg *err)
{
    char fault[TEXT_FAULT_MAX];

    if (!utf8_is_valid(label, strlen(label), OPTION_MAX))
        return fail(err, ST_CONFIG, "%s is a label of at most %d characters in UTF-8", name, OPTION_MAX);
    return text_check(label, TEXT_LINE, name, fault) ? ST_OK : fail(err, ST_CONFIG, "%s", fault);
}

static enum status check_labels_differ(struct errmsg *err)
{
    char *a = text_fold(settings.option_a), *b = text_fold(settings.option_b);
    bool differ = strcmp(a, b) != 0;

    free(a);
    free(b);
    return differ ? ST_OK : fail(err, ST_CONFIG, "OPTION_A and OPTION_B read the same");
}

/* Makes the keys; their memory is the process's. */
static enum status check_settings(struct errmsg *err)
{
    enum status st = keyring_parse(settings.secret_keys, &api.ring, err);

    if (st != ST_OK)
        return fail_within(err, st, "SECRET_KEYS");
    st = api_keys_parse(settings.api_keys, &api.api_keys, err);
    if (st != ST_OK)
        return fail_within(err, st, "API_KEYS");
    if (settings.default_poll[0] != '\0' && !poll_id_is_valid(settings.default_poll, strlen(settings.default_poll)))
        return fail(err, ST_CONFIG, "DEFAULT_POLL has 1 to %d of a-z, 0-9 and -", POLL_ID_MAX);
    st = check_label("OPTION_A", settings.option_a, err);
    if (st == ST_OK)
        st = check_label("OPTION_B", settings.option_b, err);
    if (st == ST_OK)
        st = check_labels_differ(err);
    if (st == ST_OK)
        st = http_proxies_parse(settings.trusted_proxies, &api.trusted_proxies, err);
    return st == ST_OK ? limits_open(err) : st;
}

static void open_parts(void)
{
    struct errmsg err;
    enum status st;

    api.watch = (struct poll_watch){
        .on_change = on_poll_change, .on_synced = ensure_default_poll, .polls = directory_new()};
    if ((st = bus_open(settings.nats_url, "vote-api", &api.bus, &err)) != ST_OK)
        service_die(st, &err, "connect to the broker");
    if ((st = publisher_open(api.bus, &api.publisher, &err)) != ST_OK)
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
    const struct http_service http_service = {&settings.port, &settings.bind_address, &settings.tls_cert_file, routes,
                                              sizeof(routes) / sizeof(routes[0])};
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
    const struct http_options options = {.bind_address = settings.bind_address,
                                         .port = (int)settings.port,
                                         .loops = (int)settings.http_loops,
                                         .tls_cert_file = settings.tls_cert_file,
                                         .tls_key_file = settings.tls_key_file,
                                         .max_body = BULK_BODY_MAX,
                                         .max_connections = (int)settings.max_connections,
                                         .max_in_flight = (int)settings.max_in_flight,
                                         .max_per_address = (int)settings.max_per_address,
                                         .connection_age_s = settings.connection_age_s,
                                         .request_age_ms = settings.request_age_ms,
                                         .max_resets = (unsigned)settings.max_resets,
                                         .max_frames = (unsigned)settings.max_frames,
                                         .max_held_bytes = settings.max_held_bytes,
                                         .routes = routes,
                                         .n_routes = sizeof(routes) / sizeof(routes[0]),
                                         .checks = checks,
                                         .n_checks = sizeof(checks) / sizeof(checks[0]),
                                         .limits = limits_all,
                                         .n_limits = limits_count,
                                         .trusted_proxies = api.trusted_proxies,
                                         .service = &api,
                                         .on_loop_start = on_loop_start,
                                         .on_loop_idle = on_loop_idle,
                                         .on_turn_end = on_turn_end};
    enum status st = http_open(&options, &server, &err);
    if (st != ST_OK)
        service_die(st, &err, "listen");
    group_metrics_init();
    code_voter_metrics_init();
    codes.book = code_book_new();
    api.codes = &codes;
    metric_gauge_from("voting_codes", "", "Voting codes of all polls.", read_codes, codes.book);
    open_parts();
    metric_gauge_from("polls", "", "Polls that count for POLLS_MAX.", read_polls, api.watch.polls);
    service_on_stop(on_stop, server);
    log_info("started", LOG_S("address", settings.bind_address), LOG_I("port", settings.port));
    http_run(server);
    log_info("stopped");
    return 0;
}

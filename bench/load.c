/* load - sends ballots to vote-api over HTTP/2, as fast as they are acknowledged or at a fixed rate. Prints one JSON
 * object with the number of ballots, the time and the latencies. Each latency counts from the time when the request was
 * due (no coordinated omission).
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/clock.h"
#include "h2_client.h"
#include "histogram.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define BALLOT_JSON_MAX 80 /* bytes of one ballot of a bulk request */
#define TOKEN_MAX 128

struct options {
    int port;
    const char *poll;
    const char *api_key; /* set: bulk requests */
    size_t bulk;         /* ballots per bulk request */
    size_t voters;       /* 0: each ballot comes from a new voter */
    size_t connections, window;
    double rate;  /* ballots/s; 0: as fast as acknowledged */
    size_t count; /* ballots; 0: no limit */
    double seconds;
    bool retry; /* send again what was refused */
};

struct load {
    struct options options;
    char path[128];
    char bulk_authorization[256];
    char (*tokens)[TOKEN_MAX]; /* `Bearer …` of each fixed voter */
    size_t n_tokens;
    struct h2_client **clients;
    struct h2_request *requests, **free_requests;
    size_t n_requests, n_free, next_client;
    int epoll;
    bool is_making_voters;
    int64_t start_ns, end_ns;
    uint64_t sent, acknowledged, refused, next_voter, random;
    struct histogram latency;
};

static uint64_t next_random(struct load *load)
{
    load->random ^= load->random << 13; /* xorshift64, Marsaglia 2003 */
    load->random ^= load->random >> 7;
    load->random ^= load->random << 17;
    return load->random;
}

static size_t ballots_per_request(const struct load *load)
{
    return load->options.api_key != NULL && !load->is_making_voters ? load->options.bulk : 1;
}

static void write_bulk_body(struct load *load, struct h2_request *request)
{
    char *at = request->body, *end = request->body + load->options.bulk * BALLOT_JSON_MAX;

    at += snprintf(at, (size_t)(end - at), "{\"ballots\":[");
    for (size_t i = 0; i < load->options.bulk; i++) {
        uint64_t draw = next_random(load);
        uint64_t voter = load->options.voters > 0 ? draw / 2 % load->options.voters : load->next_voter++;
        at += snprintf(at, (size_t)(end - at), "%s{\"voter\":\"%llu-%llu\",\"selection\":[\"%s\"]}", i == 0 ? "" : ",",
                       load->options.voters > 0 ? 0ull : (unsigned long long)(load->start_ns & 0xffffffff),
                       (unsigned long long)voter, draw & 1 ? "cats" : "dogs");
    }
    at += snprintf(at, (size_t)(end - at), "]}");
    request->body_len = (size_t)(at - request->body);
}

static void write_request(struct load *load, struct h2_request *request)
{
    request->path = load->path;
    request->method = "PUT";
    request->authorization = NULL;
    if (load->is_making_voters) {
        request->method = "POST";
        request->path = "/v1/voters";
        request->body_len = 0;
    } else if (load->options.api_key != NULL) {
        request->method = "POST";
        request->authorization = load->bulk_authorization;
        write_bulk_body(load, request);
    } else {
        request->body = next_random(load) & 1 ? "{\"selection\":[\"cats\"]}" : "{\"selection\":[\"dogs\"]}";
        request->body_len = strlen(request->body);
        if (load->n_tokens > 0)
            request->authorization = load->tokens[next_random(load) % load->n_tokens];
    }
}

static void keep_token(struct load *load, const struct h2_request *request)
{
    const char *from = strstr(request->reply, "\"token\"");

    if (from == NULL || sscanf(from + 7, " : \"%100[^\"]", load->tokens[load->n_tokens] + 7) != 1) {
        fprintf(stderr, "load: POST /v1/voters answered %d %s\n", request->status, request->reply);
        exit(1);
    }
    memcpy(load->tokens[load->n_tokens++], "Bearer ", 7);
}

static void on_reply(void *arg, struct h2_request *request)
{
    struct load *load = arg;
    size_t n = ballots_per_request(load);

    load->free_requests[load->n_free++] = request;
    if (load->is_making_voters) {
        keep_token(load, request);
        load->acknowledged++;
        return;
    }
    if (request->status == 202) {
        load->acknowledged += n;
        histogram_add(&load->latency, clock_mono_ns() - request->due_ns);
        return;
    }
    if (load->refused == 0)
        fprintf(stderr, "load: first refusal: %d %s\n", request->status, request->reply);
    load->refused += n;
    if (load->options.retry)
        load->sent -= n;
}

/* Returns the next connection with room, or NULL. */
static struct h2_client *pick_client(struct load *load)
{
    for (size_t i = 0; i < load->options.connections; i++) {
        load->next_client = (load->next_client + 1) % load->options.connections;
        if (h2_client_has_room(load->clients[load->next_client]))
            return load->clients[load->next_client];
    }
    return NULL;
}

/* Submits every request that is due, as far as connections have room. Returns when the next one is due, or INT64_MAX.
 */
static int64_t submit_due(struct load *load, size_t count, double rate)
{
    size_t n = ballots_per_request(load);

    while (count == 0 || load->sent < count) {
        int64_t now = clock_mono_ns();
        int64_t due = rate > 0 ? load->start_ns + (int64_t)((double)load->sent / rate * 1e9) : now;
        struct h2_client *client;
        struct h2_request *request;

        if (due > now)
            return due;
        client = pick_client(load);
        if (client == NULL || now >= load->end_ns)
            return INT64_MAX;
        request = load->free_requests[--load->n_free];
        write_request(load, request);
        request->due_ns = due;
        h2_client_submit(client, request);
        load->sent += n;
    }
    return INT64_MAX;
}

/* Runs until `count` ballots are answered, or until the time is over and all requests are answered. */
static void run(struct load *load, size_t count, double rate, double seconds)
{
    struct epoll_event events[256];

    load->sent = load->acknowledged = 0;
    load->start_ns = clock_mono_ns();
    load->end_ns = seconds > 0 ? load->start_ns + (int64_t)(seconds * 1e9) : INT64_MAX;
    for (;;) {
        int64_t due = submit_due(load, count, rate), now;
        struct timespec wait;
        int n;

        for (size_t i = 0; i < load->options.connections; i++)
            h2_client_flush(load->clients[i]);
        now = clock_mono_ns();
        if (load->n_free == load->n_requests && (now >= load->end_ns || (count > 0 && load->sent >= count)))
            break;
        due = due < now + 50000000 ? due : now + 50000000;
        wait = (struct timespec){0, due > now ? due - now : 0};
        n = epoll_pwait2(load->epoll, events, 256, &wait, NULL);
        for (int i = 0; i < n; i++)
            h2_client_receive(events[i].data.ptr);
    }
    load->end_ns = clock_mono_ns();
}

static void open_all(struct load *load)
{
    struct options *o = &load->options;

    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->n_requests = load->n_free = o->connections * o->window;
    load->clients = alloc_items(o->connections, sizeof(struct h2_client *));
    load->requests = alloc_items(load->n_requests, sizeof(*load->requests));
    load->free_requests = alloc_items(load->n_requests, sizeof(struct h2_request *));
    load->tokens = alloc_items(o->voters + 1, TOKEN_MAX);
    for (size_t i = 0; i < load->n_requests; i++) {
        load->free_requests[i] = &load->requests[i];
        if (o->api_key != NULL)
            load->requests[i].body = alloc_bytes(o->bulk * BALLOT_JSON_MAX);
    }
    for (size_t i = 0; i < o->connections; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        load->clients[i] = h2_client_open(o->port, o->window, on_reply, load);
        event.data.ptr = load->clients[i];
        if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, h2_client_fd(load->clients[i]), &event) != 0)
            abort();
    }
}

static void print_report(const struct load *load)
{
    double seconds = (double)(load->end_ns - load->start_ns) / 1e9;

    printf("{\"sent\":%llu,\"acknowledged\":%llu,\"refused\":%llu,\"seconds\":%.6f,\"rate\":%.1f,", //
           (unsigned long long)load->sent, (unsigned long long)load->acknowledged, (unsigned long long)load->refused,
           seconds, (double)load->acknowledged / seconds);
    printf("\"latency_ms\":{\"n\":%llu,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}}\n",
           (unsigned long long)load->latency.n, histogram_quantile_ms(&load->latency, 0.5),
           histogram_quantile_ms(&load->latency, 0.99), histogram_quantile_ms(&load->latency, 0.999),
           (double)load->latency.max_us / 1000);
}

static void usage(void)
{
    fputs("usage: load --port PORT --poll POLL [options]\n"
          "  --connections N  connections (64)\n"
          "  --window N       requests that wait on each connection at most (32)\n"
          "  --rate R         ballots/s, whatever the replies do (0: as fast as acknowledged)\n"
          "  --count N        ballots to send; --seconds S  or how long to send\n"
          "  --voters N       ballots come from N voters, who revise (0: each from a new one)\n"
          "  --api-key KEY    send through the bulk route; --bulk N  ballots in one request (1000)\n"
          "  --retry          send again what was refused\n",
          stderr);
    exit(2);
}

static void read_options(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"port", 1, NULL, 'p'}, {"poll", 1, NULL, 'i'},    {"connections", 1, NULL, 'c'}, {"window", 1, NULL, 'w'},
        {"rate", 1, NULL, 'r'}, {"count", 1, NULL, 'n'},   {"seconds", 1, NULL, 's'},     {"voters", 1, NULL, 'v'},
        {"bulk", 1, NULL, 'b'}, {"api-key", 1, NULL, 'k'}, {"retry", 0, NULL, 'y'},       {NULL, 0, NULL, 0}};
    int option;

    *o = (struct options){.bulk = 1000, .connections = 64, .window = 32};
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (option) {
        case 'p':
            o->port = atoi(optarg);
            break;
        case 'i':
            o->poll = optarg;
            break;
        case 'c':
            o->connections = strtoul(optarg, NULL, 10);
            break;
        case 'w':
            o->window = strtoul(optarg, NULL, 10);
            break;
        case 'r':
            o->rate = strtod(optarg, NULL);
            break;
        case 'n':
            o->count = strtoul(optarg, NULL, 10);
            break;
        case 's':
            o->seconds = strtod(optarg, NULL);
            break;
        case 'v':
            o->voters = strtoul(optarg, NULL, 10);
            break;
        case 'b':
            o->bulk = strtoul(optarg, NULL, 10);
            break;
        case 'k':
            o->api_key = optarg;
            break;
        case 'y':
            o->retry = true;
            break;
        default:
            usage();
        }
    if (o->port == 0 || o->poll == NULL || o->connections == 0 || o->window == 0 || o->bulk == 0 ||
        (o->count == 0 && o->seconds <= 0))
        usage();
}

int main(int argc, char **argv)
{
    static struct load load;
    struct options *o = &load.options;

    read_options(o, argc, argv);
    load.random = (uint64_t)clock_mono_ns() | 1;
    snprintf(load.path, sizeof(load.path), "/v1/polls/%s/%s", o->poll, o->api_key != NULL ? "ballots" : "ballot");
    if (o->api_key != NULL)
        snprintf(load.bulk_authorization, sizeof(load.bulk_authorization), "Bearer %s", o->api_key);
    open_all(&load);
    if (o->voters > 0 && o->api_key == NULL) {
        load.is_making_voters = true;
        run(&load, o->voters, 0, 0);
        load.is_making_voters = false;
    }
    run(&load, o->count, o->rate, o->seconds);
    print_report(&load);
    for (size_t i = 0; i < o->connections; i++)
        h2_client_close(load.clients[i]);
    return 0;
}

/* make_seeds - writes the inputs that the fuzz targets begin with: valid ones, and their neighbours.
 * SPDX-License-Identifier: MIT
 *
 * usage: make_seeds DIR      (writes DIR/<target>/<number>) */
#include "ballot/keys.h"
#include "ballot/wire.h"
#include "sample_poll.h"
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *folder;
static int number;

static void write_seed(const char *target, const void *data, size_t len)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, target);
    mkdir(path, 0777);
    snprintf(path, sizeof(path), "%s/%s/%d", folder, target, number++);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, len, file) != len || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_texts(const char *target, const char *const *texts)
{
    for (; *texts != NULL; texts++)
        write_seed(target, *texts, strlen(*texts));
}

static void write_batches(void)
{
    struct ballot ballots[] = {
        {.poll = "demo", .choices = "cats", .choices_len = 4, .cast_at_ms = 1769860800123},
        {.poll = "other-poll", .choices = "a>b>c", .choices_len = 5},
        {.poll = "demo", .choices = "cats=5 dogs=0", .choices_len = 13, .cast_at_ms = 1},
    };
    struct ballot_batch batches[] = {
        {.n_ballots = 1, .ballots = ballots}, {.n_ballots = 3, .ballots = ballots}, {.fence_poll = "demo"},
        {.fence_poll = "demo", .term = 3},    {.gate_poll = "demo", .term = 4},
    };
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        struct bytes bytes;
        wire_encode_batch(&batches[i], &bytes);
        write_seed("fuzz_batch", bytes.data, bytes.len);
        free(bytes.data);
    }
}

static void write_polls(void)
{
    struct poll *poll = sample_poll();
    struct bytes bytes;

    wire_encode_poll(poll, &bytes);
    write_seed("fuzz_poll", bytes.data, bytes.len);
    free(bytes.data);
    poll->has_manager = true;
    poll->deleted = true;
    poll->method = METHOD_SCORE;
    poll->closes_at_ms = 5;
    wire_encode_poll(poll, &bytes);
    write_seed("fuzz_poll", bytes.data, bytes.len);
    free(bytes.data);
    poll_release(poll);

    wire_encode_tally_changed((const char *const[]){"demo", "other"}, 2, &bytes);
    write_seed("fuzz_poll", bytes.data, bytes.len);
    free(bytes.data);
}

/* Each poll with each ballot, a NUL between them. */
static void write_round_trips(const char *const *polls, const char *const *ballots)
{
    char text[1024];

    for (; *polls != NULL; polls++)
        for (size_t i = 0; ballots[i] != NULL; i++) {
            size_t len = (size_t)snprintf(text, sizeof(text), "%s%c%s", *polls, '\0', ballots[i]);
            write_seed("fuzz_round_trip", text, len);
        }
}

static void write_tokens(void)
{
    struct keyring *ring;
    struct errmsg err;
    struct receipt receipt = {.poll = "demo", .sequence = 12345, .index = 7};
    uint8_t id[VOTER_ID] = {1, 2, 3};
    char token[VOTER_TOKEN_SIZE], text[RECEIPT_SIZE];

    if (keyring_parse(SAMPLE_RING, &ring, &err) != ST_OK)
        exit(1);
    voter_token_make(ring, id, token);
    write_seed("fuzz_token", token, strlen(token));
    receipt_make(ring, &receipt, text);
    write_seed("fuzz_token", text, strlen(text));
    write_seed("fuzz_token", "abc", 3);
    keyring_free(ring);
}

int main(int argc, char **argv)
{
    static const char *const ballots[] = {
        "{\"selection\":[\"cats\"]}",
        "{\"selection\":[\"a\",\"cats\"]}",
        "{\"selection\":[]}",
        "{\"selection\":[\"cats\",\"a\"]}",
        "{\"selection\":[\"a\",\"cats\",\"a\"]}",
        "{\"selection\":{\"a\":1}}",
        "{\"selection\":{\"cats\":0,\"a\":5}}",
        "{\"selection\":{\"a\":6,\"b\":2.5}}",
        "{\"selection\":[\"\\u0061\"],\"other\":null}",
        "{\"selection\":[\"a\"],\"selection\":[\"a\"]}",
        "{\"a\":[[[[[[[[1]]]]]]]]}",
        "{\"selection\":[\"\\u0000\"]}",
        "[1.5e3,-0,true,false,null]",
        NULL,
    };
    static const char *const polls[] = {
        "{\"title\":\"Cats or dogs?\",\"options\":[\"Cats\",\"Dogs\"]}",
        "{\"title\":\"T\",\"description\":\"D\",\"options\":[{\"id\":\"a\",\"label\":\"A\"},{\"id\":\"b\",\"label\":"
        "\"B\"}],\"method\":\"plurality\",\"revisable\":false,\"opens_at\":\"2026-02-01T00:00:00Z\",\"closes_at\":"
        "\"2026-03-01T00:00:00+01:00\",\"results_visibility\":\"always\",\"voter_policy\":\"open\"}",
        "{\"title\":\"T\",\"options\":[\"A\",\"B\",\"C\"],\"method\":\"approval\",\"min_choices\":2,\"max_choices\":3}",
        "{\"title\":\"T\",\"options\":[\"A\",\"B\",\"C\"],\"method\":\"ranked\",\"max_choices\":2}",
        "{\"title\":\"T\",\"options\":[\"A\",\"B\"],\"method\":\"score\"}",
        "{\"state\":\"closed\"}",
        "{\"state\":\"open\"}",
        "{\"state\":\"draft\",\"reopenable\":true}",
        "{\"state\":\"scheduled\",\"opens_at\":\"2027-03-01T00:00:00Z\"}",
        "{\"state\":\"open\",\"closes_at\":\"2027-03-01T00:00:00Z\"}",
        "{\"title\":\"New\",\"closes_at\":null}",
        "{\"title\":\"T\",\"options\":[\"A\",\"B\"],\"closes_at\":\"9999-12-31T23:59:59-23:59\"}",
        "{\"closes_at\":\"9999-12-31T23:59:60Z\"}",
        NULL,
    };
    static const char *const deliveries[] = {
        "$JS.ACK.BALLOTS.workers.3.1234567.99.1769860800123456789.42",
        "$JS.ACK._.ACCHASH.BALLOTS.workers.3.1234567.99.1769860800123456789.42",
        "$JS.ACK.hub.ACCHASH.BALLOTS.workers.3.1234567.99.1769860800123456789.42.RANDOM",
        "2026-01-31T12:00:00.123Z",
        "2024-02-29T23:59:60+14:00",
        "9999-12-31T23:59:59-23:59",
        NULL,
    };
    static const char *const addresses[] = {
        "203.0.113.7, 10.1.2.3",
        "[2001:db8::1]:443,198.51.100.1:80 , unknown",
        "2001:db8::/32,10.0.0.0/8 127.0.0.1",
        "::ffff:10.0.0.1",
        NULL,
    };

    static const char *const codes[] = {
        "7K3M-Q9TB-01XA",
        "7k3m q9tb oLxa",
        "7K3MQ9TB01XA",
        "\x08\x01\x12\x01"
        "a\x1a\x10"
        "0123456789abcdef",
        NULL,
    };

    if (argc != 2 || sodium_init() < 0) {
        fprintf(stderr, "usage: make_seeds DIR\n");
        return 2;
    }
    folder = argv[1];
    write_texts("fuzz_ballot_json", ballots);
    write_texts("fuzz_poll_json", polls);
    write_texts("fuzz_delivery", deliveries);
    write_texts("fuzz_address", addresses);
    write_texts("fuzz_code", codes);
    write_round_trips(polls, (const char *const[]){"{\"selection\":[\"1\"]}", "{\"selection\":[\"2\",\"1\"]}",
                                                   "{\"selection\":{\"1\":5,\"2\":0}}", NULL});
    write_batches();
    write_polls();
    write_tokens();
    return 0;
}

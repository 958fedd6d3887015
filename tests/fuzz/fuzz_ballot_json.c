/* fuzz_ballot_json - the body of PUT /v1/polls/{poll}/ballot: parsed, checked against a poll of each method, sent
 * through the wire.
 * SPDX-License-Identifier: MIT */
#include "ballot/wire.h"
#include "ballots/selection.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "sample_poll.h"

/* What was accepted must pass the worker's decoder unchanged. */
static void check_choices(const char *choices, int len)
{
    struct ballot ballot = {.poll = "demo", .choices = choices, .choices_len = (size_t)len};
    struct ballot_batch batch = {.n_ballots = 1, .ballots = &ballot}, read;
    struct bytes bytes;

    assert(len > 0 && len <= BALLOT_CHOICES_MAX && strlen(choices) == (size_t)len);
    wire_encode_batch(&batch, &bytes);
    enum status st = wire_decode_batch(bytes.data, bytes.len, &read, NULL);
    assert(st == ST_OK);
    assert(strcmp(read.ballots[0].choices, choices) == 0);
    ballot_batch_free(&read);
    free(bytes.data);
}

/* What is answered must be a selection again, and the same ballot. */
static void check_written(const char *choices, const struct poll *poll)
{
    char text[SELECTION_JSON_MAX], again[BALLOT_CHOICES_MAX + 1];
    struct json_error err;

    size_t len = selection_write(poll->method, choices, text);
    assert(len == strlen(text) && len < sizeof(text));
    json_t *selection = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert(selection != NULL);
    int again_len = selection_read(selection, poll, "", again, &err);
    assert(again_len > 0 && strcmp(again, choices) == 0);
    json_decref(selection);
}

/* A refusal is a sentence with a pointer, both of which go into a JSON answer. */
static void check_refusal(const struct json_error *err)
{
    assert(memchr(err->text, '\0', sizeof(err->text)) != NULL && err->text[0] != '\0');
    assert(utf8_is_valid(err->text, strlen(err->text), sizeof(err->text)));
    assert(memchr(err->pointer, '\0', sizeof(err->pointer)) != NULL);
    assert(err->pointer[0] == '\0' || err->pointer[0] == '/');
    assert(utf8_is_valid(err->pointer, strlen(err->pointer), sizeof(err->pointer)));
}

static struct poll *make_poll(enum poll_method method)
{
    struct poll *poll = sample_poll();

    poll->method = method;
    poll->max_choices = method == METHOD_PLURALITY ? 1 : 2;
    return poll;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct poll *polls[METHOD_SCORE + 1];
    enum problem problem;
    struct json_error err = {"?", ""};
    char choices[BALLOT_CHOICES_MAX + 1];

    for (int method = 0; method <= METHOD_SCORE && polls[method] == NULL; method++)
        polls[method] = make_poll((enum poll_method)method);
    json_t *body = json_parse_object((const char *)data, size, &err);
    if (body == NULL) {
        check_refusal(&err);
        return 0;
    }
    for (int method = 0; method <= METHOD_SCORE; method++) {
        int len = selection_read_ballot(body, polls[method], choices, &problem, &err);
        if (len >= 0) {
            check_choices(choices, len);
            check_written(choices, polls[method]);
        } else {
            check_refusal(&err);
        }
    }
    json_decref(body);
    return 0;
}

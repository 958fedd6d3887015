/* fuzz_round_trip - the body of POST /v1/polls, then after a NUL that of PUT /v1/polls/{poll}/ballot: a poll that is
 * accepted is read back from the bucket as the same poll, and made again from what is shown of it; a ballot that this
 * poll accepts reaches the worker as the same ballot.
 * SPDX-License-Identifier: MIT */
#include "ballot/wire.h"
#include "ballots/selection.h"
#include "fuzz.h"
#include "polls/poll_form.h"

#define NOW_MS INT64_C(1769860800000)

static void check_wire(const struct poll *poll)
{
    struct bytes bytes;
    struct errmsg err;

    wire_encode_poll(poll, &bytes);
    enum status st = wire_check_poll(&bytes, poll, &err);
    assert(st == ST_OK);
    free(bytes.data);
}

static void check_shown(const struct poll *poll)
{
    static const char *const not_sent[] = {"id", "state", "created_at", "updated_at", "voting_codes"};
    struct json_error err;
    json_t *shown = poll_form_write(poll, NOW_MS);

    for (size_t i = 0; i < sizeof(not_sent) / sizeof(not_sent[0]); i++)
        json_object_del(shown, not_sent[i]);
    char *text = json_dumps(shown, JSON_COMPACT);
    json_t *body = json_parse_object(text, strlen(text), &err);
    struct poll *again = poll_form_create(body, NOW_MS, &err);
    assert(again != NULL);
    strcpy(again->id, poll->id);
    again->draft = poll->draft;
    assert(poll_equal(poll, again));
    poll_release(again);
    json_decref(body);
    json_decref(shown);
    free(text);
}

static void check_ballot(const struct poll *poll, const char *data, size_t size)
{
    char choices[BALLOT_CHOICES_MAX + 1];
    enum problem problem;
    struct json_error err;
    json_t *body = json_parse_object(data, size, &err);
    int len = body == NULL ? -1 : selection_read_ballot(body, poll, choices, &problem, &err);

    json_decref(body);
    if (len < 0)
        return;
    struct ballot ballot = {.poll = "demo",
                            .choices = choices,
                            .choices_len = (size_t)len,
                            .cast_at_ms = NOW_MS,
                            .stands = ballot_stands_in(poll)};
    struct ballot_batch batch = {.n_ballots = 1, .ballots = &ballot};
    struct bytes bytes;
    struct errmsg wrong;
    assert(wire_find_ballot_fault(&ballot) == NULL);
    wire_encode_batch(&batch, &bytes);
    enum status st = wire_check_batch(&bytes, &batch, &wrong);
    assert(st == ST_OK);
    free(bytes.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\0', size);
    size_t poll_size = end == NULL ? size : (size_t)(end - data);
    struct json_error err;
    json_t *body = json_parse_object((const char *)data, poll_size, &err);
    struct poll *poll = body == NULL ? NULL : poll_form_create(body, NOW_MS, &err);

    json_decref(body);
    if (poll == NULL)
        return 0;
    strcpy(poll->id, "demo");
    check_wire(poll);
    check_shown(poll);
    if (end != NULL)
        check_ballot(poll, (const char *)end + 1, size - poll_size - 1);
    poll_release(poll);
    return 0;
}

/* fuzz_poll_json - the body of POST /v1/polls, and of PATCH of the poll that came of it.
 * SPDX-License-Identifier: MIT */
#include "ballot/wire.h"
#include "fuzz.h"
#include "polls/poll_edit.h"
#include "polls/poll_form.h"

#define NOW_MS INT64_C(1769860800000)

/* What was accepted must be shown, and must pass the decoder of the bucket. */
static void check_poll(struct poll *poll)
{
    struct bytes bytes;
    struct poll *read = NULL;
    struct errmsg err;

    strcpy(poll->id, "demo");
    json_t *shown = poll_form_write(poll, NOW_MS);
    assert(json_is_object(shown));
    json_decref(shown);
    wire_encode_poll(poll, &bytes);
    enum status st = wire_decode_poll(bytes.data, bytes.len, &read, &err);
    assert(st == ST_OK);
    assert(poll_equal(poll, read));
    poll_release(read);
    free(bytes.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_error err = {"?", ""};
    json_t *body = json_parse_object((const char *)data, size, &err);

    if (body == NULL)
        return 0;
    struct poll *poll = poll_form_create(body, NOW_MS, &err);
    if (poll != NULL) {
        check_poll(poll);
        poll_release(poll);
    } else {
        assert(err.text[0] != '\0');
    }

    static struct poll *old;
    if (old == NULL) {
        json_t *sample = json_pack("{s:s,s:[s,s]}", "title", "Cats or dogs?", "options", "Cats", "Dogs");
        old = poll_form_create(sample, NOW_MS, &err);
        assert(old != NULL);
        old->opens_at_ms = NOW_MS;
        old->closes_at_ms = NOW_MS + 2;
        old->reopenable = true;
        json_decref(sample);
    }
    static const int64_t ages[] = {-1, 1, 2}; /* scheduled, open, closed */
    for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
        enum problem problem;
        struct poll *patched = poll_edit(old, body, NOW_MS + ages[i], &problem, &err);
        if (patched != NULL)
            check_poll(patched);
        else
            assert(err.text[0] != '\0' && problem_code(problem) >= 400);
        poll_release(patched);
    }
    json_decref(body);
    return 0;
}

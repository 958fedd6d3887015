/* fuzz_poll - values of the bucket `polls`, and doorbells.
 * SPDX-License-Identifier: MIT */
#include "ballot/wire.h"
#include "base/utf8.h"
#include "fuzz.h"

static void check_id(void *arg, const char *poll)
{
    assert(poll_id_is_valid(poll, strlen(poll)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct poll *poll, *again;
    struct errmsg err = {""};
    struct bytes bytes;

    if (wire_decode_tally_changed(data, size, check_id, NULL, &err) != ST_OK)
        assert(err.text[0] != '\0');

    err.text[0] = '\0';
    if (wire_decode_poll(data, size, &poll, &err) != ST_OK) {
        assert(poll == NULL && err.text[0] != '\0');
        return 0;
    }
    assert(poll_id_is_valid(poll->id, strlen(poll->id)));
    assert(utf8_is_valid(poll->title, strlen(poll->title), POLL_TITLE_MAX));
    assert(poll->n_options > 0 && poll->n_options <= POLL_OPTIONS_MAX);
    assert(poll->max_choices <= poll->n_options);
    for (size_t i = 0; i < poll->n_options; i++) {
        const char *id = poll->options[i].id;
        assert(poll_find_option(poll, id, strlen(id)) == &poll->options[i]);
    }
    /* The names of its enums exist. */
    assert(poll_method_name(poll->method) != NULL && poll_visibility_name(poll->visibility) != NULL &&
           poll_voter_policy_name(poll->voter_policy) != NULL);

    wire_encode_poll(poll, &bytes);
    enum status st = wire_decode_poll(bytes.data, bytes.len, &again, &err);
    assert(st == ST_OK);
    assert(strcmp(again->id, poll->id) == 0 && again->n_options == poll->n_options);
    poll_release(again);
    poll_release(poll);
    free(bytes.data);
    return 0;
}

/* Tests of poll_unused: which polls expire, when, and by which steps.
 * SPDX-License-Identifier: MIT */
#include "store/poll_unused.h"

#include "unit.h"

#define NOW INT64_C(1770000000000)
#define AGE INT64_C(1000000)

enum becomes { STAYS, CLOSES, IS_DELETED };

static struct poll *make(int64_t updated_ms)
{
    struct poll *poll = poll_new();

    poll->title = strdup("T");
    poll->description = strdup("");
    poll->has_manager = true;
    poll->updated_at_ms = updated_ms;
    return poll;
}

static void each_state_has_its_step(void **state)
{
    static const struct {
        const char *what;
        int64_t updated, opens, closes;
        bool draft, deleted, with_key, no_manager, expiring, is_free;
        unsigned opening_term;
        enum becomes becomes;
    } rows[] = {
        {"open, old", NOW - AGE, 0, 0, .becomes = CLOSES},
        {"open, a moment too young", NOW - AGE + 1, 0, 0, .becomes = STAYS},
        {"opened lately", 1, NOW - AGE + 1, 0, .becomes = STAYS},
        {"opens by itself", 1, NOW + 1, 0, .becomes = STAYS},
        {"closes by itself", 1, 0, NOW + 1, .becomes = STAYS},
        {"closed lately", 1, 0, NOW - AGE + 1, .is_free = true, .becomes = STAYS},
        {"closed long ago", 1, 0, NOW - AGE, .is_free = true, .becomes = IS_DELETED},
        {"closed, and perhaps voted in", 1, 0, NOW - AGE, .is_free = false, .becomes = STAYS},
        {"expired just now", NOW - 2, 0, NOW - 1, .expiring = true, .is_free = true, .becomes = IS_DELETED},
        {"expiring, its fence is to come", NOW - 2, 0, NOW - 1, .expiring = true, .becomes = STAYS},
        {"expiring, still open", NOW - 2, 0, NOW + 1, .expiring = true, .is_free = true, .becomes = STAYS},
        {"about to be opened again", 1, 0, NOW - AGE, .opening_term = 1, .is_free = true, .becomes = STAYS},
        {"a draft, old", NOW - AGE, 0, 0, .draft = true, .becomes = IS_DELETED},
        {"a draft, young", NOW - 1, 0, 0, .draft = true, .becomes = STAYS},
        {"with an API key", 1, 0, 0, .with_key = true, .becomes = STAYS},
        {"the default poll", 1, 0, 0, .no_manager = true, .becomes = STAYS},
        {"deleted", 1, 0, 0, .deleted = true, .is_free = true, .becomes = STAYS},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct poll *poll = make(rows[i].updated);
        poll->opens_at_ms = rows[i].opens;
        poll->closes_at_ms = rows[i].closes;
        poll->draft = rows[i].draft;
        poll->deleted = rows[i].deleted;
        poll->made_with_key = rows[i].with_key;
        poll->has_manager = !rows[i].no_manager;
        poll->expiring = rows[i].expiring;
        poll->opening_term = rows[i].opening_term;
        struct poll *next = poll_unused_step(poll, rows[i].is_free, NOW, AGE);
        CHECK_ROW((next != NULL) == (rows[i].becomes != STAYS), "%s", rows[i].what);
        if (next != NULL) {
            CHECK_ROW(next->deleted == (rows[i].becomes == IS_DELETED), "%s", rows[i].what);
            CHECK_ROW(next->deleted || (next->expiring && next->closes_at_ms == NOW + POLL_UNUSED_GRACE_MS), "%s",
                      rows[i].what);
            CHECK_ROW(next->updated_at_ms > poll->updated_at_ms, "%s", rows[i].what);
        }
        poll_release(next);
        poll_release(poll);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_state_has_its_step)};

    return cmocka_run_group_tests_name("poll_unused", tests, NULL, NULL);
}

/* Tests of result-api's visibility: who may see the results of a poll before, while and after it is open.
 * SPDX-License-Identifier: MIT */
#include "tally/visibility.h"

#include "unit.h"

#define NOW_MS INT64_C(1769860800000) /* 2026-01-31T12:00:00Z */

static void the_rules_hold_for_every_viewer(void **state)
{
    static const struct viewer nobody = {false, false}, voter = {.has_voted = true}, manager = {.is_manager = true};
    static const struct {
        enum poll_visibility visibility;
        bool closed;
        bool nobody, voter, manager; /* may see the results */
    } table[] = {
        {VISIBILITY_ALWAYS, false, true, true, true},        {VISIBILITY_ALWAYS, true, true, true, true},
        {VISIBILITY_AFTER_VOTE, false, false, true, true},   {VISIBILITY_AFTER_VOTE, true, true, true, true},
        {VISIBILITY_AFTER_CLOSE, false, false, false, true}, {VISIBILITY_AFTER_CLOSE, true, true, true, true},
    };

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct poll *poll = poll_new();
        poll->visibility = table[i].visibility;
        poll->closes_at_ms = table[i].closed ? NOW_MS : NOW_MS + 1;
        bool is_public = visibility_is_public(poll, NOW_MS);
        CHECK_ROW(is_public == table[i].nobody, "%zu", i);
        CHECK_ROW(visibility_allows(&nobody, poll, is_public) == table[i].nobody, "%zu", i);
        CHECK_ROW(visibility_allows(&voter, poll, is_public) == table[i].voter, "%zu", i);
        CHECK_ROW(visibility_allows(&manager, poll, is_public) == table[i].manager, "%zu", i);
        poll_release(poll);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_hold_for_every_viewer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

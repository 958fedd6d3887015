/* Tests of audit_compare: batches beside rows, and ledgers beside counts, without any server.
 * SPDX-License-Identifier: MIT */
#include "audit_compare.h"
#include "unit.h"
#include <jansson.h>

static struct audit_report *report;

static int set_up(void **state)
{
    report = audit_report_new();
    return 0;
}

static int tear_down(void **state)
{
    audit_report_free(report);
    return 0;
}

static struct audit_message message(uint64_t seq, size_t n_ballots)
{
    return (struct audit_message){
        .seq = seq, .readable = true, .batch = {.id = {(uint8_t)seq}, .n_ballots = n_ballots}};
}

static struct audit_applied row(uint64_t seq, int64_t ballots)
{
    return (struct audit_applied){.seq = seq, .batch = {(uint8_t)seq}, .ballots = ballots};
}

static void equal_batches_are_well_and_applied(void **state)
{
    struct audit_message messages[] = {message(4, 1), message(5, 0), message(7, 3)};
    const struct audit_applied rows[] = {row(3, 9), row(4, 1), row(5, 0), row(7, 3), row(9, 1)};

    audit_compare_batches(report, messages, 3, rows, 5);
    assert_int_equal(audit_report_total(report), 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(messages[i].applied);
    assert_int_equal(report->messages, 3);
    assert_int_equal(report->streamed_ballots, 4);
    assert_int_equal(report->pending_messages, 0);
}

/* What is not applied is pending above the line, and below it somebody else's to report. */
static void what_is_above_the_line_is_pending(void **state)
{
    struct audit_message messages[] = {message(4, 1), message(5, 2), message(6, 3)};

    report->line = 4;
    audit_compare_batches(report, messages, 3, NULL, 0);
    assert_int_equal(audit_report_total(report), 0);
    assert_int_equal(report->pending_messages, 2);
    assert_int_equal(report->pending_ballots, 5);
    assert_false(messages[0].applied || messages[1].applied || messages[2].applied);
}

static void a_batch_that_differs_is_named(void **state)
{
    static const struct {
        struct audit_message message;
        struct audit_applied row;
        int kind; /* -1: well */
        bool applied;
    } cases[] = {
        {{.seq = 1, .readable = true, .batch = {.id = {1}, .n_ballots = 2}},
         {.seq = 1, .batch = {2}, .ballots = 2},
         AUDIT_OTHER_BATCH,
         false},
        {{.seq = 1, .readable = true, .batch = {.id = {1}, .n_ballots = 2}},
         {.seq = 1, .batch = {1}, .ballots = 3},
         AUDIT_BATCH_SIZE,
         true},
        {{.seq = 1, .readable = true, .batch = {.id = {1}, .n_ballots = 2}},
         {.seq = 1, .dead = true},
         AUDIT_SET_ASIDE,
         false},
        {{.seq = 1}, {.seq = 1, .dead = true}, -1, false},
        {{.seq = 1}, {.seq = 1, .batch = {1}, .ballots = 1}, AUDIT_OTHER_BATCH, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct audit_message copy = cases[i].message;
        memset(report, 0, sizeof(*report));
        audit_compare_batches(report, &copy, 1, &cases[i].row, 1);
        CHECK_ROW(audit_report_total(report) == (cases[i].kind < 0 ? 0 : 1), "case %zu", i);
        CHECK_ROW(cases[i].kind < 0 || report->counts[cases[i].kind] == 1, "case %zu", i);
        CHECK_ROW(copy.applied == cases[i].applied, "case %zu", i);
    }
}

static void books_that_do_not_add_up_are_named(void **state)
{
    static const struct audit_poll well = {.received = 10,
                                           .counted = 6,
                                           .superseded = 3,
                                           .rejected = 1,
                                           .rows = 6,
                                           .comparable = 6,
                                           .streamed = 10,
                                           .standing = 6,
                                           .written_rejected = 1};
    static const struct {
        size_t field;
        int64_t change;
        int kind; /* -1: well */
        bool is_whole;
    } cases[] = {
        {offsetof(struct audit_poll, superseded), 1, AUDIT_LEDGER_SUM, true},
        {offsetof(struct audit_poll, rows), 1, AUDIT_LEDGER_COUNTED, true},
        {offsetof(struct audit_poll, written_rejected), 1, AUDIT_LEDGER_REJECTED, true},
        {offsetof(struct audit_poll, streamed), -1, AUDIT_LEDGER_RECEIVED, true},
        {offsetof(struct audit_poll, streamed), 1, AUDIT_LEDGER_RECEIVED, true},
        {offsetof(struct audit_poll, streamed), -1, -1, false}, /* older ballots, of which the stream knows nothing */
        {offsetof(struct audit_poll, streamed), 1, AUDIT_LEDGER_RECEIVED, false},
        {offsetof(struct audit_poll, comparable), 1, AUDIT_BALLOT_FOREIGN, true},
        {offsetof(struct audit_poll, revisable), 0, -1, true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct audit_poll poll = well;
        *(int64_t *)((char *)&poll + (cases[i].change != 0 ? cases[i].field
                                                           : offsetof(struct audit_poll, received))) += cases[i].change;
        memset(report, 0, sizeof(*report));
        report->is_whole = cases[i].is_whole;
        audit_compare_books(report, &poll);
        CHECK_ROW(audit_report_total(report) == (cases[i].kind < 0 ? 0 : 1), "case %zu", i);
        CHECK_ROW(cases[i].kind < 0 || report->counts[cases[i].kind] == 1, "case %zu", i);
        CHECK_ROW(poll.discrepancies == audit_report_total(report), "case %zu", i);
    }
}

static void the_polls_together_received_what_the_batches_held(void **state)
{
    struct audit_poll *polls = calloc(2, sizeof(*polls));
    struct audit_epoch *older = calloc(1, sizeof(*older));

    polls[0].received = 4;
    polls[1].received = 5;
    older[0].ballots = 7;
    report->polls = polls;
    report->n_polls = 2;
    report->older = older;
    report->n_older = 1;
    report->now.ballots = 3;
    audit_compare_total(report, 1);
    assert_int_equal(audit_report_total(report), 0);
    audit_compare_total(report, 0);
    assert_int_equal(report->counts[AUDIT_LEDGER_TOTAL], 1);
}

/* However much is wrong, the report keeps a few examples, and the number of all. */
static void a_report_stays_small(void **state)
{
    struct audit_poll poll = {.id = "demo"};

    for (int i = 1; i <= 1000; i++)
        audit_report_add(report, AUDIT_TALLY, 2, &poll, (uint64_t)i, "number %d", i);
    assert_int_equal(report->counts[AUDIT_TALLY], 2000);
    assert_int_equal(poll.discrepancies, 2000);
    assert_int_equal(report->n_examples[AUDIT_TALLY], AUDIT_EXAMPLES);
    assert_string_equal(report->examples[AUDIT_TALLY][0].detail, "number 1");
    assert_string_equal(report->examples[AUDIT_TALLY][0].poll, "demo");
}

/* A detail that quotes what is no UTF-8 must not make a program's report unreadable. */
static void the_json_is_json_whatever_was_found(void **state)
{
    char *text = NULL;
    size_t len = 0;

    audit_report_add(report, AUDIT_TALLY, 1, NULL, 0, "choice \xff: 1 and 2");
    FILE *to = open_memstream(&text, &len);
    audit_report_print_json(report, to);
    fclose(to);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    assert_false(json_is_true(json_object_get(json, "ok")));
    assert_int_equal(json_array_size(json_object_get(json, "discrepancies")), 1);
    json_decref(json);
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(equal_batches_are_well_and_applied),
        TEST(what_is_above_the_line_is_pending),
        TEST(a_batch_that_differs_is_named),
        TEST(books_that_do_not_add_up_are_named),
        TEST(the_polls_together_received_what_the_batches_held),
        TEST(a_report_stays_small),
        TEST(the_json_is_json_whatever_was_found),
    };
    return cmocka_run_group_tests_name("audit_compare", tests, NULL, NULL);
}

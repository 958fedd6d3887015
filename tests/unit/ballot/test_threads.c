/* Tests of what threads meet in: directory, metrics, log. ThreadSanitizer watches one of their builds.
 * SPDX-License-Identifier: MIT */
#include "ballot/directory.h"
#include "ballot/keys.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/metrics.h"
#include "capture.h"
#include "unit.h"
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4, POLLS = 40, EDITS = 300, COUNTS = 20000, LINES = 500 };

/* Runs fn(arg) on n threads at once and waits for them. */
static void run_on(int n, void *(*fn)(void *arg), void *arg)
{
    pthread_t threads[16];
    assert_true(n <= 16);
    for (int i = 0; i < n; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fn, arg), 0);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

/* --- directory */

struct meeting {
    struct directory *directory;
    atomic_int writers;
    atomic_int wrong;
};

/* A poll whose fields tell of each other: a torn one would show. */
static struct poll *make_poll(int number, int edit)
{
    struct poll *poll = poll_new();
    char title[64];
    snprintf(poll->id, sizeof(poll->id), "poll-%d", number);
    snprintf(title, sizeof(title), "%d/%d", number, edit);
    poll->title = alloc_copy(title);
    poll->created_at_ms = number;
    poll->updated_at_ms = edit;
    return poll;
}

static bool is_whole(const struct poll *poll)
{
    int number, edit;
    return sscanf(poll->title, "%d/%d", &number, &edit) == 2 && number == poll->created_at_ms &&
           edit == poll->updated_at_ms;
}

static void *write_polls(void *arg)
{
    struct meeting *meeting = arg;
    for (int edit = 1; edit <= EDITS; edit++)
        for (int number = 0; number < POLLS; number++)
            directory_put(meeting->directory, make_poll(number, edit));
    atomic_fetch_sub(&meeting->writers, 1);
    return NULL;
}

static void check_poll(void *arg, const struct poll *poll)
{
    struct meeting *meeting = arg;
    if (!is_whole(poll))
        atomic_fetch_add(&meeting->wrong, 1);
}

static void *read_polls(void *arg)
{
    struct meeting *meeting = arg;
    int64_t newest[POLLS] = {0};
    struct poll *page[POLLS];
    char id[POLL_ID_MAX + 1];

    do {
        for (int number = 0; number < POLLS; number++) {
            snprintf(id, sizeof(id), "poll-%d", number);
            struct poll *poll = directory_find(meeting->directory, id, strlen(id));
            if (poll == NULL)
                continue;
            struct poll *second = poll_retain(poll);
            /* what one reader has seen never goes back */
            if (!is_whole(poll) || poll->updated_at_ms < newest[number])
                atomic_fetch_add(&meeting->wrong, 1);
            newest[number] = poll->updated_at_ms;
            poll_release(poll);
            poll_release(second);
        }
        size_t n = directory_list(meeting->directory, "", page, POLLS);
        for (size_t i = 0; i < n; i++) {
            check_poll(meeting, page[i]);
            poll_release(page[i]);
        }
        directory_each(meeting->directory, check_poll, meeting);
        if (directory_count(meeting->directory) > POLLS)
            atomic_fetch_add(&meeting->wrong, 1);
    } while (atomic_load(&meeting->writers) > 0);
    return NULL;
}

static void *read_or_write(void *arg)
{
    static atomic_int turn;
    return atomic_fetch_add(&turn, 1) % 3 == 0 ? write_polls(arg) : read_polls(arg);
}

static void readers_of_the_directory_always_see_whole_polls(void **state)
{
    struct meeting meeting = {.directory = directory_new()};
    atomic_init(&meeting.writers, 2);
    atomic_init(&meeting.wrong, 0);
    run_on(6, read_or_write, &meeting);

    assert_int_equal(atomic_load(&meeting.wrong), 0);
    assert_int_equal(directory_count(meeting.directory), POLLS);
    struct poll *last = directory_find(meeting.directory, "poll-0", 6);
    assert_int_equal(last->updated_at_ms, EDITS);
    assert_int_equal(atomic_load(&last->refs), 2);
    poll_release(last);
    directory_free(meeting.directory);
}

static void *retain_and_release(void *arg)
{
    struct poll *poll = arg;
    for (int i = 0; i < COUNTS; i++)
        poll_release(poll_retain(poll));
    return NULL;
}

static void references_add_up_whoever_takes_them(void **state)
{
    struct poll *poll = make_poll(1, 1);
    run_on(THREADS, retain_and_release, poll);
    assert_int_equal(atomic_load(&poll->refs), 1);
    poll_release(poll);
}

/* --- metrics */

static void *count(void *arg)
{
    struct metric *counter = metric_counter("t_threads_total", "", "Counted by all threads.");
    struct metric *histogram = metric_histogram_seconds("t_threads_seconds", "", "Observed by all threads.");
    for (int i = 0; i < COUNTS; i++) {
        metric_add(counter, 1);
        metric_observe_ns(histogram, i * 1000);
        if (i % 1000 == 0) {
            size_t len;
            free(metrics_render(&len));
        }
    }
    return arg;
}

static void no_count_is_lost_between_threads_and_scrapes(void **state)
{
    metric_counter("t_threads_total", "", "Counted by all threads.");
    run_on(THREADS, count, NULL);
    assert_int_equal(metric_value(metric_counter("t_threads_total", "", "")), THREADS * COUNTS);
    assert_int_equal(metric_value(metric_histogram_seconds("t_threads_seconds", "", "")), THREADS * COUNTS);
}

/* --- random bytes, of which each thread has a store of its own */

enum { DRAWS = 2000 };
static uint8_t drawn[THREADS * DRAWS][VOTER_ID];

static void *draw(void *arg)
{
    static atomic_int turn;
    size_t first = (size_t)atomic_fetch_add(&turn, 1) * DRAWS;
    for (size_t i = 0; i < DRAWS; i++)
        random_bytes(drawn[first + i], VOTER_ID);
    return arg;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, VOTER_ID);
}

static void no_two_threads_draw_the_same_random_bytes(void **state)
{
    run_on(THREADS, draw, NULL);
    qsort(drawn, COUNT_OF(drawn), VOTER_ID, compare_ids);
    for (size_t i = 1; i < COUNT_OF(drawn); i++)
        assert_memory_not_equal(drawn[i - 1], drawn[i], VOTER_ID);
}

/* --- log */

static void *write_lines(void *arg)
{
    static atomic_int turn;
    int thread = atomic_fetch_add(&turn, 1);
    char text[1000];
    memset(text, 'a' + thread, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < LINES; i++)
        log_info("line", LOG_I("thread", thread), LOG_I("i", i), LOG_S("text", text));
    return arg;
}

static void lines_of_many_threads_never_mix(void **state)
{
    struct capture capture;
    int next[THREADS] = {0};
    size_t lines = 0;

    log_init("test", LOG_INFO);
    capture_start(&capture);
    run_on(THREADS, write_lines, NULL);
    char *text = capture_stop(&capture), *rest = text;
    for (char *line = strsep(&rest, "\n"); rest != NULL; line = strsep(&rest, "\n"), lines++) {
        json_t *json = json_loads(line, 0, NULL);
        if (json == NULL)
            fail_test("no JSON: %s", line);
        int thread = (int)json_integer_value(json_object_get(json, "thread"));
        const char *value = json_string_value(json_object_get(json, "text"));
        assert_in_range(thread, 0, THREADS - 1);
        assert_int_equal(json_integer_value(json_object_get(json, "i")), next[thread]++); /* each thread's in order */
        assert_int_equal(strspn(value, (char[]){(char)('a' + thread), '\0'}), 999);
        json_decref(json);
    }
    assert_int_equal(lines, THREADS * LINES);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_of_the_directory_always_see_whole_polls),
        cmocka_unit_test(references_add_up_whoever_takes_them),
        cmocka_unit_test(no_count_is_lost_between_threads_and_scrapes),
        cmocka_unit_test(no_two_threads_draw_the_same_random_bytes),
        cmocka_unit_test(lines_of_many_threads_never_mix),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}

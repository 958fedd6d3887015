/* The thread that does what may wait on the broker: in order, not too many, and nothing for who waited too long.
 * SPDX-License-Identifier: MIT */
#include "jobs.h"

#include "base/clock.h"
#include "unit.h"
#include <semaphore.h>

/* --- in the place of the HTTP server */

static sem_t all_done;

void http_loop_post(struct http_loop *loop, void (*fn)(void *arg), void *arg)
{
    fn(arg);
}

void http_problem(struct http_call *call, enum problem problem, const char *pointer, const char *detail, ...)
{
    fail_test("nobody asked");
}

/* --- jobs */

static struct jobs *jobs;
static sem_t may_go;
static struct job *next;
static char order[16];

struct letter {
    struct job job;
    char text[2];
};

static void run_letter(struct job *job)
{
    strcat(order, ((struct letter *)job)->text);
}

static void on_done(struct job *job)
{
    sem_post(&all_done);
}

static void run_and_wait(struct job *job)
{
    sem_wait(&may_go);
    run_letter(job);
}

/* As if this one had taken so long. The next job is the queue's, but its thread is here. */
static void run_for_long(struct job *job)
{
    run_and_wait(job);
    next->since_ms = clock_mono_ms() - JOBS_WAIT_MS - 1;
}

static void wait_done(int n)
{
    for (int i = 0; i < n; i++)
        sem_wait(&all_done);
}

/* The thread goes with the process: all tests share it. */
static int set_up(void **state)
{
    struct errmsg err;

    order[0] = '\0';
    if (jobs != NULL)
        return 0;
    sem_init(&all_done, 0, 0);
    sem_init(&may_go, 0, 0);
    return jobs_open(&jobs, &err) == ST_OK ? 0 : -1;
}

static void they_are_done_in_order(void **state)
{
    struct letter letters[] = {{{.run = run_and_wait, .done = on_done}, "a"},
                               {{.run = run_letter, .done = on_done}, "b"},
                               {{.run = run_letter, .done = on_done}, "c"}};

    for (size_t i = 0; i < COUNT_OF(letters); i++)
        assert_true(jobs_submit(jobs, &letters[i].job));
    sem_post(&may_go);
    wait_done(3);
    assert_string_equal(order, "abc");
    assert_false(letters[2].job.is_late);
}

static void who_waited_too_long_is_told_and_nothing_is_done(void **state)
{
    struct letter letters[] = {{{.run = run_for_long, .done = on_done}, "a"},
                               {{.run = run_letter, .done = on_done}, "b"},
                               {{.run = run_letter, .done = on_done}, "c"}};

    next = &letters[1].job;
    for (size_t i = 0; i < COUNT_OF(letters); i++)
        assert_true(jobs_submit(jobs, &letters[i].job));
    sem_post(&may_go);
    wait_done(3);
    assert_string_equal(order, "ac");
    assert_true(letters[1].job.is_late);
    assert_false(letters[2].job.is_late);
}

static void one_too_many_is_refused(void **state)
{
    static struct letter letters[JOBS_MAX + 2];
    int taken = 0;

    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        letters[i].job = (struct job){.run = i == 0 ? run_and_wait : run_letter, .done = on_done};
        taken += jobs_submit(jobs, &letters[i].job);
    }
    /* Whether the first one had left the queue by then is not known. */
    assert_in_range(taken, JOBS_MAX, JOBS_MAX + 1);
    sem_post(&may_go);
    wait_done(taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(they_are_done_in_order, set_up),
        cmocka_unit_test_setup(who_waited_too_long_is_told_and_nothing_is_done, set_up),
        cmocka_unit_test_setup(one_too_many_is_refused, set_up),
    };

    return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}

/* Tests of metrics: what is rendered keeps the rules of the Prometheus text format, and counts what happened.
 * SPDX-License-Identifier: MIT */
#include "base/metrics.h"

#include "base/clock.h"
#include "unit.h"
#include <ctype.h>
#include <math.h>

/* --- a reader of the format (prometheus.io/docs/instrumenting/exposition_formats) as strict as promtool */

#define SAMPLES_MAX 512
#define FAMILIES_MAX 128

struct sample {
    char name[96];
    char labels[128]; /* between the braces */
    double value;
};

struct page {
    struct sample samples[SAMPLES_MAX];
    size_t n_samples;
    char families[FAMILIES_MAX][96];
    char types[FAMILIES_MAX][16];
    size_t n_families;
};

static const char *skip_name(const char *at)
{
    const char *start = at;
    while (isalnum((unsigned char)*at) || *at == '_' || *at == ':')
        at++;
    CHECK_ROW(at != start && !isdigit((unsigned char)*start), "%s", start);
    return at;
}

static const char *skip_labels(const char *at)
{
    while (*at != '}') {
        at = skip_name(at);
        CHECK_ROW(at[0] == '=' && at[1] == '"', "%s", at);
        for (at += 2; *at != '"'; at++) {
            CHECK_ROW(*at != '\0' && *at != '\n', "open label");
            if (*at == '\\')
                at++;
        }
        at++;
        if (*at == ',')
            at++;
    }
    return at;
}

static void read_sample(struct page *page, const char *line)
{
    struct sample *sample = &page->samples[page->n_samples++];
    assert_true(page->n_samples < SAMPLES_MAX);
    const char *at = skip_name(line);
    memset(sample, 0, sizeof(*sample));
    memcpy(sample->name, line, (size_t)(at - line));
    if (*at == '{') {
        const char *end = skip_labels(at + 1);
        memcpy(sample->labels, at + 1, (size_t)(end - at - 1));
        at = end + 1;
    }
    CHECK_ROW(*at == ' ', "%s", line);
    char *end;
    sample->value = strtod(at + 1, &end);
    CHECK_ROW(end != at + 1 && *end == '\0' && isfinite(sample->value), "%s", line);

    /* It belongs to the family that was opened last. */
    const char *family = page->families[page->n_families - 1], *type = page->types[page->n_families - 1];
    const char *suffix = sample->name + strlen(family);
    CHECK_ROW(strncmp(sample->name, family, strlen(family)) == 0, "%s is not of %s", sample->name, family);
    bool fits = strcmp(type, "histogram") == 0
                    ? strcmp(suffix, "_bucket") == 0 || strcmp(suffix, "_sum") == 0 || strcmp(suffix, "_count") == 0
                    : *suffix == '\0';
    CHECK_ROW(fits, "%s in the %s %s", sample->name, type, family);
    CHECK_ROW(strcmp(type, "counter") != 0 || sample->value >= 0, "%s", line);
    for (size_t i = 0; i + 1 < page->n_samples; i++)
        CHECK_ROW(strcmp(page->samples[i].name, sample->name) != 0 ||
                      strcmp(page->samples[i].labels, sample->labels) != 0,
                  "%s twice", line);
}

static void read_comment(struct page *page, const char *line, const char *before)
{
    char name[96], type[16];
    if (strncmp(line, "# HELP ", 7) == 0) {
        assert_int_equal(sscanf(line + 7, "%95s", name), 1);
        for (size_t i = 0; i < page->n_families; i++)
            CHECK_ROW(strcmp(page->families[i], name) != 0, "two HELP for %s", name);
        CHECK_ROW(strlen(line) > 8 + strlen(name), "no help: %s", line);
        return;
    }
    assert_int_equal(sscanf(line, "# TYPE %95s %15s", name, type), 2);
    char help[112];
    snprintf(help, sizeof(help), "# HELP %s ", name);
    CHECK_ROW(strncmp(before, help, strlen(help)) == 0, "TYPE of %s without HELP before it", name);
    CHECK_ROW(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0 || strcmp(type, "histogram") == 0, "%s", line);
    size_t len = strlen(name);
    bool total = len > 6 && strcmp(name + len - 6, "_total") == 0;
    CHECK_ROW(total == (strcmp(type, "counter") == 0), "%s is a %s", name, type); /* promtool check metrics */
    strcpy(page->families[page->n_families], name);
    strcpy(page->types[page->n_families++], type);
    assert_true(page->n_families < FAMILIES_MAX);
}

static double value_of(const struct page *page, const char *name, const char *labels)
{
    for (size_t i = 0; i < page->n_samples; i++)
        if (strcmp(page->samples[i].name, name) == 0 && strcmp(page->samples[i].labels, labels) == 0)
            return page->samples[i].value;
    fail_test("no sample %s{%s}", name, labels);
    return 0;
}

/* Buckets rise, in bounds and in values, and end in +Inf, which is the count. */
static void check_histograms(const struct page *page)
{
    for (size_t i = 0; i < page->n_samples; i++) {
        const struct sample *sample = &page->samples[i], *before = i > 0 ? &page->samples[i - 1] : NULL;
        const char *le = strstr(sample->labels, "le=\"");
        if (strstr(sample->name, "_bucket") == NULL)
            continue;
        assert_non_null(le);
        double bound = strtod(le + 4, NULL); /* reads +Inf too */
        if (before != NULL && strcmp(before->name, sample->name) == 0 &&
            strncmp(before->labels, sample->labels, (size_t)(le - sample->labels)) == 0 &&
            strtod(strstr(before->labels, "le=\"") + 4, NULL) < bound) {
            CHECK_ROW(before->value <= sample->value, "%s{%s}", sample->name, sample->labels);
        }
        if (isinf(bound)) {
            assert_true(i + 2 < page->n_samples);
            assert_true(page->samples[i + 2].value == sample->value);
            assert_non_null(strstr(page->samples[i + 1].name, "_sum"));
            assert_non_null(strstr(page->samples[i + 2].name, "_count"));
        }
    }
}

/* Renders and reads; fails where a rule is broken. */
static struct page *render(void)
{
    static struct page page;
    size_t len;
    char *text = metrics_render(&len), *rest = text;
    const char *before = "";

    memset(&page, 0, sizeof(page));
    assert_int_equal(strlen(text), len);
    assert_true(len > 0 && text[len - 1] == '\n');
    for (char *line = strsep(&rest, "\n"); rest != NULL; line = strsep(&rest, "\n")) {
        CHECK_ROW(*line != '\0', "an empty line");
        if (*line == '#')
            read_comment(&page, line, before);
        else
            read_sample(&page, line);
        before = line;
    }
    check_histograms(&page);
    free(text);
    return &page;
}

/* --- the tests */

static void counters_gauges_and_labels_are_rendered(void **state)
{
    struct metric *ok = metric_counter("t_replies_total", "code=\"200\"", "Replies by code.");
    struct metric *bad = metric_counter("t_replies_total", "code=\"503\"", "Replies by code.");
    struct metric *plain = metric_counter("t_plain_total", "", "A counter\nwith \\ in its help.");
    struct metric *gauge = metric_gauge("t_depth", "", "A gauge.");

    metric_add(ok, 2);
    metric_add(ok, 40);
    metric_add(bad, UINT32_MAX);
    metric_set(gauge, 9);
    metric_set(gauge, -7);
    const struct page *page = render();
    assert_true(value_of(page, "t_replies_total", "code=\"200\"") == 42);
    assert_true(value_of(page, "t_replies_total", "code=\"503\"") == UINT32_MAX);
    assert_true(value_of(page, "t_plain_total", "") == 0);
    assert_true(value_of(page, "t_depth", "") == -7);
    assert_int_equal(metric_value(ok), 42);
    assert_int_equal(metric_value(plain), 0);
}

static void help_is_escaped(void **state)
{
    size_t len;
    metric_counter("t_help_total", "", "Two\nlines and a \\.");
    char *text = metrics_render(&len);
    assert_contains(text, "# HELP t_help_total Two\\nlines and a \\\\.\n# TYPE t_help_total counter\nt_help_total 0\n");
    free(text);
}

static double read_three_quarters(void *arg)
{
    (*(int *)arg)++;
    return 0.75;
}

static void a_gauge_may_be_read_at_the_scrape(void **state)
{
    static int calls;
    metric_gauge_from("t_ratio", "", "A ratio.", read_three_quarters, &calls);
    assert_true(value_of(render(), "t_ratio", "") == 0.75);
    assert_int_equal(calls, 1);
}

static double read_given(void *arg)
{
    return *(double *)arg;
}

static void what_is_no_number_has_the_words_of_the_format(void **state)
{
    static double values[] = {-NAN, INFINITY, -INFINITY};
    static const char *const words[] = {"\nt_given NaN\n", "\nt_given +Inf\n", "\nt_given -Inf\n"};
    static double given;
    metric_gauge_from("t_given", "", "Given.", read_given, &given);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        size_t len;
        given = values[i];
        char *text = metrics_render(&len);
        assert_contains(text, words[i]);
        free(text);
    }
    given = 0; /* for the strict reader of the other tests */
}

static void a_histogram_counts_each_observation_in_its_bucket_and_all_above(void **state)
{
    struct metric *h = metric_histogram_seconds("t_seconds", "", "A histogram.");
    metric_observe_ns(h, 0);
    metric_observe_ns(h, 500000); /* on the bound: le is "less or equal" */
    metric_observe_ns(h, 500001);
    metric_observe_ns(h, 300000000);   /* 0.3 s */
    metric_observe_ns(h, 10000000000); /* the last bound */
    metric_observe_ns(h, 10000000001); /* past it */
    metric_observe_ns(h, -5);          /* a clock that was set back counts as nothing */

    const struct page *page = render();
    assert_true(value_of(page, "t_seconds_bucket", "le=\"0.0005\"") == 3);
    assert_true(value_of(page, "t_seconds_bucket", "le=\"0.001\"") == 4);
    assert_true(value_of(page, "t_seconds_bucket", "le=\"0.25\"") == 4);
    assert_true(value_of(page, "t_seconds_bucket", "le=\"0.5\"") == 5);
    assert_true(value_of(page, "t_seconds_bucket", "le=\"10\"") == 6);
    assert_true(value_of(page, "t_seconds_bucket", "le=\"+Inf\"") == 7);
    assert_true(value_of(page, "t_seconds_count", "") == 7);
    assert_true(fabs(value_of(page, "t_seconds_sum", "") - 20.301000002) < 1e-9);
    assert_int_equal(metric_value(h), 7);
}

static void a_histogram_may_have_labels(void **state)
{
    struct metric *put = metric_histogram_seconds("t_wait_seconds", "route=\"put\"", "By route.");
    struct metric *get = metric_histogram_seconds("t_wait_seconds", "route=\"get\"", "By route.");
    metric_observe_ns(put, 2000000);
    metric_observe_ns(get, 2000000);
    metric_observe_ns(get, 2000000);
    const struct page *page = render();
    assert_true(value_of(page, "t_wait_seconds_bucket", "route=\"put\",le=\"0.0025\"") == 1);
    assert_true(value_of(page, "t_wait_seconds_bucket", "route=\"get\",le=\"+Inf\"") == 2);
    assert_true(value_of(page, "t_wait_seconds_count", "route=\"put\"") == 1);
    assert_true(fabs(value_of(page, "t_wait_seconds_sum", "route=\"get\"") - 0.004) < 1e-12);
}

static void the_same_name_and_labels_are_the_same_metric(void **state)
{
    struct metric *a = metric_counter("t_once_total", "", "Once.");
    assert_ptr_equal(metric_counter("t_once_total", "", "Once."), a);
    render();
}

static void large_counts_keep_every_digit(void **state)
{
    size_t len;
    metric_add(metric_counter("t_large_total", "", "Large."), 9007199254740993);
    char *text = metrics_render(&len);
    assert_contains(text, "\nt_large_total 9007199254740993\n");
    free(text);
}

static void the_process_tells_of_itself(void **state)
{
    const struct page *page = render();
    double now = (double)clock_wall_ms() / 1000;
    double start = value_of(page, "process_start_time_seconds", "");
    double resident = value_of(page, "process_resident_memory_bytes", "");

    assert_true(start > now - 3600 && start <= now + 60); /* in seconds, and clocks are set */
    assert_true(resident > 100e3 && resident < 100e9);
    assert_true(value_of(page, "process_virtual_memory_bytes", "") >= resident);
    assert_true(value_of(page, "process_cpu_seconds_total", "") > 0);
    assert_true(value_of(page, "process_open_fds", "") >= 3);
    assert_true(value_of(page, "process_max_fds", "") > value_of(page, "process_open_fds", ""));
}

static void an_opened_file_is_counted(void **state)
{
    double before = value_of(render(), "process_open_fds", "");
    FILE *file = fopen("/dev/null", "r");
    assert_true(value_of(render(), "process_open_fds", "") == before + 1);
    fclose(file);
    assert_true(value_of(render(), "process_open_fds", "") == before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_gauges_and_labels_are_rendered),
        cmocka_unit_test(help_is_escaped),
        cmocka_unit_test(a_gauge_may_be_read_at_the_scrape),
        cmocka_unit_test(what_is_no_number_has_the_words_of_the_format),
        cmocka_unit_test(a_histogram_counts_each_observation_in_its_bucket_and_all_above),
        cmocka_unit_test(a_histogram_may_have_labels),
        cmocka_unit_test(the_same_name_and_labels_are_the_same_metric),
        cmocka_unit_test(large_counts_keep_every_digit),
        cmocka_unit_test(the_process_tells_of_itself),
        cmocka_unit_test(an_opened_file_is_counted),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}

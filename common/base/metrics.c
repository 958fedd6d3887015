/* metrics - counts with atomics, and writes the Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting).
 * SPDX-License-Identifier: MIT */
#include "base/metrics.h"

#include "base/alloc.h"
#include "base/clock.h"
#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum metric_type { COUNTER, GAUGE, HISTOGRAM };
static const char *const type_names[] = {"counter", "gauge", "histogram"};

/* Upper bounds of the buckets. One more bucket takes the rest. */
static const struct {
    int64_t ns;
    const char *text; /* seconds */
} bounds[] = {
    {500000, "0.0005"},  {1000000, "0.001"},  {2500000, "0.0025"}, {5000000, "0.005"},  {10000000, "0.01"},
    {25000000, "0.025"}, {50000000, "0.05"},  {100000000, "0.1"},  {250000000, "0.25"}, {500000000, "0.5"},
    {1000000000, "1"},   {2500000000, "2.5"}, {5000000000, "5"},   {10000000000, "10"},
};
#define N_BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

/* Threads count in different cache lines. Two event loops that count every request in the same cache line would slow
 * each other down. */
#define SHARDS 4

struct shard {
    _Alignas(64) _Atomic uint64_t value; /* of a histogram: the sum in ns. A gauge uses only the first shard. */
    _Atomic uint64_t buckets[N_BOUNDS + 1];
};

struct metric {
    struct shard shards[SHARDS];
    struct metric *next;
    enum metric_type type;
    const char *name, *labels, *help;
    double (*read)(void *arg);
    void *arg;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list, not of the values */
static struct metric *first, **last = &first;

static bool is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return n != 0 && name[n] == '\0' && !(name[0] >= '0' && name[0] <= '9');
}

static struct metric *make_metric(enum metric_type type, const char *name, const char *labels, const char *help)
{
    struct metric *metric, *newest = NULL;
    bool known_name = false;

    assert(is_name(name));
    pthread_mutex_lock(&lock);
    for (metric = first; metric != NULL; metric = metric->next) {
        newest = metric;
        if (strcmp(metric->name, name) != 0)
            continue;
        assert(metric->type == type);
        known_name = true;
        if (strcmp(metric->labels, labels) == 0)
            break;
    }
    if (metric == NULL) {
        assert(!known_name || strcmp(newest->name, name) == 0); /* metrics of one name are made one after the other */
        metric = aligned_alloc(_Alignof(struct metric), sizeof(*metric));
        if (metric == NULL)
            abort();
        memset(metric, 0, sizeof(*metric));
        metric->type = type;
        metric->name = alloc_copy(name);
        metric->labels = alloc_copy(labels);
        metric->help = alloc_copy(help);
        *last = metric;
        last = &metric->next;
    }
    pthread_mutex_unlock(&lock);
    return metric;
}

struct metric *metric_counter(const char *name, const char *labels, const char *help)
{
    return make_metric(COUNTER, name, labels, help);
}

struct metric *metric_gauge(const char *name, const char *labels, const char *help)
{
    return make_metric(GAUGE, name, labels, help);
}

struct metric *metric_gauge_from(const char *name, const char *labels, const char *help, double (*read)(void *arg),
                                 void *arg)
{
    struct metric *metric = make_metric(GAUGE, name, labels, help);
    pthread_mutex_lock(&lock);
    metric->read = read;
    metric->arg = arg;
    pthread_mutex_unlock(&lock);
    return metric;
}

struct metric *metric_histogram_seconds(const char *name, const char *labels, const char *help)
{
    return make_metric(HISTOGRAM, name, labels, help);
}

static struct shard *own_shard(struct metric *metric)
{
    static atomic_uint threads;
    static _Thread_local unsigned number; /* from 1; 0: this thread has none yet */

    if (number == 0)
        number = 1 + atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % SHARDS;
    return &metric->shards[number - 1];
}

static uint64_t sum_values(const struct metric *metric)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < SHARDS; i++)
        sum += atomic_load_explicit(&metric->shards[i].value, memory_order_relaxed);
    return sum;
}

static uint64_t sum_bucket(const struct metric *metric, size_t bucket)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < SHARDS; i++)
        sum += atomic_load_explicit(&metric->shards[i].buckets[bucket], memory_order_relaxed);
    return sum;
}

void metric_add(struct metric *metric, uint64_t n)
{
    atomic_fetch_add_explicit(&own_shard(metric)->value, n, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->shards[0].value, (uint64_t)value, memory_order_relaxed);
}

void metric_observe_ns(struct metric *metric, int64_t ns)
{
    struct shard *shard = own_shard(metric);
    size_t i = 0;

    if (ns < 0)
        ns = 0;
    while (i < N_BOUNDS && ns > bounds[i].ns)
        i++;
    atomic_fetch_add_explicit(&shard->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&shard->value, (uint64_t)ns, memory_order_relaxed);
}

uint64_t metric_value(const struct metric *metric)
{
    uint64_t n = 0;

    if (metric->type != HISTOGRAM)
        return sum_values(metric);
    for (size_t i = 0; i <= N_BOUNDS; i++)
        n += sum_bucket(metric, i);
    return n;
}

/* --- rendering */

static void render_head(FILE *to, const char *name, const char *type, const char *help)
{
    fprintf(to, "# HELP %s ", name);
    for (; *help != '\0'; help++) {
        if (*help == '\\' || *help == '\n')
            fprintf(to, "\\%c", *help == '\n' ? 'n' : '\\');
        else
            fputc(*help, to);
    }
    fprintf(to, "\n# TYPE %s %s\n", name, type);
}

static void render_histogram(FILE *to, const struct metric *metric)
{
    const char *comma = *metric->labels == '\0' ? "" : ",";
    uint64_t n = 0;

    for (size_t i = 0; i <= N_BOUNDS; i++) {
        n += sum_bucket(metric, i);
        fprintf(to, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", metric->name, metric->labels, comma,
                i < N_BOUNDS ? bounds[i].text : "+Inf", n);
    }
    const char *open = *metric->labels == '\0' ? "" : "{";
    const char *close = *metric->labels == '\0' ? "" : "}";
    uint64_t sum = sum_values(metric);
    fprintf(to, "%s_sum%s%s%s %" PRIu64 ".%09" PRIu64 "\n", metric->name, open, metric->labels, close, sum / 1000000000,
            sum % 1000000000);
    fprintf(to, "%s_count%s%s%s %" PRIu64 "\n", metric->name, open, metric->labels, close, n);
}

/* The format has its own words for values that are not numbers. */
static void render_value(FILE *to, double value)
{
    if (isnan(value))
        fputs(" NaN\n", to);
    else if (isinf(value))
        fputs(value > 0 ? " +Inf\n" : " -Inf\n", to);
    else
        fprintf(to, " %.17g\n", value);
}

static void render_metric(FILE *to, const struct metric *metric)
{
    if (metric->type == HISTOGRAM) {
        render_histogram(to, metric);
        return;
    }
    fputs(metric->name, to);
    if (*metric->labels != '\0')
        fprintf(to, "{%s}", metric->labels);
    uint64_t value = sum_values(metric);
    if (metric->read != NULL)
        render_value(to, metric->read(metric->arg));
    else if (metric->type == GAUGE)
        fprintf(to, " %" PRId64 "\n", (int64_t)value);
    else
        fprintf(to, " %" PRIu64 "\n", value);
}

/* --- the process itself */

static void render_number(FILE *to, const char *name, const char *type, const char *help, double value)
{
    render_head(to, name, type, help);
    fputs(name, to);
    render_value(to, value);
}

static size_t count_open_files(void)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");

    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the directory itself */
}

static void read_memory(double *virtual_bytes, double *resident_bytes)
{
    unsigned long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file != NULL) {
        if (fscanf(file, "%lu %lu", &pages, &resident) != 2)
            pages = resident = 0;
        fclose(file);
    }
    double page_size = (double)sysconf(_SC_PAGESIZE);
    *virtual_bytes = (double)pages * page_size;
    *resident_bytes = (double)resident * page_size;
}

/* When this process began, in seconds since 1970. Field 22 of proc(5) stat has it in ticks since the machine started.
 */
static double read_start_time(void)
{
    char line[1024];
    unsigned long long ticks = 0;
    FILE *file = fopen("/proc/self/stat", "re");

    if (file == NULL)
        return 0;
    if (fgets(line, sizeof(line), file) == NULL)
        line[0] = '\0';
    fclose(file);
    char *at = strrchr(line, ')'); /* the end of field 2, a name that may contain any character */
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL || sscanf(at, "%llu", &ticks) != 1)
        return 0;
    double up = (double)clock_read_ns(CLOCK_BOOTTIME) / 1e9;
    double now = (double)clock_read_ns(CLOCK_REALTIME) / 1e9;
    return now - up + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double start_time;

static void keep_start_time(void)
{
    start_time = read_start_time(); /* once, because the wall clock may be set later */
}

static void render_process(FILE *to)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    double virtual_bytes, resident_bytes;

    pthread_once(&once, keep_start_time);
    read_memory(&virtual_bytes, &resident_bytes);
    render_number(to, "process_cpu_seconds_total", "counter", "User and system time in seconds.",
                  (double)clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9);
    render_number(to, "process_resident_memory_bytes", "gauge", "Resident memory in bytes.", resident_bytes);
    render_number(to, "process_virtual_memory_bytes", "gauge", "Virtual memory in bytes.", virtual_bytes);
    render_number(to, "process_open_fds", "gauge", "Open file descriptors.", (double)count_open_files());
    render_number(to, "process_max_fds", "gauge", "Most file descriptors that may be open.",
                  (double)sysconf(_SC_OPEN_MAX));
    render_number(to, "process_start_time_seconds", "gauge", "Start of the process in seconds since 1970.", start_time);
}

char *metrics_render(size_t *len)
{
    char *text = NULL;
    FILE *to = alloc_stream(&text, len);
    const char *name = "";

    pthread_mutex_lock(&lock);
    for (const struct metric *metric = first; metric != NULL; metric = metric->next) {
        if (strcmp(metric->name, name) != 0)
            render_head(to, metric->name, type_names[metric->type], metric->help);
        name = metric->name;
        render_metric(to, metric);
    }
    pthread_mutex_unlock(&lock);
    render_process(to);
    alloc_stream_close(to);
    return text;
}

/* metrics - counters, gauges and histograms in the Prometheus text format (version 0.0.4).
 * SPDX-License-Identifier: MIT
 *
 * Metrics are made at start and live as long as the process; any thread may change them. Base units (seconds, bytes),
 * no poll ids as labels. */
#ifndef SCRUTIN_METRICS_H
#define SCRUTIN_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct metric;

/* labels is "" or `code="200"`; metrics that share a name must be made one after the other. */
struct metric *metric_counter(const char *name, const char *labels, const char *help);
struct metric *metric_gauge(const char *name, const char *labels, const char *help);
/* read(arg) is called at every scrape, on the scraping thread. */
struct metric *metric_gauge_from(const char *name, const char *labels, const char *help, double (*read)(void *arg),
                                 void *arg);
/* Buckets in seconds from 0.5 ms to 10 s. */
struct metric *metric_histogram_seconds(const char *name, const char *labels, const char *help);

void metric_add(struct metric *metric, uint64_t n);
void metric_set(struct metric *metric, int64_t value);
void metric_observe_ns(struct metric *metric, int64_t ns);
uint64_t metric_value(const struct metric *metric);

/* All metrics and the process's own (resident memory, CPU, open files). The caller frees it. */
char *metrics_render(size_t *len);

#endif

/* metrics - counters, gauges and histograms in the Prometheus text format (version 0.0.4).
 * SPDX-License-Identifier: MIT
 *
 * Metrics are made at start and live as long as the process. Any thread may change them. They use base units (seconds,
 * bytes). A poll id is never a label, because Prometheus keeps one series for each value of a label. */
#ifndef SCRUTIN_METRICS_H
#define SCRUTIN_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct metric;

/* These make a metric, or return the one that already has this name and these labels. labels is "" or `code="200"`.
 * Make metrics that share a name one directly after the other. */
struct metric *metric_counter(const char *name, const char *labels, const char *help);
struct metric *metric_gauge(const char *name, const char *labels, const char *help);
/* read(arg) gives the value. It is called at every scrape, on the scraping thread. */
struct metric *metric_gauge_from(const char *name, const char *labels, const char *help, double (*read)(void *arg),
                                 void *arg);
/* The buckets reach from 0.5 ms to 10 s. */
struct metric *metric_histogram_seconds(const char *name, const char *labels, const char *help);

void metric_add(struct metric *metric, uint64_t n);
void metric_set(struct metric *metric, int64_t value);
void metric_observe_ns(struct metric *metric, int64_t ns);
/* The value of a counter or gauge; of a histogram, the number of observations. */
uint64_t metric_value(const struct metric *metric);

/* The text of all metrics, with those of the process (memory, CPU, open files). The caller frees it. */
char *metrics_render(size_t *len);

#endif

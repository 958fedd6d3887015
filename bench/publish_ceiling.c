/* publish_ceiling - the ceiling of an acknowledgement: publishes one message after the other to JetStream.
 * SPDX-License-Identifier: MIT
 *
 * usage: publish_ceiling NATS_URL BYTES SECONDS. Uses a stream of its own and deletes it at the end. Prints JSON. */
#include "base/alloc.h"
#include "base/clock.h"
#include "histogram.h"
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>

#define STREAM "BENCH"
#define SUBJECT "bench.message"

static void check(natsStatus status, const char *doing)
{
    if (status != NATS_OK) {
        fprintf(stderr, "publish_ceiling: %s: %s\n", doing, natsStatus_GetText(status));
        exit(1);
    }
}

static void add_stream(jsCtx *js)
{
    const char *subjects[] = {SUBJECT};
    jsStreamConfig config;

    check(jsStreamConfig_Init(&config), "stream");
    config.Name = STREAM;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    js_DeleteStream(js, STREAM, NULL, NULL); /* left by an interrupted run */
    check(js_AddStream(NULL, js, &config, NULL, NULL), "add stream");
}

int main(int argc, char **argv)
{
    static struct histogram latency;
    natsConnection *connection = NULL;
    jsCtx *js = NULL;
    int64_t start, end, now;
    char *message;
    int len = argc == 4 ? atoi(argv[2]) : 0;

    if (len <= 0) {
        fputs("usage: publish_ceiling NATS_URL BYTES SECONDS\n", stderr);
        return 2;
    }
    message = alloc_items(1, (size_t)len);
    check(natsConnection_ConnectTo(&connection, argv[1]), "connect");
    check(natsConnection_JetStream(&js, connection, NULL), "JetStream");
    add_stream(js);

    start = now = clock_mono_ns();
    end = start + (int64_t)(strtod(argv[3], NULL) * 1e9);
    while (now < end) {
        jsPubAck *ack = NULL;
        int64_t sent = now;
        check(js_Publish(&ack, js, SUBJECT, message, len, NULL, NULL), "publish");
        jsPubAck_Destroy(ack);
        now = clock_mono_ns();
        histogram_add(&latency, now - sent);
    }
    printf("{\"rate\":%.1f,\"latency_ms\":{\"n\":%llu,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}}\n",
           (double)latency.n / ((double)(now - start) / 1e9), (unsigned long long)latency.n,
           histogram_quantile_ms(&latency, 0.5), histogram_quantile_ms(&latency, 0.99),
           histogram_quantile_ms(&latency, 0.999), (double)latency.max_us / 1000);

    check(js_DeleteStream(js, STREAM, NULL, NULL), "delete stream");
    free(message);
    jsCtx_Destroy(js);
    natsConnection_Destroy(connection);
    nats_Close();
    return 0;
}

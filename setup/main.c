/* scrutin-setup - creates the streams, the buckets and the workers' consumer. It may run again at any time.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/config_rows.h"
#include "base/log.h"
#include "base/service.h"
#include "bus/bus.h"
#include <time.h>

#define CONNECT_MS 30000

struct setup_settings {
    char *nats_url;
    int log_level;
    int64_t max_bytes, max_age_s, ack_wait_ms, max_ack_pending, replicas;
};

static struct setup_settings settings;

#define AT(field) offsetof(struct setup_settings, field)

static const struct config_entry table[] = {
    CONFIG_SECTION("Other parts and secrets"),
    CONFIG_NATS_URL,

    CONFIG_SECTION("Operation"),
    CONFIG_LOG_LEVEL("info"),
    {"ACK_WAIT_MS", CONFIG_NUMBER, AT(ack_wait_ms), "10000", 1000, 600000,
     "Time in milliseconds after which a batch that no worker acknowledged goes to another worker."},
    {"STREAM_REPLICAS", CONFIG_NUMBER, AT(replicas), "1", 1, 5, "Copies of streams and buckets in a cluster."},

    CONFIG_SECTION("Limits of the stream"),
    {"BALLOTS_MAX_BYTES", CONFIG_NUMBER, AT(max_bytes), "8589934592", 1024, INT64_MAX,
     "Bytes of the stream BALLOTS: the default of 8 GiB holds about 100 million ballots. When the stream is full, new "
     "ballots are answered 503; old ones stay."},
    {"BALLOTS_MAX_AGE_S", CONFIG_NUMBER, AT(max_age_s), "2592000", 3600, 31536000,
     "Time in seconds that the stream BALLOTS keeps a message. The default of 30 days is longer than any outage."},
    {"MAX_ACK_PENDING", CONFIG_NUMBER, AT(max_ack_pending), "256", 1, 100000,
     "Batches that all workers together may hold without having acknowledged them. This slows delivery down to what "
     "the workers can store, and limits their memory."},
};

/* JetStream may start later than the connection, and a cluster first elects a leader: tries again until CONNECT_MS. */
static enum status set_up_with_retries(struct bus *bus, const struct bus_setup *setup, struct errmsg *err)
{
    const struct timespec pause = {0, 100 * 1000000};
    int64_t until = clock_mono_ms() + CONNECT_MS;
    enum status st = fail(err, ST_BUS_DOWN, "no broker answers at NATS_URL within %d s", CONNECT_MS / 1000);

    while (st != ST_OK && clock_mono_ms() < until) {
        if (bus_is_connected(bus))
            st = bus_set_up(bus, setup, err);
        if (st != ST_OK)
            nanosleep(&pause, NULL);
    }
    return st;
}

int main(int argc, char **argv)
{
    const struct service service = {.name = "scrutin-setup",
                                    .sentence = "creates the streams, the buckets and the workers' consumer",
                                    .entries = table,
                                    .n_entries = sizeof(table) / sizeof(table[0]),
                                    .config = &settings,
                                    .log_level = &settings.log_level};
    struct errmsg err;
    struct bus *bus;

    service_start(&service, argc, argv);
    enum status st = bus_open(settings.nats_url, "scrutin-setup", &bus, &err);
    if (st != ST_OK)
        service_die(st, &err, "connect to the broker");
    const struct bus_setup setup = {settings.max_bytes, settings.max_age_s, settings.ack_wait_ms,
                                    settings.max_ack_pending, settings.replicas};
    st = set_up_with_retries(bus, &setup, &err);
    if (st != ST_OK)
        service_die(st, &err, "set up");
    log_info("streams, buckets and consumer are set up");
    bus_close(bus);
    return 0;
}

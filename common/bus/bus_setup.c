/* bus_setup - streams and buckets, as PROTOCOL.md has them; and a look at the stream.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What tells one incarnation of the stream from the next stands in its description. The time of its creation, which the
 * server reports, would do if it were kept: nats-server 2.10.27 writes the time of its own start in its place when a
 * stream is updated after a restart, and reports that from the next restart on. */
#define DESCRIPTION "Every acknowledged ballot: the audit log"
#define INCARNATION "; incarnation "
/* The settings of the workers' consumer stand there too, for a worker that has to make it again. */
#define ACK_WAIT "; ack_wait_ms "
#define MAX_ACK_PENDING "; max_ack_pending "

/* The number behind a mark in the stream's description, or 0. */
static int64_t described(const jsStreamInfo *info, const char *mark)
{
    const char *description = info->Config->Description;
    const char *at = description == NULL ? NULL : strstr(description, mark);

    return at == NULL ? 0 : strtoll(at + strlen(mark), NULL, 10);
}

static int64_t incarnation_of(const jsStreamInfo *info)
{
    int64_t number = described(info, INCARNATION);

    return number > 0 ? number : info->Created;
}

static enum status find_or_add(struct bus *bus, jsStreamConfig *config, jsStreamInfo **info, struct errmsg *err)
{
    jsErrCode code = 0;
    natsStatus s = js_GetStreamInfo(info, bus->js, config->Name, NULL, &code);

    if (s == NATS_NOT_FOUND || code == JSStreamNotFoundErr) {
        code = 0;
        s = js_AddStream(info, bus->js, config, NULL, &code);
    }
    return bus_error(s, code, config->Name, err);
}

static enum status set_up_stream(struct bus *bus, jsStreamConfig *config, jsStreamInfo **info, struct errmsg *err)
{
    jsErrCode code = 0;
    natsStatus s = js_GetStreamInfo(info, bus->js, config->Name, NULL, &code);

    if (s == NATS_NOT_FOUND || code == JSStreamNotFoundErr) {
        code = 0;
        s = js_AddStream(info, bus->js, config, NULL, &code);
    } else if (s == NATS_OK) {
        jsStreamInfo_Destroy(*info);
        *info = NULL;
        s = js_UpdateStream(info, bus->js, config, NULL, &code);
    }
    return bus_error(s, code, config->Name, err);
}

static enum status set_up_ballots(struct bus *bus, const struct bus_setup *setup, int64_t *created_ns,
                                  struct errmsg *err)
{
    const char *subjects[] = {"ballots.>"};
    char description[sizeof(DESCRIPTION INCARNATION ACK_WAIT MAX_ACK_PENDING) + 60];
    jsStreamConfig config;
    jsStreamInfo *info = NULL;
    jsRePublish stored;

    jsStreamConfig_Init(&config);
    config.Name = BUS_STREAM;
    config.Description = DESCRIPTION;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.Retention = js_LimitsPolicy;
    config.Discard = js_DiscardNew; /* full: refuse the new ones, drop no old one */
    config.MaxBytes = setup->max_bytes;
    config.MaxAge = setup->max_age_s * 1000000000;
    config.Duplicates = INT64_C(120) * 1000000000;
    config.DenyDelete = true;
    config.DenyPurge = true;
    config.Replicas = setup->replicas;
    jsRePublish_Init(&stored); /* for readers: see bus_read.c */
    stored.Source = "ballots.>";
    stored.Destination = BUS_SUBJECT_STORED;
    config.RePublish = &stored;
    enum status st = find_or_add(bus, &config, &info, err);
    if (st != ST_OK)
        return st;
    *created_ns = incarnation_of(info);
    jsStreamInfo_Destroy(info);
    snprintf(description, sizeof(description), DESCRIPTION INCARNATION "%lld" ACK_WAIT "%lld" MAX_ACK_PENDING "%lld",
             (long long)*created_ns, (long long)setup->ack_wait_ms, (long long)setup->max_ack_pending);
    config.Description = description;
    st = set_up_stream(bus, &config, &info, err);
    jsStreamInfo_Destroy(info);
    return st;
}

static enum status set_up_dead_letters(struct bus *bus, const struct bus_setup *setup, struct errmsg *err)
{
    const char *subjects[] = {"dead.>"};
    jsStreamConfig config;
    jsStreamInfo *info = NULL;

    jsStreamConfig_Init(&config);
    config.Name = BUS_STREAM_DEAD;
    config.Description = "Messages of BALLOTS that can never be applied, with the reason";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.Replicas = setup->replicas;
    enum status st = set_up_stream(bus, &config, &info, err);
    jsStreamInfo_Destroy(info);
    return st;
}

static enum status set_up_bucket(struct bus *bus, const struct bus_bucket_plan *plan, const struct bus_setup *setup,
                                 struct errmsg *err)
{
    kvConfig config;
    kvStore *kv = NULL;
    natsStatus s = js_KeyValue(&kv, bus->js, plan->name);

    if (s == NATS_NOT_FOUND) {
        kvConfig_Init(&config);
        config.Bucket = plan->name;
        config.Description = plan->description;
        config.History = plan->history;
        config.StorageType = js_FileStorage;
        config.Replicas = (int)setup->replicas;
        s = js_CreateKeyValue(&kv, bus->js, &config);
    }
    kvStore_Destroy(kv);
    return bus_error(s, 0, plan->name, err);
}

enum status bus_set_up(struct bus *bus, const struct bus_setup *setup, struct errmsg *err)
{
    int64_t created_ns = 0;
    enum status st = set_up_ballots(bus, setup, &created_ns, err);

    if (st == ST_OK)
        st = set_up_dead_letters(bus, setup, err);
    for (int i = 0; i < BUS_BUCKETS && st == ST_OK; i++)
        st = set_up_bucket(bus, &bus_bucket_plans[i], setup, err);
    if (st == ST_OK)
        st = bus_set_up_consumer(
            bus, &(struct bus_consumer_plan){created_ns, setup->ack_wait_ms, setup->max_ack_pending}, err);
    return st;
}

/* --- looking */

enum status bus_stream_info(struct bus *bus, struct bus_stream_info *out, struct errmsg *err)
{
    jsStreamInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus s = js_GetStreamInfo(&info, bus->js, BUS_STREAM, NULL, &code);

    if (s == NATS_OK)
        *out = (struct bus_stream_info){incarnation_of(info), info->State.FirstSeq, info->State.LastSeq,
                                        info->State.Msgs, info->State.Bytes};
    jsStreamInfo_Destroy(info);
    return bus_error(s, code, "stream " BUS_STREAM, err);
}

enum status bus_read_consumer_plan(struct bus *bus, struct bus_consumer_plan *out, struct errmsg *err)
{
    jsStreamInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus s = js_GetStreamInfo(&info, bus->js, BUS_STREAM, NULL, &code);
    enum status st = bus_error(s, code, "stream " BUS_STREAM, err);

    *out = (struct bus_consumer_plan){0};
    if (st == ST_OK) {
        *out = (struct bus_consumer_plan){described(info, INCARNATION), described(info, ACK_WAIT),
                                          described(info, MAX_ACK_PENDING)};
        if (out->created_ns <= 0 || out->ack_wait_ms <= 0 || out->max_ack_pending <= 0)
            st = fail(err, ST_NOT_FOUND, "the description of " BUS_STREAM " does not say how the consumer is set up");
    }
    jsStreamInfo_Destroy(info);
    return st;
}

/* bus_setup - creates or updates streams, buckets and the consumer, as PROTOCOL.md describes them.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

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

/* Sets plan->created_ns. */
static enum status set_up_ballots(struct bus *bus, const struct bus_setup *setup, struct bus_consumer_plan *plan,
                                  struct errmsg *err)
{
    const char *subjects[] = {"ballots.>"};
    char description[BUS_DESCRIPTION];
    jsStreamConfig config;
    jsStreamInfo *info = NULL;
    jsRePublish stored;

    jsStreamConfig_Init(&config);
    config.Name = BUS_STREAM;
    config.Description = BUS_STREAM_PURPOSE;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.Retention = js_LimitsPolicy;
    config.Discard = js_DiscardNew; /* when it is full, refuse new messages and drop no old one */
    config.MaxBytes = setup->max_bytes;
    config.MaxAge = setup->max_age_s * 1000000000;
    config.Duplicates = INT64_C(120) * 1000000000;
    config.DenyDelete = true;
    config.DenyPurge = true;
    config.Replicas = setup->replicas;
    jsRePublish_Init(&stored); /* for readers: see bus_reader.c */
    stored.Source = "ballots.>";
    stored.Destination = BUS_SUBJECT_STORED;
    config.RePublish = &stored;
    enum status st = find_or_add(bus, &config, &info, err);
    if (st != ST_OK)
        return st;
    plan->created_ns = bus_read_incarnation(info);
    jsStreamInfo_Destroy(info);
    bus_write_description(description, plan);
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
    struct bus_consumer_plan plan = {.ack_wait_ms = setup->ack_wait_ms, .max_ack_pending = setup->max_ack_pending};
    enum status st = set_up_ballots(bus, setup, &plan, err);

    if (st == ST_OK)
        st = set_up_dead_letters(bus, setup, err);
    for (int i = 0; i < BUS_BUCKETS && st == ST_OK; i++)
        st = set_up_bucket(bus, &bus_bucket_plans[i], setup, err);
    if (st == ST_OK)
        st = bus_set_up_consumer(bus, &plan, err);
    return st;
}

/* bus_consumer - creates, recreates and looks at the workers' consumer.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include <stdio.h>

#define CONSUMER BUS_STREAM "." BUS_CONSUMER

/* Sets our fields in a configuration: a new one, or the one of the existing consumer. The deliver subject names the
 * incarnation of the stream. So a worker that still listens for an old stream receives nothing of the new stream, and
 * cannot confuse their sequences. */
static void set_config(json_t *config, const struct bus_consumer_plan *plan)
{
    char deliver[64];

    snprintf(deliver, sizeof(deliver), "deliver.workers.%lld", (long long)plan->created_ns);
    json_object_set_new(config, "name", json_string(BUS_CONSUMER));
    json_object_set_new(config, "durable_name", json_string(BUS_CONSUMER));
    json_object_set_new(config, "description", json_string("The workers"));
    json_object_set_new(config, "deliver_subject", json_string(deliver));
    json_object_set_new(config, "deliver_group", json_string(BUS_QUEUE));
    json_object_set_new(config, "ack_policy", json_string("explicit"));
    json_object_set_new(config, "ack_wait", json_integer(plan->ack_wait_ms * 1000000));
    /* With a limit, JetStream would silently skip a message that reached it. */
    json_object_set_new(config, "max_deliver", json_integer(-1));
    json_object_set_new(config, "max_ack_pending", json_integer(plan->max_ack_pending));
    json_object_set_new(config, "replay_policy", json_string("instant"));
}

/* The consumer begins at the first message, or at the message that a worker wants next. */
static json_t *new_config(uint64_t from_sequence)
{
    json_t *config = json_object();

    if (from_sequence <= 1) {
        json_object_set_new(config, "deliver_policy", json_string("all"));
    } else {
        json_object_set_new(config, "deliver_policy", json_string("by_start_sequence"));
        json_object_set_new(config, "opt_start_seq", json_integer((json_int_t)from_sequence));
    }
    return config;
}

/* Takes over config. action "create" leaves an existing consumer as it is; NULL updates it. */
static enum status put_consumer(struct bus *bus, const struct bus_consumer_plan *plan, json_t *config,
                                const char *action, struct errmsg *err)
{
    json_t *answer = NULL, *question = json_object();

    set_config(config, plan);
    json_object_set_new(question, "stream_name", json_string(BUS_STREAM));
    json_object_set_new(question, "config", config);
    if (action != NULL)
        json_object_set_new(question, "action", json_string(action));
    enum status st = bus_ask(bus, BUS_API "CONSUMER.CREATE." CONSUMER, question, &answer, "consumer " BUS_CONSUMER,
                             err);
    json_decref(answer);
    json_decref(question);
    return st;
}

enum status bus_set_up_consumer(struct bus *bus, const struct bus_consumer_plan *plan, struct errmsg *err)
{
    json_t *answer = NULL, *question = json_object(), *config = NULL;
    enum status st = bus_ask(bus, BUS_API "CONSUMER.INFO." CONSUMER, question, &answer, "consumer " BUS_CONSUMER, err);

    /* Where a consumer begins to deliver cannot be changed, so an existing consumer keeps its configuration. */
    if (st == ST_OK)
        config = json_incref(json_object_get(answer, "config"));
    if (config == NULL)
        config = new_config(1);
    json_object_del(config, "metadata"); /* it belongs to the server */
    json_decref(answer);
    json_decref(question);
    if (st == ST_OK || st == ST_NOT_FOUND)
        return put_consumer(bus, plan, config, NULL, err);
    json_decref(config);
    return st;
}

enum status bus_restore_consumer(struct bus *bus, uint64_t from_sequence, struct errmsg *err)
{
    struct bus_consumer_plan plan;
    enum status st = bus_read_consumer_plan(bus, &plan, err);

    return st == ST_OK ? put_consumer(bus, &plan, new_config(from_sequence), "create", err) : st;
}

enum status bus_consumer_info(struct bus *bus, struct bus_consumer_info *out, struct errmsg *err)
{
    jsConsumerInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus s = js_GetConsumerInfo(&info, bus->js, BUS_STREAM, BUS_CONSUMER, NULL, &code);

    *out = (struct bus_consumer_info){.ack_floor = 0};
    if (s == NATS_OK) {
        snprintf(out->deliver_subject, sizeof(out->deliver_subject), "%s",
                 info->Config->DeliverSubject != NULL ? info->Config->DeliverSubject : "");
        out->ack_floor = info->AckFloor.Stream;
        out->pending = info->NumPending;
        out->ack_pending = info->NumAckPending;
        out->redelivered = info->NumRedelivered;
    }
    jsConsumerInfo_Destroy(info);
    return bus_error(s, code, "consumer " BUS_CONSUMER, err);
}

/* bus_consumer - JetStream's API in JSON, and the workers' consumer.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONSUMER BUS_STREAM "." BUS_CONSUMER
#define ALREADY_EXISTS 10148   /* JSConsumerAlreadyExists, from server 2.10 on */
#define START_IS_ANOTHER 10012 /* JSConsumerCreateErrF: among others, what cannot be updated is another */

/* --- the API */

static enum status read_error(const json_t *error, const char *doing, struct errmsg *err)
{
    json_int_t code = json_integer_value(json_object_get(error, "err_code"));
    const char *text = json_string_value(json_object_get(error, "description"));
    enum status st = ST_BUS_REFUSED;

    if (error == NULL)
        return ST_OK;
    if (code == JSStreamNotFoundErr || code == JSConsumerNotFoundErr)
        st = ST_NOT_FOUND;
    else if (code == ALREADY_EXISTS || code == START_IS_ANOTHER)
        st = ST_CONFLICT;
    return fail(err, st, "%s: %s", doing, text != NULL ? text : "refused");
}

enum status bus_ask(struct bus *bus, const char *subject, const json_t *question, json_t **answer, const char *doing,
                    struct errmsg *err)
{
    char *text = json_dumps(question, JSON_COMPACT);
    natsMsg *reply = NULL;

    *answer = NULL;
    if (text == NULL)
        abort();
    natsStatus s = natsConnection_RequestString(&reply, bus->nc, subject, text, BUS_TIMEOUT_MS);
    enum status st = bus_error(s, 0, doing, err);
    if (st == ST_OK) {
        *answer = json_loadb(natsMsg_GetData(reply), (size_t)natsMsg_GetDataLength(reply), 0, NULL);
        st = *answer == NULL ? fail(err, ST_BUS_REFUSED, "%s: the answer is no JSON", doing)
                             : read_error(json_object_get(*answer, "error"), doing, err);
    }
    if (st != ST_OK) {
        json_decref(*answer);
        *answer = NULL;
    }
    natsMsg_Destroy(reply);
    free(text);
    return st;
}

/* --- the workers' consumer */

/* Sets what is ours in a configuration: a new one, or that of the consumer that is there. The deliver subject names the
 * stream's incarnation: a worker that still listens for an older one hears nothing of the newer one, and so can never
 * take its sequences for those of the older. */
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
    /* Past a limit JetStream would skip the message without a word. */
    json_object_set_new(config, "max_deliver", json_integer(-1));
    json_object_set_new(config, "max_ack_pending", json_integer(plan->max_ack_pending));
    json_object_set_new(config, "replay_policy", json_string("instant"));
}

/* The config begins at the first message, or at the one that a worker wants next. */
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

/* Takes the configuration. `action`: NULL, or "create", which leaves one that is there as it is. */
static enum status make(struct bus *bus, const struct bus_consumer_plan *plan, json_t *config, const char *action,
                        struct errmsg *err)
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

    /* Where it begins to deliver cannot be changed: one that a worker made anew keeps that. */
    if (st == ST_OK)
        config = json_incref(json_object_get(answer, "config"));
    if (config == NULL)
        config = new_config(1);
    json_object_del(config, "metadata"); /* the server's */
    json_decref(answer);
    json_decref(question);
    if (st == ST_OK || st == ST_NOT_FOUND)
        return make(bus, plan, config, NULL, err);
    json_decref(config);
    return st;
}

enum status bus_restore_consumer(struct bus *bus, uint64_t from_sequence, struct errmsg *err)
{
    struct bus_consumer_plan plan;
    enum status st = bus_read_consumer_plan(bus, &plan, err);

    return st == ST_OK ? make(bus, &plan, new_config(from_sequence), "create", err) : st;
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

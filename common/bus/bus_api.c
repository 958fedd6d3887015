/* bus_api - asks JetStream's API, and turns refusals and errors of the library into a status.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#define ALREADY_EXISTS 10148      /* JSConsumerAlreadyExists, since nats-server 2.10 */
#define WRONG_LAST_SEQUENCE 10164 /* JSStreamWrongLastSequenceConstantErr, of replicated streams */
#define START_IS_ANOTHER 10012 /* JSConsumerCreateErrF: for example, an update would change where a consumer begins */

/* By the number of the error, as errors.json of nats-server has it: the text may change with each version. */
static enum status status_of_code(int64_t code)
{
    switch (code) {
    case JSStreamNotFoundErr:
    case JSConsumerNotFoundErr:
    case JSNoMessageFoundErr:
        return ST_NOT_FOUND;
    case JSStreamWrongLastSequenceErr:
    case WRONG_LAST_SEQUENCE:
    case ALREADY_EXISTS:
    case START_IS_ANOTHER:
        return ST_CONFLICT;
    /* The first one says that the message could not be stored: the stream is at its limits, or the disk is full. */
    case JSStreamStoreFailedErr:
    case JSAccountResourcesExceededErr:
    case JSInsufficientResourcesErr:
    case JSMemoryResourcesExceededErr:
    case JSStorageResourcesExceededErr:
        return ST_BUS_FULL;
    default:
        return ST_BUS_REFUSED;
    }
}

static enum status status_of_library(natsStatus s)
{
    switch (s) {
    case NATS_NO_MEMORY:
        abort();
    case NATS_TIMEOUT:
        return ST_BUS_TIMEOUT;
    case NATS_NOT_FOUND:
        return ST_NOT_FOUND;
    case NATS_CONNECTION_CLOSED:
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_INSUFFICIENT_BUFFER: /* there is no buffer for the time without a connection */
    case NATS_NOT_YET_CONNECTED:
    case NATS_IO_ERROR:
    case NATS_STALE_CONNECTION:
    case NATS_NO_SERVER:
        return ST_BUS_DOWN;
    default:
        return ST_BUS_REFUSED;
    }
}

enum status bus_error(natsStatus s, jsErrCode code, const char *doing, struct errmsg *err)
{
    if (s == NATS_OK)
        return ST_OK;
    enum status st = status_of_library(s);
    if (st == ST_BUS_REFUSED && code != 0)
        st = status_of_code(code);
    const char *detail = nats_GetLastError(NULL);
    return fail(err, st, "%s: %s%s%s", doing, natsStatus_GetText(s), detail != NULL && detail[0] != '\0' ? ": " : "",
                detail != NULL ? detail : "");
}

enum status bus_read_refusal(const json_t *answer, const char *doing, struct errmsg *err)
{
    const json_t *error = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(error, "description"));

    if (error == NULL)
        return ST_OK;
    return fail(err, status_of_code(json_integer_value(json_object_get(error, "err_code"))), "%s: %s", doing,
                text != NULL ? text : "refused");
}

enum status bus_ask(struct bus *bus, const char *subject, const json_t *question, json_t **answer, const char *doing,
                    struct errmsg *err)
{
    char *text = json_dumps(question, JSON_COMPACT);
    natsMsg *reply = NULL;

    *answer = NULL;
    natsStatus s = natsConnection_RequestString(&reply, bus->nc, subject, text, BUS_TIMEOUT_MS);
    enum status st = bus_error(s, 0, doing, err);
    if (st == ST_OK) {
        *answer = json_loadb(natsMsg_GetData(reply), (size_t)natsMsg_GetDataLength(reply), 0, NULL);
        st = *answer == NULL ? fail(err, ST_BUS_REFUSED, "%s: the answer is not JSON", doing)
                             : bus_read_refusal(*answer, doing, err);
    }
    if (st != ST_OK) {
        json_decref(*answer);
        *answer = NULL;
    }
    natsMsg_Destroy(reply);
    free(text);
    return st;
}

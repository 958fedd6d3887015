/* dead_letter - publishes a message together with the reason.
 * SPDX-License-Identifier: MIT */
#include "intake/dead_letter.h"

#include <stdio.h>

#define HEADERS_MAX 5120 /* bytes: a subject may have 4,096 */

enum status dead_letter_publish(struct bus *bus, int64_t created_ns, const struct delivery *delivery,
                                const char *reason, struct errmsg *err)
{
    char sequence[24], id[64], clean[256], whole[24];
    size_t n = 0, len = delivery->len, room = bus_max_payload(bus);

    /* A line end would end the header. */
    for (; reason[n] != '\0' && n < sizeof(clean) - 1; n++)
        clean[n] = reason[n] >= ' ' && reason[n] <= '~' ? reason[n] : '?';
    clean[n] = '\0';
    snprintf(sequence, sizeof(sequence), "%llu", (unsigned long long)delivery->sequence);
    snprintf(id, sizeof(id), "dead-%lld-%llu", (long long)created_ns, (unsigned long long)delivery->sequence);
    /* With our headers a large message would exceed what the broker takes: then only its beginning is published. */
    if (room > HEADERS_MAX && len > room - HEADERS_MAX)
        len = room - HEADERS_MAX;
    snprintf(whole, sizeof(whole), "%zu", delivery->len);
    const char *const headers[] = {"Nats-Msg-Id",
                                   id,
                                   "Scrutin-Reason",
                                   clean,
                                   "Scrutin-Sequence",
                                   sequence,
                                   "Scrutin-Subject",
                                   delivery->subject,
                                   "Scrutin-Bytes",
                                   whole,
                                   NULL};
    return bus_publish_acked(bus, BUS_SUBJECT_DEAD, headers, delivery->data, len, NULL, err);
}

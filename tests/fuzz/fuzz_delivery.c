/* fuzz_delivery - reply subjects of deliveries, and date-times.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "bus/bus.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct delivery delivery = {0};
    char again[CLOCK_TEXT];

    assert(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';

    if (delivery_parse_reply(text, "BALLOTS", NULL, &delivery))
        assert(delivery.sequence > 0 && strncmp(text, "$JS.ACK.", 8) == 0);

    int64_t ms = clock_parse_ms(text);
    assert(ms >= -1);
    if (ms >= 0) {
        clock_format_ms(ms, again);
        assert(clock_parse_ms(again) == ms);
    }
    free(text);
    return 0;
}

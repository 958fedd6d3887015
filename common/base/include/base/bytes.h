/* bytes - a piece of memory with its length.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_BYTES_H
#define SCRUTIN_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Who gets one filled in frees it with free(bytes->data). */
struct bytes {
    uint8_t *data;
    size_t len;
};

#endif

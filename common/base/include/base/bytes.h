/* bytes - memory and its length.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_BYTES_H
#define SCRUTIN_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* The caller that receives one frees data. */
struct bytes {
    uint8_t *data;
    size_t len;
};

#endif

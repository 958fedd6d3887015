/* ordinal - the place of a ballot among all ballots, as one 63-bit number.
 * SPDX-License-Identifier: MIT
 *
 *   62       52 51                       12 11        0
 *   | epoch 11 | stream sequence         40 | index 12 |
 *
 * The epoch counts the streams. A stream that is created again starts with sequence 1, but its epoch is higher, so its
 * ballots are later than all ballots before. There is room for 2,047 epochs, 1.1e12 batches in each (34 years with
 * 1,000 batches a second), and 4,096 ballots in each batch. */
#ifndef SCRUTIN_ORDINAL_H
#define SCRUTIN_ORDINAL_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#define ORDINAL_EPOCH_MAX 2047
#define ORDINAL_SEQUENCE_MAX ((UINT64_C(1) << 40) - 1)
#define ORDINAL_INDEX_MAX 4095

static inline int64_t ordinal_make(unsigned epoch, uint64_t sequence, unsigned index)
{
    assert(epoch <= ORDINAL_EPOCH_MAX && sequence <= ORDINAL_SEQUENCE_MAX && index <= ORDINAL_INDEX_MAX);
    return (int64_t)((uint64_t)epoch << 52 | sequence << 12 | index);
}

static inline unsigned ordinal_epoch(int64_t ordinal)
{
    return (unsigned)(ordinal >> 52);
}

static inline uint64_t ordinal_sequence(int64_t ordinal)
{
    return (uint64_t)ordinal >> 12 & ORDINAL_SEQUENCE_MAX;
}

static inline unsigned ordinal_index(int64_t ordinal)
{
    return (unsigned)(ordinal & ORDINAL_INDEX_MAX);
}

/* Of two ballots of one voter, the ballot with the higher precedence stands. That is the later one if ballots may be
 * revised, and the earlier one if the first ballot is final. */
static inline int64_t ordinal_precedence(int64_t ordinal, bool revisable)
{
    return revisable ? ordinal : -ordinal;
}

#endif

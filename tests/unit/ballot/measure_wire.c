/* measure_wire - nanoseconds a ballot that encoding and decoding a batch take, ours and the generated code.
 * SPDX-License-Identifier: MIT
 *
 * Not a test: `ninja -C build measure_wire && build/tests/unit/measure_wire`. The generated code gets an allocator that
 * only moves a pointer, the best that it can have. */
#include "ballot.pb-c.h"
#include "ballot/wire.h"
#include "base/alloc.h"
#include "base/clock.h"
#include <sodium.h>
#include <stdio.h>

enum { BALLOTS = 1000, ROUNDS = 2000, ARENA = 1 << 20 };

static char arena[ARENA];
static size_t arena_used;

static void *arena_alloc(void *data, size_t size)
{
    void *p = arena + arena_used;
    arena_used += (size + 15) & ~(size_t)15;
    return arena_used <= ARENA ? p : NULL;
}

static void arena_free(void *data, void *p)
{
}

static double per_ballot(int64_t began_ns)
{
    return (double)(clock_mono_ns() - began_ns) / BALLOTS / ROUNDS;
}

int main(void)
{
    static struct ballot ballots[BALLOTS];
    struct ballot_batch batch = {.n_ballots = BALLOTS, .ballots = ballots}, out;
    struct bytes bytes = {NULL, 0};
    ProtobufCAllocator allocator = {arena_alloc, arena_free, NULL};

    for (size_t i = 0; i < BALLOTS; i++) {
        ballots[i] = (struct ballot){
            .poll = "demo", .choices = "cats", .choices_len = 4, .cast_at_ms = clock_wall_ms()};
        randombytes_buf(ballots[i].voter, VOTER_HASH);
    }

    int64_t began = clock_mono_ns();
    for (int i = 0; i < ROUNDS; i++) {
        free(bytes.data);
        wire_encode_batch(&batch, &bytes);
    }
    double encode = per_ballot(began);

    began = clock_mono_ns();
    for (int i = 0; i < ROUNDS; i++) {
        if (wire_decode_batch(bytes.data, bytes.len, &out, NULL) != ST_OK)
            return 1;
        ballot_batch_free(&out);
    }
    double decode = per_ballot(began);

    began = clock_mono_ns();
    for (int i = 0; i < ROUNDS; i++) {
        arena_used = 0;
        if (scrutin__ballot_batch__unpack(&allocator, bytes.len, bytes.data) == NULL)
            return 1;
    }
    double generated = per_ballot(began);

    printf("%d ballots a batch, %zu bytes: encode %.0f ns, decode and check %.0f ns a ballot; "
           "generated code, decode alone, %.0f ns\n",
           BALLOTS, bytes.len, encode, decode, generated);
    free(bytes.data);
    return 0;
}

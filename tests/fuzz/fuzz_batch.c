/* fuzz_batch - messages of the stream BALLOTS, as anybody who may publish there could write them.
 * SPDX-License-Identifier: MIT */
#include "ballot.pb-c.h"
#include "ballot/wire.h"
#include "fuzz.h"

static void check_ballot(const struct ballot *ballot)
{
    assert(poll_id_is_valid(ballot->poll, strlen(ballot->poll)));
    assert(ballot->choices_len > 0 && ballot->choices_len <= BALLOT_CHOICES_MAX);
    assert(strlen(ballot->choices) == ballot->choices_len);
    for (size_t i = 0; i < ballot->choices_len; i++)
        assert(ballot->choices[i] >= ' ' && ballot->choices[i] <= '~');
    assert(ballot->cast_at_ms >= 0);
}

/* Written again and read again, it is the same. */
static void check_round_trip(const struct ballot_batch *batch)
{
    struct bytes bytes;
    struct ballot_batch read;

    wire_encode_batch(batch, &bytes);
    enum status st = wire_decode_batch(bytes.data, bytes.len, &read, NULL);
    assert(st == ST_OK);
    assert(memcmp(read.id, batch->id, BATCH_ID) == 0 && read.n_ballots == batch->n_ballots);
    assert(strcmp(read.fence_poll, batch->fence_poll) == 0);
    assert(strcmp(read.gate_poll, batch->gate_poll) == 0 && read.term == batch->term);
    for (size_t i = 0; i < read.n_ballots; i++) {
        assert(strcmp(read.ballots[i].poll, batch->ballots[i].poll) == 0);
        assert(memcmp(read.ballots[i].voter, batch->ballots[i].voter, VOTER_HASH) == 0);
        assert(strcmp(read.ballots[i].choices, batch->ballots[i].choices) == 0);
        assert(read.ballots[i].cast_at_ms == batch->ballots[i].cast_at_ms);
    }
    ballot_batch_free(&read);
    free(bytes.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ballot_batch batch;
    struct errmsg err = {""};

    if (wire_decode_batch(data, size, &batch, &err) != ST_OK) {
        assert(err.text[0] != '\0' && batch.memory == NULL);
        return 0;
    }
    assert((batch.n_ballots != 0) + (batch.fence_poll[0] != '\0') + (batch.gate_poll[0] != '\0') == 1);
    assert(batch.term <= POLL_TERM_MAX);
    assert(batch.n_ballots <= BATCH_BALLOTS_MAX);
    for (size_t i = 0; i < batch.n_ballots; i++)
        check_ballot(&batch.ballots[i]);
    check_round_trip(&batch);

    /* What we take for protobuf, the generated code does as well, with as many ballots. */
    Scrutin__BallotBatch *message = scrutin__ballot_batch__unpack(NULL, size, data);
    assert(message != NULL && message->version == 1 && message->n_ballots == batch.n_ballots);
    scrutin__ballot_batch__free_unpacked(message, NULL);
    ballot_batch_free(&batch);
    return 0;
}

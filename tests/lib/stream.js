// Reads the stream BALLOTS from its first message on. It is the second record of the ballots, besides the database.
// SPDX-License-Identifier: MIT
import { AckPolicy, DeliverPolicy } from 'nats';
import { decodeBatch } from './proto.js';

/** Yields every message as {sequence, subject, batch}. If a message is not a batch, its batch is empty. */
export async function* readBatches(nats) {
  const jsm = await nats.jetstreamManager({ timeout: 20_000 });
  const { state } = await jsm.streams.info('BALLOTS');
  if (state.messages === 0) return;
  const last = state.last_seq;
  const { name } = await jsm.consumers.add('BALLOTS', {
    ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.All, inactive_threshold: 30_000_000_000, mem_storage: true,
  });
  const consumer = await nats.jetstream().consumers.get('BALLOTS', name);
  const messages = await consumer.consume({ max_messages: 2000 });
  for await (const message of messages) {
    let batch = { ballots: [], fencePoll: '', gatePoll: '', term: 0 };
    try {
      batch = decodeBatch(message.data);
    } catch {
      // A test published garbage, and checks the dead letters itself.
    }
    yield { sequence: message.seq, subject: message.subject, batch };
    if (message.seq >= last) break;
  }
  await jsm.consumers.delete('BALLOTS', name).catch(() => {});
}

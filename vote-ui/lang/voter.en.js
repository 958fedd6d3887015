// What voters read, in English.
// SPDX-License-Identifier: MIT

export const messages = {
  reconnecting: 'Reconnecting…',
  options: { one: '{n} option', other: '{n} options' },
  opens: 'This poll opens {when} ({at}).',
  'with-code': 'with voting code',
  voted: 'Voted',

  'home.lead': 'Join a vote',
  'home.text': 'Type the code from the screen, or scan its QR code.',
  'home.open': 'Open polls',
  'home.none': 'No poll is open right now.',
  'home.more': 'Show more',
  'home.mine': 'Your polls on this device',
  'home.create': 'Want to ask something yourself?',

  'join.label': 'Code of the poll',
  'join.placeholder': 'e.g. k7m2p9xa',
  'join.hint': 'Capitals, hyphens and spaces do not matter.',
  'join.button': 'Join',
  'join.empty': 'Type the code of a poll first.',
  'join.check': '“{code}” leads nowhere. Check the code on the screen and type it again.',

  'code.label': 'Your voting code',
  'code.hint': 'Twelve letters and digits. Look-alikes such as O and 0 are understood.',
  'code.incomplete': 'The voting code has twelve letters and digits; some are missing.',

  'cast.title': 'Your choice',
  'cast.sending': 'On its way…',
  'cast.kept': 'Your ballot is safe on this device. It leaves by itself as soon as there is a network; leave this page open, or come back to it.',
  'cast.kept.title': 'No network',
  'cast.busy': 'The server is busy or restarting. Your ballot is kept on this device and is sent again by itself; it counts once.',
  'cast.busy.title': 'Not confirmed yet',
  'cast.now': 'Try now',
  'cast.next': 'next try {when}',
  'cast.received': 'Received and stored safely. It is being counted…',
  'cast.change': 'Change my vote',
  'cast.keep': 'Leave it as it is',

  steps: 'How far your ballot has come',
  'step.chosen': 'Chosen',
  'step.received': 'Received',
  'step.counted': 'Counted',
  'step.pending': 'Received',
  'step.superseded': 'Replaced',
  'step.rejected': 'Not counted',

  'fate.counted': 'Counted. Thank you!',
  'fate.superseded': 'This ballot does not count: another one cast with the same device or code took its place.',
  'fate.rejected': 'This ballot could not be counted.',
  'fate.rejected.after-the-fence': 'This ballot arrived after the poll had closed, so it does not count.',
  'fate.rejected.unknown-poll': 'The poll no longer exists, so this ballot does not count.',

  'refused.title': 'Your ballot was not taken',
  'refused.before': 'The vote you cast before still stands.',
  'refused.ok': 'Understood',

  'closed.after': 'The poll has closed. Your vote stands.',
  'closed.meanwhile': 'The poll closed in the meantime; ballots are no longer taken.',

  'receipt.lead': 'A receipt tells what became of a ballot, and never what it says.',
  'receipt.label': 'Receipt',
  'receipt.button': 'Check',
  'receipt.again': 'Look again',
  'receipt.yours': 'Your receipt',
  'receipt.what': 'With it you can check at any time that your ballot was counted. It does not show your choice.',
  'receipt.check-it': 'Check it',
  'receipt.pending': 'The ballot was received and is stored safely. It is waiting to be counted.',
  'receipt.counted': 'The ballot is part of the result.',
  'receipt.superseded': 'The ballot was received, but another one of the same voter counts in its place.',
  'receipt.rejected': 'The ballot was received, but does not count.',
};

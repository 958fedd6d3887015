// The vote page's sentences in English.
// SPDX-License-Identifier: MIT
import { common } from '../../web/lang/en.js';

export const messages = {
  ...common,
  create: 'Create a poll',
  manage: 'Manage',
  docs: 'API',
  results: 'Results',
  closes: 'closes {when}',
  'see-result': 'See the result',
  'copy.failed': 'The browser does not let us copy. The text is selected: copy it from there.',

  rules: 'The rules of this poll',
  'rule.voter.open': 'Everybody with the link may vote, once per device.',
  'rule.voter.code': 'One vote for each voting code.',
  'rule.revisable': 'You can change your vote until the poll closes.',
  'rule.once': 'Your vote is final once it is cast.',
  'rule.opens': 'Opens {when} ({at}).',
  'rule.closes': 'Closes {when} ({at}).',
  'rule.closed': 'Closed {when}.',
  'rule.by-hand': 'Open until its organiser closes it.',
  'rule.results.always': 'Everybody sees the result live.',
  'rule.results.after_vote': 'You see the result once you have voted.',
  'rule.results.after_close': 'The result shows when the poll has closed.',

  'how.plurality': 'Choose one.',
  'how.approval': 'Tick what you agree with.',
  'how.ranked': 'Put them in order, the best first.',
  'how.score': 'Give stars; no opinion is fine too.',
  'how.exactly': { one: 'Exactly one.', other: 'Exactly {n}.' },
  'how.at-most': { one: 'One at most.', other: 'At most {n}.' },
  'how.at-least': { one: 'One at least.', other: 'At least {n}.' },
  'how.between': 'Between {min} and {max}.',
  'how.any': 'As many as you like.',

  'ballot.cast': 'Cast my ballot',
  'ballot.full': { one: 'One is the most that a ballot may have.', other: '{n} are the most that a ballot may have.' },
  'ballot.more': { one: 'One more to go.', other: '{n} more to go.' },
  'ballot.fewer': { one: 'One too many.', other: '{n} too many.' },
  'ballot.chosen.plurality': { one: 'Chosen. This is final once cast.', other: 'Chosen.' },
  'ballot.chosen.approval': { one: '{n} chosen', other: '{n} chosen' },
  'ballot.chosen.ranked': { one: '{n} ranked', other: '{n} ranked' },
  'ballot.chosen.score': { one: '{n} rated', other: '{n} rated' },

  'rank.help': 'Tap to add. Then drag by the handle, use the arrows, or press ↑ and ↓ on the handle.',
  'rank.yours': 'Your order',
  'rank.none': 'Nothing ranked yet.',
  'rank.others': 'Not ranked',
  'rank.place': '{option}: place {place} of {n}',
  'rank.removed': '{option} is not ranked any more',
  'rank.up': '{option}: one place up',
  'rank.down': '{option}: one place down',
  'rank.remove': '{option}: take out of the order',
  'rank.grip': '{option}, place {place}: move',

  'score.stars': { one: '{n} star', other: '{n} stars' },
  'score.none': 'no opinion',
  'score.clear': 'Clear',
  'score.clear-of': 'Clear: no opinion on {option}',

  'poll.away': 'The poll cannot be reached',

  'receipt.title': 'Check a receipt',
  'device.title': 'On this device',
};

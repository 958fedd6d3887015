// What stands on the page about what a device keeps, in English.
// SPDX-License-Identifier: MIT

export const messages = {
  'device.lead': 'This browser keeps what you need to check or change your votes, and to manage your polls. Other people who use it can see it here.',
  'device.none': 'Nothing is kept on this device.',
  'kept.votes': 'Your votes',
  'kept.links': 'Polls that you manage',
  'kept.choice': 'Your choice is kept for one day at most.',
  'kept.receipt': 'The receipt is kept until 30 days after the poll has ended.',
  'kept.receipt.until': 'The receipt is kept until {when}.',
  'kept.code': 'The receipt and your voting code are kept until 30 days after the poll has ended.',
  'kept.code.until': 'The receipt and your voting code are kept until {when}.',
  'kept.waiting': 'Not sent yet.',
  'kept.refused': 'Not accepted. Kept for a day.',
  'kept.link': 'The manage link is kept until you remove it. Without it you can no longer change or close the poll.',
  'kept.remove': 'Remove',
  'kept.remove.sure': 'Remove now?',
  forget: 'Forget everything on this device',
  'forget.sure': 'Really forget everything?',
  'forget.text': 'Removes all votes, receipts, codes, manage links and settings from this browser. Your votes still count, but you can no longer check or change them here. In polls without voting codes, this browser is then a new voter.',
  'forget.waiting': { one: '{n} vote has not been sent yet. It would be lost.', other: '{n} votes have not been sent yet. They would be lost.' },
  'forget.cookie': 'Everything is removed but one cookie, because there is no connection to the server. Try again when you are online.',
};

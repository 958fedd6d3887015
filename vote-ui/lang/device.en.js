// The English texts of the page that shows what this device keeps.
// SPDX-License-Identifier: MIT

export const messages = {
  'device.lead': 'This browser keeps what you need to check or change your votes and to manage your polls. Anyone else who uses this browser can see it here.',
  'device.none': 'Nothing is saved on this device.',
  'kept.votes': 'Your votes',
  'kept.links': 'Polls you manage',
  'kept.choice': 'Your choice is kept for up to one day.',
  'kept.receipt': 'The receipt is kept until 30 days after the poll has closed.',
  'kept.receipt.until': 'The receipt is kept until {when}.',
  'kept.code': 'The receipt and your voting code are kept until 30 days after the poll has closed.',
  'kept.code.until': 'The receipt and your voting code are kept until {when}.',
  'kept.waiting': 'Not sent yet.',
  'kept.refused': 'Not accepted. Kept for one day.',
  'kept.link': 'The manage link is kept until you remove it. Without it, you can no longer change or close the poll.',
  'kept.remove': 'Remove',
  'kept.remove.sure': 'Really remove?',
  forget: 'Remove everything from this device',
  'forget.sure': 'Really remove everything?',
  'forget.text': 'This removes all votes, receipts, codes, manage links and settings from this browser. Your votes still count, but you can no longer check or change them here. In polls without voting codes, this browser becomes a new voter.',
  'forget.waiting': { one: '{n} vote has not been sent yet. It would be lost.', other: '{n} votes have not been sent yet. They would be lost.' },
  'forget.cookie': 'Everything was removed except one cookie, because the server cannot be reached. Try again when you are online.',
};

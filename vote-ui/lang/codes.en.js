// The English texts of the part that makes voting codes.
// SPDX-License-Identifier: MIT

export const messages = {
  codes: 'Voting codes',
  'codes.lead': 'Each code is one vote. Print the codes, cut them out and hand them out.',
  'codes.issued': { one: '{n} code created so far.', other: '{n} codes created so far.' },
  'codes.how-many': 'How many?',
  'codes.make': 'Create codes',
  'codes.made': { one: '{n} voting code created', other: '{n} voting codes created' },
  'codes.once': 'These codes are shown only once. Print or save them before you leave this page.',
  'codes.print': 'Print',
  'codes.save': 'Save as CSV',
  'codes.many': 'Only the first {n} codes are laid out for printing. The CSV file has all of them.',
  'codes.count': 'Enter a number from 1 to {n}.',
  'codes.qr': 'QR code to vote with code {code}',
  'problem.api-key-needed': 'A poll created without an API key cannot have that many voting codes.',
  'problem.no-voting-codes': 'This poll does not use voting codes.',
};

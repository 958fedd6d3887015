// The French texts of the part that makes voting codes.
// SPDX-License-Identifier: MIT

/** @type {Record<keyof typeof import('./codes.en.js').messages, import('../../web/i18n.js').Message>} */
export const messages = {
  codes: 'Codes de vote',
  'codes.lead': 'Chaque code vaut un vote. Imprimez les codes, découpez-les et distribuez-les.',
  'codes.issued': { one: '{n} code créé jusqu’ici.', other: '{n} codes créés jusqu’ici.' },
  'codes.how-many': 'Combien ?',
  'codes.make': 'Créer les codes',
  'codes.made': { one: '{n} code de vote créé', other: '{n} codes de vote créés' },
  'codes.once': 'Ces codes ne s’afficheront plus. Imprimez-les ou enregistrez-les avant de quitter cette page.',
  'codes.print': 'Imprimer',
  'codes.save': 'Enregistrer en CSV',
  'codes.many': 'Seuls les {n} premiers codes sont mis en page. Le fichier CSV les contient tous.',
  'codes.count': 'Saisissez un nombre de 1 à {n}.',
  'codes.qr': 'QR code pour voter avec le code {code}',
  'problem.api-key-needed': 'Un scrutin créé sans clé d’API ne peut pas avoir autant de codes de vote.',
  'problem.no-voting-codes': 'Ce scrutin n’utilise pas de codes de vote.',
};

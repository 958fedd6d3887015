// The French texts of the page that shows what this device keeps.
// SPDX-License-Identifier: MIT

/** @type {Record<keyof typeof import('./device.en.js').messages, import('../../web/i18n.js').Message>} */
export const messages = {
  'device.lead': 'Ce navigateur garde ce qu’il faut pour vérifier ou modifier vos votes et pour gérer vos scrutins. Les autres personnes qui utilisent ce navigateur peuvent le voir ici.',
  'device.none': 'Rien n’est enregistré sur cet appareil.',
  'kept.votes': 'Vos votes',
  'kept.links': 'Scrutins que vous gérez',
  'kept.choice': 'Votre choix est gardé un jour au plus.',
  'kept.receipt': 'Le reçu est gardé jusqu’à 30 jours après la clôture.',
  'kept.receipt.until': 'Le reçu est gardé jusqu’au {when}.',
  'kept.code': 'Le reçu et votre code de vote sont gardés jusqu’à 30 jours après la clôture.',
  'kept.code.until': 'Le reçu et votre code de vote sont gardés jusqu’au {when}.',
  'kept.waiting': 'Pas encore envoyé.',
  'kept.refused': 'Non accepté. Gardé un jour.',
  'kept.link': 'Le lien de gestion est gardé jusqu’à ce que vous le supprimiez. Sans lui, vous ne pouvez plus modifier ni clore le scrutin.',
  'kept.remove': 'Supprimer',
  'kept.remove.sure': 'Vraiment supprimer ?',
  forget: 'Tout supprimer de cet appareil',
  'forget.sure': 'Vraiment tout supprimer ?',
  'forget.text': 'Cela supprime de ce navigateur tous les votes, reçus, codes, liens de gestion et réglages. Vos votes comptent toujours, mais vous ne pourrez plus les vérifier ni les modifier ici. Dans les scrutins sans code de vote, ce navigateur deviendra un nouveau votant.',
  'forget.waiting': { one: '{n} vote n’a pas encore été envoyé. Il serait perdu.', other: '{n} votes n’ont pas encore été envoyés. Ils seraient perdus.' },
  'forget.cookie': 'Tout a été supprimé sauf un cookie, car le serveur est injoignable. Réessayez une fois en ligne.',
};

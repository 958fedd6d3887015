// What voters read, in French.
// SPDX-License-Identifier: MIT

/** @type {Record<keyof typeof import('./voter.en.js').messages, import('../../web/i18n.js').Message>} */
export const messages = {
  reconnecting: 'Reconnexion…',
  options: { one: '{n} option', other: '{n} options' },
  opens: 'Ce scrutin ouvre {when} ({at}).',
  'with-code': 'avec code de vote',
  voted: 'Voté',

  'home.lead': 'Rejoindre un vote',
  'home.text': 'Tapez le code affiché à l’écran, ou scannez son QR code.',
  'home.open': 'Scrutins ouverts',
  'home.none': 'Aucun scrutin n’est ouvert en ce moment.',
  'home.more': 'Afficher la suite',
  'home.mine': 'Vos scrutins sur cet appareil',
  'home.create': 'Une question à poser vous-même ?',

  'join.label': 'Code du scrutin',
  'join.placeholder': 'p. ex. k7m2p9xa',
  'join.hint': 'Majuscules, tirets et espaces sont sans importance.',
  'join.button': 'Rejoindre',
  'join.empty': 'Tapez d’abord le code d’un scrutin.',
  'join.check': '« {code} » ne mène nulle part. Vérifiez le code à l’écran et tapez-le à nouveau.',

  'code.label': 'Votre code de vote',
  'code.hint': 'Douze lettres et chiffres. Les caractères semblables, comme O et 0, sont compris.',
  'code.incomplete': 'Le code de vote a douze lettres et chiffres ; il en manque.',

  'cast.title': 'Votre choix',
  'cast.sending': 'En route…',
  'cast.kept': 'Votre bulletin est en sécurité sur cet appareil. Il partira tout seul dès que le réseau reviendra ; laissez cette page ouverte, ou revenez-y.',
  'cast.kept.title': 'Pas de réseau',
  'cast.busy': 'Le serveur est occupé ou redémarre. Votre bulletin est gardé sur cet appareil et sera renvoyé tout seul ; il compte une fois.',
  'cast.busy.title': 'Pas encore confirmé',
  'cast.now': 'Essayer maintenant',
  'cast.next': 'prochain essai {when}',
  'cast.received': 'Reçu et mis en sécurité. Le dépouillement suit…',
  'cast.change': 'Changer mon vote',
  'cast.keep': 'Le laisser tel quel',

  steps: 'Où en est votre bulletin',
  'step.chosen': 'Choisi',
  'step.received': 'Reçu',
  'step.counted': 'Compté',
  'step.pending': 'Reçu',
  'step.superseded': 'Remplacé',
  'step.rejected': 'Non compté',

  'fate.counted': 'Compté. Merci !',
  'fate.superseded': 'Ce bulletin ne compte pas : un autre, du même appareil ou du même code, a pris sa place.',
  'fate.rejected': 'Ce bulletin n’a pas pu être compté.',
  'fate.rejected.after-the-fence': 'Ce bulletin est arrivé après la clôture : il ne compte pas.',
  'fate.rejected.unknown-poll': 'Le scrutin n’existe plus : ce bulletin ne compte pas.',

  'refused.title': 'Votre bulletin n’a pas été accepté',
  'refused.before': 'Votre vote précédent reste valable.',
  'refused.ok': 'Compris',

  'closed.after': 'Le scrutin est clos. Votre vote reste valable.',
  'closed.meanwhile': 'Le scrutin a été clos entre-temps ; il n’accepte plus de bulletins.',

  'receipt.lead': 'Un reçu dit ce qu’un bulletin est devenu, jamais ce qu’il contient.',
  'receipt.label': 'Reçu',
  'receipt.button': 'Vérifier',
  'receipt.again': 'Regarder à nouveau',
  'receipt.yours': 'Votre reçu',
  'receipt.what': 'Il permet de vérifier à tout moment que votre bulletin a été compté. Il ne montre pas votre choix.',
  'receipt.check-it': 'Vérifier',
  'receipt.pending': 'Le bulletin est reçu et en sécurité. Il attend d’être compté.',
  'receipt.counted': 'Le bulletin fait partie du résultat.',
  'receipt.superseded': 'Le bulletin est reçu, mais un autre du même électeur compte à sa place.',
  'receipt.rejected': 'Le bulletin est reçu, mais ne compte pas.',

  'problem.not-recorded': 'Le serveur n’a pas pu confirmer le bulletin. Le renvoyer ne pose aucun problème : vous n’avez qu’un bulletin.',
  'problem.stream-full': 'Le serveur n’a plus de place pour d’autres bulletins. Prévenez l’organisateur.',
  'problem.receipt-not-found': 'Ce reçu n’est pas de chez nous. Vérifiez qu’il est complet.',
  'problem.voting-code-needed': 'Ce scrutin demande un code de vote. Demandez-le à la personne qui vous a invité.',
  'problem.voting-code-wrong': 'Ce code de vote ne correspond pas à ce scrutin. Vérifiez qu’il est bien tapé.',
};

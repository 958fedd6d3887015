// The French texts that only voters need.
// SPDX-License-Identifier: MIT

/** @type {Record<keyof typeof import('./voter.en.js').messages, import('../../web/i18n.js').Message>} */
export const messages = {
  options: { one: '{n} option', other: '{n} options' },
  opens: 'Ce scrutin ouvrira {when} ({at}).',
  'with-code': 'code de vote requis',
  voted: 'A voté',

  'home.title': 'Voter',
  'home.lead': 'Participer à un vote',
  'home.text': 'Saisissez le code affiché à l’écran ou scannez le QR code.',
  'home.open': 'Scrutins ouverts',
  'home.none': 'Aucun scrutin n’est ouvert en ce moment.',
  'home.mine': 'Scrutins que vous gérez',
  'home.create': 'Vous avez une question à poser ?',

  'join.label': 'Code du scrutin',
  'join.placeholder': 'ex. : k7m2p9xa',
  'join.hint': 'Les majuscules, les tirets et les espaces n’ont pas d’importance.',
  'join.button': 'Participer',
  'join.empty': 'Saisissez d’abord le code d’un scrutin.',
  'join.check': 'Aucun scrutin ne porte le code « {code} ». Vérifiez le code et saisissez-le à nouveau.',

  'code.label': 'Votre code de vote',
  'code.hint': 'Douze lettres et chiffres. La lettre O compte comme un 0 ; I et L comptent comme un 1.',
  'code.incomplete': 'Ce code de vote est incomplet. Il doit compter douze lettres et chiffres.',

  'cast.title': 'Votre choix',
  'cast.sending': 'Envoi en cours…',
  'cast.wait': 'Le serveur est occupé ou redémarre. Votre vote est enregistré sur cet appareil et sera renvoyé automatiquement. Il ne comptera qu’une fois.',
  'cast.wait.title': 'Pas encore confirmé',
  'cast.wait.offline': 'Votre vote est enregistré sur cet appareil. Il sera envoyé dès que vous serez de nouveau en ligne. Gardez cette page ouverte ou revenez-y plus tard.',
  'cast.wait.offline.title': 'Pas de connexion',
  'cast.wait.stream-full': 'Le serveur n’a plus de place pour de nouveaux votes. Prévenez l’organisateur. Votre vote est enregistré sur cet appareil et sera renvoyé automatiquement.',
  'cast.now': 'Réessayer maintenant',
  'cast.next': 'Prochain essai {when}',
  'cast.received': 'Votre vote est reçu et enregistré. Il est en train d’être compté…',
  'cast.change': 'Modifier mon vote',
  'cast.keep': 'Garder mon vote',

  steps: 'Suivi de votre vote',
  'step.chosen': 'Choisi',
  'step.received': 'Reçu',
  'step.counted': 'Compté',
  'step.pending': 'Reçu',
  'step.superseded': 'Remplacé',
  'step.rejected': 'Non compté',

  'fate.counted': 'Votre vote a été compté. Merci !',
  'fate.superseded': 'Ce vote ne compte pas. Un autre vote, du même appareil ou avec le même code, compte à sa place.',
  'fate.rejected': 'Ce vote n’a pas pu être compté.',
  'fate.rejected.after-the-fence': 'Ce vote est arrivé après la clôture : il ne compte pas.',
  'fate.rejected.unknown-poll': 'Ce scrutin n’existe plus : le vote ne compte pas.',

  'refused.title': 'Votre vote n’a pas été accepté',
  'refused.before': 'Votre vote précédent compte toujours.',
  'refused.ok': 'OK',

  'closed.after': 'Le vote est terminé. Les votes ne peuvent plus être modifiés.',
  'closed.meanwhile': 'Le vote est terminé. Ce vote ne peut plus être envoyé.',

  'receipt.lead': 'Un reçu indique ce qu’un vote est devenu. Il ne révèle jamais le choix.',
  'receipt.label': 'Reçu',
  'receipt.button': 'Vérifier',
  'receipt.again': 'Vérifier à nouveau',
  'receipt.yours': 'Votre reçu',
  'receipt.what': 'Il vous permet de vérifier à tout moment que votre vote a été compté. Il ne montre pas votre choix.',
  'receipt.check-it': 'Vérifier ce reçu',
  'keep.final': 'Cet appareil garde votre choix jusqu’à ce qu’il soit compté. Il garde votre reçu jusqu’à 30 jours après la clôture.',
  'keep.change': 'Cet appareil garde votre choix un jour au plus, pour que vous puissiez le modifier. Il garde votre reçu jusqu’à 30 jours après la clôture.',
  'keep.see': 'Voir ce que garde cet appareil',
  'keep.gone': 'Votre choix n’est plus gardé sur cet appareil.',
  'receipt.pending': 'Le vote est reçu et enregistré. Il attend d’être compté.',
  'receipt.counted': 'Le vote est compris dans les résultats.',
  'receipt.superseded': 'Le vote est reçu, mais un autre vote de la même personne compte à sa place.',
  'receipt.rejected': 'Le vote est reçu, mais il ne compte pas.',

  'problem.invalid-selection': 'Le scrutin a changé et votre choix n’est plus valable. Choisissez à nouveau.',
  'problem.receipt-not-found': 'Reçu inconnu. Vérifiez qu’il est complet.',
  'problem.voting-code-needed': 'Il faut un code de vote pour ce scrutin. Demandez-en un à l’organisateur.',
  'problem.voting-code-wrong': 'Ce code de vote n’est pas valable pour ce scrutin. Vérifiez que vous l’avez bien saisi.',
};

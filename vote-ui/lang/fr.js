// The French texts of the vote page that voters and organisers both need.
// SPDX-License-Identifier: MIT
import { common } from '../../web/lang/fr.js';

/** @type {Record<keyof typeof import('./en.js').messages, import('../../web/i18n.js').Message>} */
export const messages = {
  ...common,
  create: 'Créer un scrutin',
  manage: 'Gérer',
  docs: 'API',
  results: 'Résultats',
  closes: 'clôture {when}',
  'see-results': 'Voir les résultats',
  'copy.failed': 'Votre navigateur ne permet pas de copier. Le texte est sélectionné : copiez-le vous-même.',

  rules: 'Règles de ce scrutin',
  'rule.voter.open': 'Toute personne ayant le lien peut voter, une fois par appareil.',
  'rule.voter.code': 'Il vous faut un code de vote. Chaque code vaut un vote.',
  'rule.revisable': 'Vous pouvez modifier votre vote jusqu’à la clôture.',
  'rule.once': 'Une fois validé, votre vote est définitif.',
  'rule.opens': 'Ouverture {when} ({at}).',
  'rule.closes': 'Clôture {when} ({at}).',
  'rule.closed': 'Clos {when}.',
  'rule.by-hand': 'Reste ouvert jusqu’à sa clôture par l’organisateur.',
  'rule.results.always': 'Tout le monde voit les résultats en direct.',
  'rule.results.after_vote': 'Vous verrez les résultats après avoir voté.',
  'rule.results.after_close': 'Les résultats s’afficheront après la clôture.',

  'how.plurality': 'Choisissez une option.',
  'how.approval': 'Choisissez autant d’options que vous voulez.',
  'how.approval.range': 'Choisissez {range}.',
  'how.ranked': 'Classez autant d’options que vous voulez, par ordre de préférence.',
  'how.ranked.range': 'Classez {range} par ordre de préférence.',
  'how.score': 'Notez les options de votre choix.',
  'how.score.range': 'Notez {range}.',
  'range.exactly': { one: 'une seule option', other: 'exactement {n} options' },
  'range.at-most': { one: 'au plus une option', other: 'au plus {n} options' },
  'range.at-least': { one: 'au moins une option', other: 'au moins {n} options' },
  'range.or': '{min} ou {max} options',
  'range.to': 'de {min} à {max} options',

  'ballot.cast': 'Valider mon vote',
  'ballot.full': { one: 'Une option au plus.', other: '{n} options au plus.' },
  'ballot.none': { one: 'Choisissez au moins une option', other: 'Choisissez au moins {n} options' },
  'ballot.more': { one: 'Encore une option à choisir', other: 'Encore {n} options à choisir' },
  'ballot.fewer': { one: 'Retirez une option', other: 'Retirez {n} options' },
  'ballot.chosen.plurality': 'Vous ne pourrez plus modifier votre vote.',
  'ballot.chosen.approval': { one: '{n} option choisie', other: '{n} options choisies' },
  'ballot.chosen.ranked': { one: '{n} option classée', other: '{n} options classées' },
  'ballot.chosen.score': { one: '{n} option notée', other: '{n} options notées' },

  'rank.help': 'Touchez une option pour l’ajouter. Pour la déplacer, faites glisser sa poignée ou utilisez les flèches, à l’écran ou au clavier.',
  'rank.yours': 'Votre classement',
  'rank.none': 'Aucune option classée.',
  'rank.others': 'Options non classées',
  'rank.place': '{option} : rang {place} sur {n}',
  'rank.removed': 'Retiré du classement : {option}',
  'rank.up': '{option} : monter',
  'rank.down': '{option} : descendre',
  'rank.remove': '{option} : retirer du classement',
  'rank.grip': '{option}, rang {place} : déplacer',

  'score.stars': { one: '{n} étoile', other: '{n} étoiles' },
  'score.none': 'Sans note',
  'score.clear': 'Effacer',
  'score.clear-of': 'Effacer la note de {option}',

  'poll.away': 'Impossible de charger ce scrutin',

  'receipt.title': 'Vérifier un reçu',
  'device.title': 'Sur cet appareil',

  'problem.poll-not-open': 'Ce scrutin n’est pas encore ouvert.',
  'problem.poll-closed': 'Ce scrutin est clos. Le vote est terminé.',
  'problem.cross-site': 'Le serveur n’accepte cela que depuis ses propres pages. Rechargez cette page.',
};

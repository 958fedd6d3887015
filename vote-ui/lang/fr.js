// The vote page's sentences in French.
// SPDX-License-Identifier: MIT
import { common } from '../../web/lang/fr.js';

/** @type {Record<keyof typeof import('./en.js').messages, import('../../web/i18n.js').Message>} */
export const messages = {
  ...common,
  create: 'Créer un scrutin',
  manage: 'Gérer',
  docs: 'API',
  results: 'Résultats',
  closes: 'fin {when}',
  'see-result': 'Voir le résultat',
  'copy.failed': 'Impossible de copier. Le texte est sélectionné : copiez-le vous-même.',

  rules: 'Les règles de ce scrutin',
  'rule.voter.open': 'Toute personne ayant le lien peut voter, une fois par appareil.',
  'rule.voter.code': 'Un vote par code de vote.',
  'rule.revisable': 'Vous pouvez changer d’avis jusqu’à la clôture.',
  'rule.once': 'Votre vote est définitif une fois déposé.',
  'rule.opens': 'Ouvre {when} ({at}).',
  'rule.closes': 'Se termine {when} ({at}).',
  'rule.closed': 'Clos {when}.',
  'rule.by-hand': 'Ouvert jusqu’à sa clôture.',
  'rule.results.always': 'Tout le monde voit le résultat en direct.',
  'rule.results.after_vote': 'Vous voyez le résultat une fois que vous avez voté.',
  'rule.results.after_close': 'Le résultat s’affiche après la clôture.',

  'how.plurality': 'Un seul choix.',
  'how.approval': 'Cochez ce qui vous convient.',
  'how.ranked': 'Classez du meilleur au moins bon.',
  'how.score': 'Notez chaque option, ou passez-en.',
  'how.exactly': { one: 'Exactement un.', other: 'Exactement {n}.' },
  'how.at-most': { one: 'Un au plus.', other: '{n} au plus.' },
  'how.at-least': { one: 'Un au moins.', other: '{n} au moins.' },
  'how.between': 'Entre {min} et {max}.',
  'how.any': 'Autant que vous voulez.',

  'ballot.cast': 'Déposer mon bulletin',
  'ballot.full': { one: 'Un bulletin en contient {n} au plus.', other: 'Un bulletin en contient {n} au plus.' },
  'ballot.more': { one: 'Encore {n}.', other: 'Encore {n}.' },
  'ballot.fewer': { one: '{n} de trop.', other: '{n} de trop.' },
  'ballot.chosen.plurality': { one: 'Choisi. Définitif une fois déposé.', other: 'Choisi.' },
  'ballot.chosen.approval': { one: '{n} choisi', other: '{n} choisis' },
  'ballot.chosen.ranked': { one: '{n} classé', other: '{n} classés' },
  'ballot.chosen.score': { one: '{n} noté', other: '{n} notés' },

  'rank.help': 'Touchez pour ajouter. Déplacez avec la poignée, les flèches, ou ↑ et ↓ sur la poignée.',
  'rank.yours': 'Votre classement',
  'rank.none': 'Rien de classé.',
  'rank.others': 'Non classés',
  'rank.place': '{option} : place {place} sur {n}',
  'rank.removed': '{option} n’est plus classé',
  'rank.up': '{option} : une place vers le haut',
  'rank.down': '{option} : une place vers le bas',
  'rank.remove': '{option} : retirer du classement',
  'rank.grip': '{option}, place {place} : déplacer',

  'score.stars': { one: '{n} étoile', other: '{n} étoiles' },
  'score.none': 'sans avis',
  'score.clear': 'Effacer',
  'score.clear-of': 'Effacer : sans avis sur {option}',

  'poll.away': 'Le scrutin est injoignable',

  'receipt.title': 'Vérifier un reçu',
  'device.title': 'Sur cet appareil',
};

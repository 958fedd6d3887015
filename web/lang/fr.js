// The French texts that both pages use.
// SPDX-License-Identifier: MIT

/** @type {Record<keyof typeof import('./en.js').common, import('../i18n.js').Message>} */
export const common = {
  skip: 'Aller au contenu',
  nav: 'Principale',
  switches: 'Langue et thème',
  'theme.label': 'Thème : {theme}',
  'theme.auto': 'système',
  'theme.light': 'clair',
  'theme.dark': 'sombre',
  loading: 'Chargement…',
  retry: 'Réessayer',
  copy: 'Copier',
  copied: 'Copié',
  close: 'Fermer',
  cancel: 'Annuler',
  more: 'Afficher plus',
  'link.reconnecting': 'Reconnexion…',
  'not-found.title': 'Page introuvable',
  'not-found.text': 'L’adresse est peut-être incomplète ou mal saisie.',
  'not-found.home': 'Accueil',
  'poll.missing': 'Scrutin introuvable',

  'state.draft': 'Brouillon',
  'state.scheduled': 'Pas encore ouvert',
  'state.open': 'Ouvert',
  'state.closed': 'Clos',
  'state.counting': 'Dépouillement',
  'state.final': 'Définitif',

  'method.plurality': 'Un seul choix',
  'method.approval': 'Plusieurs choix',
  'method.ranked': 'Classement',
  'method.score': 'Notes en étoiles',
  votes: { one: '{n} vote', other: '{n} votes' },

  'problem.offline': 'Impossible de joindre le serveur. Vérifiez votre connexion.',
  'problem.unavailable': 'Le serveur est occupé ou redémarre. Réessayez dans un instant.',
  'problem.internal': 'Le serveur a rencontré une erreur. Réessayez dans un instant.',
  'problem.overloaded': 'Le serveur est très sollicité. Réessayez dans un instant.',
  'problem.too-many-requests': 'Trop de requêtes. Réessayez {when}.',
  'problem.poll-not-found': 'Aucun scrutin ne porte ce code.',
  'problem.results-hidden': 'Les résultats ne sont pas encore visibles.',
  'problem.other': 'Le serveur n’accepte pas ceci : {detail}',
};

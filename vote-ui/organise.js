// What organisers use, in one file: create, share, manage.
// SPDX-License-Identifier: MIT
export { createView } from './create.js';
export { manageView } from './manage.js';

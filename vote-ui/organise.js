// The organisers' part of the page, as one file.
// SPDX-License-Identifier: MIT
export { createView } from './create.js';
export { manageView } from './manage.js';

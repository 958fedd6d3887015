// The templates of both pages. lit-html escapes every value that is put into a template.
// SPDX-License-Identifier: MIT
//
// The Content-Security-Policy refuses a style attribute in a template. `.style=${'--share: 0.3'}` sets the property
// instead, and is allowed.
export { html, nothing, render, svg } from './node_modules/lit-html/lit-html.js';
export { repeat } from './node_modules/lit-html/directives/repeat.js';
export { live } from './node_modules/lit-html/directives/live.js';
/** @typedef {import('./node_modules/lit-html/lit-html.js').TemplateResult} TemplateResult */

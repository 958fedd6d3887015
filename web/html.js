// The templates of both pages: lit-html, which escapes whatever is put into one.
// SPDX-License-Identifier: MIT
//
// A style attribute written into a template is refused by the Content-Security-Policy; `.style=${'--share: 0.3'}` sets
// the property instead and is allowed.
export { html, nothing, render, svg } from './node_modules/lit-html/lit-html.js';
export { repeat } from './node_modules/lit-html/directives/repeat.js';
export { live } from './node_modules/lit-html/directives/live.js';
/** @typedef {import('./node_modules/lit-html/lit-html.js').TemplateResult} TemplateResult */

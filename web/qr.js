// QR codes as SVG.
// SPDX-License-Identifier: MIT
// @ts-expect-error the types of the library are not beside this file
import { generate } from './node_modules/lean-qr/nano.mjs';
import { html, svg } from './html.js';

/**
 * A QR code that is as wide as its place. It is dark on light in every theme, and has the quiet zone that scanners need.
 * @param {string} text @param {string} label describes it to screen readers
 */
export function qrCode(text, label) {
  const code = generate(text);
  let path = '';
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      let width = 0;
      while (code.get(x + width, y)) width++;
      if (width) path += `M${x} ${y}h${width}v1h-${width}z`;
      x += width;
    }
  }
  const side = code.size + 6;
  return html`<svg class="qr" viewBox="-3 -3 ${side} ${side}" role="img" aria-label=${label} shape-rendering="crispEdges">
    ${svg`<rect x="-3" y="-3" width=${side} height=${side} rx="1.5" fill="#fff"/><path d=${path} fill="#000"/>`}</svg>`;
}

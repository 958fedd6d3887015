// Lets elements glide to a new place instead of jumping there.
// SPDX-License-Identifier: MIT
//
// This is FLIP: aerotwist.com/blog/flip-your-animations

/**
 * Notes where elements are. Call it before a drawing, and call the returned function after that drawing.
 * @param {string} selector @param {number} duration ms
 */
export function keepPlaces(selector, duration) {
  const before = new Map([...document.querySelectorAll(selector)].map((one) => [one, one.getBoundingClientRect().top]));
  return () => {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    for (const [one, top] of before) {
      const moved = top - one.getBoundingClientRect().top;
      if (moved && one.isConnected && !one.classList.contains('dragged')) {
        one.animate([{ transform: `translateY(${moved}px)` }, { transform: 'none' }], { duration, easing: 'cubic-bezier(0.2, 0.7, 0.2, 1)' });
      }
    }
  };
}

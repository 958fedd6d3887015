// The figures as a table for the terminal and as an SVG plot.
// SPDX-License-Identifier: MIT

const number = (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3))));

export function formatTable({ machine, rows }) {
  const head = ['figure', 'value', 'ceiling', 'ratio', 'target', ''];
  const lines = rows.map(({ name, value, unit, ceiling, ceilingName, ratio, target }) =>
    [name, `${number(value)} ${unit}`, `${number(ceiling)} (${ceilingName})`, ratio.toFixed(2), target?.text ?? '', verdict(ratio, target)]);
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i].length)));
  const format = (line) => line.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd();
  const { mode, cpu, cores, memoryGiB, postgres, nats, workers, commit } = machine;
  return [`${mode} run of ${commit}: ${cores} cores of ${cpu}, ${memoryGiB} GiB; PostgreSQL ${postgres}, nats-server ${nats}, ${workers} workers`,
    '', format(head), format(widths.map((width) => '-'.repeat(width))), ...lines.map(format)].join('\n');
}

const verdict = (ratio, target) => (target ? (target.holds(ratio) ? 'met' : 'MISSED') : '');

const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** One bar per figure, as long as its ratio to the ceiling (up to 1.5); a tick where its target is. */
export function plot({ machine, rows }) {
  const [left, width, step, top] = [390, 420, 26, 50];
  const x = (ratio) => left + (Math.min(ratio, 1.5) / 1.5) * width;
  const bars = rows.map(({ name, value, unit, ratio, target }, i) => {
    const y = top + i * step;
    const tick = target ? `<line x1="${x(target.limit)}" x2="${x(target.limit)}" y1="${y - 2}" y2="${y + 18}" class="target"/>` : '';
    return `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escape(name)}</text>
<rect x="${left}" y="${y}" width="${(x(ratio) - left).toFixed(1)}" height="16" class="${verdict(ratio, target) === 'MISSED' ? 'missed' : 'bar'}"/>${tick}
<text x="${(x(ratio) + 6).toFixed(1)}" y="${y + 12}">${ratio.toFixed(2)} · ${number(value)} ${escape(unit)}</text>`;
  });
  const height = top + rows.length * step + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 ${height}" font-family="sans-serif" font-size="12">
<style>.bar{fill:#3b7dd8}.missed{fill:#d8673b}.target{stroke:#222;stroke-width:2}.one{stroke:#999;stroke-dasharray:3}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="22" font-size="15">Each figure beside its ceiling (dashed line: as the ceiling; tick: target)</text>
<text x="12" y="40" fill="#666">${escape(`${machine.cores} cores of ${machine.cpu}, PostgreSQL ${machine.postgres}, nats-server ${machine.nats}, ${machine.mode} run of ${machine.commit}`)}</text>
<line x1="${x(1)}" x2="${x(1)}" y1="${top - 4}" y2="${height - 20}" class="one"/>
${bars.join('\n')}
</svg>
`;
}
